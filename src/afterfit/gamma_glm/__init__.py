"""Shape, scale and P(Y <= y given x) of a gamma GLM fitted by statsmodels.

A gamma GLM says that Y has mean mu(x) and variance phi mu^2 / w, with dispersion phi and variance
weight w. statsmodels calls phi `scale`. The gamma distribution of row i then has

    shape a w_i  with  a = 1 / phi,    SciPy's scale  mu_i / (a w_i).

`freq_weights` say how often a row was seen: they count in n and leave the distribution alone.
Offset and exposure move the mean. All functions take the fit as it is, and never change it.
"""

from afterfit.gamma_glm._calibration import CalibrationTest, calibration_test
from afterfit.gamma_glm._display import CalibrationDisplay, plot_calibration
from afterfit.gamma_glm._distribution import (
    conditional_distribution,
    lower_tail_probability,
    quantile_residuals,
)
from afterfit.gamma_glm._fit import GammaFit
from afterfit.gamma_glm._intervals import (
    prediction_interval,
    probability_interval,
    shape_interval,
)
from afterfit.gamma_glm._shape import ShapeEstimate, gamma_shape
from afterfit.gamma_glm._sources import from_estimator, from_means, refit

__all__ = [
    "CalibrationDisplay",
    "CalibrationTest",
    "GammaFit",
    "ShapeEstimate",
    "calibration_test",
    "conditional_distribution",
    "from_estimator",
    "from_means",
    "gamma_shape",
    "lower_tail_probability",
    "plot_calibration",
    "prediction_interval",
    "probability_interval",
    "quantile_residuals",
    "refit",
    "shape_interval",
]
