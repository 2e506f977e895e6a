"""How the parts are made, without the wheel: compiled Python in fewer bytes, packs, programs."""

import importlib.util
import inspect
import json
import marshal
import opcode
import struct
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book/live"))

import build  # noqa: E402
import bytecode  # noqa: E402

SOURCE = '''"""The module's."""
def f(x, y=(1, 2.5, "text", b"bytes", None, ..., 1j, 10**40)):
    """The function's."""
    try:
        return [x / divisor
                for divisor in y[:2]]
    finally:
        x = {*y}


class C:
    """The class's."""

    @property
    def g(self):
        return ("a constant like a docstring",
                self.missing)
'''


def compiled(source):
    header = importlib.util.MAGIC_NUMBER + bytes(bytecode.HEADER - 4)
    # Version 2: no object points to another one, as hardly any does in the files that are taken.
    return header + marshal.dumps(compile(source, "m.py", "exec"), 2)


def code_of(pyc):
    return marshal.loads(pyc[bytecode.HEADER :])


def all_codes(code):
    yield code
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield from all_codes(constant)


@pytest.mark.parametrize(
    "source", [SOURCE, *(inspect.getsource(m) for m in (json.decoder, inspect, pytest))]
)
def test_every_instruction_keeps_its_line_and_loses_its_column(source):
    before, after = compiled(source), bytecode.smaller(compiled(source), docstrings=True)
    assert len(after) < len(before)
    pairs = zip(all_codes(code_of(before)), all_codes(code_of(after)), strict=True)
    for one, other in pairs:
        assert one.co_code == other.co_code
        lines = [position[0] for position in one.co_positions()]
        assert [position[0] for position in other.co_positions()] == lines
        assert {position[2:] for position in other.co_positions()} <= {(None, None)}


def test_docstrings_of_classes_and_modules_go_and_all_else_stays(monkeypatch):
    # What stores a docstring has other numbers in other versions of Python.
    monkeypatch.setattr(bytecode, "LOAD_CONST", opcode.opmap["LOAD_CONST"])
    monkeypatch.setattr(bytecode, "STORE_NAME", opcode.opmap["STORE_NAME"])
    names = {}
    exec(code_of(bytecode.smaller(compiled(SOURCE))), names)
    assert names["__doc__"] is None
    assert names["C"].__doc__ is None
    assert names["f"](1) == [1, 0.4]
    with pytest.raises(AttributeError, match="missing") as caught:
        names["C"]().g  # noqa: B018
    assert caught.traceback[-1].lineno + 1 == 17


def test_what_is_not_known_is_refused():
    with pytest.raises(ValueError, match=r"marshal's type b'\?' at byte 17 is not known"):
        bytecode.smaller(bytes(bytecode.HEADER) + b"?")


def test_a_program_loses_its_custom_sections_only():
    head = b"\0asm\1\0\0\0"
    code = b"\x0a\x02\x01\x00"  # section 10, two bytes
    names = b"\x00\x83\x00" + b"abc"  # section 0, three bytes, their number in two
    assert build.without_names(head + names + code + names) == head + code


def test_a_pack_says_where_each_file_is():
    packed = build.pack([("/a", b"one"), ("/b/c", b""), ("/d", b"four")])
    (length,) = struct.unpack_from("<I", packed)
    index, body = json.loads(packed[4 : 4 + length]), packed[4 + length :]
    assert {path: body[at : at + size] for path, (at, size) in index.items()} == {
        "/a": b"one",
        "/b/c": b"",
        "/d": b"four",
    }
