"""Where a search begins: today's grids taken apart into pieces, and grids grown around seeds where there are none."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import pairwise

import numpy as np
from numba import njit

from geodata.adjacency import components
from geodata.redraw.ground import Ground
from geodata.redraw.model import Bools, Floats, Ints

_LLOYD_ROUNDS = 6


def begin(ground: Ground, rng: np.random.Generator) -> Ints:
    """A plan (n,) in which every grid is in one piece: held units in their grids, the rest near today's plan.

    Of a grid in several pieces the piece with locked units, else with most households, keeps its number; other pieces
    become grids of their own. Ground without a grid is divided around seeds. New numbers follow the start plan's.
    """
    n = len(ground.start)
    label = ground.start.copy()
    ends = np.repeat(np.arange(n), np.diff(ground.indptr))
    closed = _closed(ground)
    _number_pieces(ground, label, ends, closed)
    free = (label < 0) & ~closed
    if free.any():
        _seed(ground, label, free, ends, rng)
    return label


def _closed(ground: Ground) -> Bools:
    """Units whose grid is closed: held, and no border of theirs is open."""
    any_open = np.zeros(len(ground.start), dtype=bool)
    np.logical_or.at(any_open, np.repeat(np.arange(len(any_open)), np.diff(ground.indptr)), ground.open)
    return np.asarray(ground.held & ~any_open, dtype=bool)


def _number_pieces(ground: Ground, label: Ints, ends: Ints, closed: Bools) -> None:
    """Give every piece but the main one of each grid a new number, in place."""
    together = ground.open & (label[ends] == label[ground.other]) & (label[ends] >= 0)
    piece = components(len(label), ends[together], ground.other[together])
    held = np.bincount(piece, ground.held)
    households = np.bincount(piece, ground.households)
    size = np.bincount(piece)
    first = np.full(len(size), -1, dtype=np.int64)
    first[piece[::-1]] = np.arange(len(label))[::-1]
    grid = np.where(closed[first], -1, label[first])
    order = np.lexsort((first, -size, -households, -held, grid))
    order = order[grid[order] >= 0]
    lesser = np.isin(label[first], label[closed]) & ~closed[first]  # a locked unit that nobody can join is its grid
    lesser[order[1:]] |= grid[order[1:]] == grid[order[:-1]]
    new = np.full(len(size), -1, dtype=np.int64)
    new[lesser] = int(label.max(initial=-1)) + 1 + np.arange(int(lesser.sum()))
    split = lesser[piece]
    label[split] = new[piece[split]]


def _seed(ground: Ground, label: Ints, free: Bools, ends: Ints, rng: np.random.Generator) -> None:
    """Divide ground in no grid: units above the maximum alone by themselves, the rest around as many seeds as fit."""
    over = free & ((ground.over_h > 0) | (ground.over_p > 0))
    label[over] = int(label.max(initial=-1)) + 1 + np.arange(int(over.sum()))
    rest = free & ~over
    together = ground.open & rest[ends] & rest[ground.other]
    pocket = components(len(label), ends[together], ground.other[together])
    members = np.flatnonzero(rest)
    members = members[np.argsort(pocket[members], kind="stable")]
    bounds = np.flatnonzero(np.diff(pocket[members], prepend=-1, append=-1))
    for low, high in pairwise(bounds.tolist()):
        units = members[low:high]
        seeds = _seeds(ground, units, how_many(ground, units), rng)
        first = int(label.max(initial=-1)) + 1
        label[seeds] = first + np.arange(len(seeds))
        if len(seeds) == 1:
            label[units] = first
        else:
            grow(label, rest, seeds, ground.indptr, ground.other, ground.open, ground.x_m, ground.y_m)


def how_many(ground: Ground, units: Ints) -> int:
    """Number of grids for connected ``units``: as many as fill the middle of the band, within what the band allows."""
    group = ground.group[units[0]]
    households, people = int(ground.households[units].sum()), int(ground.population[units].sum())
    wanted = round(households / ground.middle[group])
    most = households // max(int(ground.low[group]), 1)
    if ground.people_low[group] > 0:
        most = min(most, people // int(ground.people_low[group]))
    least = max(-(-households // int(ground.high[group])), -(-people // max(int(ground.people_high[group]), 1)))
    return int(np.clip(max(min(wanted, most), least), 1, len(units)))


def _seeds(ground: Ground, units: Ints, k: int, rng: np.random.Generator) -> Ints:
    """``k`` units spread like the households: k-means by Lloyd's rounds, then the unit nearest each centre."""
    from scipy.spatial import cKDTree

    if k >= len(units):
        return units
    xy = np.stack([ground.x_m[units], ground.y_m[units]], axis=1)
    weight = ground.households[units] + 1e-3
    centre = xy[rng.choice(len(units), k, replace=False)]
    for _ in range(_LLOYD_ROUNDS):
        nearest = cKDTree(centre).query(xy)[1]
        mass = np.bincount(nearest, weight, k)
        kept = mass > 0
        for axis in (0, 1):
            centre[kept, axis] = np.bincount(nearest, weight * xy[:, axis], k)[kept] / mass[kept]
    return np.asarray(units[np.unique(cKDTree(xy).query(centre)[1])], dtype=np.int64)


@njit(cache=True)
def grow(
    label: Ints, allowed: Bools, seeds: Ints, indptr: Ints, other: Ints, open_: Bools, x_m: Floats, y_m: Floats
) -> None:
    """Grow the labels of ``seeds`` over ``allowed`` units, nearest to its seed first, each in one piece."""
    heap = [(0.0, np.int64(0), np.int64(0))]
    heap.pop()
    for s in seeds:
        for e in range(indptr[s], indptr[s + 1]):
            if open_[e] and allowed[other[e]] and label[other[e]] < 0:
                v = other[e]
                heappush(heap, ((x_m[v] - x_m[s]) ** 2 + (y_m[v] - y_m[s]) ** 2, v, s))
    while len(heap) > 0:
        _, u, s = heappop(heap)
        if label[u] >= 0:
            continue
        label[u] = label[s]
        for e in range(indptr[u], indptr[u + 1]):
            v = other[e]
            if open_[e] and allowed[v] and label[v] < 0:
                heappush(heap, ((x_m[v] - x_m[s]) ** 2 + (y_m[v] - y_m[s]) ** 2, v, s))
