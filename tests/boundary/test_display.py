"""What the display draws, and where."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import polars as pl
import pytest
from scipy import stats
from scipy.stats import multivariate_normal, norm
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PowerTransformer

from afterfit.boundary import BayesBoundaryDisplay, BayesRule, ErrorRate, _drawing

SQUARE = ((-6.0, 6.0), (-6.0, 6.0))
IDENTITY = np.eye(2)


def normals(means, covariances=None, **options):
    """Return the rule of normal densities, with unit covariances unless given."""
    covariances = [IDENTITY] * len(means) if covariances is None else covariances
    densities = [multivariate_normal(m, c) for m, c in zip(means, covariances, strict=True)]
    return BayesRule(densities, **options)


PLANE = normals([(0, 0), (1, 0)])


class TestDisplay:
    def test_plane(self):
        X, y = load_iris(return_X_y=True, as_frame=True)
        X = X.iloc[:, 2:]
        names = np.array(["setosa", "versicolor", "virginica"])[y]
        qda = QuadraticDiscriminantAnalysis().fit(X, names)
        figure, ax = plt.subplots()
        display = BayesBoundaryDisplay.from_estimator(qda, X, names, ax=ax)
        assert display.ax_ is ax
        assert display.figure_ is figure
        assert ax.get_xlabel() == "petal length (cm)"
        low, high = ax.get_xlim()
        assert low < X.iloc[:, 0].min() < X.iloc[:, 0].max() < high
        assert len(display.regions_) == 3
        assert len(display.lines_) == len(display.boundary.pieces)
        np.testing.assert_array_equal(
            display.lines_[0].get_xydata(), display.boundary.pieces[0].points
        )
        labels = [text.get_text() for text in ax.get_legend().get_texts()]
        assert labels == ["setosa", "versicolor", "virginica"]
        # With colour: regions and points differ.
        for drawn in (display.regions_, display.points_):
            assert len({tuple(one.get_facecolor()[0]) for one in drawn}) == 3
        # Without colour: hatches and markers differ.
        assert len({region.hatches[0] for region in display.regions_}) == 3
        markers = {points.get_paths()[0].vertices.shape for points in display.points_}
        assert len(markers) == 3
        figure.canvas.draw()
        plt.close(figure)

    def test_limits_of_a_constant_column_and_levels(self):
        # 8 % to spare of the range 5, and of 1 where there is none.
        X = [[0.0, 3.0], [5.0, 3.0]]
        display = BayesBoundaryDisplay.from_rule(PLANE, X, density_levels=(0.5, 0.5, 0.1))
        np.testing.assert_allclose(display.boundary.limits, [(-0.4, 5.4), (2.92, 3.08)])
        np.testing.assert_allclose(display.contours_[0].levels, np.log([0.1, 0.5]))
        plt.close(display.figure_)
        bare = display.plot(density_levels=())
        assert bare.contours_ == []
        plt.close(bare.figure_)

    def test_density_curves_and_contours_are_where_they_say(self):
        line = BayesRule([norm(0), norm(2)], priors=[0.2, 0.8], classes=["$a$", "b"])
        display = BayesBoundaryDisplay.from_rule(line, limits=(-3, 5))
        x, y = display.contours_[0].get_data()
        np.testing.assert_allclose(y, 0.2 * norm.pdf(x))
        assert display.ax_.get_legend().get_texts()[0].get_text() == r"\$a\$"
        plt.close(display.figure_)
        # A tenth of the peak of a standard normal lies at the radius sqrt(2 log 10).
        display = BayesBoundaryDisplay.from_rule(PLANE, limits=SQUARE, density_levels=0.1)
        radius = np.hypot(*display.contours_[0].get_paths()[0].vertices.T)
        assert len(radius) > 20
        np.testing.assert_allclose(radius, np.sqrt(2 * np.log(10)), atol=0.01)
        plt.close(display.figure_)

    def test_line_reject_and_no_legend(self):
        rule = BayesRule([norm(0), norm(3, 1.5)], reject_cost=0.2, classes=["a", "b"])
        display = BayesBoundaryDisplay.from_rule(
            rule, np.array([0.0, 1.0, 4.0]), ["a", "a", "b"], limits=(-8, 8), feature_names="dose"
        )
        assert display.ax_.get_xlabel() == "dose"
        assert len(display.lines_) == len(rule.boundary((-8, 8)).points) == 4
        assert len(display.regions_) == 5
        plt.close(display.figure_)
        bare = display.plot(legend=False, regions=False, densities=False, points=False)
        assert bare.ax_.get_legend() is None
        assert bare.regions_ == bare.contours_ == bare.points_ == []
        plt.close(bare.figure_)

    def test_without_a_covariance_no_density_contours(self):
        X, y = load_iris(return_X_y=True)
        display = BayesBoundaryDisplay.from_estimator(
            LinearDiscriminantAnalysis().fit(X[50:, :2], y[50:]), X[50:, :2]
        )
        assert display.contours_ == []
        assert len(display.points_) == 1
        plt.close(display.figure_)

    def test_every_class_has_its_hatch_line_and_marker_in_the_legend(self):
        rule = normals([(-2, 0), (2, 0), (0, 3)])
        display = BayesBoundaryDisplay.from_rule(
            rule, [[-2, 0], [2, 0], [0, 3]], [0, 1, 2], limits=SQUARE
        )
        styles = {contour.linestyles for contour in display.contours_}
        assert len(styles) == 3
        handles = display.ax_.get_legend().legend_handles
        patches = [patch for patch in handles if hasattr(patch, "get_hatch")]
        assert len({patch.get_hatch() for patch in patches}) == 3
        # Fills lie below what was drawn before them, and are opaque, so that SVG shows the hatch.
        for region in display.regions_:
            assert region.get_zorder() < display.points_[0].get_zorder()
            assert region.get_facecolor()[0, 3] == 1
        plt.close(display.figure_)

    def test_where_classes_tie_everywhere_the_first_has_the_region(self):
        rule = normals([(0, 0), (0, 0), (2, 0)])
        display = BayesBoundaryDisplay.from_rule(rule, limits=SQUARE)
        assert len(display.regions_) == 2
        plt.close(display.figure_)

    def test_regions_without_density_stay_blank(self):
        rule = BayesRule([stats.uniform(0, 1), stats.uniform(2, 1)])
        display = BayesBoundaryDisplay.from_rule(rule, limits=(-1, 4))
        assert display.lines_ == []
        assert isinstance(rule.error_rate(), ErrorRate)
        plt.close(display.figure_)


class TestManyClasses:
    def test_none_is_drawn_like_another(self):
        # Colour with hatch, with marker and with line style; hatches alone as well.
        colors = _drawing.colors_of(48)
        styles = [_drawing.line_style_of(k) for k in range(48)]
        markers = [_drawing.marker_of(k) for k in range(48)]
        hatches = [_drawing.hatch_of(k) for k in range(48)]
        assert len(set(hatches)) == 48
        for kind in (styles, markers):
            assert len(set(zip(colors, kind, strict=True))) == 48
        assert hatches[:8] == list(_drawing.HATCHES)

    def test_twenty_five_are_named_in_their_regions(self):
        means = [(4.0 * i, 4.0 * j) for i in range(5) for j in range(5)]
        names = [f"class {k}" for k in range(25)]
        rule = normals(means, classes=names)
        display = BayesBoundaryDisplay.from_rule(rule, limits=((-3, 19), (-3, 19)))
        assert display.ax_.get_legend() is None
        assert {text.get_text() for text in display.ax_.texts} == set(names)
        where = np.array([text.get_position() for text in display.ax_.texts])
        assert (rule.predict(where) == [text.get_text() for text in display.ax_.texts]).all()
        plt.close(display.figure_)
        line = BayesRule([norm(k) for k in range(14)])
        display = BayesBoundaryDisplay.from_rule(line, limits=(-2, 15))
        places = [text.get_position()[0] for text in display.ax_.texts]
        assert line.predict(places).tolist() == list(range(14))
        plt.close(display.figure_)


class TestDefaultLimits:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 60)
    X = rng.lognormal(0, 1, (120, 2)) * (1 + 2 * y)[:, None]

    @pytest.mark.parametrize(
        "transform",
        [
            PowerTransformer("box-cox"),
            FunctionTransformer(lambda X: np.log(np.where(X > 0, X, np.nan))),
        ],
        ids=["Box-Cox", "log"],
    )
    def test_below_zero_they_are_named(self, transform):
        pipeline = make_pipeline(transform, QuadraticDiscriminantAnalysis()).fit(self.X, self.y)
        with pytest.raises(ValueError, match=r"`limits` must be given: those of `X` with 8% to"):
            BayesBoundaryDisplay.from_estimator(pipeline, self.X, self.y)
        display = BayesBoundaryDisplay.from_estimator(
            pipeline, self.X, self.y, limits=((0.01, 20), (0.01, 20))
        )
        assert len(display.lines_) > 0
        plt.close(display.figure_)


def test_labels_of_axes_come_from_tables_of_any_library():
    X = pl.DataFrame({"height": [0.0, 1.0], "weight": [0.0, 1.0]})
    for table in (X, X.to_pandas(), X.to_arrow()):
        display = BayesBoundaryDisplay.from_rule(PLANE, table, pl.Series([0, 1]))
        assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("height", "weight")
        plt.close(display.figure_)
