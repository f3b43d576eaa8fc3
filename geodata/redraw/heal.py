"""Smallest repairs: the fewest households that change grid so that one grid and those beside it are in the band.

The search is in :mod:`geodata.redraw.cures`; here its finds become repairs that an editor can show and apply.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic

import numpy as np

from geodata.redraw.cures import EXPANSIONS, Cure, Patient
from geodata.redraw.edits import GridNow, Reason
from geodata.redraw.model import Instance, Ints
from geodata.redraw.result import Violation
from geodata.redraw.state import State

_FIRST = 0.5  # of the seconds, for the grid with those beside it
_PATIENCE = 4  # times as many plans are looked at for the grid alone, where it cannot be mended with those beside it


@dataclass(frozen=True, slots=True)
class Repair:
    """Units (k,) that change grid, the grid each leaves (``origin``) and comes to (``target``), and what that does.

    ``before`` and ``after``: the grids touched. ``excess``, ``outside`` and ``total``: changes of the plan's score,
    negative is better. ``left``: grids beside the healed one that still break the band (not worse than before).
    """

    grid: int
    units: Ints
    origin: Ints
    target: Ints
    households: int
    plan: Ints
    before: tuple[GridNow, ...]
    after: tuple[GridNow, ...]
    excess: int
    outside: float
    total: float
    left: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Healing:
    """Repairs, best first; with none of them, the ``reason``."""

    grid: int
    repairs: list[Repair]
    reason: Reason | None = None


def heal(
    instance: Instance,
    plan: Ints,
    grid: int,
    *,
    count: int = 3,
    known: Iterable[Violation] = (),
    seconds: float | None = None,
) -> Healing:
    """Up to ``count`` different repairs of ``grid`` and the grids beside it, by households moved, then score.

    Hard rules hold, and no other grid gets worse. Where the grids beside cannot be mended with it, repairs of ``grid``
    alone are given, with what is ``left``. Where there is none, the reason is ``REDRAW_HEAL_FINE``, ``_CLOSED``,
    ``_PROVED`` (no redraw can, says one of the ``known`` violations) or ``_NONE`` (none found). Raises ``KeyError`` for
    a grid that the plan does not have. ``seconds`` bounds the search, which otherwise ends by the plans it has seen.
    """
    began = monotonic()
    patient = Patient(instance, plan)
    slot = patient.slot(grid)
    if grid in instance.closed:
        return Healing(grid, [], Reason("REDRAW_HEAL_CLOSED", {"grid": grid}))
    around = [slot, *patient.around(slot)]
    broken = [one for one in around if patient.broken(one)]
    if not broken:
        return Healing(grid, [], Reason("REDRAW_HEAL_FINE", {"grid": grid}))
    kind = next((one.proof["kind"] for one in known if one.grid == grid and one.proof), None)
    if kind:
        return Healing(grid, [], Reason("REDRAW_HEAL_PROVED", {"grid": grid, "kind": kind}))
    first, last = (math.inf, math.inf) if seconds is None else (began + seconds * _FIRST, began + seconds)
    cures = patient.cures(broken, count, until=first)
    if not cures and slot in broken:
        cures = patient.cures([slot], count, _PATIENCE * EXPANSIONS, until=last)
    if not cures:
        return Healing(grid, [], Reason("REDRAW_HEAL_NONE", {"grid": grid}))
    state = State(instance, plan)
    repairs = [_repair(state, patient, cure, around) for cure in cures]
    return Healing(grid, sorted(repairs, key=lambda one: (one.households, one.total)))


def _repair(state: State, patient: Patient, cure: Cure, around: list[int]) -> Repair:
    """What ``cure`` does, found by doing it and taking it back; ``around``: slots, the healed grid's first."""
    number = dict(enumerate(patient.grids.tolist()))
    new = sorted(set(cure.moved.values()) - number.keys())
    number |= {slot: state.new_grid + at for at, slot in enumerate(new)}
    units = np.array(sorted(cure.moved), dtype=np.int64)
    origin = patient.grids[patient.label[units]]
    target = np.array([number[cure.moved[unit]] for unit in units.tolist()], dtype=np.int64)
    touched = np.union1d(origin, target).tolist()
    before, then = tuple(state.grid(one) for one in np.intersect1d(touched, patient.grids)), state.totals().score
    goals = np.unique(target).tolist()
    for goal in goals:
        state.move(units[target == goal].tolist(), goal)
    now = state.totals().score
    beside = [state.grid(number[slot]) for slot in around]
    repair = Repair(
        grid=number[around[0]],
        units=units,
        origin=origin,
        target=target,
        households=cure.households,
        plan=state.plan,
        before=before,
        after=tuple(state.grid(one) for one in touched),
        excess=now.excess - then.excess,
        outside=now.outside - then.outside,
        total=now.total - then.total,
        left=tuple(one.grid for one in beside if one.excess or one.pieces > 1),
    )
    for _ in goals:
        state.undo()
    return repair
