"""Boundaries by position, in one and two features.

Expected numbers come from closed forms given beside them, from the textbook they cite, or from
brute force over a grid. Distances are in units of the range that was asked for.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import multivariate_normal, norm
from sklearn.neighbors import KernelDensity

from afterfit.boundary import BayesRule

TOLERANCE = 1e-6  # of the range: what `boundary` promises by default
SQUARE = ((-6.0, 6.0), (-6.0, 6.0))
IDENTITY = np.eye(2)


def normals(means, covariances=None, **options):
    """Return the rule of normal densities, with unit covariances unless given."""
    covariances = [IDENTITY] * len(means) if covariances is None else covariances
    densities = [multivariate_normal(m, c) for m, c in zip(means, covariances, strict=True)]
    return BayesRule(densities, **options)


def along(piece, per_chord=3):
    """Return points on every chord of a piece: vertices and what lies between them."""
    start, stop = piece.points[:-1], piece.points[1:]
    fractions = np.linspace(0, 1, per_chord + 1)[:, None, None]
    return (start + fractions * (stop - start)).reshape(-1, 2)


def farthest(piece, distance, limits=SQUARE):
    """Return the largest distance of a piece's chords from a curve, in units of the range."""
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

    def test_the_neighbours_of_a_long_boundary_are_no_dips(self):
        # They are the lowest of all, and would take all the places of those that are searched.
        spike = stats.multivariate_t([2.6, 1.13], 2.5e-5 * IDENTITY, df=3)

        def log_density(X):
            parts = [multivariate_normal.logpdf(X, [-2, -0.4], 4 * IDENTITY), spike.logpdf(X)]
            return np.logaddexp(parts[0] + np.log(0.9), parts[1] + np.log(0.1))

        rule = BayesRule([multivariate_normal([2, 0.3], 4 * IDENTITY), log_density])
        (around,) = [piece for piece in rule.boundary(SQUARE).pieces if piece.closed]
        assert np.hypot(*(around.points.mean(axis=0) - [2.6, 1.13])) < 0.01

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


@pytest.mark.usefixtures("narrow_indices")
def test_where_indices_have_32_bits():
    # Places in the lattice are beyond 2^31; 32-bit ones would wrap in silence.
    rule = normals([(3, 6), (3, -2)], [np.diag([0.5, 2.0]), 2 * IDENTITY])
    found = rule.boundary(((-4, 10), (-2, 12))).points
    expected = 3.514213 - 1.125 * found[:, 0] + 0.1875 * found[:, 0] ** 2
    np.testing.assert_allclose(found[:, 1], expected, atol=1e-5)
    line = BayesRule([norm(0, 1), norm(3, 1.5)])
    np.testing.assert_allclose(line.boundary((-20, 20)).points, [-6.197325, 1.397325], atol=1e-6)
    grid = np.stack(np.meshgrid(np.arange(-8, 14, 0.02), np.arange(-12, 16, 0.02)), axis=-1)
    smaller = np.exp(rule.log_joints(grid.reshape(-1, 2))).min(axis=1)  # summed over the plane
    assert rule.error_rate().risk == pytest.approx(smaller.sum() * 0.02**2, abs=1e-7)
    TestTwoFeatures().test_a_needle_of_a_mixture_is_followed_to_its_end()  # splits cells again


@pytest.mark.parametrize("limits", [(-5.0, 5.0), ((-5.0, 5.0), (-5.0, 5.0))])
def test_functions_are_not_called_without_rows(limits):
    def of(centre):
        def log_density(X):
            assert len(X) > 0
            return -0.5 * np.reshape((X - centre) ** 2, (len(X), -1)).sum(axis=1)

        return log_density

    for first, second in ((0.0, 1.0), (0.0, 0.0)):
        rule = BayesRule([of(first), of(second)], n_features=np.ndim(limits))
        assert bool(rule.boundary(limits).pieces) == (first != second)
