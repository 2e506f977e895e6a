"""How well clusters agree with known classes: purity and what it leaves out."""

from afterfit.agreement._measures import (
    AdjustedScore,
    BCubed,
    adjust_for_chance,
    agreement_table,
    bcubed,
    contingency_table,
    f_measure,
    inverse_purity,
    match_labels,
    matched_accuracy,
    pairwise_f_measure,
    plot_contingency_table,
    purity,
)

__all__ = [
    "AdjustedScore",
    "BCubed",
    "adjust_for_chance",
    "agreement_table",
    "bcubed",
    "contingency_table",
    "f_measure",
    "inverse_purity",
    "match_labels",
    "matched_accuracy",
    "pairwise_f_measure",
    "plot_contingency_table",
    "purity",
]
