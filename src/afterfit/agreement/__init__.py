"""How well clusters agree with known classes: purity and what it leaves out.

`purity`, `inverse_purity`, `f_measure`, `pairwise_f_measure`, `bcubed`, `matched_accuracy` and
`adjusted_mutual_information` are the measures, `agreement_table` shows all of them and what
scikit-learn has. `adjust_for_chance` says what clusters reach that know nothing,
`confidence_interval` plus or minus what, `compare_clusterings` which of two is better.
`match_labels` names clusters by classes.

Input is what people have: two labellings, of any type; posterior probabilities in place of
clusters; or a contingency table alone.
"""

from afterfit.agreement._information import adjusted_mutual_information
from afterfit.agreement._matching import match_labels, matched_accuracy
from afterfit.agreement._measures import (
    BCubed,
    bcubed,
    f_measure,
    inverse_purity,
    pairwise_f_measure,
    purity,
)
from afterfit.agreement._plot import plot_contingency_table
from afterfit.agreement._resampling import (
    AdjustedScore,
    ScoreInterval,
    adjust_for_chance,
    compare_clusterings,
    confidence_interval,
)
from afterfit.agreement._summary import agreement_table
from afterfit.agreement._table import contingency_table, separate_noise

__all__ = [
    "AdjustedScore",
    "BCubed",
    "ScoreInterval",
    "adjust_for_chance",
    "adjusted_mutual_information",
    "agreement_table",
    "bcubed",
    "compare_clusterings",
    "confidence_interval",
    "contingency_table",
    "f_measure",
    "inverse_purity",
    "match_labels",
    "matched_accuracy",
    "pairwise_f_measure",
    "plot_contingency_table",
    "purity",
    "separate_noise",
]
