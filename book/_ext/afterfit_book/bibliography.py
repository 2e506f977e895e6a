"""Labels of the bibliography as the text cites: author and year."""

from collections import Counter

from pybtex.database import Entry, Person
from pybtex.plugin import register_plugin
from pybtex.richtext import Text
from pybtex.style.formatting.unsrt import Style
from pybtex.style.labels import BaseLabelStyle
from pybtex.style.sorting.author_year_title import SortingStyle
from sphinx.application import Sphinx


class AuthorYearLabels(BaseLabelStyle):
    def format_labels(self, sorted_entries: list[Entry]) -> list[str]:
        labels = [f"{names(entry)}, {entry.fields.get('year', 'n.d.')}" for entry in sorted_entries]
        often, seen = Counter(labels), Counter()
        for position, label in enumerate(labels):
            if often[label] > 1:
                labels[position] = label + "abcdefghijklmnopqrstuvwxyz"[seen[label]]
                seen[label] += 1
        return labels


def names(entry: Entry) -> str:
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    last = [" ".join(last_name(person)) for person in people]
    if not last:
        return entry.fields.get("title", entry.key)
    if len(last) > 2:
        return f"{last[0]} et al."
    return " and ".join(last)


def last_name(person: Person) -> list[str]:
    parts = [*person.prelast_names, *person.last_names]
    return [str(Text.from_latex(part)) for part in parts]


class AuthorYear(Style):
    default_label_style = AuthorYearLabels
    default_sorting_style = SortingStyle


def setup(app: Sphinx) -> None:
    register_plugin("pybtex.style.formatting", "author_year", AuthorYear)
