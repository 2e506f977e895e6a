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
from afterfit.categorical._choice import decide, summary
from afterfit.categorical._evidence import (
    COMPARED_ROWS,
    CRITERIA,
    Fitted,
    OtherFits,
    OwnFits,
    best_silhouette,
    first_within,
    gap_of,
    knee_of,
    most_stable,
    reference_costs,
)
from afterfit.categorical._kmodes import KModes
from afterfit.categorical._latent import Examined, examine
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

# As many clusters are tried at most where nobody says how many.
MOST_TRIED = 10

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
        there is only one cluster), ``gap``, ``gap_standard_error``, ``stability``,
        ``stability_standard_error`` (over the resamples; NaN for a single one) and
        ``latent_classes``, the score of K latent classes (NaN where fewer had long been better).
    suggestions : dict of str to int or None
        What each criterion suggests; None where it finds no K.
    n_clusters : int or None
        The choice, by the rule that `choose_n_clusters` describes; None where the evidence does
        not decide, or where there are more clusters than were tried.
    confidence : {"high", "low", "none"}
        "high": no model without classes comes within two standard errors of the chosen classes
        (for K = 1: no classes of the best model without), and the clusters of `model` are those
        of the latent classes; "low": one of the two does not hold; "none": no choice. It is not
        of K against K + 1: small classes can be missed with high confidence.
    structure : {"clusters", "more clusters", "continuum", "dependence", "none", "undecided"}
        What the rows look like: clusters, more of them than were tried, positions along a
        continuum, no more than dependent columns, nothing at all, or what cannot be told apart.
    summary : str
        The suggestions and the choice in words; says where they disagree, and why none is made.
    models : dict of int to estimator
        The fitted estimator for each K.
    data : tuple
        The encoded rows and their weights, for the figures.
    latent_classes : object or None
        The latent classes and what rivals with them: ``scores`` by number of classes,
        ``rivals`` by name, ``best_rival``, by how many standard errors the classes are above it
        (``errors``), and the adjusted Rand index of k-modes' clusters with them (``agreement``).
        None where they were not asked for.
    """

    table: pd.DataFrame
    suggestions: dict[str, int | None]
    n_clusters: int | None
    confidence: str
    structure: str
    summary: str
    models: dict[int, Any] = field(repr=False)
    data: tuple[CategoryTable, NDArray[np.float64] | None] = field(repr=False)
    latent_classes: Examined | None = field(default=None, repr=False)

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
            One for each column of evidence (cost with knee, silhouette, gap, stability, latent
            classes with the best model without them); a new figure if None.

        Returns
        -------
        ndarray of matplotlib Axes
            The axes that were drawn in.
        """
        from afterfit.categorical._drawing import draw_criteria

        found = self.latent_classes
        rival = None if found is None else (found.best_rival, found.rivals[found.best_rival])
        return draw_criteria(self.table, self.suggestions, self.n_clusters, rival, axes)

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
    k_values: Iterable[int] | None = None,
    *,
    criteria: Sequence[str] = CRITERIA,
    estimator: Any = None,
    sample_weight: ArrayLike | None = None,
    n_init: int = 10,
    n_references: int = 10,
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
    k_values : iterable of int, optional
        The numbers of clusters to try, each from 1 to the number of distinct rows. By default
        from 1 to 10, or to that number where it is smaller. Include 1 if "no clusters" is a
        possible answer.
    criteria : sequence of {"knee", "silhouette", "gap", "stability", "latent_classes"}
        What to compute, by default all. Each costs its own time only: "knee" nothing,
        "silhouette" a pass over the rows, "gap" and "stability" fits of `n_references` and
        `n_resamples` further tables, "latent_classes" some fits of one. Without the last the
        rule is another and never sure.
    estimator : object, optional
        Another clusterer: one with ``n_clusters``, ``fit``, ``labels_`` and a cost (``cost_`` or
        ``inertia_``), kmodes' own for example; for "stability" also ``predict``. Its parameters
        are set as scikit-learn does (``get_params``, ``set_params``). `KModes` if None.
    sample_weight : array-like of shape (n_samples,), optional
        Frequency weights, whole numbers: a row of weight w counts as w equal rows.
    n_init : int, default=10
        The number of starts of each fit, references included; another estimator keeps its own.
    n_references : int, default=10
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
        K is larger than the number of distinct rows.

    See Also
    --------
    KModes : The clusterer.
    matching_silhouette_score : The silhouette.

    Notes
    -----
    *Suggestions.* "knee": the knee of the cost curve (Satopaa et al. 2011); depends on the range
    of K. "silhouette": the K with the largest mean silhouette, if that is above 0; never 1.
    "gap": the smallest K whose gap is at least that of the next K less one standard error
    (Tibshirani et al. 2001). "stability": the K > 1 whose clusters recur best in bootstrap
    samples, if their mean adjusted Rand index reaches 0.8, else 1.

    "latent_classes": the number of latent classes (columns independent within each) with the
    largest score, or 1; none where that is not among the K tried.

    *Scores* are log likelihoods above that of independent columns, less half the logarithm of the
    rows that it is estimated from for each parameter: of the rows of the class for its own, as in
    the message length of Figueiredo & Jain (2002); BIC, which charges the logarithm of all rows,
    finds fewer small classes. A column whose categories are not worth their charge has none.

    *Rule.* As many clusters as there are latent classes, if these have a larger score than every
    model without classes of the columns in which they differ: independent columns, columns that
    depend on one other each (Chow & Liu 1968) or are altogether free, and one to three continuous
    latent traits, normal or skewed. Where fewer classes with dependent columns or a trait within
    are two standard errors better, the fewer are taken. None is chosen ("undecided") where the
    classes are less than one standard error (Vuong 1989) above a model without them, and ("more
    clusters") where they are more than the largest K tried. Where a model without classes is
    better, K = 1, unless the clusters are compact (a silhouette of 0.7 or more: taken, with low
    confidence), or the difference is below two errors and clusters recur in resamples (0.8 or
    more: "undecided").
    `structure` and `summary` say which.
    Indicators of one property (one-hot columns) count as the property, and copies once.

    *Without latent classes* the K on which all criteria agree that suggest one, never sure; none,
    if they do not agree: the others do not tell clusters from dependence.

    *Reference tables* have as many rows as the data, and fits with as many starts: fewer would
    make the data look more clustered than they are. Where all references cost the same, the
    standard error is that of half a mismatch, since costs are whole numbers. Tables of more than
    20,000 rows are compared, for gap and stability only, through random samples of so many rows,
    data and references alike; latent classes see 4,000 rows at most.

    *What it cannot know.* Rows that were repeated, or drawn together, count as so much evidence
    each. A class of fewer than ten rows of the sample is charged as if it had ten: a small one is
    found only where its rows agree with each other in many columns.

    References
    ----------
    Tibshirani, R., Walther, G. & Hastie, T. (2001). Estimating the number of clusters in a data
    set via the gap statistic. Journal of the Royal Statistical Society B 63, 411-423.

    Satopaa, V., Albrecht, J., Irwin, D. & Raghavan, B. (2011). Finding a "kneedle" in a haystack.
    31st International Conference on Distributed Computing Systems Workshops, 166-171.

    Hubert, L. & Arabie, P. (1985). Comparing partitions. Journal of Classification 2, 193-218.

    Chow, C. K. & Liu, C. N. (1968). Approximating discrete probability distributions with
    dependence trees. IEEE Transactions on Information Theory 14, 462-467.

    Figueiredo, M. A. T. & Jain, A. K. (2002). Unsupervised learning of finite mixture models. IEEE
    Transactions on Pattern Analysis and Machine Intelligence 24, 381-396.

    Vuong, Q. H. (1989). Likelihood ratio tests for model selection and non-nested hypotheses.
    Econometrica 57, 307-333.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> modes = np.array([["a"] * 8, ["b"] * 8, ["c"] * 8])
    >>> X = modes[rng.integers(3, size=200)]
    >>> X = np.where(rng.random(X.shape) < 0.3, rng.choice(["a", "b", "c"], X.shape), X)
    >>> result = choose_n_clusters(X, range(1, 6), n_init=2, n_resamples=2, random_state=0)
    >>> result.n_clusters, result.confidence
    (3, 'high')
    """
    asked = _Asked(
        _check_criteria(criteria),
        check_integer(n_init, "n_init", low=1),
        check_integer(n_references, "n_references", low=2),
        check_integer(n_resamples, "n_resamples", low=1),
    )
    table = encode_table(X, missing=missing)
    check_column_names(table)
    weight = check_sample_weight(sample_weight, table.n_rows)
    check_whole_weights(weight)
    packed = pack(table.codes, table.sizes, weight)
    units = merge_equal_rows(packed)
    ks = _check_k_values(k_values, units)
    fits: OwnFits | OtherFits = OwnFits(units, asked.n_init)
    if estimator is not None:
        fits = _other_fits(estimator, asked.criteria, X, weight, table, packed)
    rng = check_random_state(random_state)
    fitted, evidence, examined = _gathered(fits, units, ks, asked, rng, _Runner(n_jobs, verbose))
    suggestions = _suggestions(asked.criteria, ks, evidence, examined)
    if "knee" in suggestions:
        evidence.insert(1, "knee", evidence.index == suggestions["knee"])
    choice = decide(ks, suggestions, evidence, examined)
    return NClustersResult(
        table=evidence,
        suggestions=suggestions,
        n_clusters=choice.n_clusters,
        confidence=choice.confidence,
        structure=choice.structure,
        summary=summary(suggestions, choice),
        models={k: _model(fit, k, asked.n_init, missing, X, table, packed) for k, fit in fitted},
        data=(table, weight),
        latent_classes=examined,
    )


@dataclass(frozen=True)
class _Asked:
    """What evidence was asked for, and at what expense."""

    criteria: tuple[str, ...]
    n_init: int
    n_references: int
    n_resamples: int


def _gathered(
    fits: OwnFits | OtherFits,
    units: Packed,
    ks: tuple[int, ...],
    asked: _Asked,
    rng: np.random.Generator,
    run: _Runner,
) -> tuple[list[tuple[int, Fitted]], pd.DataFrame, Examined | None]:
    """Return the fit for each K, the evidence that was asked for, and the latent classes."""
    # One stream for each purpose: what a criterion draws does not depend on the others.
    for_data, for_gap, for_stability, for_classes = rng.spawn(4)
    silhouette = "silhouette" in asked.criteria
    spawned = for_data.spawn(len(ks))
    tasks: list[Any] = [(k, s, silhouette) for k, s in zip(ks, spawned, strict=True)]
    fitted: list[Fitted] = run("fits", fits.data, tasks)
    costs = np.array([fit.cost for fit in fitted])
    evidence = pd.DataFrame({"cost": costs}, index=pd.Index(ks, name="n_clusters"))
    if silhouette:
        evidence["silhouette"] = np.array([fit.silhouette for fit in fitted], dtype=np.float64)
    if "gap" in asked.criteria:
        gap = _gap(fits, units, ks, costs, asked.n_references, for_gap, run)
        evidence["gap"], evidence["gap_standard_error"] = gap
    if "stability" in asked.criteria:
        n_rows = int(min(COMPARED_ROWS, units.total))
        labels = [fit.labels for fit in fitted]
        tasks = [(n_rows, ks, labels, s) for s in for_stability.spawn(asked.n_resamples)]
        again = pd.DataFrame(run("resamples", fits.resample, tasks), columns=ks)
        evidence["stability"], evidence["stability_standard_error"] = again.mean(), again.sem()
    by_k = list(zip(ks, fitted, strict=True))
    if "latent_classes" not in asked.criteria:
        return by_k, evidence, None
    known = {k: fit.model.modes for k, fit in by_k if isinstance(fit.model, Found)}
    (examined,) = run("latent classes", examine, [(units, ks[-1], known, for_classes)])
    evidence["latent_classes"] = [examined.scores.get(k, np.nan) for k in ks]
    return by_k, evidence, examined


class _Runner:
    """Runs tasks through joblib and says how far it is."""

    def __init__(self, n_jobs: int | None, verbose: bool) -> None:
        self.n_jobs, self.verbose = n_jobs, verbose

    def __call__(self, what: str, task: Any, given: Sequence[tuple[Any, ...]]) -> list[Any]:
        from joblib import Parallel, delayed

        parallel = Parallel(n_jobs=self.n_jobs, return_as="generator")
        start = said = time.perf_counter()
        results = []
        for result in parallel(delayed(task)(*arguments) for arguments in given):
            results.append(result)
            now = time.perf_counter()
            last = len(results) == len(given)
            if self.verbose and (last or now - said >= PROGRESS_SECONDS):
                said = now
                print(
                    f"choose_n_clusters: {what} {len(results)} of {len(given)}, "
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
        (costs,) = run("fits of a sample", fits.costs, [(units, ks, for_sample)])
    references = run("references", reference_costs, [(fits, units, ks, s) for s in streams])
    return gap_of(costs, np.array(references))


def _suggestions(
    criteria: Sequence[str],
    ks: tuple[int, ...],
    evidence: pd.DataFrame,
    examined: Examined | None,
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
        elif name == "stability":
            found[name] = most_stable(ks, columns["stability"])
        elif examined is not None:
            best = max(examined.scores, key=lambda k: examined.scores[k])
            found[name] = best if best in ks else None
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
    if k_values is None:
        k_values = range(1, min(MOST_TRIED, units.n_units) + 1)
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


def _other_fits(
    estimator: Any,
    criteria: Sequence[str],
    X: Any,
    weight: NDArray[np.float64] | None,
    table: CategoryTable,
    packed: Packed,
) -> OtherFits:
    """Return the fits by another estimator, or raise where it cannot be used."""
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
    rows = X if isinstance(X, pd.DataFrame) else as_array(X)
    return OtherFits(estimator, rows, weight, table, packed)
