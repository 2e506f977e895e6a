"""Tables of categories as small integers: encoding, frequency weights, equal rows counted once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from afterfit._validation import as_float_array, check_choice, listing

MISSING_CHOICES = ("error", "category")

# Rows that are looked at together: large enough to forget Python, small enough for the cache.
BLOCK_ROWS = 1 << 18

# Rows of a table of small codes that are looked at together.
ENCODED_ROWS = 1 << 14

# An integer column whose values span no more than this is encoded by looking values up.
LOOKUP_SPAN = 1 << 16
# Rows at a time in which integers are looked for, until all of their range have been seen.
LOOKED_AT_ROWS = 1 << 11

# Equal rows are merged block by block; once this many rows were seen and fewer than half of them
# fell together, the rest is not worth the memory and rows are kept as they come.
MERGE_TRIAL_ROWS = 1 << 22

# Weights add up to no more than this: products of four sums of them must still be numbers.
GREATEST_TOTAL = 1e75

# More rows than this are packed again in every pass, so that nothing is kept beside the columns.
LAZY_ROWS = 1 << 24


@dataclass(frozen=True)
class CategoryTable:
    """The rows as one array of small unsigned integers a column.

    Attributes
    ----------
    codes : tuple of ndarray of shape (n_rows,)
        For each column the position of each cell's category in `levels`; the position after the
        last stands for a category that was not there when the levels were made.
    levels : tuple of ndarray
        For each column its categories in sorted order, those of a pandas Categorical in its own;
        a missing value last.
    names : tuple of str or None
        The columns' names, where they had any.
    """

    codes: tuple[NDArray[Any], ...]
    levels: tuple[NDArray[Any], ...]
    names: tuple[Any, ...] | None = None

    @property
    def n_rows(self) -> int:
        return len(self.codes[0])

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The number of categories of each column."""
        return np.array([len(level) for level in self.levels], dtype=np.int64)

    def decode(self, modes: NDArray[np.int64]) -> NDArray[Any]:
        """Return modes of shape (n, n_columns) as categories instead of codes."""
        columns = [level[modes[:, j]] for j, level in enumerate(self.levels)]
        dtypes = {column.dtype for column in columns}
        out = np.empty(modes.shape, dtype=dtypes.pop() if len(dtypes) == 1 else object)
        for j, column in enumerate(columns):
            out[:, j] = column
        return out


def encode_table(X: Any, name: str = "X", *, missing: str = "error") -> CategoryTable:
    """Return `X`, a DataFrame or array of categories of any type, as a `CategoryTable`, or raise.

    `missing` says what a missing value (None, NaN, NaT, NA) is: an error, or a category.
    """
    check_choice(missing, "missing", MISSING_CHOICES)
    columns, names = _columns_of(X, name)
    codes: list[NDArray[Any]] = []
    levels: list[NDArray[Any]] = []
    absent: list[tuple[Any, int]] = []
    infinite: list[Any] = []
    at_once = None
    if isinstance(columns, np.ndarray) and columns.dtype.kind in "iub":
        at_once = _encode_integers(columns)
    for j in range(columns.shape[1]):
        label = j if names is None else names[j]
        code, level, n_missing = (
            at_once[j] if at_once is not None else _encode_or_raise(columns, j, name, label)
        )
        if n_missing:
            absent.append((label, n_missing))
        if _has_infinite(level):
            infinite.append(label)
        codes.append(code)
        levels.append(level)
    if absent and missing == "error":
        listed = listing([f"{label!r} ({count})" for label, count in absent])
        raise ValueError(
            f"`{name}` has missing values (NaN or None) in column(s) {listed}; fill them in, or "
            'pass missing="category" to make them a category of their own.'
        )
    if infinite:
        listed = listing([repr(label) for label in infinite])
        raise ValueError(
            f"`{name}` must hold categories, got infinite values (inf) in column(s) {listed}."
        )
    return CategoryTable(tuple(codes), tuple(levels), names)


def in_codes_of(table: CategoryTable, levels: Sequence[NDArray[Any]]) -> CategoryTable:
    """Return `table` in the codes of other `levels`; what they lack gets the code past the last.

    Raises where a column has none of its levels: several others, or of another type.
    """
    codes = []
    for j, (code, own, known) in enumerate(zip(table.codes, table.levels, levels, strict=True)):
        positions = _positions(own, known)
        other_types = {type(x) for x in own.tolist()}.isdisjoint(type(x) for x in known.tolist())
        if (positions == len(known)).all() and (len(own) > 1 or other_types):
            label = j if table.names is None else table.names[j]
            raise ValueError(
                f"`X` must hold categories of the table of `fit`: column {label!r} has none of "
                f"them. It holds {_shown(own)}; in `fit` it held {_shown(known)}."
            )
        codes.append(positions.astype(_code_dtype(len(known) + 1))[code])
    return CategoryTable(tuple(codes), tuple(levels), table.names)


def check_sample_weight(sample_weight: Any, n_rows: int) -> NDArray[np.float64] | None:
    """Return frequency weights as float64 of shape (n_rows,), or raise; None stays None."""
    if sample_weight is None:
        return None
    try:
        weight = as_float_array(sample_weight, "sample_weight")
    except TypeError:
        wrong = _no_number(sample_weight)
        raise TypeError(f"`sample_weight` must be numbers, got {wrong}.") from None
    if weight.ndim == 0:
        weight = np.full(n_rows, weight)
    if weight.shape != (n_rows,):
        raise ValueError(
            f"`sample_weight` must have one weight for each of the {n_rows} row(s) of `X`, got "
            f"shape {weight.shape}."
        )
    bad = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
    if bad.size:
        listed = listing([f"{weight[i]:g} in row {i}" for i in bad[:100]])
        raise ValueError(f"`sample_weight` must be finite and not negative, got {listed}.")
    if not weight.any():
        raise ValueError("`sample_weight` must have at least one positive weight, got only zeros.")
    if weight.max() > GREATEST_TOTAL / n_rows:
        raise ValueError(
            f"`sample_weight` must be at most {GREATEST_TOTAL:g} / the number of rows ({n_rows}), "
            f"got {weight.max():g} in row {weight.argmax()}."
        )
    return weight


def check_whole_weights(weight: NDArray[np.float64] | None) -> None:
    """Raise unless all weights are whole: numbers of equal rows."""
    if weight is None:
        return
    bad = np.flatnonzero(weight != np.floor(weight))
    if bad.size:
        listed = listing([f"{weight[i]:g} in row {i}" for i in bad[:100]])
        raise ValueError(
            "`sample_weight` must hold whole numbers, since a row of weight w counts as w equal "
            f"rows; got {listed}."
        )


def check_column_names(table: CategoryTable) -> None:
    """Raise where columns share a name, or only some have text for one: scikit-learn would, too."""
    names = pd.Index(table.names or (), tupleize_cols=False)
    if names.has_duplicates:
        listed = listing([repr(name) for name in names[names.duplicated()].unique()])
        raise ValueError(
            f"`X` must have a different name for each column, got {listed} more than once."
        )
    text = [isinstance(name, str) for name in names]
    if any(text) and not all(text):
        example = f"{names[text.index(True)]!r} and {names[text.index(False)]!r}"
        raise TypeError(
            f"`X` must have text for all of its column names or for none, got {example}; rename "
            "them, for example by `X.columns = X.columns.astype(str)`."
        )


def check_enough_rows(n_clusters: int, units: Packed, name: str = "n_clusters") -> None:
    if n_clusters > units.n_units:
        raise ValueError(
            f"`{name}` must be between 1 and the number of distinct rows ({units.n_units}), "
            f"got {n_clusters}."
        )


class CombinedCodes:
    """Mixed-radix codes of a group of columns that are computed when they are asked for.

    Takes no memory beside the columns, at the price of computing again in each pass.
    """

    def __init__(self, columns: Sequence[NDArray[Any]], sizes: NDArray[np.int64]) -> None:
        self.columns = list(columns)
        self.sizes = sizes
        self.dtype = _code_dtype(int(np.prod(sizes)))

    def __len__(self) -> int:
        return len(self.columns[0])

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> NDArray[Any]:
        code = self.columns[0][rows].astype(self.dtype)  # wide enough for what follows
        for column, size in zip(self.columns[1:], self.sizes[1:], strict=True):
            code *= self.dtype.type(size)
            code += column[rows].astype(self.dtype, copy=False)
        return code


@dataclass(frozen=True)
class Packed:
    """Rows whose columns are packed into a few mixed-radix codes, with the rows' weights.

    Attributes
    ----------
    sizes : ndarray of shape (n_columns,)
        The number of categories of each column.
    groups : tuple of ndarray
        The columns that each code packs, the first the most significant.
    codes : tuple of (ndarray or CombinedCodes) of shape (n_units,)
        One array a group, in the smallest unsigned type.
    weights : ndarray of shape (n_units,) or None
        How many rows each unit stands for; None for one each.
    """

    sizes: NDArray[np.int64]
    groups: tuple[NDArray[np.int64], ...]
    codes: tuple[NDArray[Any] | CombinedCodes, ...]
    weights: NDArray[np.float64] | None = None
    spans: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        spans = tuple(int(np.prod(self.sizes[group])) for group in self.groups)
        object.__setattr__(self, "spans", spans)

    @property
    def n_units(self) -> int:
        return len(self.codes[0])

    @property
    def total(self) -> float:
        """The number of rows that the units stand for."""
        return float(self.n_units) if self.weights is None else float(self.weights.sum())

    def rows(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the category codes, (len(index), n_columns), of the units at `index`."""
        out = np.empty((len(index), len(self.sizes)), dtype=np.int64)
        for group, codes in zip(self.groups, self.codes, strict=True):
            rest = codes[index].astype(np.int64)
            for j in group[::-1]:
                rest, out[:, j] = np.divmod(rest, self.sizes[j])
        return out

    def columns(self) -> list[NDArray[Any]]:
        """Return the category codes column by column, as arrays of shape (n_units,)."""
        out = [np.empty(self.n_units, dtype=_code_dtype(int(size) + 1)) for size in self.sizes]
        for rows in blocks(self.n_units):
            for group, codes in zip(self.groups, self.codes, strict=True):
                rest = codes[rows].astype(np.int64)
                for j in group[::-1]:
                    rest, out[j][rows] = np.divmod(rest, self.sizes[j])
        return out

    def part(self, rows: slice) -> Packed:
        """Return the units of a slice."""
        weights = None if self.weights is None else self.weights[rows]
        return Packed(self.sizes, self.groups, tuple(c[rows] for c in self.codes), weights)

    def take(self, index: NDArray[np.int64], weights: NDArray[np.float64] | None) -> Packed:
        """Return the units at `index`, with the given weights."""
        return Packed(self.sizes, self.groups, tuple(c[index] for c in self.codes), weights)


def pack(
    codes: Sequence[NDArray[Any]],
    sizes: NDArray[np.int64],
    weights: NDArray[np.float64] | None = None,
    *,
    limit: int | None = None,
) -> Packed:
    """Return columns of category codes packed into groups of at most `limit` combinations.

    A column with more categories than that is a group of its own. By default the limit follows
    from the number of rows: the look-up tables must stay small beside the rows, and in the cache.
    """
    n_units = len(codes[0])
    if limit is None:
        limit = int(np.clip(n_units // 8, 16, 1024))
    groups = _groups(sizes, limit)
    lazy = [CombinedCodes([codes[j] for j in group], sizes[group]) for group in groups]
    if n_units > LAZY_ROWS:
        return Packed(np.asarray(sizes), groups, tuple(lazy), weights)
    packed = []
    for combined in lazy:
        out = np.empty(n_units, dtype=combined.dtype)
        for rows in blocks(n_units, ENCODED_ROWS):
            out[rows] = combined[rows]
        packed.append(out)
    return Packed(np.asarray(sizes), groups, tuple(packed), weights)


def merge_equal_rows(packed: Packed) -> Packed:
    """Return `packed` with equal rows counted once, sorted; or as it is, where that saves little.

    Units of weight 0 are left out. The result does not depend on the order of the rows, except
    where more than `MERGE_TRIAL_ROWS` rows are for the most part different and stay as they are.
    """
    if packed.weights is not None and not packed.weights.all():
        keep = np.flatnonzero(packed.weights)
        packed = packed.take(keep, packed.weights[keep])
    n_units = packed.n_units
    merged: Packed | None = None
    for start in range(0, n_units, MERGE_TRIAL_ROWS):
        stop = min(start + MERGE_TRIAL_ROWS, n_units)
        part = packed.part(slice(start, stop))
        part = _merged(part if merged is None else _joined(merged, part))
        if stop < n_units and part.n_units > stop // 2:
            return packed
        merged = part
    assert merged is not None
    return merged


def sampled(
    packed: Packed, n_rows: int, rng: np.random.Generator, *, replace: bool = False
) -> Packed:
    """Return `n_rows` random rows, equal ones counted once.

    With `replace` a row can come up more than once: a bootstrap sample. Units with weights stand
    for so many rows that this makes no difference to them, and are always drawn with replacement.
    """
    if packed.weights is None and not replace:
        index = np.sort(rng.choice(packed.n_units, n_rows, replace=False, shuffle=False))
        weights = None
    else:
        share = np.ones(packed.n_units) if packed.weights is None else packed.weights
        drawn = rng.multinomial(n_rows, share / share.sum())
        index = np.flatnonzero(drawn)
        weights = drawn[index].astype(np.float64)
    rows = packed.rows(index)
    return merge_equal_rows(pack(list(rows.T), packed.sizes, weights))


def independent(packed: Packed, rng: np.random.Generator) -> Packed:
    """Return a table of as many rows with the same margins, its columns shuffled independently.

    Weights must be whole: they are written out as so many rows.
    """
    columns = packed.columns()
    if packed.weights is not None:
        times = packed.weights.astype(np.intp)
        columns = [np.repeat(column, times) for column in columns]
    return merge_equal_rows(pack([rng.permutation(c) for c in columns], packed.sizes))


def blocks(n_rows: int, size: int | None = None) -> Iterator[slice]:
    """Yield slices that cover `n_rows` rows, `size` at a time, `BLOCK_ROWS` if None."""
    size = size or BLOCK_ROWS
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def row_keys(packed: Packed) -> list[NDArray[np.uint64]]:
    """Return as few uint64 arrays as tell different rows apart, and sort them."""
    keys: list[NDArray[np.uint64]] = []
    room = 1
    for group, span in zip(packed.codes, packed.spans, strict=True):
        codes = group[:]
        if keys and room * span < 2**63:
            keys[-1] *= np.uint64(span)
            keys[-1] += codes
            room *= span
        else:
            keys.append(codes.astype(np.uint64))
            room = span
    return keys


def _merged(packed: Packed) -> Packed:
    keys = row_keys(packed)
    order = np.argsort(keys[0]) if len(keys) == 1 else np.lexsort(keys[::-1])
    new = np.zeros(packed.n_units, dtype=bool)
    new[0] = True
    for key in keys:
        ordered = key[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    first = np.flatnonzero(new)
    if packed.weights is None and len(first) == packed.n_units:
        weights = None
    elif packed.weights is None:
        weights = np.diff(first, append=packed.n_units).astype(np.float64)
    else:
        weights = np.add.reduceat(packed.weights[order], first)
    if weights is not None and (weights == 1).all():
        weights = None
    return packed.take(order[first], weights)


def _joined(a: Packed, b: Packed) -> Packed:
    codes = tuple(np.concatenate([x[:], y[:]]) for x, y in zip(a.codes, b.codes, strict=True))
    weights = np.concatenate(
        [np.ones(p.n_units) if p.weights is None else p.weights for p in (a, b)]
    )
    return Packed(a.sizes, a.groups, codes, weights)


def _groups(sizes: NDArray[np.int64], limit: int) -> tuple[NDArray[np.int64], ...]:
    # Columns of like size stand together; fewest categories first fills the groups best.
    groups: list[list[int]] = []
    span, of = limit + 1, sizes.tolist()
    for j in sorted(range(len(of)), key=of.__getitem__):
        if span * of[j] > limit:
            groups.append([])
            span = 1
        groups[-1].append(j)
        span *= of[j]
    return tuple(np.array(group) for group in groups)


def _columns_of(X: Any, name: str) -> tuple[Any, tuple[Any, ...] | None]:
    """Return `X` as a DataFrame or an array of two dimensions, and its columns' names."""
    frame = isinstance(X, pd.DataFrame)
    columns = X if frame else as_array(X, name)
    names = tuple(X.columns) if frame else None
    shape = columns.shape
    if shape[0] < 1 or shape[1] < 1:
        # The wording with "0 sample(s)" and "0 feature(s)" is the one scikit-learn's tools expect.
        raise ValueError(
            f"`{name}` must have at least 1 row and 1 column, got {shape[0]} sample(s) and "
            f"{shape[1]} feature(s) (shape={shape}) while a minimum of 1 is required."
        )
    return columns, names


def as_array(X: Any, name: str = "X") -> NDArray[Any]:
    """Return `X` as an array of two dimensions whose cells are as they were given, or raise."""
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise TypeError(
            f"`{name}` must be a DataFrame or a dense array, got a sparse {type(X).__name__}; "
            "pass `X.toarray()`."
        )
    if isinstance(X, np.ma.MaskedArray):
        X = np.ma.filled(X.astype(object), np.nan)  # what is masked is missing
    # Lists go in as objects, so that numbers beside text do not silently turn into text.
    try:
        array = np.asarray(X) if hasattr(X, "__array__") else np.asarray(X, dtype=object)
    except ValueError:
        raise ValueError(f"`{name}` must have rows of equal length.") from None
    if np.iscomplexobj(array):
        raise ValueError(f"Complex data not supported: `{name}` must hold categories.")
    if array.ndim == 1 and array.size and isinstance(array.flat[0], list | tuple):
        raise ValueError(f"`{name}` must have rows of equal length.")
    if array.ndim != 2:
        hint = " Reshape your data: `.reshape(-1, 1)` for one column." if array.ndim == 1 else ""
        raise ValueError(
            f"`{name}` must have two dimensions (n_samples, n_features), got shape "
            f"{array.shape}.{hint}"
        )
    return array


def _encode_or_raise(
    columns: Any, j: int, name: str, label: Any
) -> tuple[NDArray[Any], NDArray[Any], int]:
    column = columns.iloc[:, j] if isinstance(columns, pd.DataFrame) else columns[:, j]
    try:
        return _encode_column(column)
    except TypeError as error:
        raise TypeError(
            f"`{name}` must hold categories that are hashable, like numbers and text; column "
            f"{label!r} does not: {error}."
        ) from None


def _encode_column(column: Any) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Return codes, levels (a missing one last) and the number of missing values."""
    if isinstance(column, pd.Series) and isinstance(column.dtype, np.dtype):
        column = column.to_numpy()
    if isinstance(column, np.ndarray) and column.dtype.kind in "iub":
        looked_up = _encode_integers(column[:, None])
        if looked_up is not None:
            return looked_up[0]
    if isinstance(column, pd.Series) and isinstance(column.dtype, pd.CategoricalDtype):
        return _encode_categorical(column)
    if isinstance(column, np.ndarray) and column.dtype.kind in "US":
        column = column.astype(object)
    if isinstance(column, np.ndarray) and column.dtype == np.float16:
        column = column.astype(np.float32)  # pandas cannot tell apart what is half as precise
    codes, uniques = pd.factorize(column)
    uniques = np.asarray(uniques)
    order = _level_order(uniques)
    rank = np.empty(len(order) + 1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    rank[-1] = -1  # factorize marks a missing value with -1
    codes, levels = rank[codes], uniques[order]
    n_missing = int(np.count_nonzero(codes < 0))
    if n_missing:
        codes = np.where(codes < 0, len(levels), codes)
        levels = np.append(levels.astype(object), [np.nan])
    return codes.astype(_code_dtype(len(levels) + 1)), levels, n_missing


def _encode_categorical(column: pd.Series) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Return what `_encode_column` returns, from pandas' own codes and in blocks.

    A missing value has the code -1 there, which is the last place of a look-up.
    """
    own = column.cat.codes.to_numpy()
    present = np.zeros(len(column.cat.categories) + 1, dtype=bool)
    for rows in blocks(len(own)):
        present[own[rows]] = True
    levels = np.asarray(column.cat.categories)[present[:-1]]
    if present[-1]:
        levels = np.append(levels.astype(object), [np.nan])
    place = (np.cumsum(present) - 1).astype(_code_dtype(len(levels) + 1))
    codes = np.empty(len(own), dtype=place.dtype)
    for rows in blocks(len(own)):
        codes[rows] = place[own[rows]]
    return codes, levels, int(np.count_nonzero(own < 0))


def _has_infinite(level: NDArray[Any]) -> bool:
    if level.dtype == object:
        level = np.array([x for x in level if isinstance(x, (float, np.floating))], dtype=float)
    return level.dtype.kind == "f" and bool(np.isinf(level).any())


def _encode_integers(array: NDArray[Any]) -> list[tuple[NDArray[Any], NDArray[Any], int]] | None:
    """Return codes and levels of integer columns by look-up, or None where they span too much."""
    if array.dtype == np.uint64 and array.max() >= 2**63:
        return None  # no int64 to look them up by
    if array.dtype.itemsize == 1:  # no need to look for the range
        low = [-128 if array.dtype == np.int8 else 0] * array.shape[1]
        spans = [256] * array.shape[1]
    else:
        low, high = array.min(axis=0).tolist(), array.max(axis=0).tolist()
        spans = [b - a + 1 for a, b in zip(low, high, strict=True)]
    if max(spans) > LOOKUP_SPAN:
        return None
    starts = np.concatenate([[0], np.cumsum(spans)])
    shift = starts[:-1] - np.array(low)
    present = np.zeros(starts[-1], dtype=bool)
    for rows in blocks(len(array), LOOKED_AT_ROWS):
        present[np.add(array[rows], shift, dtype=np.int64, casting="unsafe")] = True
        if present.all():  # most often so after the first rows
            break
    encoded = []
    for j, column in enumerate(array.T):
        values = np.flatnonzero(present[starts[j] : starts[j + 1]])
        levels = (values + low[j]).astype(array.dtype)
        dtype = _code_dtype(len(values) + 1)
        if low[j] == 0 and len(values) == values[-1] + 1 and array.dtype == dtype:
            encoded.append((column, levels, 0))  # already encoded: no copy
            continue
        codes = np.empty(len(column), dtype=dtype)
        encoded.append((codes, levels, 0))
        if len(values) == spans[j]:  # no gaps: nothing to look up
            # In the codes' own type: the difference may not fit that of the column.
            least = np.array(low[j], dtype=array.dtype).astype(dtype)
            np.subtract(column, least, out=codes, dtype=dtype, casting="unsafe")
            continue
        lookup = np.zeros(spans[j], dtype=dtype)
        lookup[values] = np.arange(len(values))
        for rows in blocks(len(column)):
            codes[rows] = lookup[column[rows].astype(np.int64) - low[j]]
    return encoded


def _level_order(uniques: NDArray[Any]) -> NDArray[np.int64]:
    """Return the order that sorts the categories; by type first where they do not compare."""
    if uniques.dtype != object:
        return np.argsort(uniques, kind="stable")
    values = list(uniques)
    try:
        return np.array(sorted(range(len(values)), key=values.__getitem__), dtype=np.int64)
    except TypeError:
        pass
    try:
        return np.array(
            sorted(range(len(values)), key=lambda i: (type(values[i]).__qualname__, values[i])),
            dtype=np.int64,
        )
    except TypeError:  # no order at all: that of their first appearance
        return np.arange(len(values))


def _positions(levels: NDArray[Any], known: NDArray[Any]) -> NDArray[np.int64]:
    """Return the position of each of `levels` in `known`, len(known) where it is not there."""
    missing = object()  # NaN does not equal itself
    where = {missing if pd.isna(value) else value: i for i, value in enumerate(known)}
    found = [where.get(missing if pd.isna(v) else v, len(known)) for v in levels]
    return np.array(found, dtype=np.int64)


def _shown(level: NDArray[Any]) -> str:
    return listing([f"{value!r}" for value in level.tolist()[:3]]) + (", ..." * (len(level) > 3))


def _no_number(weights: Any) -> str:
    """Return the first weight that is no number, and where it is; or what they are in all."""
    for i, weight in enumerate(np.ravel(np.asarray(weights, dtype=object))):
        if not isinstance(weight, Real):
            return f"{weight!r} in row {i}"
    return f"dtype {weights.dtype}" if hasattr(weights, "dtype") else type(weights).__name__


def _code_dtype(n_codes: int) -> Any:
    return np.min_scalar_type(max(n_codes - 1, 1))
