"""All measures in one table."""

from __future__ import annotations

from typing import Any

import pandas as pd

from afterfit.agreement._information import adjusted_mutual_information, homogeneity_completeness_v
from afterfit.agreement._matching import matched_accuracy
from afterfit.agreement._measures import (
    bcubed,
    f_measure,
    inverse_purity,
    pair_indices,
    pairwise_f_measure,
    purity,
)
from afterfit.agreement._table import Table, read_table


def agreement_table(
    y_true: Any, y_pred: Any = None, *, sample_weight: Any = None, noise_label: Any = None
) -> pd.DataFrame:
    """Return all measures of agreement in one table, with the question that each answers.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_classes)
        The class of each row, or its probabilities. Without `y_pred`, a contingency table of
        shape (n_classes, n_clusters): array, DataFrame or SciPy sparse.
    y_pred : array-like of shape (n_samples,) or (n_samples, n_clusters), optional
        The cluster of each row, or its posterior probabilities.
    sample_weight : array-like of shape (n_samples,), optional
        How many rows each row stands for.
    noise_label : hashable, optional
        Rows with this label in `y_pred` are left out; the last line says which share stays.

    Returns
    -------
    pandas.DataFrame
        One row a measure: ``value`` (1 is best), ``at chance`` ("0" for measures whose mean over
        random labels is 0, else how it behaves) and ``question``. Counts that are not whole
        (of posteriors, or by weights) have no pairs and no permutations: the measures of pairs
        and the adjusted ones are missing from their table.

    Raises
    ------
    ValueError
        If the input is refused as by `contingency_table`.

    See Also
    --------
    adjust_for_chance : Puts any of them beside what chance gives.
    confidence_interval : Plus or minus what.

    Notes
    -----
    Homogeneity, completeness and V-measure (Rosenberg and Hirschberg, 2007), the Fowlkes-Mallows
    and the Rand indices are defined as in `sklearn.metrics`. Normalised mutual information is the
    V-measure. Clusters that overlap are compared by element-centric similarity (Gates et al.,
    2019), in the package clusim.

    Examples
    --------
    >>> table = agreement_table(["x", "x", "x", "o", "o"], [1, 1, 1, 1, 2])
    >>> table.loc[["purity", "adjusted Rand index"], "value"].round(3).tolist()
    [0.8, 0.231]
    """
    table = read_table(y_true, y_pred, sample_weight, noise_label)
    rows = _rows_of_shares(table) + (_rows_of_whole_counts(table) if table.is_whole else [])
    if noise_label is not None:
        rows.append(("share not noise", 1 - table.noise_share, "as it is", "How many rows count?"))
    frame = pd.DataFrame(rows, columns=["measure", "value", "at chance", "question"])
    return frame.astype({"value": "float64"}).set_index("measure")


_Row = tuple[str, float, str, str]
_GROWS, _FALLS, _ABOVE = "grows with the clusters", "falls with the clusters", "above 0"


def _rows_of_shares(table: Table) -> list[_Row]:
    precision, recall, f = (getattr(bcubed(table), name) for name in ("precision", "recall", "f"))
    homogeneity, completeness, v = homogeneity_completeness_v(table)
    accuracy, found = matched_accuracy(table), f_measure(table)
    return [
        ("purity", purity(table), _GROWS, "Does a cluster hold one class?"),
        ("inverse purity", inverse_purity(table), _FALLS, "Does a class stay in one cluster?"),
        ("F measure", found, _ABOVE, "Is there, for each class, a cluster that finds it?"),
        ("B-cubed precision", precision, _GROWS, "Of a row's cluster, how much is like it?"),
        ("B-cubed recall", recall, _FALLS, "Of the rows like it, how many are with it?"),
        ("B-cubed F", f, _ABOVE, "Both at once"),
        ("matched accuracy", accuracy, _ABOVE, "One cluster for each class: rows right?"),
        ("homogeneity", homogeneity, _GROWS, "How much of the class does the cluster tell?"),
        ("completeness", completeness, _GROWS, "How much of the cluster does the class tell?"),
        ("V-measure", v, _GROWS, "Both: mutual information over the mean entropy (NMI)"),
    ]


def _rows_of_whole_counts(table: Table) -> list[_Row]:
    f, information = pairwise_f_measure(table), adjusted_mutual_information(table)
    fowlkes_mallows, rand, adjusted_rand = pair_indices(table)
    return [
        ("pairwise F measure", f, _ABOVE, "Are pairs put together of one class, and vice versa?"),
        ("Fowlkes-Mallows index", fowlkes_mallows, _ABOVE, "The same, by the geometric mean"),
        ("Rand index", rand, _ABOVE, "Of all pairs, how many are treated alike?"),
        ("adjusted Rand index", adjusted_rand, "0", "Pairs treated alike, beyond chance?"),
        ("adjusted mutual information", information, "0", "How much is shared, beyond chance?"),
    ]
