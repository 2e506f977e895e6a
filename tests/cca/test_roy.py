"""Roy's largest root against brute force, tables, closed forms and limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from afterfit.cca._roy import largest_root_tail


class TestRoysRoot:
    @pytest.mark.parametrize(
        ("m", "n", "theta"), [(0.0, 5.0, 0.3), (1.5, 2.0, 0.8), (-0.5, 9.0, 0.2)]
    )
    def test_two_roots_by_brute_force(self, m, n, theta):
        # The joint density is c (x y)^m ((1 - x)(1 - y))^n (x - y) for x > y.
        def density(y, x):
            return (x * y) ** m * ((1 - x) * (1 - y)) ** n * (x - y)

        whole = integrate.dblquad(density, 0, 1, 0, lambda x: x)[0]
        below = integrate.dblquad(density, 0, theta, 0, lambda x: x)[0]
        assert largest_root_tail(theta, 2, m, n) == pytest.approx(1 - below / whole, abs=1e-6)

    @pytest.mark.parametrize(
        ("p", "q", "quantile_95"),
        # Upper 5% points of the largest root for m = 0, n = 5 and s = 2, 3, to the three digits of
        # Pillai (1960), Statistical Tables for Tests of Multivariate Hypotheses.
        [(2, 3, 0.565), (3, 4, 0.669)],
    )
    def test_pillais_table(self, p, q, quantile_95):
        assert largest_root_tail(quantile_95, p, (q - p - 1) / 2, 5.0) == pytest.approx(
            0.05, abs=6e-4
        )

    @pytest.mark.parametrize(("s", "m", "n"), [(50, 24.5, 925.0), (120, 0.0, 400.0)])
    def test_many_roots_follow_tracy_widom(self, s, m, n):
        # Johnstone (2008): the logit of the root, standardised, is Tracy-Widom (beta = 1) to second
        # order. Quantiles of that law: 0.50 at -1.2686, 0.95 at 0.9793, 0.99 at 2.0234.
        total = 2 * (n + m + s) + 1
        gamma = 2 * np.arcsin(np.sqrt((s - 0.5) / total))
        phi = 2 * np.arcsin(np.sqrt((2 * m + s + 0.5) / total))
        centre = 2 * np.log(np.tan((phi + gamma) / 2))
        cube = 16 / (total**2 * np.sin(phi + gamma) ** 2 * np.sin(phi) * np.sin(gamma))
        for level, value in ((0.5, -1.2686), (0.95, 0.9793), (0.99, 2.0234)):
            theta = 1 / (1 + np.exp(-(centre + cube ** (1 / 3) * value)))
            tail = largest_root_tail(theta, s, m, n)
            assert tail == pytest.approx(1 - level, rel=0.12)

    @pytest.mark.parametrize("theta", [0.05, 0.2, 0.5, 0.8])
    @pytest.mark.parametrize("n", [50, 200])
    def test_small_probabilities_keep_their_digits(self, theta, n):
        # Two roots by integration over the tail alone; the probabilities reach down to 1e-139.
        def density_of_the_larger(x):
            inner = integrate.quad(lambda y: (x - y) * y * (1 - y) ** n, 0, x, epsrel=1e-12)[0]
            return x * (1 - x) ** n * inner

        whole = integrate.quad(density_of_the_larger, 0, 1, epsabs=0, epsrel=1e-10)[0]
        tail = integrate.quad(density_of_the_larger, theta, 1, epsabs=0, epsrel=1e-10)[0]
        assert largest_root_tail(theta, 2, 1.0, n) == pytest.approx(tail / whole, rel=1e-8, abs=0)

    @pytest.mark.parametrize("s", [2, 3, 25, 60])
    def test_closed_form_of_many_roots(self, s):
        # For n = 0 the joint density is a homogeneous polynomial of degree s m + s (s - 1) / 2, so
        # that P(all <= theta) is a power of theta.
        for m in (-0.5, 0.0, 7.5):
            power = s * (m + (s + 1) / 2)
            for tail in (0.999, 0.5, 1e-2, 1e-4, 1e-9):
                theta = np.exp(np.log1p(-tail) / power)
                expected = -np.expm1(power * np.log(theta))
                assert largest_root_tail(theta, s, m, 0.0) == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize("s", [1, 2, 5, 40])
    def test_ends_of_the_range(self, s):
        for n in (-0.5, 0.0, 30.0):
            assert largest_root_tail(0.0, s, 0.5, n) == 1.0
            assert largest_root_tail(1.0, s, 0.5, n) == 0.0
        assert largest_root_tail(0.9, 1, 0.0, 20.0) == pytest.approx(0.1**21, rel=1e-9, abs=0)

    @given(
        s=st.integers(2, 12),
        width=st.integers(0, 30),
        spare=st.integers(0, 200),
        seed=st.integers(0, 999),
    )
    @settings(max_examples=30, deadline=None)
    def test_a_decreasing_probability(self, s, width, spare, seed):
        theta = np.sort(np.random.default_rng(seed).random(4))
        tails = [largest_root_tail(t, s, (width - 1) / 2, (spare - 1) / 2) for t in theta]
        assert all(0.0 <= tail <= 1.0 for tail in tails)
        assert (np.diff(tails) <= 1e-9).all()
