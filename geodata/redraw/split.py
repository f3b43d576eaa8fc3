"""A patch parted into up to three grids: its score, and which label each part carries."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from geodata.redraw.bits import NONE
from geodata.redraw.patch import Patch, may_take, part_score, saved

LESS = 1e-7  # a smaller difference of scores is rounding


class Split(NamedTuple):
    """The parts ``a``, ``b`` and ``c`` (any but ``a`` may be empty), the places of their labels, and the score.

    ``looked``: branches it took to find it; ``done``: False if the work cap ended the search.
    """

    a: np.uint64
    b: np.uint64
    c: np.uint64
    label_a: int
    label_b: int
    label_c: int
    excess: int
    outside: float
    cost: float
    looked: int
    done: bool


@njit(cache=True, nogil=True)
def better(excess: int, outside: float, cost: float, than: Split) -> bool:
    """Whether a score is lexicographically below that of ``than``, by more than rounding."""
    if excess != than.excess:
        return excess < than.excess
    if abs(outside - than.outside) > LESS:
        return outside < than.outside
    return cost < than.cost - LESS


@njit(cache=True, nogil=True)
def name(patch: Patch, a: np.uint64, b: np.uint64, c: np.uint64) -> tuple[int, int, int, float]:
    """Places of the labels that save most moved households, and what they save; all -1 if locks forbid any.

    Labels are taken in their order where nothing tells them apart; an empty part has -1.
    """
    count = len(patch.label)
    save = np.full((3, count), -1.0)
    for at, part in enumerate((a, b, c)):
        for one in range(count):
            if part == NONE:
                save[at, one] = 0.0
            elif may_take(patch, part, one):
                save[at, one] = saved(patch, part, one) if patch.keeps else 0.0
    best = (-1, -1, -1, -1.0)
    for x in range(count):
        if save[0, x] < 0:
            continue
        for y in range(count if b != NONE else 1):
            if (b != NONE and y == x) or save[1, y] < 0:
                continue
            for z in range(count if c != NONE else 1):
                if (c != NONE and (z == x or (b != NONE and z == y))) or save[2, z] < 0:
                    continue
                total = save[0, x] + save[1, y] + save[2, z]
                if total > best[3] + LESS:
                    best = (x, y if b != NONE else -1, z if c != NONE else -1, total)
    return best


@njit(cache=True, nogil=True)
def rate(patch: Patch, a: np.uint64, b: np.uint64, c: np.uint64) -> tuple[int, float, float]:
    """Score of the parts before anything is saved by their labels."""
    excess, outside, cost = part_score(patch, a)
    for part in (b, c):
        if part != NONE:
            other = part_score(patch, part)
            excess, outside, cost = excess + other[0], outside + other[1], cost + other[2]
    return excess, outside, cost


@njit(cache=True, nogil=True)
def challenge(patch: Patch, a: np.uint64, b: np.uint64, c: np.uint64, best: Split) -> Split:
    """These parts under their best labels if that beats ``best``, else ``best``."""
    x, y, z, saving = name(patch, a, b, c)
    if x < 0:
        return best
    excess, outside, cost = rate(patch, a, b, c)
    if not better(excess, outside, cost - saving, best):
        return best
    return Split(a, b, c, x, y, z, excess, outside, cost - saving, best.looked, best.done)


@njit(cache=True, nogil=True)
def seen(split: Split, looked: int, done: bool) -> Split:
    """``split`` after so many more branches."""
    return Split(
        split.a,
        split.b,
        split.c,
        split.label_a,
        split.label_b,
        split.label_c,
        split.excess,
        split.outside,
        split.cost,
        split.looked + looked,
        split.done and done,
    )
