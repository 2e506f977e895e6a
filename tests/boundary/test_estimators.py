"""Fitted classifiers as rules: their posteriors, decisions, boundaries and risks."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import norm
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
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
    """Return the greatest distance of a piece's chords from a curve, in units of the range."""
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
