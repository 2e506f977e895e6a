"""Clusters against what is like them: latent classes, latent traits, and dependent columns.

All models are scored by their log likelihood above that of independent columns, less half the
logarithm of the rows that it is estimated from for each parameter: of a class's rows for its own
(as in the message length of Figueiredo & Jain 2002), where BIC charges all. The gain of each row is
kept, so that two models can be compared with a standard error (Vuong 1989).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afterfit.categorical._engine import Engine
from afterfit.categorical._indicators import (
    PRIOR_ROWS,
    Indicators,
    Score,
    plain_columns,
    row_posteriors,
)
from afterfit.categorical._search import search
from afterfit.categorical._tables import Packed, sampled
from afterfit.categorical._traits import trait_score

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Labels = NDArray[np.integer]

# EM ends when the log likelihood of a row grows by less than this, or after so many steps.
EM_TOLERANCE = 1e-6
EM_STEPS = 200

# Latent models see no more rows than this, drawn at random, and fewer where so many cells of
# indicators are reached; rivals of the classes see the columns that tell these apart best.
LATENT_ROWS = 4_000
LATENT_CELLS = 4_000_000
RIVAL_CELLS = 1_000_000

# Classes are added until so many in a row did not lower the criterion, and to so many more than
# were asked for: whether there are more is a question, too.
PATIENCE = 3
BEYOND = 2

# Two models whose scores differ by less than so many standard errors are not clearly apart.
ERRORS = 2.0

# Fewer classes are tried with dependence within where they have so much of the largest score.
NEARLY = 0.85

# The largest number of traits that rival with the classes.
MOST_TRAITS = 3


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
        gains, responsibilities = row_posteriors(table.cells @ ratios.T + log_share)
        total = float(table.weights @ gains)
        if total - last < EM_TOLERANCE * table.total:
            break
        last = total
    return gains, responsibilities, ratios


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
