"""Mixtures given by their parameters: what is taken, and what is refused by name."""

import copy
import dataclasses
import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from mixture_models import (
    fit,
)
from numpy.testing import assert_array_equal
from scipy import stats
from sklearn.mixture import GaussianMixture

from afterfit.mixture import (
    GaussianMixtureParameters,
    log_density,
)


@pytest.mark.parametrize(
    "convert",
    [
        np.float32,
        lambda values: np.array(values, dtype=">f8"),
        lambda values: pd.Series(values, index=[7, 3], dtype="Float64"),
        lambda values: [Decimal(value) for value in values],
    ],
    ids=["float32", "big-endian", "nullable Series", "Decimal"],
)
def test_forms_of_the_parameters(convert):
    expected = GaussianMixtureParameters([0.25, 0.75], [[0.0], [2.0]], [1.5, 4.0], "spherical")
    means = np.reshape(convert([0.0, 2.0]), (2, 1))
    model = GaussianMixtureParameters(
        convert([0.25, 0.75]), means, convert([1.5, 4.0]), "spherical"
    )
    for name in ("weights", "means", "covariances"):
        assert getattr(model, name).dtype == np.float64
        assert_array_equal(getattr(model, name), getattr(expected, name))


def test_halves_of_a_covariance_that_differ_by_rounding():
    half = 0.5 + 1e-9
    model = GaussianMixtureParameters([1.0], [[0.0, 0.0]], [[[1.0, 0.5], [half, 1.0]]])
    expected = stats.multivariate_normal([0, 0], [[1.0, 0.5], [0.5, 1.0]]).logpdf([1.0, 2.0])
    assert log_density(model, [[1.0, 2.0]])[0] == pytest.approx(expected, abs=1e-8)


def test_parameters_are_immutable_copies():
    weights, means, covariances = np.array([1.0]), np.zeros((1, 2)), np.eye(2)[np.newaxis].copy()
    model = GaussianMixtureParameters(weights, means, covariances)
    expected = log_density(model, [[1.0, 2.0]])
    covariances[0, 0, 0] = means[0, 0] = weights[0] = 9.0
    assert_array_equal(log_density(model, [[1.0, 2.0]]), expected)
    with pytest.raises(ValueError, match="read-only"):
        model.means[0, 0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.weights = weights
    assert (model.n_components, model.n_features) == (1, 2)
    revived = pickle.loads(pickle.dumps(model))
    assert_array_equal(log_density(revived, [[1.0, 2.0]]), expected)
    for copied in (revived, copy.deepcopy(model)):
        assert not copied.covariances.flags.writeable
    assert "weights=" in repr(model)


EYE = np.eye(2)
TWO = {"weights": [0.5, 0.5], "means": [[0.0, 0.0], [1.0, 1.0]], "covariances": [EYE, EYE]}
INDEFINITE = [[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]]
BAD_PARAMETERS = [
    ({"weights": [0.5, 0.4]}, r"`weights` must sum to one over the 2 component\(s\), got 0\.9"),
    ({"weights": [1.5, -0.5]}, r"`weights\[1\]` \(component 1\) must be at least 0.*got -0\.5"),
    ({"weights": [0.5, np.nan]}, r"`weights\[1\]` \(component 1\).*finite, got nan"),
    ({"weights": [[0.5, 0.5]]}, r"`weights` must have one dimension.*got shape \(1, 2\)"),
    ({"weights": [0.5, 0.50001]}, r"`weights` must sum to one.*got 1\.00001"),
    ({"weights": np.ma.array([0.5, 0.5], mask=[0, 1])}, r"`weights\[1\]`.*finite, got nan"),
    ({"weights": [[1.0], [0.5, 0.5]]}, r"`weights` must have rows of equal length"),
    ({"weights": []}, r"`weights` must have one dimension.*at least one component"),
    ({"weights": [0.2, 0.3, 0.5]}, r"`means` must have one row for each of the 3 component"),
    ({"means": [0.0, 1.0]}, r"`means` must have two dimensions \(n_components, n_features\)"),
    ({"means": [[0.0, np.inf], [1.0, 1.0]]}, r"`means` must be finite.*column\(s\) 1"),
    ({"covariances": [EYE]}, r"`covariances` must have shape \(2, 2, 2\).*got shape \(1, 2, 2\)"),
    ({"covariances": EYE}, r"`covariances` must have shape \(2, 2, 2\).*got shape \(2, 2\)"),
    ({"covariances": pd.DataFrame(EYE)}, r"`covariances` must have shape.*got shape \(2, 2\)"),
    ({"covariances": [EYE, [1.0]]}, r"`covariances` must have.*shapes \(2, 2\), \(1,\)"),
    ({"covariances": [EYE, np.eye(3)]}, r"`covariances\[1\]` \(component 1\) must have shape"),
    ({"covariances": [EYE, EYE * np.nan]}, r"`covariances\[1\]` must be finite"),
    (
        {"covariances": [EYE, [[1.0, 0.5], [0.4, 1.0]]]},
        r"`covariances\[1\]` \(component 1\) .*symmetric.*\[0, 1\] is 0\.5.*\[1, 0\] is 0\.4",
    ),
    (
        {"covariances": [EYE, [[1.0, 0.5], [0.5001, 1.0]]]},
        r"`covariances\[1\]` .*not symmetric: \[0, 1\] is 0\.5 and \[1, 0\] is 0\.5001",
    ),
    (
        {"covariances": [EYE, [[1.0, 2.0], [2.0, 1.0]]]},
        r"`covariances\[1\]` \(component 1\).*positive definite.*correlation of features 0 and 1 "
        r"would be 2",
    ),
    (
        {"covariances": [EYE, [[1.0, -2.0], [-2.0, 4.0 / 9]]]},
        r"`covariances\[1\]` .*correlation of features 0 and 1 would be -3",
    ),
    (
        {"covariances": [EYE, [[1.0, 1e300], [1e300, 1e-300]]]},
        r"`covariances\[1\]` \(component 1\).*positive definite",
    ),
    (
        {"covariances": [[[0.0, 0.0], [0.0, 1.0]], EYE]},
        r"`covariances\[0\]` \(component 0\).*positive definite.*variance of feature 0 is 0",
    ),
    (
        {"covariances": [EYE, [[1.0, 1.0], [1.0, 1.0]]]},
        r"`covariances\[1\]` \(component 1\).*positive definite to working precision",
    ),
    (
        {"means": np.zeros((2, 3)), "covariances": [INDEFINITE, np.eye(3)]},
        r"`covariances\[0\]` \(component 0\).*smallest eigenvalue is -0\.8",
    ),
    (
        {"covariances": [[1.0, 2.0], [2.0, 1.0]], "covariance_type": "tied"},
        r"`covariances` \(shared by all components\).*positive definite",
    ),
    (
        {"covariances": [1.0, 2.0], "covariance_type": "tied"},
        r"`covariances` must have two dimensions \(n_features, n_features\), got shape \(2,\)",
    ),
    (
        {"covariances": np.eye(3), "covariance_type": "tied"},
        r"`covariances` \(shared by all components\) must have shape \(2, 2\), got \(3, 3\)",
    ),
    (
        {"covariances": [[1.0, -2.0], [0.0, 1.0]], "covariance_type": "diag"},
        r"`covariances\[0, 1\]` \(component 0\) must be a positive, finite variance, got -2",
    ),
    (
        {"covariances": [1.0, 0.0], "covariance_type": "spherical"},
        r"`covariances\[1\]` \(component 1\) must be a positive, finite variance, got 0",
    ),
    (
        {"covariances": [np.inf, 1.0], "covariance_type": "spherical"},
        r"`covariances\[0\]` \(component 0\) must be a positive, finite variance, got inf",
    ),
    (
        {"covariances": np.ma.array([1.0, 1.0], mask=[1, 0]), "covariance_type": "spherical"},
        r"`covariances\[0\]` \(component 0\) must be a positive, finite variance, got nan",
    ),
    (
        {"covariances": [1.0, 1.0], "covariance_type": "diag"},
        r"`covariances` must have shape \(2, 2\) if `covariance_type` is 'diag'.*\(2,\)",
    ),
    (
        {"covariances": EYE, "covariance_type": "spherical"},
        r"`covariances` must have shape \(2,\) if `covariance_type` is 'spherical'",
    ),
    ({"covariance_type": "VVV"}, r"`covariance_type` must be one of 'full', 'tied', 'diag'"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_PARAMETERS)
def test_bad_parameters(changes, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixtureParameters(**{**TWO, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": ["0.5", "0.5"]}, "`weights` must be numeric, got dtype <U3"),
        ({"weights": {0: 0.5, 1: 0.5}}, "`weights` must be numeric, got dict"),
        ({"means": [["a", "b"], ["c", "d"]]}, "`means` must be numeric"),
        ({"covariances": 3.0}, "`covariances` must have shape"),
        ({"covariances": 1j * EYE, "covariance_type": "tied"}, "`covariances` must be real"),
        ({"covariances": ["a", "b"], "covariance_type": "spherical"}, "`covariances` must be num"),
    ],
)
def test_parameters_that_are_no_numbers(changes, message):
    with pytest.raises(TypeError, match=message):
        GaussianMixtureParameters(**{**TWO, **changes})


@pytest.mark.parametrize("seed", range(10))
def test_rank_below_the_number_of_features(seed):
    # Rounding leaves a Cholesky factorisation that succeeds, with a last pivot of pure noise.
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((4, 3)) * [[1.0], [1e-5], [1e5], [1.0]]
    singular = root @ root.T
    with pytest.raises(ValueError, match=r"`covariances\[1\]` \(component 1\).*working precision"):
        GaussianMixtureParameters([0.5, 0.5], np.zeros((2, 4)), [np.eye(4), singular])


def test_a_fitted_model_whose_parameters_were_tampered_with():
    model, X = fit(GaussianMixture, "full", 2)
    model.covariances_ = model.covariances_.copy()
    model.covariances_[2] = -np.eye(2)
    with pytest.raises(ValueError, match=r"GaussianMixture.*`covariances\[2\]` \(component 2\)"):
        log_density(model, X)
    model.covariance_type = "VVV"
    with pytest.raises(ValueError, match=r"GaussianMixture cannot.*`covariance_type`.*got 'VVV'"):
        log_density(model, X)
