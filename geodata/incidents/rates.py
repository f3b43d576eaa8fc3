"""Cases per 1,000 households, raw and smoothed, so that a grid of twenty households does not lead every list."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
PER = 1_000


class Rates(NamedTuple):
    """Per 1,000 households: ``raw`` (n,), NaN where nobody lives; ``smoothed`` (n,); ``weight`` (n,), the share that
    the grid's own rate has in it; ``mean``, the rate of all together (NaN where nobody lives at all)."""

    raw: Floats
    smoothed: Floats
    weight: Floats
    mean: float


def rates(cases: ArrayLike, households: ArrayLike) -> Rates:
    """Rates of grids with so many ``cases`` (n,) among ``households`` (n,), smoothed by empirical Bayes.

    Each is drawn towards the rate m of all, the more the fewer its households h are: ``w r + (1 - w) m`` with
    ``w = A / (A + m / h)``, A the variance between grids that chance does not explain, by the method of moments
    (Marshall 1991, Applied Statistics 40(2), the global estimator). Where chance explains all of it, or more, A is
    nought and every grid has the rate of all. A grid without households says nothing: its weight is 0. Cases of such
    grids count nowhere.

    Raises ``ValueError`` for numbers below nought.
    """
    count, living = np.asarray(cases, dtype=np.float64), np.asarray(households, dtype=np.float64)
    if (count < 0).any() or (living < 0).any():
        raise ValueError("cases and households are counts")
    lived = living > 0
    raw = np.full(len(count), np.nan)
    raw[lived] = count[lived] / living[lived]
    if not lived.any():
        return Rates(raw, raw.copy(), np.zeros(len(count)), float("nan"))
    h, r = living[lived], raw[lived]
    mean = float(count[lived].sum() / h.sum())
    between = float((h * (r - mean) ** 2).sum() / h.sum() - mean / h.mean())
    weight = np.zeros(len(count))
    if between > 0:
        weight[lived] = between / (between + mean / h)
    smoothed = np.full(len(count), mean)
    smoothed[lived] += weight[lived] * (r - mean)
    return Rates(PER * raw, PER * smoothed, weight, PER * mean)
