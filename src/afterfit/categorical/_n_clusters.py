"""How many clusters: the choice, the evidence for it and what is said of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import has_fit_parameter, validate_data

from afterfit._validation import (
    check_choice,
    check_integer,
    check_random_state,
    listing,
)
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
from afterfit.categorical._kmodes import KModes
from afterfit.categorical._profile import codes_of_labels, encoded_labels, profile_of
from afterfit.categorical._search import Found
from afterfit.categorical._silhouette import silhouettes
from afterfit.categorical._tables import (
    CategoryTable,
    Packed,
    as_array,
    check_column_names,
    check_enough_rows,
    check_sample_weight,
    check_whole_weights,
    encode_table,
    merge_equal_rows,
    pack,
    sampled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Seconds between two lines of progress.
PROGRESS_SECONDS = 1.0


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
        codes, names = codes_of_labels(labels, table.n_rows, weight)
        values = silhouettes(table.codes, table.sizes, codes, len(names), weight)
        return draw_silhouettes(values, codes, names, weight, ax)

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
        codes, names = encoded_labels(self._labels(n_clusters), table.n_rows)
        return draw_profile(profile_of(table, codes, names, weight), n_columns, ax)

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
    check_column_names(table)
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


def _check_k_values(k_values: Any, units: Packed) -> tuple[int, ...]:
    if isinstance(k_values, str) or not isinstance(k_values, Iterable):
        raise TypeError(f"`k_values` must be whole numbers, got {k_values!r}.")
    ks = sorted({check_integer(k, "k_values", low=1) for k in k_values})
    if not ks:
        raise ValueError("`k_values` must hold at least one number of clusters, got none.")
    check_enough_rows(ks[-1], units, "k_values")
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
