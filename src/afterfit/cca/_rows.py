"""What a row is, where arrays have more than two dimensions."""

from __future__ import annotations

from math import prod
from typing import Any

import array_api_compat as compat
import numpy as np

from afterfit._validation import check_integer


def as_rows(X: Any, sample_axes: int | tuple[int, ...]) -> Any:
    """Return an array of any dimensions as a matrix: its rows from some axes, its columns the rest.

    Parameters
    ----------
    X : array of two or more dimensions
        Activations, for instance, of any library that follows the array API standard, or of dask.
    sample_axes : int or tuple of int
        The axes that count rows. Of images x channels x height x width, 0 makes a row of
        each image, (0, 2, 3) of each position, with the channels as columns; (0, 1, 2) does if
        the channels come last. Of batch x tokens x width, (0, 1) makes a row of each token.

    Returns
    -------
    array of shape (n_samples, n_features)
        Of the library of `X` and on its device.

    Raises
    ------
    TypeError
        If `sample_axes` is neither an integer nor a tuple of integers.
    ValueError
        If `sample_axes` names an axis twice, one that is not there, or all.

    Examples
    --------
    >>> import numpy as np
    >>> from afterfit.cca import as_rows
    >>> images = np.zeros((20, 3, 8, 8))
    >>> as_rows(images, 0).shape, as_rows(images, (0, 2, 3)).shape
    ((20, 192), (1280, 3))
    """
    array = X if compat.is_array_api_obj(X) else np.asarray(X)
    n_axes = array.ndim
    given = sample_axes if isinstance(sample_axes, tuple) else (sample_axes,)
    rows = [check_integer(k, "sample_axes", low=-n_axes, high=n_axes - 1) % n_axes for k in given]
    columns = [k for k in range(n_axes) if k not in rows]
    if len(set(rows)) < len(rows) or not rows or not columns:
        raise ValueError(
            f"`sample_axes` must name some of the {n_axes} axes, each once, and leave one for the "
            f"columns, got {sample_axes!r}."
        )
    xp = compat.array_namespace(array)
    n_rows = prod(array.shape[k] for k in rows)
    n_columns = prod(array.shape[k] for k in columns)
    return xp.reshape(xp.permute_dims(array, (*rows, *columns)), (n_rows, n_columns))
