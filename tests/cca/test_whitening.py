"""Rank, forced correlations and the bases behind them."""

import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pytest
from cca_tables import related_pair
from matplotlib import pyplot as plt
from sklearn.datasets import load_digits
from statsmodels.multivariate.cancorr import CanCorr

from afterfit.cca import (
    ForcedCorrelationWarning,
    StorageWarning,
    canonical_correlations,
    cross_validated_correlations,
    fit_cca,
    mean_cca,
    null_edge,
    permutation_test,
    pwcca,
    svcca,
)
from afterfit.cca._wachter import null_band


class TestRank:
    def test_constant_and_collinear_columns_change_nothing(self):
        rng = np.random.default_rng(0)
        X, Y = related_pair(rng)
        wide = np.hstack([X, X @ rng.standard_normal((6, 3)), np.full((120, 1), 0.1), X[:, :1]])
        rho = canonical_correlations(X, Y)
        for left in (wide, wide + 1e7, wide * 1e-7, wide[:, ::-1]):
            result = fit_cca(left, Y)
            assert result.x_rank == 6
            assert result.correlations == pytest.approx(rho, abs=1e-8)

    def test_unused_columns_have_weight_zero_and_constant_ones_loading_zero(self):
        X, Y = related_pair(np.random.default_rng(1))
        result = fit_cca(np.hstack([X, np.full((120, 1), 0.1)]), Y)
        assert (result.x_weights[-1] == 0.0).all()
        assert (result.x_loadings[-1] == 0.0).all()

    def test_float32_rounding_is_no_direction(self):
        X, Y = related_pair(np.random.default_rng(2))
        narrow = X.astype(np.float32)
        doubled = np.hstack([narrow, narrow[:, :3] + narrow[:, 3:]])  # exact only to 1e-7
        assert fit_cca(doubled.astype(float), Y).x_rank == 9
        polars_frame = pl.DataFrame(doubled)
        frames = [pd.DataFrame(doubled, dtype=d) for d in ("float32", "Float32", "float[pyarrow]")]
        for table in (doubled, *frames, polars_frame):
            with pytest.warns(
                StorageWarning, match="3 of the 9 columns of `X`.*pass `X` as float6"
            ):
                assert fit_cca(table, Y).x_rank == 6
        # Of either set, and on training rows as well.
        wide = np.random.default_rng(3).standard_normal((120, 9))
        with pytest.warns(StorageWarning, match="3 of the 9 columns of `Y`") as caught:
            assert fit_cca(wide, doubled).y_rank == 6
        assert caught[0].filename == __file__
        for pair in ((doubled, wide), (wide, doubled)):
            with pytest.warns(StorageWarning) as caught:
                assert len(cross_validated_correlations(*pair)) == 6
            assert caught[0].filename == __file__

    @pytest.mark.parametrize(
        ("dtype", "units"), [("float16", 2**-10), ("bfloat16", 2**-7), ("float32", 2**-23)]
    )
    def test_tolerance_follows_the_storage(self, dtype, units):
        # Orthonormal u and v; the second column keeps the share `distance` beside the first: 4 eps
        # are the documented threshold. The first column is u without a direction of its own.
        rng = np.random.default_rng(5)
        u, v = np.linalg.qr(rng.standard_normal((4000, 3)) * [0, 1, 1] + [1, 0, 0])[0][:, 1:].T
        Y = rng.standard_normal((4000, 1))
        for distance, rank in ((4.8 * units, 2), (3.0 * units, 1)):
            X = np.column_stack([u, np.sqrt(1 - distance**2) * u + distance * v])
            stored = jnp.asarray(X, dtype=dtype)
            if rank == 1:
                with pytest.warns(StorageWarning, match="1 of the 2 columns"):
                    assert fit_cca(stored, Y).x_rank == 1
            else:
                assert fit_cca(stored, Y).x_rank == 2
            # The same numbers, upcast, are taken as they are.
            assert fit_cca(np.asarray(stored).astype(float), Y).x_rank == 2

    @pytest.mark.parametrize("dtype", ["float16", "float32"])
    def test_exactly_redundant_columns_are_no_loss_of_storage(self, dtype):
        X, Y = related_pair(np.random.default_rng(2))
        groups = np.eye(3)[np.arange(120) % 3].astype(dtype)  # their sum is constant
        assert fit_cca(groups, Y).x_rank == 2
        assert fit_cca(np.hstack([X, X[:, :1]]).astype(dtype), Y).x_rank == 6

    def test_a_signal_in_a_small_difference_survives_float16(self):
        # All of the correlation lies in what two columns differ by, 1 % of their length.
        rng = np.random.default_rng(6)
        z, w = rng.standard_normal((2, 2000))
        X = np.column_stack([z, z + 0.01 * w]).astype(np.float16)
        Y = w[:, None] + 0.05 * rng.standard_normal((2000, 1))
        upcast = canonical_correlations(X.astype(float), Y)
        assert upcast[0] > 0.99
        assert canonical_correlations(X, Y) == pytest.approx(upcast, abs=1e-12)

    def test_a_column_constant_in_its_storage_is_announced(self):
        X, Y = related_pair(np.random.default_rng(7))
        X[:, 0] = 1000 + np.arange(120) % 2 * 0.5  # two neighbours of float16
        with pytest.warns(StorageWarning, match=r"1 of the 6 columns.*or as constant"):
            assert fit_cca(X.astype(np.float16), Y).x_rank == 5

    def test_each_column_has_the_rounding_it_was_stored_with(self):
        # In one frame: a time in seconds (float64, or whole: int64) and a measurement (float32). In
        # float32 the time would be a constant: its numbers near 1.7e9 lie 128 apart.
        rng = np.random.default_rng(4)
        z, w = rng.standard_normal((2, 200)).astype(np.float32)
        seconds = np.round(100.0 * z.astype(float))
        Y = z[:, None] + rng.standard_normal((200, 2))
        expected = CanCorr(Y, np.column_stack([seconds, w.astype(float)])).cancorr
        for dtype in (float, int):
            frame = pd.DataFrame({"time": 1_700_000_000 + seconds.astype(dtype), "w": w})
            assert canonical_correlations(frame, Y) == pytest.approx(expected, abs=1e-10)

    @pytest.mark.parametrize(("distance", "rank"), [(1e-10, 3), (1e-11, 2)])
    def test_tolerance_is_the_documented_one(self, distance, rank):
        rng = np.random.default_rng(3)
        X = rng.standard_normal((100, 3))
        X[:, 2] = X[:, 0] + distance * X[:, 2]
        assert fit_cca(X, rng.standard_normal((100, 2))).x_rank == rank

    @pytest.mark.parametrize(("offset", "rank"), [(8e13, 2), (1.6e14, 1)])
    def test_rounding_counts_where_it_is_larger(self, offset, rank):
        # 4 eps times the offset is 0.07 and 0.14; what the second column adds is 0.1 of it.
        rng = np.random.default_rng(3)
        z, w = rng.standard_normal((2, 100))
        X = np.column_stack([z, z + 0.1 * w + offset])
        assert fit_cca(X, rng.standard_normal((100, 2))).x_rank == rank

    def test_a_column_that_cannot_be_divided_by_is_constant(self):
        X, Y = related_pair(np.random.default_rng(5))
        result = fit_cca(X * [1, 1, 1, 1, 1, 1e-309], Y)
        assert result.x_rank == 5
        expected = CanCorr(Y, X[:, :5]).cancorr
        assert result.correlations == pytest.approx(expected, abs=1e-12)

    def test_a_column_with_few_digits_does_not_cost_the_others_theirs(self):
        rng = np.random.default_rng(4)
        X = rng.standard_normal((100, 3))
        X[:, 1] = X[:, 0] + 1e-8 * X[:, 1]
        X[:, 2] += 1e12  # stored to 1e-4
        assert fit_cca(X, rng.standard_normal((100, 2))).x_rank == 3

    def test_digit_halves(self):
        images = load_digits().images
        left, right = images[:, :, :4].reshape(-1, 32), images[:, :, 4:].reshape(-1, 32)
        result = fit_cca(left, right)
        # Rank from numpy.linalg.matrix_rank of the centred halves: constant pixels do not count.
        assert result.x_rank == np.linalg.matrix_rank(left - left.mean(axis=0)) < 32
        assert result.y_rank == np.linalg.matrix_rank(right - right.mean(axis=0)) < 32
        used = [half[:, half.std(axis=0) > 0] for half in (left, right)]
        expected = CanCorr(used[1], used[0]).cancorr[: len(result.correlations)]
        assert result.correlations == pytest.approx(expected, abs=1e-10)

    @pytest.mark.parametrize(
        ("n", "p", "q", "n_forced"), [(5, 8, 2, 2), (10, 6, 5, 2), (11, 6, 5, 1), (6, 5, 5, 5)]
    )
    def test_forced_correlations_are_announced_and_counted(self, n, p, q, n_forced):
        rng = np.random.default_rng(5)
        X, Y = rng.standard_normal((n, p)), rng.standard_normal((n, q))
        with pytest.warns(ForcedCorrelationWarning, match=f"^{n_forced} of the") as caught:
            rho = canonical_correlations(X, Y)
        assert caught[0].filename == __file__
        assert (rho > 1 - 1e-10).sum() == n_forced
        assert f"{p + q + 1} rows are enough" in str(caught[0].message)
        canonical_correlations(rng.standard_normal((p + q + 1, p)), np.eye(p + q + 1)[:, :q])

    @pytest.mark.parametrize(
        "function",
        [fit_cca, mean_cca, svcca, pwcca, cross_validated_correlations, permutation_test],
    )
    def test_every_function_that_needs_rows_warns(self, function):
        X, Y = np.random.default_rng(6).standard_normal((2, 10, 8))
        with pytest.warns(ForcedCorrelationWarning) as caught:
            function(X, Y)
        assert caught[0].filename == __file__

    def test_a_side_that_spans_all_directions_leaves_nothing_free(self):
        rng = np.random.default_rng(9)
        with pytest.warns(ForcedCorrelationWarning, match="3 of the 3"):
            result = fit_cca(rng.standard_normal((12, 11)), rng.standard_normal((12, 3)))
        assert (null_band(12, 11, 3) == 1.0).all()
        assert null_edge(12, 11, 3) == 1.0
        axes = result.plot()  # without a warning, which would fail here
        plt.close(axes.figure)

    def test_one_row_more_than_needed_is_silent(self):
        rng = np.random.default_rng(7)
        canonical_correlations(rng.standard_normal((12, 6)), rng.standard_normal((12, 5)))

    def test_forced_correlations_cannot_be_tested(self):
        X, Y = np.random.default_rng(8).standard_normal((2, 10, 8))
        with pytest.warns(ForcedCorrelationWarning):
            result = fit_cca(X, Y)
        with pytest.raises(ValueError, match="8 \\+ 8 and 10 rows"):
            result.significance()
        with pytest.warns(ForcedCorrelationWarning):  # by one only
            result = fit_cca(X[:, :6], Y[:, :4])
        with pytest.raises(ValueError, match="6 \\+ 4 and 10 rows"):
            result.significance()
        with pytest.warns(ForcedCorrelationWarning):
            assert (permutation_test(X, Y, n_resamples=9).pvalues == 1.0).all()
