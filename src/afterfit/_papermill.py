"""What papermill loads when it starts: chapters run by its plain command answer first, and stand
alone.

papermill takes its engines from the entry points of installed packages. The one here stands for its
own default engine, and differs from it for chapters only.
"""

from __future__ import annotations

from typing import Any

from papermill.engines import NBClientEngine, papermill_engines


class ChapterEngine(NBClientEngine):  # type: ignore[misc]
    """papermill's default engine; a chapter is arranged before it and resolved after it."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **options: Any) -> Any:
        if "afterfit" not in nb.metadata:
            return super().execute_notebook(nb, kernel_name, **options)
        import nbformat

        from afterfit.runs._alone import for_jupyter, resolved
        from afterfit.runs._arrange import arranged
        from afterfit.runs._book import book_of

        nb.cells = [nbformat.from_dict(cell) for cell in arranged(nb)]
        done = super().execute_notebook(nb, kernel_name, **options)
        book = book_of(options.get("input_path") or "")
        return nbformat.from_dict(for_jupyter(resolved(done, book)))


# Under the name of the default, for a command without `--engine`.
papermill_engines.register(None, ChapterEngine)
