"""The display of a rule: computes what is drawn, and draws it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from afterfit._plotting import pyplot
from afterfit._validation import check_integer
from afterfit.boundary import _drawing
from afterfit.boundary._arguments import (
    PADDING,
    axis_names,
    check_data_labels,
    check_levels,
    check_limits,
    check_points,
    limits_of,
)
from afterfit.boundary._results import DecisionBoundary
from afterfit.boundary._rule import BayesRule

Array = NDArray[np.float64]


@dataclass
class BayesBoundaryDisplay:
    """Regions, boundary, density contours and data of a Bayes rule, in one or two features.

    Made by `from_rule` or `from_estimator`, which compute and draw; `plot` draws again. Regions
    carry a hatch, classes of points a marker and density curves a line style, so that nothing is
    told by colour alone.

    Parameters
    ----------
    rule : BayesRule
        The rule, in one or two features.
    boundary : DecisionBoundary
        Its boundary within the limits.
    grid : tuple of ndarray
        Coordinates along each axis at which `log_joints` are kept.
    log_joints : ndarray of shape (n_1, ..., n_classes)
        The log joint densities on the grid.
    X : ndarray of shape (n, n_features), optional
        Data points to draw.
    y : ndarray of shape (n,), optional
        Their classes.
    feature_names : tuple of str
        Axis labels.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn last.
    figure_ : matplotlib Figure
        Its figure.
    regions_ : list
        The filled regions.
    lines_ : list of matplotlib Line2D
        The boundary, a line a piece.
    contours_ : list
        Density contours (two features) or curves (one).
    points_ : list
        The data, a collection a class.

    Notes
    -----
    scikit-learn's DecisionBoundaryDisplay draws what any classifier predicts on a grid. This
    display draws coordinates that do not depend on one, and needs densities.

    Examples
    --------
    >>> from scipy.stats import multivariate_normal
    >>> from afterfit.boundary import BayesBoundaryDisplay, BayesRule
    >>> rule = BayesRule([multivariate_normal([0, 0]), multivariate_normal([2, 1])],
    ...                  classes=["a", "b"])
    >>> display = BayesBoundaryDisplay.from_rule(rule, limits=((-3, 5), (-3, 4)))
    >>> len(display.lines_)
    1
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """

    rule: BayesRule
    boundary: DecisionBoundary
    grid: tuple[Array, ...]
    log_joints: Array
    X: Array | None = None
    y: NDArray[Any] | None = None
    feature_names: tuple[str, ...] = ()
    ax_: Any = field(default=None, repr=False)
    figure_: Any = field(default=None, repr=False)
    regions_: list[Any] = field(default_factory=list, repr=False)
    lines_: list[Any] = field(default_factory=list, repr=False)
    contours_: list[Any] = field(default_factory=list, repr=False)
    points_: list[Any] = field(default_factory=list, repr=False)

    @classmethod
    def from_rule(
        cls,
        rule: BayesRule,
        X: Any = None,
        y: Any = None,
        *,
        limits: Sequence[Any] | ArrayLike | None = None,
        feature_names: Sequence[str] | None = None,
        grid_resolution: int = 100,
        tolerance: float = 1e-4,
        ax: Any = None,
        **plot_options: Any,
    ) -> Self:
        """Return the display of a rule, drawn.

        Parameters
        ----------
        rule : BayesRule
            In one or two features; `BayesRule.slice` makes one of more.
        X : array-like of shape (n, n_features), optional
            Data points to draw; without `limits` they set them, with 8 % to spare.
        y : array-like of shape (n,), optional
            Their classes.
        limits : (low, high), or ((low, high), (low, high)), keyword-only, optional
            What to draw.
        feature_names : sequence of str, keyword-only, optional
            Axis labels; by default the column names of a DataFrame `X`, else x, or x1 and x2.
        grid_resolution : int, keyword-only
            Points along an axis for fills and density contours. Boundaries do not depend on it.
        tolerance : float, keyword-only
            Of the boundary, as a fraction of the range.
        ax : matplotlib Axes, keyword-only, optional
            Where to draw; new axes if None.
        **plot_options
            For `plot`.

        Returns
        -------
        BayesBoundaryDisplay
            Drawn once; `plot` draws it again elsewhere.

        Examples
        --------
        >>> from scipy.stats import norm
        >>> display = BayesBoundaryDisplay.from_rule(
        ...     BayesRule([norm(0, 1), norm(3, 1.5)]), limits=(-8, 8))
        >>> display.boundary.points.round(3)
        array([-6.197,  1.397])
        >>> import matplotlib.pyplot as plt
        >>> plt.close(display.figure_)
        """
        if not isinstance(rule, BayesRule):
            raise TypeError(f"`rule` must be a BayesRule, got {type(rule).__name__}.")
        grid_resolution = check_integer(grid_resolution, "grid_resolution", low=10)
        data = None if X is None else check_points(X, rule.n_features, rule._columns)
        names = axis_names(X, feature_names)
        labels = check_data_labels(y, data, rule.classes)
        box = check_limits(limits_of(data) if limits is None else limits, rule.n_features)
        if data is not None and data.shape[1] != len(box):
            raise ValueError(f"`X` must have {len(box)} feature(s), got {data.shape[1]}.")
        if names and len(names) != len(box):
            raise ValueError(f"`feature_names` must name {len(box)} feature(s), got {len(names)}.")
        grid = tuple(np.linspace(*side, grid_resolution) for side in box)
        try:
            boundary = rule.boundary(box[0] if len(box) == 1 else box, tolerance=tolerance)
            joints = _joints_on(grid, rule)
        except ValueError as error:
            if limits is not None:
                raise
            raise ValueError(
                f"`limits` must be given: those of `X` with {PADDING:.0%} to spare, {box}, reach "
                f"points where the rule fails. {error}"
            ) from error
        names = names or (("x",) if len(box) == 1 else ("x1", "x2"))
        display = cls(rule, boundary, grid, joints, data, labels, names)
        return display.plot(ax=ax, **plot_options)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: Any = None,
        *,
        priors: ArrayLike | None = None,
        losses: ArrayLike | None = None,
        reject_cost: float | None = None,
        reject_label: Hashable | None = None,
        **options: Any,
    ) -> Self:
        """Return the display of a fitted generative classifier, drawn.

        Parameters
        ----------
        estimator : fitted estimator
            Of a kind that `BayesRule.from_estimator` takes, in one or two features.
        X, y : array-like, optional
            Data points to draw, and their classes.
        priors, losses, reject_cost, reject_label : keyword-only, optional
            As in `BayesRule.from_estimator`.
        **options
            For `from_rule`.

        Returns
        -------
        BayesBoundaryDisplay
            Drawn once; `plot` draws it again elsewhere.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> petals = X[["petal length (cm)", "petal width (cm)"]]
        >>> display = BayesBoundaryDisplay.from_estimator(
        ...     GaussianNB().fit(petals, y), petals, y)
        >>> display.ax_.get_xlabel()
        'petal length (cm)'
        >>> import matplotlib.pyplot as plt
        >>> plt.close(display.figure_)
        """
        rule = BayesRule.from_estimator(
            estimator,
            priors=priors,
            losses=losses,
            reject_cost=reject_cost,
            reject_label=reject_label,
        )
        return cls.from_rule(rule, X, y, **options)

    def plot(
        self,
        ax: Any = None,
        *,
        regions: bool = True,
        densities: bool = True,
        points: bool = True,
        legend: bool = True,
        density_levels: Sequence[float] = (0.5, 0.1, 0.01),
    ) -> Self:
        """Draw, and return the display.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; new axes if None.
        regions, densities, points, legend : bool, keyword-only
            What to draw beside the boundary.
        density_levels : sequence of float, keyword-only
            Density contours are drawn at these fractions of each class's peak within the limits.

        Returns
        -------
        BayesBoundaryDisplay
            Itself, with `ax_`, `figure_`, `regions_`, `lines_`, `contours_` and `points_`.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from scipy.stats import norm
        >>> display = BayesBoundaryDisplay.from_rule(
        ...     BayesRule([norm(0, 1), norm(2, 1)]), limits=(-3, 5))
        >>> figure, ax = plt.subplots()
        >>> display.plot(ax=ax, legend=False).ax_ is ax
        True
        >>> plt.close("all")
        """
        plt = pyplot()

        levels = check_levels(density_levels)
        if ax is None:
            _, ax = plt.subplots()
        self.ax_, self.figure_ = ax, ax.figure
        classes, decisions = self.rule.classes.tolist(), self.rule.decisions.tolist()
        colors = _drawing.colors_of(len(decisions))
        of_classes = colors[: len(classes)]
        self.regions_, self.contours_, self.points_ = [], [], []
        if regions:
            self.regions_ = self._draw_regions(colors)
        if densities and not self.rule._common_term_unknown:
            self.contours_ = (
                _drawing.draw_densities(ax, self.grid, self.log_joints, of_classes)
                if len(self.grid) == 1
                else _drawing.draw_contours(ax, self.grid, self.log_joints, of_classes, levels)
            )
        pieces = [piece.points for piece in self.boundary.pieces]
        self.lines_ = _drawing.draw_boundary(ax, pieces)
        if points and self.X is not None:
            self.points_ = _drawing.draw_points(ax, self.X, self.y, classes, colors)
        _drawing.frame(ax, self.grid, self.feature_names)
        if legend and len(decisions) > _drawing.LEGEND_ENTRIES:
            joints = self.log_joints
            chosen = self.rule._table.choose_smoothly(joints.reshape(-1, joints.shape[-1]))
            _drawing.name_regions(ax, self.grid, chosen.reshape(joints.shape[:-1]), decisions)
        elif legend:
            shown = {"curves": bool(self.contours_), "marked": points and self.y is not None}
            _drawing.draw_legend(ax, decisions, len(classes), regions=regions, **shown)
        return self

    def _draw_regions(self, colors: list[Any]) -> list[Any]:
        table = self.rule._table
        if len(self.grid) == 2:
            return _drawing.draw_regions(self.ax_, self.grid, self.log_joints, table, colors)
        (x,) = self.grid
        roots = sorted(float(piece.points[0]) for piece in self.boundary.pieces)
        edges = np.array([x[0], *roots, x[-1]])
        middles = 0.5 * (edges[1:] + edges[:-1])
        decided = table.choose_smoothly(self.rule._log_joints(middles[:, None]))
        return _drawing.draw_intervals(self.ax_, edges.tolist(), decided.tolist(), colors)


def _joints_on(grid: tuple[Array, ...], rule: BayesRule) -> Array:
    """Return the log joint densities on a grid, (n_1, ..., n_classes)."""
    mesh = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1)
    joints = rule._whole_joints(mesh.reshape(-1, len(grid)))
    return joints.reshape(*mesh.shape[:-1], -1)
