"""What a chapter refers to, read from the book's own files: its references and its terms."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

# TeX's accents, as what Unicode combines with the letter before.
_ACCENTS = dict(zip("'`^\"~vc", "\u0301\u0300\u0302\u0308\u0303\u030c\u0327", strict=True))
_LETTERS = {"\\AA": "Å", "\\aa": "å", "\\o": "ø", "\\O": "Ø", "\\ss": "ß", "\\l": "ł", "\\i": "ı"}


@dataclass(frozen=True)
class Work:
    """A work that the book cites: by whom, when, and its line in a list of references."""

    who: str
    year: str
    line: str
    address: str = ""


@dataclass(frozen=True)
class Book:
    """References by key, and definitions by term; both empty where the book is not at hand."""

    works: dict[str, Work] = field(default_factory=dict)
    terms: dict[str, str] = field(default_factory=dict)


def book_of(notebook: str | Path) -> Book:
    """Return what the book around a notebook has: ``../book`` from its folder, if it is there."""
    if "://" in str(notebook):
        return Book()
    folder = Path(notebook).expanduser().resolve().parent.parent / "book"
    works = _read(folder / "references.bib")
    terms = re.search(r"```\{glossary\}\n(.*?)\n```", _read(folder / "glossary.md"), re.DOTALL)
    entries = re.split(r"\n\s*\n", terms[1].strip("\n")) if terms else []
    return Book(
        works={key: _work(dict(_FIELD.findall(fields))) for key, fields in _ENTRY.findall(works)},
        terms={
            term.strip(): " ".join(definition.split())
            for term, _, definition in (entry.partition("\n") for entry in entries)
        },
    )


_ENTRY = re.compile(r"^@\w+\{([^,\s]+),\n(.*?)^\}", flags=re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r"^\s*(\w+)\s*=\s*[{\"](.*?)[}\"],?$", flags=re.MULTILINE)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _work(fields: dict[str, str]) -> Work:
    value = {name: _plain(text) for name, text in fields.items()}
    # A name in braces of its own is that of a body, and has no first names.
    names = [_plain(name) for name in fields.get("author", "").split(" and ")]
    family = [name.partition(",")[0] for name in names]
    who = " and ".join(family) if len(family) < 3 else f"{family[0]} et al."
    where = value.get("journal") or value.get("booktitle") or value.get("publisher")
    details = [where or value.get("howpublished", ""), value.get("volume", "")]
    details += [value.get("pages", "").replace("--", "–")]
    doi = value.get("doi", "")
    address = f"https://doi.org/{doi}" if doi else value.get("url", "")
    line = f"{'; '.join(names)} ({value.get('year', '')}). {value.get('title', '')}. "
    line += ", ".join(part for part in details if part) + "."
    return Work(who, value.get("year", ""), line, address)


def _plain(text: str) -> str:
    """Return a field of BibTeX as text."""
    for tex, letter in _LETTERS.items():
        text = re.sub(re.escape(tex) + r"(?![A-Za-z])\s*", letter, text)
    accent = re.compile(r"\\([" + re.escape("".join(_ACCENTS)) + r"])\s*\{?([A-Za-zı])\}?")
    text = accent.sub(lambda match: match[2] + _ACCENTS[match[1]], text)
    return unicodedata.normalize("NFC", re.sub(r"[{}]|\\(?=[&%$#_])", "", text))
