"""Compiled Python in fewer bytes: without docstrings, and lines without columns.

What `python -OO -X no_debug_ranges` would leave out, but asserts stay. A `.pyc` is walked as it
lies there (marshal's format) and copied but for those two: nothing is compiled anew.
"""

from __future__ import annotations

import struct

# Of CPython 3.15, whose files these are: what sets a class's and a module's docstring.
LOAD_CONST, STORE_NAME = 81, 115
HEADER = 16  # bytes before the code of a .pyc
HAS_DOCSTRING = 0x4000000  # a function's first constant is its docstring
REFERRED = 0x80  # marshal's flag of an object that later ones may point to

# Sizes of what has one.
FIXED = {
    b"0": 0,
    b"N": 0,
    b"F": 0,
    b"T": 0,
    b"S": 0,
    b".": 0,
    b"i": 4,
    b"I": 8,
    b"g": 8,
    b"y": 16,
    b"r": 4,
}
SHORT, LONG = b"zZ", b"stuaA"


def smaller(pyc: bytes, *, docstrings: bool = False) -> bytes:
    """Return a .pyc that runs alike, with its docstrings if they are wanted."""
    walk = Walk(pyc, docstrings)
    walk.value(HEADER)
    out, at = [], 0
    for start, end, text in sorted(walk.changes):
        out += [pyc[at:start], text]
        at = end
    return b"".join([*out, pyc[at:]])


class Walk:
    """A walk over marshalled objects, which notes what to write instead of what."""

    def __init__(self, data: bytes, docstrings: bool) -> None:
        self.data, self.docstrings = data, docstrings
        self.changes: list[tuple[int, int, bytes]] = []

    def long(self, at: int) -> int:
        return int(struct.unpack_from("<i", self.data, at)[0])

    def value(self, at: int) -> int:
        """Return the place behind the object at a place."""
        data = self.data
        kind = bytes([data[at] & ~REFERRED])
        at += 1
        if kind in FIXED:
            return at + FIXED[kind]
        if kind in SHORT:
            return at + 1 + data[at]
        if kind in LONG:
            return at + 4 + self.long(at)
        if kind == b"l":
            return at + 4 + 2 * abs(self.long(at))
        if kind == b")":
            return self.values(at + 1, data[at])
        if kind in b"([<>":
            return self.values(at + 4, self.long(at))
        if kind == b":":
            return self.values(at, 3)
        if kind == b"c":
            return self.code(at)
        raise ValueError(f"marshal's type {kind!r} at byte {at} is not known here.")

    def values(self, at: int, count: int) -> int:
        for _ in range(count):
            at = self.value(at)
        return at

    def code(self, at: int) -> int:
        """Walk a code object: five numbers, eight objects, a number, two objects."""
        flags = self.long(at + 16)
        ends = [at + 20]
        for _ in range(8):
            ends.append(self.value(ends[-1]))
        code, consts, names = ends[:3]
        lines = ends[8] + 4
        lines_end = self.value(lines)
        self.drop_docstring(flags, code, consts, names)
        self.drop_columns(lines, lines_end)
        return self.value(lines_end)

    def drop_docstring(self, flags: int, code: int, consts: int, names: int) -> None:
        places = self.elements(consts)
        if self.docstrings:
            return
        if flags & HAS_DOCSTRING:
            place = places[0] if places else None
        else:
            place = self.stored_docstring(code, places, names)
        if place is None or self.data[place] & REFERRED or self.data[place] not in SHORT + LONG:
            return
        self.changes.append((place, self.value(place), b"N"))

    def stored_docstring(self, code: int, places: list[int], names: int) -> int | None:
        """Return where the constant is that a class's or module's code stores as `__doc__`."""
        known = [self.text(place) for place in self.elements(names)]
        if b"__doc__" not in known:
            return None
        start = code + 5 if self.data[code] & ~REFERRED == b"s"[0] else code + 2
        body = self.data[start : self.value(code)]
        for i in range(0, min(len(body) - 3, 200), 2):
            is_stored = (body[i], body[i + 2]) == (LOAD_CONST, STORE_NAME)
            if is_stored and known[body[i + 3]] == b"__doc__" and body[i + 1] < len(places):
                return places[body[i + 1]]
        return None

    def elements(self, at: int) -> list[int]:
        """Return the places of a tuple's elements; none where it only points to another."""
        kind = self.data[at] & ~REFERRED
        if kind == b")"[0]:
            at, count = at + 2, self.data[at + 1]
        elif kind == b"("[0]:
            at, count = at + 5, self.long(at + 1)
        else:
            return []
        before, places = len(self.changes), []
        for _ in range(count):
            places.append(at)
            at = self.value(at)
        del self.changes[before:]  # they were noted on the way here
        return places

    def text(self, at: int) -> bytes | None:
        kind = bytes([self.data[at] & ~REFERRED])
        if kind in SHORT:
            return self.data[at + 2 : self.value(at)]
        return self.data[at + 5 : self.value(at)] if kind in LONG else None

    def drop_columns(self, at: int, end: int) -> None:
        if bytes([self.data[at] & ~REFERRED]) != b"s" or self.data[at] & REFERRED:
            return
        table = without_columns(self.data[at + 5 : end])
        self.changes.append((at, end, b"s" + struct.pack("<i", len(table)) + table))


def without_columns(table: bytes) -> bytes:
    """Return a table of locations with the same line for each instruction, and no columns.

    An entry's first byte is 128 + 8 * form + length - 1; forms 0 to 9 have one more byte, 10 to 12
    two, 13 the step of the line, 14 that and three numbers more, 15 nothing (no line at all).
    """
    out, at = bytearray(), 0
    pending: list[int] = []  # [length, step of the line]
    while at < len(table):
        form, length = (table[at] >> 3) & 15, (table[at] & 7) + 1
        at += 1
        step: int | None = 0
        if form < 10:
            at += 1
        elif form < 13:
            step, at = form - 10, at + 2
        elif form == 15:
            step = None
        else:
            step, at = signed(table, at)
            for _ in range(3 if form == 14 else 0):
                at = signed(table, at)[1]
        if step == 0 and pending:
            pending[0] += length
        else:
            write(out, pending)
            pending = [length, step] if step is not None else []
            if step is None:
                out.append(128 + 8 * 15 + length - 1)
    write(out, pending)
    return bytes(out)


def write(out: bytearray, pending: list[int]) -> None:
    if not pending:
        return
    length, step = pending
    while length > 0:
        out.append(128 + 8 * 13 + min(length, 8) - 1)
        number = step << 1 if step >= 0 else (-step << 1) | 1
        while number > 63:
            out.append(64 | (number & 63))
            number >>= 6
        out.append(number)
        length, step = length - 8, 0


def signed(table: bytes, at: int) -> tuple[int, int]:
    """Return a number in the table's own form, six bits a byte, and the place behind it."""
    number = shift = 0
    while True:
        byte = table[at]
        at += 1
        number |= (byte & 63) << shift
        shift += 6
        if not byte & 64:
            return (-(number >> 1) if number & 1 else number >> 1), at
