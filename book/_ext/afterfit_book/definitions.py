"""What each term of the glossary means, put where a page uses it; the script shows it there."""

import re
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup

TERM = re.compile(
    r'<a class="reference internal"(?: data-definition="[^"]*")?'
    r' (?P<rest>href="(?:[^"]*glossary\.html)?#(?P<anchor>term-[^"]+)")'
)


def read_definitions(glossary: Path) -> dict[str, str]:
    """Return the definitions of the written glossary, in words alone, by their anchors."""
    if not glossary.exists():
        return {}
    page = BeautifulSoup(glossary.read_text(encoding="utf-8"), "html.parser")
    return {
        term["id"]: " ".join(term.find_next_sibling("dd").get_text().split())
        for term in page.select("dl.glossary dt[id]")
    }


def with_definitions(html: str, definitions: dict[str, str]) -> str:
    """Return a page on which each link to a term knows what it means."""
    return TERM.sub(
        lambda link: (
            f'<a class="reference internal" data-definition="{escape(meaning)}" {link["rest"]}'
            if (meaning := readable(definitions.get(link["anchor"], "")))
            else link[0]
        ),
        html,
    )


def readable(definition: str) -> str:
    """Return a definition whose formulas are left out: a tooltip has no mathematics."""
    return re.sub(r",?\s*\\\(.*?\\\)", "", definition)
