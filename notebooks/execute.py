"""Execute a notebook as papermill's command does: `python notebooks/execute.py IN.ipynb OUT.ipynb`.

Here its kernel may come from a warm process (see notebooks/warm.py). What a cell prints is one
output: else it comes in as many pieces as the kernel happened to send, and two runs differ. The
engine is the plain one, which leaves the roles of the prose to the book.
"""

import sys
import tempfile

import papermill

from afterfit.runs._kernels import manager

if __name__ == "__main__":
    source, output = sys.argv[1:]
    print(f"executing {source}", flush=True)
    with tempfile.TemporaryDirectory(prefix="afterfit-") as scratch:
        papermill.execute_notebook(
            source,
            output,
            engine_name="nbclient",
            kernel_manager_class=manager(scratch),
            coalesce_streams=True,
        )
