"""The rule: what it is made of, what it decides, where it changes its mind, and what it costs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from afterfit._validation import (
    check_choice,
    check_integer,
    check_matrix,
    check_random_state,
    check_real,
)
from afterfit.boundary import _lattice, _risk
from afterfit.boundary._arguments import (
    as_labels,
    check_flag,
    check_free,
    check_limits,
    check_losses,
    check_priors,
    check_rejection,
    check_row,
    check_sources,
    columns_of_fit,
)
from afterfit.boundary._decisions import DecisionTable, informed, normalised
from afterfit.boundary._densities import (
    as_density,
    common_n_features,
    lifting,
    sliced,
)
from afterfit.boundary._estimators import Model, read_estimator
from afterfit.boundary._evaluation import Evaluation
from afterfit.boundary._novelty import conformal_pvalues, hdr_pvalues
from afterfit.boundary._posteriors import read_classifier
from afterfit.boundary._results import DecisionBoundary, ErrorRate

Array = NDArray[np.float64]

# Samples along an axis before refinement, by the number of features.
RESOLUTION = {1: 1024, 2: 64}


class BayesRule(Evaluation):
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
    n_features : int or None
        As given, or as SciPy and scikit-learn objects know; None where functions alone cannot say.

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
    Two normal distributions of unequal variance have two boundary points, not one:

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
        sources, self.classes = check_sources(log_densities, classes)
        check_choice(values, "values", ("log_density", "density"))
        check_flag(vectorized, "vectorized")
        if n_features is not None:
            n_features = check_integer(n_features, "n_features", low=1)
        self._densities = tuple(
            as_density(source, f"class {label!r}", values, bool(vectorized), n_features)
            for source, label in zip(sources, self.classes.tolist(), strict=True)
        )
        self.n_features = common_n_features(self._densities)
        self._columns = columns_of_fit(sources)
        self.priors = check_priors(priors, self.classes)
        self.losses = check_losses(losses, self.classes)
        self.reject_cost, self.reject_label = check_rejection(
            reject_cost, reject_label, self.classes
        )
        self.decisions = self.classes
        table = self.losses
        if self.reject_cost is not None:
            self.decisions = as_labels([*self.classes.tolist(), self.reject_label])
            table = np.column_stack([table, np.full(len(table), self.reject_cost)])
        self._table = DecisionTable(table)
        with np.errstate(divide="ignore"):
            self._log_priors = np.log(self.priors)
        self._scores: BayesRule | None = None  # in another space, where densities are known whole

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        priors: ArrayLike | None = None,
        losses: ArrayLike | None = None,
        reject_cost: float | None = None,
        reject_label: Hashable | None = None,
        variational: bool = False,
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
        variational : bool, keyword-only
            Of a BayesianGaussianMixture: decide as its `predict` does, by log densities averaged
            over the posterior of its parameters. These are those of no density, so that there is
            no error rate. If False, the densities are those of the parameters that it reports.

        Returns
        -------
        BayesRule
            With the estimator's priors, it decides as its `predict` does; of a
            BayesianGaussianMixture only if `variational`.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is not of a kind whose densities are known.
        ValueError
            If a class has a singular covariance, hence no density (except for
            LinearDiscriminantAnalysis, see the notes).

        Notes
        -----
        LinearDiscriminantAnalysis with its default solver keeps no covariance matrix, only the
        discriminant subspace, and the densities of a Pipeline are those of the transformed
        features. Decisions, posteriors, boundaries and the risk depend on nothing else, but
        `log_joints` is then known up to a term common to all classes, and there are no density
        contours to draw. The solvers "lsqr" and "eigen" keep the covariance, as does
        `store_covariance=True`; with features that repeat others it is singular, and what is
        known is again the discriminant space alone.

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
        check_flag(variational, "variational")
        model = read_estimator(estimator, bool(variational))
        rule = cls._from_model(model, priors, losses, reject_cost, reject_label)
        rule._columns = columns_of_fit([estimator])
        return rule

    @classmethod
    def from_probabilities(
        cls,
        classifier: Any,
        training_priors: ArrayLike,
        *,
        priors: ArrayLike | None = None,
        losses: ArrayLike | None = None,
        reject_cost: float | None = None,
        reject_label: Hashable | None = None,
    ) -> Self:
        """Return the rule of any fitted classifier that has probabilities, and no densities.

        Losses, rejection and other priors need posterior probabilities only. The classifier's are
        taken at their word: see to their calibration first.

        Parameters
        ----------
        classifier : fitted classifier with `predict_proba`
            Alone or in a Pipeline, a search, or calibrated, of numbers or of tables with text.
        training_priors : sequence of float, or mapping or Series from class to float
            The shares of the classes in what the classifier was trained on, all above 0, a
            sequence in the order of its `classes_`. Equal where it was trained with
            `class_weight="balanced"`.
        priors : sequence of float, or mapping or Series, keyword-only, optional
            The shares of the classes where it is used; those of the training if None.
        losses, reject_cost, reject_label : keyword-only, optional
            As in the constructor.

        Returns
        -------
        BayesRule
            Its methods take what the classifier takes. `boundary` needs one or two features, by
            `slice` of more; there is no error rate and no novelty, which take densities.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        TypeError
            If it has no `predict_proba`.

        See Also
        --------
        from_estimator : Of classifiers that have class densities.

        Notes
        -----
        Posteriors p_k(x) under shares t_k become p_k(x) pi_k / t_k, normalised, under priors pi_k:
        Saerens, Latinne and Decaestecker, Neural Computation 14 (2002), 21-41. Piecewise constant
        probabilities, as of trees, jump at the boundary: its corners are then cut by at most
        1 / (16 `resolution`) of the range.

        Examples
        --------
        Trained on as many ill as well, used where one in ten is ill and missing one costs 5:

        >>> from sklearn.linear_model import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["well", "ill", "well", "ill"]
        >>> rule = BayesRule.from_probabilities(
        ...     LogisticRegression().fit(X, y), {"well": 0.5, "ill": 0.5},
        ...     priors={"well": 0.9, "ill": 0.1}, losses=[[0, 5], [1, 0]])
        >>> rule.classes.tolist()
        ['ill', 'well']
        >>> rule.boundary((0, 5)).points.round(3)
        array([2.798])
        """
        model = read_classifier(classifier, training_priors)
        rule = cls._from_model(model, priors, losses, reject_cost, reject_label)
        rule._columns = columns_of_fit([classifier])
        rule._takes_rows = rule._may_jump = True
        return rule

    @classmethod
    def _from_model(
        cls, model: Model, priors: Any, losses: Any, reject_cost: Any, reject_label: Any
    ) -> Self:
        if priors is None:  # fitted in single precision, they add up to 1 only nearly
            priors = np.asarray(model.priors, dtype=np.float64) / np.sum(model.priors, dtype=float)
        options = (priors, losses, reject_cost)
        rule = cls(model.densities, *options, model.classes, reject_label=reject_label)
        rule._evaluate, rule._common, rule._lacks = model.evaluate, model.common, model.lacks
        rule._common_term_unknown = model.scores is not None or model.lacks is not None
        if model.scores is not None:
            rule._scores = cls._from_model(model.scores, *options, reject_label)
        return rule

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
        return self._whole_joints(self._points(X))

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
        return self._by_chunks(
            self._points(X), lambda joints: normalised(joints, self._log_priors), len(self.classes)
        )

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
            self._points(X), lambda joints: self._table.margin(informed(joints, self._log_priors))
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
        row = check_row(point, self._columns)
        if not self._takes_rows or not isinstance(row, pd.DataFrame):
            row = check_matrix(row, "point")
        if len(row) != 1:
            raise ValueError(f"`point` must be one point, of shape (d,), got {len(row)} rows.")
        d = row.shape[1]
        if self.n_features is not None and d != self.n_features:
            raise ValueError(f"`point` must have the rule's {self.n_features} feature(s), got {d}.")
        free = check_free(features, d, self._columns)
        lift = lifting(row, free)
        options = (self.priors, self.losses, self.reject_cost, self.classes)
        densities = [sliced(density, lift, free) for density in self._densities]
        rule = BayesRule(densities, *options, reject_label=self.reject_label)
        rule._is_slice = True
        rule._columns = None if self._columns is None else [self._columns[k] for k in free]
        rule._common_term_unknown = self._common_term_unknown
        rule._lacks, rule._may_jump = self._lacks, self._may_jump
        rule._evaluate, rule._common = (
            None if function is None else partial(_after, lift, function)
            for function in (self._evaluate, self._common)
        )
        return rule

    def novelty_pvalues(
        self,
        X: ArrayLike,
        X_calibration: ArrayLike | None = None,
        y_calibration: Any = None,
        *,
        n_draws: int = 100_000,
        random_state: Any = None,
    ) -> Array:
        """Return how compatible every point is with each class, as p-values in (0, 1].

        Where all are small the point is unlike every class, whatever its posterior says, which
        compares the classes with each other only.

        Parameters
        ----------
        X : array-like of shape (n,) or (n, 1) for one feature, (n, d) above
            Finite points.
        X_calibration, y_calibration : array-like of shape (m, d) and (m,), optional
            Rows that the densities were not fitted to, with their classes: p-values are then
            conformal. Without them, those of highest-density regions of the densities.
        n_draws : int, keyword-only
            Draws from each density that is not normal, without calibration rows.
        random_state : None, int, Generator or RandomState, keyword-only
            For the draws.

        Returns
        -------
        ndarray of shape (n, n_classes)
            For class k the probability that its density is no higher at a point of the class than
            at x. Reject where the largest of a row is below a level.

        Raises
        ------
        ValueError
            If the rule has no densities, a density cannot be drawn from, or a class has no
            calibration row.

        Notes
        -----
        Conformal p-values are (1 + the number of the class's calibration rows with no higher
        density) / (their number + 1): of a new point of class k they are below a level with at
        most that probability, whether or not the densities are right [1]_. The least that they
        can be is 1 / (m_k + 1). Those of highest-density regions take the densities to be right;
        of normal densities they are chi-squared tails.

        References
        ----------
        .. [1] V. Vovk, A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World",
           Springer, 2005, section 4.

        Examples
        --------
        Nearly surely of the second class, if of any:

        >>> from scipy.stats import norm
        >>> rule = BayesRule([norm(0, 1), norm(3, 1)])
        >>> rule.posterior([9.0]).round(4), rule.novelty_pvalues([9.0]).round(4)
        (array([[0., 1.]]), array([[0., 0.]]))
        >>> rule.novelty_pvalues([1.96]).round(4)
        array([[0.05  , 0.2983]])
        """
        n_draws = check_integer(n_draws, "n_draws", low=100)
        rng = check_random_state(random_state)
        if self._lacks is not None or self._is_slice:
            raise ValueError(
                "The rule has no p-values of novelty: "
                + (self._lacks or "a slice of a density is not one.")
            )
        values = self._log_densities(self._points(X))
        if X_calibration is not None or y_calibration is not None:
            held_out, labels = self._calibration(X_calibration, y_calibration)
            return np.column_stack(
                [
                    conformal_pvalues(values[:, k], held_out[labels == k, k])
                    for k in range(len(self.classes))
                ]
            )
        known = self if self._scores is None else self._scores
        return np.column_stack(
            [
                hdr_pvalues(values[:, k], density, n_draws, rng)
                for k, density in enumerate(known._densities)
            ]
        )

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
        sampled there by no more than a factor of 4: then no region is missed, thin or small, that
        is wider than 1e-6 of the range. (For normal densities the factor is 1.) Means of
        distributions, of the components of mixtures, and data of kernel estimates are looked at as
        well, and from low points of each decision's deficit a search goes downhill. A spike
        narrower than the samples in a function that says nothing about it can be missed: raise
        `resolution`, or give a distribution in place of a function.

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
        box = check_limits(limits, self.n_features)
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
            No more points are evaluated, those that the mass and the boundary are looked for at
            among them; a warning says what was reached.
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
        effort = _risk.Effort(method, tolerance, max_evaluations, n_draws, rng)
        if self._lacks is not None and self._scores is None:
            raise ValueError(f"The rule has no error rate: {self._lacks}")
        if self._scores is None:
            return self._rate(region, of, effort)
        if region is not None or of is not None:
            raise ValueError(
                "The risk of a Pipeline, or of a LinearDiscriminantAnalysis that keeps no "
                "covariance, is known only over the whole space and for itself. `region` and "
                "`of` need densities of the features: fit without a Pipeline, and with "
                "`store_covariance=True`."
            )
        # Its region would be one of transformed features.
        return replace(self._scores._rate(None, None, effort), region=None)


def _after(lift: Callable[[Array], Any], function: Callable[[Any], Array], X: Array) -> Array:
    return function(lift(X))


def _middle(cell: Array) -> tuple[float, ...]:
    return tuple(float(f"{0.5 * (low + high):.6g}") for low, high in cell.reshape(-1, 2))
