"""How a rule is evaluated: log densities, decisions, boundary curves, and the ways to the risk."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from afterfit._validation import listing
from afterfit.boundary import _contours, _risk
from afterfit.boundary._arguments import (
    check_box,
    check_data_labels,
    check_judge,
    check_points,
    check_rows,
)
from afterfit.boundary._decisions import DecisionTable, informed
from afterfit.boundary._densities import (
    Density,
    checked_log_densities,
    checked_log_density,
    guessed_n_features,
)
from afterfit.boundary._lattice import Field, SpentError
from afterfit.boundary._results import BoundaryPiece, ErrorRate

Array = NDArray[np.float64]

# Points are worked on so many at a time, fewer with many classes: their intermediate arrays then
# stay in the cache.
CHUNK_ROWS, MIN_CHUNK_ROWS = 16_384, 256
CHUNK_VALUES = 2**19

# Boundary of one feature: roots are polished to this fraction of the range, whatever is asked.
ROOT_TOLERANCE = 1e-12

# Coarser, cheaper curves serve the risk: where they run, both decisions cost the same.
RISK_CURVE_TOLERANCE = 1e-6
RISK_EVALUATIONS = 200_000


class Evaluation:
    """What `BayesRule` stands on: nothing here is called by users."""

    classes: NDArray[Any]
    decisions: NDArray[Any]
    priors: Array
    _log_priors: Array
    _table: DecisionTable
    _densities: tuple[Density, ...]
    n_features: int | None
    _columns: list[Any] | None
    _is_slice: bool = False
    _lacks: str | None = None  # why there are no densities
    _common_term_unknown: bool = False
    # Of a classifier: rows are taken as they come, and log odds may jump.
    _takes_rows: bool = False
    _may_jump: bool = False
    # All log densities at once, and a term common to them all, if that is apart.
    _evaluate: Callable[[Any], Array] | None = None
    _common: Callable[[Any], Array] | None = None

    def _points(self, X: ArrayLike) -> Any:
        """Return points of shape (n, n_features); rows as they are for a classifier."""
        if self._takes_rows:
            return check_rows(X, self.n_features)
        return check_points(X, self.n_features, self._columns)

    def _calibration(self, X: Any, y: Any) -> tuple[Array, NDArray[np.intp]]:
        """Return log densities of calibration rows, and their classes by number."""
        if X is None or y is None:
            raise ValueError("`X_calibration` and `y_calibration` must be given together.")
        points = self._points(X)
        labels = check_data_labels(y, points, self.classes, "y_calibration", "X_calibration")
        number = {label: k for k, label in enumerate(self.classes.tolist())}
        codes = np.array([number[label] for label in np.asarray(labels).tolist()])
        absent = [repr(label) for label, k in number.items() if not (codes == k).any()]
        if absent:
            raise ValueError(
                f"`y_calibration` must hold rows of every class, got none of {listing(absent)}."
            )
        return self._log_densities(points), codes

    def _log_densities(self, points: Any) -> Array:
        """Return log densities (n, K), the term common to all classes among them if known."""
        if self._evaluate is None:
            columns = [checked_log_density(density, points) for density in self._densities]
            return np.column_stack(columns)
        values = checked_log_densities(self._densities, self._evaluate, points)
        return values if self._common is None else values + self._common(points)[:, None]

    def _log_joints(self, points: Any) -> Array:
        """Return log joint densities (n, K), perhaps up to a term common to all classes."""
        n = points.shape[0]
        joints = np.empty((n, len(self._densities)), order="F")
        if n == 0:  # not every function takes no rows
            return joints
        if self._evaluate is not None:
            values = checked_log_densities(self._densities, self._evaluate, points)
            return np.add(values, self._log_priors, out=joints)
        for k, density in enumerate(self._densities):
            if self.priors[k] == 0:
                joints[:, k] = -np.inf
            else:
                np.add(checked_log_density(density, points), self._log_priors[k], out=joints[:, k])
        return joints

    def _whole_joints(self, points: Any) -> Array:
        """Return log joint densities (n, K), the term common to all classes among them if known."""
        joints = self._by_chunks(points, lambda joints: joints, len(self.classes))
        if self._common is not None and len(joints):
            joints += self._common(points)[:, None]
        return joints

    def _by_chunks(
        self,
        points: Any,
        function: Callable[[Array], NDArray[Any]],
        *width: int,
        dtype: type = float,
    ) -> NDArray[Any]:
        """Return a function of the log joints at all points, computed a few points at a time."""
        if not isinstance(points, np.ndarray):  # a table, which the classifier takes whole
            return function(self._log_joints(points))
        out: NDArray[Any] = np.empty((len(points), *width), dtype=dtype, order="F")
        size = max(MIN_CHUNK_ROWS, min(CHUNK_ROWS, CHUNK_VALUES // len(self.classes)))
        for start in range(0, len(points), size):
            rows = slice(start, start + size)
            out[rows] = function(self._log_joints(points[rows]))
        return out

    def _decide(self, joints: Array) -> NDArray[np.intp]:
        return self._table.choose(informed(joints, self._log_priors))

    def _seeds(self, n_features: int) -> Array:
        known = [d.seeds for d in self._densities if d.seeds is not None]
        return np.concatenate([np.empty((0, n_features)), *known])

    def _trace(
        self,
        lines: tuple[Array, ...],
        tolerance: float,
        max_evaluations: int,
        at_most: float = np.inf,
    ) -> _contours.Tracing:
        field = Field(self._log_joints, self._table, lines, self._may_jump, at_most)
        tolerance = ROOT_TOLERANCE if len(lines) == 1 else tolerance
        return _contours.trace(field, self._seeds(len(lines)), tolerance, max_evaluations)

    def _curves(self, lines: tuple[Array, ...], at_most: int) -> tuple[list[_contours.Curve], int]:
        """Return boundary curves for the risk, and at how many points: none if at too many."""
        budget = min(RISK_EVALUATIONS, at_most)
        try:
            traced = self._trace(lines, RISK_CURVE_TOLERANCE, budget, at_most)
        except SpentError:
            return [], at_most
        return traced.curves, traced.n_evaluations

    def _pieces(self, traced: _contours.Tracing) -> tuple[BoundaryPiece, ...]:
        labels = self.decisions.tolist()
        return tuple(
            BoundaryPiece((labels[curve.left], labels[curve.right]), curve.points, curve.closed)
            for curve in traced.curves
        )

    def _judge(self, of: Any, n_features: int) -> Callable[[Array, Array], NDArray[np.intp]]:
        """Return the function from points and their joints to decisions, as column numbers."""
        if of is None:
            return lambda _, joints: self._decide(joints.copy(order="K"))
        return check_judge(of, n_features, self.decisions.tolist())

    def _rate(self, region: Any, of: Any, effort: _risk.Effort) -> ErrorRate:
        box = None if region is None else check_box(region, "region", self.n_features)
        known = self.n_features if box is None else len(box)
        d = guessed_n_features(self._densities) if known is None else known
        tracer = self if of is None else of
        traceable = d <= 2 and isinstance(tracer, Evaluation)
        if effort.method == "integration" and not traceable:
            raise ValueError(
                "`method` can be 'integration' for one or two features, and a BayesRule as `of`, "
                f"got {d} and {type(tracer).__name__}; use 'monte_carlo'."
            )
        problem = _risk.Problem(
            self._densities, self.priors, self._whole_joints, self._table, self._judge(of, d)
        )
        if effort.method == "monte_carlo" or not traceable:
            return self._as_rate(_risk.draw(problem, box, d, effort), "monte_carlo")
        estimate = _risk.integrate(problem, tracer._curves, box, d, effort)
        if estimate.error > effort.tolerance:
            advice = (
                f"Raise `max_evaluations` (now {effort.max_evaluations}), or use "
                '`method="monte_carlo"`.'
                if estimate.exhausted
                else "More evaluations would not help, as floats do not resolve the densities "
                "where the rest is: raise `tolerance`, or give `region`."
            )
            warnings.warn(
                f"The risk is known to within {estimate.error:.1g}, not {effort.tolerance:g}, "
                f"after {estimate.n_evaluations} points were evaluated. {advice}",
                UserWarning,
                stacklevel=3,
            )
        return self._as_rate(estimate, "integration")

    def _as_rate(self, estimate: _risk.Estimate, method: str) -> ErrorRate:
        confusion = pd.DataFrame(
            estimate.confusion,
            index=pd.Index(self.classes, name="truth"),
            columns=pd.Index(self.decisions, name="decision"),
        )
        return ErrorRate(
            estimate.risk,
            estimate.error,
            method,
            confusion,
            estimate.region or None,
            estimate.n_evaluations,
        )
