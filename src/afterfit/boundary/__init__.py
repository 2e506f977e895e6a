"""The Bayes rule of given densities, priors and losses: decisions, boundary curves, and risk.

The rule decides at every point for the class whose expected loss under the posterior is least; its
boundary is where two decisions tie. Nothing is fitted: densities come as functions, SciPy
distributions, kernel density estimates, Gaussian mixtures, or from a fitted generative classifier.
Of other classifiers the probabilities serve, for all but what takes densities.
"""

from afterfit.boundary._display import BayesBoundaryDisplay
from afterfit.boundary._results import BoundaryPiece, DecisionBoundary, ErrorRate
from afterfit.boundary._rule import BayesRule

__all__ = [
    "BayesBoundaryDisplay",
    "BayesRule",
    "BoundaryPiece",
    "DecisionBoundary",
    "ErrorRate",
]
