"""New rows: by name, by the formula, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from gamma_fits import (
    ROW_FUNCTIONS,
    both_engines,
    fit_formula,
    fit_glm,
    gamma_family,
    questions_design,
)
from numpy.testing import assert_allclose, assert_array_equal
from statsmodels.genmod.families import links

from afterfit.gamma_glm import (
    calibration_test,
    conditional_distribution,
    gamma_shape,
    lower_tail_probability,
    prediction_interval,
    quantile_residuals,
)


@both_engines
def test_new_rows_of_a_formula(frame, engine):
    formula = "y ~ np.log(x) * C(group) + C(year) + center(x) + Q('a name')"
    fit = fit_formula(formula, frame)
    new = frame.iloc[[7, 3, 50, 51]]
    assert_allclose(
        lower_tail_probability(fit, new.y, new),
        lower_tail_probability(fit)[[7, 3, 50, 51]],
        rtol=1e-9,
    )
    # one row alone, columns in another order, and levels that are absent from it
    one = new[["year", "a name", "x", "group"]].iloc[[0]]
    assert_allclose(conditional_distribution(fit, one).mean(), fit.predict(one), rtol=1e-9)
    interval = prediction_interval(fit, new, method="plugin")
    assert list(interval.index) == list(new.index)
    assert list(interval.columns) == ["lower", "upper"]
    assert prediction_interval(fit, pd.DataFrame(columns=frame.columns)).empty
    with pytest.raises(ValueError, match=r"lacks 1 column.*'a name'"):
        prediction_interval(fit, new.drop(columns="a name"), method="plugin")


@both_engines
@pytest.mark.parametrize(
    "formula",
    [
        "y ~ bs(x, df=4) + group",
        "y ~ cr(x, df=4) - 1",
        "y ~ np.log(x):C(year) + I(x**2) - 1",
        "y ~ C(group, Treatment('b')) * x",
        "y ~ 0 + group",
        "y ~ 1",
        "np.log1p(y) ~ x",
    ],
)
def test_transformations_keep_what_they_learned_from_the_fit(frame, engine, formula):
    fit = fit_formula(formula, frame)
    some = [7, 3, 50]
    new = frame.iloc[some].drop(columns="y")
    expected = lower_tail_probability(fit)[some]
    found = lower_tail_probability(fit, fit.model.endog[some], new)
    assert_allclose(found, expected, rtol=1e-9)
    # one row alone: nothing may be learned from it
    one = lower_tail_probability(fit, fit.model.endog[7], new.iloc[[0]])
    assert_allclose(one, expected[:1], rtol=1e-9)


@both_engines
def test_text_inside_an_expression_is_no_level(frame, engine):
    fit = fit_formula("y ~ x + C(group == 'a')", frame)
    other, unseen = (frame.head(3).assign(group=group) for group in ("b", "z"))
    assert_allclose(
        conditional_distribution(fit, unseen).mean(), conditional_distribution(fit, other).mean()
    )


LEVELS = {
    "text": lambda f: f.group,
    "category": lambda f: pd.Categorical(f.group, categories=list("cab")),
    "integers": lambda f: f.year.astype(object),  # a category to both engines
    "truth": lambda f: f.group == "a",
}


AS_TYPES = {
    "object": lambda s: s.astype(object),
    "category": lambda s: pd.Categorical(s.astype(object)),
    "more categories": lambda s: pd.Categorical(
        s.astype(object), [9, "z", *s.astype(object).unique()]
    ),
    "numbers": lambda s: s.astype("int64") if s.iloc[0] in (2019, 2020, 2021, True, False) else s,
}


@both_engines
@pytest.mark.parametrize("kind", LEVELS)
def test_levels_are_those_of_the_fit_whatever_their_type(frame, engine, kind):
    fitted = frame.assign(level=LEVELS[kind](frame))
    fit = fit_formula("y ~ x + level", fitted)
    expected = lower_tail_probability(fit)[:2]
    new = fitted.head(2)
    for change in AS_TYPES.values():
        found = lower_tail_probability(fit, new.y, new.assign(level=change(new.level)))
        assert_allclose(found, expected, rtol=1e-9)
    with pytest.raises(ValueError, match=r"level\(s\) of 'level' that the fit never saw: 2, in 2"):
        lower_tail_probability(fit, new.y, new.assign(level=2))


def test_dates_are_levels_too(frame):
    dated = frame.assign(day=pd.to_datetime(frame.year.astype(str)))
    fit = fit_formula("y ~ x + day", dated)
    assert_allclose(
        lower_tail_probability(fit, dated.y.head(2), dated.head(2)), lower_tail_probability(fit)[:2]
    )
    with pytest.raises(ValueError, match=r"level\(s\) of 'day' that the fit never saw.*2030"):
        lower_tail_probability(fit, 1.0, dated.head(2).assign(day=pd.Timestamp("2030-01-01")))


@both_engines
def test_rows_that_the_fit_dropped(frame, engine):
    holed = frame.copy()
    holed.loc[["row3", "row8"], "x"] = np.nan
    fit = fit_formula("y ~ x + group", holed, offset=np.log(frame.time))
    whole = fit_formula(
        "y ~ x + group",
        frame.drop(index=["row3", "row8"]),
        offset=np.log(frame.time.drop(index=["row3", "row8"])),
    )
    assert_allclose(lower_tail_probability(fit), lower_tail_probability(whole), rtol=1e-8)
    assert "row3" not in prediction_interval(fit, method="plugin").index
    with pytest.raises(ValueError, match=r"`y` must.*\(88,\).*got shape \(90,\).*drops rows"):
        lower_tail_probability(fit, frame.y)


def test_columns_of_a_design_are_found_by_name(frame):
    X = sm.add_constant(frame[["x", "time"]])
    fit = fit_glm(frame.y, X)
    shuffled = X[["time", "const", "x"]].assign(more=1.0)
    assert_allclose(
        lower_tail_probability(fit, frame.y, shuffled), lower_tail_probability(fit), rtol=1e-12
    )
    assert_allclose(
        lower_tail_probability(fit, frame.y.to_numpy(), X.to_numpy()), lower_tail_probability(fit)
    )


def test_weights_of_new_rows(frame):
    weights = frame.time.to_numpy()
    fit = fit_formula("y ~ x", frame, var_weights=weights)
    new = frame.head(4)
    assert_allclose(
        lower_tail_probability(fit, new.y, new, var_weights=weights[:4]),
        lower_tail_probability(fit)[:4],
    )
    single = conditional_distribution(fit, new, var_weights=1)
    assert_allclose(single.var(), fit.scale * fit.predict(new) ** 2, rtol=1e-9)
    assert_allclose(conditional_distribution(fit).var(), fit.scale * fit.fittedvalues**2 / weights)
    narrow = conditional_distribution(fit, var_weights=4)
    assert_allclose(narrow.var(), fit.scale * fit.fittedvalues**2 / 4)


def test_additive_models(frame):
    from statsmodels.gam.api import BSplines, GLMGam

    smoother = BSplines(frame[["x"]], df=[6], degree=[3])
    gam = GLMGam(
        frame.y, np.ones((90, 1)), smoother=smoother, alpha=[1.0], family=gamma_family()
    ).fit()
    assert_allclose(gamma_shape(gam).dispersion, gam.scale, rtol=1e-8)
    assert_allclose(lower_tail_probability(gam), gam.get_distribution().cdf(frame.y), rtol=1e-6)
    assert_allclose(
        lower_tail_probability(gam, frame.y[:3].to_numpy(), gam.model.exog[:3]),
        lower_tail_probability(gam)[:3],
    )
    test = calibration_test(gam, n_resamples=39, random_state=0)
    assert 0.02 < test.anderson_darling_pvalue <= 1
    mixed = GLMGam.from_formula(
        "y ~ group", frame, smoother=smoother, alpha=[1.0], family=gamma_family()
    ).fit()
    assert_allclose(
        lower_tail_probability(mixed, frame.y[:3].to_numpy(), mixed.model.exog[:3]),
        lower_tail_probability(mixed)[:3],
    )
    # or rows of a table with the variables of formula and smoother, in any order
    new = frame[["x", "time", "group"]].iloc[[7, 3]]
    assert_allclose(
        lower_tail_probability(mixed, frame.y.iloc[[7, 3]], new),
        lower_tail_probability(mixed)[[7, 3]],
    )
    with pytest.raises(ValueError, match=r"lacks 1 column.*'x'"):
        lower_tail_probability(mixed, 1.0, new.drop(columns="x"))


def test_a_threshold_of_zero(plain):
    assert_array_equal(lower_tail_probability(plain, 0.0), np.zeros(120))
    both = lower_tail_probability(plain, [0.0, 1.0], [[1, 0], [1, 0]])
    assert both[0] == 0 < both[1]
    with pytest.raises(ValueError, match="`y` must be positive"):
        quantile_residuals(plain, 0.0)


@pytest.fixture(scope="module")
def from_formula(frame):
    return fit_formula("y ~ np.log(x) + C(group) + C(year)", frame)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda d: d.drop(columns=["x", "year"]), ValueError, "lacks 2 column.*'x', 'year'"),
        (lambda d: d.assign(group="z"), ValueError, r"level\(s\) of 'group'.*'z', in 4.*row0"),
        (lambda d: d.assign(year=1999), ValueError, r"level\(s\) of 'year'.*1999, in 4 row"),
        (lambda d: d.assign(x=[1, np.nan, 1, 2]), ValueError, r"missing values in.*'x' \(1\)"),
        (lambda d: d.assign(group=[None, "a", "a", "b"]), ValueError, r"missing.*'group' \(1\)"),
        (lambda d: d.assign(x=[1, -1, 0, 2]), ValueError, r"'np.log\(x\)' must be finite.*2 of 4"),
        (lambda d: d.assign(x="3"), ValueError, "must have numbers in column 'x'.*got str"),
        (lambda d: d.assign(year="2020"), ValueError, "must have numbers in column 'year'"),
        (lambda d: d.assign(x=True), ValueError, "must have numbers in column 'x'.*got bool"),
        (lambda d: d.assign(x=1j), ValueError, "must have numbers in column 'x'.*got complex128"),
        (lambda d: pd.concat([d, d.x], axis=1), ValueError, "more than one column named 'x'"),
        (lambda d: d.iloc[0], TypeError, "must be a table with its column.*got Series"),
        (lambda d: d.to_numpy(), TypeError, "must be a table with its column"),
        (lambda d: {"x": d.x}, ValueError, "lacks 2 column.*'group', 'year'"),
    ],
)
def test_new_data_that_a_formula_refuses(from_formula, frame, change, error, message):
    with pytest.raises(error, match=message):
        lower_tail_probability(from_formula, 1.0, change(frame.head(4)))


@both_engines
def test_columns_are_not_taken_from_the_callers_variables(frame, engine):
    x = np.ones(4)  # patsy would find it
    assert len(x) == 4
    fit = fit_formula("y ~ x + C(group)", frame)
    with pytest.raises(ValueError, match="lacks 1 column"):
        lower_tail_probability(fit, 1.0, frame[["group"]].head(4))
    with pytest.raises(ValueError, match="never saw: 'z'"):
        lower_tail_probability(fit, 1.0, frame.head(4).assign(group="z"))


@pytest.mark.filterwarnings(
    "ignore"
)  # as readers have it: formulaic's warning is no error by itself
@both_engines
def test_unseen_levels_are_refused_also_where_no_frame_is_left(frame, engine):
    fit = fit_formula("y ~ x + C(group)", frame)
    fit.model.data.frame = None
    with pytest.raises(ValueError, match="does not fit the formula"):
        lower_tail_probability(fit, 1.0, frame.head(4).assign(group="z"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.ones((3, 1)), r"must have the 2 column\(s\) of the fit's design \(const, x1\), got 1"),
        (np.ones((3, 3)), r"must have the 2 column\(s\).*got 3"),
        ([[1, 2], [1]], "`data` must have rows of equal length"),
        (np.ones(2), r"must have two dimensions.*got shape \(2,\).*for one sample with"),
        (np.array([[1, np.nan]]), "must be finite"),
    ],
)
def test_new_designs_that_are_refused(plain, data, message):
    with pytest.raises(ValueError, match=message):
        lower_tail_probability(plain, 1.0, data)


def test_columns_of_a_design_that_cannot_be_told_apart(frame):
    X = sm.add_constant(frame[["x", "time"]])
    fit = fit_glm(frame.y, X)
    with pytest.raises(ValueError, match="more than one column named 'x'"):
        lower_tail_probability(fit, 1.0, pd.concat([X, X.x], axis=1))
    # but the fit's own, in their order, are what they were
    twice = X.set_axis(["const", "x", "x"], axis=1)
    assert_allclose(
        lower_tail_probability(fit_glm(frame.y, twice), frame.y.head(3), twice.head(3)),
        lower_tail_probability(fit)[:3],
    )


def test_no_rows_give_no_rows(plain, from_formula, frame):
    for fit, data in ((plain, np.empty((0, 2))), (from_formula, frame.head(0))):
        assert lower_tail_probability(fit, [], data).shape == (0,)
        assert quantile_residuals(fit, 1.0, data).shape == (0,)
        assert prediction_interval(fit, data, method="coefficients").shape == (0, 2)


def test_a_design_without_its_constant_is_refused(frame):
    fit = fit_glm(frame.y, sm.add_constant(frame[["x", "time"]]))
    with pytest.raises(ValueError, match=r"lacks 1 column.*'const'.*add_constant"):
        lower_tail_probability(fit, 1.0, frame[["x", "time"]])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"y": -1.0}, ValueError, "`y` must be positive"),
        ({"y": [1.0, 2.0]}, ValueError, r"shape \(120,\).*got shape \(2,\).*drops rows"),
        ({"y": np.ones((120, 2))}, ValueError, r"or have shape \(120,\)"),
        ({"y": [[1.0], [1.0, 2.0]]}, ValueError, "`y` must have rows of equal length"),
        ({"y": np.nan}, ValueError, "`y` must be finite"),
        ({"y": pd.Series([1, None] * 60, dtype="Int64")}, ValueError, "`y` must be finite.*60 of"),
        ({"y": np.ma.masked_less(np.arange(1.0, 121), 3)}, ValueError, "finite.*2 of 120.*0, 1"),
        ({"y": ["1.5"] * 120}, TypeError, "`y` must be numeric"),
        ({"y": "text"}, TypeError, "`y` must be numeric"),
        ({"data": np.ones((2, 2))}, ValueError, "`y` is needed with `data`"),
        ({"shape": "mle"}, ValueError, "'ml', 'ml_corrected', got 'mle'"),
        ({"shape": 0}, ValueError, r"`shape` must lie in \(0, 1e\+100\), got 0"),
        ({"shape": np.inf}, ValueError, r"`shape` must lie in \(0, 1e\+100\), got inf"),
        ({"shape": 1e308}, ValueError, r"`shape` must lie in \(0, 1e\+100\), got 1e\+308"),
        ({"shape": np.ones(120)}, TypeError, "or a ShapeEstimate, got ndarray"),
        ({"shape": True}, TypeError, "`shape` must be a number, got True"),
        ({"shape": None}, TypeError, "`shape` must be one of"),
        ({"exposure": 0}, ValueError, "`exposure` must be positive"),
        ({"exposure": np.ones(3)}, ValueError, r"`exposure` must be one number or have shape"),
        ({"offset": np.inf}, ValueError, "`offset` must be finite"),
        ({"offset": 1e4}, ValueError, "mean of the fitted rows must be positive and finite"),
        ({"offset": -1e4}, ValueError, r"positive and finite \(the link is Log\).*and 115 more\.$"),
        ({"var_weights": -1}, ValueError, "`var_weights` must be positive"),
        ({"var_weights": 0}, ValueError, "`var_weights` must be positive"),
    ],
)
@pytest.mark.parametrize("function", ROW_FUNCTIONS)
def test_arguments_that_are_refused(plain, function, arguments, error, message):
    with pytest.raises(error, match=message):
        function(plain, **arguments)


@pytest.mark.parametrize("name", ["offset", "exposure", "var_weights"])
def test_what_the_fit_used_must_be_given_for_new_rows(name):
    X, y = questions_design()
    fit = fit_glm(y, X, **{name: np.linspace(1, 2, 120)})
    with pytest.raises(ValueError, match=f"The fit used `{name}`: give `{name}`"):
        lower_tail_probability(fit, 1.0, X)


def test_series_must_have_the_index_of_the_rows(frame):
    fit = fit_formula("y ~ x", frame)
    with pytest.raises(ValueError, match="index of `y` differs"):
        lower_tail_probability(fit, frame.y[::-1])
    with pytest.raises(ValueError, match="index of `y` differs"):
        lower_tail_probability(fit, frame.y.head(3), frame.tail(3))


def test_means_that_a_link_does_not_allow():
    X, y = questions_design()
    fit = fit_glm(y, X, links.Identity())
    with pytest.raises(ValueError, match=r"mean of `data` must be positive.*1 of 2.*row\(s\) 1"):
        lower_tail_probability(fit, 1.0, [[1, 1], [1, 50]])
    with pytest.raises(ValueError, match="`exposure` needs the Log link, the fit has Identity"):
        lower_tail_probability(fit, exposure=2)
    # a square root link would square a negative predictor into a mean that looks right
    root = fit_glm(y, X, links.Sqrt())
    with pytest.raises(ValueError, match=r"link is Sqrt\), which 1 of 1"):
        lower_tail_probability(root, 1.0, [[1, 50]])
    edge = -root.params[0] / root.params[1]
    assert lower_tail_probability(root, 1.0, [[1, edge - 1e-3]]) == 1
    with pytest.raises(ValueError, match=r"link is Sqrt\), which 1 of 1"):
        lower_tail_probability(root, 1.0, [[1, edge + 1e-3]])
