"""The Bayes risk: adaptive integration in one and two features, Monte Carlo above.

Integrals are taken of the joint densities, sorted by the decision made where they stand: a matrix
(class, decision) of probabilities whose product with the losses is the risk and whose sum is the
probability of the region. Panels are split where the decision changes, so that the integrand of
every panel is smooth; without a given region, the densities say where their mass lies, or
`locate` looks for it, and the probabilities that come out show whether all of it was found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from afterfit.boundary._contours import Curve
from afterfit.boundary._decisions import DecisionTable
from afterfit.boundary._densities import Density
from afterfit.boundary._lattice import coarse_lines
from afterfit.boundary._mass import Proposal, fit_proposal, locate
from afterfit.boundary._quadrature import Counter, integrate_panels

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# In two features: breaks along an axis at which inner and outer integrals start, lattice lines.
MAX_BREAKS = 24
LATTICE_CELLS = 40
ROOT_CELLS = 512

# With fewer cells along an axis, as evaluations are few, curves are not looked for.
LEAST_CELLS = 8

# A curve turns back where it does so by more than this fraction of the range.
TURN_FRACTION = 1e-5

# Outer points whose inner integrals are taken together.
OUTER_BATCH = 256

# Without a given region each density must integrate to one within the first; where a wider region
# brings no more, within the second, and what is missing counts as error.
MASS_TOLERANCE = 1e-6
MASS_AT_EDGES = 1e-3

# Standard errors by which a Monte Carlo estimate of the whole probability may miss one.
MASS_STANDARD_ERRORS = 5.0

# The logarithm of the largest float, about 709.78.
LARGEST_LOG = float(np.log(np.finfo(np.float64).max))

# The region is doubled about the mass that was found, so many times, as long as that leaves less
# than this fraction of what was missing.
REGION_DOUBLINGS = 6
WORTH_WIDENING = 0.9

Box = tuple[tuple[float, float], ...]
Trace = Callable[[tuple[Array, ...], int], tuple[list[Curve], int]]


@dataclass(frozen=True)
class Estimate:
    """Probabilities (class, decision), the risk, its error, and the region that was integrated."""

    confusion: Array
    risk: float
    error: float
    n_evaluations: int
    mass_error: float = 0.0
    region: Box = ()  # empty for draws over the whole space
    exhausted: bool = False  # whether evaluations ran out


@dataclass(frozen=True)
class Effort:
    """How the risk is to be found, and at what cost; see `BayesRule.error_rate`."""

    method: str
    tolerance: float
    max_evaluations: int
    n_draws: int
    rng: np.random.Generator


@dataclass(frozen=True)
class Problem:
    """What is integrated: log joint densities, and the losses of what is decided from them."""

    densities: tuple[Density, ...]
    priors: Array
    log_joints: Callable[[Array], Array]
    table: DecisionTable
    decide: Callable[[Array, Array], Indices]  # from the points and their log joints

    @property
    def size(self) -> int:
        return int(self.table.losses.size)

    def decided(self, X: Array) -> tuple[Array, Indices]:
        """Return the log joint densities at `X`, and the decisions made from them."""
        joints = self.log_joints(X)
        decision = self.decide(X, joints) if len(X) else np.empty(0, dtype=np.intp)
        joints[joints == np.inf] = -np.inf  # at its pole a density has no mass
        return joints, decision

    def sorted(self, joints: Array, decision: Indices) -> Array:
        """Return the exponentials of the joints in the column of the decision, (n, K * J)."""
        highest = joints.max(axis=0, initial=-np.inf)
        if (highest > LARGEST_LOG).any():
            name = self.densities[int(highest.argmax())].name
            raise ValueError(
                f"The density of {name} reaches exp({highest.max():.6g}), which is beyond the "
                "largest float, so that it cannot be integrated. Keep `region` off a pole, "
                "rescale the features, or normalise the density."
            )
        out = np.zeros((len(joints), self.table.n_classes, self.table.n_decisions))
        out[np.arange(len(joints)), :, decision] = np.exp(joints)
        return out.reshape(len(joints), -1)

    def controlled(self) -> Array:
        """Return the weights (K * J, 2) of risk and mass: the integrals whose error is watched."""
        return np.column_stack([self.table.losses.ravel(), np.ones(self.size)])


def integrate(
    problem: Problem,
    trace: Trace,
    box: Box | None,
    n_features: int,
    effort: Effort,
) -> Estimate:
    """Integrate over one or two features: over a box, or over the whole space, or raise.

    `trace` returns the curves at which decisions change, from the lines of a lattice, and after
    how many evaluations; it makes no more than it is given.
    """

    counter = Counter(
        lambda X: problem.sorted(*problem.decided(X)), problem.controlled(), effort.max_evaluations
    )

    def within(breaks: tuple[Array, ...]) -> tuple[Estimate, Array]:
        estimate = _integrate_between(problem, counter, trace, breaks, effort.tolerance)
        found = estimate.confusion.sum(axis=1)
        # What the estimated error of integration does not explain is missing.
        return estimate, np.maximum(np.abs(found - problem.priors) - estimate.mass_error, 0.0)

    breaks = _breaks(problem, box, n_features, counter)
    estimate, missing = within(breaks)
    if box is not None:
        return estimate
    for _ in range(REGION_DOUBLINGS):
        if (missing <= MASS_TOLERANCE * problem.priors).all() or counter.exhausted:
            break
        breaks = tuple(_widened(axis) for axis in breaks)
        wider, still_missing = within(breaks)
        if still_missing.sum() > WORTH_WIDENING * missing.sum():
            break  # what is missing does not lie outside
        estimate, missing = wider, still_missing
    if not (missing <= MASS_AT_EDGES * problem.priors).all() and not counter.exhausted:
        raise ValueError(_missing_mass(problem, estimate))
    lost = float(missing.sum() * np.abs(problem.table.losses).max())
    return replace(estimate, error=max(estimate.error, lost))


def draw(
    problem: Problem,
    box: Box | None,
    n_features: int,
    effort: Effort,
) -> Estimate:
    """Estimate by Monte Carlo in any number of features: over a box, or the whole space."""
    n_draws, rng = effort.n_draws, effort.rng
    if box is not None:
        proposal = Proposal(np.empty(0), np.empty(0), np.array(box))
        return replace(_importance_sampling(problem, proposal, n_draws, rng), region=box)
    used = [d for d, prior in zip(problem.densities, problem.priors, strict=True) if prior > 0]
    samplers = [density.sample for density in used if density.sample is not None]
    if len(samplers) == len(used):
        return _monte_carlo(problem, samplers, problem.priors[problem.priors > 0], n_draws, rng)
    estimate = _importance_sampling(problem, fit_proposal(used, n_features, rng), n_draws, rng)
    mass = float(estimate.confusion.sum())
    if abs(mass - 1) > MASS_STANDARD_ERRORS * estimate.mass_error + 1e-6:
        raise ValueError(
            f"The densities integrate to {mass:.4g} by Monte Carlo (standard error "
            f"{estimate.mass_error:.2g}), not to 1: one is not normalised, or part of its mass "
            "was not found. Give `region`, or distributions in place of functions."
        )
    return estimate


def _breaks(
    problem: Problem, box: Box | None, n_features: int, counter: Counter
) -> tuple[Array, ...]:
    """Return, for each axis, sorted coordinates between which panels start."""
    looks: list[tuple[Array, ...]] = []
    for density, prior in zip(problem.densities, problem.priors, strict=True):
        look = density.look
        if look is None and box is None and prior > 0:
            look, n_points = locate(density, n_features)
            counter.n += n_points
            if counter.left == 0:
                raise ValueError(
                    f"`max_evaluations` must be above the {counter.n} points at which the mass of "
                    f"the densities was looked for, got {counter.at_most}. With `region` nothing "
                    "is looked for."
                )
        if look is not None and prior > 0:
            looks.append(look)
    breaks = []
    for axis in range(n_features):
        together = np.concatenate([np.empty(0), *(look[axis] for look in looks)])
        if box is not None:
            low, high = box[axis]
            inside = together[(together > low) & (together < high)]
            together = np.concatenate([np.linspace(low, high, 9), inside])
        thinned = _thin_breaks(together, MAX_BREAKS if n_features == 2 else 10**6)
        if len(thinned) < 2:
            raise ValueError(
                f"The densities cannot be integrated over ({together.min():.17g}, "
                f"{together.max():.17g}), which is too narrow for floats so far from 0: subtract a "
                "constant from the features."
            )
        breaks.append(thinned)
    return tuple(breaks)


def _integrate_between(
    problem: Problem,
    counter: Counter,
    trace: Trace,
    breaks: tuple[Array, ...],
    tolerance: float,
) -> Estimate:
    """Integrate over the whole range of the breaks, split where the decision changes."""
    curves: list[Curve] = []
    # The lattice has 2 cells + 1 points along each axis; half of the budget is for what follows.
    budget = counter.left // 2
    cells = (int((budget / 2) ** (1 / len(breaks))) - 1) // 2
    if cells >= LEAST_CELLS:
        cells = min(cells, ROOT_CELLS if len(breaks) == 1 else LATTICE_CELLS)
        lines = (_lattice_lines(along, cells, axis) for axis, along in enumerate(breaks))
        curves, n_points = trace(tuple(lines), budget)
        counter.n += n_points
    if len(breaks) == 1:
        roots = [curve.points for curve in curves]
        sums, errors = _line(counter, np.unique(np.concatenate([breaks[0], *roots])), tolerance)
    else:
        sums, errors = _plane(counter, (breaks[0], breaks[1]), curves, tolerance)
    confusion = sums.reshape(problem.table.losses.shape)
    return Estimate(
        confusion,
        float((confusion * problem.table.losses).sum()),
        float(errors[0]),
        counter.n,
        mass_error=float(errors[1]),
        region=tuple((float(along[0]), float(along[-1])) for along in breaks),
        exhausted=counter.exhausted,
    )


def _widened(breaks: Array) -> Array:
    """Return the breaks with as much again on either side."""
    half = 0.5 * (breaks[-1] - breaks[0])
    outside = half * np.array([0.25, 0.5, 1.0])
    return np.concatenate([breaks[0] - outside[::-1], breaks, breaks[-1] + outside])


def _missing_mass(problem: Problem, estimate: Estimate) -> str:
    found = estimate.confusion.sum(axis=1)
    wrong = int(np.argmax(np.abs(found - problem.priors)))
    box = ", ".join(f"({low:.6g}, {high:.6g})" for low, high in estimate.region)
    return (
        f"The density of {problem.densities[wrong].name} integrates to "
        f"{found[wrong] / problem.priors[wrong]:.6g} over ({box}), not to 1: it is not a "
        "normalised density, or part of its mass was not found. Give `region` to integrate "
        "there whatever it holds."
    )


def _thin_breaks(breaks: Array, at_most: int) -> Array:
    """Return at most so many of the sorted breaks, the first and the last among them."""
    distinct = _distinct(breaks)
    if len(distinct) <= at_most:
        return distinct
    index = np.linspace(0, len(distinct) - 1, at_most).round().astype(np.intp)
    return np.asarray(distinct[index])


def _lattice_lines(breaks: Array, n_cells: int, axis: int) -> Array:
    """Return n_cells + 1 lines, as dense among the breaks as these are, off the symmetric ones."""
    index = coarse_lines(0.0, len(breaks) - 1.0, max(n_cells, len(breaks) - 1), axis)
    return np.asarray(np.interp(index, np.arange(len(breaks)), breaks))


def _line(counter: Counter, breaks: Array, tolerance: float) -> tuple[Array, Array]:
    """Integrate over one feature, from the first of the sorted breaks to the last."""
    breaks = _thin_breaks(breaks, max(counter.left // 15, 1) + 1)
    owner = np.zeros(len(breaks) - 1, dtype=np.intp)
    sums, errors = integrate_panels(
        lambda _, x: counter(x[:, None]),
        owner,
        breaks[:-1],
        breaks[1:],
        1,
        counter,
        tolerance,
    )
    return sums[0], errors[0]


def _plane(
    counter: Counter, breaks: tuple[Array, Array], curves: list[Curve], tolerance: float
) -> tuple[Array, Array]:
    """Integrate over two features: inner integrals along the second, split at the curves."""
    size = len(counter.controlled)
    outer, across, segments = _affordable(counter, breaks, curves)
    cost = 15 * (len(across) - 1 + _most_at_once(segments))  # of an inner integral, at least

    def along(x: Array, owner: Indices, y: Array) -> Array:
        return counter(np.column_stack([x[owner], y]))

    def inner(_: Indices, x: Array) -> Array:
        rows = []
        for start in range(0, len(x), OUTER_BATCH):
            part = x[start : start + OUTER_BATCH]
            counter.reserved = cost * max(len(x) - start - OUTER_BATCH, 0)
            owner, low, high = _inner_panels(part, across, segments)
            # What an inner integral may miss, so that all of them together miss little: in
            # proportion to its mass, or to what the panel it stands in contributes at all.
            width = np.diff(outer)[np.clip(np.searchsorted(outer, part) - 1, 0, len(outer) - 2)]
            sums, errors = integrate_panels(
                partial(along, part),
                owner,
                low,
                high,
                len(part),
                counter,
                0.1 * tolerance,
                least_mass=1.0 / ((len(outer) - 1) * width),
            )
            rows.append(np.column_stack([sums, errors]))
        return np.concatenate(rows)

    owner = np.zeros(len(outer) - 1, dtype=np.intp)
    sums, errors = integrate_panels(
        inner, owner, outer[:-1], outer[1:], 1, counter, tolerance, cost=cost
    )
    return sums[0, :size], errors[0] + sums[0, size:]


def _affordable(
    counter: Counter, breaks: tuple[Array, Array], curves: list[Curve]
) -> tuple[Array, Array, Array]:
    """Return breaks of both axes and segments of the curves whose first pass can be afforded."""
    segments = _segments(curves)
    least = TURN_FRACTION * float(np.ptp(breaks[0]))
    turns = _turning_points(curves, least)
    turns = turns[(turns >= breaks[0][0]) & (turns <= breaks[0][-1])]
    for at_most in (MAX_BREAKS, 12, 6, 3, 2):
        along, across = (_thin_breaks(axis, at_most) for axis in breaks)
        # Far out, rounding makes curves of its own, which turn and cross at every step.
        for turned, crossed in (
            (turns, segments),
            (turns[:0], segments),
            (turns[:0], segments[:0]),
        ):
            outer = _distinct(np.concatenate([along, turned]))
            n_inner = len(across) - 1 + _most_at_once(crossed)
            if 225 * (len(outer) - 1) * n_inner <= counter.left:
                return outer, across, crossed
        counter.exhausted = True  # coarser than without a limit
    return along, across, segments[:0]


def _most_at_once(segments: Array) -> int:
    """Return how many segments a line along the second feature can cross."""
    ends = np.concatenate([segments[:, 0], segments[:, 1]])
    steps = np.repeat([1, -1], len(segments))
    # What begins counts before what ends there: no fewer than there are.
    order = np.lexsort((-steps, ends))
    return int(np.cumsum(steps[order]).max(initial=0))


def _monte_carlo(
    problem: Problem,
    samplers: list[Callable[[int, np.random.Generator], Array]],
    priors: Array,
    n_draws: int,
    rng: np.random.Generator,
) -> Estimate:
    """Average the expected loss over draws from every class, as many as its prior asks for.

    At each draw the loss expected under the posterior stands in for the loss incurred: the same
    mean with less variance (Rao and Blackwell).
    """
    counts = np.maximum(2, np.ceil(priors * n_draws).astype(np.intp))
    confusion = np.zeros((problem.table.n_classes, problem.table.n_decisions))
    risk = variance = 0.0
    total = 0
    for prior, count, sampler in zip(priors, counts, samplers, strict=True):
        X = sampler(int(count), rng)
        total += int(count)
        joints, decision = problem.decided(X)
        joints -= logsumexp(joints, axis=1, keepdims=True)
        shares = problem.sorted(joints, decision)
        losses = shares @ problem.table.losses.ravel()
        confusion += prior * shares.mean(axis=0).reshape(confusion.shape)
        risk += prior * float(losses.mean())
        variance += prior**2 * float(losses.var(ddof=1)) / count
    return Estimate(confusion, float(risk), float(np.sqrt(variance)), total)


def _importance_sampling(
    problem: Problem,
    proposal: Proposal,
    n_draws: int,
    rng: np.random.Generator,
) -> Estimate:
    """Average the weighted loss over draws from the proposal; the weights' mean is the mass."""
    X = proposal.sample(n_draws, rng)
    joints, decision = problem.decided(X)
    shares = problem.sorted(joints - proposal.log_density(X)[:, None], decision)
    losses = shares @ problem.table.losses.ravel()
    masses = shares.sum(axis=1)
    root = np.sqrt(n_draws)
    return Estimate(
        shares.mean(axis=0).reshape(problem.table.losses.shape),
        float(losses.mean()),
        float(losses.std(ddof=1) / root),
        n_draws,
        mass_error=float(masses.std(ddof=1) / root),
    )


def _distinct(values: Array) -> Array:
    ordered = np.unique(values)
    size = np.maximum(np.abs(ordered[1:]), np.abs(ordered[:-1]))
    kept = ordered[np.concatenate([[True], np.diff(ordered) > 1e-13 * size])]
    kept[-1] = ordered[-1]  # the end of a support, which may have a pole
    return np.asarray(kept)


def _segments(curves: list[Curve]) -> Array:
    """Return (low x, high x, y at low, y at high) of every chord that is not vertical."""
    parts = [np.column_stack([curve.points[:-1], curve.points[1:]]) for curve in curves]
    chords = np.concatenate([np.empty((0, 4)), *parts])
    back = chords[:, 0] > chords[:, 2]
    chords[back] = chords[back][:, [2, 3, 0, 1]]
    return np.asarray(chords[chords[:, 2] > chords[:, 0]][:, [0, 2, 1, 3]])


def _turning_points(curves: list[Curve], least: float) -> Array:
    """Return the first coordinates at which curves end, or turn back by more than `least`."""
    points: list[float] = []
    for curve in curves:
        low = high = curve.points[0, 0]
        rising: bool | None = None
        points += [low, curve.points[-1, 0]]
        for x in curve.points[:, 0].tolist():
            if rising is not False and x < high - least:
                points += [high] if rising else []
                rising, low = False, x
            elif rising is not True and x > low + least:
                points += [] if rising is None else [low]
                rising, high = True, x
            low, high = min(low, x), max(high, x)
    return np.array(points)


def _inner_panels(x: Array, breaks: Array, segments: Array) -> tuple[Indices, Array, Array]:
    """Return the panels along the second feature at each `x`, split at breaks and curves."""
    order = np.argsort(x)
    ordered = x[order]
    first = np.searchsorted(ordered, segments[:, 0], side="left")
    last = np.searchsorted(ordered, segments[:, 1], side="left")
    count = (last - first).astype(np.intp)
    which = np.repeat(np.arange(len(segments)), count)
    place = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count) + first[which]
    low, high, y_low, y_high = segments[which].T
    crossing = y_low + (y_high - y_low) * (ordered[place] - low) / (high - low)
    owner = np.concatenate([np.repeat(np.arange(len(x)), len(breaks)), order[place]])
    y = np.concatenate([np.tile(breaks, len(x)), np.clip(crossing, breaks[0], breaks[-1])])
    by_owner = np.lexsort((y, owner))
    owner, y = owner[by_owner].astype(np.intp), y[by_owner]
    within = (owner[1:] == owner[:-1]) & (y[1:] > y[:-1])
    return owner[1:][within], y[:-1][within], y[1:][within]
