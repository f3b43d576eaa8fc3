"""Merging: which grid beside it an under-sized grid goes together with best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.redraw.model import Instance, Ints
from gridmap.services.actor import Actor
from gridmap.services.assist.at import around
from gridmap.services.assist.suggest import Names, Ref, Suggestion, suggest

MOST = 5


@dataclass(frozen=True, slots=True)
class Merge:
    """Merging with the grid ``other``; the one with fewer households goes into the other one. ``fits``: in the band."""

    other: Ref
    code: str
    suggestion: Suggestion
    fits: bool


def merges(actor: Actor, plan_id: int, version: int, grid_id: int) -> tuple[Merge, ...]:
    """Up to five grids to merge a grid with, best first: by the band, then by shapes, borders and households moved.

    Grids beside it over a border that can be crossed; never locked ones. Raises as
    :func:`gridmap.services.assist.at.around`.
    """
    from geodata.redraw.measure import measure

    ground, grid = around(actor, plan_id, version, grid_id)
    instance = ground.instance
    plans = {other: _merged(instance, grid, other) for other in _beside(instance, grid)}
    scores = {other: measure(instance, plan).score.key() for other, plan in plans.items()}
    names = Names(ground, instance.start, actor.locale)
    told = []
    for other in sorted(scores, key=lambda other: (scores[other], other))[:MOST]:
        suggestion = suggest(ground, plans[other], actor.locale)
        fits = all(now.status in ("within", "empty") for now in suggestion.after)
        told.append(Merge(names.ref(other) or 0, names.code(other), suggestion, fits))
    return tuple(told)


def _merged(instance: Instance, grid: int, other: int) -> Ints:
    start, households = instance.start, instance.units.households
    less, more = sorted((grid, other), key=lambda one: (int(households[start == one].sum()), one != grid))
    return np.where(start == less, more, start)


def _beside(instance: Instance, grid: int) -> list[int]:
    """Grids that share a border of ``grid`` that can be crossed; none where it is closed."""
    from geodata.redraw.pockets import open_borders

    borders, open_ = instance.units.borders, open_borders(instance)
    a, b = instance.start[borders.i[open_]], instance.start[borders.j[open_]]
    found = np.unique(np.concatenate([b[a == grid], a[b == grid]]))
    return [int(other) for other in found if other >= 0 and other != grid]
