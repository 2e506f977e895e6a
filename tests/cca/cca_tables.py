"""Tables that several files of these tests draw."""

import numpy as np


def related_pair(rng, n=120, p=6, q=4, n_shared=2, noise=1.0):
    X = rng.standard_normal((n, p))
    Y = rng.standard_normal((n, q))
    Y[:, :n_shared] = X[:, :n_shared] + noise * Y[:, :n_shared]
    return X, Y


def random_map(rng, p, condition=10.0):
    left, right = (np.linalg.qr(rng.standard_normal((p, p)))[0] for _ in range(2))
    return left @ np.diag(np.geomspace(1.0, 1.0 / condition, p)) @ right
