"""Filling: every unit in no grid goes into the best grid beside it, or it is said why not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from geodata.messages import hint, sentence
from gridmap.db.engine import service
from gridmap.errors import Invalid
from gridmap.services.actor import Actor
from gridmap.services.assist.at import at_version, common, cut_down, require_version
from gridmap.services.assist.suggest import Suggestion, suggest
from gridmap.services.redraw.ground import Ground, reach
from gridmap.services.redraw.wish import Wish
from gridmap.sql import query


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Units (ids) that were left, all for one reason: its code, its sentence, and what to do."""

    units: tuple[int, ...]
    households: int
    code: str
    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class Filling:
    """A suggestion for each community with units in no grid (by code), and what is left there."""

    communities: tuple[tuple[str, Suggestion], ...]
    left: tuple[LeftOut, ...]


def fill(actor: Actor, plan_id: int, version: int, region_code: str | None = None) -> Filling:
    """Place the units in no grid, of a region or all of the plan; locked grids take none.

    Raises as :func:`gridmap.services.assist.at.require_version` and :func:`gridmap.services.redraw.ground.reach`.
    """
    from geodata.redraw.fill import fill as placed

    ground, loose = _loose(actor, plan_id, version, region_code)
    found, left = [], []
    for code, units in loose.items():
        if isinstance(ground, Invalid) or code not in ground.codes:
            left.append(_unbounded(ground, code, units, actor.locale))
            continue
        group = int(np.flatnonzero(ground.codes == code)[0])
        here = cut_down(ground, np.flatnonzero(ground.instance.units.group == group))
        filled = placed(here.instance, here.instance.start)
        if len(filled.units):
            found.append((code, suggest(here, filled.plan, actor.locale)))
        by_code: dict[str, list[int]] = {}
        for one in filled.left:
            by_code.setdefault(one.code, []).append(one.unit)
        left += [_left(here, why, rows, actor.locale) for why, rows in by_code.items()]
    return Filling(tuple(found), tuple(left))


def _left(ground: Ground, code: str, units: list[int], locale: str) -> LeftOut:
    households = int(ground.instance.units.households[units].sum())
    ids = tuple(ground.unit_ids[units].tolist())
    return LeftOut(ids, households, code, sentence(code, locale), hint(code, locale))


def _unbounded(ground: Ground | Invalid, code: str, units: tuple[list[int], int], locale: str) -> LeftOut:
    """Units of a community in which no bound holds."""
    error = ground
    if not isinstance(error, Invalid):
        error = Invalid("PLAN_REDRAW_NO_BOUND", region=code, standard=error.profile.title_zh)
    return LeftOut(tuple(units[0]), units[1], error.code, error.sentence(locale), error.hint(locale))


@service
def _loose(
    session: Session, actor: Actor, plan_id: int, version: int, region_code: str | None
) -> tuple[Ground | Invalid, dict[str, tuple[list[int], int]]]:
    """The ground that holds all units in no grid (or why none does), and by community these (ids), with households."""
    require_version(session, actor, plan_id, version)
    _, region, _ = reach.within(session, actor, plan_id, region_code)
    rows = session.execute(query("assist", "unassigned"), {"plan": plan_id, "prefix": region.prefix}).all()
    loose = {row.code: (list(row.units), int(row.households)) for row in rows}
    try:
        return at_version(session, actor, plan_id, version, Wish(common(list(loose) or [region.code]))), loose
    except Invalid as error:  # no bound holds there
        return error, loose
