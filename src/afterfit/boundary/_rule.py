"""The Bayes rule of given densities, priors and losses: decisions, boundary curves, and risk.

The rule decides at every point for the class whose expected loss under the posterior is least; its
boundary is where two decisions tie. Nothing is fitted: densities come as functions, SciPy
distributions, kernel density estimates, Gaussian mixtures, or from a fitted generative classifier.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from afterfit._labels import as_written
from afterfit._validation import (
    as_float_array,
    check_choice,
    check_integer,
    check_matrix,
    check_random_state,
    check_real,
    listing,
)
from afterfit.boundary import _contours, _lattice, _risk
from afterfit.boundary._decisions import DecisionTable
from afterfit.boundary._densities import (
    as_density,
    as_fitted,
    checked_log_density,
    common_n_features,
    sliced,
    takes,
)
from afterfit.boundary._drawing import colors_of, draw_legend, draw_line, draw_plane, draw_points
from afterfit.boundary._estimators import read_estimator

__all__ = [
    "BayesBoundaryDisplay",
    "BayesRule",
    "BoundaryPiece",
    "DecisionBoundary",
    "ErrorRate",
]

Array = NDArray[np.float64]
Box = tuple[tuple[float, float], ...]

# Priors must add up to one within this much.
PRIOR_TOLERANCE = 1e-8

# Points are worked on so many at a time: their intermediate arrays then stay in the cache.
CHUNK_ROWS = 16_384

# Samples along an axis before refinement, by the number of features.
RESOLUTION = {1: 1024, 2: 64}

# Boundary of one feature: roots are polished to this fraction of the range, whatever is asked.
ROOT_TOLERANCE = 1e-12

# Coarser, cheaper curves serve the risk: where they run, both decisions cost the same.
RISK_CURVE_TOLERANCE = 1e-6
RISK_EVALUATIONS = 200_000

# Limits drawn around data: this fraction of the range on either side.
PADDING = 0.08


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
            part.insert(0, "right", _as_labels([piece.classes[1]] * len(part)))
            part.insert(0, "left", _as_labels([piece.classes[0]] * len(part)))
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


class BayesRule:
    """The Bayes rule of class densities, priors and losses.

    It decides for the class j that minimises the expected loss, sum_i P(i | x) losses[i, j]; for
    rejection, where that costs less. Under the default zero-one loss that is the class of largest
    posterior probability. Ties go to the decision that comes first in `classes`, and to any class
    before rejection. Where every class with positive prior has density zero, nothing is learned:
    the posterior is then the prior, and the rule decides by it.

    Parameters
    ----------
    log_densities : sequence, or mapping from class to density
        One density a class, each either a function, a frozen continuous SciPy distribution
        (univariate, `multivariate_normal`, `multivariate_t`), a `scipy.stats.gaussian_kde`, a
        fitted `sklearn.neighbors.KernelDensity`, a fitted scikit-learn Gaussian mixture, or a
        `GaussianMixtureParameters`. A function takes shape (n,) for one feature, (n, d) above,
        and returns the log density, shape (n,); -inf where the density is zero.
    priors : sequence of float, or mapping or Series from class to float, optional
        Prior probabilities adding up to 1, a sequence in the order of the classes; some may be 0.
        Equal if None: say so where it matters, it is an assumption like any other.
    losses : array-like of shape (n_classes, n_classes), optional
        `losses[i, j]` is the cost of deciding class j when the truth is class i. A DataFrame has
        the classes as its index (truth) and columns (decisions), in any order. Zero-one if None.
    reject_cost : float, optional
        The cost of deciding for no class, whatever the truth. Nothing is rejected if None.
    classes : sequence of labels, optional
        Names of the classes, of any hashable type; 0, 1, ... if None. With a mapping they are its
        keys.
    values : {"log_density", "density"}, keyword-only
        What functions return. SciPy and scikit-learn objects know that themselves.
    vectorized : bool, keyword-only
        Whether functions take many points at once. If False they are called with one float (one
        feature) or one array of shape (d,) at a time, and return one number.
    n_features : int, keyword-only, optional
        The number of features. Known from SciPy and scikit-learn objects; with functions alone
        it follows from the points or limits that methods are given.
    reject_label : label, keyword-only, optional
        What `predict` returns for rejected points; by default -1 where all classes are numbers,
        else "reject".

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The labels.
    priors : ndarray of shape (n_classes,)
        The prior probabilities.
    losses : ndarray of shape (n_classes, n_classes)
        The loss matrix.
    decisions : ndarray of shape (n_decisions,)
        The classes, followed by `reject_label` if there is a `reject_cost`.

    See Also
    --------
    BayesBoundaryDisplay : Draws the regions of a rule, its boundary, densities, and data.

    Notes
    -----
    Rejection against a fixed cost is Chow's rule [1]_: under zero-one loss, reject where the
    largest posterior probability is below 1 - reject_cost. See [2]_, sections 2.2 to 2.6, for the
    rest.

    References
    ----------
    .. [1] C. K. Chow, "On optimum recognition error and reject tradeoff", IEEE Transactions on
       Information Theory 16 (1970), 41-46. doi:10.1109/TIT.1970.1054406
    .. [2] R. O. Duda, P. E. Hart and D. G. Stork, "Pattern Classification", 2nd edition, Wiley,
       2001.

    Examples
    --------
    Two normal distributions of unequal spread have two boundary points, not one:

    >>> from scipy.stats import norm
    >>> from afterfit.boundary import BayesRule
    >>> rule = BayesRule([norm(0, 1), norm(3, 1.5)], classes=["narrow", "wide"])
    >>> rule.boundary((-10, 10)).points.round(6)
    array([-6.197325,  1.397325])
    >>> rule.predict([-8.0, 0.0, 2.0]).tolist()
    ['wide', 'narrow', 'wide']
    >>> round(rule.error_rate().risk, 4)
    0.1119
    """

    def __init__(
        self,
        log_densities: Sequence[Any] | Mapping[Any, Any],
        priors: ArrayLike | None = None,
        losses: ArrayLike | None = None,
        reject_cost: float | None = None,
        classes: Sequence[Hashable] | ArrayLike | None = None,
        *,
        values: str = "log_density",
        vectorized: bool = True,
        n_features: int | None = None,
        reject_label: Hashable | None = None,
    ) -> None:
        sources, self.classes = _check_sources(log_densities, classes)
        check_choice(values, "values", ("log_density", "density"))
        if not isinstance(vectorized, bool | np.bool_):
            raise TypeError(f"`vectorized` must be True or False, got {vectorized!r}.")
        if n_features is not None:
            n_features = check_integer(n_features, "n_features", low=1)
        self._densities = tuple(
            as_density(
                source,
                f"class {label!r}",
                values=values,
                vectorized=bool(vectorized),
                n_features=n_features,
            )
            for source, label in zip(sources, self.classes.tolist(), strict=True)
        )
        self._n_features = common_n_features(self._densities)
        self._columns = _columns_of_fit(sources)
        self.priors = _check_priors(priors, self.classes)
        self.losses = _check_losses(losses, self.classes)
        self.reject_cost, self.reject_label = _check_rejection(
            reject_cost, reject_label, self.classes
        )
        self.decisions = self.classes
        table = self.losses
        if self.reject_cost is not None:
            self.decisions = _as_labels([*self.classes.tolist(), self.reject_label])
            table = np.column_stack([table, np.full(len(table), self.reject_cost)])
        self._table = DecisionTable(table)
        with np.errstate(divide="ignore"):
            self._log_priors = np.log(self.priors)
        self._is_slice = False
        self._common_term_unknown = False
        self._scores: BayesRule | None = None

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        priors: ArrayLike | None = None,
        losses: ArrayLike | None = None,
        reject_cost: float | None = None,
        reject_label: Hashable | None = None,
    ) -> Self:
        """Return the rule that a fitted generative classifier stands for.

        Parameters
        ----------
        estimator : fitted GaussianNB, LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis, \
GaussianMixture, BayesianGaussianMixture, GaussianMixtureParameters, or a Pipeline that ends in one
            Of a mixture, the classes are its components, 0, 1, ...: clusters, not classes.
        priors : sequence of float, keyword-only, optional
            Prior probabilities in place of the estimator's own (of a mixture, its weights).
        losses, reject_cost, reject_label : keyword-only, optional
            As in the constructor.

        Returns
        -------
        BayesRule
            With the estimator's priors, it decides as its `predict` does.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is not of a kind whose densities are known.

        Notes
        -----
        LinearDiscriminantAnalysis with its default solver keeps no covariance matrix, only the
        discriminant subspace, and the densities of a Pipeline are those of the transformed
        features. Decisions, posteriors, boundaries and the risk depend on nothing else, but
        `log_joints` is then known up to a term common to all classes, and there are no density
        contours to draw. The solvers "lsqr" and "eigen" keep the covariance, as does
        `store_covariance=True`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
        >>> X, y = load_iris(return_X_y=True)
        >>> qda = QuadraticDiscriminantAnalysis().fit(X[:, 2:], y)
        >>> rule = BayesRule.from_estimator(qda)
        >>> bool((rule.predict(X[:, 2:]) == qda.predict(X[:, 2:])).all())
        True
        """
        model = read_estimator(estimator)
        if priors is None:  # fitted in single precision, they add up to 1 only nearly
            priors = np.asarray(model.priors, dtype=np.float64) / np.sum(model.priors, dtype=float)
        options = (priors, losses, reject_cost, model.classes)
        rule = cls(model.densities, *options, reject_label=reject_label)
        rule._columns = _columns_of_fit([estimator])
        if model.scores is not None:
            rule._common_term_unknown = True
            rule._scores = cls(model.scores, *options, reject_label=reject_label)
        return rule

    @property
    def n_features(self) -> int | None:
        """The number of features, or None where functions alone cannot say.

        Returns
        -------
        int or None
            As given, or as SciPy and scikit-learn objects know.
        """
        return self._n_features

    def __repr__(self) -> str:
        """Return classes with priors, and whether losses or rejection are in force."""
        listed = ", ".join(
            f"{label!r}: {prior:.4g}"
            for label, prior in zip(self.classes.tolist(), self.priors, strict=True)
        )
        is_zero_one = np.array_equal(self.losses, 1.0 - np.eye(len(self.classes)))
        loss = "zero-one loss" if is_zero_one else "given losses"
        reject = "" if self.reject_cost is None else f", rejecting costs {self.reject_cost:g}"
        return f"BayesRule(priors {{{listed}}}, {loss}{reject})"

    def log_joints(self, X: ArrayLike) -> Array:
        """Return log(prior_k f_k(x)) for every point and class.

        Parameters
        ----------
        X : array-like of shape (n,) or (n, 1) for one feature, (n, d) above
            Finite points.

        Returns
        -------
        ndarray of shape (n, n_classes)
            -inf where prior or density is zero.

        Raises
        ------
        ValueError
            If a density returns NaN, a negative density, or a wrong shape; the message names the
            class, the function and the point.

        Examples
        --------
        >>> from scipy.stats import uniform
        >>> rule = BayesRule([uniform(0, 1), uniform(0, 2)], priors=[0.25, 0.75])
        >>> import numpy as np
        >>> np.exp(rule.log_joints([0.5, 1.5])).round(3)
        array([[0.25 , 0.375],
               [0.   , 0.375]])
        """
        return self._by_chunks(self._points(X), lambda joints: joints, len(self.classes))

    def posterior(self, X: ArrayLike) -> Array:
        """Return the posterior probability of every class, in [0, 1]; rows add up to 1.

        Parameters
        ----------
        X : array-like of shape (n,) or (n, 1) for one feature, (n, d) above
            Finite points.

        Returns
        -------
        ndarray of shape (n, n_classes)
            The prior, where every class has density zero.

        Examples
        --------
        >>> from scipy.stats import norm
        >>> BayesRule([norm(0, 1), norm(2, 1)]).posterior([1.0, 2.0]).round(4)
        array([[0.5   , 0.5   ],
               [0.1192, 0.8808]])
        """
        return self._by_chunks(self._points(X), self._normalised, len(self.classes))

    def expected_losses(self, X: ArrayLike) -> Array:
        """Return the expected loss of every decision under the posterior.

        Parameters
        ----------
        X : array-like of shape (n,) or (n, 1) for one feature, (n, d) above
            Finite points.

        Returns
        -------
        ndarray of shape (n, n_decisions)
            One column a class, in the units of the losses, and a last one for rejection if there
            is a `reject_cost`.

        Examples
        --------
        >>> from scipy.stats import norm
        >>> rule = BayesRule([norm(0, 1), norm(2, 1)], losses=[[0, 1], [10, 0]], reject_cost=0.5)
        >>> rule.expected_losses([1.0]).round(3)
        array([[5. , 0.5, 0.5]])
        """
        return self.posterior(X) @ self._table.losses

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the decision of least expected loss at every point.

        Parameters
        ----------
        X : array-like of shape (n,) or (n, 1) for one feature, (n, d) above
            Finite points.

        Returns
        -------
        ndarray of shape (n,)
            Labels from `decisions`. Ties go to the one that comes first.

        Examples
        --------
        A class that must not be missed is decided for far from its mean:

        >>> from scipy.stats import norm
        >>> rule = BayesRule([norm(0, 1), norm(2, 1)], losses=[[0, 1], [10, 0]],
        ...                  classes=["well", "ill"])
        >>> rule.predict([-0.5, 0.0, 0.5]).tolist()
        ['well', 'ill', 'ill']
        """
        chosen = self._by_chunks(self._points(X), self._decide, dtype=np.intp)
        return np.asarray(self.decisions[chosen])

    def margin(self, X: ArrayLike) -> Array:
        """Return the log odds of the best decision against the second best; 0 on the boundary.

        For decisions a and b, the ratio is that of what speaks for a, the sum over classes of
        prior_i f_i(x) (losses[i, b] - losses[i, a]) where positive, to what speaks for b. Under
        zero-one loss these are the log posterior odds of the two most probable classes.

        Parameters
        ----------
        X : array-like of shape (n,) or (n, 1) for one feature, (n, d) above
            Finite points.

        Returns
        -------
        ndarray of shape (n,)
            At least 0, without an upper bound; inf where nothing speaks for the second best.

        Examples
        --------
        >>> from scipy.stats import norm
        >>> BayesRule([norm(0, 1), norm(2, 1)]).margin([0.0, 1.0, 3.0]).round(6)
        array([2., 0., 4.])
        """
        return self._by_chunks(
            self._points(X), lambda joints: self._table.margin(self._informed(joints))
        )

    def slice(self, point: ArrayLike, features: int | Sequence[int]) -> BayesRule:
        """Return the rule on one or two features, the others held at a point.

        Parameters
        ----------
        point : array-like of shape (d,)
            Where the slice passes, finite; entries at `features` make no difference.
        features : int, or sequence of one or two ints
            Columns that stay free, in this order.

        Returns
        -------
        BayesRule
            Its decisions and boundaries are those of the whole rule in the plane (or on the line)
            through the point. It has no error rate: a slice of a density is not one.

        Examples
        --------
        >>> import numpy as np
        >>> from scipy.stats import multivariate_normal
        >>> rule = BayesRule([multivariate_normal(np.zeros(3)), multivariate_normal(np.ones(3))])
        >>> line = rule.slice([0.0, 1.0, 1.0], features=[0])
        >>> line.boundary((-5, 5)).points.round(6)
        array([-0.5])
        """
        rows = check_matrix(np.atleast_2d(as_float_array(point, "point")), "point")
        if len(rows) != 1:
            raise ValueError(f"`point` must be one point, of shape (d,), got {len(rows)} rows.")
        at, d = rows[0], rows.shape[1]
        if self.n_features is not None and d != self.n_features:
            raise ValueError(f"`point` must have the rule's {self.n_features} feature(s), got {d}.")
        free = [
            check_integer(value, "features", low=0, high=d - 1)
            for value in np.atleast_1d(features).tolist()
        ]
        if len(free) not in (1, 2) or len(set(free)) < len(free):
            raise ValueError(f"`features` must be one or two distinct columns, got {features!r}.")
        rule = BayesRule(
            [sliced(density, at, free) for density in self._densities],
            self.priors,
            self.losses,
            self.reject_cost,
            self.classes,
            reject_label=self.reject_label,
        )
        rule._is_slice = True
        rule._columns = None if self._columns is None else [self._columns[k] for k in free]
        rule._common_term_unknown = self._common_term_unknown
        return rule

    def boundary(
        self,
        limits: Sequence[Any] | ArrayLike,
        *,
        tolerance: float = 1e-6,
        resolution: int | None = None,
        max_evaluations: int = 200_000,
    ) -> DecisionBoundary:
        """Return the coordinates of every piece of the decision boundary within limits.

        Parameters
        ----------
        limits : (low, high), or ((low, high), (low, high))
            The range of the one feature, or of the two.
        tolerance : float, keyword-only
            How far vertices and chords may lie from the boundary, as a fraction of the range; in
            [1e-9, 0.01]. Roots of one feature are always found to 1e-12 of the range.
        resolution : int, keyword-only, optional
            How many intervals each range is sampled at before refinement: 1024 for one feature, 64
            for two if None. See the notes for what it promises.
        max_evaluations : int, keyword-only
            When the densities have been evaluated at about so many points, no more cells are
            split and a warning says where it was not done. Placing the vertices on what was
            found comes on top.

        Returns
        -------
        DecisionBoundary
            Roots or curves, each with its two decisions, and the junctions of three.

        Warns
        -----
        UserWarning
            If `max_evaluations` is reached before all cells are resolved.

        Notes
        -----
        What is traced is the zero of the log odds of two decisions (see `margin`), not a change
        of labels on a grid. Cells are split until at most one smooth boundary can pass. A region
        between samples is found if, within a cell, second derivatives of the log odds exceed those
        sampled there by no more than a factor of 4: then neither thin nor small regions are missed,
        whatever their size. (For normal densities the factor is 1.) Means of distributions, of the
        components of mixtures, and data of kernel estimates are looked at as well, and from low
        points of each decision's deficit a search goes downhill. A spike narrower than the samples
        in a function that says nothing about it can be missed: raise `resolution`, or give a
        distribution in place of a function.

        Where two classes tie over a whole region, the first has it. Around points where all
        densities are zero no boundary is drawn. At the edge of a density's support, curves follow
        the edge, and corners are cut by at most 1 / (16 `resolution`) of the range.

        The cells follow Plantinga and Vegter [1]_, with sampled bounds in place of interval
        arithmetic; sides are searched by Chandrupatla's method.

        References
        ----------
        .. [1] S. Plantinga and G. Vegter, "Isotopic approximation of implicit curves and
           surfaces", Symposium on Geometry Processing (2004), 245-254.
           doi:10.1145/1057432.1057465

        Examples
        --------
        >>> import numpy as np
        >>> from scipy.stats import multivariate_normal
        >>> rule = BayesRule([multivariate_normal([3, 6], np.diag([0.5, 2])),
        ...                   multivariate_normal([3, -2], np.diag([2, 2]))])
        >>> curve = rule.boundary(((-2, 8), (0, 10))).points
        >>> parabola = 3.514213 - 1.125 * curve[:, 0] + 0.1875 * curve[:, 0] ** 2
        >>> bool(np.abs(curve[:, 1] - parabola).max() < 1e-6)
        True
        """
        box = self._check_limits(limits)
        tolerance = check_real(tolerance, "tolerance", low=1e-9, high=0.01)
        d = len(box)
        if resolution is None:
            resolution = RESOLUTION[d]
        resolution = check_integer(resolution, "resolution", low=8, high=1_000_000)
        max_evaluations = check_integer(max_evaluations, "max_evaluations", low=1)
        lines = tuple(
            _lattice.coarse_lines(*side, -(-resolution // 2), axis) for axis, side in enumerate(box)
        )
        traced = self._trace(lines, tolerance, max_evaluations)
        if traced.exhausted:
            warnings.warn(
                f"The boundary is not resolved in {len(traced.unresolved)} cells (attribute "
                f"`unresolved`), the first around {_middle(traced.unresolved[0])}: "
                f"{traced.n_evaluations} points were evaluated. Raise `max_evaluations` "
                f"(now {max_evaluations}) or narrow `limits`.",
                UserWarning,
                stacklevel=2,
            )
        return DecisionBoundary(
            self._pieces(traced),
            traced.junctions,
            box[0] if d == 1 else box,
            tolerance,
            traced.n_evaluations,
            traced.unresolved,
        )

    def error_rate(
        self,
        region: Sequence[Any] | ArrayLike | None = None,
        *,
        of: Any = None,
        method: str = "auto",
        tolerance: float = 1e-8,
        max_evaluations: int = 50_000_000,
        n_draws: int = 100_000,
        random_state: Any = None,
    ) -> ErrorRate:
        """Return the Bayes risk: the least expected loss that any rule can have.

        Parameters
        ----------
        region : (low, high) or one such pair a feature, optional
            Where to integrate; what lies outside is left out of the risk. By default the whole
            space: distributions say where their mass is, and of functions it is looked for.
        of : BayesRule, or fitted estimator with `predict`, keyword-only, optional
            Another rule for the same classes whose decisions are judged under these densities,
            priors and losses: the risk of a fitted classifier in place of the best possible.
        method : {"auto", "integration", "monte_carlo"}, keyword-only
            "auto" integrates in one and two features, and draws above or where `of` is an
            estimator.
        tolerance : float, keyword-only
            Absolute error that integration aims at, in units of the losses; in [1e-12, 0.1].
        max_evaluations : int, keyword-only
            When integration has evaluated the densities at about so many points, it ends; a
            warning says what was reached.
        n_draws : int, keyword-only
            Points of Monte Carlo; at least 100.
        random_state : None, int, Generator or RandomState, keyword-only
            For Monte Carlo.

        Returns
        -------
        ErrorRate
            Risk, its error, and the probability of every pair of truth and decision.

        Raises
        ------
        ValueError
            If the densities found do not integrate to 1 over the whole space: one is not
            normalised, or its mass was not found.

        Warns
        -----
        UserWarning
            If integration could not reach `tolerance`: densities of two features that jump along
            curves of their own, such as tophat kernels, take very many evaluations.

        Notes
        -----
        Integration is adaptive (Gauss-Kronrod, 15 points), in two features nested, split at the
        decision boundary. Monte Carlo draws from the densities, as many from each class as its
        prior asks for, and averages the loss expected under the posterior rather than the loss
        incurred. Functions cannot be drawn from: their modes are searched for, Student
        distributions placed there and adapted serve for importance sampling; with a `region`,
        uniform draws from it.

        Examples
        --------
        Two normal distributions two standard deviations apart, error rate Phi(-1):

        >>> from scipy.stats import norm
        >>> rate = BayesRule([norm(0, 1), norm(2, 1)]).error_rate()
        >>> round(rate.risk, 6), rate.method
        (0.158655, 'integration')
        """
        check_choice(method, "method", ("auto", "integration", "monte_carlo"))
        tolerance = check_real(tolerance, "tolerance", low=1e-12, high=0.1)
        max_evaluations = check_integer(max_evaluations, "max_evaluations", low=1)
        n_draws = check_integer(n_draws, "n_draws", low=100)
        rng = check_random_state(random_state)
        if self._is_slice:
            raise ValueError("A slice has no error rate: take that of the rule it was cut from.")
        if self._scores is not None:
            if region is not None or of is not None:
                raise ValueError(
                    "The risk of a Pipeline, or of a LinearDiscriminantAnalysis that keeps no "
                    "covariance, is known only over the whole space and for itself. `region` and "
                    "`of` need densities of the features: fit without a Pipeline, and with "
                    "`store_covariance=True`."
                )
            rate = self._scores.error_rate(
                method=method,
                tolerance=tolerance,
                max_evaluations=max_evaluations,
                n_draws=n_draws,
                random_state=rng,
            )
            return replace(rate, region=None)  # it would be one of transformed features
        box = None if region is None else self._check_region(region)
        d = self._known_n_features() if box is None else len(box)
        tracer = self if of is None else of
        traceable = d <= 2 and isinstance(tracer, BayesRule)
        if method == "integration" and not traceable:
            raise ValueError(
                "`method` can be 'integration' for one or two features, and a BayesRule as `of`, "
                f"got {d} and {type(tracer).__name__}; use 'monte_carlo'."
            )
        problem = _risk.Problem(
            self._densities, self.priors, self._log_joints, self._table, self._judge(of, d)
        )
        if method == "monte_carlo" or not traceable:
            estimate = _risk.draw(problem, box, d, n_draws, rng)
            return self._rate(estimate, "monte_carlo")

        def trace(lines: tuple[Array, ...]) -> list[_contours.Curve]:
            return tracer._trace(lines, RISK_CURVE_TOLERANCE, RISK_EVALUATIONS).curves

        estimate = _risk.integrate(problem, trace, box, d, tolerance, max_evaluations)
        if estimate.error > tolerance:
            warnings.warn(
                f"The risk is known to within {estimate.error:.1g}, not {tolerance:g}, after "
                f"{estimate.n_evaluations} points were evaluated. Raise `max_evaluations` (now "
                f"{max_evaluations}) or `tolerance`, give `region`, or use "
                '`method="monte_carlo"`.',
                UserWarning,
                stacklevel=2,
            )
        return self._rate(estimate, "integration")

    # What follows is private: set-up, evaluation, and the ways to the risk.

    def _points(self, X: ArrayLike) -> Array:
        """Return points of shape (n, n_features)."""
        columns = list(X.columns) if isinstance(X, pd.DataFrame) else None
        if columns is None:
            X = as_float_array(X, "X")
            if X.ndim <= 1 and self._n_features not in (None, 1):
                raise ValueError(
                    f"`X` must have shape (n_samples, {self._n_features}), got shape {X.shape}."
                )
            X = X.reshape(-1, 1) if X.ndim <= 1 else X
        points = check_matrix(X)
        if self._n_features is not None and points.shape[1] != self._n_features:
            raise ValueError(f"`X` must have {self._n_features} feature(s), got {points.shape[1]}.")
        fitted = self._columns
        if columns is not None and fitted is not None and columns != fitted:
            raise ValueError(
                "`X` must have the columns of the fit, in their order: "
                f"{listing([repr(name) for name in fitted])}; "
                f"got {listing([repr(name) for name in columns])}."
            )
        return points

    def _log_joints(self, points: Array) -> Array:
        joints = np.empty((len(points), len(self._densities)), order="F")
        for k, density in enumerate(self._densities):
            if self.priors[k] == 0:
                joints[:, k] = -np.inf
            else:
                np.add(checked_log_density(density, points), self._log_priors[k], out=joints[:, k])
        return joints

    def _by_chunks(
        self,
        points: Array,
        function: Callable[[Array], NDArray[Any]],
        *width: int,
        dtype: type = float,
    ) -> NDArray[Any]:
        """Return a function of the log joints at all points, computed a few points at a time."""
        out: NDArray[Any] = np.empty((len(points), *width), dtype=dtype)
        for start in range(0, len(points), CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            out[rows] = function(self._log_joints(points[rows]))
        return out

    def _normalised(self, joints: Array) -> Array:
        """Return posterior probabilities from log joints."""
        joints = self._informed(joints)
        poles = joints == np.inf
        if poles.any():  # an infinite density outweighs any other; several share
            some = poles.any(axis=1)
            joints[some] = np.where(poles[some], 0.0, -np.inf)
        return np.asarray(np.exp(joints - logsumexp(joints, axis=1, keepdims=True)))

    def _informed(self, joints: Array) -> Array:
        """Return the joints, with the priors where no class has density."""
        top = joints[:, 0].copy()
        for k in range(1, joints.shape[1]):
            np.maximum(top, joints[:, k], out=top)
        empty = np.isneginf(top)
        if empty.any():
            joints[empty] = self._log_priors
        return joints

    def _decide(self, joints: Array) -> NDArray[np.intp]:
        return self._table.choose(self._informed(joints))

    def _check_limits(self, limits: Any) -> Box:
        if self._n_features is not None and self._n_features > 2:
            raise ValueError(
                f"`limits` are for one or two features, not the rule's {self._n_features} "
                "feature(s). Cut one or two features out with `slice`."
            )
        box = self._check_region(limits, "limits")
        if len(box) > 2:
            raise ValueError(f"`limits` must be for one or two features, got {len(box)}.")
        return box

    def _check_region(self, region: Any, name: str = "region") -> Box:
        box = _check_box(region, name)
        if self._n_features is not None and len(box) != self._n_features:
            raise ValueError(
                f"`{name}` must have one (low, high) for each of the rule's {self._n_features} "
                f"feature(s), got {len(box)}."
            )
        return box

    def _seeds(self, n_features: int) -> Array:
        known = [d.seeds for d in self._densities if d.seeds is not None]
        return np.concatenate([np.empty((0, n_features)), *known])

    def _trace(
        self, lines: tuple[Array, ...], tolerance: float, max_evaluations: int
    ) -> _contours.Tracing:
        find = _contours.find_roots if len(lines) == 1 else _contours.trace
        return find(
            self._log_joints,
            self._table,
            lines,
            seeds=self._seeds(len(lines)),
            tolerance=ROOT_TOLERANCE if len(lines) == 1 else tolerance,
            max_evaluations=max_evaluations,
        )

    def _pieces(self, traced: _contours.Tracing) -> tuple[BoundaryPiece, ...]:
        labels = self.decisions.tolist()
        return tuple(
            BoundaryPiece((labels[curve.left], labels[curve.right]), curve.points, curve.closed)
            for curve in traced.curves
        )

    def _known_n_features(self) -> int:
        if self._n_features is not None:
            return self._n_features
        if all(takes(density, 1) for density in self._densities) and not any(
            takes(density, 2) for density in self._densities
        ):
            return 1
        raise ValueError(
            "`n_features` is not known: all densities are functions, and they do not all take "
            "shape (n,) alone. Give `n_features` to BayesRule, or `region` here."
        )

    def _judge(self, of: Any, n_features: int) -> Callable[[Array, Array], NDArray[np.intp]]:
        """Return the function from points and their joints to decisions, as column numbers."""
        if of is None:
            return lambda _, joints: self._decide(joints.copy())
        if not callable(getattr(of, "predict", None)):
            raise TypeError(
                "`of` must be a BayesRule or a fitted estimator with `predict`, "
                f"got {type(of).__name__}."
            )
        theirs = of.n_features if isinstance(of, BayesRule) else getattr(of, "n_features_in_", None)
        if theirs not in (None, n_features):
            raise ValueError(f"`of` must have {n_features} feature(s) as the rule, got {theirs}.")
        number = {label: column for column, label in enumerate(self.decisions.tolist())}

        def decide(X: Array, _: Array) -> NDArray[np.intp]:
            decided = np.asarray(of.predict(as_fitted(of, X))).tolist()
            unknown = sorted({repr(label) for label in set(decided) - set(number)})
            if unknown:
                raise ValueError(
                    f"`of` must decide for {listing([repr(label) for label in number])}, "
                    f"got {listing(unknown)}."
                )
            return np.fromiter((number[label] for label in decided), np.intp, len(decided))

        return decide

    def _rate(self, estimate: _risk.Estimate, method: str) -> ErrorRate:
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
        data = None if X is None else rule._points(X)
        names = _axis_names(X, feature_names)
        labels = _check_labels(y, data, rule.classes)
        box = rule._check_limits(_limits_of(data) if limits is None else limits)
        if data is not None and data.shape[1] != len(box):
            raise ValueError(f"`X` must have {len(box)} feature(s), got {data.shape[1]}.")
        if names and len(names) != len(box):
            raise ValueError(f"`feature_names` must name {len(box)} feature(s), got {len(names)}.")
        boundary = rule.boundary(box[0] if len(box) == 1 else box, tolerance=tolerance)
        grid = tuple(np.linspace(*side, grid_resolution) for side in box)
        mesh = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1)
        joints = rule._log_joints(mesh.reshape(-1, len(box)))
        display = cls(
            rule=rule,
            boundary=boundary,
            grid=grid,
            log_joints=joints.reshape(*mesh.shape[:-1], -1),
            X=data,
            y=labels,
            feature_names=names or (("x",) if len(box) == 1 else ("x1", "x2")),
        )
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
        import matplotlib.pyplot as plt

        levels = sorted(
            {
                check_real(level, "density_levels", low=0.0, high=1.0, closed=False)
                for level in np.atleast_1d(density_levels).tolist()
            }
        )
        if ax is None:
            _, ax = plt.subplots()
        self.ax_, self.figure_ = ax, ax.figure
        colors = colors_of(len(self.rule.decisions))
        self.regions_, self.lines_, self.contours_, self.points_ = [], [], [], []
        draw = draw_line if len(self.grid) == 1 else draw_plane
        draw(self, colors, regions, densities and not self.rule._common_term_unknown, levels)
        if points and self.X is not None:
            draw_points(self, colors)
        ax.set_xlim(self.grid[0][0], self.grid[0][-1])
        ax.set_xlabel(self.feature_names[0])
        if len(self.grid) == 2:
            ax.set_ylim(self.grid[1][0], self.grid[1][-1])
            ax.set_ylabel(self.feature_names[1])
        if legend:
            draw_legend(self, colors, regions, points)
        return self


def _middle(cell: Array) -> tuple[float, ...]:
    return tuple(float(f"{0.5 * (low + high):.6g}") for low, high in cell.reshape(-1, 2))


def _as_labels(labels: Iterable[Any]) -> NDArray[Any]:
    """Return labels as an array of numbers or text, or of objects where kinds are mixed."""
    numpy_kinds = (np.bool_, np.integer, np.floating, np.str_)
    labels = [label.item() if isinstance(label, numpy_kinds) else label for label in labels]
    kinds = {type(label) for label in labels}
    if len(kinds) == 1 and kinds <= {int, float, bool, str}:
        return np.array(labels)
    array = np.empty(len(labels), dtype=object)
    array[:] = labels
    return array


def _columns_of_fit(sources: Sequence[Any]) -> list[Any] | None:
    """Return the columns of the tables that models were fitted on, or raise if they differ."""
    fits = [list(s.feature_names_in_) for s in sources if hasattr(s, "feature_names_in_")]
    for columns in fits:
        if columns != fits[0]:
            raise ValueError(
                "`log_densities` must be fitted on the same columns in the same order, got "
                f"{listing([repr(name) for name in fits[0]])} and "
                f"{listing([repr(name) for name in columns])}."
            )
    return fits[0] if fits else None


def _check_sources(log_densities: Any, classes: Any) -> tuple[list[Any], NDArray[Any]]:
    if isinstance(log_densities, Mapping):
        if classes is not None:
            raise ValueError("`classes` must be None with a mapping, whose keys are the classes.")
        sources, labels = list(log_densities.values()), list(log_densities)
    elif isinstance(log_densities, Sequence) and not isinstance(log_densities, str):
        sources = list(log_densities)
        classes = range(len(sources)) if classes is None else classes
        if not isinstance(classes, Iterable) or isinstance(classes, str | set | frozenset):
            raise TypeError(f"`classes` must be labels in an order, got {classes!r}.")
        labels = list(classes)
    else:
        raise TypeError(
            "`log_densities` must be a sequence or a mapping with one density a class, "
            f"got {type(log_densities).__name__}."
        )
    if len(sources) < 2:
        raise ValueError(f"`log_densities` must be for at least two classes, got {len(sources)}.")
    if len(labels) != len(sources):
        raise ValueError(
            f"`classes` must name each of the {len(sources)} densities, got {len(labels)} name(s)."
        )
    for label in labels:
        if not isinstance(label, Hashable):
            raise TypeError(f"`classes` must be hashable, got {label!r}.")
        if label is not None and pd.api.types.is_scalar(label) and pd.isna(label):
            raise ValueError(f"`classes` must not be missing, got {label!r}.")
    repeated = [label for i, label in enumerate(labels) if label in labels[:i]]
    if repeated:
        raise ValueError(f"`classes` must differ, got {listing(repeated)} more than once.")
    return sources, _as_labels(labels)


def _check_priors(priors: Any, classes: NDArray[Any]) -> Array:
    n = len(classes)
    if priors is None:
        return np.full(n, 1.0 / n)
    if isinstance(priors, Mapping | pd.Series):
        _check_names(list(priors.keys()), classes, "priors")
        named = dict(priors.items())
        priors = [named[label] for label in classes.tolist()]
    array = as_float_array(priors, "priors").copy()
    if array.shape != (n,):
        raise ValueError(
            f"`priors` must hold one probability for each of the {n} classes, "
            f"got shape {array.shape}."
        )
    if not (array >= 0).all() or abs(array.sum() - 1.0) > PRIOR_TOLERANCE:
        raise ValueError(
            f"`priors` must be at least 0 and add up to 1, got {array.tolist()} "
            f"(sum {array.sum():.10g})."
        )
    return array


def _check_names(names: list[Any], classes: NDArray[Any], argument: str) -> None:
    """Raise if what comes with labels of its own is labelled by anything but the classes."""
    if len(names) != len(classes) or set(names) != set(classes.tolist()):
        expected, got = (
            listing([repr(name) for name in side]) for side in (classes.tolist(), names)
        )
        raise ValueError(
            f"`{argument}` must be labelled by the classes ({expected}), got labels {got}. Give a "
            "list or an array to take them in the order of the classes."
        )


def _check_losses(losses: Any, classes: NDArray[Any]) -> Array:
    n_classes = len(classes)
    if losses is None:
        return 1.0 - np.eye(n_classes)
    if isinstance(losses, pd.DataFrame):
        for labels in (losses.index, losses.columns):
            _check_names(labels.tolist(), classes, "losses")
        losses = losses.loc[classes.tolist(), classes.tolist()]
    array = as_float_array(losses, "losses").copy()
    if array.shape != (n_classes, n_classes):
        raise ValueError(
            f"`losses` must have shape ({n_classes}, {n_classes}), losses[i, j] the cost of "
            f"deciding class j when the truth is class i, got shape {array.shape}."
        )
    return check_matrix(array, "losses")


def _check_rejection(
    cost: float | None, label: Hashable | None, classes: NDArray[Any]
) -> tuple[float | None, Hashable | None]:
    if cost is None:
        if label is not None:
            raise ValueError(
                f"`reject_label` needs a `reject_cost`, got label {label!r} without one."
            )
        return None, None
    number = check_real(cost, "reject_cost")
    if not np.isfinite(number):
        raise ValueError(f"`reject_cost` must be finite, got {cost!r}.")
    if label is None:
        label = -1 if classes.dtype.kind in "iuf" else "reject"
    if label in classes.tolist():
        listed = listing([repr(one) for one in classes.tolist()])
        raise ValueError(f"`reject_label` must differ from all classes ({listed}), got {label!r}.")
    return number, label


def _check_box(limits: Any, name: str) -> Box:
    array = as_float_array(limits, name)
    if array.shape == (2,):
        array = array[None, :]
    if array.ndim != 2 or array.shape[1:] != (2,) or len(array) == 0:
        raise ValueError(
            f"`{name}` must be (low, high) for one feature, or one such pair a feature, "
            f"got {limits!r}."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        width = array[:, 1] - array[:, 0]
    if not (np.isfinite(width) & (width > 0)).all():
        raise ValueError(
            f"`{name}` must be finite with low < high and a finite difference, got {limits!r}."
        )
    return tuple((float(low), float(high)) for low, high in array)


def _limits_of(data: Array | None) -> list[tuple[float, float]]:
    if data is None:
        raise ValueError("`limits` must be given where there are no data points `X` to set them.")
    low, high = data.min(axis=0), data.max(axis=0)
    room = PADDING * np.where(high > low, high - low, 1.0)
    return list(zip((low - room).tolist(), (high + room).tolist(), strict=True))


def _axis_names(X: Any, feature_names: Sequence[str] | None) -> tuple[str, ...]:
    if feature_names is not None:
        return tuple(str(name) for name in np.atleast_1d(feature_names))
    if isinstance(X, pd.Series):
        return (as_written(X.name),)
    return tuple(as_written(column) for column in X.columns) if isinstance(X, pd.DataFrame) else ()


def _check_labels(y: Any, data: Array | None, classes: NDArray[Any]) -> NDArray[Any] | None:
    if y is None:
        return None
    if data is None:
        raise ValueError("`y` must come with the data points `X`.")
    if not hasattr(y, "__len__"):
        raise TypeError(f"`y` must be one class for each row of `X`, got {type(y).__name__}.")
    shape = y.shape if hasattr(y, "shape") else (len(y),)
    if shape != (len(data),):
        raise ValueError(f"`y` must have shape ({len(data)},) as `X`, got {shape}.")
    labels = np.empty(len(y), dtype=object)
    labels[:] = list(y)
    known = set(classes.tolist())
    unknown = sorted(
        {repr(label) for label in labels if not isinstance(label, Hashable) or label not in known}
    )
    if unknown:
        accepted = listing([repr(label) for label in classes.tolist()])
        raise ValueError(f"`y` must hold classes of the rule ({accepted}), got {listing(unknown)}.")
    return labels
