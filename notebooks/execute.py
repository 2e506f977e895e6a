"""Execute a notebook as papermill's command does: `python notebooks/execute.py IN.ipynb OUT.ipynb`.

Here the messages of its kernel are encrypted: the command has no setting for it, and without it
every kernel complains on the terminal. And what a cell prints is one output: else it comes in as
many pieces as the kernel happened to send, and two runs differ. The engine is the plain one, which
leaves the roles of the prose to the book.
"""

import sys

import papermill
from traitlets.config import Config

ENCRYPTED = Config(KernelManager={"transport_encryption": "auto"})

if __name__ == "__main__":
    source, output = sys.argv[1:]
    print(f"executing {source}", flush=True)
    papermill.execute_notebook(
        source, output, engine_name="nbclient", config=ENCRYPTED, coalesce_streams=True
    )
