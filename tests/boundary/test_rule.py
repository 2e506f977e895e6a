"""Boundaries by position, risks by closed form, and what the rule refuses.

Expected numbers come from closed forms given beside them, from the textbook they cite, or from
brute force over a grid. Distances are in units of the range that was asked for.
"""

from __future__ import annotations

import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler

from afterfit.boundary import BayesBoundaryDisplay, BayesRule, ErrorRate, _risk
from afterfit.mixture import GaussianMixtureParameters

TOLERANCE = 1e-6  # of the range: what `boundary` promises by default
SQUARE = ((-6.0, 6.0), (-6.0, 6.0))
IDENTITY = np.eye(2)


def normals(means, covariances=None, **options):
    """Return the rule of normal densities, with unit covariances unless given."""
    covariances = [IDENTITY] * len(means) if covariances is None else covariances
    densities = [multivariate_normal(m, c) for m, c in zip(means, covariances, strict=True)]
    return BayesRule(densities, **options)


def _mixture_density(model, X):
    """Return the log density of scikit-learn's mixture, by SciPy, component by component."""
    d = X.shape[1]
    covariances = {
        "full": lambda k: model.covariances_[k],
        "tied": lambda k: model.covariances_,
        "diag": lambda k: np.diag(model.covariances_[k]),
        "spherical": lambda k: model.covariances_[k] * np.eye(d),
    }[model.covariance_type]
    parts = [
        np.log(weight) + multivariate_normal.logpdf(X, mean, covariances(k))
        for k, (weight, mean) in enumerate(zip(model.weights_, model.means_, strict=True))
    ]
    return np.logaddexp.reduce(parts)


def along(piece, per_chord=3):
    """Return points on every chord of a piece: vertices and what lies between them."""
    start, stop = piece.points[:-1], piece.points[1:]
    fractions = np.linspace(0, 1, per_chord + 1)[:, None, None]
    return (start + fractions * (stop - start)).reshape(-1, 2)


def farthest(piece, distance, limits=SQUARE):
    """Return the greatest distance of a piece's chords from a curve, in units of the range."""
    ranges = [high - low for low, high in limits]
    return float(np.abs(distance(*along(piece).T)).max()) / min(ranges)


class TestOneFeature:
    def test_two_roots_where_spreads_differ(self):
        # N(0, 1) against N(3, 1.5): reference-values.md; roots of the quadratic log ratio.
        rule = BayesRule([norm(0, 1), norm(3, 1.5)], classes=["a", "b"])
        boundary = rule.boundary((-20, 20))
        np.testing.assert_allclose(boundary.points, [-6.197325, 1.397325], atol=5e-7)
        assert [piece.classes for piece in boundary.pieces] == [("b", "a"), ("a", "b")]

    @settings(deadline=None, max_examples=60)
    @given(
        mean=st.floats(-5, 5),
        scale=st.floats(0.05, 5),
        prior=st.floats(0.02, 0.98),
    )
    def test_all_roots_of_two_normals(self, mean, scale, prior):
        # Closed form: the roots of the quadratic log(p f0) - log(q f1).
        rule = BayesRule([norm(0, 1), norm(mean, scale)], priors=[prior, 1 - prior])
        a = -0.5 + 0.5 / scale**2
        b = -mean / scale**2
        c = 0.5 * (mean / scale) ** 2 + np.log(scale) + np.log(prior) - np.log1p(-prior)
        if abs(a) < 1e-3 or abs(b * b - 4 * a * c) < 1e-3:
            return  # a root at infinity, or two that touch
        roots = np.roots([a, b, c])
        expected = np.sort(roots.real[(np.abs(roots.imag) == 0) & (np.abs(roots.real) < 30)])
        found = rule.boundary((-30, 30)).points
        np.testing.assert_allclose(found, expected, atol=60 * TOLERANCE)

    @pytest.mark.parametrize("width", [1e-2, 1e-4, 1e-6])
    @pytest.mark.parametrize("centre", [0.1234567, -7.7, 12.3])
    def test_a_narrow_class_is_found_between_samples(self, width, centre):
        # Log densities as functions: nothing says where the narrow class is.
        rule = BayesRule([lambda x: norm.logpdf(x, 0, 10), lambda x: norm.logpdf(x, centre, width)])
        found = rule.boundary((-20, 20)).points
        reach = np.abs(found - centre)
        # f1 > f0 where (x - c)^2 / 2 w^2 < log(10 / w) + x^2 / 200, nearly.
        expected = width * np.sqrt(2 * np.log(10 / width) + centre**2 / 100)
        assert len(found) == 2
        np.testing.assert_allclose(reach, expected, rtol=1e-2 if width > 1e-3 else 1e-4)

    def test_a_spike_with_heavy_tails_is_found_by_going_downhill(self):
        # Student's t with scale 1e-4, decided for within 0.001; samples are 0.04 apart, and its log
        # density is no quadratic, so that curvature between samples says nothing.
        rule = BayesRule(
            [lambda x: norm.logpdf(x, 0, 3), lambda x: stats.t.logpdf(x, 3, 1.2345, 1e-4)]
        )
        low, high = rule.boundary((-20, 20)).between(0, 1)[:2]
        assert 0 < 1.2345 - low.points[0] < 0.005
        assert 0 < high.points[0] - 1.2345 < 0.005
        np.testing.assert_allclose(rule.margin([low.points[0], high.points[0]]), 0, atol=1e-6)

    def test_every_kernel_of_a_narrow_estimate_is_found(self):
        # Kernels of standard deviation h lie alone: log(f_i / n) = log f_wide on either side.
        data, h = np.random.default_rng(0).uniform(-18, 18, size=12), 1e-4
        narrow = KernelDensity(bandwidth=h).fit(data[:, None])
        found = BayesRule([norm(0, 10), narrow]).boundary((-20, 20)).points
        half = h * np.sqrt(2 * (np.log(10 / (12 * h)) + np.sort(data) ** 2 / 200))
        expected = np.sort(data)[:, None] + np.column_stack([-half, half])
        np.testing.assert_allclose(found, expected.ravel(), atol=1e-8)

    def test_the_deepest_dips_are_searched(self):
        # The wide class ripples, so that there are more dips than are searched; one has the spike.
        rule = BayesRule(
            [
                lambda x: norm.logpdf(x, 0, 3) + 0.5 * np.sin(6 * x),
                lambda x: stats.t.logpdf(x, 3, 1.2345, 1e-4),
            ]
        )
        around = [p.points[0] - 1.2345 for p in rule.boundary((-20, 20)).between(0, 1)]
        assert sorted(abs(root) < 0.01 for root in around)[-2:] == [True, True]

    def test_three_classes_from_left_to_right(self):
        # Equal spreads: midpoints of neighbouring means.
        rule = BayesRule([norm(m) for m in (4, 0, 2)], classes=["c", "a", "b"])
        boundary = rule.boundary((-10, 10))
        np.testing.assert_allclose(boundary.points, [1, 3], atol=1e-11)
        assert [piece.classes for piece in boundary.pieces] == [("a", "b"), ("b", "c")]

    def test_oscillating_density_has_all_its_roots(self):
        # log odds sin(20 x): a root at every multiple of pi / 20, 127 within (-10, 10).
        rule = BayesRule([lambda x: np.sin(20 * x), lambda x: 0 * x])
        multiples = np.arange(-63, 64) * np.pi / 20
        np.testing.assert_allclose(rule.boundary((-10, 10)).points, multiples, atol=1e-10)

    def test_edges_of_a_support(self):
        rule = BayesRule([stats.uniform(0, 2), stats.uniform(1, 3)], priors=[0.7, 0.3])
        # On [1, 2] the densities times priors are 0.35 and 0.1; outside [0, 4] nothing is known.
        np.testing.assert_allclose(rule.boundary((-3, 6)).points, [2.0], atol=1e-9)

    def test_poles(self):
        # gamma(1/2) has an infinite density at 0, a lattice point of these limits; the roots are
        # those of -x / 2 ... : gamma(1/2, scale 2) = chi2(1) against an exponential, mean 1.
        rule = BayesRule([stats.chi2(1), stats.expon()])
        found = rule.boundary((0, 12)).points
        np.testing.assert_allclose(rule.margin(found), 0, atol=1e-9)
        assert len(found) == 2
        assert rule.predict([0.0])[0] == 0


class TestTwoFeatures:
    def test_the_textbook_parabola(self):
        # Duda, Hart & Stork (2001), section 2.6, example 1: reference-values.md. The coefficient
        # 3.514213 is computed here from the two densities.
        limits = ((-4.0, 10.0), (-2.0, 12.0))
        rule = normals([(3, 6), (3, -2)], [np.diag([0.5, 2.0]), 2 * IDENTITY])
        # log f1 - log f2 = -(x-3)^2 - (y-6)^2/4 + (x-3)^2/4 + (y+2)^2/4 + log(2)
        #                 = -0.75 (x-3)^2 + 4 y - 8 + log 2 = 0
        constant = 2 - np.log(2) / 4 + 0.1875 * 9
        assert constant == pytest.approx(3.514213, abs=1e-6)
        (piece,) = rule.boundary(limits).pieces

        def distance(x, y):  # at right angles to the curve
            slope = -1.125 + 0.375 * x
            return (y - (constant - 1.125 * x + 0.1875 * x**2)) / np.hypot(1, slope)

        assert farthest(piece, distance, limits) < TOLERANCE

    @pytest.mark.parametrize("prior", [0.5, 0.9, 0.01])
    def test_linear_boundary_of_equal_covariances(self, prior):
        # LDA: w' (x - (m0 + m1) / 2) + log(p0 / p1) = 0, w = S^-1 (m0 - m1).
        covariance = np.array([[2.0, 0.9], [0.9, 1.0]])
        m0, m1 = np.array([-1.0, 0.5]), np.array([1.5, -0.3])
        rule = normals([m0, m1], [covariance] * 2, priors=[prior, 1 - prior])
        w = np.linalg.solve(covariance, m0 - m1)
        offset = np.log(prior / (1 - prior)) - w @ (m0 + m1) / 2
        (piece,) = rule.boundary(SQUARE).pieces
        distance = farthest(piece, lambda x, y: (w[0] * x + w[1] * y + offset) / np.linalg.norm(w))
        assert distance < TOLERANCE
        ends = piece.points[[0, -1]]
        assert np.isclose(np.abs(ends), 6.0).any(axis=1).all()  # it runs from edge to edge

    @pytest.mark.parametrize("scale", [0.3, 0.01, 1e-4])
    def test_ring_however_small(self, scale):
        # N(c, s^2 I) inside N(0, 4 I) is decided for within a circle (Apollonius): completing the
        # square of |x - c|^2 / s^2 - |x|^2 / 4 = 4 log(2 / s).
        c = np.array([0.7, -1.1])
        rule = BayesRule(
            {
                "wide": lambda X: multivariate_normal.logpdf(X, [0, 0], 4 * IDENTITY),
                "narrow": lambda X: multivariate_normal.logpdf(X, c, scale**2 * IDENTITY),
            }
        )
        a, b = 1 / scale**2, 1 / 4
        centre = a * c / (a - b)
        radius = np.sqrt((4 * np.log(2 / scale) - a * c @ c) / (a - b) + centre @ centre)
        (piece,) = rule.boundary(SQUARE).pieces
        assert piece.closed
        assert (
            farthest(piece, lambda x, y: np.hypot(x - centre[0], y - centre[1]) - radius)
            < TOLERANCE
        )
        area = 0.5 * np.sum(
            piece.points[:-1, 0] * piece.points[1:, 1] - piece.points[1:, 0] * piece.points[:-1, 1]
        )
        # The first class is on the left: a clockwise curve (negative area) has the outside there.
        assert piece.classes == ("wide", "narrow")
        assert area == pytest.approx(-np.pi * radius**2, rel=1e-2)

    def test_a_thin_strip_has_both_its_sides(self):
        # A class with standard deviation 0.002 across and 4 along: |y - 0.2| below a curve y(x).
        rule = normals([(0, 0), (0.3, 0.2)], [9 * IDENTITY, np.diag([16.0, 4e-6])])
        boundary = rule.boundary(SQUARE)
        upper, lower = sorted(boundary.pieces, key=lambda piece: -piece.points[:, 1].mean())
        for piece, sign in ((upper, 1), (lower, -1)):
            x, y = along(piece).T
            right = np.log(9 / (4 * 0.002)) - (x - 0.3) ** 2 / 32 + (x**2 + y**2) / 18
            assert np.abs(y - 0.2 - sign * 0.002 * np.sqrt(2 * right)).max() / 12 < TOLERANCE
            assert np.ptp(x) == pytest.approx(12.0)
        assert len(boundary.pieces) == 2

    def test_a_spike_with_heavy_tails_is_found_by_going_downhill(self):
        rule = BayesRule(
            [
                lambda X: multivariate_normal.logpdf(X, [0, 0], 9 * IDENTITY),
                lambda X: stats.multivariate_t.logpdf(X, [1.27, -2.31], 1e-8 * IDENTITY, df=3),
            ]
        )
        small = [piece for piece in rule.boundary(SQUARE).pieces if piece.closed]
        centres = [0.5 * (p.points.min(axis=0) + p.points.max(axis=0)) for p in small]
        np.testing.assert_allclose(centres[0], [1.27, -2.31], atol=1e-3)
        assert np.ptp(small[0].points) > 0

    def test_exclusive_or_crosses_at_the_saddle(self):
        # Each class is a mixture of two opposite corners: the axes are the boundary, x y = 0.
        def corners(*means):
            return lambda X: (
                np.logaddexp(*(multivariate_normal.logpdf(X, mean) for mean in means)) - np.log(2)
            )

        rule = BayesRule([corners((2, 2), (-2, -2)), corners((2, -2), (-2, 2))])
        boundary = rule.boundary(SQUARE)
        assert len(boundary.pieces) == 2
        assert len(boundary.unresolved) == 0  # where the axes cross, cells got as small as can be
        for piece in boundary.pieces:
            assert farthest(piece, lambda x, y: np.minimum(np.abs(x), np.abs(y))) < TOLERANCE
        xy = boundary.points
        for axis in (0, 1):  # both axes are there from edge to edge
            on_axis = xy[np.abs(xy[:, 1 - axis]) < 1e-5, axis]
            assert np.ptp(on_axis) == pytest.approx(12.0)

    def test_three_classes_meet_at_the_circumcentre(self):
        # Equal covariances and priors: a Voronoi diagram; (1.5, 1.5) is equally far from all.
        means = np.array([(0, 0), (3, 0), (0, 3)], dtype=float)
        boundary = normals(means, classes=["a", "b", "c"]).boundary(SQUARE)
        np.testing.assert_allclose(boundary.junctions, [[1.5, 1.5]], atol=12 * TOLERANCE)
        assert {piece.classes for piece in boundary.pieces} == {("a", "b"), ("a", "c"), ("b", "c")}
        for piece in boundary.pieces:
            i, j = ("abc".index(label) for label in piece.classes)
            normal = means[j] - means[i]
            middle = (means[i] + means[j]) / 2
            assert (
                farthest(
                    piece,
                    lambda x, y, n=normal, m=middle: (
                        (n[0] * (x - m[0]) + n[1] * (y - m[1])) / np.linalg.norm(n)
                    ),
                )
                < TOLERANCE
            )
            ends = np.abs(piece.points[[0, -1]] - 1.5).max(axis=1)
            assert ends.min() < 12 * TOLERANCE

    def test_five_classes(self):
        # A centre and four corners: the Voronoi cell of the centre is the square of |x| + |y| = 2.
        means = [(0, 0), (2, 2), (-2, 2), (-2, -2), (2, -2)]
        boundary = normals(means).boundary(SQUARE)
        np.testing.assert_allclose(
            sorted(map(tuple, boundary.junctions.round(5) + 0.0)),
            [(-2, 0), (0, -2), (0, 2), (2, 0)],
            atol=1e-5,
        )
        inner = [piece for piece in boundary.pieces if 0 in piece.classes]
        outer = [piece for piece in boundary.pieces if 0 not in piece.classes]
        assert (len(inner), len(outer)) == (4, 4)
        for piece in inner:
            assert (
                farthest(piece, lambda x, y: (np.abs(x) + np.abs(y) - 2) / np.sqrt(2)) < TOLERANCE
            )
        for piece in outer:
            assert farthest(piece, lambda x, y: np.minimum(np.abs(x), np.abs(y))) < TOLERANCE

    def test_losses_move_the_boundary(self):
        # Decide 1 where P(1|x) losses[1, 0] > P(0|x) losses[0, 1]: for unit covariances, means
        # (-1, 0) and (1, 0), at 2 x = log(losses[0, 1] / losses[1, 0]).
        rule = normals([(-1, 0), (1, 0)], losses=[[0, 1], [10, 0]])
        (piece,) = rule.boundary(SQUARE).pieces
        assert farthest(piece, lambda x, y: x + np.log(10) / 2) < TOLERANCE

    def test_reject_band(self):
        # Chow: rejected where the log odds 2 x are below log((1 - c) / c) in size.
        rule = normals([(-1, 0), (1, 0)], reject_cost=0.1, classes=["a", "b"])
        boundary = rule.boundary(SQUARE)
        half = np.log(0.9 / 0.1) / 2
        assert boundary.between("a", "b") == ()
        for label, at in (("a", -half), ("b", half)):
            (piece,) = boundary.between(label, "reject")
            assert farthest(piece, lambda x, y, at=at: x - at) < TOLERANCE

    def test_a_thin_reject_band_has_both_its_sides(self):
        # As above with c near 1/2: the band is 0.04 wide, the lattice's cells 0.4.
        c = 0.49
        boundary = normals([(-1, 0), (1, 0)], reject_cost=c).boundary(SQUARE)
        half = np.log((1 - c) / c) / 2
        for label, at in ((0, -half), (1, half)):
            (piece,) = boundary.between(label, -1)
            assert farthest(piece, lambda x, y, at=at: x - at) < TOLERANCE
        assert len(boundary.pieces) == 2

    def test_where_a_boundary_leaves_the_supports_is_no_junction(self):
        # Normals cut to a disc of radius 2: the boundary x = 0 ends at its rim, where nothing is.
        def in_disc(mean):
            def log_density(X):
                inside = np.sum(X**2, axis=1) < 4
                return np.where(inside, multivariate_normal.logpdf(X, mean), -np.inf)

            return log_density

        boundary = BayesRule([in_disc((-1, 0)), in_disc((1, 0))]).boundary(SQUARE)
        (piece,) = boundary.pieces
        np.testing.assert_allclose(np.sort(piece.points[[0, -1], 1]), [-2, 2], atol=2e-3 * 12)
        inner = np.abs(piece.points[:, 1]) < 1.9
        assert np.abs(piece.points[inner, 0]).max() < 12 * TOLERANCE
        assert boundary.junctions.shape == (0, 2)

    def test_evaluations_are_counted(self):
        counts = []

        def counted(X):
            counts.append(len(X))
            return multivariate_normal.logpdf(X, [1, 0]).reshape(len(X))

        boundary = BayesRule([multivariate_normal([-1, 0]), counted]).boundary(SQUARE)
        assert boundary.n_evaluations == sum(counts)

    def test_the_first_class_is_on_the_left(self):
        rule = normals([(0, 0), (3, 0), (0, 3)], reject_cost=0.3, classes=["a", "b", "c"])
        for piece in rule.boundary(SQUARE).pieces:
            start, stop = piece.points[:-1], piece.points[1:]
            step = stop - start
            long = np.hypot(*step.T) > 1e-4
            normal = np.column_stack([-step[:, 1], step[:, 0]])[long]
            normal *= (1e-4 / np.hypot(*normal.T))[:, None]
            middle = (0.5 * (start + stop))[long]
            left, right = piece.classes
            assert (rule.predict(middle + normal) == left).all()
            assert (rule.predict(middle - normal) == right).all()

    def test_disc_supports_leave_the_rest_without_boundary(self):
        def disc(cx):
            def log_density(X):
                inside = (X[:, 0] - cx) ** 2 + X[:, 1] ** 2 < 4
                return np.where(inside, -np.log(4 * np.pi), -np.inf)

            return log_density

        apart = BayesRule([disc(-3), disc(3)]).boundary(SQUARE)
        assert apart.pieces == ()
        # Overlapping, with unequal priors: the likelier class keeps its disc, and the boundary is
        # the arc of its rim within the other.
        rule = BayesRule([disc(-1), disc(1)], priors=[0.6, 0.4])
        boundary = rule.boundary(SQUARE)
        assert boundary.pieces
        for piece in boundary.pieces:
            on_rim = np.abs(np.hypot(piece.points[:, 0] + 1, piece.points[:, 1]) - 2)
            assert on_rim.max() < 2e-3 * 12  # corners of an edge may be cut, see the notes
        arc = boundary.points
        assert np.abs(arc[:, 1]).max() == pytest.approx(np.sqrt(3), abs=0.02)

    def test_identical_classes_tie_everywhere(self):
        rule = normals([(0, 0), (0, 0), (2, 0)])
        boundary = rule.boundary(SQUARE)
        assert {piece.classes for piece in boundary.pieces} == {(0, 2)}
        assert set(rule.predict([[0.0, 0.0], [-3.0, 1.0]])) == {0}

    def test_classes_that_tie_up_to_rounding_have_no_boundary_between_them(self):
        # The same density by another formula: its last digits differ from point to point.
        def again(X):
            x, y = X.T
            return -0.5 * ((x + y) ** 2 + (x - y) ** 2) / 2 - np.log(2 * np.pi)

        rule = BayesRule([multivariate_normal([0, 0]), again, multivariate_normal([2, 0])])
        assert {piece.classes for piece in rule.boundary(SQUARE).pieces} == {(0, 2)}

    def test_curves_meet_where_all_three_classes_tie(self):
        covariances = [IDENTITY, np.diag([0.3, 2.0]), np.array([[1.0, 0.5], [0.5, 1.0]])]
        rule = normals([(0, 0), (3, 0.5), (0, 3)], covariances)
        junctions = rule.boundary(SQUARE).junctions
        assert len(junctions)
        assert np.ptp(rule.log_joints(junctions), axis=1).max() < 1e-7

    def test_brute_force_labels_change_only_at_the_boundary(self):
        # Every pair of neighbouring grid points with different labels has the boundary between.
        rng = np.random.default_rng(7)
        grid = np.linspace(-6, 6, 241)
        for _ in range(6):
            means = rng.uniform(-4, 4, size=(4, 2))
            factors = rng.normal(size=(4, 2, 2)) * rng.uniform(0.05, 1.5, size=(4, 1, 1))
            covariances = [f @ f.T + 0.01 * IDENTITY for f in factors]
            rule = normals(means, covariances, priors=rng.dirichlet(np.ones(4)))
            boundary = rule.boundary(SQUARE)
            mesh = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1)
            labels = rule.predict(mesh.reshape(-1, 2)).reshape(241, 241)
            vertices = np.concatenate([along(piece, 2) for piece in boundary.pieces])
            from scipy.spatial import cKDTree

            tree = cKDTree(vertices)
            for axis in (0, 1):
                i, j = np.nonzero(np.diff(labels, axis=axis))
                middle = np.column_stack([grid[i], grid[j]])
                middle[:, axis] += 0.025
                assert tree.query(middle)[0].max() < 0.1
            # ... and every vertex is a tie of the best two.
            gradient_step = 1e-5
            probes = boundary.points
            assert np.abs(rule.margin(probes)).max() < 1e3 * gradient_step

    def test_a_needle_of_a_mixture_is_followed_to_its_end(self):
        # A component with standard deviations 1 and 0.01, in a function that does not say so: its
        # curvature comes and goes within a cell, and only chords that lead nowhere tell.
        angle = 2.934
        axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        needle, centre = axes @ np.diag([1.0, 1e-4]) @ axes.T, np.array([-1.365, 0.731])

        def density(X):
            parts = [
                multivariate_normal.logpdf(X, [2.434, -2.537], 0.3 * IDENTITY),
                multivariate_normal.logpdf(X, centre, needle),
            ]
            return np.logaddexp(*parts) - np.log(2)

        rule = BayesRule([lambda X: multivariate_normal.logpdf(X, [0, 0], 9 * IDENTITY), density])
        pieces = rule.boundary(SQUARE).pieces
        assert [piece.closed for piece in pieces] == [True, True]
        around = min(pieces, key=lambda piece: np.abs(piece.points.mean(axis=0) - centre).sum())
        # By brute force along its axis, the needle reaches as far as f1 > f0.
        along_axis = centre + np.linspace(-5, 5, 100_001)[:, None] * axes[:, 0]
        inside = along_axis[rule.predict(along_axis) == 1]
        np.testing.assert_allclose(around.points.min(axis=0), inside.min(axis=0), atol=5e-2)
        np.testing.assert_allclose(around.points.max(axis=0), inside.max(axis=0), atol=5e-2)

    @settings(deadline=None, max_examples=5)
    @given(
        shift=st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
        scales=st.tuples(st.floats(0.03, 30), st.floats(0.03, 30)),
    )
    def test_rescaling_the_features_rescales_the_boundary(self, shift, scales):
        shift, scales = np.array(shift), np.array(scales)
        means = np.array([(0.0, 0.0), (2.0, 1.0)])
        covariances = [np.diag([1.0, 0.5]), np.array([[1.0, 0.4], [0.4, 2.0]])]
        moved = normals(means * scales + shift, [c * np.outer(scales, scales) for c in covariances])
        limits = tuple(zip(shift - 6 * scales, shift + 6 * scales, strict=True))
        found = (moved.boundary(limits).points - shift) / scales
        margins = normals(means, covariances).margin(found)
        assert np.abs(margins).max() < 1e-4  # gradients are of order 10 here
        assert len(found) == len(normals(means, covariances).boundary(SQUARE).points)

    def test_permuting_and_renaming_classes(self):
        means = np.array([(0.0, 0.0), (3.0, 0.5), (0.0, 3.0)])
        covariances = [IDENTITY, np.diag([0.3, 2.0]), np.array([[1, 0.5], [0.5, 1]])]
        priors, names = np.array([0.2, 0.5, 0.3]), np.array(["x", "y", "z"])
        losses = np.array([[0, 1, 2], [3, 0, 1], [1, 5, 0.0]])
        order = [2, 0, 1]
        one = normals(means, covariances, priors=priors, losses=losses, classes=names)
        two = normals(
            means[order],
            [covariances[k] for k in order],
            priors=priors[order],
            losses=losses[np.ix_(order, order)],
            classes=names[order],
        )
        X = np.random.default_rng(0).uniform(-6, 6, size=(500, 2))
        assert (one.predict(X) == two.predict(X)).all()
        np.testing.assert_allclose(one.margin(X), two.margin(X), rtol=1e-9, atol=1e-9)
        first, second = one.boundary(SQUARE), two.boundary(SQUARE)
        assert {frozenset(p.classes) for p in first.pieces} == {
            frozenset(p.classes) for p in second.pieces
        }
        np.testing.assert_allclose(
            sorted(map(tuple, first.junctions)), sorted(map(tuple, second.junctions)), atol=1e-5
        )
        assert one.error_rate().risk == pytest.approx(two.error_rate().risk, abs=1e-9)

    def test_far_fewer_evaluations_than_a_grid(self):
        # A grid whose linear interpolation is as exact: along a curve of curvature 1 / range the
        # error of a chord of length h is h^2 / 8, so 1e-6 needs h = 1 / 354 at best;
        # the uniform grid *of that resolution* has 1e6 lines each way.
        rule = normals([(3, 6), (3, -2)], [np.diag([0.5, 2.0]), 2 * IDENTITY])
        boundary = rule.boundary(((-4, 10), (-2, 12)))
        assert 20 * boundary.n_evaluations < 1000**2  # even a grid of a thousand lines a side

    def test_running_out_of_evaluations_is_said(self):
        rule = normals([(0, 0), (0.3, 0.2)], [9 * IDENTITY, np.diag([16.0, 4e-8])])
        with pytest.warns(UserWarning, match=r"not resolved in \d+ cells.*`max_evaluations`"):
            boundary = rule.boundary(SQUARE, max_evaluations=6000)
        assert len(boundary.unresolved)

    def test_frame_and_pieces(self):
        boundary = normals([(-1, 0), (1, 0)], classes=["a", "b"]).boundary(SQUARE)
        frame = boundary.to_frame()
        assert list(frame.columns) == ["piece", "left", "right", "closed", "x1", "x2"]
        np.testing.assert_array_equal(frame[["x1", "x2"]], boundary.points)
        assert [(*pair,) for pair in frame[["left", "right"]].drop_duplicates().to_numpy()] == [
            boundary.pieces[0].classes
        ]
        assert boundary.between("b", "a") == boundary.pieces
        empty = normals([(-1, 0), (1, 0)]).boundary(((3, 4), (3, 4)))
        assert empty.pieces == ()
        assert empty.points.shape == (0, 2)
        assert list(empty.to_frame().columns) == list(frame.columns)


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
        assert numbers.classes.dtype == np.int64
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


class TestDensities:
    def test_kinds_of_functions_agree(self):
        X = np.random.default_rng(0).normal(size=(20, 2))

        def scalar(mean):
            def density(x):
                assert x.shape == (2,)
                return np.exp(-0.5 * np.sum((x - mean) ** 2)) / (2 * np.pi)

            return density

        reference = normals([(0, 0), (1, 1)])
        means = [np.zeros(2), np.ones(2)]
        kinds = [
            BayesRule([lambda X, m=m: multivariate_normal.logpdf(X, m) for m in means]),
            BayesRule(
                [lambda X, m=m: multivariate_normal.pdf(X, m) for m in means], values="density"
            ),
            BayesRule([scalar(m) for m in means], values="density", vectorized=False),
        ]
        for rule in kinds:
            np.testing.assert_allclose(rule.log_joints(X), reference.log_joints(X), atol=1e-10)
            np.testing.assert_allclose(rule.log_joints(X[:1]), reference.log_joints(X[:1]))

    def test_one_feature_functions_get_floats_one_at_a_time(self):
        def density(x):
            assert type(x) is float
            return -0.5 * x * x

        rule = BayesRule([density, lambda x: -0.5 * (x - 2) ** 2], vectorized=False)
        np.testing.assert_allclose(rule.boundary((-5, 5), resolution=16).points, [1.0])

    def test_scipy_kernel_estimates_are_not_transposed(self):
        rng = np.random.default_rng(0)
        data = [rng.normal(size=(2, 50)), rng.normal(1, 2, size=(2, 50))]
        rule = BayesRule([stats.gaussian_kde(d) for d in data])
        X = rng.normal(size=(7, 2))
        expected = [np.log(0.5 * stats.gaussian_kde(d)(X.T)) for d in data]
        np.testing.assert_allclose(rule.log_joints(X), np.transpose(expected), rtol=1e-10)

    def test_kernel_densities_of_scikit_learn(self):
        rng = np.random.default_rng(0)
        fitted = [KernelDensity(bandwidth=0.5).fit(rng.normal(m, 1, size=(60, 2))) for m in (0, 2)]
        rule = BayesRule(fitted)
        X = rng.normal(size=(9, 2))
        expected = np.log(0.5) + np.column_stack([kde.score_samples(X) for kde in fitted])
        np.testing.assert_allclose(rule.log_joints(X), expected)
        assert np.abs(rule.margin(rule.boundary(((-3, 5), (-3, 5))).points)).max() < 1e-4

    def test_what_was_fitted_on_columns_is_asked_by_them(self):
        X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
        y = (X["a"] > 0).astype(int)
        per_class = [KernelDensity().fit(X[y == k]) for k in (0, 1)]
        for rule in (BayesRule(per_class), BayesRule.from_estimator(GaussianNB().fit(X, y))):
            np.testing.assert_array_equal(rule.predict(X), rule.predict(X.to_numpy()))
            with pytest.raises(ValueError, match=r"`X` must have the columns .* 'a', 'b'; got 'b'"):
                rule.predict(X[["b", "a"]])
            line = rule.slice([0, 0], [1])
            assert len(line.predict(X[["b"]])) == 60
            with pytest.raises(ValueError, match=r"the columns of the fit, .*: 'b'; got 'a'"):
                line.predict(X[["a"]])
        swapped = KernelDensity().fit(X[["b", "a"]])
        with pytest.raises(ValueError, match=r"on the same columns .* 'a', 'b' and 'b', 'a'"):
            BayesRule([per_class[0], swapped])

    def test_new_style_scipy_distributions(self):
        normal = stats.Normal(mu=2.0, sigma=1.0)
        rule = BayesRule([norm(0, 1), normal])
        np.testing.assert_allclose(rule.boundary((-5, 5)).points, [1.0], atol=1e-9)
        assert rule.error_rate().risk == pytest.approx(norm.sf(1), abs=1e-9)

    @pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
    @pytest.mark.parametrize("kind", [GaussianMixture, BayesianGaussianMixture])
    def test_fitted_mixtures(self, kind, covariance_type):
        X, y = load_iris(return_X_y=True)
        X = X[:, 2:]
        models = [
            kind(n_components=2, covariance_type=covariance_type, random_state=0).fit(X[y == k])
            for k in (1, 2)
        ]
        rule = BayesRule(models, priors=[0.4, 0.6])
        if kind is GaussianMixture:
            expected = np.column_stack([m.score_samples(X) for m in models])
        else:  # scikit-learn's own adds the uncertainty of the parameters: the mixture itself here
            expected = np.column_stack([_mixture_density(m, X) for m in models])
        np.testing.assert_allclose(rule.log_joints(X), np.log([0.4, 0.6]) + expected, rtol=1e-9)
        rate = rule.error_rate(method="monte_carlo", n_draws=20_000, random_state=0)
        assert abs(rate.risk - rule.error_rate(tolerance=1e-5).risk) < 4 * rate.error

    def test_mixture_parameters(self):
        # The same mixture as parameters and as a function; XOR again.
        corners = [
            GaussianMixtureParameters([0.5, 0.5], [(2, s), (-2, -s)], [1.0, 1.0], "spherical")
            for s in (2.0, -2.0)
        ]
        rule = BayesRule(corners)
        found = rule.boundary(SQUARE).points
        assert np.minimum(*np.abs(found).T).max() < 12 * TOLERANCE
        # Each coordinate is right in sign with probability Phi(2); two wrong signs make a right.
        wrong = 2 * norm.cdf(2) * norm.cdf(-2)
        assert rule.error_rate().risk == pytest.approx(wrong, abs=1e-8)
        components = BayesRule.from_estimator(corners[0])
        (piece,) = components.boundary(SQUARE).pieces
        assert np.abs(piece.points.sum(axis=1)).max() < 12 * TOLERANCE

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


class TestErrorRate:
    @pytest.mark.parametrize("prior", [0.5, 0.8, 0.999])
    @pytest.mark.parametrize("kind", ["frozen", "function", "plane", "plane function"])
    def test_two_normals_with_equal_covariances(self, kind, prior):
        # Fukunaga (1990), section 3.1: with t = log(p1 / p0) / delta,
        # risk = p0 Phi(-delta / 2 + t) + p1 Phi(-delta / 2 - t).
        delta = 2.0
        t = np.log((1 - prior) / prior) / delta
        expected = prior * norm.cdf(-delta / 2 + t) + (1 - prior) * norm.cdf(-delta / 2 - t)
        if kind == "frozen":
            sources = [norm(0), norm(delta)]
        elif kind == "function":
            sources = [lambda x: norm.logpdf(x, 100), lambda x: norm.logpdf(x, 100 + delta)]
        else:
            S = np.array([[2.0, 1.2], [1.2, 1.0]])
            step = np.linalg.cholesky(S) @ [delta * 0.6, delta * 0.8]
            sources = [multivariate_normal(m, S) for m in ([5, 5], step + 5)]
            if kind == "plane function":
                sources = [source.logpdf for source in sources]
        n_features = 2 if kind.startswith("plane") else None
        rate = BayesRule(sources, priors=[prior, 1 - prior], n_features=n_features).error_rate()
        assert rate.risk == pytest.approx(expected, abs=1e-9)
        assert abs(rate.risk - expected) <= max(rate.error, 1e-12)
        assert rate.error < 1e-8
        assert rate.mass == pytest.approx(1, abs=1e-8)

    def test_concentric_circles(self):
        # |x|^2 is exponential: decided for the inner class within r^2 = 8 log(2) 4 / 3 ... from
        # r^2 (1 - 1/4) / 2 = log 4; errors exp(-r^2 / 2) outside and 1 - exp(-r^2 / 8) inside.
        r2 = 2 * np.log(4) / (1 - 0.25)
        expected = 0.5 * np.exp(-r2 / 2) + 0.5 * (1 - np.exp(-r2 / 8))
        rate = normals([(0, 0), (0, 0)], [IDENTITY, 4 * IDENTITY]).error_rate()
        assert rate.risk == pytest.approx(expected, abs=1e-9)
        np.testing.assert_allclose(
            rate.confusion,
            [[0.5 - 0.5 * np.exp(-r2 / 2), 0.5 * np.exp(-r2 / 2)],
             [0.5 * (1 - np.exp(-r2 / 8)), 0.5 * np.exp(-r2 / 8)]],
            atol=1e-6,
        )  # fmt: skip

    def test_reject_option(self):
        # N(-1, 1) and N(1, 1), reject where |x| < h, 2 h = log((1 - c) / c).
        c = 0.1
        h = np.log((1 - c) / c) / 2
        wrong, rejected = norm.cdf(-h - 1), norm.cdf(h - 1) - norm.cdf(-h - 1)
        rate = BayesRule([norm(-1), norm(1)], reject_cost=c, reject_label="ask").error_rate()
        assert rate.risk == pytest.approx(wrong + c * rejected, abs=1e-9)
        assert rate.confusion["ask"].sum() == pytest.approx(rejected, abs=1e-8)

    def test_losses(self):
        # Threshold at 2 x = log(1 / 10); risk = (1/2) P0(x > t) 1 + (1/2) P1(x < t) 10.
        t = np.log(1 / 10) / 2
        expected = 0.5 * norm.sf(t + 1) + 5 * norm.cdf(t - 1)
        for rule in (
            BayesRule([norm(-1), norm(1)], losses=[[0, 1], [10, 0]]),
            normals([(-1, 0), (1, 0)], losses=[[0, 1], [10, 0]]),
        ):
            rate = rule.error_rate()
            assert rate.risk == pytest.approx(expected, abs=1e-8)
            table = rate.confusion.to_numpy()
            assert (table * [[0, 1], [10, 0]]).sum() == pytest.approx(expected, abs=1e-6)

    def test_three_normals_on_a_line(self):
        # Means 0, 2, 4: the outer classes err on one side, the inner on both: 4/3 Phi(-1).
        rate = BayesRule([norm(0), norm(2), norm(4)]).error_rate()
        assert rate.risk == pytest.approx(4 / 3 * norm.cdf(-1), abs=1e-9)

    def test_heavy_tails(self):
        # Two Cauchy distributions 2 apart: P(X > 1) = 1/4; as functions, without quantiles, too.
        frozen = BayesRule([stats.cauchy(0), stats.cauchy(2)])
        functions = BayesRule(
            [lambda x: stats.cauchy.logpdf(x), lambda x: stats.cauchy.logpdf(x, 2)]
        )
        for rule in (frozen, functions):
            assert rule.error_rate().risk == pytest.approx(0.25, abs=1e-8)
        # Spherical Student in the plane: its marginals are Student, t_3 sf(1) = 0.1955011.
        plane = BayesRule([stats.multivariate_t(m, df=3) for m in ([0, 0], [2, 0])])
        assert plane.error_rate().risk == pytest.approx(stats.t.sf(1, 3), abs=1e-8)

    def test_supports_with_edges(self):
        # Uniform on [0, 2] and [1, 3]: half the overlap of one half each, 1/4.
        rate = BayesRule([stats.uniform(0, 2), stats.uniform(1, 2)]).error_rate()
        assert rate.risk == pytest.approx(0.25, abs=1e-8)

    @pytest.mark.parametrize("at", [0.5, 0.5123])
    def test_supports_of_functions_are_looked_for(self, at):
        # Uniform on the squares (-at - 1, -at + 1) x (-1, 1) and (-0.5, 1.5) x (-1, 1): half the
        # overlap of width 1.5 - at; in one feature the same.
        def square(centre):
            def log_density(X):
                inside = (np.abs(X[:, 0] - centre) < 1) & (np.abs(X[:, 1]) < 1)
                return np.where(inside, -np.log(4), -np.inf)

            return log_density

        def interval(centre):
            return lambda x: stats.uniform.logpdf(x, centre - 1, 2)

        plane = BayesRule([square(-at), square(0.5)], n_features=2).error_rate()
        line = BayesRule([interval(20 - at), interval(20.5)]).error_rate()
        for rate in (plane, line):
            assert rate.risk == pytest.approx((1.5 - at) / 4, abs=1e-9)

    def test_discs_are_found_and_their_error_told(self):
        # Two discs of radius 2, centres 2 apart: half the area of the lens over that of a disc.
        def disc(cx):
            def log_density(X):
                inside = (X[:, 0] - cx) ** 2 + X[:, 1] ** 2 < 4
                return np.where(inside, -np.log(4 * np.pi), -np.inf)

            return log_density

        lens = 2 * 4 * np.arccos(0.5) - 0.5 * 2 * np.sqrt(16 - 4)
        rule = BayesRule([disc(-1), disc(1)], n_features=2)
        rate = rule.error_rate(tolerance=1e-4)
        assert abs(rate.risk - 0.5 * lens / (4 * np.pi)) < min(1e-4, 10 * rate.error)
        with pytest.warns(UserWarning, match=r"known to within .*, not 1e-08, .*`max_evaluations`"):
            cut = rule.error_rate(max_evaluations=100_000)
        assert cut.n_evaluations < 1_000_000
        assert abs(cut.risk - rate.risk) < cut.error

    def test_pole_at_the_right_end(self):
        # beta(1/2, 1/2), the arcsine law, against the uniform: equal at 1/2 +- h, where
        # pi^2 (1/4 - h^2) = 1; arcsine probability of the middle is (2/pi) asin(2 h).
        h = np.sqrt(0.25 - 1 / np.pi**2)
        expected = 0.5 * (2 / np.pi * np.arcsin(2 * h)) + 0.5 * (1 - 2 * h)
        rate = BayesRule([stats.beta(0.5, 0.5), stats.uniform(0, 1)]).error_rate()
        assert rate.risk == pytest.approx(expected, abs=1e-8)
        assert abs(rate.risk - expected) <= rate.error

    def test_mass_that_no_float_can_reach_counts_as_error(self):
        # Between 1 - 2^-53 and 1 lies a probability of 3e-5 of beta(1/4, 1/4), and no float.
        rule = BayesRule([stats.beta(0.25, 0.25), stats.uniform(0, 1)])
        a, b = rule.boundary((1e-3, 1 - 1e-3)).points
        inside = stats.beta(0.25, 0.25).cdf([a, b])
        expected = 0.5 * (inside[1] - inside[0]) + 0.5 * (1 - (b - a))
        with pytest.warns(UserWarning, match="known to within"):
            rate = rule.error_rate()
        assert rate.error == pytest.approx(1 - rate.mass, rel=1e-2)
        assert abs(rate.risk - expected) <= rate.error
        ten = BayesRule([stats.beta(0.25, 0.25), stats.uniform(0, 1)], losses=[[0, 10], [10, 0]])
        with pytest.warns(UserWarning, match="known to within 0.0002, not 3e-05"):
            cost = ten.error_rate(tolerance=3e-5)
        assert cost.error == pytest.approx(10 * (1 - cost.mass), rel=0.3)

    def test_densities_beyond_the_largest_float_are_not_integrated(self):
        pole = BayesRule([stats.gamma(0.01), stats.gamma(1)])  # exp(711) at the least float
        with pytest.raises(ValueError, match=r"class 0 \(gamma\) reaches exp\(71.* largest float"):
            pole.error_rate()
        shifted = BayesRule([lambda x: 1000 - x * x, lambda x: 1000 - (x - 1) ** 2])
        for method in ("integration", "monte_carlo"):
            with pytest.raises(ValueError, match=r"reaches exp\((999|100\d).* largest float"):
                shifted.error_rate((-5, 5), method=method, random_state=0)

    def test_far_from_the_origin(self):
        # A thousand million standard deviations off, floats are 1e-7 apart; at 1e14, 0.02.
        far = normals([(1e10, 1e10), (1e10 + 2, 1e10)])
        with pytest.warns(UserWarning, match=r"known to within .*after [1-9]\d{5} points"):
            rate = far.error_rate(max_evaluations=300_000)
        assert abs(rate.risk - norm.cdf(-1)) < rate.error < 1e-3
        with pytest.raises(ValueError, match=r"too narrow for floats .* subtract a constant"):
            BayesRule([norm(1e14), norm(1e14 + 2)]).error_rate()

    def test_pole_at_the_edge(self):
        # chi2(1) against expon: P(decide wrongly) from the roots of the log ratio and the cdfs.
        rule = BayesRule([stats.chi2(1), stats.expon()])
        a, b = rule.boundary((1e-9, 20)).points
        wrong = stats.chi2(1).cdf(b) - stats.chi2(1).cdf(a) + stats.expon.cdf(a) + stats.expon.sf(b)
        assert rule.error_rate().risk == pytest.approx(0.5 * wrong, abs=1e-8)

    def test_narrow_and_wide(self):
        # N(c, s^2 I) in N(0, I): risk from noncentral chi-squared probabilities of the circle.
        s, c = 1e-3, np.array([0.3, 0.2])
        rule = normals([(0, 0), c], [IDENTITY, s * s * IDENTITY])
        a = 1 / s**2
        centre = a * c / (a - 1)
        r2 = (4 * np.log(1 / s) - a * c @ c) / (a - 1) + centre @ centre
        inside0 = stats.ncx2.cdf(r2, 2, centre @ centre)
        shifted = (centre - c) / s
        outside1 = stats.ncx2.sf(r2 / s**2, 2, shifted @ shifted)
        assert rule.error_rate().risk == pytest.approx(0.5 * (inside0 + outside1), abs=1e-9)

    def test_a_region_cuts_the_integral(self):
        rule = BayesRule([norm(-1), norm(1)])
        half = rule.error_rate(region=(0, 50))
        assert half.risk == pytest.approx(0.5 * norm.cdf(-1), abs=1e-9)
        assert half.mass == pytest.approx(0.5, abs=1e-9)
        square = normals([(-1, 0), (1, 0)]).error_rate(region=((0, 20), (0, 20)))
        assert square.risk == pytest.approx(0.25 * norm.cdf(-1), abs=1e-8)
        drawn = normals([(-1, 0), (1, 0)]).error_rate(
            ((0, 6), (0, 6)), method="monte_carlo", random_state=0
        )
        assert abs(drawn.risk - 0.25 * norm.cdf(-1)) < 4 * drawn.error

    @pytest.mark.parametrize("functions", [False, True])
    @pytest.mark.parametrize("d", [3, 8])
    def test_monte_carlo_above_two_features(self, d, functions):
        shift = np.zeros(d)
        shift[0] = 2
        sources = [multivariate_normal(np.zeros(d)), multivariate_normal(shift)]
        if functions:
            sources = [source.logpdf for source in sources]
        rate = BayesRule(sources, n_features=d).error_rate(n_draws=50_000, random_state=3)
        assert rate.method == "monte_carlo"
        assert abs(rate.risk - norm.cdf(-1)) < 4 * rate.error
        assert rate.error < (0.01 if functions else 0.001)

    def test_heavy_tails_in_five_features_as_functions(self):
        # Spherical Cauchy distributions: the marginal is Cauchy, P(X > 1) = 1/4.
        rule = BayesRule(
            [stats.multivariate_t(np.eye(5)[0] * m, df=1).logpdf for m in (0, 2)], n_features=5
        )
        rate = rule.error_rate(n_draws=50_000, random_state=0)
        assert abs(rate.risk - 0.25) < 4 * rate.error
        assert rate.error < 0.004

    def test_many_features_do_not_underflow(self):
        # Means 2 standard deviations apart; the densities are below 1e-308 almost everywhere.
        wide = 1e4 * np.eye(150)
        frozen = [multivariate_normal(m * np.eye(150)[0], wide) for m in (0, 200)]
        assert multivariate_normal.pdf(frozen[0].rvs(random_state=0), np.zeros(150), wide) == 0
        rate = BayesRule(frozen).error_rate(n_draws=1000, random_state=0)
        assert abs(rate.risk - norm.cdf(-1)) < 4 * rate.error
        assert rate.mass == pytest.approx(1)

    def test_the_standard_error_is_one(self):
        # 200 runs: standardised errors have mean 0 and standard deviation 1, to 4 standard errors.
        # Unequal priors; the truth as in the test of two normals with equal covariances.
        means, priors = ([0, 0, 0], [2, 0, 0]), [0.95, 0.05]
        rule = BayesRule([multivariate_normal(mean) for mean in means], priors=priors)
        t = np.log(priors[1] / priors[0]) / 2
        exact = priors[0] * norm.cdf(-1 + t) + priors[1] * norm.cdf(-1 - t)
        rates = [rule.error_rate(n_draws=1000, random_state=seed) for seed in range(200)]
        assert rates[0].n_evaluations == 1000
        z = np.array([(rate.risk - exact) / rate.error for rate in rates])
        assert abs(z.mean()) < 4 / np.sqrt(200)
        assert abs(z.std() - 1) < 4 / np.sqrt(400)

    def test_the_standard_error_by_hand(self):
        # The same draws: sum over classes of prior^2 var(1 - largest posterior) / count.
        priors, rng = np.array([0.2, 0.8]), np.random.default_rng(0)
        rule = BayesRule([norm(0), norm(2)], priors=priors)
        draws = [norm(m).rvs(size=n, random_state=rng) for m, n in ((0, 200), (2, 800))]
        losses = [1 - rule.posterior(x).max(axis=1) for x in draws]
        squared = sum(p**2 * e.var(ddof=1) / len(e) for p, e in zip(priors, losses, strict=True))
        rate = rule.error_rate(method="monte_carlo", n_draws=1000, random_state=0)
        assert rate.error == pytest.approx(np.sqrt(squared), rel=1e-10)

    def test_the_standard_error_of_importance_sampling_is_one(self):
        # Uniform draws from a region, 200 runs as above; the truth by integration there.
        region = ((-3.0, 4.0), (-3.0, 3.0))
        rule = normals([(-1, 0), (1, 0)], losses=[[0, 1], [3, 0]])
        exact = rule.error_rate(region).risk
        rates = [
            rule.error_rate(region, method="monte_carlo", n_draws=400, random_state=seed)
            for seed in range(200)
        ]
        z = np.array([(rate.risk - exact) / rate.error for rate in rates])
        assert abs(z.mean()) < 4 / np.sqrt(200)
        assert abs(z.std() - 1) < 0.25

    def test_the_watched_error_is_that_of_the_risk(self):
        # Only one entry of the losses counts: what is watched is its share, not its mirror image.
        rule = BayesRule([norm(-1), norm(1)], losses=[[0, 7], [0, 0]], priors=[0.9, 0.1])
        problem = _risk.Problem(
            rule._densities, rule.priors, rule._log_joints, rule._table, rule._judge(None, 1)
        )
        np.testing.assert_array_equal(problem.controlled(), [[0, 1], [7, 1], [0, 1], [0, 1]])

    def test_integration_and_draws_agree(self):
        rule = normals(
            [(0, 0), (2, 0), (0, 2)],
            [IDENTITY, np.diag([0.3, 2]), 0.5 * IDENTITY],
            priors=[0.5, 0.2, 0.3],
            losses=[[0, 1, 2], [4, 0, 1], [1, 3, 0]],
            reject_cost=0.7,
        )
        exact = rule.error_rate()
        drawn = rule.error_rate(method="monte_carlo", random_state=0)
        assert abs(exact.risk - drawn.risk) < 4 * drawn.error
        np.testing.assert_allclose(exact.confusion, drawn.confusion, atol=5e-3)
        np.testing.assert_allclose(exact.confusion.sum(axis=1), rule.priors, atol=1e-8)

    @pytest.mark.parametrize(
        "source",
        [
            norm(1, 2),
            stats.Normal(mu=1.0, sigma=2.0),
            stats.gaussian_kde([0.0, 1.0, 4.0]),
            KernelDensity(bandwidth=0.5).fit([[0.0], [1.0], [4.0]]),
            KernelDensity(kernel="tophat").fit([[0.0], [1.0], [4.0]]),
            KernelDensity(kernel="epanechnikov").fit([[0.0], [1.0], [4.0]]),
            GaussianMixtureParameters([0.2, 0.8], [[0.0], [3.0]], [1.0, 2.0], "spherical"),
        ],
        ids=lambda source: type(source).__name__ + getattr(source, "kernel", ""),
    )
    def test_draws_are_from_the_density(self, source):
        rule = BayesRule([source, norm(2)])
        rate = rule.error_rate(method="monte_carlo", n_draws=20_000, random_state=0)
        assert abs(rate.risk - rule.error_rate(tolerance=1e-5).risk) < 4 * rate.error
        density = rule._densities[0]
        if density.sample is None:  # then draws are weighted
            return
        rng = np.random.default_rng(0)
        one, two = (density.sample(2000, rng)[:, 0] for _ in range(2))
        assert (one != two).all()
        x = np.linspace(-20, 20, 40_001)  # the distribution function, by summing the density
        summed = np.cumsum(np.exp(rule.log_joints(x)[:, 0])) * 2 * 1e-3
        assert stats.kstest(one, lambda at: np.interp(at, x, summed)).pvalue > 1e-3

    def test_same_seed_same_draws_and_generators_move_on(self):
        rule = BayesRule([multivariate_normal(np.zeros(3)), multivariate_normal(np.ones(3))])
        one, two = (rule.error_rate(n_draws=1000, random_state=5) for _ in range(2))
        assert one.risk == two.risk
        rng = np.random.default_rng(5)
        assert rule.error_rate(n_draws=1000, random_state=rng).risk == one.risk
        assert rule.error_rate(n_draws=1000, random_state=rng).risk != one.risk

    def test_the_risk_of_another_rule(self):
        # Threshold at 0.3 rather than 0 between N(-1, 1) and N(1, 1).
        truth = BayesRule([norm(-1), norm(1)], classes=["a", "b"])
        shifted = BayesRule([norm(-0.7), norm(1.3)], classes=["a", "b"])
        expected = 0.5 * (norm.sf(1.3) + norm.cdf(-0.7))
        assert truth.error_rate(of=shifted).risk == pytest.approx(expected, abs=1e-8)
        # ... with the classes in another order, in the plane, and by draws.
        other = BayesRule([norm(1.3), norm(-0.7)], classes=["b", "a"])
        assert truth.error_rate(of=other).risk == pytest.approx(expected, abs=1e-8)
        plane = normals([(-1, 0), (1, 0)])
        off = normals([(-0.7, 0), (1.3, 0)])
        assert plane.error_rate(of=off).risk == pytest.approx(expected, abs=1e-6)
        drawn = plane.error_rate(of=off, method="monte_carlo", random_state=0)
        assert abs(drawn.risk - expected) < 4 * drawn.error
        rng = np.random.default_rng(0)
        X = np.concatenate([rng.normal(m, 1, size=(400, 2)) for m in ((-1, 0), (1, 0))])
        logistic = LogisticRegression().fit(X, np.repeat([0, 1], 400))
        rate = plane.error_rate(of=logistic, random_state=0)
        assert rate.method == "monte_carlo"
        assert norm.cdf(-1) - 4 * rate.error < rate.risk < norm.cdf(-1) + 0.01
        # Fitted on a table, it is asked by the names of the table's columns.
        table = pd.DataFrame(X, columns=["x1", "x2"])
        named = LogisticRegression().fit(table, np.repeat([0, 1], 400))
        assert plane.error_rate(of=named, random_state=0).risk == rate.risk

    def test_densities_that_do_not_integrate_to_one(self):
        half = BayesRule([lambda x: norm.logpdf(x) - np.log(2), norm(1).logpdf])
        with pytest.raises(ValueError, match=r"class 0 .*integrates to 0.5 over .*`region`"):
            half.error_rate()
        many = BayesRule([lambda X: -np.sum(X**2, axis=1), lambda X: -np.sum(X**2, axis=1)],
                         n_features=3)  # fmt: skip
        with pytest.raises(ValueError, match=r"integrate to 5\.\d+ by Monte Carlo"):
            many.error_rate(random_state=0, n_draws=5000)

    def test_a_function_zero_wherever_one_looks(self):
        rule = BayesRule([lambda x: norm.pdf(x, 12345.6, 1e-3), norm(0).pdf], values="density")
        with pytest.raises(
            ValueError, match=r"class 0 .*is zero at all .*`region`, or give its log"
        ):
            rule.error_rate()
        silent = BayesRule([lambda x: np.full(len(x), -np.inf), norm(0)])
        with pytest.raises(ValueError, match=r"class 0 .*is zero at all .*`region`\.$"):
            silent.error_rate()

    def test_modes_that_were_not_found_are_reached_by_widening(self):
        # Twelve normals 100 apart in one function, more than are climbed to one by one.
        def comb(first):
            centres = first + 100.0 * np.arange(12)
            return lambda x: logsumexp(norm.logpdf(x[:, None], centres), axis=1) - np.log(12)

        rate = BayesRule([comb(0), comb(2)]).error_rate()
        assert rate.risk == pytest.approx(norm.cdf(-1), abs=1e-8)

    def test_number_of_features_of_functions(self):
        rule = BayesRule([lambda X: -np.sum(X**2, axis=-1)] * 2)
        with pytest.raises(ValueError, match="`n_features` is not known"):
            rule.error_rate()

        def of_any(X):
            return -np.abs(X).reshape(len(X), -1).sum(axis=1)

        with pytest.raises(ValueError, match="`n_features` is not known"):
            BayesRule([of_any] * 2).error_rate()

    def test_bounds(self):
        # 0 <= Bayes error <= min(1 - largest prior), and Cover and Hart's half of nearest neighbour
        # needs no test here; the Bhattacharyya bound: risk <= sqrt(p q) exp(-B).
        rng = np.random.default_rng(0)
        for _ in range(5):
            gap, s, p = rng.uniform(0, 4), rng.uniform(0.2, 3), rng.uniform(0.05, 0.95)
            risk = BayesRule([norm(0), norm(gap, s)], priors=[p, 1 - p]).error_rate().risk
            b = gap**2 / (4 * (1 + s * s)) + 0.5 * np.log((1 + s * s) / (2 * s))
            assert 0 <= risk <= min(p, 1 - p) + 1e-9
            assert risk <= np.sqrt(p * (1 - p)) * np.exp(-b) + 1e-9


def _nan_beyond(x):
    return np.where(x > 2, np.nan, -x * x)


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


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (
            _nan_beyond,
            {},
            r"class 'b' \(function '_nan_beyond'\) returned nan at the point \(3.125\)",
        ),
        (lambda x: -x * x, {"values": "density"}, r"returned -1 at the point \(1\); a density is"),
        (lambda x: np.zeros(3), {}, r"class 'b' .*must return shape \(4,\) .*got shape \(3,\)"),
        (lambda x: 0.0, {}, r"must return shape \(4,\) .*`vectorized=False`"),
        (lambda x: x.astype(str), {}, "class 'b' .*must return real numbers, got dtype <U"),
        (lambda x: x + 0j, {}, "class 'b' .*must return real numbers, got dtype complex128"),
        (
            lambda x: [0.0, 1.0],
            {"vectorized": False},
            r"one number for one point.*\(2,\)",
        ),
    ],
)
def test_functions_that_misbehave_are_named(function, options, message):
    densities = {"a": norm(0), "b": function}
    with pytest.raises((ValueError, TypeError), match=message):
        BayesRule(densities, **options).predict([0.0, 1.0, 3.125, 4.0])


def test_errors_of_functions_say_whose_they_are():
    def broken(X):
        raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside") as caught:
        BayesRule({"a": norm(0), "b": broken}).predict([0.0])
    assert "class 'b' (function" in caught.value.__notes__[0]
    assert "`vectorized=False`" in caught.value.__notes__[0]


def test_misbehaving_functions_are_named_with_the_point_in_the_plane():
    def hole(X):
        return np.where(np.hypot(*X.T) < 1, np.nan, -np.sum(X**2, axis=1))

    rule = BayesRule({"a": multivariate_normal([0, 0]), "b": hole})
    with pytest.raises(ValueError, match=r"class 'b' .*hole.* returned nan at the point") as caught:
        rule.boundary(SQUARE)
    point = re.search(r"point \((.+), (.+)\)", str(caught.value)).groups()
    assert np.hypot(*map(float, point)) < 1


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


class TestDisplay:
    def test_plane(self):
        X, y = load_iris(return_X_y=True, as_frame=True)
        X = X.iloc[:, 2:]
        names = np.array(["setosa", "versicolor", "virginica"])[y]
        qda = QuadraticDiscriminantAnalysis().fit(X, names)
        figure, ax = plt.subplots()
        display = BayesBoundaryDisplay.from_estimator(qda, X, names, ax=ax)
        assert display.ax_ is ax
        assert display.figure_ is figure
        assert ax.get_xlabel() == "petal length (cm)"
        low, high = ax.get_xlim()
        assert low < X.iloc[:, 0].min() < X.iloc[:, 0].max() < high
        assert len(display.regions_) == 3
        assert len(display.lines_) == len(display.boundary.pieces)
        np.testing.assert_array_equal(
            display.lines_[0].get_xydata(), display.boundary.pieces[0].points
        )
        labels = [text.get_text() for text in ax.get_legend().get_texts()]
        assert labels == ["setosa", "versicolor", "virginica"]
        # With colour: regions and points differ.
        for drawn in (display.regions_, display.points_):
            assert len({tuple(one.get_facecolor()[0]) for one in drawn}) == 3
        # Without colour: hatches and markers differ.
        assert len({region.hatches[0] for region in display.regions_}) == 3
        markers = {points.get_paths()[0].vertices.shape for points in display.points_}
        assert len(markers) == 3
        figure.canvas.draw()
        plt.close(figure)

    def test_limits_of_a_constant_column_and_levels(self):
        # 8 % to spare of the range 5, and of 1 where there is none.
        X = [[0.0, 3.0], [5.0, 3.0]]
        display = BayesBoundaryDisplay.from_rule(PLANE, X, density_levels=(0.5, 0.5, 0.1))
        np.testing.assert_allclose(display.boundary.limits, [(-0.4, 5.4), (2.92, 3.08)])
        np.testing.assert_allclose(display.contours_[0].levels, np.log([0.1, 0.5]))
        plt.close(display.figure_)
        bare = display.plot(density_levels=())
        assert bare.contours_ == []
        plt.close(bare.figure_)

    def test_density_curves_and_contours_are_where_they_say(self):
        line = BayesRule([norm(0), norm(2)], priors=[0.2, 0.8], classes=["$a$", "b"])
        display = BayesBoundaryDisplay.from_rule(line, limits=(-3, 5))
        x, y = display.contours_[0].get_data()
        np.testing.assert_allclose(y, 0.2 * norm.pdf(x))
        assert display.ax_.get_legend().get_texts()[0].get_text() == r"\$a\$"
        plt.close(display.figure_)
        # A tenth of the peak of a standard normal lies at the radius sqrt(2 log 10).
        display = BayesBoundaryDisplay.from_rule(PLANE, limits=SQUARE, density_levels=0.1)
        radius = np.hypot(*display.contours_[0].get_paths()[0].vertices.T)
        assert len(radius) > 20
        np.testing.assert_allclose(radius, np.sqrt(2 * np.log(10)), atol=0.01)
        plt.close(display.figure_)

    def test_line_reject_and_no_legend(self):
        rule = BayesRule([norm(0), norm(3, 1.5)], reject_cost=0.2, classes=["a", "b"])
        display = BayesBoundaryDisplay.from_rule(
            rule, np.array([0.0, 1.0, 4.0]), ["a", "a", "b"], limits=(-8, 8), feature_names="dose"
        )
        assert display.ax_.get_xlabel() == "dose"
        assert len(display.lines_) == len(rule.boundary((-8, 8)).points) == 4
        assert len(display.regions_) == 5
        plt.close(display.figure_)
        bare = display.plot(legend=False, regions=False, densities=False, points=False)
        assert bare.ax_.get_legend() is None
        assert bare.regions_ == bare.contours_ == bare.points_ == []
        plt.close(bare.figure_)

    def test_without_a_covariance_no_density_contours(self):
        X, y = load_iris(return_X_y=True)
        display = BayesBoundaryDisplay.from_estimator(
            LinearDiscriminantAnalysis().fit(X[50:, :2], y[50:]), X[50:, :2]
        )
        assert display.contours_ == []
        assert len(display.points_) == 1
        plt.close(display.figure_)

    def test_every_class_has_its_hatch_line_and_marker_in_the_legend(self):
        rule = normals([(-2, 0), (2, 0), (0, 3)])
        display = BayesBoundaryDisplay.from_rule(
            rule, [[-2, 0], [2, 0], [0, 3]], [0, 1, 2], limits=SQUARE
        )
        styles = {contour.linestyles for contour in display.contours_}
        assert len(styles) == 3
        handles = display.ax_.get_legend().legend_handles
        patches = [patch for patch in handles if hasattr(patch, "get_hatch")]
        assert len({patch.get_hatch() for patch in patches}) == 3
        # Fills lie below what was drawn before them, and are opaque, so that SVG shows the hatch.
        for region in display.regions_:
            assert region.get_zorder() < display.points_[0].get_zorder()
            assert region.get_facecolor()[0, 3] == 1
        plt.close(display.figure_)

    def test_where_classes_tie_everywhere_the_first_has_the_region(self):
        rule = normals([(0, 0), (0, 0), (2, 0)])
        display = BayesBoundaryDisplay.from_rule(rule, limits=SQUARE)
        assert len(display.regions_) == 2
        plt.close(display.figure_)

    def test_regions_without_density_stay_blank(self):
        rule = BayesRule([stats.uniform(0, 1), stats.uniform(2, 1)])
        display = BayesBoundaryDisplay.from_rule(rule, limits=(-1, 4))
        assert display.lines_ == []
        assert isinstance(rule.error_rate(), ErrorRate)
        plt.close(display.figure_)


def test_nothing_warns_on_the_way():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rule = normals([(0, 0), (40, 0)], [1e-6 * IDENTITY, 1e6 * IDENTITY])
        rule.boundary(((-3, 3), (-3, 3)))
        rule.margin([[1e6, 1e6]])
        rule.posterior([[1e6, 1e6]])
        assert repr(rule) == "BayesRule(priors {0: 0.5, 1: 0.5}, zero-one loss)"
