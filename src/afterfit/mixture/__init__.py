"""How likely is a point under a fitted Gaussian mixture: under each component, and at all?

Three different numbers answer that question, and this module keeps them apart:

- the joint log density of a point and a component, log pi_k + log N(x; mu_k, Sigma_k), which is
  the unnormalised log responsibility (`component_log_joints`);
- the log density of the mixture, the log-sum-exp of the former (`log_density`);
- a number in [0, 1] that says how typical the point is: the upper chi-squared tail of its squared
  Mahalanobis distance within a component (`component_tail_probabilities`), and the mass of the
  region where the mixture's density is no higher than at the point (`hdr_tail_probability`).

The first two are (logarithms of) densities: they change with the units of the data and have no
upper bound. Only the third is a probability. All work is done in logarithms, after whitening by a
triangular solve, component by component and in blocks of rows.
"""

from afterfit.mixture._densities import (
    component_log_densities,
    component_log_joints,
    component_tail_probabilities,
    log_density,
    squared_mahalanobis,
)
from afterfit.mixture._hdr import hdr_tail_probability
from afterfit.mixture._parameters import GaussianMixtureParameters

__all__ = [
    "GaussianMixtureParameters",
    "component_log_densities",
    "component_log_joints",
    "component_tail_probabilities",
    "hdr_tail_probability",
    "log_density",
    "squared_mahalanobis",
]
