"""Clusters of categories: k-modes at full speed, an exact silhouette, and how many clusters.

The matching distance of two rows is the number of columns in which they differ. For it the mean
distance of a row to a cluster follows from the cluster's category counts, so the exact silhouette
takes time and memory linear in the number of rows, where the textbook's takes the square.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter, validate_data

from afterfit._labels import encode_labels
from afterfit._validation import (
    check_choice,
    check_integer,
    check_random_state,
    listing,
)
from afterfit.categorical._engine import Engine
from afterfit.categorical._evidence import (
    COMPARED_ROWS,
    CRITERIA,
    Fitted,
    OtherFits,
    OwnFits,
    best_silhouette,
    decide,
    first_within,
    gap_of,
    knee_of,
    most_stable,
    summary,
)
from afterfit.categorical._search import Found, cao_modes, search
from afterfit.categorical._silhouette import silhouettes
from afterfit.categorical._tables import (
    CategoryTable,
    Packed,
    as_array,
    check_sample_weight,
    check_whole_weights,
    encode_table,
    in_codes_of,
    merge_equal_rows,
    pack,
    sampled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "KModes",
    "NClustersResult",
    "choose_n_clusters",
    "cluster_profile",
    "matching_silhouette_samples",
    "matching_silhouette_score",
    "plot_profile",
    "plot_silhouettes",
]

INITS = ("huang", "cao", "random")

# Seconds between two lines of progress.
PROGRESS_SECONDS = 1.0


def matching_silhouette_samples(
    X: Any, labels: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return the silhouette of every row by the matching distance, exactly.

    The silhouette of a row is (b - a) / max(a, b): a is its mean distance to the other rows of
    its cluster, b the least mean distance to the rows of another cluster. It lies between -1 and
    1; above 0 the row is nearer to its own cluster.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_features)
        Categories of any type; a missing value is a category of its own.
    labels : array-like of shape (n_samples,)
        The cluster of each row, of any type; two clusters at least.
    sample_weight : array-like of shape (n_samples,), optional
        Frequency weights, whole numbers: a row of weight w counts as w equal rows. A row of
        weight 0 counts for nobody, and is itself compared with all rows of its cluster.

    Returns
    -------
    ndarray of shape (n_samples,)
        The silhouettes; 0 for a row that is alone in its cluster, as in scikit-learn.

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit, a label is missing, or there are fewer than two clusters.

    See Also
    --------
    matching_silhouette_score : Their mean.

    Notes
    -----
    The sum of the distances of a row to the rows of a cluster is, column by column, the cluster's
    weight less the weight of its rows with the same category: time and memory are linear in the
    number of rows. The values are those of ``sklearn.metrics.silhouette_samples`` with
    ``metric="hamming"`` on integer codes, which needs the distances of all pairs.

    References
    ----------
    Rousseeuw, P. J. (1987). Silhouettes: a graphical aid to the interpretation and validation of
    cluster analysis. Journal of Computational and Applied Mathematics 20, 53-65.

    Examples
    --------
    >>> X = [["red", "round"], ["red", "square"], ["blue", "oval"], ["blue", "flat"]]
    >>> matching_silhouette_samples(X, ["a", "a", "b", "b"])
    array([0.5, 0.5, 0.5, 0.5])
    """
    table, codes, names, weight = _check_silhouette(X, labels, sample_weight)
    return silhouettes(table.codes, table.sizes, codes, len(names), weight)


def matching_silhouette_score(
    X: Any, labels: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the mean silhouette by the matching distance, between -1 and 1, higher is better.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_features)
        Categories of any type; a missing value is a category of its own.
    labels : array-like of shape (n_samples,)
        The cluster of each row, of any type; two clusters at least.
    sample_weight : array-like of shape (n_samples,), optional
        Frequency weights, whole numbers: a row of weight w counts as w equal rows.

    Returns
    -------
    float
        The mean over rows of `matching_silhouette_samples`, weighted.

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit, a label is missing, or there are fewer than two clusters.

    Examples
    --------
    >>> X = [["red", "round"], ["red", "square"], ["blue", "oval"], ["blue", "flat"]]
    >>> matching_silhouette_score(X, ["a", "a", "b", "b"])
    0.5
    """
    table, codes, names, weight = _check_silhouette(X, labels, sample_weight)
    values = silhouettes(table.codes, table.sizes, codes, len(names), weight)
    return float(np.average(values, weights=weight))


class KModes(ClusterMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Return an estimator of k-modes clusters: each has a mode, the categories nearest to its rows.

    The cost is the sum over rows of the matching distance to the nearest mode: the number of
    cells that differ. Equal rows are counted once, and rows of weight w as w equal rows.

    Parameters
    ----------
    n_clusters : int, default=8
        The number of clusters, from 1 to the number of distinct rows.
    init : {"huang", "cao", "random"}, default="huang"
        How a start is made. "huang": categories drawn from the columns, each mode then moved to
        its nearest free row (Huang 1998). "cao": dense rows far apart (Cao et al. 2009); there is
        only one such start, so `n_init` does not matter. "random": distinct rows drawn at random.
    n_init : int, default=10
        The number of starts; the best counts.
    max_iter : int, default=100
        The greatest number of iterations of a start.
    missing : {"error", "category"}, default="error"
        What a missing value is: an error that counts them by column, or a category of its own.
    random_state : int, numpy Generator or RandomState, optional
        Where randomness comes from; an integer makes the fit reproducible.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        The cluster of each row, from 0: that of the nearest mode.
    cluster_centroids_ : ndarray of shape (n_clusters, n_features)
        The modes, in the categories of `X`.
    cost_ : float
        The weighted number of cells that differ from their row's mode.
    n_iter_ : int
        The number of iterations over all rows in the best start.
    categories_ : list of ndarray
        The categories of each column, sorted (those of a pandas Categorical in its own order,
        those of several types by type first); a missing one last, as NaN.
    n_features_in_ : int
        The number of columns of `X`.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where `X` is a DataFrame with text for names.

    See Also
    --------
    matching_silhouette_score : How well the clusters keep apart.

    Notes
    -----
    *Ties.* Of equally near modes the one with the smaller label takes the row; of equally
    frequent categories the first in sorted order becomes the mode (kmodes' rules too). Clusters
    are numbered by the rows that are nearest to them alone, most first, so that ties go to the
    larger cluster; with ``init="cao"`` they keep the order of the start, as in kmodes.
    *Empty clusters.* A cluster that loses all its rows starts again at the row farthest from its
    mode, so none of the clusters is empty in the end.
    *Search.* Huang's iteration stops early where many rows are equally near to two modes. Here
    each start goes on with exact changes of single categories, and the best start with modes
    that are moved to other rows: the cost is that of a far greater number of plain starts. On
    large tables the search runs on a sample of rows, and the iteration on all rows ends it.

    References
    ----------
    Huang, Z. (1998). Extensions to the k-means algorithm for clustering large data sets with
    categorical values. Data Mining and Knowledge Discovery 2, 283-304.

    Cao, F., Liang, J. & Bai, L. (2009). A new initialization method for categorical data
    clustering. Expert Systems with Applications 36, 10223-10228.

    Examples
    --------
    >>> X = [["red", "round"], ["red", "oval"], ["red", "round"], ["blue", "flat"]]
    >>> model = KModes(n_clusters=2, random_state=0).fit(X)
    >>> model.cost_
    1.0
    >>> print(model.cluster_centroids_[model.labels_[0]])
    ['red' 'round']
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: str = "huang",
        n_init: int = 10,
        max_iter: int = 100,
        missing: str = "error",
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.missing = missing
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> KModes:
        """Return the estimator, fitted to the rows of `X`.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)
            Categories of any type.
        y : None
            Ignored; scikit-learn's convention.
        sample_weight : array-like of shape (n_samples,), optional
            Frequency weights: a row of weight w counts as w equal rows, one of weight 0 is
            labelled and has no say.

        Returns
        -------
        KModes
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter is out of range, a value is missing (unless ``missing="category"``), or
            there are more clusters than distinct rows.
        """
        n_init = check_integer(self.n_init, "n_init", low=1)
        n_clusters = check_integer(self.n_clusters, "n_clusters", low=1)
        max_iter = check_integer(self.max_iter, "max_iter", low=1)
        init = check_choice(self.init, "init", INITS)
        rng = check_random_state(self.random_state)
        table = encode_table(X, missing=self.missing)
        _check_column_names(table)
        validate_data(self, X, skip_check_array=True)
        weight = check_sample_weight(sample_weight, table.n_rows)
        packed = pack(table.codes, table.sizes, weight)
        units = merge_equal_rows(packed)
        _check_enough_rows(n_clusters, units)
        start = cao_modes(table.codes, packed, n_clusters) if init == "cao" else init
        found = search(units, n_clusters, init=start, n_init=n_init, max_iter=max_iter, rng=rng)
        return self._keep(table, packed, found)

    def _keep(self, table: CategoryTable, packed: Packed, found: Found) -> KModes:
        """Set what a fit leaves behind."""
        self.labels_ = Engine(packed).labels(found.modes)
        self.cost_ = found.cost
        self.n_iter_ = found.n_iter
        self.cluster_centroids_ = table.decode(found.modes)
        self.categories_ = list(table.levels)
        self._modes = found.modes
        return self

    def predict(self, X: Any) -> NDArray[np.int32]:
        """Return the cluster of each row of `X`: that of the nearest mode.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)
            Categories; one that was not there in `fit` differs from every mode.

        Returns
        -------
        ndarray of shape (n_samples,)
            The labels, from 0; the smaller one where two modes are equally near.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If `X` has other columns than in `fit`, or a missing value where none is allowed.
        """
        check_is_fitted(self)
        table = encode_table(X, missing=self.missing)
        _check_column_names(table)
        validate_data(self, X, skip_check_array=True, reset=False)
        table = in_codes_of(table, self.categories_)
        packed = pack(table.codes, table.sizes + 1)  # one place more for an unknown category
        return Engine(packed).labels(self._modes)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.input_tags.allow_nan = self.missing == "category"
        return tags


@dataclass(frozen=True, eq=False)
class NClustersResult:
    """How many clusters, from `choose_n_clusters`: the evidence, the suggestions, the choice.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each K (index ``n_clusters``). ``cost`` is always there; the others where
        their criterion was asked for: ``knee`` (whether K is the knee), ``silhouette`` (NaN where
        there is only one cluster), ``gap``, ``gap_standard_error`` and ``stability``.
    suggestions : dict of str to int or None
        What each criterion suggests; None where it finds no K.
    n_clusters : int or None
        The choice, by the rule that `choose_n_clusters` describes.
    summary : str
        The suggestions and the choice in words; says where they disagree.
    models : dict of int to estimator
        The fitted estimator for each K.
    data : tuple
        The encoded rows and their weights, for the figures.
    """

    table: pd.DataFrame
    suggestions: dict[str, int | None]
    n_clusters: int | None
    summary: str
    models: dict[int, Any] = field(repr=False)
    data: tuple[CategoryTable, NDArray[np.float64] | None] = field(repr=False)

    @property
    def model(self) -> Any:
        """The fitted estimator with the chosen number of clusters."""
        if self.n_clusters is None:
            raise ValueError(
                f"No number of clusters was chosen ({self.summary}) Take one of `models`."
            )
        return self.models[self.n_clusters]

    def plot(self, axes: Any = None) -> NDArray[Any]:
        """Return the axes of a panel: every criterion by K, its suggestion marked.

        Parameters
        ----------
        axes : array of matplotlib Axes, optional
            One for each column of evidence (cost with knee, silhouette, gap, stability); a new
            figure if None.

        Returns
        -------
        ndarray of matplotlib Axes
            The axes that were drawn in.
        """
        from afterfit.categorical._drawing import draw_criteria

        return draw_criteria(self.table, self.suggestions, self.n_clusters, axes)

    def plot_silhouettes(self, *, n_clusters: int | None = None, ax: Axes | None = None) -> Axes:
        """Return the axes of the silhouettes of one clustering, cluster by cluster.

        Parameters
        ----------
        n_clusters : int, optional
            Which of the models; the chosen one if None.
        ax : matplotlib Axes, optional
            Where to draw; a new figure if None.

        Returns
        -------
        matplotlib Axes
            The axes that were drawn in.
        """
        from afterfit.categorical._drawing import draw_silhouettes

        table, weight = self.data
        labels = self._labels(n_clusters)
        if len(np.unique(labels)) < 2:
            shown = self.n_clusters if n_clusters is None else n_clusters
            raise ValueError(
                "`n_clusters` must be a number of clusters that have silhouettes, 2 or more; the "
                f"model for {shown} has one cluster."
            )
        codes, names = _codes_of_labels(labels, table.n_rows, weight)
        return draw_silhouettes(table, codes, names, weight, ax)

    def plot_profile(
        self, *, n_clusters: int | None = None, n_columns: int = 6, ax: Axes | None = None
    ) -> Axes:
        """Return the axes of the category shares by cluster.

        Parameters
        ----------
        n_clusters : int, optional
            Which of the models; the chosen one if None.
        n_columns : int, default=6
            How many columns to show, those that tell the clusters apart best.
        ax : matplotlib Axes, optional
            Where to draw; a new figure if None.

        Returns
        -------
        matplotlib Axes
            The axes that were drawn in.
        """
        from afterfit.categorical._drawing import draw_profile

        n_columns = check_integer(n_columns, "n_columns", low=1)
        table, weight = self.data
        codes, names = _encoded_labels(self._labels(n_clusters), table.n_rows)
        return draw_profile(_profile(table, codes, names, weight), n_columns, ax)

    def _labels(self, n_clusters: int | None) -> NDArray[Any]:
        if n_clusters is None:
            return np.asarray(self.model.labels_)
        if check_integer(n_clusters, "n_clusters", low=1) not in self.models:
            raise ValueError(
                f"`n_clusters` must be one of {listing(sorted(self.models))}, got {n_clusters!r}."
            )
        return np.asarray(self.models[n_clusters].labels_)


def choose_n_clusters(
    X: Any,
    k_values: Iterable[int] = range(1, 11),
    *,
    criteria: Sequence[str] = CRITERIA,
    estimator: Any = None,
    sample_weight: ArrayLike | None = None,
    n_init: int = 10,
    n_references: int = 20,
    n_resamples: int = 10,
    missing: str = "error",
    random_state: Any = None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> NClustersResult:
    """Return how many clusters the rows of a table of categories fall into, and the evidence.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_features)
        Categories of any type.
    k_values : iterable of int, default=range(1, 11)
        The numbers of clusters to try, each from 1 to the number of distinct rows. Include 1 if
        "no clusters" is a possible answer.
    criteria : sequence of {"knee", "silhouette", "gap", "stability"}, default=all four
        What to compute. Each costs its own time only: "knee" nothing, "silhouette" a pass over
        the rows, "gap" and "stability" fits of `n_references` and `n_resamples` further tables.
    estimator : object, optional
        Another clusterer: one with ``n_clusters``, ``fit``, ``labels_`` and a cost (``cost_`` or
        ``inertia_``), kmodes' own for example; for "stability" also ``predict``. Its parameters
        are set as scikit-learn does (``get_params``, ``set_params``). `KModes` if None.
    sample_weight : array-like of shape (n_samples,), optional
        Frequency weights, whole numbers: a row of weight w counts as w equal rows.
    n_init : int, default=10
        The number of starts of each fit, references included; another estimator keeps its own.
    n_references : int, default=20
        The number of tables with independent columns and the same margins that the gap compares
        with; at least 2.
    n_resamples : int, default=10
        The number of bootstrap samples for the stability.
    missing : {"error", "category"}, default="error"
        What a missing value is: an error that counts them by column, or a category of its own.
    random_state : int, numpy Generator or RandomState, optional
        Where randomness comes from. With an integer the result is reproducible, whatever `n_jobs`.
    n_jobs : int, optional
        How many processes share the fits, as in joblib; with ``joblib.parallel_config("dask")``
        they go to a cluster.
    verbose : bool, default=False
        Whether to write progress to the standard error.

    Returns
    -------
    NClustersResult
        With ``n_clusters``, the choice; ``table``, ``suggestions``, ``summary`` and ``models``.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range, a value is missing (unless ``missing="category"``), or a
        K is greater than the number of distinct rows.

    See Also
    --------
    KModes : The clusterer.
    matching_silhouette_score : The silhouette.

    Notes
    -----
    *Suggestions.* "knee": the knee of the cost curve (Satopaa et al. 2011); depends on the range
    of K. "silhouette": the K with the greatest mean silhouette, if that is above 0; never 1.
    "gap": the smallest K whose gap is at least that of the next K less one standard error
    (Tibshirani et al. 2001). "stability": the K > 1 whose clusters come back best in bootstrap
    samples, if their mean adjusted Rand index reaches 0.8, else 1.

    *Rule.* The gap says how far there is structure: nowhere (K = 1), unless the greatest gap is
    more than three standard errors above that of K = 1; else up to the smallest K > 1 whose gap is
    within one standard error of the greatest. Where that K is 1, or its clusters come back in
    bootstrap samples (0.8 or more), it is chosen; else, of the smaller K > 1 whose clusters come
    back, the one with the greatest silhouette (or stability, if that alone was asked for); else
    the gap's. Where the gap still grows at the last K, every K counts as smaller. What was not
    asked for is passed over; where neither gap nor stability decides, the silhouette does, then
    the knee. The rule was chosen on simulated tables, and holds on others; the chapter shows how
    often it is right.

    *Reference tables* have as many rows as the data, and fits with as many starts: fewer would
    make the data look more clustered than they are. Where all references cost the same, the
    standard error is that of half a mismatch, since costs are whole numbers. Tables of more than
    20,000 rows are compared, for gap and stability only, through random samples of so many rows,
    data and references alike.

    References
    ----------
    Tibshirani, R., Walther, G. & Hastie, T. (2001). Estimating the number of clusters in a data
    set via the gap statistic. Journal of the Royal Statistical Society B 63, 411-423.

    Satopaa, V., Albrecht, J., Irwin, D. & Raghavan, B. (2011). Finding a "kneedle" in a haystack.
    31st International Conference on Distributed Computing Systems Workshops, 166-171.

    Hubert, L. & Arabie, P. (1985). Comparing partitions. Journal of Classification 2, 193-218.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> modes = np.array([["a"] * 8, ["b"] * 8, ["c"] * 8])
    >>> X = modes[rng.integers(3, size=200)]
    >>> X = np.where(rng.random(X.shape) < 0.3, rng.choice(["a", "b", "c"], X.shape), X)
    >>> result = choose_n_clusters(X, range(1, 6), n_init=2, n_resamples=2, random_state=0)
    >>> result.n_clusters
    3
    """
    criteria = _check_criteria(criteria)
    n_init = check_integer(n_init, "n_init", low=1)
    n_references = check_integer(n_references, "n_references", low=2)
    n_resamples = check_integer(n_resamples, "n_resamples", low=1)
    table = encode_table(X, missing=missing)
    _check_column_names(table)
    weight = check_sample_weight(sample_weight, table.n_rows)
    check_whole_weights(weight)
    packed = pack(table.codes, table.sizes, weight)
    units = merge_equal_rows(packed)
    ks = _check_k_values(k_values, units)
    fits: OwnFits | OtherFits
    if estimator is None:
        fits = OwnFits(units, n_init)
    else:
        _check_estimator(estimator, criteria, weight)
        rows = X if isinstance(X, pd.DataFrame) else as_array(X)
        fits = OtherFits(estimator, rows, weight, table, packed)
    run = _Runner(n_jobs, verbose)
    # One stream for each purpose: what a criterion draws does not depend on the others.
    for_data, for_gap, for_stability = check_random_state(random_state).spawn(3)
    fitted: list[Fitted] = run(
        "fits",
        [
            (fits.data, (k, stream, "silhouette" in criteria))
            for k, stream in zip(ks, for_data.spawn(len(ks)), strict=True)
        ],
    )
    evidence = pd.DataFrame(
        {"cost": [fit.cost for fit in fitted]}, index=pd.Index(ks, name="n_clusters")
    )
    if "silhouette" in criteria:
        evidence["silhouette"] = np.array([fit.silhouette for fit in fitted], dtype=np.float64)
    if "gap" in criteria:
        gap = _gap(fits, units, ks, evidence["cost"].to_numpy(), n_references, for_gap, run)
        evidence["gap"], evidence["gap_standard_error"] = gap
    if "stability" in criteria:
        n_rows = int(min(COMPARED_ROWS, units.total))
        labels = [fit.labels for fit in fitted]
        again = run(
            "resamples",
            [(fits.resample, (n_rows, ks, labels, s)) for s in for_stability.spawn(n_resamples)],
        )
        evidence["stability"] = np.mean(again, axis=0)
    suggestions = _suggestions(criteria, ks, evidence)
    if "knee" in criteria:
        evidence.insert(1, "knee", evidence.index == suggestions["knee"])
    n_clusters, reason = decide(ks, suggestions, evidence)
    models = {
        k: _model(fit, k, n_init, missing, X, table, packed)
        for k, fit in zip(ks, fitted, strict=True)
    }
    words = summary(suggestions, n_clusters, reason)
    return NClustersResult(evidence, suggestions, n_clusters, words, models, (table, weight))


def cluster_profile(
    X: Any, labels: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> pd.DataFrame:
    """Return the share of each category in each cluster, telling columns first.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_features)
        Categories of any type; a missing value is a category of its own.
    labels : array-like of shape (n_samples,)
        The cluster of each row, of any type.
    sample_weight : array-like of shape (n_samples,), optional
        Frequency weights: a row of weight w counts as w equal rows.

    Returns
    -------
    pandas.DataFrame
        One row for each category of each column (index levels ``column`` and ``category``), the
        columns of `X` in decreasing order of Cramer's V with the clusters. ``cramers_v`` is that
        V, between 0 (the column says nothing about the cluster) and 1; ``all`` the share among
        all rows, and then there is one column of shares, adding up to 1 for each column of `X`,
        for each cluster.

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit or a label is missing.

    References
    ----------
    Cramer, H. (1946). Mathematical Methods of Statistics. Princeton University Press, 282.

    Examples
    --------
    >>> X = [["red", "round"], ["red", "square"], ["blue", "round"], ["blue", "square"]]
    >>> cluster_profile(X, ["a", "a", "b", "b"])
                     cramers_v  all    a    b
    column category
    0      blue            1.0  0.5  0.0  1.0
           red             1.0  0.5  1.0  0.0
    1      round           0.0  0.5  0.5  0.5
           square          0.0  0.5  0.5  0.5
    """
    table = encode_table(X, missing="category")
    weight = check_sample_weight(sample_weight, table.n_rows)
    codes, names = _encoded_labels(labels, table.n_rows)
    return _profile(table, codes, names, weight)


def plot_profile(
    X: Any,
    labels: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    n_columns: int = 6,
    ax: Axes | None = None,
) -> Axes:
    """Return the axes of the category shares by cluster, as a table of shades and percentages.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_features)
        Categories of any type; a missing value is a category of its own.
    labels : array-like of shape (n_samples,)
        The cluster of each row, of any type.
    sample_weight : array-like of shape (n_samples,), optional
        Frequency weights: a row of weight w counts as w equal rows.
    n_columns : int, default=6
        How many columns of `X` to show, those that tell the clusters apart best.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib Axes
        The axes that were drawn in.

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit or a label is missing.

    See Also
    --------
    cluster_profile : The numbers.

    Examples
    --------
    >>> X = [["red", "round"], ["red", "square"], ["blue", "round"], ["blue", "square"]]
    >>> ax = plot_profile(X, ["a", "a", "b", "b"])
    >>> ax.get_xlabel()
    'cluster (cells: % of its rows)'
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    from afterfit.categorical._drawing import draw_profile

    n_columns = check_integer(n_columns, "n_columns", low=1)
    return draw_profile(cluster_profile(X, labels, sample_weight=sample_weight), n_columns, ax)


def plot_silhouettes(
    X: Any, labels: ArrayLike, *, sample_weight: ArrayLike | None = None, ax: Axes | None = None
) -> Axes:
    """Return the axes of the matching silhouettes of all rows, sorted within each cluster.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_features)
        Categories of any type; a missing value is a category of its own.
    labels : array-like of shape (n_samples,)
        The cluster of each row, of any type; two clusters at least.
    sample_weight : array-like of shape (n_samples,), optional
        Frequency weights, whole numbers: a row of weight w counts as w equal rows.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib Axes
        The axes that were drawn in.

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit, a label is missing, or there are fewer than two clusters.

    See Also
    --------
    matching_silhouette_samples : The numbers.

    Examples
    --------
    >>> X = [["red", "round"], ["red", "square"], ["blue", "round"], ["blue", "square"]]
    >>> ax = plot_silhouettes(X, ["a", "a", "b", "b"])
    >>> ax.get_xlabel()
    'silhouette (matching distance)'
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    from afterfit.categorical._drawing import draw_silhouettes

    table, codes, names, weight = _check_silhouette(X, labels, sample_weight)
    return draw_silhouettes(table, codes, names, weight, ax)


class _Runner:
    """Runs tasks through joblib and says how far it is."""

    def __init__(self, n_jobs: int | None, verbose: bool) -> None:
        self.n_jobs, self.verbose = n_jobs, verbose

    def __call__(self, what: str, tasks: Sequence[tuple[Any, tuple[Any, ...]]]) -> list[Any]:
        from joblib import Parallel, delayed

        parallel = Parallel(n_jobs=self.n_jobs, return_as="generator")
        start = said = time.perf_counter()
        results = []
        for result in parallel(delayed(function)(*given) for function, given in tasks):
            results.append(result)
            now = time.perf_counter()
            last = len(results) == len(tasks)
            if self.verbose and (last or now - said >= PROGRESS_SECONDS):
                said = now
                print(
                    f"choose_n_clusters: {what} {len(results)} of {len(tasks)}, "
                    f"{now - start:.1f} s",
                    file=sys.stderr,
                )
        return results


def _gap(
    fits: OwnFits | OtherFits,
    units: Packed,
    ks: tuple[int, ...],
    costs: NDArray[np.float64],
    n_references: int,
    rng: np.random.Generator,
    run: _Runner,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    for_sample, *streams = rng.spawn(n_references + 1)
    if units.total > COMPARED_ROWS:
        units = sampled(units, COMPARED_ROWS, for_sample)
        (costs,) = run("fits of a sample", [(fits.costs, (units, ks, for_sample))])
    references = run("references", [(fits.reference, (units, ks, s)) for s in streams])
    return gap_of(costs, np.array(references))


def _suggestions(
    criteria: Sequence[str], ks: tuple[int, ...], evidence: pd.DataFrame
) -> dict[str, int | None]:
    columns = {name: evidence[name].to_numpy() for name in evidence}
    found: dict[str, int | None] = {}
    for name in criteria:
        if name == "knee":
            found[name] = knee_of(ks, columns["cost"])
        elif name == "silhouette":
            found[name] = best_silhouette(ks, columns["silhouette"])
        elif name == "gap":
            found[name] = first_within(ks, columns["gap"], columns["gap_standard_error"])
        else:
            found[name] = most_stable(ks, columns["stability"])
    return found


def _model(
    fit: Fitted,
    k: int,
    n_init: int,
    missing: str,
    X: Any,
    table: CategoryTable,
    packed: Packed,
) -> Any:
    if not isinstance(fit.model, Found):
        return fit.model
    model = KModes(k, n_init=n_init, missing=missing)
    validate_data(model, X, skip_check_array=True)
    return model._keep(table, packed, fit.model)


def _profile(
    table: CategoryTable,
    labels: NDArray[np.int64],
    names: list[Hashable],
    weight: NDArray[np.float64] | None,
) -> pd.DataFrame:
    parts = []
    for j, (codes, level) in enumerate(zip(table.codes, table.levels, strict=True)):
        index = codes.astype(np.int64) * len(names) + labels
        flat = np.bincount(index, weight, minlength=len(level) * len(names))
        counts = flat.reshape(len(level), len(names)).astype(np.float64)
        in_cluster, in_all = counts.sum(axis=0), counts.sum(axis=1)
        shares = np.divide(counts, in_cluster, out=np.zeros_like(counts), where=in_cluster > 0)
        part = pd.DataFrame(shares, columns=pd.Index(names, tupleize_cols=False))
        part.insert(0, "all", in_all / in_all.sum())
        part.insert(0, "cramers_v", _cramers_v(counts))
        part.insert(0, "category", list(level))
        part.insert(0, "column", [j if table.names is None else table.names[j]] * len(level))
        parts.append(part)
    order = np.argsort([-round(part["cramers_v"].iloc[0], 12) for part in parts], kind="stable")
    return pd.concat([parts[j] for j in order]).set_index(["column", "category"])


def _cramers_v(counts: NDArray[np.float64]) -> float:
    """Return Cramer's V of a table of counts; 0 where it has a single row or column."""
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    less = min(counts.shape) - 1
    if less == 0:
        return 0.0
    total = counts.sum()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    return float(np.sqrt(((counts - expected) ** 2 / expected).sum() / total / less))


def _check_silhouette(
    X: Any, labels: Any, sample_weight: Any
) -> tuple[CategoryTable, NDArray[np.int64], list[Hashable], NDArray[np.float64] | None]:
    table = encode_table(X, missing="category")
    weight = check_sample_weight(sample_weight, table.n_rows)
    check_whole_weights(weight)
    codes, names = _codes_of_labels(labels, table.n_rows, weight)
    return table, codes, names, weight


def _codes_of_labels(
    labels: Any, n_rows: int, weight: NDArray[np.float64] | None
) -> tuple[NDArray[np.int64], list[Hashable]]:
    """Return labels as 0, 1, ... and their names; two clusters at least must have weight."""
    codes, names = _encoded_labels(labels, n_rows)
    present = len(names) if weight is None else np.unique(codes[weight > 0]).size
    if present < 2:
        raise ValueError(
            f"`labels` must name at least 2 clusters (with rows of positive weight), got {present}."
        )
    return codes, names


def _encoded_labels(labels: Any, n_rows: int) -> tuple[NDArray[np.int64], list[Hashable]]:
    codes, names = encode_labels(labels, "labels")
    if len(codes) != n_rows:
        raise ValueError(
            f"`labels` must have one label for each of the {n_rows} row(s) of `X`, got "
            f"{len(codes)}."
        )
    return codes, names


def _check_column_names(table: CategoryTable) -> None:
    """Raise where columns share a name: scikit-learn's estimators tell columns by their names."""
    names = pd.Index(table.names or (), tupleize_cols=False)
    if names.has_duplicates:
        listed = listing([repr(name) for name in names[names.duplicated()].unique()])
        raise ValueError(
            f"`X` must have a different name for each column, got {listed} more than once."
        )


def _check_enough_rows(n_clusters: int, units: Packed, name: str = "n_clusters") -> None:
    if n_clusters > units.n_units:
        raise ValueError(
            f"`{name}` must be between 1 and the number of distinct rows ({units.n_units}), "
            f"got {n_clusters}."
        )


def _check_k_values(k_values: Any, units: Packed) -> tuple[int, ...]:
    if isinstance(k_values, str) or not isinstance(k_values, Iterable):
        raise TypeError(f"`k_values` must be whole numbers, got {k_values!r}.")
    ks = sorted({check_integer(k, "k_values", low=1) for k in k_values})
    if not ks:
        raise ValueError("`k_values` must hold at least one number of clusters, got none.")
    _check_enough_rows(ks[-1], units, "k_values")
    return tuple(ks)


def _check_criteria(criteria: Any) -> tuple[str, ...]:
    if isinstance(criteria, str) or not isinstance(criteria, Iterable):
        raise TypeError(
            f"`criteria` must be a list of names among {', '.join(map(repr, CRITERIA))}, got "
            f"{criteria!r}."
        )
    asked = {check_choice(name, "criteria", CRITERIA) for name in criteria}
    return tuple(name for name in CRITERIA if name in asked)


def _check_estimator(
    estimator: Any, criteria: Sequence[str], weight: NDArray[np.float64] | None
) -> None:
    needed = ["fit", "get_params", "set_params"]
    needed += ["predict"] if "stability" in criteria else []
    lacking = [name for name in needed if not callable(getattr(estimator, name, None))]
    if isinstance(estimator, type) or lacking:
        raise TypeError(
            "`estimator` must be an instance with the methods "
            f"{', '.join(needed)}; {estimator!r} lacks {', '.join(lacking) or 'its parameters'}."
        )
    if "n_clusters" not in estimator.get_params():
        raise TypeError(f"`estimator` must have a parameter `n_clusters`; {estimator!r} has none.")
    if weight is not None and not has_fit_parameter(estimator, "sample_weight"):
        raise TypeError(
            "`sample_weight` needs an estimator whose `fit` takes it; that of "
            f"{type(estimator).__name__} does not."
        )
