"""One run of a notebook with checked parameters, and the notebook that comes of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from afterfit.runs import _declared, _execute
from afterfit.runs._alone import for_jupyter, resolved
from afterfit.runs._arrange import is_chapter
from afterfit.runs._book import book_of
from afterfit.runs._files import write
from afterfit.runs._parameters import check_rows


@dataclass(frozen=True)
class Run:
    """An executed notebook, its prose resolved, and the values of all its parameters."""

    notebook: dict[str, Any]
    parameters: Mapping[str, Any]


def run(notebook: str | Path, parameters: Mapping[str, Any], output: Path) -> Run:
    """Run a notebook; raise if it cannot be run, or if it fails (it is kept beside `output`)."""
    source = _declared.read(notebook)
    known = _declared.declared(source)
    passed = {name: _declared.check(name, value, known) for name, value in parameters.items()}
    for name, value in passed.items():
        _declared.local_file(known[name], value)
    if isinstance(passed.get("rows"), str):
        check_rows("rows", passed["rows"])
    outcome = _execute.run_here(source, passed, folder=Path.cwd(), shows_progress=True)
    if outcome.status != "ok" or outcome.notebook is None:
        kept = output.with_suffix(".failed.ipynb")
        write(kept, outcome.notebook or json.dumps(source).encode())
        raise RuntimeError(f"{outcome.error} (the notebook as far as it got: {kept})")
    values = {name: passed.get(name, parameter.default) for name, parameter in known.items()}
    return Run(resolved(json.loads(outcome.notebook), book_of(notebook)), values)


def run_to(notebook: str | Path, parameters: Mapping[str, Any], output: str | Path) -> Path:
    """Run a notebook and write the executed one, as Jupyter shows it; return where."""
    path = writable(output)
    done = run(notebook, parameters, path).notebook
    write(path, json.dumps(for_jupyter(done) if is_chapter(done) else done, indent=1).encode())
    return path


def writable(output: str | Path) -> Path:
    """Return where a file is to be; raise before anything is run if it cannot be written."""
    path = Path(output).expanduser()
    if "://" in str(output) or path.is_dir():
        raise ValueError(f"`output` must be a file of this machine, got {str(output)!r}.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"`output` must be in a folder that is there, got {str(path)!r}.")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"`output` must be in a folder of yours, got {str(path)!r}.")
    return path
