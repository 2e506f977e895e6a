"""Fits that are not at their optimum: refused, with an advice that helps; and `refit`.

What R makes of the two tables in `cases/` stands beside the assertions.
"""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from gamma_fits import fit_glm, gamma_family, questions_design
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from statsmodels.genmod.families import links

from afterfit.gamma_glm import (
    GammaFit,
    calibration_test,
    conditional_distribution,
    gamma_shape,
    lower_tail_probability,
    prediction_interval,
    refit,
)
from afterfit.gamma_glm._irls import orthonormal_transform

CASES = Path(__file__).parent / "cases"


def quietly(formula, data, link=None, **options):
    """Fit as statsmodels does by default, whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return smf.glm(formula, data, family=gamma_family(link)).fit(**options)


def standardised(values):
    return (values - values.mean()) / values.std()


@pytest.fixture(scope="module")
def pop():
    return pd.read_csv(CASES / "gamma_pop.csv")


@pytest.fixture(scope="module")
def years():
    return pd.read_csv(CASES / "gamma_years.csv")


@pytest.fixture(scope="module")
def wild():
    """Columns as people have them: dates as numbers, money in cents, near and exact copies."""
    generator = np.random.default_rng(0)
    x = generator.uniform(0, 3, 200)
    return pd.DataFrame(
        {
            "x": x,
            "y": generator.gamma(3, np.exp(0.5 - x / 3) / 3),
            "days": 738_000 + 100 * x,
            "seconds": 1.7e9 + 1e6 * x,
            "nanoseconds": 1.7e18 + 1e15 * x,
            "cents": 1e7 * x,
            "copied": x,
            "near": x + 1e-9 * generator.normal(size=200),
        }
    )


# ---------------------------------------------------------------- R's numbers


def test_a_column_in_the_millions_and_its_square(pop):
    # R 4.2.2: f <- glm(y ~ x + pop + I(pop^2), Gamma("log"), d); deviance(f); df.residual(f);
    # MASS::gamma.shape(f): 194.5450, 296, 1.68953 (SE 0.12668)
    fit = quietly("y ~ x + pop + I(pop**2)", pop)
    assert fit.converged  # statsmodels': its word proves nothing
    assert fit.deviance > 300
    assert fit.df_resid == 298
    for function in (gamma_shape, conditional_distribution, lower_tail_probability):
        with pytest.raises(ValueError, match=r"not at its optimum.*'I\(pop \*\* 2\)'.*scale"):
            function(fit)
    solved = refit(fit)
    assert_allclose(solved.deviance, 194.5450, atol=5e-5)
    assert solved.df_resid == 296
    estimate = gamma_shape(solved, "ml")
    assert_allclose(estimate.shape, 1.68953, atol=5e-6)
    assert_allclose(estimate.standard_error, 0.12668, atol=5e-6)
    # the same model on the scaled column, where statsmodels arrives
    scaled = fit_glm(pop.y, sm.add_constant(np.column_stack([pop.x, pop.z, pop.z**2])))
    assert_allclose(solved.mean, scaled.fittedvalues, rtol=1e-9)
    assert_allclose(lower_tail_probability(solved), lower_tail_probability(scaled), rtol=1e-8)


def test_a_cubic_in_the_year(years):
    # R 4.2.2: glm(cost ~ x + year + I(year^2) + I(year^3), Gamma("log"), d): deviance 153.6675;
    # MASS::gamma.shape 2.1037
    fit = quietly("cost ~ x + year + I(year**2) + I(year**3)", years)
    with pytest.raises(ValueError, match=r"'year', 'I\(year \*\* 2\)'.*nearly collinear"):
        gamma_shape(fit)
    solved = refit(fit)
    assert_allclose(solved.deviance, 153.6675, atol=5e-5)
    assert_allclose(gamma_shape(solved, "ml").shape, 2.1037, atol=5e-5)
    assert solved.df_resid == len(years) - 5
    # new rows by the formula, also on a design as ill-conditioned as this
    assert_allclose(conditional_distribution(solved, years.head()).mean(), solved.mean[:5])


# ---------------------------------------------------------------- advice, followed

# formula, what the message says, the formula with the advice followed
ADVICE = [
    ("nanoseconds", "differ very much in size: 'nanoseconds'.*Centre and scale", "S(nanoseconds)"),
    ("cents + I(cents**2)", "size.*'cents'.*Centre and scale", "S(cents) + S(cents**2)"),
    (
        "cents + I(cents**2) + I(cents**3)",
        r"size: 'cents' .*'I\(cents \*\* 2\)' .*'I\(cents \*\* 3\)'.*Centre and scale",
        "S(cents) + S(cents**2) + S(cents**3)",
    ),
    (
        "days + I(days**2)",
        r"Columns 'Intercept', 'days', 'I\(days \*\* 2\)' are nearly collinear. Centre and scale",
        "S(days) + I(S(days)**2)",
    ),
    ("seconds + I(seconds**2)", "nearly collinear. Centre", "S(seconds) + I(S(seconds)**2)"),
    ("nanoseconds + I(nanoseconds**2)", "nearly", "S(nanoseconds) + I(S(nanoseconds)**2)"),
    (
        "cr(x, df=4)",
        r"The constant is a sum of other columns.*`- 1`.*constraints='center'",
        "cr(x, df=4) - 1",
    ),
]


@pytest.mark.parametrize(("formula", "message", "followed"), ADVICE)
def test_an_advice_that_is_followed_helps(wild, formula, message, followed):
    short = quietly(f"y ~ {formula}", wild)
    with pytest.raises(ValueError, match=f"not at its optimum.*{message}.*refit") as caught:
        gamma_shape(short)
    assert "iterations ended early" not in str(caught.value)
    helped = quietly(f"y ~ {followed}".replace("S(", "standardised("), wild)
    solved = refit(short)
    assert_allclose(gamma_shape(helped, "ml").shape, gamma_shape(solved, "ml").shape, rtol=1e-6)
    assert helped.df_resid == solved.df_resid
    # the other way out of a spline that holds the constant keeps the constant
    if formula.startswith("cr"):
        centred = quietly("y ~ cr(x, df=4, constraints='center')", wild)
        gamma_shape(centred)


def test_near_copies_are_told_apart_or_left_out(wild):
    fit = quietly("y ~ x + near", wild)
    fit._results.params = fit._results.params + np.array([0.0, 0.3, 0.3])
    with pytest.raises(ValueError, match=r"'x', 'near' are nearly collinear\. Leave one"):
        gamma_shape(fit)
    gamma_shape(quietly("y ~ x", wild))
    # in standardised columns: the part of `near` that is not `x`
    apart = wild.assign(rest=standardised(wild.near - wild.x))
    expected = fit_glm(apart.y, sm.add_constant(apart[["x", "rest"]]))
    assert_allclose(refit(fit).deviance, expected.deviance, rtol=1e-7)


def test_exact_copies_cost_no_degree_of_freedom(wild):
    fit, plain = quietly("y ~ x + copied", wild), quietly("y ~ x", wild)
    assert refit(fit).df_resid == plain.df_resid == 198
    assert_allclose(gamma_shape(fit).shape, gamma_shape(plain).shape, rtol=1e-9)
    # statsmodels may swing between them without an end, and more iterations do not help
    fit._results.params = fit._results.params + np.array([0.0, 0.3, 0.0])
    with pytest.raises(ValueError, match=r"'x', 'copied' repeat each other\. Leave one of them"):
        gamma_shape(fit)
    gamma_shape(plain)


# what a column is, and the same model of its standardised values u
KINDS = {
    "line": ("v", "u"),
    "square": ("v + I(v**2)", "u + I(u**2)"),
    "cube": ("v + I(v**2) + I(v**3)", "u + I(u**2) + I(u**3)"),
    "copy": ("v + I(2 * v)", "u"),
    "near copy": ("v + I(v + span * near)", "u + near"),
    "B-spline": ("bs(v, df=5)", "bs(u, df=5)"),
    "B-spline with the constant": ("bs(v, df=6, include_intercept=True)", "bs(u, df=5)"),
    "natural spline with the constant": ("cr(v, df=4)", "cr(u, df=4) - 1"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("start", "span"),  # years, days, seconds and nanoseconds, cents, shares
    [(2000, 25), (738_000, 3650), (1.7e9, 1e8), (1.7e18, 1e17), (0, 1e12), (0, 1e-9)],
)
@pytest.mark.parametrize("seed", range(4))
def test_a_number_is_that_of_the_optimum_or_there_is_none(kind, start, span, seed):
    generator = np.random.default_rng(seed)
    t = generator.uniform(size=120)
    y = generator.gamma(2, np.exp(0.5 + 2 * t - 3 * t**2) / 2)
    table = pd.DataFrame({"y": y, "v": start + span * t, "span": float(span)})
    table["u"], table["near"] = standardised(table.v), 1e-5 * generator.normal(size=120)
    formula, standard = KINDS[kind]
    fit, expected = quietly(f"y ~ {formula}", table), quietly(f"y ~ {standard}", table, tol=1e-12)
    if kind == "near copy":  # statsmodels needs the small column in its own units
        scaled = table.assign(near=standardised(table.near))
        expected = quietly(f"y ~ {standard}", scaled, tol=1e-12)
    solved = refit(fit)
    # what is beyond eleven digits of a column falls out of the model, as in R
    assert solved.df_resid >= expected.df_resid
    if solved.df_resid == expected.df_resid:
        assert_allclose(solved.deviance, expected.deviance, rtol=1e-6)
    said = ""
    try:
        assert_allclose(gamma_shape(fit).shape, gamma_shape(solved).shape, rtol=0.01)
    except ValueError as error:
        said = str(error)
    assert said == "" or "`gamma_glm.refit(results)` returns the optimum" in said
    assert "Its iterations ended early" not in said  # whose advice would not help here


@pytest.mark.parametrize("formula", ["bs(x, df=5)", "bs(x, df=5, include_intercept=True) - 1"])
def test_splines_that_statsmodels_solves_pass(wild, formula):
    fit = quietly(f"y ~ {formula}", wild)
    assert_allclose(refit(fit).deviance, fit.deviance, rtol=1e-8)
    gamma_shape(fit)


def test_a_fit_that_stopped_early_is_refused():
    X, y = questions_design()
    model = sm.GLM(y, X, family=gamma_family())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stopped = model.fit(maxiter=1)
    with pytest.raises(ValueError, match=r"ended early: fit by `fit\(maxiter=1000, tol=1e-12\)`"):
        gamma_shape(stopped)
    gamma_shape(model.fit(maxiter=1000, tol=1e-12))


def test_gradient_methods_do_not_say_whether_they_converged(pop):
    fit = quietly("y ~ x + z + I(z**2)", pop, method="bfgs", disp=0)
    assert not hasattr(fit, "converged")
    assert_allclose(gamma_shape(fit, "ml").shape, 1.68953, atol=5e-6)
    short = quietly("y ~ x + z + I(z**2)", pop, method="bfgs", disp=0, maxiter=3)
    with pytest.raises(ValueError, match="not at its optimum"):
        gamma_shape(short)


@pytest.mark.parametrize("link", [links.Log(), links.InversePower()])
@pytest.mark.parametrize("distance", [0.005, 0.05])
def test_how_far_from_its_maximum_a_fit_stopped(distance, link):
    # two coefficients, moved along an eigenvector of their covariance: the joint distance is
    # known, whichever of them it is
    X, y = questions_design()
    fit = fit_glm(y, X, link)._results
    values, vectors = np.linalg.eigh(fit.cov_params())
    for k in (0, 1):
        moved = fit_glm(y, X, link)._results
        moved.params = fit.params + distance * np.sqrt(values[k]) * vectors[:, k]
        if distance < 0.01:
            gamma_shape(moved)
        else:
            with pytest.raises(ValueError, match=r"are 0\.05"):
                gamma_shape(moved)


# ---------------------------------------------------------------- refit


@pytest.mark.parametrize(
    "link", [links.Log(), links.InversePower(), links.Identity(), links.Sqrt()]
)
def test_refit_is_what_statsmodels_arrives_at(link):
    generator = np.random.default_rng(0)
    X = sm.add_constant(generator.uniform(0, 3, 80))
    weights, counts = generator.uniform(0.5, 2, 80), generator.integers(1, 4, 80)
    offset = generator.uniform(0, 0.2, 80)
    y = generator.gamma(8, link.inverse(X @ [1.0, 0.5]) / 8)
    keywords = {"var_weights": weights, "freq_weights": counts, "offset": offset}
    fit = fit_glm(y, X, link, **keywords)
    solved = refit(fit)
    assert isinstance(solved, GammaFit)
    assert list(solved.params.index) == ["const", "x1"]
    assert_allclose(solved.params, fit.params, rtol=1e-6)
    assert_allclose(solved.deviance, fit.deviance, rtol=1e-9)
    assert_allclose(solved.df_resid, fit.df_resid)
    assert_allclose(refit(solved).params, solved.params, rtol=1e-9)
    one = prediction_interval(fit, X[:3], offset=0.1, var_weights=1, method="coefficients")
    two = prediction_interval(solved, X[:3], offset=0.1, var_weights=1, method="coefficients")
    assert_allclose(one, two, rtol=1e-6)
    tests = [calibration_test(f, n_resamples=19, random_state=0) for f in (fit, solved)]
    assert_allclose(tests[0].anderson_darling, tests[1].anderson_darling, rtol=1e-4)


def test_refit_starts_from_anywhere():
    # coefficients under which half of the means are impossible
    X, y = questions_design()
    for link in (links.Log(), links.InversePower(), links.Identity()):
        fit = fit_glm(y, X, link)
        expected = fit.params
        fit._results.params = np.array([1.0, -1e3])
        assert_allclose(refit(fit).params, expected, rtol=1e-6)


def test_refit_keeps_constraints():
    X, y = questions_design(n=60)
    frame = pd.DataFrame({"y": y, "x": X[:, 1], "z": X[:, 1] ** 2})
    model = smf.glm("y ~ x + z", frame, family=gamma_family())
    fit = model.fit_constrained("x = 0.2")
    solved = refit(fit)
    assert_allclose(solved.params, fit.params, rtol=1e-5, atol=1e-8)
    assert_allclose(solved.params["x"], 0.2, rtol=1e-12)


@given(
    scales=st.lists(st.floats(min_value=-12, max_value=12), min_size=3, max_size=3),
    seed=st.integers(min_value=0, max_value=50),
)
@settings(max_examples=30)
def test_units_of_the_columns_do_not_matter(scales, seed):
    generator = np.random.default_rng(seed)
    X = np.column_stack([np.ones(50), generator.normal(size=(50, 2))])
    y = generator.gamma(2.0, np.exp(X @ [0.5, 0.2, -0.3]) / 2.0)
    factors = 10.0 ** np.array(scales)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        strange = sm.GLM(y, X * factors, family=gamma_family()).fit(maxiter=2)
    solved, plain = refit(strange), fit_glm(y, X)
    assert_allclose(solved.params * factors, plain.params, rtol=1e-6, atol=1e-9)
    assert_allclose(solved.deviance, plain.deviance, rtol=1e-9)
    assert solved.df_resid == 47


@pytest.mark.parametrize("smallest", [1.0, 1e-3, 1e-9, 1e-14])
def test_the_basis_is_orthonormal_and_of_the_right_rank(smallest):
    generator = np.random.default_rng(0)
    left = np.linalg.qr(generator.normal(size=(60, 3)))[0]
    X = left @ [[1, 0, 1], [0, 1, 1], [0, 0, smallest]] * [1e8, 1.0, 1e-5]
    weights = generator.uniform(0.1, 3, 60)
    transform = orthonormal_transform(X, weights)
    basis = weights[:, np.newaxis] * (X @ transform)
    assert_allclose(basis.T @ basis, np.eye(3 if smallest > 1e-11 else 2), atol=1e-6)
