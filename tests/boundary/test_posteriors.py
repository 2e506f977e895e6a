"""Rules from the probabilities of any classifier, against scikit-learn and closed forms."""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from afterfit.boundary import BayesBoundaryDisplay, BayesRule

X, y = load_iris(return_X_y=True)
SHARES = np.array([1, 1, 1]) / 3
LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)


def table():
    """Return a table of text and numbers, with two classes that both tell."""
    rng = np.random.default_rng(0)
    n = 400
    sick = rng.integers(2, size=n)
    return pd.DataFrame(
        {
            "ward": np.where(rng.random(n) < 0.3 + 0.4 * sick, "north", "south"),
            "age": rng.normal(50 + 10 * sick, 10),
            "dose": rng.normal(1 + sick, 1),
        }
    ), np.where(sick == 1, "ill", "well")


def of_text():
    """Return a pipeline fitted on a table with text, the table, and its classes."""
    frame, labels = table()
    encode = make_column_transformer(
        (OneHotEncoder(), ["ward"]), (StandardScaler(), ["age", "dose"])
    )
    return make_pipeline(encode, LogisticRegression()).fit(frame, labels), frame, labels


@pytest.mark.parametrize(
    "classifier",
    [
        LOGISTIC,
        HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(X, y),
        CalibratedClassifierCV(LinearSVC(random_state=0), cv=3).fit(X, y),
        GridSearchCV(LogisticRegression(max_iter=1000), {"C": [1.0, 10.0]}).fit(X, y),
    ],
    ids=lambda classifier: type(classifier).__name__,
)
def test_without_losses_it_decides_as_predict(classifier):
    rule = BayesRule.from_probabilities(classifier, SHARES)
    assert (rule.predict(X) == classifier.predict(X)).all()
    np.testing.assert_allclose(rule.posterior(X), classifier.predict_proba(X), atol=1e-12)


def test_other_priors_are_those_of_a_rule_with_densities():
    # Of a classifier that has both, probabilities under other priors must be the densities'.
    lda = LinearDiscriminantAnalysis().fit(X, y)
    options = {"priors": [0.7, 0.2, 0.1], "losses": [[0, 1, 2], [5, 0, 1], [9, 2, 0]]}
    one = BayesRule.from_probabilities(lda, SHARES, **options, reject_cost=0.1)
    two = BayesRule.from_estimator(lda, **options, reject_cost=0.1)
    np.testing.assert_allclose(one.posterior(X), two.posterior(X), atol=1e-10)
    assert (one.predict(X) == two.predict(X)).all()
    assert set(one.predict(X)) == {0, 1, 2, -1}
    plane = [rule.slice(X.mean(axis=0), [2, 3]).boundary(((1, 7), (0, 3))) for rule in (one, two)]
    assert np.abs(two.slice(X.mean(axis=0), [2, 3]).margin(plane[0].points)).max() < 1e-3
    assert {p.classes for p in plane[0].pieces} == {p.classes for p in plane[1].pieces}


def test_losses_are_scikit_learns_threshold():
    # Decide 1 where P(1) > threshold, the loss of a false alarm over the sum of both.
    keep = y > 0
    logistic = LogisticRegression(max_iter=1000).fit(X[keep], y[keep])
    peer = FixedThresholdClassifier(logistic, threshold=1 / 6, pos_label=2).fit(X[keep], y[keep])
    rule = BayesRule.from_probabilities(logistic, [0.5, 0.5], losses=[[0, 1], [5, 0]])
    points = X.mean(axis=0) + 2 * np.random.default_rng(0).standard_normal((2000, 4))
    assert (rule.predict(points) == peer.predict(points)).all()
    assert (rule.predict(points) != logistic.predict(points)).any()


def test_the_boundary_of_a_logistic_regression():
    # log odds w x + b; with priors 0.9 and 0.1 in place of equal ones they fall by log 9.
    x = np.array([[0.0], [1.0], [2.0], [3.0]])
    logistic = LogisticRegression().fit(x, [0, 1, 0, 1])
    rule = BayesRule.from_probabilities(logistic, [0.5, 0.5], priors=[0.9, 0.1])
    expected = (np.log(9) - logistic.intercept_[0]) / logistic.coef_[0, 0]
    np.testing.assert_allclose(rule.boundary((-10, 20)).points, [expected], atol=1e-9)
    assert rule.predict([expected - 0.01, expected + 0.01]).tolist() == [0, 1]


class TestTables:
    def test_text_goes_to_the_classifier_as_it_is(self):
        pipeline, frame, labels = of_text()
        rule = BayesRule.from_probabilities(pipeline, pd.Series(labels).value_counts(True))
        assert rule.classes.tolist() == ["ill", "well"]
        np.testing.assert_allclose(rule.posterior(frame), pipeline.predict_proba(frame))
        assert (rule.predict(frame) == pipeline.predict(frame)).all()
        np.testing.assert_allclose(
            rule.margin(frame), np.abs(np.subtract(*np.log(pipeline.predict_proba(frame)).T))
        )

    @pytest.mark.parametrize("kind", [dict, pd.Series, lambda row: pd.DataFrame([row])])
    def test_slices_by_name(self, kind):
        pipeline, frame, _ = of_text()
        rule = BayesRule.from_probabilities(pipeline, [0.5, 0.5], reject_cost=0.2)
        point = kind({"dose": 0.0, "age": 0.0, "ward": "north"})
        plane = rule.slice(point, ["age", "dose"])
        north = frame.assign(ward="north")
        assert (plane.predict(frame[["age", "dose"]]) == rule.predict(north)).all()
        assert set(plane.predict(frame[["age", "dose"]])) == {"ill", "well", "reject"}
        curves = plane.boundary(((20, 90), (-3, 6)))
        on_it = pd.DataFrame(curves.points, columns=["age", "dose"]).assign(ward="north")
        certain = pipeline.predict_proba(on_it[["ward", "age", "dose"]]).max(axis=1)
        np.testing.assert_allclose(certain, 0.8, atol=1e-4)
        display = BayesBoundaryDisplay.from_rule(
            plane, frame[["age", "dose"]], limits=((20, 90), (-3, 6))
        )
        plt.close(display.figure_)
        assert display.ax_.get_ylabel() == "dose"
        assert display.contours_ == []

    def test_what_a_slice_refuses(self):
        pipeline, *_ = of_text()
        rule = BayesRule.from_probabilities(pipeline, [0.5, 0.5])
        with pytest.raises(ValueError, match=r"`point` must have the columns of the fit: 'ward'"):
            rule.slice({"age": 1.0, "dose": 2.0}, ["age"])
        with pytest.raises(ValueError, match=r"`features` must be columns of the fit .*got 'aged'"):
            rule.slice({"age": 1.0, "dose": 2.0, "ward": "north"}, ["aged"])

    def test_tables_of_another_library(self):
        frame = pl.DataFrame(X, schema=list("abcd"))
        logistic = LogisticRegression(max_iter=1000).fit(frame, y)
        rule = BayesRule.from_probabilities(logistic, SHARES)
        assert (rule.predict(frame) == logistic.predict(frame)).all()


def test_trees_jump_at_their_boundary():
    # Piecewise constant: the boundary runs along thresholds of single features, to 1e-3 of a range.
    petals = X[:, 2:]
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(petals, y)
    rule = BayesRule.from_probabilities(tree, SHARES)
    limits = ((0.5, 7.5), (0.0, 3.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        boundary = rule.boundary(limits)
    assert boundary.pieces
    steps = np.abs(np.concatenate([np.diff(piece.points, axis=0) for piece in boundary.pieces]))
    steps /= [7.0, 3.0]
    assert (steps.min(axis=1) <= 1e-3).all()  # along one axis or the other
    grid = np.stack(np.meshgrid(*(np.linspace(*side, 101) for side in limits)), axis=-1)
    labels = rule.predict(grid.reshape(-1, 2)).reshape(101, 101)
    i, j = np.nonzero(labels[:, 1:] != labels[:, :-1])
    middle = 0.5 * (grid[i, j] + grid[i, j + 1])
    distance = np.abs((middle[:, None] - boundary.points) / [7.0, 3.0]).max(axis=2).min(axis=1)
    assert distance.max() <= 0.02  # of a cell's width and the chords between vertices


class Lying(LogisticRegression):
    def predict_proba(self, X):
        return super().predict_proba(X) * 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: BayesRule.from_probabilities(LinearSVC(random_state=0).fit(X, y), SHARES),
            r"must be a fitted classifier with `predict_proba`, got LinearSVC.*CalibratedClassif",
        ),
        (
            lambda: BayesRule.from_probabilities(LogisticRegression, SHARES),
            "`classifier` must be a fitted classifier",
        ),
        (
            lambda: BayesRule.from_probabilities(LOGISTIC, [0.5, 0.5, 0.0]),
            r"`training_priors` must be above 0 for each class, got \[0.5, 0.5, 0.0\]",
        ),
        (
            lambda: BayesRule.from_probabilities(LOGISTIC, [0.5, 0.5]),
            r"`training_priors` must hold one probability for each of the 3 classes",
        ),
        (
            lambda: BayesRule.from_probabilities(LOGISTIC, {"a": 0.2, "b": 0.3, "c": 0.5}),
            r"`training_priors` must be labelled by the classes \(0, 1, 2\)",
        ),
        (
            lambda: BayesRule.from_probabilities(
                MultiOutputClassifier(LogisticRegression()).fit(X[:, :2], np.c_[y, y]), SHARES
            ),
            r"`classifier` must tell one label",
        ),
        (
            lambda: BayesRule.from_probabilities(Lying(max_iter=1000).fit(X, y), SHARES).predict(X),
            r"`predict_proba` of Lying must return probabilities that add up to 1, got .* row 0",
        ),
        (
            lambda: BayesRule.from_probabilities(LOGISTIC, SHARES).error_rate(),
            r"no error rate: a classifier's probabilities are no densities",
        ),
        (
            lambda: BayesRule.from_probabilities(LOGISTIC, SHARES).novelty_pvalues(X),
            r"no p-values of novelty: a classifier's probabilities are no densities",
        ),
        (
            lambda: BayesRule.from_probabilities(LOGISTIC, SHARES).boundary(((0, 1), (0, 1))),
            r"rule's 4 feature\(s\)\. Cut one or two",
        ),
        (
            lambda: BayesRule.from_probabilities(LOGISTIC, SHARES).predict(X[0]),
            r"`X` must have shape \(n_samples, n_features\)",
        ),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_not_fitted():
    with pytest.raises(NotFittedError):
        BayesRule.from_probabilities(LogisticRegression(), SHARES)
