"""The calibration of a fitted gamma GLM, drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from afterfit._plotting import pyplot
from afterfit._validation import check_integer, check_real
from afterfit.gamma_glm._calibration import CalibrationTest, calibrate
from afterfit.gamma_glm._shape import ShapeEstimate
from afterfit.gamma_glm._sources import read_fit
from afterfit.gamma_glm._tails import normal_scores

Floats = NDArray[np.float64]

MOST_BINS = 1000


def plot_calibration(
    results: Any,
    *,
    shape: str | float | ShapeEstimate = "pearson",
    n_bins: int = 10,
    level: float = 0.95,
    n_resamples: int = 199,
    random_state: Any = None,
    n_jobs: int | None = None,
    ax: Any = None,
) -> CalibrationDisplay:
    """Return the drawn calibration of a fitted gamma GLM, in three panels.

    Parameters
    ----------
    results : GLMResults or GammaFit
        A statsmodels GLM with gamma family, fitted; any link, arrays or formula.
    shape : {"pearson", "deviance", "ml", "ml_corrected"}, float or ShapeEstimate
        The estimator, as in `gamma_shape`, or a known shape.
    n_bins : int
        Number of bins of the histogram, at least 2.
    level : float
        Probability with which a right model stays in the band, all bins at once.
    n_resamples : int
        Number of replicates, at least 19, that give the band and the p-values.
    random_state : None, int, Generator or RandomState
        Source of the replicates.
    n_jobs : int, optional
        Number of joblib workers, as in scikit-learn. It does not change the result.
    ax : sequence of three matplotlib Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    CalibrationDisplay
        What was drawn, with its numbers; `figure_` and `axes_` hold the figure.

    Raises
    ------
    TypeError, ValueError, NotFittedError, RuntimeError
        As `calibration_test`; and if `ax` is not three axes.

    See Also
    --------
    calibration_test : The numbers alone.

    Examples
    --------
    >>> import numpy as np
    >>> import statsmodels.api as sm
    >>> x = np.linspace(0, 3, 50)
    >>> y = np.random.default_rng(0).gamma(10, np.exp(0.5 - x / 3) / 10)
    >>> family = sm.families.Gamma(link=sm.families.links.Log())
    >>> fit = sm.GLM(y, sm.add_constant(x), family=family).fit()
    >>> display = plot_calibration(fit, n_bins=5, random_state=0)
    >>> display.counts
    array([ 9, 13,  8, 10, 10])
    >>> import matplotlib.pyplot as plt
    >>> plt.close(display.figure_)
    """
    display = CalibrationDisplay.from_results(
        results,
        shape=shape,
        n_bins=n_bins,
        level=level,
        n_resamples=n_resamples,
        random_state=random_state,
        n_jobs=n_jobs,
    )
    return display.plot(ax)


@dataclass
class CalibrationDisplay:
    """The calibration of a fitted gamma GLM: histogram of probabilities, residuals, Q-Q.

    Parameters
    ----------
    probabilities : array of shape (n,)
        P(Y <= y given x) of the fitted responses, rows with `freq_weights` repeated.
    residuals : array of shape (n,)
        Their quantile residuals.
    fitted_values : array of shape (n,)
        The means.
    bin_edges : array of shape (n_bins + 1,)
        Edges of the histogram.
    counts : array of shape (n_bins,)
        Number of probabilities in each bin.
    band : array of shape (2, n_bins)
        Ends of the band that holds the counts of all bins at once.
    level : float
        Probability with which a right model stays in it.
    test : CalibrationTest
        Both statistics with their p-values.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Set by `plot`.
    axes_ : array of three matplotlib Axes
        Histogram, residuals against fitted values, Q-Q; set by `plot`.

    Examples
    --------
    >>> import statsmodels.api as sm
    >>> family = sm.families.Gamma(link=sm.families.links.Log())
    >>> fit = sm.GLM([1.0, 2.0, 4.0, 3.0], [[1.0]] * 4, family=family).fit()
    >>> display = CalibrationDisplay.from_results(fit, n_bins=2, random_state=0)
    >>> display.counts
    array([2, 2])
    """

    probabilities: Floats
    residuals: Floats
    fitted_values: Floats
    bin_edges: Floats
    counts: NDArray[np.int64]
    band: Floats
    level: float
    test: CalibrationTest
    figure_: Any = field(default=None, init=False, repr=False)
    axes_: Any = field(default=None, init=False, repr=False)

    @classmethod
    def from_results(
        cls,
        results: Any,
        *,
        shape: str | float | ShapeEstimate = "pearson",
        n_bins: int = 10,
        level: float = 0.95,
        n_resamples: int = 199,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> CalibrationDisplay:
        """Return the computed display, not yet drawn.

        Parameters
        ----------
        results : GLMResults
            A statsmodels GLM with gamma family, fitted.
        shape : {"pearson", "deviance", "ml", "ml_corrected"}, float or ShapeEstimate
            The estimator, as in `gamma_shape`, or a known shape.
        n_bins : int
            Number of bins of the histogram, at least 2.
        level : float
            Probability with which a right model stays in the band, all bins at once.
        n_resamples : int
            Number of replicates, at least 19.
        random_state : None, int, Generator or RandomState
            Source of the replicates.
        n_jobs : int, optional
            Number of joblib workers.

        Returns
        -------
        CalibrationDisplay
            With everything but figure and axes.
        """
        fit = read_fit(results)
        n_bins = check_integer(n_bins, "n_bins", low=2, high=MOST_BINS)
        level = check_real(level, "level", low=0, high=1, closed=False)
        found = calibrate(fit, shape, n_bins, n_resamples, random_state, n_jobs)
        return cls(
            probabilities=found.probabilities,
            residuals=normal_scores(found.row_shape, found.responses, found.means),
            fitted_values=found.means,
            bin_edges=np.linspace(0, 1, n_bins + 1),
            counts=found.observed.counts[0],
            band=_simultaneous_band(found.simulated.counts, level),
            level=level,
            test=found.test,
        )

    def plot(self, ax: Any = None) -> CalibrationDisplay:
        """Draw the three panels and return the display itself.

        Parameters
        ----------
        ax : sequence of three matplotlib Axes, optional
            Where to draw; a new figure if None.

        Returns
        -------
        CalibrationDisplay
            With `figure_` and `axes_` set.
        """
        axes = _three_axes(ax)
        self._plot_histogram(axes[0])
        self._plot_residuals(axes[1])
        self._plot_quantiles(axes[2])
        self.axes_, self.figure_ = axes, axes[0].figure
        return self

    def _plot_histogram(self, ax: Any) -> None:
        ax.stairs(
            self.band[1],
            self.bin_edges,
            baseline=self.band[0],
            fill=True,
            color="0.3",
            alpha=0.3,
            label=f"{self.level:.0%} band, all bins at once",
        )
        ax.stairs(self.counts, self.bin_edges, color="C0", linewidth=2, label="observed")
        ax.set(xlabel="P(Y ≤ y given x)", ylabel="observations", xlim=(0, 1), ylim=(0, None))
        test = self.test
        ax.set_title(
            f"KS {test.kolmogorov_smirnov:.3f} (p = {test.kolmogorov_smirnov_pvalue:.3f}), "
            f"AD {test.anderson_darling:.2f} (p = {test.anderson_darling_pvalue:.3f})",
            fontsize="small",
        )
        ax.legend(loc="lower center", fontsize="small")

    def _plot_residuals(self, ax: Any) -> None:
        ax.axhline(0, color="0.3", linewidth=1)
        ax.plot(self.fitted_values, self.residuals, ".", markersize=3, rasterized=True)
        ax.set(xlabel="fitted mean (units of y)", ylabel="quantile residual")

    def _plot_quantiles(self, ax: Any) -> None:
        n = len(self.residuals)
        normal = special.ndtri((np.arange(n) + 0.5) / n)
        ax.axline((0, 0), slope=1, color="0.3", linewidth=1)
        ax.plot(normal, np.sort(self.residuals), ".", markersize=3, rasterized=True)
        ax.set(xlabel="normal quantile", ylabel="ordered residual")


def _simultaneous_band(counts: NDArray[Any], level: float) -> Floats:
    """Return the band that holds all bins at once of so many replicates, or one more to be safe."""
    size, centre = len(counts), counts.mean(axis=0)
    from_centre = counts - centre
    variance = np.mean(from_centre**2, axis=0)
    # Each replicate stands apart from the others as a further one will from all: without itself.
    others = (size * variance - from_centre**2 * size / (size - 1)) / (size - 1)
    apart = np.abs(from_centre) * size / (size - 1) / np.sqrt(np.where(others > 0, others, 1.0))
    farthest, spread = np.sort(np.max(apart, axis=1)), np.sqrt(variance)
    # A further right model is as likely to have any rank among these and itself.
    rank = min(len(farthest), int(np.ceil((len(farthest) + 1) * level)))
    margin = farthest[rank - 1] * spread
    return np.stack([np.maximum(centre - margin, 0.0), centre + margin])


def _three_axes(ax: Any) -> Any:
    if ax is None:
        plt = pyplot()

        places = [["histogram", "histogram"], ["residuals", "quantiles"]]
        _, axes = plt.subplot_mosaic(places, figsize=(5.2, 5.6), layout="constrained")
        return np.array([axes[place] for place in ("histogram", "residuals", "quantiles")])
    axes = np.asarray(ax, dtype=object).ravel()
    if len(axes) != 3 or not all(hasattr(one, "stairs") for one in axes):
        raise ValueError(
            "`ax` must hold three matplotlib Axes (histogram, residuals, Q-Q), as from "
            f"`plt.subplots(1, 3)`, got {ax!r}."
        )
    return axes
