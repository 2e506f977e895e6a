"""Canonical correlations, and whether they are more than noise.

`canonical_correlations` and `fit_cca` compute them exactly, `CCAResult.significance` and
`permutation_test` test every root, `bootstrap_cca` gives intervals, `cross_validated_correlations`
says what is left of them on new rows, `null_edge` and `null_density` what pure noise gives.
`mean_cca`, `svcca`, `pwcca` and `linear_cka` compare two representations of the same rows, and
`similarity_noise` says what they give on noise. `CCAAccumulator` takes rows batch by batch.
"""

from afterfit.cca._accumulator import CCAAccumulator
from afterfit.cca._bootstrap import BootstrapResult, bootstrap_cca
from afterfit.cca._cca import CCAResult, canonical_correlations, fit_cca
from afterfit.cca._cross_validation import cross_validated_correlations
from afterfit.cca._permutation import PermutationResult, permutation_test
from afterfit.cca._rows import as_rows
from afterfit.cca._similarity import linear_cka, mean_cca, pwcca, similarity_noise, svcca
from afterfit.cca._wachter import null_density, null_edge
from afterfit.cca._whitening import ForcedCorrelationWarning, StorageWarning

__all__ = [
    "BootstrapResult",
    "CCAAccumulator",
    "CCAResult",
    "ForcedCorrelationWarning",
    "PermutationResult",
    "StorageWarning",
    "as_rows",
    "bootstrap_cca",
    "canonical_correlations",
    "cross_validated_correlations",
    "fit_cca",
    "linear_cka",
    "mean_cca",
    "null_density",
    "null_edge",
    "permutation_test",
    "pwcca",
    "similarity_noise",
    "svcca",
]
