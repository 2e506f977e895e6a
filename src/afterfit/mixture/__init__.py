"""How likely is a point under a fitted Gaussian mixture: under each component, and at all?

Three different numbers answer that question, and this module keeps them apart:

- the joint log density of a point and a component, log pi_k + log N(x; mu_k, Sigma_k), which is
  the unnormalised log responsibility (`component_log_joints`);
- the log density of the mixture, the log-sum-exp of the former (`log_density`);
- a number in [0, 1] that says how unusual the point is: the upper chi-squared tail of its squared
  Mahalanobis distance within a component (`component_tail_probabilities`), the mass of the region
  where the mixture's density is no higher than at the point (`hdr_tail_probability`; the other
  way round, `hdr_threshold`), and its rank among rows that the fit has not seen
  (`conformal_pvalues`), which needs no right model.

The first two are (logarithms of) densities: they change with the units of the data and have no
upper bound. Only the third is a probability. All work is done in logarithms, after whitening by a
triangular factor, component by component and in blocks of rows. Arrays of another library, on a
GPU for instance, are computed where they lie, and so are the results.
"""

from afterfit.mixture._conformal import conformal_pvalues
from afterfit.mixture._densities import (
    component_log_densities,
    component_log_joints,
    component_tail_probabilities,
    log_density,
    squared_mahalanobis,
)
from afterfit.mixture._hdr import hdr_tail_probability, hdr_threshold
from afterfit.mixture._parameters import GaussianMixtureParameters

__all__ = [
    "GaussianMixtureParameters",
    "component_log_densities",
    "component_log_joints",
    "component_tail_probabilities",
    "conformal_pvalues",
    "hdr_tail_probability",
    "hdr_threshold",
    "log_density",
    "squared_mahalanobis",
]
