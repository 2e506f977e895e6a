"""Run a command whose notebooks share one warm process: `python notebooks/warm.py COMMAND ...`.

It has imported what they import, once, and their kernels are forked from it.
"""

import subprocess
import sys
from contextlib import suppress

from afterfit.runs._kernels import shared

if __name__ == "__main__":
    with shared() as warmed:
        warmed()
        command = subprocess.Popen(sys.argv[1:], close_fds=False)  # make's own files among them
        while command.poll() is None:
            with suppress(KeyboardInterrupt):  # the command has got it, too, and ends in order
                command.wait()
    sys.exit(command.returncode)
