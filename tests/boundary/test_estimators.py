"""Fitted classifiers as rules: their posteriors, decisions, boundaries and risks."""

from __future__ import annotations

import tracemalloc
import warnings

import array_api_strict
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler

from afterfit.boundary import BayesBoundaryDisplay, BayesRule
from afterfit.mixture import GaussianMixtureParameters

TOLERANCE = 1e-6  # of the range: what `boundary` promises by default
SQUARE = ((-6.0, 6.0), (-6.0, 6.0))


def along(piece, per_chord=3):
    """Return points on every chord of a piece: vertices and what lies between them."""
    start, stop = piece.points[:-1], piece.points[1:]
    fractions = np.linspace(0, 1, per_chord + 1)[:, None, None]
    return (start + fractions * (stop - start)).reshape(-1, 2)


def farthest(piece, distance, limits=SQUARE):
    """Return the largest distance of a piece's chords from a curve, in units of the range."""
    ranges = [high - low for low, high in limits]
    return float(np.abs(distance(*along(piece).T)).max()) / min(ranges)


class TestFromEstimator:
    data = load_iris(return_X_y=True)

    @pytest.mark.parametrize("columns", [slice(2, 4), slice(0, 4), slice(0, 1)])
    @pytest.mark.parametrize("classes", [(0, 1, 2), (1, 2)])
    @pytest.mark.parametrize(
        "estimator",
        [
            GaussianNB(),
            GaussianNB(priors=None, var_smoothing=1e-3),
            LinearDiscriminantAnalysis(),
            LinearDiscriminantAnalysis(store_covariance=True),
            LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3),
            LinearDiscriminantAnalysis(solver="eigen"),
            QuadraticDiscriminantAnalysis(),
            QuadraticDiscriminantAnalysis(reg_param=0.2),
        ],
        ids=repr,
    )
    def test_posteriors_are_the_estimators_own(self, estimator, classes, columns):
        X, y = self.data
        keep = np.isin(y, classes)
        X, y = X[keep][:, columns], np.array(["s", "c", "v"])[y[keep]]
        estimator.fit(X, y)
        rule = BayesRule.from_estimator(estimator)
        np.testing.assert_allclose(rule.posterior(X), estimator.predict_proba(X), atol=1e-8)
        assert (rule.predict(X) == estimator.predict(X)).all()

    @pytest.mark.parametrize("priors", [[0.5, 0.3, 0.2], [0.98, 0.01, 0.01]])
    @pytest.mark.parametrize("store", [False, True])
    def test_linear_discriminants_with_given_priors(self, priors, store):
        X, y = self.data
        lda = LinearDiscriminantAnalysis(priors=priors, store_covariance=store).fit(X, y)
        rule = BayesRule.from_estimator(lda)
        np.testing.assert_allclose(rule.posterior(X), lda.predict_proba(X), atol=1e-8)

    @pytest.mark.parametrize("factor", [1.0, 147 / 150])
    def test_covariances_that_differ_by_a_factor(self, factor):
        # In older scikit-learn scalings whiten with n - K in place of n: the rule follows them.
        X, y = self.data
        lda = LinearDiscriminantAnalysis(store_covariance=True).fit(X, y)
        lda.scalings_ = lda.scalings_ * np.sqrt(factor)
        coef = (lda.means_ - lda.xbar_) @ lda.scalings_
        lda.intercept_ = -0.5 * np.sum(coef**2, axis=1) + np.log(lda.priors_)
        lda.coef_ = coef @ lda.scalings_.T
        lda.intercept_ = lda.intercept_ - lda.xbar_ @ lda.coef_.T
        rule = BayesRule.from_estimator(lda)
        np.testing.assert_allclose(rule.posterior(X), lda.predict_proba(X), atol=1e-8)

    def test_boundary_of_lda_is_its_decision_function(self):
        X, y = self.data
        X, y = X[50:, 2:], y[50:]
        lda = LinearDiscriminantAnalysis().fit(X, y)
        limits = ((3.0, 7.0), (1.0, 2.6))
        (piece,) = BayesRule.from_estimator(lda).boundary(limits).pieces
        w = lda.coef_[0]
        distance = lda.decision_function(along(piece)) / np.linalg.norm(w)
        assert np.abs(distance).max() / 1.6 < TOLERANCE

    def test_boundary_of_qda_is_its_decision_function(self):
        X, y = self.data
        X, y = X[50:, 2:], y[50:]
        qda = QuadraticDiscriminantAnalysis().fit(X, y)
        boundary = BayesRule.from_estimator(qda).boundary(((3, 7), (1, 2.6)))
        values = qda.decision_function(boundary.points)
        assert np.abs(values).max() < 1e-4  # its gradient is of order 10 per unit

    def test_risk_of_lda_without_its_covariance(self):
        # Two classes, equal covariances: Phi(-delta / 2) for equal priors, delta Mahalanobis.
        X, y = self.data
        X, y = X[50:], y[50:]
        plain = LinearDiscriminantAnalysis().fit(X, y)
        stored = LinearDiscriminantAnalysis(solver="lsqr").fit(X, y)
        gap = stored.means_[1] - stored.means_[0]
        delta = np.sqrt(gap @ np.linalg.solve(stored.covariance_, gap))
        rule = BayesRule.from_estimator(plain)
        assert rule.error_rate().risk == pytest.approx(norm.cdf(-delta / 2), abs=1e-8)
        with pytest.raises(ValueError, match=r"keeps no covariance.*store_covariance=True"):
            rule.error_rate(region=((0, 1),) * 4)

    def test_mixtures_have_components_for_classes(self):
        X, _ = self.data
        for kind in ("full", "tied", "diag", "spherical"):
            model = GaussianMixture(3, covariance_type=kind, random_state=0).fit(X)
            rule = BayesRule.from_estimator(model)
            np.testing.assert_allclose(rule.posterior(X), model.predict_proba(X), atol=1e-8)

    def test_other_priors(self):
        X, y = self.data
        nb = GaussianNB().fit(X, y)
        rule = BayesRule.from_estimator(nb, priors=[0, 0, 1])
        assert set(rule.predict(X)) == {2}

    @pytest.mark.parametrize(
        "steps",
        [
            (StandardScaler(), QuadraticDiscriminantAnalysis()),
            (StandardScaler(), LinearDiscriminantAnalysis()),
            (PowerTransformer(), PCA(1), GaussianNB()),
            (QuadraticDiscriminantAnalysis(),),
        ],
        ids=lambda steps: "-".join(type(step).__name__ for step in steps),
    )
    @pytest.mark.parametrize("as_frame", [False, True])
    def test_pipelines(self, steps, as_frame):
        X, y = load_iris(return_X_y=True, as_frame=as_frame)
        X = X.iloc[:, 2:] if as_frame else X[:, 2:]
        pipeline = make_pipeline(*steps).fit(X, y)
        rule = BayesRule.from_estimator(pipeline)
        np.testing.assert_allclose(rule.posterior(X), pipeline.predict_proba(X), atol=1e-8)
        assert (rule.predict(X) == pipeline.predict(X)).all()
        assert np.abs(rule.margin(rule.boundary(((0.2, 8), (0.05, 4))).points)).max() < 1e-4

    def test_scaling_in_a_pipeline_changes_nothing_for_qda(self):
        X, y = self.data
        X = X[:, 2:]
        plain = BayesRule.from_estimator(QuadraticDiscriminantAnalysis().fit(X, y))
        pipeline = make_pipeline(StandardScaler(), QuadraticDiscriminantAnalysis()).fit(X, y)
        scaled = BayesRule.from_estimator(pipeline)
        limits = ((0, 8), (-1, 4))
        assert np.abs(plain.margin(scaled.boundary(limits).points)).max() < 1e-4
        rate = scaled.error_rate()
        assert rate.risk == pytest.approx(plain.error_rate().risk, abs=1e-9)
        assert rate.region is None
        with pytest.raises(ValueError, match=r"risk of a Pipeline.*fit without a Pipeline"):
            scaled.error_rate(region=limits)

    def test_a_pipeline_of_discriminants_without_a_covariance(self):
        # Known in the space of its discriminants alone: four features, integrated in two.
        X, y = self.data
        plain = BayesRule.from_estimator(LinearDiscriminantAnalysis().fit(X, y)).error_rate()
        pipeline = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis()).fit(X, y)
        rule = BayesRule.from_estimator(pipeline)
        rate = rule.error_rate()
        assert (rate.method, plain.method) == ("integration", "integration")
        assert rate.risk == pytest.approx(plain.risk, abs=1e-9)
        plane = rule.slice(X.mean(axis=0), features=[2, 3])
        display = BayesBoundaryDisplay.from_rule(plane, limits=((1, 7), (0, 3)))
        assert display.contours_ == []
        plt.close(display.figure_)

    def test_losses_and_rejection(self):
        # Brute force: the least of the expected losses under the pipeline's own posterior.
        X, y = self.data
        X, y = X[50:, 2:], y[50:]
        pipeline = make_pipeline(StandardScaler(), QuadraticDiscriminantAnalysis()).fit(X, y)
        options = {"losses": [[0, 1], [8, 0]], "reject_cost": 0.3, "reject_label": "ask"}
        rule = BayesRule.from_estimator(pipeline, **options)
        costs = pipeline.predict_proba(X) @ [[0, 1, 0.3], [8, 0, 0.3]]
        expected = np.array([1, 2, "ask"], dtype=object)[costs.argmin(axis=1)]
        assert set(expected) == {1, 2, "ask"}
        assert (rule.predict(X) == expected).all()
        exact, rough = rule.error_rate(), rule.error_rate(tolerance=1e-2)
        assert list(exact.confusion.columns) == [1, 2, "ask"]
        assert rough.n_evaluations < exact.n_evaluations
        drawn = rule.error_rate(method="monte_carlo", n_draws=5000, random_state=0)
        assert drawn.n_evaluations >= 5000
        assert abs(drawn.risk - exact.risk) < 4 * drawn.error
        display = BayesBoundaryDisplay.from_estimator(pipeline, X, y, **options)
        assert display.rule.reject_label == "ask"
        plt.close(display.figure_)

    def test_draws_have_the_components_covariances(self):
        covariance = [[4.0, 1.9], [1.9, 1.0]]
        rule = BayesRule.from_estimator(
            GaussianMixtureParameters([0.3, 0.7], [(0, 0), (1, 1)], [covariance, np.eye(2)])
        )
        exact = rule.error_rate()
        drawn = rule.error_rate(method="monte_carlo", random_state=0)
        assert drawn.region is None
        assert abs(drawn.risk - exact.risk) < 4 * drawn.error

    @pytest.mark.parametrize("estimator", [
        GaussianNB(), LinearDiscriminantAnalysis(), QuadraticDiscriminantAnalysis(),
        GaussianMixture(3, random_state=0),
    ])  # fmt: skip
    def test_fitted_in_single_precision(self, estimator):
        X, y = self.data  # three equal priors: in single precision they add up to 1 + 3e-8
        X = X.astype(np.float32)
        estimator.fit(X, y)
        rule = BayesRule.from_estimator(estimator)
        assert rule.priors.sum() == pytest.approx(1, abs=1e-15)
        np.testing.assert_allclose(rule.posterior(X), estimator.predict_proba(X), atol=1e-4)

    def test_a_pipeline_whose_first_step_passes_through(self):
        X, y = self.data
        pipeline = Pipeline([("none", "passthrough"), ("nb", GaussianNB())]).fit(X, y)
        rule = BayesRule.from_estimator(pipeline)
        np.testing.assert_allclose(rule.posterior(X), pipeline.predict_proba(X), atol=1e-8)

    def test_what_is_not_taken(self):
        X, y = self.data
        with pytest.raises(TypeError, match=r"or a Pipeline that ends in one, got LogisticReg"):
            BayesRule.from_estimator(make_pipeline(PCA(2), LogisticRegression()).fit(X, y))
        with pytest.raises(NotFittedError):
            BayesRule.from_estimator(make_pipeline(StandardScaler(), GaussianNB()))
        with pytest.raises(NotFittedError):
            BayesRule.from_estimator(GaussianNB())
        with pytest.raises(TypeError, match=r"`estimator` must be a fitted GaussianNB.*Logistic"):
            BayesRule.from_estimator(LogisticRegression(max_iter=1000).fit(X, y))


MANY_FEATURES = "more features than rows"


def _designs():
    """Return tables of iris made worse in one way each; the first five have full rank."""
    rng = np.random.default_rng(0)
    X, y = load_iris(return_X_y=True)
    totals = X.sum(axis=1)
    return {
        "iris": X,
        "one feature": X[:, :1],
        "units a million apart": X * [1e6, 1.0, 1e-4, 1.0],
        "far from zero": X + 1e4,
        "nearly the totals": np.c_[X, totals + 1e-3 * rng.standard_normal(150)],
        "totals": np.c_[X, totals],
        "totals by rounding": np.c_[X, totals + 1e-9 * rng.standard_normal(150)],
        "a constant": np.c_[X, np.ones(150)],
        "full one-hot": np.c_[X, np.eye(3)[rng.integers(3, size=150)]],
        MANY_FEATURES: rng.standard_normal((150, 200)) + y[:, None],
    }, y


DESIGNS, SPECIES = _designs()
FULL_RANK = list(DESIGNS)[:5]
OF_FULL_RANK = [
    LinearDiscriminantAnalysis(solver="eigen"),
    QuadraticDiscriminantAnalysis(tol=1e-12),
    QuadraticDiscriminantAnalysis(solver="eigen", tol=1e-12),
]
OF_ANY_RANK = [
    LinearDiscriminantAnalysis(),
    LinearDiscriminantAnalysis(store_covariance=True),
    LinearDiscriminantAnalysis(store_covariance=True, priors=[0.5, 0.3, 0.2]),
    LinearDiscriminantAnalysis(priors=[0.0, 0.5, 0.5]),
    LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.2),
    QuadraticDiscriminantAnalysis(solver="eigen", shrinkage=0.2, tol=1e-12),
    GaussianNB(),
    make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(store_covariance=True)),
]
LEAST_SQUARES = LinearDiscriminantAnalysis(solver="lsqr")
OF_MANY_ROWS = [
    QuadraticDiscriminantAnalysis(reg_param=0.1),
    make_pipeline(StandardScaler(), QuadraticDiscriminantAnalysis(reg_param=0.1)),
]
MIXTURES = [
    kind(n_components=3, covariance_type=covariance_type, random_state=0, tol=1e-2)
    for kind in (GaussianMixture, BayesianGaussianMixture)
    for covariance_type in ("full", "tied", "diag", "spherical")
]


@pytest.mark.parametrize(
    ("name", "estimator"),
    [(name, estimator) for name in DESIGNS for estimator in OF_ANY_RANK]
    # Of these it makes, on some machines, coefficients that are rounding: they are refused.
    + [(name, LEAST_SQUARES) for name in DESIGNS if name not in ("full one-hot", MANY_FEATURES)]
    + [(name, estimator) for name in FULL_RANK for estimator in OF_FULL_RANK]
    + [(name, estimator) for name in ("iris", "one feature", "totals") for estimator in MIXTURES]
    + [(name, estimator) for name in list(DESIGNS)[:-1] for estimator in OF_MANY_ROWS],
    ids=lambda value: value if isinstance(value, str) else repr(value).replace(" ", ""),
)
def test_decisions_are_those_of_predict(name, estimator):
    # At 1,000 points three times as spread as the data, off any subspace that these lie in.
    X = DESIGNS[name]
    with warnings.catch_warnings(), np.errstate(divide="ignore"):
        warnings.simplefilter("ignore")  # of collinear features, and of iterations
        estimator = clone(estimator).fit(X, SPECIES)
    spread = np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
    points = X.mean(axis=0) + 3 * spread * np.random.default_rng(1).standard_normal(
        (1000, X.shape[1])
    )
    averaged = isinstance(estimator, BayesianGaussianMixture)
    rule = BayesRule.from_estimator(estimator, variational=averaged)
    for at in (points, X):
        assert (rule.predict(at) == estimator.predict(at)).all()
        np.testing.assert_allclose(rule.posterior(at), estimator.predict_proba(at), atol=1e-3)


class TestSingularCovariances:
    @pytest.mark.parametrize(
        ("name", "solver"),
        [(name, "svd") for name in ("totals", "totals by rounding", "a constant", "full one-hot")]
        + [(name, "lsqr") for name in ("totals", "totals by rounding", "a constant")],
    )
    def test_the_risk_is_that_of_the_features_that_differ(self, name, solver):
        # What repeats other features, exactly or nearly, tells nothing more about the class.
        columns = 6 if name == "full one-hot" else 4  # of the indicators, one follows from two
        plain = LinearDiscriminantAnalysis().fit(DESIGNS[name][:, :columns], SPECIES)
        lda = LinearDiscriminantAnalysis(solver=solver, store_covariance=True)
        lda.fit(DESIGNS[name], SPECIES)
        rule, expected = (BayesRule.from_estimator(one).error_rate() for one in (lda, plain))
        assert rule.risk == pytest.approx(expected.risk, rel=1e-2, abs=1e-6)

    def test_coefficients_that_cancel_are_refused(self):
        # What `solver="lsqr"` makes of a full one-hot on some machines: a common coefficient.
        lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1)
        lda.fit(DESIGNS["full one-hot"], SPECIES)
        lda.coef_ = lda.coef_ + 1e15 * np.repeat([0, 1], [4, 3])
        lda.intercept_ = lda.intercept_ - 1e15
        with pytest.raises(ValueError, match=r"by rounding errors: its coefficients reach 1e\+15"):
            BayesRule.from_estimator(lda)

    def test_it_is_no_density(self):
        # The Cholesky factor of the covariance exists, by rounding alone.
        lda = LinearDiscriminantAnalysis(solver="lsqr").fit(DESIGNS["totals by rounding"], SPECIES)
        rule = BayesRule.from_estimator(lda)
        with pytest.raises(ValueError, match="known only over the whole space"):
            rule.error_rate(region=((0, 1),) * 5)
        with pytest.raises(ValueError, match=r"no p-values of novelty: it keeps no covariance, or"):
            rule.novelty_pvalues(DESIGNS["totals"][:3])

    def test_where_means_coincide(self):
        X = np.r_[DESIGNS["totals"], DESIGNS["totals"]]
        y = np.repeat(["a", "b"], 150)
        lda = LinearDiscriminantAnalysis(solver="lsqr", priors=[0.3, 0.7]).fit(X, y)
        rule = BayesRule.from_estimator(lda)
        assert set(rule.predict(X)) == {"b"}
        assert rule.error_rate().risk == pytest.approx(0.3)

    def test_quadratic_ones_are_refused_by_their_class(self):
        qda = QuadraticDiscriminantAnalysis(tol=0).fit(DESIGNS["totals"], SPECIES)
        with pytest.raises(ValueError, match=r"no density: the covariance of class 0 is singular"):
            BayesRule.from_estimator(qda)
        cured = QuadraticDiscriminantAnalysis(reg_param=0.01).fit(DESIGNS["totals"], SPECIES)
        assert len(BayesRule.from_estimator(cured).classes) == 3  # as the message advises

    def test_a_feature_that_never_varies_has_no_density_by_naive_bayes(self):
        X, y = np.array([[1.0, 2.0], [1.0, 3.0], [1.0, 5.0], [1.0, 7.0]]), ["a", "a", "b", "b"]
        flat = GaussianNB(var_smoothing=0).fit(X, y)
        with pytest.raises(ValueError, match=r"variance of feature 0 in class 'a' is 0\. Drop"):
            BayesRule.from_estimator(flat)
        BayesRule.from_estimator(GaussianNB(var_smoothing=1e-9).fit(X, y))  # as advised


class TestAveragedOverThePosterior:
    def test_only_the_variational_rule_decides_as_predict(self):
        X = np.random.default_rng(3).normal(size=(37, 2)) @ [[1.0, 0.5], [0.0, 1.0]]
        X[:12] += 2.0
        model = BayesianGaussianMixture(n_components=2, random_state=0).fit(X)
        plane = np.random.default_rng(0).uniform(-4, 6, size=(4000, 2))
        averaged = BayesRule.from_estimator(model, variational=True)
        reported = BayesRule.from_estimator(model)
        assert (averaged.predict(plane) == model.predict(plane)).all()
        assert (reported.predict(plane) != model.predict(plane)).mean() > 0.001
        with pytest.raises(ValueError, match=r"no error rate: log densities averaged"):
            averaged.error_rate()
        assert 0 < reported.error_rate().risk < 0.5

    def test_what_has_no_posterior_of_its_parameters(self):
        with pytest.raises(ValueError, match="`variational` must be False unless"):
            BayesRule.from_estimator(GaussianNB().fit(DESIGNS["iris"], SPECIES), variational=True)
        with pytest.raises(TypeError, match="`variational` must be True or False, got 1"):
            BayesRule.from_estimator(GaussianNB().fit(DESIGNS["iris"], SPECIES), variational=1)


class TestWhatToPassInstead:
    def test_a_search(self):
        search = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}).fit(
            DESIGNS["iris"], SPECIES
        )
        with pytest.raises(TypeError, match=r"got GridSearchCV\. Pass .* `\.best_estimator_`"):
            BayesRule.from_estimator(search)
        found = BayesRule.from_estimator(search.best_estimator_)
        assert (found.predict(DESIGNS["iris"]) == search.predict(DESIGNS["iris"])).all()

    def test_a_frozen_estimator(self):
        frozen = FrozenEstimator(GaussianNB().fit(DESIGNS["iris"], SPECIES))
        with pytest.raises(TypeError, match=r"got FrozenEstimator\. Pass .* `\.estimator`"):
            BayesRule.from_estimator(frozen)
        assert len(BayesRule.from_estimator(frozen.estimator).classes) == 3
        pipeline = make_pipeline(StandardScaler(), frozen).fit(DESIGNS["iris"], SPECIES)
        with pytest.raises(TypeError, match=r"Of the Pipeline's last step: .*`\.estimator`"):
            BayesRule.from_estimator(pipeline)

    def test_what_has_only_probabilities(self):
        logistic = LogisticRegression(max_iter=1000).fit(DESIGNS["iris"], SPECIES)
        with pytest.raises(TypeError, match=r"goes in by `BayesRule.from_probabilities`"):
            BayesRule.from_estimator(logistic)
        with pytest.raises(TypeError, match="give the class densities to BayesRule"):
            BayesRule.from_estimator(3)


class TestDiagonalStaysDiagonal:
    @pytest.mark.parametrize("kind", ["naive Bayes", "components", "mixture densities"])
    def test_memory_grows_with_features_and_not_their_square(self, kind):
        d, rng = 2000, np.random.default_rng(0)
        X = rng.standard_normal((60, d))
        y = np.repeat([0, 1], 30)
        X[y == 1] += 0.1
        models = [
            GaussianMixture(2, covariance_type="diag", random_state=0).fit(X[y == k])
            for k in (0, 1)
        ]
        naive = GaussianNB().fit(X, y)
        tracemalloc.start()
        rule = {
            "naive Bayes": lambda: BayesRule.from_estimator(naive),
            "components": lambda: BayesRule.from_estimator(models[0]),
            "mixture densities": lambda: BayesRule(models),
        }[kind]()  # fmt: skip
        rule.predict(X) if kind != "components" else None
        rule.error_rate(n_draws=100, random_state=0) if kind != "components" else None
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 * d * d / 2  # half a matrix
        if kind == "naive Bayes":
            assert (rule.predict(X) == naive.predict(X)).all()


@pytest.mark.parametrize(
    "estimator",
    [
        GaussianNB(),
        LinearDiscriminantAnalysis(),
        LinearDiscriminantAnalysis(store_covariance=True),
        GaussianMixture(3, init_params="random_from_data", random_state=0, max_iter=300),
    ],
    ids=repr,
)
def test_fitted_on_arrays_of_another_library(estimator):
    # What a fit under array API dispatch keeps: arrays of the standard, off NumPy's device. Rules
    # are evaluated on the host.
    model = clone(estimator).fit(DESIGNS["iris"], SPECIES)
    expected = model.predict(DESIGNS["iris"])
    device = array_api_strict.Device("device1")
    for name, value in vars(model).items():
        if isinstance(value, np.ndarray):
            setattr(model, name, array_api_strict.asarray(value, device=device))
    rule = BayesRule.from_estimator(model)
    X = array_api_strict.asarray(DESIGNS["iris"], device=device)
    assert (rule.predict(X) == expected).all()
    assert (rule.predict(DESIGNS["iris"]) == expected).all()
    plane = rule.slice(DESIGNS["iris"].mean(axis=0), [2, 3])
    assert plane.boundary(((1, 7), (0, 3))).pieces
