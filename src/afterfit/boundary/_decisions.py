"""Which decision costs least, from log joint densities and losses, without leaving the log scale.

For two decisions a and b the sign of their difference in expected loss is the sign of

    sum_i joint_i (losses[i, b] - losses[i, a])  =  (what speaks for a) - (what speaks for b),

and the log of the ratio of the two sums is smooth wherever the densities are, does not saturate far
from the boundary, and equals the log posterior odds under zero-one loss. All of `boundary` stands
on this one function.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

# Log odds within this many units of rounding of zero count as a tie where curves are traced.
TIE_ULPS = 64.0

# The code of a point where every class with positive prior has density zero.
NOWHERE = -1


class DecisionTable:
    """The losses of J decisions under K classes, and the comparisons they imply."""

    def __init__(self, losses: NDArray[np.float64]) -> None:
        self.losses = losses
        self.n_classes, self.n_decisions = losses.shape
        self.is_zero_one = np.array_equal(losses, 1.0 - np.eye(self.n_classes))

    def log_odds(self, joints: NDArray[np.float64], first: int, second: int) -> NDArray[np.float64]:
        """Return the log odds in favour of decision `first` against `second`; 0 where they tie."""
        if self.is_zero_one:
            return _difference(joints[..., first], joints[..., second])
        gain = self.losses[:, second] - self.losses[:, first]
        return _difference(_weighted(joints, gain), _weighted(joints, -gain))

    def log_odds_of(
        self, joints: NDArray[np.float64], first: NDArray[np.intp], second: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Return `log_odds` with a pair of decisions of its own for every row."""
        if self.is_zero_one:
            rows = np.arange(len(joints))
            return _difference(joints[rows, first], joints[rows, second])
        odds = np.empty(len(joints))
        for code in np.unique(first * self.n_decisions + second):
            a, b = divmod(int(code), self.n_decisions)
            rows = np.flatnonzero((first == a) & (second == b))
            odds[rows] = self.log_odds(joints[rows], a, b)
        return odds

    def choose(self, joints: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the decision of least expected loss, the first of those that tie exactly."""
        if self.is_zero_one:
            return np.asarray(joints.argmax(axis=-1))
        return self._champion(joints, 0.0)

    def choose_smoothly(self, joints: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the same with rounding taken for a tie, and NOWHERE where no class has density."""
        best = self._champion(joints, self.ties(joints))
        best[(joints == -np.inf).all(axis=-1)] = NOWHERE
        return best

    def ties(self, joints: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log odds that may be rounding errors."""
        finite = np.where(np.isfinite(joints), np.abs(joints), 0.0).max(axis=-1)
        return np.asarray(TIE_ULPS * np.finfo(float).eps * (1.0 + finite))

    def margin(self, joints: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log odds of the best decision against the second best; never negative."""
        if self.is_zero_one:
            top = np.partition(joints, self.n_classes - 2, axis=-1)
            return _difference(top[:, -1], top[:, -2])
        best = self._champion(joints, 0.0)
        closest = np.full(len(joints), np.inf)
        for first in range(self.n_decisions):
            rows = np.flatnonzero(best == first)
            runner_up = np.full(len(rows), -1)
            for second in range(self.n_decisions):
                if second == first:
                    continue
                # The second best is the one that no other decision but the best beats.
                behind = np.zeros(len(rows), dtype=bool)
                for third in range(self.n_decisions):
                    if third not in (first, second):
                        behind |= self.log_odds(joints[rows], third, second) > 0
                runner_up[~behind] = second
            closest[rows] = self.log_odds_of(joints[rows], best[rows], runner_up)
        return closest

    def _champion(
        self, joints: NDArray[np.float64], tie: float | NDArray[np.float64]
    ) -> NDArray[np.intp]:
        # Expected losses are numbers, so that pairwise comparisons order them: one round suffices.
        best = np.zeros(joints.shape[:-1], dtype=np.intp)
        for challenger in range(1, self.n_decisions):
            for holder in range(challenger):
                held = best == holder
                if held.any():
                    beaten = self.log_odds(joints, challenger, holder) > tie
                    best[held & beaten] = challenger
        return best


def informed(joints: NDArray[np.float64], log_priors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the joints, with the priors where no class has density; overwrites them."""
    joints[np.isneginf(joints.max(axis=1))] = log_priors
    return joints


def normalised(joints: NDArray[np.float64], log_priors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return posterior probabilities from log joints, which are overwritten."""
    joints = informed(joints, log_priors)
    poles = joints == np.inf
    if poles.any():  # an infinite density outweighs any other; several share
        some = poles.any(axis=1)
        joints[some] = np.where(poles[some], 0.0, -np.inf)
    return np.asarray(np.exp(joints - logsumexp(joints, axis=1, keepdims=True)))


def _difference(
    positive: NDArray[np.float64], negative: NDArray[np.float64]
) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        difference = positive - negative
    # -inf against -inf: neither has anything in its favour.
    both = np.isnan(difference)
    return np.where(both, 0.0, difference) if both.any() else np.asarray(difference)


def _weighted(joints: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    used = np.flatnonzero(weights > 0)
    if used.size == 0:
        return np.full(joints.shape[:-1], -np.inf)
    if used.size == 1:
        return np.asarray(joints[..., used[0]] + np.log(weights[used[0]]))
    return np.asarray(logsumexp(joints[..., used] + np.log(weights[used]), axis=-1))
