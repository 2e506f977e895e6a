# ruff: noqa: N999
"""Where `afterfit.runs` looks whether it is in a notebook."""
