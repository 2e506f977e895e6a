"""Fits that the tests of several rooms share."""

import warnings

import numpy as np
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.genmod.families import links
from statsmodels.tools.sm_exceptions import DomainWarning

from afterfit.gamma_glm import lower_tail_probability, quantile_residuals
from afterfit.gamma_glm._bootstrap import Experiment
from afterfit.gamma_glm._irls import MeanModel, orthonormal_transform

METHODS = ("pearson", "deviance", "ml")
ROW_FUNCTIONS = (lower_tail_probability, quantile_residuals)


def gamma_family(link=None):
    """Return the family, without the warning that statsmodels gives of its own default link."""
    return sm.families.Gamma(link=links.Log() if link is None else link, check_link=False)


def fit_glm(y, X, link=None, **keywords):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DomainWarning)
        return sm.GLM(y, X, family=gamma_family(link), **keywords).fit(tol=1e-12)


def fit_formula(formula, data, link=None, **keywords):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DomainWarning)
        return smf.glm(formula, data, family=gamma_family(link), **keywords).fit(tol=1e-12)


def questions_design(n=120, shape=10.0, seed=0):
    """The design of the question: shape 10, mean exp(0.5 - x / 3)."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(0, 3, n)
    return sm.add_constant(x), generator.gamma(shape, np.exp(0.5 - x / 3) / shape)


def experiment_of(X, predictor, link, weights, method, shape):
    """Return the bootstrap of a model with this design and linear predictor."""
    basis = X @ orthonormal_transform(X, 1.0)
    rank = basis.shape[1]
    return Experiment(
        model=MeanModel(basis, predictor, link, np.zeros(rank)),
        weights=weights,
        counts=np.ones(len(X)),
        residual_df=float(len(X) - rank),
        n_parameters=float(rank),
        method=method,
        shape=shape,
    )


both_engines = pytest.mark.parametrize("engine", ["patsy", "formulaic"], indirect=True)
