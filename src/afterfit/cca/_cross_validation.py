"""Canonical correlations on rows that were held out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afterfit._arrays import namespace, take, to_numpy
from afterfit._validation import check_integer, check_random_state, listing
from afterfit.cca._whitening import Coupling, couple_sides, open_side, open_sides, warn_of

Array = NDArray[np.float64]
Split = tuple[NDArray[np.intp], NDArray[np.intp]]


def cross_validated_correlations(X: Any, Y: Any, *, cv: Any = 5, random_state: Any = None) -> Array:
    """Return the correlations of canonical scores on rows that were held out.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features_x)
        One set of columns.
    Y : array-like of shape (n_samples, n_features_y)
        The other set, for the same rows.
    cv : int, splitter or iterable, default 5
        Number of folds (at least 2), over shuffled rows; or a scikit-learn splitter; or pairs of
        arrays (training rows, held-out rows), as ``GroupKFold().split(X, groups=groups)`` gives.
    random_state : None, int, Generator or RandomState, default None
        Source of the shuffling, where `cv` is a number.

    Returns
    -------
    ndarray of shape (n_roots,)
        In the order of the roots on the training rows, in [-1, 1]: near 0 for a root that is
        noise. As many as the smallest rank of a set on any set of training rows.

    Raises
    ------
    TypeError
        If `X` or `Y` is not numeric, or `cv` is none of the above.
    ValueError
        If `X` or `Y` is not 2-dimensional, has missing or infinite values, or no column that
        varies on some set of training rows, if the numbers of rows differ, `cv` is out of range,
        or held-out values are so far from the training rows that their squares overflow.

    Warns
    -----
    ForcedCorrelationWarning
        If correlations are forced to be 1 on a set of training rows.

    See Also
    --------
    canonical_correlations : On the rows that were fitted: never smaller in expectation.

    Notes
    -----
    Held-out scores are taken around the training means, and their products and squares
    pooled over folds before the correlation is formed: sum(u v) / sqrt(sum(u^2) sum(v^2)). Folds of
    one row are possible, and the signs of pairs, which differ from fold to fold, cancel. A root
    whose held-out scores are all 0 has correlation 0.

    Examples
    --------
    >>> import numpy as np
    >>> from afterfit.cca import canonical_correlations, cross_validated_correlations
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.standard_normal((200, 20)), rng.standard_normal((200, 10))
    >>> float(canonical_correlations(X, Y)[0].round(2))
    0.47
    >>> float(cross_validated_correlations(X, Y, random_state=0)[0].round(2))
    -0.11
    """
    sides = open_sides(X, Y)
    moments = []
    by_n_forced: dict[int, Coupling] = {}  # one each, so that not all splits' data are kept
    splits = _splits(cv, sides[0].n_values, check_random_state(random_state))
    for number, (train, test) in enumerate(splits, start=1):
        taken = ((take(side.data, train), side.name, side.epsilon) for side in sides)
        try:
            coupling = couple_sides(*(open_side(*arguments) for arguments in taken))
        except ValueError as error:
            raise ValueError(f"On the training rows of split {number}: {error}") from None
        by_n_forced[coupling.n_forced] = coupling
        moments.append(_held_out_moments(coupling, *(take(side.data, test) for side in sides)))
    warn_of(by_n_forced[max(by_n_forced)], stacklevel=3)
    return _pooled_correlations(moments)


def _held_out_moments(coupling: Coupling, x_test: Any, y_test: Any) -> Array:
    left, _, right = coupling.rotations()
    xp = namespace(x_test)
    with np.errstate(over="ignore", invalid="ignore"):  # `_pooled_correlations` refuses those
        x_scores = replace(coupling.x, data=x_test).times(coupling.x.whitener @ left)
        y_scores = replace(coupling.y, data=y_test).times(coupling.y.whitener @ right)
        products = x_scores * y_scores, x_scores**2, y_scores**2
        sums = [to_numpy(xp.sum(product, axis=0)) for product in products]
    return coupling.degrees * np.stack(sums)  # so that folds of different sizes weigh alike


def _pooled_correlations(moments: list[Array]) -> Array:
    n_roots = min(moment.shape[1] for moment in moments)
    product, x_square, y_square = np.sum([moment[:, :n_roots] for moment in moments], axis=0)
    for name, square in (("X", x_square), ("Y", y_square)):
        if not np.isfinite(square).all():
            raise ValueError(
                f"`{name}` has held-out values too far from the training rows to be squared."
            )
    scale = np.sqrt(x_square) * np.sqrt(y_square)
    pooled = np.divide(product, scale, out=np.zeros(n_roots), where=scale > 0.0)
    return np.asarray(np.clip(pooled, -1.0, 1.0))


def _splits(cv: Any, n_samples: int, generator: np.random.Generator) -> list[Split]:
    rows = np.arange(n_samples)
    if isinstance(cv, Integral):
        n_folds = check_integer(cv, "cv", low=2, high=n_samples)
        folds = np.array_split(generator.permutation(n_samples), n_folds)
        cv = [(np.setdiff1d(rows, fold), fold) for fold in folds]
    elif isinstance(cv, str) or not (hasattr(cv, "split") or isinstance(cv, Iterable)):
        raise TypeError(
            "`cv` must be a number of folds, a scikit-learn splitter, or pairs of arrays "
            f"(training rows, held-out rows), got {cv!r}."
        )
    try:
        pairs = cv.split(rows[:, np.newaxis]) if hasattr(cv, "split") else cv
        splits = [(rows[train], rows[test]) for train, test in pairs]
        sizes = [(len(train), len(test)) for train, test in splits]
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(
            f"`cv` must give pairs of arrays (training rows, held-out rows) of {n_samples} rows, "
            f"got: {error}"
        ) from None
    wrong = [size for size in sizes if size[0] < 2 or size[1] < 1]
    if wrong or not sizes:
        raise ValueError(
            "`cv` must give at least one split (2 or more training rows, 1 or more held-out rows), "
            f"got {listing(wrong) or 'none'}."
        )
    return splits
