"""One face for everything that can give a class its density: functions, SciPy, scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from afterfit._arrays import to_numpy
from afterfit.mixture import GaussianMixtureParameters, log_density

Array = NDArray[np.float64]
Look = tuple[Array, ...]

# Where along an axis to look, in standard deviations: with a normal density, 2e-19 lies outside.
GAUSSIAN_STEPS = np.array([-9.0, -4.0, -1.5, 0.0, 1.5, 4.0, 9.0])

# The same for distributions with quantiles, which may have heavy tails: one level a decade.
TAIL_LEVELS = 10.0 ** np.arange(-14, 0)
CENTRAL_LEVELS = np.array([0.3, 0.5])

# At most so many points (component means, data of a kernel estimate) are looked at first.
MAX_SEEDS = 256

# Half the width of a kernel's reach, in bandwidths, where kernels differ.
KERNEL_REACH = {"gaussian": 9.0, "exponential": 40.0}


@dataclass(frozen=True)
class Density:
    """The log density of one class, and what is known about where its mass lies.

    `evaluate` takes (n, d) and returns what it was given to return: `checked_log_density` looks at
    it. `look` holds, for each axis, sorted coordinates from one end of the mass to the other;
    `seeds` (m, d) points at which the density is large. `sample` returns (n, d). `peak` is the log
    density at the mean of a normal distribution, and of nothing else.
    """

    name: str
    evaluate: Callable[[Array], Any]
    gives_log: bool = True
    n_features: int | None = None
    look: Look | None = None
    seeds: Array | None = None
    sample: Callable[[int, np.random.Generator], Array] | None = None
    peak: float | None = None


def as_density(
    source: Any, name: str, values: str, vectorized: bool, n_features: int | None
) -> Density:
    """Return the `Density` of one class from any of the accepted kinds of `source`, or raise."""
    if isinstance(source, Density):
        return source
    for recognise in (_from_univariate, _from_multivariate, _from_kernel, _from_mixture):
        density = recognise(source, name)
        if density is not None:
            return density
    if type(source).__module__.startswith("scipy.stats") and hasattr(source, "rvs"):
        raise TypeError(
            f"The density of {name} must be frozen, a univariate distribution, "
            "`multivariate_normal` or `multivariate_t` called with its parameters, "
            f"got {_kind(source)}. Of others, pass the method `logpdf` as a function."
        )
    if not callable(source) or isinstance(source, type):
        raise TypeError(
            f"The density of {name} must be a function, a frozen continuous SciPy distribution, a "
            "`gaussian_kde`, a fitted `KernelDensity`, or a fitted Gaussian mixture, "
            f"got {_kind(source)}."
        )
    label = getattr(source, "__qualname__", type(source).__name__)
    return Density(
        name=f"{name} (function {label!r})",
        evaluate=_all_rows(source) if vectorized else _row_by_row(source),
        gives_log=values == "log_density",
        n_features=n_features,
    )


def checked_log_densities(
    densities: Sequence[Density], evaluate: Callable[[Any], Array], X: Any
) -> Array:
    """Return log densities (n, K) that are evaluated together, or an error as for one of them."""
    values = evaluate(X)
    wrong = np.isnan(values)
    if wrong.any():
        k = int(np.flatnonzero(wrong.any(axis=0))[0])
        _refuse(wrong[:, k], values[:, k], X, densities[k], "it must be a number")
    return values


def checked_log_density(density: Density, X: Array) -> Array:
    """Return log f at X (n, d), shape (n,), or an error that names the density and the point."""
    called_with = (len(X),) if X.shape[1] == 1 else X.shape
    try:
        returned = density.evaluate(X)
    except Exception as error:
        error.add_note(
            f"Raised by the density of {density.name}, called with shape {called_with}. A function "
            "of one point at a time needs `vectorized=False`."
        )
        raise
    values = np.asarray(returned)
    if values.shape != (len(X),):
        raise ValueError(
            f"The density of {density.name} must return shape ({len(X)},) when it is called with "
            f"shape {called_with}, got shape {values.shape}. A function of one point at a time "
            "needs `vectorized=False`."
        )
    if values.dtype.kind not in "fiu":
        raise TypeError(
            f"The density of {density.name} must return real numbers, got dtype {values.dtype}."
        )
    values = values.astype(np.float64, copy=False)
    if not density.gives_log:
        _refuse(values < 0, values, X, density, "a density is at least 0")
    _refuse(np.isnan(values), values, X, density, "it must be a number")
    if density.gives_log:
        return values
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values))


def as_fitted(estimator: Any, X: Array) -> Any:
    """Return `X` with the column names under which the estimator was fitted, if it was."""
    names = getattr(estimator, "feature_names_in_", None)
    return X if names is None else pd.DataFrame(X, columns=names)


def normal_density(
    name: str, mean: Array, factor: Array, evaluate: Callable[[Array], Array]
) -> Density:
    """Return a normal density with the covariance factor @ factor.T, for a factor (d, d).

    With a factor (d,), of standard deviations, the covariance is diagonal.
    """
    d = len(mean)

    def sample(n: int, rng: np.random.Generator) -> Array:
        return mean + _correlated(rng.standard_normal((n, d)), factor)

    log_root = np.log(factor).sum() if factor.ndim == 1 else np.linalg.slogdet(factor)[1]
    return Density(
        name=name,
        evaluate=evaluate,
        n_features=d,
        look=_look_around(mean, scales_of([factor])),
        seeds=mean[None, :],
        sample=sample,
        peak=float(-0.5 * d * np.log(2 * np.pi) - log_root),
    )


def _correlated(z: Array, factor: Array) -> Array:
    return np.asarray(z * factor if factor.ndim == 1 else z @ factor.T)


def _look_around(means: Array, scales: Array, steps: Array = GAUSSIAN_STEPS) -> Look | None:
    """Return coordinates across the mass in one or two features, where it is integrated over."""
    means, scales = np.atleast_2d(means), np.atleast_2d(scales)
    if means.shape[1] > 2:
        return None
    places = means[..., None] + scales[..., None] * steps
    return tuple(np.unique(places[:, axis]) for axis in range(means.shape[1]))


def _refuse(
    bad: NDArray[np.bool_], values: Array, X: Array, density: Density, accepted: str
) -> None:
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        listed = ", ".join(f"{coordinate:.6g}" for coordinate in X[row])
        raise ValueError(
            f"The density of {density.name} returned {values[row]:g} at the point ({listed}); "
            f"{accepted}."
        )


def _all_rows(function: Callable[[Any], Any]) -> Callable[[Array], Any]:
    def evaluate(X: Array) -> Any:
        returned = function(X[:, 0] if X.shape[1] == 1 else X)
        # Many functions, SciPy's among them, return a bare number for a single row.
        return np.reshape(returned, 1) if len(X) == 1 and np.ndim(returned) == 0 else returned

    return evaluate


def _row_by_row(function: Callable[[Any], Any]) -> Callable[[Array], Array]:
    def evaluate(X: Array) -> Array:
        returned = [function(float(x[0]) if len(x) == 1 else x) for x in X]
        shapes = {np.shape(value) for value in returned}
        if shapes - {()}:
            wrong = next(i for i, value in enumerate(returned) if np.shape(value) != ())
            raise ValueError(
                f"with `vectorized=False` a density must return one number for one point, "
                f"got shape {np.shape(returned[wrong])} at the point {X[wrong]}."
            )
        return np.asarray(returned)

    return evaluate


def _from_univariate(source: Any, name: str) -> Density | None:
    frozen = hasattr(source, "logpdf") and hasattr(source, "dist")
    modern = hasattr(source, "logpdf") and hasattr(source, "icdf")  # scipy.stats.Normal() and kin
    discrete = isinstance(getattr(source, "dist", None), stats.rv_discrete) or any(
        kind.__name__ == "DiscreteDistribution" for kind in type(source).__mro__
    )
    if not (frozen or modern or discrete):
        return None
    label = type(source).__name__ if modern else source.dist.name
    if discrete:
        raise TypeError(
            f"The density of {name} must be continuous, got the discrete distribution "
            f"{label!r}. To classify counts, pass its `logpmf` as a function."
        )
    quantile, upper = (source.ppf, source.isf) if frozen else (source.icdf, source.iccdf)
    support = np.asarray(source.support(), dtype=np.float64)
    if support.ndim != 1:
        raise ValueError(
            f"The density of {name} must be one distribution, got {label!r} with parameters of "
            f"shape {support.shape[1:]}."
        )
    look = _quantiles(quantile, upper, *support.tolist())
    if len(look) == 0:
        raise ValueError(
            f"The density of {name} must have valid parameters, got {label!r} without a finite "
            "quantile."
        )

    def sample(n: int, rng: np.random.Generator) -> Array:
        if frozen:
            return np.asarray(source.rvs(size=(n, 1), random_state=rng), dtype=np.float64)
        return np.asarray(source.sample(shape=(n, 1), rng=rng), dtype=np.float64)

    return Density(
        name=f"{name} ({label})",
        evaluate=lambda X: source.logpdf(X[:, 0]),
        n_features=1,
        look=(look,),
        seeds=look[[len(look) // 2]][:, None],
        sample=sample,
        peak=float(source.logpdf(look[len(look) // 2])) if label in ("norm", "Normal") else None,
    )


def _quantiles(quantile: Any, upper: Any, low: float, high: float) -> Array:
    levels = np.concatenate([TAIL_LEVELS, CENTRAL_LEVELS])
    ends = [end for end in (low, high) if np.isfinite(end)]
    coordinates = np.concatenate([ends, quantile(levels), upper(levels)])
    return np.unique(coordinates[np.isfinite(coordinates)])


def _from_multivariate(source: Any, name: str) -> Density | None:
    kind = type(source).__name__
    steps, is_normal = GAUSSIAN_STEPS, kind == "multivariate_normal_frozen"
    if is_normal:
        mean, covariance, rank = source.mean, source.cov, source.cov_object.rank
    elif kind == "multivariate_t_frozen":
        mean, covariance, rank = source.loc, source.shape, source.shape_info.rank
        marginal = stats.t(source.df) if np.isfinite(source.df) else stats.norm()
        steps = _quantiles(marginal.ppf, marginal.isf, -np.inf, np.inf)
    else:
        return None
    mean = np.atleast_1d(mean)
    n_features = len(mean)
    if rank < n_features:
        raise ValueError(
            f"The density of {name} must have a covariance of full rank, got rank {rank} for "
            f"{n_features} features (`allow_singular`): on a subspace there is no density. Drop "
            "features that repeat others, and bring all to similar units."
        )
    look = _look_around(mean, np.sqrt(np.diag(np.atleast_2d(covariance))), steps)

    def sample(n: int, rng: np.random.Generator) -> Array:
        drawn = np.asarray(source.rvs(size=n, random_state=rng), dtype=np.float64)
        return drawn.reshape(n, n_features)

    def evaluate(X: Array) -> Array:
        return np.asarray(source.logpdf(X)).reshape(len(X))  # SciPy drops the axis of one row

    return Density(
        name=f"{name} ({kind.removesuffix('_frozen')})",
        evaluate=evaluate,
        n_features=n_features,
        look=look,
        seeds=np.asarray(mean, dtype=np.float64)[None, :],
        sample=sample,
        peak=float(source.logpdf(mean)) if is_normal else None,
    )


def _from_kernel(source: Any, name: str) -> Density | None:
    from sklearn.neighbors import KernelDensity

    sample: Callable[[int, np.random.Generator], Array] | None
    if isinstance(source, stats.gaussian_kde):
        data = np.asarray(source.dataset.T, dtype=np.float64)
        reach = GAUSSIAN_STEPS[-1] * np.sqrt(np.diag(np.atleast_2d(source.covariance)))

        def evaluate(X: Array) -> Array:
            return np.asarray(source.logpdf(X.T))

        def resample(n: int, rng: np.random.Generator) -> Array:
            return np.asarray(source.resample(n, seed=rng)).T

        sample = resample
    elif isinstance(source, KernelDensity):
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(source)
        if source.metric not in ("euclidean", "minkowski", "l2", "p"):
            raise ValueError(
                f"The density of {name} must use the Euclidean metric, so that it integrates to 1, "
                f"got `KernelDensity` with metric {source.metric!r}."
            )
        data = np.asarray(source.tree_.data, dtype=np.float64)
        reach = np.full(data.shape[1], KERNEL_REACH.get(source.kernel, 1.0) * source.bandwidth_)

        def evaluate(X: Array) -> Array:
            return np.asarray(source.score_samples(as_fitted(source, X)))

        sample = _kernel_sampler(source)
    else:
        return None
    return Density(
        name=f"{name} ({type(source).__name__})",
        evaluate=evaluate,
        n_features=data.shape[1],
        look=_look_over(data, reach),
        seeds=data[:: -(-len(data) // MAX_SEEDS)],
        sample=sample,
    )


def _kernel_sampler(source: Any) -> Callable[[int, np.random.Generator], Array] | None:
    if source.kernel not in ("gaussian", "tophat"):  # scikit-learn samples these two
        return None

    def sample(n: int, rng: np.random.Generator) -> Array:
        return np.asarray(source.sample(n, random_state=int(rng.integers(2**31))))

    return sample


def _look_over(data: Array, reach: Array) -> tuple[Array, ...]:
    levels = np.linspace(0, 1, 9)
    return tuple(
        np.unique(np.concatenate([[x.min() - r], np.quantile(x, levels), [x.max() + r]]))
        for x, r in zip(data.T, reach, strict=True)
    )


def _from_mixture(source: Any, name: str) -> Density | None:
    if not is_mixture(source):
        return None
    parameters = as_parameters(source)
    means, factors = parameters.means, parameters._factors

    def sample(n: int, rng: np.random.Generator) -> Array:
        counts = rng.multinomial(n, parameters.weights / parameters.weights.sum())
        z = rng.standard_normal((n, means.shape[1]))
        for rows, mean, factor in zip(
            np.split(z, np.cumsum(counts)[:-1]), means, factors, strict=True
        ):
            rows[:] = mean + _correlated(rows, factor)
        return rng.permutation(z)

    return Density(
        name=f"{name} ({type(source).__name__})",
        evaluate=lambda X: log_density(parameters, X),
        n_features=means.shape[1],
        look=_look_around(means, scales_of(factors)),
        seeds=means[:MAX_SEEDS],
        sample=sample,
        peak=float(log_density(parameters, means)[0]) if len(means) == 1 else None,
    )


def is_mixture(source: Any) -> bool:
    """Tell whether this is a Gaussian mixture; if it is not fitted, raise."""
    from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

    if isinstance(source, GaussianMixture | BayesianGaussianMixture):
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(source)
        return True
    return isinstance(source, GaussianMixtureParameters)


def as_parameters(model: Any) -> GaussianMixtureParameters:
    """Return the parameters of a Gaussian mixture, checked once and for all."""
    if isinstance(model, GaussianMixtureParameters):
        return model
    return GaussianMixtureParameters(
        host(model.weights_), host(model.means_), host(model.covariances_), model.covariance_type
    )


def host(values: Any) -> Array:
    """Return what a model was fitted to hold, wherever it lies, as float64 of NumPy."""
    return np.asarray(to_numpy(values), dtype=np.float64)


def scales_of(factors: Sequence[Array]) -> Array:
    """Return standard deviations (K, d) from factors of covariances, or from themselves."""
    return np.array([f if f.ndim == 1 else np.sqrt(np.sum(f**2, axis=1)) for f in factors])


def _kind(source: Any) -> str:
    return source.__name__ if isinstance(source, type) else f"{type(source).__name__} {source!r}"


def lifting(row: Any, free: list[int]) -> Callable[[Array], Any]:
    """Return the function from free features to whole points, the others as in one row."""

    def lift_array(X: Array) -> Array:
        whole = np.tile(row, (len(X), 1))
        whole[:, free] = X
        return whole

    def lift_frame(X: Array) -> pd.DataFrame:
        whole = row.iloc[np.zeros(len(X), dtype=np.intp)].reset_index(drop=True)
        for position, column in zip(free, X.T, strict=True):
            whole.isetitem(position, column)
        return whole

    return lift_frame if isinstance(row, pd.DataFrame) else lift_array


def column_of(evaluate: Callable[[Any], Array], k: int) -> Callable[[Any], Array]:
    """Return the function to one column of what another returns."""
    return lambda X: np.asarray(evaluate(X)[:, k])


def sliced(density: Density, lift: Callable[[Array], Any], free: list[int]) -> Density:
    """Return the density as a function of the free features, which `lift` takes to all of them."""
    seeds = None if density.seeds is None else density.seeds[:, free]
    return Density(
        density.name,
        lambda X: density.evaluate(lift(X)),
        density.gives_log,
        n_features=len(free),
        seeds=seeds,
    )


def guessed_n_features(densities: Sequence[Density]) -> int:
    """Return 1 where all densities, functions that do not say, take one feature alone; or raise."""
    if all(_takes(density, 1) for density in densities) and not any(
        _takes(density, 2) for density in densities
    ):
        return 1
    raise ValueError(
        "`n_features` is not known: all densities are functions, and they do not all take "
        "shape (n,) alone. Give `n_features` to BayesRule, or `region` here."
    )


def common_n_features(densities: Sequence[Density]) -> int | None:
    """Return how many features the densities have where any of them says so, or raise."""
    known = {d.name: d.n_features for d in densities if d.n_features is not None}
    if len(set(known.values())) > 1:
        listed = ", ".join(f"{name} has {count}" for name, count in known.items())
        raise ValueError(f"All densities must have the same number of features: {listed}.")
    return next(iter(known.values()), None)


def _takes(density: Density, n_features: int) -> bool:
    """Tell whether a density returns one number a row of points with so many features."""
    points = np.linspace(0.1, 0.9, 7 * n_features).reshape(7, n_features)
    try:
        with np.errstate(all="ignore"):
            return bool(np.shape(density.evaluate(points)) == (7,))
    except Exception:
        return False
