"""Similarities against their papers' definitions and invariances."""

import numpy as np
import pytest
from cca_tables import random_map, related_pair
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.multivariate.cancorr import CanCorr

from afterfit import cca
from afterfit.cca import (
    linear_cka,
    mean_cca,
    pwcca,
    similarity_noise,
    svcca,
)

SIMILARITIES = {"mean_cca": mean_cca, "svcca": svcca, "pwcca": pwcca, "linear_cka": linear_cka}


# What each similarity promises, from the papers: see the Notes of each function.
PROMISES = {
    "mean_cca": {"shift", "scaling", "rotation", "map of X", "map of Y", "symmetric"},
    "svcca": {"shift", "scaling", "rotation", "symmetric"},
    "pwcca": {"shift", "scaling", "rotation of Y", "map of Y"},
    "linear_cka": {"shift", "scaling", "rotation", "symmetric"},
}


TRANSFORMED = {
    "shift": lambda X, Y, rng: (X + 5.0, Y - rng.standard_normal(Y.shape[1]) * 9),
    "scaling": lambda X, Y, rng: (1e-3 * X, -250.0 * Y),
    "rotation": lambda X, Y, rng: (X @ random_map(rng, 6, 1.0), Y @ random_map(rng, 4, 1.0)),
    "rotation of Y": lambda X, Y, rng: (X, Y @ random_map(rng, 4, 1.0)),
    "map of X": lambda X, Y, rng: (X @ random_map(rng, 6, 50.0), Y),
    "map of Y": lambda X, Y, rng: (X, Y @ random_map(rng, 4, 50.0)),
    "symmetric": lambda X, Y, rng: (Y, X),
}


class TestSimilarities:
    def test_every_similarity_is_tested(self):
        others = {"fit_cca", "bootstrap_cca"}
        public = {name for name in cca.__all__ if name.endswith(("cca", "cka"))} - others
        assert public == set(SIMILARITIES) == set(PROMISES)

    @pytest.mark.parametrize("name", SIMILARITIES)
    @pytest.mark.parametrize("change", TRANSFORMED)
    def test_invariant_to_what_is_promised_and_to_nothing_else(self, name, change):
        rng = np.random.default_rng(0)
        X, Y = related_pair(rng)
        X, Y = X * [1, 2, 3, 4, 5, 6], Y * [0.02, 1, 2, 3]
        measure = SIMILARITIES[name]
        before, after = measure(X, Y), measure(*TRANSFORMED[change](X, Y, rng))
        kept = (
            change in PROMISES[name]
            or (change == "rotation of Y" and "rotation" in PROMISES[name])
            or (change == "rotation of Y" and "map of Y" in PROMISES[name])
        )
        if kept:
            assert after == pytest.approx(before, abs=1e-10)
        else:
            assert abs(after - before) > 1e-4

    @pytest.mark.parametrize("name", SIMILARITIES)
    @given(seed=st.integers(0, 2**32 - 1), p=st.integers(1, 5), q=st.integers(1, 5))
    @settings(max_examples=15, deadline=None)
    def test_between_zero_and_one_and_one_on_itself(self, name, seed, p, q):
        rng = np.random.default_rng(seed)
        X, Y = related_pair(rng, 30, p, q, n_shared=1)
        measure = SIMILARITIES[name]
        value = measure(X, Y)
        assert isinstance(value, float)
        assert 0.0 <= value <= 1.0
        assert measure(X, X) == pytest.approx(1.0)
        assert measure(X, 3.0 * X[:, ::-1] + 1.0) == pytest.approx(1.0)

    def test_mean_cca_is_the_mean(self):
        X, Y = related_pair(np.random.default_rng(1))
        assert mean_cca(X, Y) == pytest.approx(CanCorr(Y, X).cancorr.mean(), abs=1e-12)

    def test_svcca_by_hand(self):
        # Raghu et al. (2017): singular directions with 99% of the variance (squared singular
        # values), then the mean correlation.
        rng = np.random.default_rng(2)
        X, Y = related_pair(rng)
        X, Y = X * [30, 20, 3, 1, 0.5, 0.1], Y * [10, 3, 1, 0.01]

        def reduced(Z, share):
            Z = Z - Z.mean(axis=0)
            U, s, _ = np.linalg.svd(Z, full_matrices=False)
            k = int(np.searchsorted(np.cumsum(s**2) / (s**2).sum(), share)) + 1
            return U[:, :k]

        for share in (0.5, 0.9, 0.99):
            cosines = reduced(X, share).T @ reduced(Y, share)
            expected = np.linalg.svd(cosines, compute_uv=False).mean()
            assert svcca(X, Y, explained_variance=share) == pytest.approx(expected, abs=1e-10)
        assert svcca(X, Y, explained_variance=1.0) == pytest.approx(mean_cca(X, Y))

    def test_pwcca_by_hand(self):
        # Morcos et al. (2018), section 2.2, with h_i from Hotelling's eigenvectors.
        X, Y = related_pair(np.random.default_rng(3), p=4, q=6)
        Xc, Yc = X - X.mean(axis=0), Y - Y.mean(axis=0)
        product = np.linalg.solve(Xc.T @ Xc, Xc.T @ Yc) @ np.linalg.solve(Yc.T @ Yc, Yc.T @ Xc)
        squares, vectors = np.linalg.eig(product)
        H = Xc @ vectors.real
        H /= np.linalg.norm(H, axis=0)
        weights = np.abs(H.T @ Xc).sum(axis=1)
        expected = weights @ np.sqrt(squares.real) / weights.sum()
        assert pwcca(X, Y) == pytest.approx(expected, abs=1e-10)

    @pytest.mark.parametrize("n", [200, 7])  # products over columns, and over rows
    def test_linear_cka_by_its_definition(self, n):
        # Kornblith et al. (2019): HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)), K = XX', centred by H.
        rng = np.random.default_rng(4)
        X, Y = rng.standard_normal((n, 6)) + 3, rng.standard_normal((n, 4))
        H = np.eye(n) - 1 / n
        K, L = X @ X.T, Y @ Y.T

        def hsic(A, B):
            return np.trace(A @ H @ B @ H)

        expected = hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))
        assert linear_cka(X, Y) == pytest.approx(expected, abs=1e-10)

    @pytest.mark.parametrize("n", [200, 7])
    def test_debiased_cka_by_its_definition(self, n):
        # Song et al. (2012), equation 5, with kernels of the uncentred sides.
        rng = np.random.default_rng(4)
        X, Y = rng.standard_normal((n, 6)) + 3, rng.standard_normal((n, 4))

        def hsic(A, B):
            A, B = A - np.diag(np.diag(A)), B - np.diag(np.diag(B))
            one = np.ones(n)
            total = np.trace(A @ B) + (one @ A @ one) * (one @ B @ one) / ((n - 1) * (n - 2))
            return (total - 2 / (n - 2) * (one @ A @ B @ one)) / (n * (n - 3))

        K, L = X @ X.T, Y @ Y.T
        expected = hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))
        assert linear_cka(X, Y, debiased=True) == pytest.approx(expected, abs=1e-10)
        assert linear_cka(5 - 2 * Y, X, debiased=True) == pytest.approx(expected, abs=1e-10)
        assert linear_cka(X, X, debiased=True) == pytest.approx(1.0)

    def test_noise_of_many_columns_and_few_rows(self):
        # 768 columns and 64 rows: 0.92, and 0 in expectation without the bias. 50 pairs.
        rng = np.random.default_rng(8)
        pairs = [rng.standard_normal((2, 64, 768)) for _ in range(50)]
        assert np.mean([linear_cka(*p) for p in pairs]) == pytest.approx(0.923, abs=0.002)
        debiased = np.array([linear_cka(*p, debiased=True) for p in pairs])
        assert debiased.mean() == pytest.approx(0.0, abs=4 * debiased.std() / np.sqrt(50))
        assert debiased.min() < 0

    def test_debiased_needs_four_rows(self):
        X, Y = np.random.default_rng(9).standard_normal((2, 4, 3))
        assert -1 <= linear_cka(X, Y, debiased=True) <= 1
        with pytest.raises(ValueError, match="`debiased` needs at least 4 rows, got 3"):
            linear_cka(X[:3], Y[:3], debiased=True)

    def test_linear_cka_needs_no_more_rows_than_columns(self):
        X, Y = np.random.default_rng(5).standard_normal((2, 10, 40))
        assert 0 < linear_cka(X, Y) < 1

    def test_wide_representations(self):
        rng = np.random.default_rng(6)
        shared = rng.standard_normal((30, 3))
        X, Y = (shared @ rng.standard_normal((3, 200)) for _ in range(2))
        assert svcca(X, Y) == pytest.approx(1.0)
        assert mean_cca(X, Y) == pytest.approx(1.0)


class TestNoiseLevel:
    def test_by_hand(self):
        X, Y = related_pair(np.random.default_rng(0), 40)
        found = similarity_noise(mean_cca, X, Y, n_resamples=5, random_state=3)
        rng = np.random.default_rng(3)
        noise, halves = [], []
        for _ in range(5):
            noise.append(mean_cca(X, Y[rng.permutation(40)]))
            order = rng.permutation(40)
            halves.append([mean_cca(X[rows], Y[rows]) for rows in (order[:20], order[20:])])
        halves = np.array(halves)
        assert found["observed"] == mean_cca(X, Y)
        assert found["noise"] == pytest.approx(np.mean(noise))
        assert found["noise_high"] == pytest.approx(np.quantile(noise, 0.95))
        assert found["pvalue"] == (1 + np.sum(noise >= found["observed"])) / 6
        assert found["halves"] == pytest.approx(halves.mean())
        spread = np.sqrt(np.mean((halves[:, 0] - halves[:, 1]) ** 2)) / 2
        assert found["halves_spread"] == pytest.approx(spread)
        assert found.name == "mean_cca"

    def test_halves_give_the_standard_error(self):
        # Of debiased CKA, which does not depend on the number of rows, over 200 tables.
        rng = np.random.default_rng(1)

        def debiased(X, Y):
            return linear_cka(X, Y, debiased=True)

        tables = [related_pair(rng, 200, 3, 3) for _ in range(200)]
        truth = np.std([debiased(*table) for table in tables])
        claimed = [
            similarity_noise(debiased, *table, n_resamples=20, random_state=rng)["halves_spread"]
            for table in tables[:20]
        ]
        assert np.mean(claimed) == pytest.approx(truth, rel=0.2)

    def test_errors(self):
        X, Y = related_pair(np.random.default_rng(2), 40)
        with pytest.raises(ValueError, match="`n_resamples` must be at least 1"):
            similarity_noise(mean_cca, X, Y, n_resamples=0)
        with pytest.raises(ValueError, match="`X` has 40, `Y` has 39"):
            similarity_noise(mean_cca, X, Y[:39])
