"""Decisions, posteriors, margins and slices, and what the rule refuses."""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import multivariate_normal, norm
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity

from afterfit.boundary import BayesBoundaryDisplay, BayesRule

SQUARE = ((-6.0, 6.0), (-6.0, 6.0))
IDENTITY = np.eye(2)


def normals(means, covariances=None, **options):
    """Return the rule of normal densities, with unit covariances unless given."""
    covariances = [IDENTITY] * len(means) if covariances is None else covariances
    densities = [multivariate_normal(m, c) for m, c in zip(means, covariances, strict=True)]
    return BayesRule(densities, **options)


class TestDecisions:
    def test_losses_are_indexed_truth_first(self):
        # One point, posterior (0.75, 0.25): expected losses by hand, sum_i P(i) losses[i, j].
        rule = BayesRule([stats.uniform(0, 1)] * 2, priors=[0.75, 0.25], losses=[[1, 2], [8, 3]])
        np.testing.assert_allclose(rule.expected_losses([0.5]), [[2.75, 2.25]])
        assert rule.predict([0.5]).tolist() == [1]

    @settings(deadline=None, max_examples=80)
    @given(seed=st.integers(0, 10**6), n=st.integers(2, 5), reject=st.booleans())
    def test_decision_is_the_least_expected_loss(self, seed, n, reject):
        # Brute force: argmin over the expected losses, any real losses, with and without reject.
        rng = np.random.default_rng(seed)
        rule = BayesRule(
            [norm(*parameters) for parameters in rng.uniform(0.5, 3, size=(n, 2))],
            priors=rng.dirichlet(np.ones(n)),
            losses=rng.normal(size=(n, n)),
            reject_cost=float(rng.normal()) if reject else None,
        )
        X = rng.normal(1, 3, size=50)
        losses = rule.expected_losses(X)
        chosen = rule.decisions.tolist()
        picked = [chosen.index(label) for label in rule.predict(X).tolist()]
        np.testing.assert_allclose(losses[np.arange(50), picked], losses.min(axis=1), atol=1e-12)
        if losses.shape[1] > 1:
            gap = np.partition(losses, 1, axis=1)
            assert ((rule.margin(X) > 0) == (gap[:, 1] - gap[:, 0] > 1e-9)).mean() > 0.9
            assert (rule.margin(X) >= 0).all()

    def test_margin_is_the_log_odds_of_the_best_two(self):
        rule = normals([(0, 0), (3, 0), (0, 3)], priors=[0.2, 0.5, 0.3])
        X = np.random.default_rng(1).uniform(-5, 5, size=(200, 2))
        top = np.sort(np.log(rule.posterior(X)), axis=1)
        np.testing.assert_allclose(rule.margin(X), top[:, -1] - top[:, -2], rtol=1e-8, atol=1e-10)
        # The general path gives the same as the zero-one path.
        doubled = normals(
            [(0, 0), (3, 0), (0, 3)], priors=[0.2, 0.5, 0.3], losses=2 * (1 - np.eye(3))
        )
        np.testing.assert_allclose(doubled.margin(X), rule.margin(X), rtol=1e-9, atol=1e-10)

    def test_margin_among_many_classes(self):
        rng = np.random.default_rng(2)
        rule = BayesRule([norm(m, s) for m, s in rng.uniform(0.5, 3, size=(40, 2))])
        X = rng.normal(1, 2, size=300)
        top = np.sort(rule.log_joints(X), axis=1)
        np.testing.assert_allclose(rule.margin(X), top[:, -1] - top[:, -2], atol=1e-12)

    def test_margin_does_not_saturate(self):
        # At 60 standard deviations the posterior is 1 to the last digit, the log odds are 2 * 60.
        assert BayesRule([norm(-1), norm(1)]).margin([60.0])[0] == pytest.approx(120.0)

    def test_ties_go_to_the_first(self):
        rule = BayesRule([norm(-1), norm(1)], classes=["late", "early"])
        assert rule.predict([0.0]).tolist() == ["late"]
        swapped = BayesRule([norm(1), norm(-1)], classes=["early", "late"])
        assert swapped.predict([0.0]).tolist() == ["early"]
        # Decisions 0 and 1 differ only when the truth is 2, which it never is.
        losses = [[0, 0, 1], [0, 0, 1], [1, 0, 0]]
        never = BayesRule([norm(0), norm(1), norm(2)], priors=[0.5, 0.5, 0], losses=losses)
        assert never.predict([0.0]).tolist() == [0]
        # At equal cost a class comes before rejection.
        even = BayesRule([norm(-1), norm(1)], reject_cost=0.5)
        assert even.predict([0.0]).tolist() == [0]

    @pytest.mark.parametrize("losses", [None, [[0, 3], [1, 0]]])
    def test_priors_of_zero_and_one(self, losses):
        rule = BayesRule([norm(-1), norm(1)], priors=[0, 1], losses=losses)
        assert set(rule.predict(np.linspace(-50, 50, 101))) == {1}
        np.testing.assert_array_equal(rule.posterior([-3.0]), [[0, 1]])
        assert rule.boundary((-5, 5)).pieces == ()
        assert rule.error_rate().risk == 0
        flat = normals([(0, 0), (1, 1), (3, 0)], priors=[0.5, 0, 0.5]).boundary(SQUARE)
        assert {piece.classes for piece in flat.pieces} == {(0, 2)}

    def test_without_density_the_prior_decides(self):
        rule = BayesRule([stats.uniform(0, 1), stats.uniform(2, 1)], priors=[0.3, 0.7])
        assert rule.predict([1.5, 0.5]).tolist() == [1, 0]
        np.testing.assert_allclose(rule.posterior([1.5]), [[0.3, 0.7]])
        assert np.isneginf(rule.log_joints([1.5])).all()

    def test_poles_win_and_share(self):
        # At 0 the densities of gamma(1/2) are infinite, that of the normal is not.
        one = BayesRule([stats.gamma(0.5), norm(0)])
        np.testing.assert_array_equal(one.posterior([0.0]), [[1, 0]])
        two = BayesRule([stats.gamma(0.5), stats.gamma(0.3), norm(0)])
        np.testing.assert_array_equal(two.posterior([0.0]), [[0.5, 0.5, 0]])

    def test_minus_infinity_is_an_answer(self):
        rule = BayesRule([lambda x: np.where(x > 0, -x, -np.inf), lambda x: norm.logpdf(x)])
        assert rule.predict([-1.0]).tolist() == [1]
        assert rule.margin([-1.0])[0] == np.inf

    def test_labels_of_any_kind(self):
        for labels in (["a", "b"], [3, 7], [(1, 2), (3, 4)], [True, False], ["a", 5], [None, 1.5]):
            rule = BayesRule([norm(-1), norm(1)], classes=labels)
            assert rule.predict([-1.0, 1.0]).tolist() == labels
            boundary = rule.boundary((-5, 5))
            assert boundary.pieces[0].classes == tuple(labels)
            assert boundary.to_frame().loc[0, ["left", "right"]].tolist() == labels
            assert rule.error_rate().confusion.index.tolist() == labels
            display = BayesBoundaryDisplay.from_rule(rule, [-1.0, 1.0, 2.0], [*labels, labels[1]])
            assert [len(points.get_offsets()) for points in display.points_] == [1, 2]
            plt.close(display.figure_)

    def test_labels_of_numpy_are_those_of_python(self):
        # A dictionary made over `np.unique(y)` has NumPy's own scalars for keys.
        numbers = BayesRule({k: norm(k) for k in np.unique([0, 2])}, reject_cost=0.1)
        assert numbers.classes.dtype == np.dtype(int)
        assert numbers.predict([-1.0, 1.0, 3.0]).tolist() == [0, -1, 2]
        words = BayesRule({k: norm(len(k)) for k in np.unique(["b", "aaa"])})
        assert words.classes.dtype.kind == "U"

    def test_labelled_priors_and_losses_are_taken_by_their_labels(self):
        densities = {"a": norm(0), "b": norm(2), "c": norm(5)}
        losses = pd.DataFrame([[0, 1, 2], [3, 0, 4], [5, 6, 0]], list("abc"), list("abc"))
        y = pd.Series(list("ccbccabc"))
        by_position = BayesRule(densities, priors=[1 / 8, 2 / 8, 5 / 8], losses=losses.to_numpy())
        frequent_first = y.value_counts(normalize=True)
        assert frequent_first.index[0] == "c"
        for priors in (frequent_first, frequent_first.to_dict()):
            by_label = BayesRule(densities, priors=priors, losses=losses.loc[list("cab")])
            np.testing.assert_array_equal(by_label.priors, by_position.priors)
            np.testing.assert_array_equal(by_label.losses, by_position.losses)

    def test_reject_labels(self):
        rejecting = BayesRule([norm(-1), norm(1)], reject_cost=0.2)
        assert rejecting.predict([0.0]).tolist() == [-1]
        named = BayesRule([norm(-1), norm(1)], reject_cost=0.2, reject_label="ask")
        assert named.predict([-3.0, 0.0, 3.0]).tolist() == [0, "ask", 1]

    def test_labels_and_losses_are_the_rules_own(self):
        losses = np.array([[0.0, 1.0], [1.0, 0.0]])
        rule = BayesRule([norm(-1), norm(1)], losses=losses)
        losses[0, 1] = 100.0
        assert rule.losses[0, 1] == 1.0

    def test_points_in_several_shapes(self):
        rule = BayesRule([norm(-1), norm(1)])
        X = np.linspace(-3, 3, 40_001)  # more than are worked on at a time
        assert rule.predict(X).tolist() == (X > 0).astype(int).tolist()
        np.testing.assert_allclose(rule.margin(X), 2 * np.abs(X), atol=1e-12)
        assert rule.predict(X).tolist() == rule.predict(X[:, None]).tolist()
        assert rule.predict(pd.DataFrame({"x": X})).tolist() == rule.predict(X).tolist()


class TestSlices:
    def test_a_slice_is_the_rule_in_the_plane(self):
        rng = np.random.default_rng(0)
        means = rng.normal(size=(3, 4))
        whole = BayesRule([multivariate_normal(m, np.diag([1, 2, 0.5, 1])) for m in means])
        point = np.array([0.1, np.nan, -0.3, np.nan])
        point = np.nan_to_num(point)
        plane = whole.slice(point, features=[3, 1])
        X = rng.normal(size=(30, 2))
        lifted = np.tile(point, (30, 1))
        lifted[:, [3, 1]] = X
        assert (plane.predict(X) == whole.predict(lifted)).all()
        found = plane.boundary(SQUARE).points
        lifted = np.tile(point, (len(found), 1))
        lifted[:, [3, 1]] = found
        assert np.abs(whole.margin(lifted)).max() < 1e-4
        with pytest.raises(ValueError, match="A slice has no error rate"):
            plane.error_rate()

    def test_a_slice_keeps_priors_losses_and_rejection(self):
        whole = normals(
            [(-1, 0), (1, 0)], priors=[0.9, 0.1], losses=[[0, 1], [4, 0]], reject_cost=0.2,
            reject_label="ask",
        )  # fmt: skip
        x = np.linspace(-6, 6, 121)
        expected = whole.predict(np.column_stack([x, np.zeros(121)]))
        assert set(expected) == {0, 1, "ask"}
        assert (whole.slice([0, 0], features=0).predict(x) == expected).all()


NORMAL = norm(0)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((3,), {}, "`log_densities` must be a sequence or a mapping with one density a class"),
        (([NORMAL],), {}, "`log_densities` must be for at least two classes, got 1"),
        (([NORMAL, 5],), {}, "density of class 1 must be a function, a frozen continuous SciPy"),
        (([NORMAL, norm],), {}, "density of class 1 must be frozen, .* got norm_gen"),
        (([NORMAL, multivariate_normal],), {}, "must be frozen, .* got multivariate_normal_gen"),
        (([NORMAL, stats.poisson(3)],), {}, "must be continuous, got the discrete .*'poisson'"),
        (([NORMAL, norm([0, 1])],), {}, "must be one distribution, got 'norm' with parameters"),
        (([NORMAL, multivariate_normal([0, 0])],), {}, "same number of features: class 0 .*has 1"),
        (([NORMAL] * 2,), {"priors": [0.5, 0.6]}, r"`priors` must .* add up to 1, .*sum 1.1"),
        (([NORMAL] * 2,), {"priors": [-0.5, 1.5]}, "`priors` must be at least 0"),
        (([NORMAL] * 2,), {"priors": [np.nan, 1]}, "`priors` must be at least 0"),
        (([NORMAL] * 2,), {"priors": [1.0]}, r"one probability for each of the 2 classes.*\(1,\)"),
        (
            ([NORMAL, stats.dirichlet([1, 2])],),
            {},
            "got dirichlet_frozen.* pass the method `logpdf`",
        ),
        (
            ([NORMAL, stats.Binomial(n=3, p=0.5)],),
            {},
            "must be continuous, .*discrete .*'Binomial'",
        ),
        (
            ([NORMAL, KernelDensity(metric="manhattan").fit([[0.0], [1.0]])],),
            {},
            "class 1 must use the Euclidean metric, .* got `KernelDensity` with metric 'manhattan'",
        ),
        (([NORMAL, norm(0, -1)],), {}, "class 1 must have valid parameters, got 'norm'"),
        (([NORMAL] * 2,), {"priors": ["a", "b"]}, "`priors` must be numeric"),
        (([NORMAL] * 2,), {"priors": [[0.1], [0.1, 0.8]]}, "`priors` must have rows of equal"),
        (([NORMAL] * 2,), {"priors": np.ma.array([0.5, 0.5], mask=[0, 1])}, "`priors` must be at"),
        (
            ([NORMAL] * 2,),
            {"priors": pd.Series([0.5, 0.0, 0.5], index=[0, 1, 1])},
            r"`priors` must be labelled by the classes \(0, 1\), got labels 0, 1, 1",
        ),
        (
            ([NORMAL] * 2,),
            {"losses": np.ma.array([[0, 1], [1, 0]], mask=[[0, 1], [0, 0]])},
            r"`losses` must be finite, .* column\(s\) 1",
        ),
        (([NORMAL] * 2,), {"classes": 5}, "`classes` must be labels in an order, got 5"),
        (([NORMAL] * 2,), {"classes": {"b", "a"}}, "`classes` must be labels in an order, got {"),
        (([NORMAL] * 2,), {"classes": [[1], [2]]}, r"`classes` must be hashable, got \[1\]"),
        (([NORMAL] * 2,), {"classes": [0, np.nan]}, "`classes` must not be missing, got nan"),
        (
            ([NORMAL] * 2,),
            {"priors": {"a": 0.5, 1: 0.5}},
            r"`priors` must be labelled by the classes \(0, 1\), got labels 'a', 1",
        ),
        (
            ([NORMAL] * 2,),
            {"losses": pd.DataFrame([[0, 1], [1, 0]], [0, 1], ["a", "b"])},
            r"`losses` must be labelled by the classes \(0, 1\), got labels 'a', 'b'",
        ),
        (([NORMAL] * 2,), {"losses": [[0, 1]]}, r"`losses` must have shape \(2, 2\).*\(1, 2\)"),
        (([NORMAL] * 2,), {"losses": [[0, np.nan], [1, 0]]}, "`losses` must be finite"),
        (([NORMAL] * 2,), {"reject_cost": np.inf}, "`reject_cost` must be finite"),
        (([NORMAL] * 2,), {"reject_cost": "x"}, "`reject_cost` must be a number"),
        (([NORMAL] * 2,), {"reject_label": "no"}, "`reject_label` needs a `reject_cost`"),
        (
            ([NORMAL] * 2,),
            {"reject_cost": 0.1, "classes": [-1, 1]},
            r"`reject_label` must differ from all classes \(-1, 1\), got -1",
        ),
        (([NORMAL] * 2,), {"classes": ["a"]}, "`classes` must name each of the 2 densities, got 1"),
        (([NORMAL] * 2,), {"classes": ["a", "a"]}, "`classes` must differ, got a more than once"),
        (({0: NORMAL, 1: NORMAL},), {"classes": [1, 2]}, "`classes` must be None with a mapping"),
        (([NORMAL] * 2,), {"values": "log"}, "`values` must be one of 'log_density', 'density'"),
        (([NORMAL] * 2,), {"vectorized": "yes"}, "`vectorized` must be True or False"),
        (([NORMAL.logpdf] * 2,), {"n_features": 0}, "`n_features` must be at least 1"),
    ],
)
def test_what_the_rule_refuses(arguments, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        BayesRule(*arguments, **options)


LINE, PLANE = BayesRule([norm(0), norm(1)]), normals([(0, 0), (1, 0)])
SPACE = BayesRule([multivariate_normal(np.zeros(3))] * 2)
FITTED = GaussianNB().fit([[0, 0], [1, 1]], [0, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LINE.predict([[0.0, 1.0]]), r"`X` must have 1 feature\(s\), got 2"),
        (lambda: PLANE.predict([0.0, 1.0]), r"`X` must have shape \(n_samples, 2\), got .*\(2,\)"),
        (lambda: PLANE.predict([[0.0, np.nan]]), "`X` must be finite"),
        (lambda: LINE.predict(np.ma.array([0.0, 1.0], mask=[0, 1])), "`X` must be finite"),
        (lambda: LINE.predict([[0.0], [1.0, 2.0]]), "`X` must have rows of equal length"),
        (lambda: LINE.boundary(("0", "1")), "`limits` must be numeric, got dtype <U1"),
        (lambda: LINE.boundary(pd.date_range("2020", periods=2)), "`limits` must be numeric"),
        (lambda: LINE.boundary((-1e308, 1e308)), "`limits` must be finite .* finite difference"),
        (lambda: LINE.boundary((0, 1), tolerance=0.05), "`tolerance` must lie in"),
        (lambda: LINE.boundary(5), r"`limits` must be \(low, high\) for one feature"),
        (lambda: LINE.boundary((1, 0)), "`limits` must be finite with low < high"),
        (lambda: LINE.boundary((0, np.inf)), "`limits` must be finite with low < high"),
        (lambda: LINE.boundary(SQUARE), r"`limits` must have one \(low, high\) for each of .* 1 f"),
        (lambda: PLANE.boundary((0, 1)), "for each of the rule's 2 feature"),
        (lambda: SPACE.boundary(SQUARE), "rule's 3 feature.*Cut one or two features out"),
        (lambda: LINE.boundary((0, 1), tolerance=0), "`tolerance` must lie in"),
        (lambda: LINE.boundary((0, 1), resolution=2), "`resolution` must be between 8"),
        (lambda: LINE.boundary((0, 1), max_evaluations=0), "`max_evaluations` must be at least 1"),
        (lambda: LINE.error_rate(method="guess"), "`method` must be one of 'auto'"),
        (lambda: LINE.error_rate(tolerance=1), "`tolerance` must lie in"),
        (lambda: LINE.error_rate(max_evaluations=0), "`max_evaluations` must be at least 1"),
        (
            lambda: PLANE.error_rate(of=FITTED, method="integration"),
            "'integration' for one or two features, and a BayesRule as `of`, got 2 and GaussianNB",
        ),
        (lambda: LINE.error_rate(of=FITTED), r"`of` must have 1 feature\(s\) as the rule, got 2"),
        (lambda: LINE.error_rate(of=PLANE), r"`of` must have 1 feature\(s\) as the rule, got 2"),
        (lambda: LINE.error_rate(n_draws=5), "`n_draws` must be at least 100"),
        (lambda: LINE.error_rate(random_state="x"), "`random_state` must be None"),
        (
            lambda: LINE.error_rate(region=SQUARE),
            r"`region` must have .* 1 feature\(s\), got 2",
        ),
        (lambda: LINE.error_rate(of=3), "`of` must be a BayesRule or a fitted estimator"),
        (
            lambda: LINE.error_rate(of=BayesRule([norm(0), norm(1)], classes=["a", "b"])),
            "`of` must decide for 0, 1, got 'a', 'b'",
        ),
        (lambda: SPACE.error_rate(method="integration"), "'integration' for one or two features"),
        (lambda: SPACE.slice([0, 0], [0]), r"`point` must have the rule's 3 feature\(s\), got 2"),
        (lambda: SPACE.slice(np.zeros((2, 3)), [0]), "`point` must be one point, .* got 2 rows"),
        (lambda: SPACE.slice([0, 0, 0], ["a"]), "`features` must be an integer, got 'a'"),
        (lambda: SPACE.slice([0, 0, 0], [0, 0]), "`features` must be one or two distinct columns"),
        (lambda: SPACE.slice([0, 0, 0], [3]), "`features` must be between 0 and 2"),
        (lambda: BayesBoundaryDisplay.from_rule(3), "`rule` must be a BayesRule"),
        (
            lambda: BayesBoundaryDisplay.from_rule(PLANE),
            "`limits` must be given where",
        ),
        (
            lambda: BayesBoundaryDisplay.from_rule(PLANE, np.zeros((3, 2)), [0, 1]),
            r"`y` must have shape \(3,\) as `X`",
        ),
        (
            lambda: BayesBoundaryDisplay.from_rule(PLANE, np.zeros((2, 2)), [0, 7]),
            r"`y` must hold classes of the rule \(0, 1\), got 7",
        ),
        (
            lambda: BayesBoundaryDisplay.from_rule(PLANE, np.zeros((2, 3))),
            r"`X` must have 2 feature\(s\), got 3",
        ),
        (
            lambda: BayesBoundaryDisplay.from_rule(
                PLANE, np.zeros((2, 2)), np.ma.array([0, 1], mask=[0, 1])
            ),
            r"`y` must hold classes of the rule \(0, 1\), got masked",
        ),
        (
            lambda: BayesBoundaryDisplay.from_rule(PLANE, np.zeros((2, 2)), [[0], [1]]),
            r"`y` must hold classes of the rule \(0, 1\), got \[0\], \[1\]",
        ),
        (
            lambda: BayesBoundaryDisplay.from_rule(PLANE, np.zeros((1, 2)), 0),
            "`y` must be one class for each row of `X`, got int",
        ),
        (
            lambda: BayesBoundaryDisplay.from_rule(PLANE, limits=SQUARE, density_levels=1.0),
            "`density_levels` must lie in",
        ),
        (
            lambda: BayesBoundaryDisplay.from_rule(PLANE, limits=SQUARE, grid_resolution=5),
            "`grid_resolution` must be at least 10",
        ),
        (lambda: BayesBoundaryDisplay.from_rule(PLANE, y=[0]), "`y` must come with .*`X`"),
        (
            lambda: BayesBoundaryDisplay.from_rule(PLANE, limits=SQUARE, feature_names=["x"]),
            r"`feature_names` must name 2 feature\(s\), got 1",
        ),
        (
            lambda: BayesBoundaryDisplay.from_rule(PLANE, limits=SQUARE, density_levels=[2]),
            "`density_levels` must lie in",
        ),
    ],
)
def test_what_the_methods_refuse(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_nothing_warns_on_the_way():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rule = normals([(0, 0), (40, 0)], [1e-6 * IDENTITY, 1e6 * IDENTITY])
        rule.boundary(((-3, 3), (-3, 3)))
        rule.margin([[1e6, 1e6]])
        rule.posterior([[1e6, 1e6]])
        assert repr(rule) == "BayesRule(priors {0: 0.5, 1: 0.5}, zero-one loss)"
