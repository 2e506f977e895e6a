"""Arrays of other libraries, computed on the device they lie on."""

import subprocess
import sys

import array_api_strict as strict
import jax.numpy as jnp
import numpy as np
import pytest
from mixture_models import FUNCTIONS, TYPES, draw, random_parameters
from numpy.testing import assert_allclose
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.neighbors import KernelDensity

from afterfit.mixture import (
    GaussianMixtureParameters,
    _kernel,
    component_log_joints,
    conformal_pvalues,
    hdr_tail_probability,
    hdr_threshold,
    log_density,
    squared_mahalanobis,
)

DEVICES = [strict.Device(name) for name in ("CPU_DEVICE", "device1", "device2")]


def options_of(function):
    return {"n_draws": 2000, "random_state": 0} if function is hdr_tail_probability else {}


def back(array):
    return np.from_dlpack(array, device="cpu", copy=True)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("n_features", [1, 3, 70])
def test_the_numbers_of_numpy_on_any_device(function, covariance_type, n_features, monkeypatch):
    monkeypatch.setattr(_kernel, "DEVICE_BLOCK_VALUES", 100 * (2 * n_features + 3))
    parameters = random_parameters(covariance_type, n_features)
    X = np.concatenate([draw(parameters, 200, seed=1)[0], np.full((2, n_features), 30.0)])
    expected = function(parameters, X, **options_of(function))
    for device in DEVICES:
        values = function(parameters, strict.asarray(X, device=device), **options_of(function))
        assert values.device == device
        assert values.dtype == strict.float64
        assert_allclose(back(values), expected, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_beyond_the_largest_float_on_a_device(function):
    parameters = random_parameters("full", 3)
    X = np.zeros((3, 3))
    X[1, 0], X[2] = 1e160, -1e160
    expected = function(parameters, X, **options_of(function))
    values = function(parameters, strict.asarray(X, device=DEVICES[1]), **options_of(function))
    assert_allclose(back(values), expected, rtol=1e-12)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_data_far_from_zero_lose_no_digits_on_a_device(covariance_type):
    near = random_parameters(covariance_type, 3)
    X = draw(near, 50, seed=6)[0].round(3) + 2.0**27
    far = GaussianMixtureParameters(
        near.weights, near.means.round(3) + 2.0**27, near.covariances, covariance_type
    )
    values = squared_mahalanobis(far, strict.asarray(X, device=DEVICES[1]))
    assert_allclose(back(values), squared_mahalanobis(far, X), rtol=1e-6)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_single_precision_and_whole_numbers_are_computed_in_double(function):
    parameters = random_parameters("full", 2)
    X = draw(parameters, 30, seed=2)[0].round()
    expected = function(parameters, X, **options_of(function))
    for dtype in (strict.float32, strict.int16):
        values = function(parameters, strict.asarray(X, dtype=dtype), **options_of(function))
        assert_allclose(back(values), expected, rtol=1e-10)


def on_device(model, device):
    """Return the fitted model as if it had been fitted there."""
    for name, value in vars(model).items():
        if isinstance(value, np.ndarray):
            setattr(model, name, strict.asarray(value, device=device))
        if isinstance(value, tuple) and isinstance(value[0], np.ndarray):
            setattr(model, name, tuple(strict.asarray(part, device=device) for part in value))
    return model


@pytest.mark.parametrize("estimator", [GaussianMixture, BayesianGaussianMixture])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_model_on_a_device_and_rows_anywhere(estimator, covariance_type):
    X, _ = draw(random_parameters("full", 2), 200, seed=3)
    model = estimator(n_components=2, covariance_type=covariance_type, tol=1e-2, random_state=0)
    model.fit(X)
    variational = {"variational": True} if estimator is BayesianGaussianMixture else {}
    expected = component_log_joints(model, X, **variational)
    threshold = hdr_threshold(model, 0.9, n_draws=1000, random_state=0)
    moved = on_device(model, DEVICES[1])
    assert_allclose(component_log_joints(moved, X, **variational), expected, rtol=1e-12)
    assert hdr_threshold(moved, 0.9, n_draws=1000, random_state=0) == threshold
    for device in DEVICES:
        values = component_log_joints(moved, strict.asarray(X, device=device), **variational)
        assert values.device == device
        assert_allclose(back(values), expected, rtol=1e-10)
    at_rows = hdr_threshold(moved, 0.9, strict.asarray(X, device=DEVICES[1]))
    assert at_rows == pytest.approx(hdr_threshold(moved, 0.9, X), rel=1e-12)


def test_arrays_of_jax():
    parameters = random_parameters("full", 2)
    X = draw(parameters, 20, seed=4)[0].astype(np.float32)
    values = log_density(parameters, jnp.asarray(X))
    assert_allclose(np.asarray(values), log_density(parameters, X), rtol=1e-6)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.zeros((2, 3)), ValueError, r"must have 2 feature\(s\)"),
        (np.zeros(2), ValueError, "two dimensions"),
        (np.array([[0.0, np.nan]]), ValueError, r"finite.*column\(s\) 1 \(1\)"),
        (np.zeros((1, 2), dtype=complex), TypeError, "must be real"),
    ],
)
def test_bad_arrays_on_a_device(X, error, message):
    with pytest.raises(error, match=message):
        log_density(random_parameters("full", 2), strict.asarray(X, device=DEVICES[1]))


class OnDevice(KernelDensity):
    """A density whose fit and scores stay on the device of the rows."""

    def fit(self, X):
        self.device_ = X.device
        return super().fit(back(X))

    def score_samples(self, X):
        assert X.device == self.device_
        return strict.asarray(super().score_samples(back(X)), device=self.device_)


@pytest.mark.parametrize("new", [False, True])
def test_conformal_pvalues_on_a_device(new):
    rng = np.random.default_rng(5)
    X, X_new = rng.standard_normal((40, 2)), rng.standard_normal((7, 2))
    expected = conformal_pvalues(KernelDensity(), X, X_new if new else None, random_state=1)
    there = [strict.asarray(part, device=DEVICES[2]) for part in (X, X_new)]
    values = conformal_pvalues(OnDevice(), there[0], there[1] if new else None, random_state=1)
    assert values.device == DEVICES[2]
    assert_allclose(back(values), expected, rtol=1e-12)


def test_scikit_learns_own_fit_under_array_api_dispatch():
    # SciPy reads the variable as it is imported, so in a process of its own.
    code = """
import numpy as np, array_api_strict as strict, sklearn
from sklearn.mixture import GaussianMixture
from afterfit.mixture import log_density, hdr_tail_probability
device = strict.Device("device1")
X = np.random.default_rng(0).standard_normal((100, 2))
options = {"init_params": "random", "random_state": 0, "tol": 1e-2}
numpy_fit = GaussianMixture(2, **options).fit(X)
with sklearn.config_context(array_api_dispatch=True):
    there = strict.asarray(X, device=device)
    fit = GaussianMixture(2, **options).fit(there)
values = log_density(fit, there)
assert values.device == device
got = np.from_dlpack(values, device="cpu", copy=True)
np.testing.assert_allclose(got, numpy_fit.score_samples(X), rtol=1e-9)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"SCIPY_ARRAY_API": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
