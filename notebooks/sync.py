"""Keep each chapter's text and notebook the same: `python notebooks/sync.py [--check] NAME.md ...`.

Jupytext translates; of two that differ, the one edited last wins. MyST text has no cell ids, so a
cell's id is made from its source: what did not change, does not change in the notebook either.
With `--check` nothing is written, and the exit code says whether all pairs agree.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import jupytext
import nbformat
from jupytext.config import JupytextConfiguration, load_jupytext_configuration_file

TEXT = "md:myst"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", nargs="+", type=Path, metavar="NAME.md")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    differing = [text for text in arguments.texts if not sync(text, write=not arguments.check)]
    for text in differing:
        print(f"{text} and {text.with_suffix('.ipynb').name} differ: run `make sync`")
    return 1 if differing else 0


def sync(text: Path, *, write: bool) -> bool:
    """Return whether the pair agrees; if `write`, make it agree first."""
    notebook = text.with_suffix(".ipynb")
    if not write:
        return notebook.exists() and as_notebook(text) == notebook.read_text()
    if edited_last(text, notebook) == notebook:
        cells = without_outputs(jupytext.read(notebook))
        text.write_text(jupytext.writes(cells, TEXT, config=settings()))
    content = as_notebook(text)
    if not notebook.exists() or notebook.read_text() != content:
        notebook.write_text(content)
        print(f"{notebook} follows {text.name}")
    return True


def settings() -> JupytextConfiguration:
    """Return the settings under `tool.jupytext` in pyproject.toml."""
    return load_jupytext_configuration_file(str(Path(__file__).parents[1] / "pyproject.toml"))


def edited_last(text: Path, notebook: Path) -> Path:
    """Return the file to trust: the text, unless the notebook is newer and says something else."""
    if not notebook.exists() or notebook.stat().st_mtime <= text.stat().st_mtime:
        return text
    same = cells_of(jupytext.read(notebook)) == cells_of(jupytext.read(text))
    return text if same else notebook


def cells_of(notebook: nbformat.NotebookNode) -> list[tuple[str, str, dict]]:
    return [(cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]


def as_notebook(text: Path) -> str:
    """Return the notebook that the text stands for, to the byte."""
    notebook = jupytext.read(text)
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    notebook.metadata.pop("jupytext", None)
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def without_outputs(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


if __name__ == "__main__":
    sys.exit(main())
