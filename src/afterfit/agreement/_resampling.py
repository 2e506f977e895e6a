"""A score beside what chance gives, and plus or minus what: resampled clusterings and rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit._labels import encode_labels
from afterfit._validation import (
    check_choice,
    check_integer,
    check_random_state,
    check_real,
    check_same_length,
)
from afterfit.agreement._table import Table, check_same_index, read_table, whole_table

# Resampled scores that differ from the observed one by rounding only count as ties.
_TIE_TOLERANCE = 1e-12


@dataclass(frozen=True)
class AdjustedScore:
    """A score beside what chance gives, from `adjust_for_chance`.

    Parameters
    ----------
    observed : float
        The score of the labels as they are.
    expected : float
        Its mean over random clusterings.
    adjusted : float
        (observed - expected) / (1 - expected): 0 at chance, 1 at perfect agreement.
    pvalue : float
        Share of random clusterings, the observed one counted among them, that score at least as
        high.
    standard_error : float
        Standard error of `expected`.
    n_resamples : int
        Number of random clusterings.
    """

    observed: float
    expected: float
    adjusted: float
    pvalue: float
    standard_error: float
    n_resamples: int


@dataclass(frozen=True)
class ScoreInterval:
    """A score, or a difference of two, with its confidence interval.

    Parameters
    ----------
    estimate : float
        The value on all rows.
    low : float
        Lower end of the interval.
    high : float
        Upper end of the interval.
    standard_error : float
        Standard error of `estimate`.
    bias : float
        By how much `estimate` is too high on average; the interval is centred at
        ``estimate - bias``.
    level : float
        Confidence level.
    n_resamples : int
        Number of half-samples.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    bias: float
    level: float
    n_resamples: int


def adjust_for_chance(
    metric: Callable[[Any, Any], float],
    y_true: Any,
    y_pred: Any = None,
    *,
    model: str = "permutation",
    noise_label: Any = None,
    n_resamples: int = 999,
    random_state: Any = None,
) -> AdjustedScore:
    """Return a score beside its mean over random clusterings of the same rows, and a p-value.

    What the score still reaches where clusters know nothing of the classes, it reaches by chance.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_pred) -> float``, higher is better, 1 at perfect agreement: any measure
        of this module or of `sklearn.metrics`. It is called with integer codes of the labels, so
        it must not depend on their names.
    y_true : array-like of shape (n_samples,)
        The class of each row. Without `y_pred`, a contingency table of whole counts.
    y_pred : array-like of shape (n_samples,), optional
        The cluster of each row.
    model : {"permutation", "n_clusters", "all"}, default="permutation"
        What a random clustering keeps of `y_pred`: the sizes of its clusters, their number, or
        nothing; with every such clustering equally likely, and the classes as they are. Where
        labels are compared with known classes, the sizes are rarely given beforehand: take
        "n_clusters" for a method that is told how many clusters to find, "all" for one that
        decides it (Gates and Ahn, 2017). For two clusterings with sizes that are given, or to
        compare with the adjusted Rand index of other programs, take "permutation".
    noise_label : hashable, optional
        Rows with this label in `y_pred` are left out.
    n_resamples : int, default=999
        Number of random clusterings, at least 1.
    random_state : None, int, numpy.random.Generator or numpy.random.RandomState
        Source of the clusterings; None draws others each time.

    Returns
    -------
    AdjustedScore
        observed, expected, adjusted, pvalue, standard_error, n_resamples. Where chance alone
        gives 1 (there is one class only, say), adjusted is 1 for identical partitions and 0 for
        others, as scikit-learn's adjusted Rand index has it.

    Raises
    ------
    ValueError
        If the input is refused as by `contingency_table` or its counts are not whole, or if
        `metric` returns a value that is not finite or is above 1.
    TypeError
        If `metric` is not callable, or returns something that is not a number.

    References
    ----------
    - Hubert, L. and Arabie, P. (1985). Comparing partitions. Journal of Classification 2, 193-218,
      equation 4.
    - Gates, A. J. and Ahn, Y.-Y. (2017). The impact of random models on clustering similarity.
      Journal of Machine Learning Research 18(87), 1-28.
    - Phipson, B. and Smyth, G. K. (2010). Permutation p-values should never be zero. Statistical
      Applications in Genetics and Molecular Biology 9, article 39.
    - Stam, A. J. (1983). Generation of a random partition of a finite set by an urn model. Journal
      of Combinatorial Theory A 35, 231-240.

    Examples
    --------
    >>> from afterfit.agreement import purity
    >>> y_true = ["x"] * 99 + ["o"]
    >>> y_pred = [1] * 50 + [2] * 50
    >>> score = adjust_for_chance(purity, y_true, y_pred, n_resamples=99, random_state=0)
    >>> score.observed, round(score.expected, 6), score.adjusted
    (0.99, 0.99, 0.0)
    """
    _check_metric(metric)
    n_resamples = check_integer(n_resamples, "n_resamples", low=1)
    check_choice(model, "model", ("permutation", "n_clusters", "all"))
    rng = check_random_state(random_state)
    table = read_table(y_true, y_pred, None, noise_label)
    classes, clusters = _rows_of(table)
    draw = _random_clusterings(model, clusters, rng)
    observed = _score_of(metric, classes, clusters)
    scores = np.array([_score_of(metric, classes, draw()) for _ in range(n_resamples)])
    expected = observed + float(np.mean(scores - observed))  # exact where all are equal
    as_high = int((scores >= observed - _TIE_TOLERANCE).sum())
    spread = float(scores.std(ddof=1)) if n_resamples > 1 else float("inf")
    return AdjustedScore(
        observed=observed,
        expected=expected,
        adjusted=_adjusted(observed, expected, table),
        pvalue=(1 + as_high) / (1 + n_resamples),
        standard_error=spread / n_resamples**0.5,
        n_resamples=n_resamples,
    )


def confidence_interval(
    metric: Callable[[Any, Any], float],
    y_true: Any,
    y_pred: Any = None,
    *,
    level: float = 0.95,
    noise_label: Any = None,
    n_resamples: int = 999,
    random_state: Any = None,
) -> ScoreInterval:
    """Return a confidence interval of a score, the rows being a random sample.

    The clusters are taken as given: how much they would differ on other rows is not in it.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_pred) -> float``, as in `adjust_for_chance`.
    y_true : array-like of shape (n_samples,)
        The class of each row. Without `y_pred`, a contingency table of whole counts.
    y_pred : array-like of shape (n_samples,), optional
        The cluster of each row.
    level : float, default=0.95
        Confidence level, in (0, 1).
    noise_label : hashable, optional
        Rows with this label in `y_pred` are left out.
    n_resamples : int, default=999
        Number of half-samples, at least 2.
    random_state : None, int, numpy.random.Generator or numpy.random.RandomState
        Source of the half-samples; None draws others each time.

    Returns
    -------
    ScoreInterval
        estimate, low, high, standard_error, bias, level, n_resamples.

    Raises
    ------
    ValueError
        If the input is refused as by `adjust_for_chance`, or there are fewer than 2 rows.

    See Also
    --------
    compare_clusterings : The interval of a difference.

    Notes
    -----
    Resampled are halves of the rows, without replacement (a bootstrap of n/2 out of n, or the
    delete-half jackknife of Shao and Wu, 1989). A bootstrap with replacement takes rows twice,
    and a row and its copy are a pair that is in one class and one cluster: it overstates every
    agreement, most where clusters are small. What the score of a half differs from that of all
    rows estimates its bias and its standard error; the interval is normal. Near the value at
    chance it does not keep its level (too short for purity, too long for the adjusted Rand index),
    and for a score of 1 it has no length. The classes are those of the rows: where other rows would
    bring other classes, as in record linkage, their variation is not in it.

    References
    ----------
    Shao, J. and Wu, C. F. J. (1989). A general theory for jackknife variance estimation. Annals
    of Statistics 17, 1176-1197.

    Examples
    --------
    >>> from afterfit.agreement import purity
    >>> y_true = ["x"] * 50 + ["o"] * 50
    >>> y_pred = [1] * 45 + [2] * 55
    >>> interval = confidence_interval(purity, y_true, y_pred, random_state=0)
    >>> interval.estimate, round(interval.low, 2), round(interval.high, 2)
    (0.95, 0.91, 0.99)
    """
    _check_metric(metric)
    classes, clusters = _rows_of(read_table(y_true, y_pred, None, noise_label))

    def score(rows: Any) -> float:
        return _score_of(metric, classes[rows], clusters[rows])

    return _interval(score, classes.size, level, n_resamples, random_state)


def compare_clusterings(
    metric: Callable[[Any, Any], float],
    y_true: Any,
    y_pred: Any,
    y_other: Any,
    *,
    level: float = 0.95,
    n_resamples: int = 999,
    random_state: Any = None,
) -> ScoreInterval:
    """Return by how much one clustering scores higher than another of the same rows.

    Both are scored on the same halves of the rows, so that what is common to both cancels. An
    interval that does not contain 0 says which is better.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_pred) -> float``, as in `adjust_for_chance`.
    y_true : array-like of shape (n_samples,)
        The class of each row.
    y_pred : array-like of shape (n_samples,)
        The cluster of each row in the one clustering.
    y_other : array-like of shape (n_samples,)
        The cluster of each row in the other.
    level : float, default=0.95
        Confidence level, in (0, 1).
    n_resamples : int, default=999
        Number of half-samples, at least 2.
    random_state : None, int, numpy.random.Generator or numpy.random.RandomState
        Source of the half-samples; None draws others each time.

    Returns
    -------
    ScoreInterval
        The estimate is ``metric(y_true, y_pred) - metric(y_true, y_other)``.

    Raises
    ------
    ValueError
        If the three differ in length or in their index, are empty, or hold a missing label.

    Examples
    --------
    >>> from afterfit.agreement import purity
    >>> y_true = ["x"] * 50 + ["o"] * 50
    >>> better, worse = [1] * 45 + [2] * 55, [1] * 35 + [2] * 65
    >>> difference = compare_clusterings(purity, y_true, better, worse, random_state=0)
    >>> round(difference.estimate, 2), difference.low > 0
    (0.1, True)
    """
    _check_metric(metric)
    given = {"y_true": y_true, "y_pred": y_pred, "y_other": y_other}
    check_same_index(**given)
    codes = {name: encode_labels(values, name)[0] for name, values in given.items()}
    check_same_length(**codes)
    classes, ours, other = codes.values()

    def difference(rows: Any) -> float:
        return _score_of(metric, classes[rows], ours[rows]) - _score_of(
            metric, classes[rows], other[rows]
        )

    return _interval(difference, classes.size, level, n_resamples, random_state)


# --- scores of rows ---


def _check_metric(metric: Any) -> None:
    """Raise if `metric` cannot be called."""
    if not callable(metric):
        raise TypeError(f"`metric` must be a function of (y_true, y_pred), got {metric!r}.")


def _rows_of(table: Table) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the class and the cluster of each row, in some order."""
    counts = whole_table(table, "Resampling").counts.astype(np.intp)
    return np.repeat(table.classes, counts), np.repeat(table.clusters, counts)


def _score_of(
    metric: Callable[[Any, Any], Any], classes: NDArray[np.intp], clusters: NDArray[np.intp]
) -> float:
    value = metric(classes, clusters)
    if not isinstance(value, Real):
        raise TypeError(
            f"`metric` must return a number, got {type(value).__name__}; of several scores, pass a "
            "function that returns one, such as `lambda y_true, y_pred: bcubed(y_true, y_pred).f`."
        )
    if not value <= 1 + _TIE_TOLERANCE or value == -np.inf:
        raise ValueError(
            f"`metric` must be at most 1 (at perfect agreement) and not missing, got {value!r}."
        )
    return float(value)


def _adjusted(observed: float, expected: float, table: Table) -> float:
    if expected < 1 - _TIE_TOLERANCE:
        return (observed - expected) / (1 - expected)
    return 1.0 if table.is_identity else 0.0


def _interval(
    score: Callable[[Any], float], n: int, level: float, n_resamples: int, random_state: Any
) -> ScoreInterval:
    from scipy.special import ndtri

    level = check_real(level, "level", low=0, high=1, closed=False)
    n_resamples = check_integer(n_resamples, "n_resamples", low=2)
    rng = check_random_state(random_state)
    if n < 2:
        raise ValueError(f"An interval needs at least 2 rows, got {n}.")
    estimate, half = score(slice(None)), n // 2
    excess = np.array([score(rng.permutation(n)[:half]) for _ in range(n_resamples)]) - estimate
    # A half of the rows and all of them differ as two samples of a size do: by 1/half - 1/n.
    share = half / (n - half)
    bias = float(excess.mean()) * share
    error = float(excess.std(ddof=1)) * share**0.5
    reach = float(ndtri(0.5 + level / 2)) * error
    return ScoreInterval(
        estimate=estimate,
        low=estimate - bias - reach,
        high=min(estimate - bias + reach, 1.0),
        standard_error=error,
        bias=bias,
        level=level,
        n_resamples=n_resamples,
    )


# --- random clusterings ---


def _random_clusterings(
    model: str, clusters: NDArray[np.intp], rng: np.random.Generator
) -> Callable[[], NDArray[np.intp]]:
    """Return a function that draws the clusters of as many rows."""
    n, k = clusters.size, int(clusters.max()) + 1
    if model == "permutation" or (model == "n_clusters" and k in (1, n)):
        return lambda: rng.permutation(clusters)
    if model == "n_clusters":
        return _uniform_of_k_clusters(n, k, rng)
    from scipy.special import gammaln

    # Stam's urns: rows fall at random into m urns, with m drawn in proportion to m^n / m!.
    urns = np.arange(1, 2 * n + 20)
    logs = n * np.log(urns) - gammaln(urns + 1)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    return lambda: rng.integers(rng.choice(urns, p=weights), size=n)


def _uniform_of_k_clusters(
    n: int, k: int, rng: np.random.Generator
) -> Callable[[], NDArray[np.intp]]:
    """Return a function that draws one of all partitions of n rows into 1 < k < n clusters.

    Sizes of a uniform one are Poisson counts, given that none is 0 and that they sum to n, for
    any rate; it is chosen so that they sum to n most often.
    """
    from scipy.optimize import brentq

    rate = brentq(lambda rate: rate / -np.expm1(-rate) - n / k, 1e-9, n / k)

    def draw() -> NDArray[np.intp]:
        while True:
            # A count above 0: its first event comes before the end, and others thereafter.
            first = -np.log1p(rng.random(k) * np.expm1(-rate))
            sizes = 1 + rng.poisson(rate - first)
            if sizes.sum() == n:
                return rng.permutation(np.repeat(np.arange(k), sizes.astype(np.intp)))

    return draw
