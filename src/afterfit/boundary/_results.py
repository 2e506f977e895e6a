"""What `boundary` and `error_rate` return: pieces of a boundary, and a risk with its error."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit.boundary._arguments import as_labels

Array = NDArray[np.float64]
Box = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class BoundaryPiece:
    """One branch of a decision boundary, between two decisions.

    Attributes
    ----------
    classes : tuple of two labels
        The decisions on its two sides. For one feature: on the left and on the right of the
        root. For two: walking along `points`, the first is on the left, the second on the right.
    points : ndarray of shape (1,) or (n_points, 2)
        The root, or the vertices of the curve, in the units of the features.
    closed : bool
        Whether the curve returns to where it began; its first vertex is then repeated at the end.
    """

    classes: tuple[Hashable, Hashable]
    points: Array
    closed: bool = False


@dataclass(frozen=True)
class DecisionBoundary:
    """All branches of a decision boundary within limits.

    Attributes
    ----------
    pieces : tuple of BoundaryPiece
        The roots from left to right, or the curves.
    junctions : ndarray of shape (n_junctions, 2)
        Points at which three decisions meet; each ends three curves. Empty for one feature.
    limits : tuple
        The limits that were asked for.
    tolerance : float
        Vertices lie on the boundary, and chords between them no further from it, to within this
        fraction of the range of each feature.
    n_evaluations : int
        The number of points at which the densities were evaluated.
    unresolved : ndarray of shape (n_cells, 2) or (n_cells, 4)
        Cells, as (low, high) of each feature, in which refinement ended before the boundary was
        seen to be smooth: at the edge of a density's support, or when evaluations ran out. In
        them corners may be cut.
    """

    pieces: tuple[BoundaryPiece, ...]
    junctions: Array
    limits: tuple[Any, ...]
    tolerance: float
    n_evaluations: int
    unresolved: Array

    @property
    def points(self) -> Array:
        """Every root in increasing order, shape (n,), or every vertex, shape (n, 2).

        Returns
        -------
        ndarray
            The pieces' points together.
        """
        if not self.pieces:
            return np.empty((0,) if np.ndim(self.limits) == 1 else (0, 2))
        return np.concatenate([piece.points for piece in self.pieces])

    def between(self, first: Hashable, second: Hashable) -> tuple[BoundaryPiece, ...]:
        """Return the pieces between two decisions, whichever of them is on the left.

        Parameters
        ----------
        first, second : labels
            Two classes, or a class and the rule's `reject_label`.

        Returns
        -------
        tuple of BoundaryPiece
            Empty where the two decisions do not meet within the limits.
        """
        return tuple(piece for piece in self.pieces if set(piece.classes) == {first, second})

    def to_frame(self) -> pd.DataFrame:
        """Return one row a vertex, for a table or a file.

        Returns
        -------
        DataFrame
            Columns `piece` (number), `left` and `right` (decisions), `closed`, and the features
            `x`, or `x1` and `x2`.
        """
        names = ["x"] if np.ndim(self.limits) == 1 else ["x1", "x2"]
        parts = []
        for number, piece in enumerate(self.pieces):
            part = pd.DataFrame(piece.points.reshape(len(piece.points), -1), columns=names)
            part.insert(0, "closed", piece.closed)
            part.insert(0, "right", as_labels([piece.classes[1]] * len(part)))
            part.insert(0, "left", as_labels([piece.classes[0]] * len(part)))
            part.insert(0, "piece", number)
            parts.append(part)
        columns = ["piece", "left", "right", "closed", *names]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


@dataclass(frozen=True)
class ErrorRate:
    """The expected loss of a decision rule, and how well it is known.

    Attributes
    ----------
    risk : float
        The expected loss; under zero-one loss, the probability of error.
    error : float
        Estimate of the absolute error of `risk` (integration), or its standard error (Monte
        Carlo).
    method : {"integration", "monte_carlo"}
        How it was found.
    confusion : DataFrame of shape (n_classes, n_decisions)
        The probability that the truth is the row and the decision the column. Rows add up to the
        priors; `risk` is the sum of confusion times losses; a column `reject_label` holds what is
        rejected.
    region : tuple of (low, high), one a feature, or None
        What was integrated over; None for Monte Carlo over the whole space, and where only the
        densities of transformed features are known.
    n_evaluations : int
        The number of points at which the densities were evaluated.
    """

    risk: float
    error: float
    method: str
    confusion: pd.DataFrame
    region: Box | None
    n_evaluations: int

    @property
    def mass(self) -> float:
        """The probability that was found in the region; near 1 over the whole space.

        Returns
        -------
        float
            The sum of the confusion matrix.
        """
        return float(self.confusion.to_numpy().sum())
