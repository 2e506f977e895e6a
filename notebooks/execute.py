"""Execute a notebook as papermill's command does: `python notebooks/execute.py IN.ipynb OUT.ipynb`.

Here its kernel may come from a warm process (see notebooks/warm.py). What a cell prints is one
output: else it comes in as many pieces as the kernel happened to send, and two runs differ. The
engine is the plain one, which leaves the roles of the prose to the book.
"""

import sys
import tempfile
from pathlib import Path

import papermill

from afterfit.runs._kernels import manager


def execute(source: str, output: str, scratch: Path) -> None:
    with (scratch / "kernel.log").open("w+b") as log:
        try:
            papermill.execute_notebook(
                source,
                output,
                engine_name="nbclient",
                kernel_manager_class=manager(str(scratch), log=log),
                coalesce_streams=True,
                progress_bar={"disable": None},  # in a log the bars of chapters would mingle
            )
        except Exception:
            sys.stderr.write((scratch / "kernel.log").read_text(errors="replace"))
            raise


if __name__ == "__main__":
    print(f"executing {sys.argv[1]}", flush=True)
    with tempfile.TemporaryDirectory(prefix="afterfit-") as folder:
        execute(*sys.argv[1:], Path(folder))
