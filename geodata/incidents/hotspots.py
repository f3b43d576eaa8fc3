"""Hot spots: grids whose surroundings have rates too high for chance, grouped, ranked, and compared with before."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata.incidents.rates import PER

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Kind = Literal["new", "lasting", "fading"]
SHARE_FALSE = 0.05


class Local(NamedTuple):
    """Of each grid (n,): ``z`` of Gi*, and ``q``, the share of false finds among all with so small a p (two-sided).

    NaN where a grid takes no part.
    """

    z: Floats
    q: Floats


class HotSpot(NamedTuple):
    """``grids``: numbers of its grids, those with most cases first. ``excess``: cases beyond what the rate of all would
    give its households; ``ratio``: its rate by that of all; ``q``: the least of its grids. ``kind``: in comparison with
    the period before, None where there was none."""

    grids: Ints
    cases: int
    households: int
    rate: float
    ratio: float
    excess: float
    q: float
    kind: Kind | None


def local_g(values: ArrayLike, i: ArrayLike, j: ArrayLike) -> Local:
    """Gi* of ``values`` (n,) with neighbours ``i``-``j`` (k,), each pair once; a grid is a neighbour of itself.

    The z of Getis & Ord (1992) and Ord & Getis (1995, eq. 6) with weights of one; p by the normal distribution; q by
    Benjamini & Hochberg (1995), as Caldas de Castro & Singer (2006) advise for local statistics. Grids of NaN take no
    part, neither as neighbours nor in mean and spread. All z are 0 where all values are the same.
    """
    from scipy.special import ndtr

    x = np.asarray(values, dtype=np.float64)
    part = np.isfinite(x)
    n = int(part.sum())
    z = np.where(part, 0.0, np.nan)
    known = np.where(part, x, 0.0)
    first, second = np.asarray(i, dtype=np.int64), np.asarray(j, dtype=np.int64)
    both = part[first] & part[second] & (first != second)
    first, second = first[both], second[both]
    weight, total = part.astype(np.float64), known.copy()
    for a, b in ((first, second), (second, first)):
        weight += np.bincount(a, minlength=len(x))
        total += np.bincount(a, weights=known[b], minlength=len(x))
    mean = known.sum() / max(n, 1)
    spread = float(np.sqrt(max((np.where(part, x - mean, 0.0) ** 2).sum() / max(n, 1), 0.0)))
    room = (n * weight - weight**2) / max(n - 1, 1)
    sure = part & (room > 0) & (spread > 1e-12 * max(abs(mean), 1e-300))
    z[sure] = (total[sure] - mean * weight[sure]) / (spread * np.sqrt(room[sure]))
    q = np.full(len(x), np.nan)
    q[part] = false_share(2 * ndtr(-np.abs(z[part])))
    return Local(z, q)


def false_share(p: Floats) -> Floats:
    """Benjamini & Hochberg's adjusted values of ``p`` (n,)."""
    order = np.argsort(p, kind="stable")
    n = len(p)
    stepped = p[order] * n / np.arange(1, n + 1)
    q = np.empty(n)
    q[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    return q


def hot(local: Local, cases: ArrayLike, households: ArrayLike, share: float = SHARE_FALSE) -> Bools:
    """Which grids are hot: with surroundings above the mean, at most ``share`` of all such finds false, and a rate of
    their own above that of all. Gi* alone calls a quiet grid between loud ones a hot spot; people would not."""
    count, living = np.asarray(cases, dtype=np.float64), np.asarray(households, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray((local.z > 0) & (local.q <= share) & (count > _mean(count, living) * living))


def _mean(cases: Floats, households: Floats) -> float:
    """Cases a household of all grids where somebody lives."""
    lived = households > 0
    return float(cases[lived].sum() / households[lived].sum()) if lived.any() else float("nan")


def hot_spots(
    cases: ArrayLike,
    households: ArrayLike,
    i: ArrayLike,
    j: ArrayLike,
    local: Local,
    *,
    before: Bools | None = None,
    share: float = SHARE_FALSE,
) -> list[HotSpot]:
    """Hot grids grouped by neighbourhood, the most cases beyond expectation first; after them those that fade.

    ``before`` (n,): which grids were hot in the period before. A hot spot that holds one of them lasts, any other is
    new; one of then that shares no grid with one of now fades, and is told with its figures of now.
    """
    count, living = np.asarray(cases, dtype=np.float64), np.asarray(households, dtype=np.float64)
    mean = _mean(count, living)
    now = hot(local, count, living, share)

    def told(grids: Ints, kind: Kind | None) -> HotSpot:
        had, homes = float(count[grids].sum()), float(living[grids].sum())
        rate = had / homes if homes else float("nan")
        order = np.lexsort((grids, -count[grids]))
        ratio = rate / mean if mean > 0 else float("nan")
        excess = had - mean * homes
        return HotSpot(grids[order], int(had), int(homes), PER * rate, ratio, excess, float(local.q[grids].min()), kind)

    found = [
        told(grids, None if before is None else "lasting" if before[grids].any() else "new")
        for grids in together(now, i, j)
    ]
    found.sort(key=lambda spot: (-spot.excess, spot.grids[0]))
    if before is None:
        return found
    gone = [told(grids, "fading") for grids in together(np.asarray(before, dtype=bool), i, j) if not now[grids].any()]
    return found + sorted(gone, key=lambda spot: (-spot.excess, spot.grids[0]))


def together(chosen: Bools, i: ArrayLike, j: ArrayLike) -> list[Ints]:
    """The ``chosen`` (n,) grids in groups that hang together over the neighbours ``i``-``j``, each ascending."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    members = np.flatnonzero(chosen)
    if not len(members):
        return []
    first, second = np.asarray(i, dtype=np.int64), np.asarray(j, dtype=np.int64)
    inside = chosen[first] & chosen[second]
    number = np.full(len(chosen), -1, dtype=np.int64)
    number[members] = np.arange(len(members))
    ends = (number[first[inside]], number[second[inside]])
    ones: Any = np.ones(int(inside.sum()), dtype=np.int8)
    graph = coo_array((ones, ends), shape=(len(members), len(members)))
    count, label = connected_components(graph, directed=False)
    order = np.argsort(label, kind="stable")
    return np.split(members[order], np.cumsum(np.bincount(label, minlength=count))[:-1])
