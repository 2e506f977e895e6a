"""Tables that several files of these tests draw, and their correlations to many digits."""

from decimal import Decimal, localcontext

import numpy as np


def related_pair(rng, n=120, p=6, q=4, n_shared=2, noise=1.0):
    X = rng.standard_normal((n, p))
    Y = rng.standard_normal((n, q))
    Y[:, :n_shared] = X[:, :n_shared] + noise * Y[:, :n_shared]
    return X, Y


def random_map(rng, p, condition=10.0):
    left, right = (np.linalg.qr(rng.standard_normal((p, p)))[0] for _ in range(2))
    return left @ np.diag(np.geomspace(1.0, 1.0 / condition, p)) @ right


def exact_correlations(X, Y):
    """Return canonical correlations from products of columns in exact integers and 80 digits."""
    both = np.hstack([X, Y])
    unit = 2.0 ** (52 - np.floor(np.log2(np.abs(both[both != 0]).min())))
    rows = np.array([[int(value) for value in row] for row in (both * unit).tolist()], dtype=object)
    total = rows.sum(axis=0)
    scatter = len(rows) * (rows.T @ rows) - np.outer(total, total)
    p = X.shape[1]
    with localcontext() as context:
        context.prec = 80
        scatter = np.array([[Decimal(value) for value in row] for row in scatter], dtype=object)
        x_factor, y_factor = _lower_factor(scatter[:p, :p]), _lower_factor(scatter[p:, p:])
        half = _solve_lower(x_factor, scatter[:p, p:])
        cosines = _solve_lower(y_factor, half.T)
    return np.linalg.svd(cosines.astype(float), compute_uv=False)


def _lower_factor(matrix):
    factor = np.full(matrix.shape, Decimal(0), dtype=object)
    for j in range(len(matrix)):
        column = matrix[j:, j] - factor[j:, :j] @ factor[j, :j]
        factor[j:, j] = column / column[0].sqrt()
    return factor


def _solve_lower(factor, right):
    solution = right.copy()
    for j in range(len(factor)):
        solution[j] = (solution[j] - factor[j, :j] @ solution[:j]) / factor[j, j]
    return solution
