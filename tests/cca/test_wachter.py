"""Wachter's distribution against simulation and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from afterfit.cca import (
    canonical_correlations,
    null_density,
    null_edge,
)
from afterfit.cca._roy import largest_root_tail
from afterfit.cca._wachter import null_band


class TestNoise:
    @given(
        n=st.integers(4, 500),
        p=st.floats(0.01, 0.9),
        q=st.floats(0.01, 0.9),
    )
    @settings(max_examples=40, deadline=None)
    def test_density_integrates_to_the_share_that_is_not_forced(self, n, p, q):
        p, q = (max(1, round(share * (n - 1))) for share in (p, q))
        # The substitution rho = sin(t) tames the edge at 1.
        edges = np.linspace(0, np.pi / 2, 400_002)
        t = 0.5 * (edges[1:] + edges[:-1])
        total = (null_density(np.sin(t), n, p, q) * np.cos(t)).sum() * (edges[1] - edges[0])
        assert total == pytest.approx(1 - max(0, p + q - n + 1) / min(p, q), abs=5e-3)

    def test_edge_is_where_the_density_ends(self):
        edge = null_edge(300, 20, 50)
        assert null_density([edge - 1e-6, edge + 1e-6], 300, 20, 50) == pytest.approx(
            [0, 0], abs=0.1
        )
        assert null_density(edge - 0.01, 300, 20, 50) > 0.5
        assert null_density(edge + 1e-9, 300, 20, 50) == 0.0
        # Closed form for equal widths: the squared edge is 4 a (1 - a), a = p / (n - 1).
        assert null_edge(101, 20, 20) == pytest.approx(np.sqrt(4 * 0.2 * 0.8))
        assert null_edge(11, 5, 5) == 1.0
        assert null_edge(11, 9, 8) == 1.0

    @pytest.mark.parametrize(("p", "q"), [(100, 50), (60, 60), (30, 200)])
    def test_simulated_roots_follow_the_law(self, p, q):
        rng = np.random.default_rng(0)
        rho = canonical_correlations(rng.standard_normal((1000, p)), rng.standard_normal((1000, q)))
        grid = np.linspace(0, 1, 20_001)
        middle = 0.5 * (grid[1:] + grid[:-1])
        cumulative = np.cumsum(null_density(middle, 1000, p, q)) / 20_000
        levels = 1 - (np.arange(len(rho)) + 0.5) / len(rho)
        assert rho == pytest.approx(np.interp(levels, cumulative, middle), abs=0.04)
        assert rho[0] == pytest.approx(null_edge(1000, p, q), abs=0.04)
        assert (rho**2).mean() == pytest.approx(max(p, q) / 999, rel=0.03)  # exact in expectation

    def test_the_popular_answers_example(self):
        # Independent 2000 x 100 and 2000 x 50. Over 40 draws with statsmodels' CanCorr the first
        # correlation had mean 0.366 and standard deviation 0.009; the edge is 0.375.
        rng = np.random.default_rng(0)
        first = [
            canonical_correlations(
                rng.standard_normal((2000, 100)), rng.standard_normal((2000, 50))
            )[0]
            for _ in range(10)
        ]
        assert np.mean(first) == pytest.approx(0.366, abs=0.009)
        assert null_edge(2000, 100, 50) == pytest.approx(0.375, abs=5e-4)

    @pytest.mark.parametrize(("n", "p", "q"), [(1000, 100, 50), (200, 60, 60), (300, 200, 80)])
    def test_the_law_has_the_mean_of_every_sample(self, n, p, q):
        # The mean of the squared correlations is max(p, q) / (n - 1), also in finite samples.
        t = (np.arange(200_000) + 0.5) / 200_000 * np.pi / 2
        squares = np.sin(t) ** 2 * null_density(np.sin(t), n, p, q) * np.cos(t)
        assert squares.mean() * np.pi / 2 == pytest.approx(max(p, q) / (n - 1), rel=2e-3)

    def test_scalar_and_shape(self):
        assert isinstance(null_density(0.1, 100, 5, 5), float)
        assert null_density(np.full((2, 3), 0.1), 100, 5, 5).shape == (2, 3)
        assert null_density(0.0, 100, 5, 5) == pytest.approx(
            np.sqrt(4 * 5 / 99 * 94 / 99) / (np.pi * 5 / 99)
        )  # sqrt(u) / (pi a)
        assert null_density(0.0, 100, 5, 6) == 0.0

    @pytest.mark.parametrize(("p", "q"), [(5, 6), (6, 5), (30, 50), (50, 49)])
    def test_density_of_the_squares(self, p, q):
        # As Johnstone (2008) writes the law for squared correlations x, with
        # c_+- = (sin((phi +- gamma) / 2))^2, sin(gamma / 2)^2 = p / n, sin(phi / 2)^2 = q / n.
        half_gamma, half_phi = np.arcsin(np.sqrt([min(p, q) / 99, max(p, q) / 99]))
        low, high = np.sin(half_phi - half_gamma) ** 2, np.sin(half_phi + half_gamma) ** 2
        x = np.linspace(low, high, 7)[1:-1]
        density = np.sqrt((high - x) * (x - low)) / (2 * np.pi * min(p, q) / 99 * x * (1 - x))
        rho = np.sqrt(x)
        assert null_density(rho, 100, p, q) == pytest.approx(2 * rho * density)


class TestBand:
    @pytest.mark.parametrize(("n", "p", "q"), [(60, 3, 7), (20, 3, 3), (14, 8, 7), (12, 11, 3)])
    def test_holds_95_percent_of_each_root_of_noise(self, n, p, q):
        # 2000 tables: a standard error of 0.005, and 0.007 for the 1000 tables behind the band.
        rng = np.random.default_rng(1)
        x = rng.standard_normal((2000, n - 1, p))  # centring costs one row
        y = rng.standard_normal((2000, n - 1, q))
        cosines = np.linalg.qr(x)[0].transpose(0, 2, 1) @ np.linalg.qr(y)[0]
        roots = np.linalg.svd(cosines, compute_uv=False)
        low, high = null_band(n, p, q)
        n_forced = max(0, p + q - n + 1)
        assert (low[:n_forced] == 1).all()
        assert (high[:n_forced] == 1).all()
        free = roots[:, n_forced:]
        for outside in (free < low[n_forced:], free > high[n_forced:]):
            assert outside.mean(axis=0) == pytest.approx(np.full(free.shape[1], 0.025), abs=0.02)

    @pytest.mark.parametrize("q", [1, 6])
    def test_one_root_has_a_beta_distribution(self, q):
        # One column against q, n rows: the square is beta(q / 2, (n - 1 - q) / 2).
        expected = np.sqrt(stats.beta.ppf([0.025, 0.975], q / 2, (39 - q) / 2))
        for sides in ((1, q), (q, 1)):
            assert null_band(40, *sides)[:, 0] == pytest.approx(expected, abs=0.03)

    @pytest.mark.parametrize(("n", "p", "q"), [(6, 2, 2), (7, 3, 2), (9, 3, 3), (40, 4, 9)])
    def test_the_first_root_by_roys_exact_distribution(self, n, p, q):
        # 1000 tables behind the band: a standard error of 0.005 for each of the two tails.
        low, high = null_band(n, p, q)[:, 0]
        parameters = min(p, q), (abs(p - q) - 1) / 2, (n - p - q - 2) / 2
        assert largest_root_tail(high**2, *parameters) == pytest.approx(0.025, abs=0.011)
        assert largest_root_tail(low**2, *parameters) == pytest.approx(0.975, abs=0.011)

    def test_many_roots_keep_to_the_edge(self):
        low, high = null_band(3000, 400, 300)
        edge = null_edge(3000, 400, 300)
        assert low[0] < edge + 0.01
        assert high[0] == pytest.approx(edge, abs=0.01)
        assert (np.diff(high) < 0).all()
        assert high[0] - low[0] < 0.02
