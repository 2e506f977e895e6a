"""Fits of other libraries, means alone, tables of other libraries, fits without their data."""

import warnings

import glum
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from gamma_fits import METHODS, both_engines, fit_formula, fit_glm, gamma_family, questions_design
from numpy.testing import assert_allclose
from scipy import stats
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from afterfit.gamma_glm import (
    calibration_test,
    conditional_distribution,
    from_estimator,
    from_means,
    gamma_shape,
    lower_tail_probability,
    prediction_interval,
    quantile_residuals,
    refit,
)
from afterfit.gamma_glm._bootstrap import make_experiment

TIGHT = {"tol": 1e-10, "max_iter": 10_000}
GLUM = {"family": "gamma", "alpha": 0, "gradient_tol": 1e-10}

ESTIMATORS = {
    "GammaRegressor": lambda: GammaRegressor(alpha=0, **TIGHT),
    "TweedieRegressor": lambda: TweedieRegressor(power=2, alpha=0, **TIGHT),
    "Pipeline": lambda: make_pipeline(StandardScaler(), GammaRegressor(alpha=0, **TIGHT)),
    "glum": lambda: glum.GeneralizedLinearRegressor(**GLUM),
}


@pytest.fixture(scope="module")
def table(frame):
    return frame[["x", "time"]]


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("library", ["pandas", "polars", "numpy"])
def test_an_estimator_is_the_fit_of_statsmodels(frame, table, name, library):
    theirs = fit_glm(frame.y.to_numpy(), sm.add_constant(table.to_numpy()))
    X = {"pandas": table, "polars": pl.from_pandas(table), "numpy": table.to_numpy()}[library]
    estimator = ESTIMATORS[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(table.to_numpy() if library == "polars" else X, frame.y.to_numpy())
        fit = from_estimator(estimator, X, frame.y.to_numpy())
        assert_allclose(fit.mean, theirs.fittedvalues, rtol=1e-5)
        for method in METHODS:
            assert_allclose(
                gamma_shape(fit, method).shape, gamma_shape(theirs, method).shape, rtol=1e-5
            )
        assert fit.df_resid == theirs.df_resid
        assert_allclose(lower_tail_probability(fit), lower_tail_probability(theirs), rtol=1e-4)
        # new rows: by name, in any order
        new = X[:3] if library != "pandas" else X.head(3)
        new = new if library == "numpy" else new[["time", "x"]]
        assert_allclose(conditional_distribution(fit, new).mean(), fit.mean[:3], rtol=1e-9)
    options = {"n_resamples": 39, "random_state": 0}
    assert_allclose(
        prediction_interval(fit, method="calibrated", **options),
        prediction_interval(theirs, method="calibrated", **options),
        rtol=1e-3,
    )
    one, two = (calibration_test(each, **options) for each in (fit, theirs))
    assert_allclose(one.anderson_darling, two.anderson_darling, rtol=1e-3)


@pytest.mark.parametrize("library", ["sklearn", "glum"])
def test_a_ridge_is_at_its_own_optimum(frame, table, library):
    y, X = frame.y.to_numpy(), table.to_numpy()
    weights = np.linspace(0.5, 2, len(y))
    ridge = (
        GammaRegressor(alpha=0.3, **TIGHT)
        if library == "sklearn"
        else glum.GeneralizedLinearRegressor(
            family="gamma", alpha=0.3, l1_ratio=0, gradient_tol=1e-10
        )
    )
    ridge.fit(X, y, sample_weight=weights)
    fit = from_estimator(ridge, X, y, var_weights=weights)
    assert_allclose(refit(fit).params, fit.params, rtol=1e-5, atol=1e-7)
    # effective parameters: the trace of (A + S)^-1 A, written out
    design = sm.add_constant(X)
    information = (design * weights[:, np.newaxis]).T @ design
    penalty = 0.3 * weights.sum() * np.diag([0, 1, 1])
    trace = np.trace(np.linalg.solve(information + penalty, information))
    assert_allclose(fit.df_resid, len(y) - trace, rtol=1e-8)
    # the wrong weights, or another penalty, are no optimum
    with pytest.raises(ValueError, match=r"not at its optimum.*weights and offset must be those"):
        from_estimator(ridge, X, y)
    test = calibration_test(fit, n_resamples=39, random_state=0)
    assert 0.02 < test.anderson_darling_pvalue <= 1


def test_replicates_of_a_ridge_are_refitted_as_it_was(frame, table):
    y, X = frame.y.to_numpy(), table.to_numpy()
    fit = from_estimator(GammaRegressor(alpha=0.3, **TIGHT).fit(X, y), X, y)
    experiment = make_experiment(fit, "ml", 5.0)
    log_responses = experiment.draw(np.random.default_rng(0), 4)
    log_ratios = experiment.refit(log_responses)[1]
    for drawn, ratios in zip(log_responses, log_ratios, strict=True):
        theirs = GammaRegressor(alpha=0.3, **TIGHT).fit(X, np.exp(drawn)).predict(X)
        assert_allclose(np.exp(drawn - ratios), theirs, rtol=1e-5)


def test_an_estimator_with_default_tolerance_and_how_to_help(frame, table):
    y, X = frame.y.to_numpy(), table.to_numpy()
    loose = GammaRegressor(alpha=0, tol=0.1).fit(X, y)
    with pytest.raises(ValueError, match=r"its tolerance small: `tol`.*larger `max_iter`"):
        from_estimator(loose, X, y)
    from_estimator(loose.set_params(**TIGHT).fit(X, y), X, y)


def test_offsets_and_counts_of_glum(frame, table):
    y, X, offset = frame.y.to_numpy(), table.to_numpy(), np.log(frame.time.to_numpy())
    counts = np.arange(len(y)) % 3 + 1
    model = glum.GeneralizedLinearRegressor(**GLUM)
    model.fit(X[:, :1], y, sample_weight=counts, offset=offset)
    fit = from_estimator(model, X[:, :1], y, freq_weights=counts, offset=offset)
    theirs = fit_glm(y, sm.add_constant(X[:, :1]), freq_weights=counts, offset=offset)
    assert_allclose(fit.params, theirs.params, rtol=1e-5)
    assert_allclose(gamma_shape(fit, "ml").shape, gamma_shape(theirs, "ml").shape, rtol=1e-6)
    with pytest.raises(ValueError, match="The fit used `offset`"):
        conditional_distribution(fit, X[:2, :1])


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (PoissonRegressor(), TypeError, "got PoissonRegressor.*from_means"),
        (TweedieRegressor(power=1.5), TypeError, "got TweedieRegressor"),
        (TweedieRegressor(power=2, link="identity"), TypeError, "all with the log link"),
        (GammaRegressor(), NotFittedError, "not fitted"),
        (glum.GeneralizedLinearRegressor(family="poisson"), ValueError, "got family 'poisson'"),
        (
            glum.GeneralizedLinearRegressor(family="gamma", link="identity"),
            ValueError,
            "link 'identity'",
        ),
        (
            glum.GeneralizedLinearRegressor(family="gamma", alpha=0.1, l1_ratio=0.5),
            ValueError,
            r"plain ridge, got alpha=0\.1 with l1_ratio=0\.5.*`alpha=0`",
        ),
    ],
)
def test_estimators_that_are_refused(estimator, error, message):
    with pytest.raises(error, match=message):
        from_estimator(estimator, np.ones((3, 2)), np.ones(3))


def test_rows_for_an_estimator_that_are_refused(frame, table):
    estimator = GammaRegressor(alpha=0, **TIGHT).fit(table, frame.y)
    fit = from_estimator(estimator, table, frame.y)
    for data, message in (
        (table[["x"]], "lacks 1 column.*'time'"),
        (np.ones((2, 3)), r"must have the 2 column\(s\) of the fit's design \(x, time\), got 3"),
        (table.assign(x="a"), "numeric"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            conditional_distribution(fit, data)
    with pytest.raises(ValueError, match=r"`y` must have shape \(90,\)"):
        from_estimator(estimator, table, frame.y[:5])


# ---------------------------------------------------------------- means


def test_means_are_all_that_probabilities_need():
    X, y = questions_design()
    theirs = fit_glm(y, X)
    fit = from_means(y, theirs.fittedvalues, 2)
    for method in METHODS:
        ours, expected = gamma_shape(fit, method), gamma_shape(theirs, method)
        assert_allclose(ours.shape, expected.shape, rtol=1e-10)
        assert_allclose(ours.standard_error, expected.standard_error, rtol=1e-6)
    assert_allclose(lower_tail_probability(fit), lower_tail_probability(theirs), rtol=1e-10)
    assert_allclose(quantile_residuals(fit), quantile_residuals(theirs), rtol=1e-8, atol=1e-10)
    found = prediction_interval(fit, [2.0, 3.0], method="plugin")
    a = gamma_shape(theirs).shape
    assert_allclose(found["upper"], stats.gamma.ppf(0.975, a, scale=np.array([2.0, 3.0]) / a))
    for options in ({"method": "coefficients"}, {"method": "calibrated"}, {}):
        with pytest.raises(ValueError, match=r"made from means.*method='plugin'"):
            prediction_interval(fit, **options)


def test_calibration_of_means_has_its_size():
    # 200 right models of 40 rows with 3 coefficients, of which only the means are known, at 10 %:
    # the binomial standard deviation is 0.021. Without the stand-in the share is below 0.02.
    generator = np.random.default_rng(1)
    X = np.column_stack([np.ones(40), generator.normal(size=(40, 2))])
    mean = np.exp(X @ [0.5, 0.3, -0.2])
    rejected = []
    for _ in range(200):
        y = generator.gamma(2, mean / 2)
        fit = sm.GLM(y, X, family=gamma_family()).fit()
        test = calibration_test(
            from_means(y, fit.fittedvalues, 3), n_resamples=49, random_state=generator
        )
        rejected.append(
            [test.kolmogorov_smirnov_pvalue <= 0.1, test.anderson_darling_pvalue <= 0.1]
        )
    assert_allclose(np.mean(rejected, axis=0), [0.1, 0.1], atol=0.055)


def test_means_with_weights_and_what_is_refused():
    generator = np.random.default_rng(0)
    weights = generator.uniform(0.5, 3, 30)
    y = generator.gamma(2 * weights, 1 / (2 * weights))
    fit = from_means(y, np.ones(30), 0, var_weights=weights)
    expected = stats.gamma.cdf(y, 2 * weights, scale=1 / (2 * weights))
    assert_allclose(lower_tail_probability(fit, shape=2.0), expected)
    # an offset moves the means, those of the fit and new ones
    for rows in ((None, np.full(30, 2.0)), ([3.0], np.array([6.0]))):
        moved = conditional_distribution(fit, rows[0], offset=np.log(2), var_weights=1, shape=2.0)
        assert_allclose(moved.mean(), rows[1])
    assert fit.params.to_dict() == {"log(mean)": 1.0}
    with pytest.raises(ValueError, match="The fit used `var_weights`"):
        conditional_distribution(fit, [1.0])
    for arguments, message in (
        (([1.0, 2.0], [1.0], 0), r"`mean` must have shape \(2,\)"),
        (([1.0, 2.0], [1.0, -1.0], 0), r"`mean` must be positive.*row\(s\) 1"),
        (([1.0, 0.0], [1.0, 1.0], 0), "`y` must be positive, got 1 zero"),
        (([1.0, 2.0], [1.0, 1.0], -1), r"`n_parameters` must lie in \[0, inf\]"),
    ):
        with pytest.raises(ValueError, match=message):
            from_means(*arguments)
    with pytest.raises(ValueError, match="must be means > 0"):
        conditional_distribution(from_means(y, np.ones(30), 0), [-1.0])


# ---------------------------------------------------------------- tables of other libraries

LIBRARIES = {"polars": pl.from_pandas, "pyarrow": pa.Table.from_pandas}


# statsmodels fits polars and no pyarrow
@pytest.mark.parametrize(
    ("library", "fitted"),
    [("polars", "pandas"), ("polars", "library"), ("pyarrow", "pandas")],
)
def test_rows_of_a_formula_in_any_table(frame, library, fitted):
    plain = frame.reset_index(drop=True)
    convert = LIBRARIES[library]
    data = plain if fitted == "pandas" else convert(plain)
    fit = fit_formula("y ~ np.log(x) + C(group) + year", data)
    expected = lower_tail_probability(fit)[:4]
    other = plain.head(4)[["year", "group", "x"]]
    for new in (convert(other), other):
        assert_allclose(lower_tail_probability(fit, plain.y.to_numpy()[:4], new), expected)
    with pytest.raises(ValueError, match=r"lacks 1 column.*'x'"):
        lower_tail_probability(fit, 1.0, convert(other.drop(columns="x")))


@pytest.mark.parametrize("library", LIBRARIES)
def test_columns_of_a_design_are_taken_by_name_from_any_table(frame, library):
    X = sm.add_constant(frame[["x", "time"]]).reset_index(drop=True)
    fit = fit_glm(frame.y.to_numpy(), X)
    turned = LIBRARIES[library](X[["time", "x", "const"]])
    expected = conditional_distribution(fit).mean()
    assert_allclose(conditional_distribution(fit, turned).mean(), expected)
    with pytest.raises(ValueError, match=r"lacks 1 column.*'const'"):
        conditional_distribution(fit, LIBRARIES[library](X[["time", "x"]]))


def test_a_design_of_polars_is_taken_by_name(frame):
    X = pl.from_pandas(sm.add_constant(frame[["x", "time"]]).reset_index(drop=True))
    fit = fit_glm(frame.y.to_numpy(), X)
    expected = conditional_distribution(fit).mean()
    for new in (X[["time", "x", "const"]], X[["time", "x", "const"]].to_pandas()):
        assert_allclose(conditional_distribution(fit, new).mean(), expected)


COLUMNS = {
    "dict": lambda X: X.to_dict("list"),
    "recarray": lambda X: X.to_records(index=False),
    "structured": lambda X: np.asarray(X.to_records(index=False)),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_dict_or_a_structured_array_is_taken_by_name(frame, kind):
    X = sm.add_constant(frame[["x", "time"]])
    fit = fit_glm(frame.y, X)
    expected = conditional_distribution(fit).mean()
    turned = COLUMNS[kind](X[["time", "x", "const"]])
    assert_allclose(conditional_distribution(fit, turned).mean(), expected)
    with pytest.raises(ValueError, match=r"lacks 1 column.*'x'"):
        conditional_distribution(fit, COLUMNS[kind](X[["time", "const"]]))


@both_engines
@pytest.mark.parametrize("kind", COLUMNS)
def test_a_formula_takes_columns_of_anything_by_name(frame, engine, kind):
    fit = fit_formula("y ~ np.log(x) + C(group)", frame)
    change, some = COLUMNS[kind], frame.head(4)[["group", "y", "x"]]
    found = lower_tail_probability(fit, some.y.to_numpy(), change(some))
    assert_allclose(found, lower_tail_probability(fit)[:4], rtol=1e-9)
    with pytest.raises(ValueError, match=r"lacks 1 column.*'x'"):
        lower_tail_probability(fit, 1.0, change(some[["group"]]))


# those that the engines take; statsmodels says that this is to end
@pytest.mark.filterwarnings("ignore:Using .* data structures with formula is deprecated")
@pytest.mark.parametrize(
    ("kind", "engine"),
    [("dict", "formulaic"), ("dict", "patsy"), ("recarray", "formulaic")],
    indirect=["engine"],
)
def test_a_fit_of_a_dict_or_a_recarray(frame, engine, kind):
    formula = "y ~ np.log(x) + C(group)"
    fit = fit_formula(formula, COLUMNS[kind](frame))
    expected = lower_tail_probability(fit_formula(formula, frame))
    assert_allclose(lower_tail_probability(fit), expected, rtol=1e-9)
    found = lower_tail_probability(fit, frame.y.head(4), frame.head(4))
    assert_allclose(found, expected[:4], rtol=1e-9)
    with pytest.raises(ValueError, match="never saw: 'z'"):
        lower_tail_probability(fit, 1.0, frame.head(4).assign(group="z"))


def test_a_dict_that_is_no_table_and_how_to_make_it_one(frame):
    fit = fit_formula("y ~ x + C(group)", frame)
    row = {"x": 1.0, "group": "a"}
    with pytest.raises(ValueError, match=r"equal length.*`pandas\.DataFrame\(\[row\]\)`"):
        conditional_distribution(fit, row)
    conditional_distribution(fit, pd.DataFrame([row]))
    with pytest.raises(ValueError, match="`data` must hold columns of equal length"):
        conditional_distribution(fit, {"x": [1.0, 2.0], "group": ["a"]})
    with pytest.raises(TypeError, match=r"must be a table with its column.*iloc\[\[i\]\]"):
        conditional_distribution(fit, frame.iloc[3])
    conditional_distribution(fit, frame.iloc[[3]])


# ---------------------------------------------------------------- saved without its data


def _saved(path, frame, **keywords):
    """A fit that was saved without its data and loaded; a function, since pickle wants one."""
    fit = smf.glm("y ~ x + C(group)", frame, family=gamma_family(), **keywords).fit()
    expected = fit.predict(frame.head(3)).to_numpy(), 1 / fit.scale
    fit.save(path, remove_data=True)
    return sm.load(path), *expected


def test_a_fit_without_its_data_predicts_with_a_given_shape(frame, tmp_path):
    loaded, mean, shape = _saved(tmp_path / "fit.pickle", frame)
    new = frame.head(3)
    distribution = conditional_distribution(loaded, new, shape=shape)
    assert_allclose(distribution.mean(), mean)
    expected = stats.gamma.cdf(1.0, shape, scale=mean / shape)
    assert_allclose(lower_tail_probability(loaded, 1.0, new, shape=shape), expected)
    assert_allclose(quantile_residuals(loaded, 1.0, new, shape=shape), stats.norm.ppf(expected))
    upper = stats.gamma.ppf(0.975, shape, scale=mean / shape)
    assert_allclose(prediction_interval(loaded, new, shape=shape, method="plugin")["upper"], upper)
    with pytest.raises(ValueError, match=r"`shape` as a number \(.*with method='plugin'\)"):
        prediction_interval(loaded, new, shape=shape)  # calibration needs the rows of the fit
    for arguments in ({}, {"data": new}, {"shape": shape}):
        with pytest.raises(ValueError, match=r"no longer holds its data.*`shape` as a number"):
            conditional_distribution(loaded, **arguments)


def test_a_live_fit_whose_data_were_removed():
    # statsmodels then forgets the names of the columns too
    X, y = questions_design()
    fit = fit_glm(y, X)
    expected = fit.fittedvalues[:3]
    fit.remove_data()
    assert_allclose(conditional_distribution(fit, X[:3], shape=2.0).mean(), expected)
    with pytest.raises(ValueError, match=r"must have the 2 column\(s\)"):
        conditional_distribution(fit, X[:3, :1], shape=2.0)


def test_what_a_fit_without_its_data_had_used_is_still_asked_for(frame, tmp_path):
    loaded, _, shape = _saved(tmp_path / "fit.pickle", frame, exposure=frame.time)
    with pytest.raises(ValueError, match="The fit used `exposure`"):
        conditional_distribution(loaded, frame.head(3), shape=shape)
    one, two = (
        conditional_distribution(loaded, frame.head(3), shape=shape, exposure=e).mean()
        for e in (1.0, 2.0)
    )
    assert_allclose(two, 2 * one)


def test_weights_that_count_too_little_are_named():
    X, y = questions_design(n=20)
    fit = fit_glm(y, X, freq_weights=np.full(20, 0.05))
    with pytest.raises(ValueError, match=r"1 observations.*`freq_weights`.*20 rows.*var_weights"):
        gamma_shape(fit)
    gamma_shape(fit_glm(y, X, var_weights=np.full(20, 0.05)))


def test_ridge_of_statsmodels_is_told_what_helps():
    X, y = questions_design()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ridge = sm.GLM(y, X, family=gamma_family()).fit_regularized(alpha=0.1, L1_wt=0, refit=True)
    with pytest.raises(ValueError, match=r"from_means\(y, results\.predict\(\), n_parameters\)"):
        gamma_shape(ridge)
    assert gamma_shape(from_means(y, ridge.predict(), 2)).shape > 0
