"""Cases in time: hour by weekday, histograms in steps that people use, one period compared with another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MINUTE = 60
_HOUR, _DAY = 60 * _MINUTE, 24 * 60 * _MINUTE
_THURSDAY = 3  # 1970-01-01, Monday is 0
#: Steps of a histogram in seconds, and the most bars of one.
STEPS = (_HOUR, 6 * _HOUR, _DAY, 7 * _DAY, 30 * _DAY, 365 * _DAY)
BARS_MAX = 120
CHINA_MINUTES = 480


class Histogram(NamedTuple):
    """``edges`` (k + 1,), seconds since 1970 UTC, and ``counts`` (k,); a bar holds its lower edge and not its upper."""

    edges: NDArray[np.int64]
    counts: NDArray[np.int64]


class Change(NamedTuple):
    """``ratio`` of the rates of two periods with its interval ``low`` to ``high`` and ``p`` (two-sided, of no change).

    The ratio is NaN where neither has a case, infinite where only the second has.
    """

    ratio: float
    low: float
    high: float
    p: float


class Changes(NamedTuple):
    """The same of many pairs, arrays (n,); ``p`` is twice the smaller tail, which is what the interval inverts."""

    ratio: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p: NDArray[np.float64]


def week(at: ArrayLike, offset_minutes: int = CHINA_MINUTES) -> NDArray[np.int64]:
    """Cases by weekday (7 rows from Monday) and hour (24), local time; ``at`` (n,) are seconds since 1970 UTC."""
    local = np.asarray(at, dtype=np.int64) + offset_minutes * _MINUTE
    day, hour = (local // _DAY + _THURSDAY) % 7, local % _DAY // _HOUR
    return np.bincount(day * 24 + hour, minlength=7 * 24).reshape(7, 24).astype(np.int64)


def step_of(seconds: int) -> int:
    """The finest of :data:`STEPS` that divides a span into at most :data:`BARS_MAX` bars, else the coarsest."""
    return next((step for step in STEPS if seconds <= step * BARS_MAX), STEPS[-1])


def histogram(
    at: ArrayLike, since: int, until: int, offset_minutes: int = CHINA_MINUTES, cases: ArrayLike | None = None
) -> Histogram:
    """Cases of the span ``since`` <= t < ``until`` (seconds since 1970 UTC) in bars that begin at local midnights.

    ``cases`` (n,) are how many there were at each moment; None: one.
    Weeks begin on Mondays; the first and the last bar end with the span. Raises ``ValueError`` for an empty span.
    """
    if until <= since:
        raise ValueError("the span is empty")
    step = step_of(until - since)
    shift = offset_minutes * _MINUTE + (_THURSDAY * _DAY if step % (7 * _DAY) == 0 else 0)
    first = (since + shift) // step * step - shift
    inner = np.arange(first + step, until, step, dtype=np.int64)
    edges = np.concatenate([[since], inner[inner > since], [until]]).astype(np.int64)
    times = np.asarray(at, dtype=np.int64)
    kept = (times >= since) & (times < until)
    many = None if cases is None else np.asarray(cases)[kept]
    counts = np.bincount(np.searchsorted(edges, times[kept], side="right") - 1, many, minlength=len(edges) - 1)
    return Histogram(edges, counts.astype(np.int64))


def compared(before: int, after: int, days_before: float, days_after: float, confidence: float = 0.95) -> Change:
    """Rate of the second period by that of the first, from their cases and lengths in days.

    Exact for two Poisson counts: given their sum, the second is binomial (Przyborowski & Wilenski 1940); the interval
    is Clopper & Pearson's (1934) carried over to the ratio. Raises ``ValueError`` for a period of no length.
    """
    from scipy.stats import binomtest

    if days_before <= 0 or days_after <= 0:
        raise ValueError("a period has a length")
    length = days_after / days_before
    total = before + after
    if not total:
        return Change(float("nan"), 0.0, float("inf"), 1.0)
    test = binomtest(after, total, length / (1 + length))
    interval = test.proportion_ci(confidence, method="exact")

    def ratio(share: float) -> float:
        return float("inf") if share >= 1 else share / (1 - share) / length

    return Change(ratio(after / total), ratio(interval.low), ratio(interval.high), float(test.pvalue))


def compared_all(
    before: ArrayLike, after: ArrayLike, days_before: float, days_after: float, confidence: float = 0.95
) -> Changes:
    """:func:`compared` for many pairs of counts (n,) at once: a hundred thousand in a tenth of a second.

    Raises ``ValueError`` for a period of no length and for counts below nought.
    """
    from scipy.special import betainc, betaincinv

    then, now = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if days_before <= 0 or days_after <= 0:
        raise ValueError("a period has a length")
    if (then < 0).any() or (now < 0).any():
        raise ValueError("cases are counts")
    length = days_after / days_before
    share, tail = length / (1 + length), (1 - confidence) / 2
    total = then + now
    some_now, some_then = np.maximum(now, 1), np.maximum(then, 1)
    low = np.where(now > 0, betaincinv(some_now, then + 1, tail), 0.0)
    high = np.where(then > 0, betaincinv(now + 1, some_then, 1 - tail), 1.0)
    at_most = np.where(then > 0, betainc(some_then, now + 1, 1 - share), 1.0)
    at_least = np.where(now > 0, betainc(some_now, then + 1, share), 1.0)

    def ratio(part: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(divide="ignore"):
            return np.where(part >= 1, np.inf, part / (1 - part)) / length

    with np.errstate(invalid="ignore"):
        middle = np.where(total > 0, now / np.maximum(total, 1), np.nan)
    return Changes(ratio(middle), ratio(low), ratio(high), np.minimum(1.0, 2 * np.minimum(at_most, at_least)))
