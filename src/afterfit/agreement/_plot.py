"""The contingency table as a figure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from afterfit._labels import as_written
from afterfit._plotting import pyplot
from afterfit.agreement._matching import matched_cells, tie_order
from afterfit.agreement._table import full_counts, read_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# What can be read: numbers in at most this many cells (beyond the first of the two in small type,
# and no zeros), at most this many labels on a side, and at most this many characters below the
# figure in one line.
_MAX_LARGE_NUMBERS = 64
_MAX_WRITTEN_CELLS = 400
_MAX_WRITTEN_LABELS = 20
_MAX_CHARACTERS = 40


def plot_contingency_table(
    y_true: Any,
    y_pred: Any = None,
    *,
    sample_weight: Any = None,
    noise_label: Any = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the contingency table as a heat map, clusters in the order of the classes they match.

    Colour is the share of the class (row) in the cluster; each cell shows its count, as far as
    numbers can be read (in at most 400 cells, above 64 without zeros). Matched cells, as
    `match_labels` has them, are framed.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_classes)
        The class of each row, or its probabilities. Without `y_pred`, a contingency table of
        shape (n_classes, n_clusters): array, DataFrame or SciPy sparse.
    y_pred : array-like of shape (n_samples,) or (n_samples, n_clusters), optional
        The cluster of each row, or its posterior probabilities.
    sample_weight : array-like of shape (n_samples,), optional
        How many rows each row stands for.
    noise_label : hashable, optional
        Rows with this label in `y_pred` are left out.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If the input is refused as by `contingency_table`.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = plot_contingency_table(["x", "x", "o"], [1, 1, 2])
    >>> ax.get_xlabel()
    'cluster (y_pred)'
    >>> plt.close(ax.figure)
    """
    plt = pyplot()
    table = read_table(y_true, y_pred, sample_weight, noise_label)
    ranked = tie_order(table, y_pred)
    matched = matched_cells(table, ranked)
    class_of = dict(zip(table.clusters[matched].tolist(), table.classes[matched], strict=True))
    n_classes = table.shape[0]
    order = sorted(range(table.shape[1]), key=lambda k: class_of.get(k, n_classes))
    counts = full_counts(table)[:, order]
    shares = counts / counts.sum(axis=1, keepdims=True)
    if ax is None:
        _, ax = plt.subplots()
    image = ax.imshow(shares, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    ax.figure.colorbar(image, ax=ax, label="share of the class")
    is_small = counts.size <= _MAX_WRITTEN_CELLS
    if is_small:
        _write_counts(ax, counts, shares)
    for position, k in enumerate(order[: len(class_of)]):
        corner = (position - 0.46, class_of[k] - 0.46)
        ax.add_patch(plt.Rectangle(corner, 0.92, 0.92, fill=False, lw=1 + is_small, ec="black"))
    clusters = _write_labels(ax.xaxis, [table.cluster_labels[k] for k in order])
    if sum(map(len, clusters)) > _MAX_CHARACTERS:
        ax.tick_params(axis="x", rotation=90)
    _write_labels(ax.yaxis, table.class_labels)
    ax.set_xlabel("cluster (y_pred)")
    ax.set_ylabel("class (y_true)")
    ax.spines[:].set_visible(False)
    return ax


def _write_labels(axis: Any, labels: Sequence[Hashable]) -> list[str]:
    step = -(-len(labels) // _MAX_WRITTEN_LABELS)
    written = [as_written(label) for label in labels[::step]]
    axis.set_ticks(range(0, len(labels), step), written)
    return written


def _write_counts(ax: Axes, counts: NDArray[Any], shares: NDArray[np.float64]) -> None:
    number = "{:,}" if counts.dtype.kind == "i" else "{:,.4g}"
    is_crowded = counts.size > _MAX_LARGE_NUMBERS
    style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8 if is_crowded else None}
    for (c, k), n_rows in np.ndenumerate(counts):
        if n_rows > 0 or not is_crowded:
            color = "white" if shares[c, k] > 0.5 else "black"
            ax.text(k, c, number.format(n_rows), color=color, **style)
