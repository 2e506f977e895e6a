"""`python -m afterfit` is the command `afterfit`."""

import sys

from afterfit.runs._cli import main

if __name__ == "__main__":
    sys.exit(main())
