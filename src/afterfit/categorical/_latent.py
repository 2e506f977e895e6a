"""Clusters against what is like them: latent classes, latent traits, and dependent columns.

All models are scored by their log likelihood above that of independent columns, less half the
logarithm of the rows that it is estimated from for each parameter: of a class's rows for its own
(as in the message length of Figueiredo & Jain 2002), where BIC charges all. The gain of each row is
kept, so that two models can be compared with a standard error (Vuong 1989).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import norm, qmc

from afterfit.categorical._engine import Engine
from afterfit.categorical._search import search
from afterfit.categorical._tables import Packed, sampled

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Labels = NDArray[np.integer]

# EM ends when the log likelihood of a row grows by less than this, or after so many steps.
EM_TOLERANCE = 1e-6
EM_STEPS = 200

# Weight of the prior of a class's categories, whose mean is their share among all rows.
PRIOR_ROWS = 1.0

# A trait's loadings are normal a priori with this precision; its fit takes so many steps.
RIDGE = 0.05
TRAIT_STEPS = 100

# Points that stand for the normal distribution of one, two, and of more traits.
POINTS = (21, 11, 256)

# Latent models see no more rows than this, drawn at random, and fewer where so many cells of
# indicators are reached; rivals of the classes see the columns that tell these apart best.
LATENT_ROWS = 4_000
LATENT_CELLS = 4_000_000
RIVAL_CELLS = 1_000_000

# Classes are added until so many in a row did not lower the criterion, and to so many more than
# were asked for: whether there are more is a question, too.
PATIENCE = 3
BEYOND = 2

# Copies of columns count once where so many different columns are left.
FEWEST_COLUMNS = 3

# A class's parameters are charged for so many rows at least: single odd rows are no classes.
FEW_ROWS = 10.0

# Two models whose scores differ by less than so many standard errors are not clearly apart.
ERRORS = 2.0

# Fewer classes are tried with dependence within where they have so much of the largest score.
NEARLY = 0.85

# The largest number of traits that rival with the classes.
MOST_TRAITS = 3

# Columns of no more than one "on" cell a row are exclusive, unless fewer than so many rows with
# more would be expected if they were independent.
EXPECTED_OVERLAP = 10.0


NOTHING, PAIRS = "independent columns", "dependent columns"


@dataclass(frozen=True)
class Examined:
    """Latent classes and their rivals for the rows of a table.

    Attributes
    ----------
    scores : dict of int to float
        For each number of classes from 1, its score above that of independent columns.
    n_classes : int
        That with the largest score, or the least one in which dependence explains as much.
    rivals : dict of str to float
        The scores of models without classes, of the columns in which the classes differ.
    best_rival : str
        That with the largest score.
    errors : float
        By how many standard errors the classes are above that rival.
    agreement : float
        The adjusted Rand index of the classes and the k-modes clusters of the same number.
    """

    scores: dict[int, float]
    n_classes: int
    rivals: dict[str, float]
    best_rival: str
    errors: float
    agreement: float


def examine(
    units: Packed, most: int, known: Mapping[int, IntArray], rng: np.random.Generator
) -> Examined:
    """Return how well latent classes, up to `most` and two more, and their rivals fit the rows.

    `known` holds modes of k-modes clusters by their number, to start from.
    """
    units = _part_of(units, rng)
    columns = plain_columns(units)
    if not columns:
        return Examined({1: 0.0}, 1, {NOTHING: 0.0}, NOTHING, -np.inf, np.nan)
    table = Indicators(columns, units.weights)
    fits, cuts = _classes(table, units, most, known, rng)
    best = max(fits, key=lambda k: fits[k].score.total)
    scores = {k: fit.score.total for k, fit in fits.items()}
    nothing = fits[1].score
    if best == 1:
        errors = fits[2].score.errors_above(nothing, table.weights) if 2 in fits else -np.inf
        return Examined(scores, 1, {NOTHING: 0.0}, NOTHING, errors, np.nan)
    kept = fits[best].worth > 0
    if len(table.cells) * kept[table.column].sum() > RIVAL_CELLS:
        kept = _most_telling(table, fits[best].worth)
    part = table.only(kept)
    found = class_fit(part, fits[best].responsibilities)
    dependent = max(forest_score(part), joint_score(part), key=lambda score: score.total)
    rivals = {NOTHING: nothing, PAIRS: dependent}
    rivals["1 trait"] = trait_score(part, 1)
    skewed = (trait_score(part, 1, skewed=sign) for sign in (1, -1))
    rivals["1 skewed trait"] = max(skewed, key=lambda score: score.total)
    for n_traits in range(2, MOST_TRAITS + 1):
        rivals[f"{n_traits} traits"] = trait_score(part, n_traits)
    name = max(rivals, key=lambda rival: rivals[rival].total)
    errors = found.score.errors_above(rivals[name], table.weights)
    if errors > 0 and best < max(fits):  # where they go on growing, nothing is known of the last
        best = _fewest(part, fits, best, found.score)
    labels = fits[best].responsibilities.argmax(axis=1)
    agreement = rand_index(labels, cuts[best], units.weights) if best in cuts else np.nan
    return Examined(
        scores, best, {r: score.total for r, score in rivals.items()}, name, errors, agreement
    )


def _part_of(units: Packed, rng: np.random.Generator) -> Packed:
    n_rows = int(np.clip(LATENT_CELLS // units.sizes.sum(), LATENT_ROWS // 4, LATENT_ROWS))
    return sampled(units, n_rows, rng) if units.total > n_rows else units


def _classes(
    table: Indicators,
    units: Packed,
    most: int,
    known: Mapping[int, IntArray],
    rng: np.random.Generator,
) -> tuple[dict[int, Classes], dict[int, NDArray[np.int32]]]:
    """Return latent classes for each number of them, and the k-modes clusters they start from."""
    n_units = len(table.weights)
    nothing = Score(np.zeros(n_units), 0.0)
    fits = {1: Classes(nothing, np.ones((n_units, 1)), np.zeros(len(table.sizes)))}
    cuts = {}
    last = min(most + BEYOND, n_units)
    for k in range(2, last + 1):
        modes = known.get(k)
        if modes is None:
            modes = search(units, k, init="huang", n_init=1, max_iter=100, rng=rng).modes
        cuts[k] = Engine(units).labels(modes)
        blurred = 0.9 * np.eye(k)[cuts[k]] + 0.1 / k
        starts = [blurred, split_start(table, fits[k - 1].responsibilities)]
        fits[k] = max((class_fit(table, s) for s in starts), key=lambda fit: fit.score.total)
        best = max(fits, key=lambda k: fits[k].score.total)
        if k - best >= PATIENCE:
            break
    return fits, cuts


def _most_telling(table: Indicators, worth: FloatArray) -> NDArray[np.bool_]:
    """Return the columns in which classes differ most, no more than rivals can be fitted to."""
    order = np.argsort(-worth, kind="stable")
    room = np.cumsum(table.sizes[order]) * len(table.cells) <= RIVAL_CELLS
    kept = np.zeros(len(worth), dtype=bool)
    kept[order[room]] = True
    return kept & (worth > 0)


def _fewest(part: Indicators, fits: dict[int, Classes], best: int, found: Score) -> int:
    """Return the least number of classes that clearly explain more with dependence within them.

    With columns that depend on one other each, or with one trait.
    """
    for k in range(2, best):
        if fits[k].score.total < NEARLY * found.total:
            continue
        fewer = class_fit(part, fits[k].responsibilities)
        pairs = forest_score(part, fewer.responsibilities)
        with_pairs = Score(fewer.score.gains + pairs.gains, fewer.score.total + pairs.total)
        with_trait = trait_score(part, 1, fewer.responsibilities)
        rival = max(with_pairs, with_trait, key=lambda score: score.total)
        if rival.errors_above(found, part.weights) >= ERRORS:
            return k
    return best


@dataclass(frozen=True)
class Classes:
    """Latent classes: their score, the units' shares in them, the worth of each column to them."""

    score: Score
    responsibilities: FloatArray
    worth: FloatArray  # 0 for a column in which the classes do not differ


@dataclass(frozen=True)
class Score:
    """A model beside independent columns."""

    gains: FloatArray  # the log likelihood of each unit above that of independent columns
    total: float  # their sum over the rows, less what the parameters are charged

    def errors_above(self, other: Score, weights: FloatArray) -> float:
        """Return by how many standard errors this score is above another's."""
        difference = self.gains - other.gains
        n_rows = weights.sum()
        centred = difference - np.average(difference, weights=weights)
        error = np.sqrt((weights * centred**2).sum() * n_rows / max(n_rows - 1, 1.0))
        above = self.total - other.total
        tiny = 1e-9 * (1 + abs(above))  # no unit tells the two apart
        if error <= tiny:
            return float(np.copysign(np.inf, above)) if above else 0.0
        return float(above / error)


class Indicators:
    """Units as 0/1 indicators of their categories, with the shares of all rows."""

    def __init__(self, columns: Sequence[NDArray[Any]], weights: FloatArray | None) -> None:
        n_units = len(columns[0])
        self.weights = np.ones(n_units) if weights is None else weights
        self.sizes = np.array([int(column.max()) + 1 for column in columns], dtype=np.intp)
        self.starts = np.cumsum(self.sizes, dtype=np.intp) - self.sizes
        self.column = np.repeat(np.arange(len(columns)), self.sizes)
        self.cells = np.zeros((n_units, int(self.sizes.sum())))
        for start, column in zip(self.starts, columns, strict=True):
            self.cells[np.arange(n_units), start + column.astype(np.int64)] = 1.0
        self.total = float(self.weights.sum())
        self.shares = self.weights @ self.cells / self.total

    @cached_property
    def weighted(self) -> FloatArray:
        return self.cells * self.weights[:, None]

    def charge(self, rows: FloatArray) -> float:
        """Return what a parameter of each of several parts of the rows costs, less that of all."""
        return float(np.log(np.maximum(rows, FEW_ROWS)).sum() - np.log(self.total)) / 2

    def by_column(self, values: FloatArray) -> FloatArray:
        """Return sums over the categories of each column (last axis)."""
        return np.add.reduceat(values, self.starts, axis=-1)

    def only(self, kept: NDArray[np.bool_]) -> Indicators:
        """Return the same rows with the kept columns only."""
        part: Indicators = object.__new__(Indicators)
        part.weights, part.total = self.weights, self.total
        part.sizes = self.sizes[kept]
        part.starts = np.cumsum(part.sizes, dtype=np.intp) - part.sizes
        part.column = np.repeat(np.arange(len(part.sizes)), part.sizes)
        cells = kept[self.column]
        part.cells, part.shares = self.cells[:, cells], self.shares[cells]
        return part


def plain_columns(packed: Packed) -> list[NDArray[Any]]:
    """Return the columns' codes: indicators of one property together, no constants, no copies.

    Columns of two categories of which each row has the second at most once are the indicators of
    one property (one-hot columns), and are read as its categories; columns that tell the same
    rows apart say the same thing, and count once, unless hardly any others are left.
    """
    total, weights = packed.total, packed.weights
    columns = _joined_indicators(packed.columns(), packed.sizes, weights, total)
    different: dict[bytes, NDArray[Any]] = {}
    varying = []
    for column in columns:
        first, codes = np.unique(column, return_index=True, return_inverse=True)[1:]
        if len(first) > 1:
            order = np.empty(len(first), dtype=np.int64)
            order[np.argsort(first)] = np.arange(len(first))
            varying.append(order[codes])
            different.setdefault(varying[-1].tobytes(), varying[-1])
    return list(different.values()) if len(different) >= FEWEST_COLUMNS else varying


def _joined_indicators(
    columns: list[NDArray[Any]], sizes: IntArray, weights: FloatArray | None, total: float
) -> list[NDArray[Any]]:
    out: list[NDArray[Any]] = []
    j = 0
    while j < len(columns):
        run = _exclusive_run(columns, sizes, j, weights, total) if sizes[j] == 2 else 1
        if run == 1:
            out.append(columns[j])
        else:
            place = np.arange(1, run + 1)[:, None]
            out.append((np.stack(columns[j : j + run]) * place).sum(axis=0))
        j += run
    return out


def _exclusive_run(
    columns: list[NDArray[Any]], sizes: IntArray, j: int, weights: FloatArray | None, total: float
) -> int:
    """Return how many columns from j on are the indicators of one property."""
    on, end = columns[j] > 0, j + 1
    likely = j + 1  # up to where the absence of overlaps is no accident
    while end < len(columns) and sizes[end] == 2 and not (on & (columns[end] > 0)).any():
        more = columns[end] > 0
        expected = np.average(on, weights=weights) * np.average(more, weights=weights) * total
        on, end = on | more, end + 1
        if on.all():
            return end - j
        if likely == end - 1 and expected >= EXPECTED_OVERLAP:
            likely = end
    return likely - j


def class_fit(table: Indicators, responsibilities: FloatArray) -> Classes:
    """Return latent classes by EM from responsibilities (n, K).

    A column whose differences between the classes are not worth their parameters has none.
    """
    worth = np.zeros(len(table.sizes))
    kept = np.ones(len(table.sizes), dtype=bool)
    gains, charge = np.zeros(len(table.cells)), 0.0
    while kept.any():
        part = table if kept.all() else table.only(kept)
        gains, responsibilities, ratios = _em(part, responsibilities)
        of_class = part.weights @ responsibilities
        counts = responsibilities.T @ (part.weights[:, None] * part.cells)
        worth[:] = 0
        worth[kept] = part.by_column((counts * ratios).sum(axis=0))
        charges = (table.sizes - 1) * part.charge(of_class)
        charge = float(charges[kept].sum())
        poor = kept & (worth < charges)
        if not poor.any():
            break
        kept &= ~poor
    else:
        gains, worth, charge = np.zeros(len(gains)), np.zeros(len(worth)), 0.0
    charge += (responsibilities.shape[1] - 1) * np.log(table.total) / 2
    total = float(table.weights @ gains) - charge
    return Classes(Score(gains, total), responsibilities, worth)


def _em(
    table: Indicators, responsibilities: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return gains of the units, responsibilities and log ratios of categories (K, categories)."""
    last = -np.inf
    for _ in range(EM_STEPS):
        weighted = responsibilities * table.weights[:, None]
        of_class = weighted.sum(axis=0)
        counts = weighted.T @ table.cells
        ratios = np.log((counts / table.shares + PRIOR_ROWS) / (of_class[:, None] + PRIOR_ROWS))
        log_share = np.log((of_class + 1) / (table.total + len(of_class)))
        gains, responsibilities = _posterior(table.cells @ ratios.T + log_share)
        total = float(table.weights @ gains)
        if total - last < EM_TOLERANCE * table.total:
            break
        last = total
    return gains, responsibilities, ratios


def _posterior(joint: FloatArray) -> tuple[FloatArray, FloatArray]:
    top = joint.max(axis=1, keepdims=True)
    joint = np.exp(joint - top)
    total = joint.sum(axis=1, keepdims=True)
    joint /= total
    return (np.log(total) + top)[:, 0], joint


def split_start(table: Indicators, responsibilities: FloatArray) -> FloatArray:
    """Return responsibilities with one class more: that with most dependence cut along its axis."""
    best, axis, which = 0.0, None, 0
    for k, share in enumerate(responsibilities.T):
        weight = share * table.weights
        if weight.sum() < 2:
            continue
        direction, strength = _main_axis(table, weight)
        if strength > best:
            best, axis, which = strength, direction, k
    out = np.column_stack([responsibilities, np.zeros(len(responsibilities))])
    if axis is not None:
        side = axis > np.average(axis, weights=responsibilities[:, which] * table.weights)
        out[side, -1], out[side, which] = out[side, which], 0.0
    return out


def _main_axis(table: Indicators, weight: FloatArray) -> tuple[FloatArray, float]:
    """Return the units' scores on the first axis of the standardised indicators, and its excess."""
    mean = weight @ table.cells / weight.sum()
    scale = np.sqrt(np.maximum(mean, 1 / table.total))
    loading = np.random.default_rng(0).normal(size=len(mean))
    strength = 0.0
    for _ in range(20):  # power iteration
        scores = table.cells @ (loading / scale) - mean @ (loading / scale)
        image = ((weight * scores) @ table.cells - (weight @ scores) * mean) / scale
        strength = float(np.linalg.norm(image))
        if strength == 0:
            break
        loading = image / strength
    n_free = len(mean) - len(table.sizes)
    edge = (1 + np.sqrt(n_free / max(weight.sum(), 1.0))) ** 2
    return scores, strength - edge * weight.sum()


def trait_score(
    table: Indicators,
    n_traits: int,
    responsibilities: FloatArray | None = None,
    *,
    skewed: int = 0,
) -> Score:
    """Return the score of normal traits that shift the log odds of all categories.

    With `responsibilities` (n, K) there are K classes beside, that the traits are added to. A
    trait `skewed` to the right (1) or left (-1) has an exponential distribution.
    """
    points, log_weight = _skewed_points() if skewed else _points(n_traits)
    points = -points if skewed < 0 else points
    start = np.ones((len(table.cells), 1)) if responsibilities is None else responsibilities
    n_classes = start.shape[1]
    # Loadings are charged as the differences of as many equal classes and one more would be.
    equal = np.full(n_traits + 1, table.total / (n_traits + 1))
    a_column = table.charge(equal) + table.charge(table.weights @ start)
    kept = np.ones(len(table.sizes), dtype=bool)
    while True:
        part = table if kept.all() else table.only(kept)
        gains, worth = _Traits(part, points, log_weight, n_classes).fit(start)
        charges = (part.sizes - 1) * a_column
        poor = worth < charges
        if not poor.any() or poor.all():
            break
        kept[np.flatnonzero(kept)[poor]] = False
    # Shares of classes; and rotations of the traits change nothing.
    more = n_classes - 1 - n_traits * (n_traits - 1) / 2
    charge = float(charges.sum()) + more * np.log(table.total) / 2
    return Score(gains, float(table.weights @ gains) - charge)


class _Traits:
    """The likelihood of classes and normal traits, on points, and its maximum."""

    def __init__(
        self, table: Indicators, points: FloatArray, log_weight: FloatArray, n_classes: int
    ) -> None:
        self.table, self.points, self.log_weight = table, points, log_weight
        self.n_classes = n_classes
        self.shape = (n_classes + points.shape[1], len(table.shares))
        self.log_shares = np.log(table.shares)

    def ratios(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return log ratios of categories and log shares at each (class, point)."""
        effects = x[self.n_classes :].reshape(self.shape)
        classes, loadings = effects[: self.n_classes], effects[self.n_classes :]
        logits = (classes[:, None] + self.points @ loadings + self.log_shares).reshape(
            -1, self.shape[1]
        )
        starts, column = self.table.starts, self.table.column
        logits -= np.maximum.reduceat(logits, starts, axis=1)[:, column]
        logits -= np.log(np.add.reduceat(np.exp(logits), starts, axis=1))[:, column]
        shares = x[: self.n_classes] - np.logaddexp.reduce(x[: self.n_classes])
        return logits, (shares[:, None] + self.log_weight).ravel()

    def objective(self, x: FloatArray) -> tuple[float, FloatArray]:
        """Return the mean of minus the log likelihood, with its prior, and the gradient."""
        table = self.table
        logits, log_share = self.ratios(x)
        gains, posterior = _posterior(table.cells @ (logits - self.log_shares).T + log_share)
        posterior *= table.weights[:, None]
        surplus = posterior.T @ table.cells
        at = posterior.sum(axis=0)
        surplus -= at[:, None] * np.exp(logits)
        surplus = surplus.reshape(self.n_classes, len(self.points), -1)
        effects = x[self.n_classes :]
        to_classes = surplus.sum(axis=1)
        to_loadings = self.points.T @ surplus.sum(axis=0)
        slope = np.concatenate([to_classes, to_loadings]).ravel() - RIDGE * effects
        of_class = at.reshape(self.n_classes, -1).sum(axis=1)
        share = np.exp(x[: self.n_classes] - np.logaddexp.reduce(x[: self.n_classes]))
        gradient = np.concatenate([of_class - table.total * share, slope])
        value = float(table.weights @ gains) - RIDGE * float(effects @ effects) / 2
        return -value / table.total, -gradient / table.total

    def fit(self, responsibilities: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the gains of the units, and what each column adds to them."""
        table = self.table
        found = minimize(
            self.objective,
            self._start(responsibilities),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": TRAIT_STEPS, "ftol": 1e-7},
        )
        logits, log_share = self.ratios(found.x)
        ratios = logits - self.log_shares
        gains, posterior = _posterior(table.cells @ ratios.T + log_share)
        counts = (posterior * table.weights[:, None]).T @ table.cells
        return gains, table.by_column((counts * ratios).sum(axis=0))

    def _start(self, responsibilities: FloatArray) -> FloatArray:
        table = self.table
        weighted = responsibilities * table.weights[:, None]
        of_class = weighted.sum(axis=0)
        counts = weighted.T @ table.cells
        classes = np.log((counts / table.shares + PRIOR_ROWS) / (of_class[:, None] + PRIOR_ROWS))
        scale = np.sqrt(table.shares)
        mean = counts / of_class[:, None]
        centred = (table.cells - responsibilities @ mean) / scale
        covariance = (centred * table.weights[:, None]).T @ centred
        _, axes = np.linalg.eigh(covariance)
        loadings = 0.3 * axes[:, : -self.points.shape[1] - 1 : -1].T * 1.0
        return np.concatenate([np.log(of_class / table.total), classes.ravel(), loadings.ravel()])


def _points(n_traits: int) -> tuple[FloatArray, FloatArray]:
    """Return points of the standard normal distribution, (points, n_traits), and log weights."""
    if n_traits > 2:
        uniform = qmc.Sobol(n_traits, seed=0).random(POINTS[2])
        points = norm.ppf(np.clip(uniform, 1e-6, 1 - 1e-6))
        return points, np.full(len(points), -np.log(len(points)))
    x, weight = np.polynomial.hermite_e.hermegauss(POINTS[n_traits - 1])
    grid = np.stack(np.meshgrid(*[x] * n_traits, indexing="ij"), axis=-1).reshape(-1, n_traits)
    product = np.stack(np.meshgrid(*[weight] * n_traits, indexing="ij"), axis=-1).prod(axis=-1)
    product = product.ravel() / product.sum()
    near = product > 1e-7
    return grid[near], np.log(product[near] / product[near].sum())


def _skewed_points() -> tuple[FloatArray, FloatArray]:
    """Return points of the exponential distribution less its mean, (points, 1), and log weights."""
    x, weight = np.polynomial.laguerre.laggauss(POINTS[0])
    near = weight > 1e-7
    return x[near, None] - 1, np.log(weight[near] / weight[near].sum())


def joint_score(table: Indicators) -> Score:
    """Return the score of every combination of categories with a probability of its own."""
    n_cells = float(np.prod(table.sizes.astype(float)))
    n_parameters = n_cells - 1 - float((table.sizes - 1).sum())
    shares = np.maximum(table.cells @ np.log(table.shares), -700.0)
    _, cell = np.unique(table.cells, axis=0, return_inverse=True)
    together = np.bincount(cell.ravel(), table.weights) / table.total
    gains = np.log(together[cell.ravel()]) - shares
    charge = n_parameters * np.log(table.total) / 2
    return Score(gains, float(table.weights @ gains) - charge)


def forest_score(table: Indicators, responsibilities: FloatArray | None = None) -> Score:
    """Return the score of columns that depend on one other each, in a forest (Chow & Liu 1968).

    With `responsibilities` (n, K) they do so within each of K classes, in addition to these.
    """
    shares = np.ones((len(table.cells), 1)) if responsibilities is None else responsibilities
    n_columns = len(table.sizes)
    worth, charges = np.zeros((2, n_columns, n_columns))
    ratios = []
    for share in shares.T:
        weight = share * table.weights
        total = max(float(weight.sum()), 1e-9)
        joint = (table.cells * weight[:, None]).T @ table.cells / total
        alone = np.diag(joint).copy()
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log(joint / np.outer(alone, alone))
        ratio[joint <= 0] = 0.0
        information = np.add.reduceat(joint * ratio, table.starts, axis=0)
        worth += total * np.add.reduceat(information, table.starts, axis=1)
        ratios.append(ratio)
        # One column given the other's category: the mean of both ways.
        given = table.by_column(np.log(np.maximum(total * alone, 1.0))) - np.log(max(total, 1.0))
        one_way = np.outer(given, table.sizes - 1) / 2
        charges += (one_way + one_way.T) / 2
    edges = _spanning_forest(worth - charges)
    gains = np.zeros(len(table.cells))
    codes = [
        table.cells[:, start : start + size].argmax(axis=1) + start
        for start, size in zip(table.starts, table.sizes, strict=True)
    ]
    used = 0.0
    for a, b in edges:
        used += float(charges[a, b])
        for share, ratio in zip(shares.T, ratios, strict=True):
            gains += share * ratio[codes[a], codes[b]]
    return Score(gains, float(table.weights @ gains) - used)


def _spanning_forest(worth: FloatArray) -> list[tuple[int, int]]:
    """Return the edges of the forest of largest worth, all of them worth more than 0."""
    n = len(worth)
    inside = np.zeros(n, dtype=bool)
    best, parent = np.full(n, -np.inf), np.zeros(n, dtype=np.int64)
    edges = []
    for _ in range(n):  # Prim
        best[inside] = -np.inf
        new = int(np.argmax(np.where(inside, -np.inf, best)))
        if not best[new] > 0:
            new = int(np.flatnonzero(~inside)[0])
        else:
            edges.append((int(parent[new]), new))
        inside[new] = True
        nearer = worth[new] > best
        parent[nearer], best[nearer] = new, worth[new][nearer]
    return edges


def rand_index(a: Labels, b: Labels, weights: FloatArray | None) -> float:
    """Return the adjusted Rand index of two labellings of weighted rows (Hubert & Arabie 1985)."""
    n_b = int(b.max()) + 1
    index = a.astype(np.intp) * n_b + b.astype(np.intp)
    table = np.bincount(index, weights, minlength=(int(a.max()) + 1) * n_b).reshape(-1, n_b)
    total = float(table.sum())

    def pairs(counts: FloatArray) -> float:
        return float((counts * (counts - 1)).sum() / 2)

    both = pairs(table.astype(np.float64))
    in_a, in_b = pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    expected = in_a * in_b / max(total * (total - 1) / 2, 1.0)
    most = (in_a + in_b) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)
