"""How unusual a row is among rows that a fit has not seen: right also if the model is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from afterfit._arrays import (
    check_foreign_matrix,
    is_foreign,
    namespace,
    open_array,
    take,
    to_numpy,
)
from afterfit._validation import (
    as_pandas,
    check_columns,
    check_integer,
    check_matrix,
    check_random_state,
    column_names,
    listing,
)
from afterfit.mixture._parameters import GaussianMixtureParameters

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


def conformal_pvalues(
    estimator: Any,
    X: Any,
    X_new: Any = None,
    *,
    cv: Any = 10,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> Any:
    """Return conformal p-values: how few held-out rows have a density as low as a row has.

    The estimator is fitted to some rows of `X` and gives the others a score; the p-value of a row
    is its rank, from below, among such scores of rows that the fit has not seen. No model needs
    to be right for it: a mixture with too few components, or fitted to too few rows, gives less
    telling p-values, not wrong ones.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Any with `fit` and `score_samples` where a higher score is less unusual: GaussianMixture,
        BayesianGaussianMixture, KernelDensity, IsolationForest, a pipeline that ends in one. It
        is cloned and refitted, as `cross_val_score` does; what it was fitted to before is
        forgotten.
    X : array-like or table of shape (n_samples, n_features)
        Rows that count as usual: the reference.
    X_new : array-like or table of shape (n_new, n_features), optional
        Rows to be judged. If None, those of `X` are.
    cv : int, splitter of scikit-learn or iterable of (train, test), default=10
        Which rows are held out from which fit; an int is that many folds, shuffled. No row may be
        held out twice. With a single split, such as
        `ShuffleSplit(1, test_size=0.5, random_state=0)`, the p-values of new rows are exact.
    random_state : None, int, Generator, RandomState or SeedSequence, default=None
        Source of the folds if `cv` is an int. The estimator has a `random_state` of its own.
    n_jobs : int, optional
        Number of fits at a time, by joblib.

    Returns
    -------
    ndarray of shape (n_new,), or (n_samples,) if `X_new` is None
        P-values, from 1 / (m + 1) to 1 with m rows held out in all; from 1 / n_samples without
        `X_new`. An array of the library and on the device of the scores.

    Raises
    ------
    ValueError
        If a row is held out more than once or, without `X_new`, never; if the tables differ in
        their columns; if a score is NaN.
    TypeError
        If the estimator cannot be refitted or has no `score_samples`.

    See Also
    --------
    hdr_tail_probability : Without refitting, and right if the model is.
    scipy.stats.false_discovery_control : Benjamini and Hochberg's adjustment of many p-values.

    Notes
    -----
    With fits f_1, ..., f_K that leave out the disjoint sets of rows S_1, ..., S_K, m in all, the
    p-value of a new row x is (1 + sum_k #{i in S_k: f_k(x_i) <= f_k(x)}) / (m + 1).

    For a new row that is exchangeable with those of `X`, P(p <= a) <= a with a single split
    (split-conformal [1]_). With K folds (cross-conformal [2]_) every row serves for fitting as
    well as for calibrating. There the bound that holds for any estimator is 2 a plus
    2 (1 - 1 / K) / (n / K + 1) [3]_, and a itself is what is seen unless fits differ wildly.

    Many rows: flag those with `false_discovery_control(p) <= q`. With a single split that keeps
    the expected share of false alarms among the flags at q [4]_, though the p-values depend on
    each other. No p-value is below 1 / (m + 1), so the reference must be long enough: a single
    outlier among n_new rows is found from m + 1 = n_new / q on.

    Without `X_new`, the p-value of a row is its rank among all, each by the fit that has not seen
    it: the share a of rows is always at or below a. It says which rows are the most unusual, not
    whether any is an outlier. For that, a reference of rows that are known to be good is needed.

    References
    ----------
    .. [1] Vovk, V., Gammerman, A. & Shafer, G. (2005). Algorithmic Learning in a Random World.
       Springer.
    .. [2] Vovk, V. (2015). Cross-conformal predictors. Annals of Mathematics and Artificial
       Intelligence 74, 9-28.
    .. [3] Barber, R. F., Candes, E. J., Ramdas, A. & Tibshirani, R. J. (2021). Predictive
       inference with the jackknife+. Annals of Statistics 49, 486-507.
    .. [4] Bates, S., Candes, E., Lei, L., Romano, Y. & Sesia, M. (2023). Testing for outliers
       with conformal p-values. Annals of Statistics 51, 149-178.

    Examples
    --------
    Points on a ring, judged by a single Gaussian, which has its mode in the empty middle. No new
    point is more unusual than the ring's own, but one far out is:

    >>> import numpy as np
    >>> from sklearn.mixture import GaussianMixture
    >>> from afterfit.mixture import conformal_pvalues
    >>> angle = np.linspace(0, 2 * np.pi, 200)
    >>> ring = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> conformal_pvalues(GaussianMixture(1), ring, [[3.0, 0.0]], random_state=0).round(4)
    array([0.005])
    """
    fit_and_score = _scorer(estimator)
    rows = _as_rows(X, "X")
    new = None if X_new is None else _as_rows(X_new, "X_new")
    if new is not None:
        if new.shape[1] != rows.shape[1]:
            raise ValueError(
                f"`X_new` must have the {rows.shape[1]} column(s) of `X`, got {new.shape[1]}."
            )
        check_columns(X_new, column_names(X, "X"), "X_new")
    splits = _splits(cv, rows, random_state)
    _check_splits(splits, rows.shape[0], every=new is None)
    judged = [] if new is None else [new]
    results = Parallel(n_jobs=n_jobs)(
        delayed(fit_and_score)(_take(rows, train), [_take(rows, test), *judged])
        for train, test in splits
    )
    if new is not None:
        counts = sum(_at_most(held_out, scores) for held_out, scores in results)
        return (counts + 1.0) / (sum(len(test) for _, test in splits) + 1)
    # The share of rows that score no higher than each, in the order of the rows.
    held_out = [scores for (scores,) in results]
    back = np.argsort(np.concatenate([test for _, test in splits]))
    scores = take(namespace(held_out[0]).concat(held_out), back)
    return _at_most(scores, scores) / scores.shape[0]


def _scorer(estimator: Any) -> Callable[..., list[Any]]:
    """Return the function that fits a clone to some rows and gives scores to others."""
    from sklearn.base import clone

    if isinstance(estimator, GaussianMixtureParameters):
        raise TypeError(
            "`estimator` must be an estimator that can be refitted, such as GaussianMixture, "
            "got GaussianMixtureParameters. `hdr_tail_probability` takes these as they are."
        )
    if not (hasattr(estimator, "fit") and hasattr(estimator, "score_samples")):
        raise TypeError(
            "`estimator` must have `fit` and `score_samples`, as GaussianMixture, KernelDensity "
            f"and IsolationForest have, got {type(estimator).__name__}."
        )

    def fit_and_score(train: Any, parts: list[Any]) -> list[Any]:
        fitted = clone(estimator).fit(train)
        scores = [fitted.score_samples(part) for part in parts]
        for score in scores:
            if np.isnan(to_numpy(score)).any():
                raise ValueError("`estimator` must give numbers as scores, got NaN.")
        return [score if is_foreign(score) else np.asarray(score) for score in scores]

    return fit_and_score


def _as_rows(X: Any, name: str) -> Any:
    """Return rows that can be chosen from: a table as pandas, which keeps text, else numbers."""
    if is_foreign(X):
        return check_foreign_matrix(open_array(X, name), name)
    table = as_pandas(X, name)
    return table if hasattr(table, "iloc") and table.ndim == 2 else check_matrix(X, name)


def _take(rows: Any, index: Rows) -> Any:
    return rows.iloc[index] if hasattr(rows, "iloc") else take(rows, index)


def _splits(cv: Any, rows: Any, random_state: Any) -> list[tuple[Rows, Rows]]:
    from sklearn.model_selection import KFold

    if not hasattr(cv, "split") and not np.iterable(cv):
        n_folds = check_integer(cv, "cv", low=2, high=rows.shape[0])
        order = check_random_state(random_state).permutation(rows.shape[0])
        folds = KFold(n_folds).split(order)
        return [(order[train], order[test]) for train, test in folds]
    pairs = cv.split(np.zeros((rows.shape[0], 1))) if hasattr(cv, "split") else cv
    return [(np.asarray(train), np.asarray(test)) for train, test in pairs]


def _check_splits(splits: list[tuple[Rows, Rows]], n_rows: int, *, every: bool) -> None:
    times = np.zeros(n_rows, dtype=np.intp)
    for train, test in splits:
        if np.intersect1d(train, test).size:
            raise ValueError("`cv` must hold out other rows than it fits to.")
        np.add.at(times, test, 1)
    twice, never = np.flatnonzero(times > 1), np.flatnonzero(times == 0)
    if len(twice):
        raise ValueError(
            f"`cv` must hold out no row more than once, but does so with row(s) "
            f"{listing(twice.tolist())}. Folds do, repeated splits do not."
        )
    if not times.any() or (every and len(never)):
        raise ValueError(
            "`cv` must hold out every row once, since each of them is to be judged: row(s) "
            f"{listing(never.tolist())} never are. Pass rows to be judged as `X_new`, or an int."
        )


def _at_most(held_out: Any, scores: Any) -> Any:
    """Return how many of the held-out scores are at most as high as each score."""
    xp = namespace(scores)
    return xp.astype(xp.searchsorted(xp.sort(held_out), scores, side="right"), xp.float64)
