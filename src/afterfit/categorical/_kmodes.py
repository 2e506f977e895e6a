"""The estimator: k-modes clusters of a table of categories, as scikit-learn's estimators go."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from afterfit._validation import check_choice, check_integer, check_random_state
from afterfit.categorical._engine import Engine
from afterfit.categorical._search import Found, cao_modes, search
from afterfit.categorical._tables import (
    CategoryTable,
    Packed,
    check_column_names,
    check_enough_rows,
    check_sample_weight,
    encode_table,
    in_codes_of,
    merge_equal_rows,
    pack,
)

INITS = ("huang", "cao", "random")


class KModes(ClusterMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Return an estimator of k-modes clusters: each has a mode, the categories nearest to its rows.

    The cost is the sum over rows of the matching distance to the nearest mode: the number of
    cells that differ. Equal rows are counted once, and rows of weight w as w equal rows.

    Parameters
    ----------
    n_clusters : int, default=8
        The number of clusters, from 1 to the number of distinct rows.
    init : {"huang", "cao", "random"}, default="huang"
        How a start is made. "huang": categories drawn from the columns, each mode then moved to
        its nearest free row (Huang 1998). "cao": dense rows far apart (Cao et al. 2009); there is
        only one such start, so `n_init` does not matter. "random": distinct rows drawn at random.
    n_init : int, default=10
        The number of starts; the best counts.
    max_iter : int, default=100
        The largest number of iterations of a start.
    missing : {"error", "category"}, default="error"
        What a missing value is: an error that counts them by column, or a category of its own.
    random_state : int, numpy Generator or RandomState, optional
        Where randomness comes from; an integer makes the fit reproducible.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        The cluster of each row, from 0: that of the nearest mode.
    cluster_centroids_ : ndarray of shape (n_clusters, n_features)
        The modes, in the categories of `X`.
    cost_ : float
        The weighted number of cells that differ from their row's mode.
    n_iter_ : int
        The number of iterations over all rows in the best start.
    categories_ : list of ndarray
        The categories of each column, sorted (those of a pandas Categorical in its own order,
        those of several types by type first); a missing one last, as NaN.
    n_features_in_ : int
        The number of columns of `X`.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where `X` is a DataFrame with text for names.

    See Also
    --------
    matching_silhouette_score : How well the clusters keep apart.

    Notes
    -----
    *Ties.* Of equally near modes the one with the smaller label takes the row; of equally
    frequent categories the first in sorted order becomes the mode (kmodes' rules too). Clusters
    are numbered by the rows that are nearest to them alone, most first, so that ties go to the
    larger cluster; with ``init="cao"`` they keep the order of the start, as in kmodes.
    *Empty clusters.* A cluster that loses all its rows starts again at the row farthest from its
    mode, so none of the clusters is empty in the end.
    *Search.* Huang's iteration stops early where many rows are equally near to two modes. Here
    each start goes on with exact changes of single categories, and the best start with modes
    that are moved to other rows: the cost is that of a far larger number of plain starts. On
    large tables the search runs on a sample of rows, and the iteration on all rows ends it; in
    tables of more than 64 columns many categories are changed at once, in a few steps.

    References
    ----------
    Huang, Z. (1998). Extensions to the k-means algorithm for clustering large data sets with
    categorical values. Data Mining and Knowledge Discovery 2, 283-304.

    Cao, F., Liang, J. & Bai, L. (2009). A new initialization method for categorical data
    clustering. Expert Systems with Applications 36, 10223-10228.

    Examples
    --------
    >>> X = [["red", "round"], ["red", "oval"], ["red", "round"], ["blue", "flat"]]
    >>> model = KModes(n_clusters=2, random_state=0).fit(X)
    >>> model.cost_
    1.0
    >>> print(model.cluster_centroids_[model.labels_[0]])
    ['red' 'round']
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: str = "huang",
        n_init: int = 10,
        max_iter: int = 100,
        missing: str = "error",
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.missing = missing
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> KModes:
        """Return the estimator, fitted to the rows of `X`.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)
            Categories of any type.
        y : None
            Ignored; scikit-learn's convention.
        sample_weight : array-like of shape (n_samples,), optional
            Frequency weights: a row of weight w counts as w equal rows, one of weight 0 is
            labelled and has no say.

        Returns
        -------
        KModes
            The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter is out of range, a value is missing (unless ``missing="category"``), or
            there are more clusters than distinct rows.
        """
        n_init = check_integer(self.n_init, "n_init", low=1)
        n_clusters = check_integer(self.n_clusters, "n_clusters", low=1)
        max_iter = check_integer(self.max_iter, "max_iter", low=1)
        init = check_choice(self.init, "init", INITS)
        rng = check_random_state(self.random_state)
        table = encode_table(X, missing=self.missing)
        check_column_names(table)
        validate_data(self, X, skip_check_array=True)
        weight = check_sample_weight(sample_weight, table.n_rows)
        packed = pack(table.codes, table.sizes, weight)
        units = merge_equal_rows(packed)
        check_enough_rows(n_clusters, units)
        start = cao_modes(table.codes, packed, n_clusters) if init == "cao" else init
        found = search(units, n_clusters, init=start, n_init=n_init, max_iter=max_iter, rng=rng)
        return self._keep(table, packed, found)

    def _keep(self, table: CategoryTable, packed: Packed, found: Found) -> KModes:
        """Set what a fit leaves behind."""
        self.labels_ = Engine(packed).labels(found.modes)
        self.cost_ = found.cost
        self.n_iter_ = found.n_iter
        self.cluster_centroids_ = table.decode(found.modes)
        self.categories_ = list(table.levels)
        self._modes = found.modes
        return self

    def predict(self, X: Any) -> NDArray[np.int32]:
        """Return the cluster of each row of `X`: that of the nearest mode.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features)
            Categories; one that was not there in `fit` differs from every mode.

        Returns
        -------
        ndarray of shape (n_samples,)
            The labels, from 0; the smaller one where two modes are equally near.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        TypeError, ValueError
            If `X` has other columns than in `fit`, a column with none of its categories there
            (text then and numbers now, for example), or a missing value where none is allowed.
        """
        check_is_fitted(self)
        table = encode_table(X, missing=self.missing)
        check_column_names(table)
        validate_data(self, X, skip_check_array=True, reset=False)
        table = in_codes_of(table, self.categories_)
        packed = pack(table.codes, table.sizes + 1)  # one place more for an unknown category
        return Engine(packed).labels(self._modes)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.input_tags.allow_nan = self.missing == "category"
        return tags
