"""Batches, merged accumulators and blocks of dask against all rows at once."""

import functools
from fractions import Fraction

import dask.array as da
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from cca_tables import exact_correlations, random_map, related_pair
from dask import config as dask_config
from dask import delayed as dask_delayed
from hypothesis import given, settings
from hypothesis import strategies as st

from afterfit.cca import (
    CCAAccumulator,
    ForcedCorrelationWarning,
    StorageWarning,
    canonical_correlations,
    fit_cca,
    linear_cka,
    pwcca,
    svcca,
)

# Of the module that the class came from: where the examples of its file were collected first,
# pytest has imported the file once more, and `sys.modules` holds the other module.
OWN_NAMES = CCAAccumulator.partial_fit.__globals__


@pytest.fixture(scope="module", autouse=True)
def small_buffers():
    """Factorise from 16 rows a column on, so that small tables are merged as large ones are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(OWN_NAMES, "BUFFERED_VALUES", 0)
        yield


def accumulated(X, Y, cuts):
    seen = CCAAccumulator()
    for rows in np.split(np.arange(len(X)), cuts):
        if len(rows):
            seen.partial_fit(X[rows], Y[rows])
    return seen


def assert_equals_one_shot(seen, X, Y, tolerance=1e-10):
    result, expected = seen.result(), fit_cca(X, Y)
    assert seen.n_samples_seen_ == result.n_samples == len(X)
    assert result.correlations == pytest.approx(expected.correlations, abs=tolerance)
    for name in ("x_weights", "y_weights", "x_loadings", "y_loadings", "x_mean", "y_mean"):
        ours, theirs = getattr(result, name), getattr(expected, name)
        assert ours == pytest.approx(theirs, rel=1e4 * tolerance, abs=1e4 * tolerance), name
    assert result.significance().to_numpy() == pytest.approx(
        expected.significance().to_numpy(), rel=1e3 * tolerance
    )
    assert seen.svcca() == pytest.approx(svcca(X, Y), abs=tolerance)
    assert seen.pwcca() == pytest.approx(pwcca(X, Y), abs=tolerance)
    assert seen.linear_cka() == pytest.approx(linear_cka(X, Y), abs=tolerance)


class TestEquality:
    @given(seed=st.integers(0, 2**32 - 1), offset=st.sampled_from([0.0, 1e4, -1e8]))
    @settings(max_examples=25)
    def test_any_batches_in_any_order(self, seed, offset):
        rng = np.random.default_rng(seed)
        X, Y = related_pair(rng, 900, 4, 3)
        X, Y = np.round(X, 6) + offset, np.round(Y, 6) - offset
        cuts = np.sort(rng.integers(0, 901, size=rng.integers(0, 12)))
        order = rng.permutation(900)
        assert_equals_one_shot(accumulated(X[order], Y[order], cuts), X, Y)

    @pytest.mark.parametrize("size", [1, 3, 50, 999, 3000])
    def test_sorted_rows_far_from_zero(self, size):
        # The means of the batches differ by far more than the spread within them, which an offset
        # of 1e8 rounds at 1e-8.
        X, Y = related_pair(np.random.default_rng(1), 3000)
        X = np.sort(X, axis=0) + 1e8
        seen = accumulated(X, Y, range(size, 3000, size))
        assert_equals_one_shot(seen, X, Y)
        # The means to their last digit, from exact sums.
        exact = [float(sum(map(Fraction, column)) / 3000) for column in X.T]
        assert seen.result().x_mean == pytest.approx(exact, rel=2e-16, abs=0)

    @pytest.mark.parametrize("size", [7, 400, 3000])
    @pytest.mark.parametrize(
        ("condition", "offset", "tolerance"),
        [
            (1e3, 0.0, 1e-13),
            (1e5, 0.0, 1e-11),
            (1e6, 1e8, 1e-11),
            (1e7, 0.0, 1e-10),
            (1e8, 0, 2e-9),
        ],
    )
    def test_ill_conditioned_columns(self, condition, offset, tolerance, size):
        # A factor has its numbers rounded, so that condition times eps, 2e-8 for the last, is the
        # limit; each of these errs by a tenth of it. Products of columns would lose all at 1e8.
        rng = np.random.default_rng(2)
        X, Y = related_pair(rng, 3000)
        X = X @ random_map(rng, 6, condition) + offset
        seen = accumulated(X, Y, range(size, 3000, size))
        expected = exact_correlations(X, Y)
        assert seen.result().correlations == pytest.approx(expected, abs=tolerance)

    @pytest.mark.parametrize("size", [5, 500])
    def test_columns_of_every_scale(self, size):
        X, Y = related_pair(np.random.default_rng(3), 2000)
        X = X * [1e200, 1e-200, 1, 1e-140, 1e140, 5]
        seen = accumulated(X, Y, range(size, 2000, size))
        expected = canonical_correlations(X, Y)
        assert seen.result().correlations == pytest.approx(expected, abs=1e-12)

    @pytest.mark.parametrize("size", [5, 500])
    def test_redundant_and_constant_columns(self, size):
        rng = np.random.default_rng(4)
        X, Y = related_pair(rng, 2000)
        wide = np.hstack([X, X @ rng.standard_normal((6, 2)), np.full((2000, 1), 0.1)])
        result = accumulated(wide, Y, range(size, 2000, size)).result()
        assert result.x_rank == 6
        assert result.correlations == pytest.approx(canonical_correlations(X, Y), abs=1e-10)

    def test_a_column_that_varies_in_one_batch_only(self):
        X, Y = related_pair(np.random.default_rng(5), 2000)
        X[:, 0] = np.arange(2000) == 1700
        assert_equals_one_shot(accumulated(X, Y, [500, 1000, 1500]), X, Y)

    def test_identical_sides(self):
        X, _ = related_pair(np.random.default_rng(6), 2000)
        result = accumulated(X, X, [500, 1500]).result()
        assert result.correlations == pytest.approx(np.ones(6), abs=1e-12)

    def test_transform_of_batches_gives_the_scores(self):
        X, Y = related_pair(np.random.default_rng(7), 900)
        result = accumulated(X, Y, [300, 600]).result(n_components=2)
        assert result.x_scores is None
        assert result.transform(X) == pytest.approx(fit_cca(X, Y, 2).x_scores, abs=1e-10)
        with pytest.raises(ValueError, match="no scores to draw: `transform`"):
            result.plot_scores()

    def test_float32_batches_keep_their_rounding(self):
        X, Y = related_pair(np.random.default_rng(8), 900)
        narrow = X.astype(np.float32)
        doubled = np.hstack([narrow, narrow[:, :3] + narrow[:, 3:]])
        for cuts in ([300, 600], [850]):
            with pytest.warns(StorageWarning, match="3 of the 9 columns of `X`") as caught:
                assert accumulated(doubled, Y, cuts).result().x_rank == 6
            assert caught[0].filename == __file__

    @pytest.mark.parametrize("merged", [False, True])
    def test_one_batch_in_float32_is_enough(self, merged):
        # The same rows stored in float64 later do not give back the digits of the first.
        X, Y = related_pair(np.random.default_rng(8), 900)
        narrow = X.astype(np.float32)
        doubled = np.hstack([narrow, narrow[:, :3] + narrow[:, 3:]])
        parts = accumulated(doubled[:300], Y[:300], []), CCAAccumulator()
        first, rest = parts if merged else (parts[0], parts[0])
        rest.partial_fit(doubled[300:].astype(float), Y[300:])
        with pytest.warns(StorageWarning, match="3 of the 9 columns of `X`"):
            assert (first.merge(rest) if merged else first).result().x_rank == 6

    def test_jax_in_batches(self):
        X, Y = related_pair(np.random.default_rng(9), 900)
        with jax.enable_x64(True):
            seen = CCAAccumulator()
            for rows in (slice(0, 100), slice(100, 900)):
                seen.partial_fit(jnp.asarray(X[rows]), jnp.asarray(Y[rows]))
        assert_equals_one_shot(seen, X, Y)


class TestMerge:
    def test_processes_and_reductions_give_the_same(self):
        X, Y = related_pair(np.random.default_rng(0), 1500)
        parts = [accumulated(X[k::3], Y[k::3], [200]) for k in range(3)]
        merged = functools.reduce(CCAAccumulator.merge, parts)
        assert_equals_one_shot(merged, X, Y)
        assert [part.n_samples_seen_ for part in parts] == [500] * 3  # left as they were
        assert_equals_one_shot(parts[0], X[::3], Y[::3])
        assert_equals_one_shot(parts[2].merge(parts[1].merge(parts[0])), X, Y)
        assert_equals_one_shot(CCAAccumulator().merge(merged).merge(CCAAccumulator()), X, Y)

    def test_memory_does_not_grow_with_rows(self):
        rng = np.random.default_rng(1)
        seen = CCAAccumulator()
        sizes = []
        for _ in range(40):
            seen.partial_fit(rng.standard_normal((1000, 6)), rng.standard_normal((1000, 4)))
            sizes.append(seen._moments.factor.size)
        assert max(sizes) <= 8 * 10 * 10

    @pytest.mark.parametrize("values", [0, 2**12, 2**19])
    def test_rows_wait_in_a_buffer_of_one_size(self, values, monkeypatch):
        monkeypatch.setitem(OWN_NAMES, "BUFFERED_VALUES", values)
        X, Y = related_pair(np.random.default_rng(2), 3000)
        seen = CCAAccumulator()
        for rows in np.split(np.arange(3000), range(50, 3000, 50)):
            seen.partial_fit(X[rows], Y[rows])
            assert sum(x.size + y.size for x, y in seen._pending) <= max(values, 16 * 10 * 10)
        assert_equals_one_shot(seen, X, Y)


class TestDask:
    def test_no_two_blocks_are_in_memory(self):
        X, Y = related_pair(np.random.default_rng(0), 4000)
        alive, most, made = set(), [0], [0]

        class Block(np.ndarray):
            def __array_finalize__(self, _):
                pass

            def __del__(self):
                alive.discard(id(self))

        def block_of(source, start):
            block = source[start : start + 500].copy().view(Block)
            alive.add(id(block))
            made[0] += 1
            most[0] = max(most[0], len(alive))
            return block

        def lazy(source):
            blocks = [
                da.from_delayed(
                    dask_delayed(block_of)(source, start), (500, source.shape[1]), dtype=float
                )
                for start in range(0, 4000, 500)
            ]
            return da.concatenate(blocks)

        with dask_config.set(scheduler="synchronous"):
            seen = CCAAccumulator().partial_fit(lazy(X), lazy(Y))
        assert made[0] == 16
        assert most[0] <= 2  # one of each set
        assert_equals_one_shot(seen, X, Y)

    def test_other_blocks_on_the_other_side_and_numpy_beside(self):
        X, Y = related_pair(np.random.default_rng(1), 1000)
        lazy = da.from_array(X, chunks=(300, 2))
        for other in (da.from_array(Y, chunks=(170, 4)), Y):
            assert_equals_one_shot(CCAAccumulator().partial_fit(lazy, other), X, Y)
            assert_equals_one_shot(CCAAccumulator().partial_fit(X, da.from_array(Y)), X, Y)

    def test_what_needs_all_rows_says_where_to_go(self):
        X, Y = related_pair(np.random.default_rng(2))
        with pytest.raises(TypeError, match="`X` must be in memory, got an array of dask: `CCAAcc"):
            canonical_correlations(da.from_array(X), Y)

    def test_unknown_sizes(self):
        lazy = da.from_array(np.ones((10, 2)), chunks=5)
        with pytest.raises(ValueError, match="compute_chunk_sizes"):
            CCAAccumulator().partial_fit(lazy[lazy[:, 0] > 0], lazy)

    def test_other_numbers_of_rows(self):
        with pytest.raises(ValueError, match="`X` has 10, `Y` has 9"):
            CCAAccumulator().partial_fit(da.ones((10, 2)), da.ones((9, 2)))


class TestErrors:
    def test_batches_of_other_columns(self):
        X, Y = related_pair(np.random.default_rng(0))
        frame = pd.DataFrame(X, columns=list("abcdef"))
        seen = CCAAccumulator().partial_fit(frame, Y)
        assert seen.result().x_columns == list("abcdef")
        with pytest.raises(ValueError, match="`X` must have the columns of the fit"):
            seen.partial_fit(frame[list("bacdef")], Y)
        with pytest.raises(ValueError, match="6 and 4 columns as in the first batch, got 6 and 3"):
            seen.partial_fit(frame, Y[:, :3])
        assert seen.n_samples_seen_ == 120  # what was refused does not count
        with pytest.raises(ValueError, match="`X` must be finite"):
            seen.partial_fit(frame * np.nan, Y)
        with pytest.raises(ValueError, match=r"same columns.*\(6, 4\).*the other \(6, 3\)"):
            seen.merge(CCAAccumulator().partial_fit(X, Y[:, :3]))
        with pytest.raises(TypeError, match="`other` must be a CCAAccumulator, got int"):
            seen.merge(3)

    def test_too_few_rows(self):
        seen = CCAAccumulator()
        for rows in (0, 1):
            with pytest.raises(ValueError, match=f"at least 2 rows, got {rows}"):
                seen.result()
            seen.partial_fit([[1.0, 2.0]], [[3.0]])
        with pytest.raises(ValueError, match="`X` must have at least one column that varies"):
            seen.result()
        with pytest.raises(ValueError, match="`n_components` must be between 1 and 1, got 2"):
            seen.partial_fit([[2.0, 1.0], [5.0, 1.0]], [[1.0], [1.5]]).result(n_components=2)
        with pytest.raises(ValueError, match="`explained_variance` must lie in"):
            seen.svcca(explained_variance=2)

    def test_rows_that_wait_are_not_lost_where_they_cannot_be_averaged(self):
        seen = CCAAccumulator().partial_fit([[1e308], [-1e308]], [[1.0], [2.0]])
        for _ in range(2):
            with pytest.raises(ValueError, match="`X` has values too large to average"):
                seen.result()

    def test_what_waits_is_a_copy(self):
        X, Y = related_pair(np.random.default_rng(2), 60)
        expected = canonical_correlations(X, Y)
        seen = CCAAccumulator().partial_fit(X, Y)
        X[:], Y[:] = 0.0, 0.0  # as a loop that fills the same arrays would
        assert seen.result().correlations == pytest.approx(expected, abs=1e-12)

    def test_forced_correlations_are_announced(self):
        X, Y = np.random.default_rng(1).standard_normal((2, 10, 8))
        seen = accumulated(X, Y, [4])
        for call in (seen.result, seen.pwcca, seen.svcca):
            with pytest.warns(ForcedCorrelationWarning) as caught:
                call()
            assert caught[0].filename == __file__
