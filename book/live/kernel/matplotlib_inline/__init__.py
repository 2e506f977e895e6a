"""How a notebook draws figures: `afterfit_live` does it."""
