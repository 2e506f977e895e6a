"""Who may import whom: no circles, nobody else's private rooms, techniques apart."""

import ast
import graphlib
from pathlib import Path

import pytest

import afterfit

SOURCE = Path(__file__).parents[1] / "src"
TECHNIQUES = {name for name in afterfit.__all__ if name not in ("datasets", "runs")}
# What starts by itself stands above the wings: the command, and what papermill loads.
COMMANDS = {"afterfit.__main__", "afterfit._papermill"}
MAY_IMPORT = {"boundary": {"mixture"}}
FILES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((SOURCE / "afterfit").rglob("*.py"))
}


def imported_names(source):
    """Yield every dotted name that a source imports, wherever the statement stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def edges():
    """Return each file of the package with the files of the package that it imports."""
    graph = {}
    for name, path in FILES.items():
        targets = set()
        for imported in imported_names(path.read_text()):
            while imported and imported not in FILES:
                imported = imported.rpartition(".")[0]
            targets |= {imported} - {""}
        graph[name] = targets
    return graph


def wing(name):
    """Return the second part of a dotted name: the technique, or the file that all share."""
    return [*name.split("."), ""][1]


def is_private(name):
    return any(part.startswith("_") and part != "__main__" for part in name.split("."))


EDGES = [(name, target) for name, targets in edges().items() for target in sorted(targets)]


def circle_in(graph):
    """Return a circle of imports, or None."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return None


def test_no_circle_of_imports():
    # A package's face comes into a circle only by its own rooms. The package itself is left out:
    # its version is read in several places, and it loads all others by name, on first use.
    graph = {name: targets - {"afterfit"} for name, targets in edges().items()}
    assert circle_in(graph) is None


def test_a_circle_is_seen():
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}}) is not None
    assert list(imported_names("def f():\n    if TYPE_CHECKING:\n        from a.b import c")) == [
        "a.b.c"
    ]


@pytest.mark.parametrize(("importer", "imported"), EDGES, ids=" -> ".join)
def test_who_imports_whom(importer, imported):
    here, there = wing(importer), wing(imported)
    if here == there or there == "":
        return
    if is_private(imported):
        # What all share lies beside the wings; a wing's own rooms are its own.
        is_shared = imported.count(".") == 1
        assert is_shared or importer in COMMANDS, "a private room of another wing"
    if here in TECHNIQUES or here in ("datasets", "runs"):
        assert there not in TECHNIQUES or there in MAY_IMPORT.get(here, ())
    if here.startswith("_") and importer not in COMMANDS:
        assert there.startswith("_"), "what all share stands below the wings"


@pytest.mark.parametrize("name", [name for name in FILES if FILES[name].name == "__init__.py"])
def test_the_face_of_a_wing_is_a_table_of_contents(name):
    if name == "afterfit":
        return
    body = ast.parse(FILES[name].read_text()).body
    assert ast.get_docstring(ast.parse(FILES[name].read_text()))
    kinds = [type(node).__name__ for node in body[1:]]
    assert set(kinds[:-1]) <= {"ImportFrom"}
    assert kinds[-1] == "Assign"
    assert body[-1].targets[0].id == "__all__"
