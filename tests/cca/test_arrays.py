"""Arrays of other libraries: the same numbers, of which small matrices alone leave the device."""

import array_api_strict as strict
import dask.array as da
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cca_tables import related_pair

from afterfit.cca import (
    CCAAccumulator,
    _whitening,
    as_rows,
    canonical_correlations,
    cross_validated_correlations,
    fit_cca,
    linear_cka,
    mean_cca,
    permutation_test,
    pwcca,
    svcca,
)

DEVICE = strict.Device("device1")

FUNCTIONS = {
    "canonical_correlations": canonical_correlations,
    "covariates": lambda X, Y: canonical_correlations(X, Y, covariates=X[:, :1]),
    "fit_cca": lambda X, Y: fit_cca(X, Y).significance().to_numpy(),
    "weights": lambda X, Y: fit_cca(X, Y).y_weights,
    "cross_validated": lambda X, Y: cross_validated_correlations(X, Y, random_state=0),
    "permutation_test": lambda X, Y: (
        permutation_test(X, Y, n_resamples=19, random_state=0).stepwise_pvalues
    ),
    "permuted residuals": lambda X, Y: (
        permutation_test(X, Y, covariates=Y[:, :2], n_resamples=19, random_state=0).stepwise_pvalues
    ),
    "mean_cca": mean_cca,
    "svcca": svcca,
    "pwcca": pwcca,
    "linear_cka": linear_cka,
    "debiased": lambda X, Y: linear_cka(X, Y, debiased=True),
    "accumulator": lambda X, Y: CCAAccumulator().partial_fit(X, Y).result().correlations,
}
# Well-conditioned sides, mildly and badly conditioned ones, and more columns than rows: each goes
# another way through the linear algebra.
KINDS = ("plain", "mild", "collinear", "wide")


def sides(kind):
    rng = np.random.default_rng(0)
    X, Y = related_pair(rng, 10 if kind == "wide" else 120)
    if kind == "mild":
        X[:, 1] = X[:, 0] + 1e-3 * X[:, 1]
    if kind == "collinear":
        X = np.column_stack([X, X[:, 0] - X[:, 1], np.ones(len(X))])
    if kind == "wide":
        X = rng.standard_normal((10, 7))
        Y = Y[:, :2]
    return X, Y


class TestStrictDevices:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_same_numbers_and_only_small_matrices_leave(self, name, kind, monkeypatch):
        X, Y = sides(kind)
        if kind == "wide" and name in ("cross_validated", "permuted residuals"):
            X, Y = X[:, :3], np.column_stack([Y, X[:, 3:5]])
        if kind == "wide" and name == "covariates":
            X = X[:, :4]
        expected = FUNCTIONS[name](X, Y)
        original, sizes = np.from_dlpack, []

        def watched(array, **options):
            sizes.append(array.size)
            return original(array, **options)

        monkeypatch.setattr(np, "from_dlpack", watched)
        monkeypatch.setattr(_whitening, "FOREIGN_BLOCK_VALUES", 64)  # several blocks
        found = FUNCTIONS[name](*(strict.asarray(side, device=DEVICE) for side in (X, Y)))
        assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)
        assert sizes  # it came from the device
        # Lengths of rows for the debiased measure; up to twice as many rows as columns for batches.
        n_columns = X.shape[1] + Y.shape[1]
        most = {"debiased": len(X), "accumulator": 2 * n_columns**2}.get(name, 0)
        assert max(sizes) <= max(n_columns**2, most)

    def test_scores_stay_on_the_device(self):
        X, Y = sides("plain")
        on_device = [strict.asarray(side, device=DEVICE) for side in (X, Y)]
        result, expected = fit_cca(*on_device), fit_cca(X, Y)
        for name in ("x_scores", "y_scores"):
            scores = getattr(result, name)
            assert scores.device == DEVICE
            assert np.from_dlpack(scores, device="cpu") == pytest.approx(
                getattr(expected, name), abs=1e-12
            )
        assert result.transform(on_device[0]).device == DEVICE
        axes = result.plot_scores()
        axes.figure.canvas.draw()
        import matplotlib.pyplot as plt

        plt.close(axes.figure)

    def test_two_devices_are_named(self):
        X, Y = sides("plain")
        one = strict.asarray(X, device=DEVICE)
        for other in (strict.asarray(Y, device=strict.Device("device2")), Y):
            for function in (canonical_correlations, linear_cka, permutation_test):
                with pytest.raises(ValueError, match=r"one device: `X` is of.*device1.*`Y` is of"):
                    function(one, other)

    def test_missing_values_and_shapes(self):
        X, Y = sides("plain")
        X[3, 1] = np.nan
        with pytest.raises(ValueError, match=r"`X` must be finite.*1 \(1\)"):
            canonical_correlations(strict.asarray(X), strict.asarray(Y))
        with pytest.raises(ValueError, match="`X` has 7, `Y` has 120"):
            canonical_correlations(strict.asarray(X[10:17]), strict.asarray(Y))

    def test_many_roots_are_computed_on_the_device(self, monkeypatch):
        monkeypatch.setattr(_whitening, "DEVICE_RANK", 2)
        for kind in ("plain", "collinear"):
            X, Y = sides(kind)
            for pair in ((X, Y), (Y, X), (X, X)):
                found = canonical_correlations(*(strict.asarray(s, device=DEVICE) for s in pair))
                assert found == pytest.approx(canonical_correlations(*pair), abs=1e-13)


class TestJax:
    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_with_and_without_64_bits(self, name):
        X, Y = (side.astype(np.float32) for side in sides("plain"))
        expected = FUNCTIONS[name](X.astype(float), Y.astype(float))
        assert FUNCTIONS[name](jnp.asarray(X), jnp.asarray(Y)) == pytest.approx(expected, abs=1e-9)
        with jax.enable_x64(True):
            found = FUNCTIONS[name](jnp.asarray(X), jnp.asarray(Y))
        assert found == pytest.approx(expected, abs=1e-9)

    @pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
    def test_short_floats_are_computed_in_float64(self, dtype):
        X, Y = (jnp.asarray(side, dtype=dtype) for side in sides("plain"))
        upcast = [np.asarray(side).astype(np.float64) for side in (X, Y)]
        for function in (canonical_correlations, mean_cca, svcca, linear_cka):
            assert function(X, Y) == pytest.approx(function(*upcast), abs=1e-12)


class TestRows:
    images = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)

    @pytest.mark.parametrize("wrap", [np.asarray, strict.asarray, jnp.asarray, da.from_array])
    def test_both_orders_of_channels(self, wrap):
        channels_first = wrap(self.images)
        channels_last = wrap(np.moveaxis(self.images, 1, 3))
        expected = [self.images[i, :, h, w] for i in range(2) for h in range(4) for w in range(5)]
        for rows in (as_rows(channels_first, (0, 2, 3)), as_rows(channels_last, (0, 1, 2))):
            assert np.array_equal(np.asarray(rows), expected)
        assert (
            np.asarray(as_rows(channels_first, 0)).tolist() == self.images.reshape(2, 60).tolist()
        )
        tokens = as_rows(wrap(self.images[0]), (0, 1))  # batch x tokens x width
        assert np.array_equal(np.asarray(tokens), self.images[0].reshape(12, 5))

    def test_negative_axes_and_lists(self):
        assert as_rows(self.images.tolist(), (0, -1)).shape == (10, 12)

    @pytest.mark.parametrize(
        ("axes", "error", "message"),
        [
            ((0, 0), ValueError, "`sample_axes` must name some of the 4 axes, each once"),
            ((0, -4), ValueError, "each once"),
            ((), ValueError, "each once.*got ()"),
            ((0, 1, 2, 3), ValueError, "leave one for the columns"),
            (4, ValueError, "`sample_axes` must be between -4 and 3, got 4"),
            ("0", TypeError, "`sample_axes` must be an integer"),
        ],
    )
    def test_bad_axes(self, axes, error, message):
        with pytest.raises(error, match=message):
            as_rows(self.images, axes)

    def test_the_advice_of_the_error_works(self):
        rng = np.random.default_rng(0)
        images = rng.standard_normal((60, 3, 2, 2))
        with pytest.raises(ValueError, match=r"as_rows\(X, 0\)"):
            linear_cka(images, images)
        for axes in (0, (0, 2, 3), (0, 1, 2)):
            rows = as_rows(images, axes)
            assert linear_cka(rows, rows) == pytest.approx(1.0)

    def test_storage_survives(self):
        assert as_rows(self.images.astype(np.float16), 0).dtype == np.float16
