"""Filling: every unit in no grid goes into the best grid beside it, or it is said why not."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from geodata.messages import hint, sentence
from gridmap.db.engine import service
from gridmap.errors import Invalid
from gridmap.services.actor import Actor, Role
from gridmap.services.assist.at import at_version, require_version
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

    found, left = [], []
    for code, ground, loose in _loose(actor, plan_id, version, region_code):
        if isinstance(ground, Invalid):
            told = ground.sentence(actor.locale), ground.hint(actor.locale)
            left.append(LeftOut(tuple(loose), 0, ground.code, *told))
            continue
        filled = placed(ground.instance, ground.instance.start)
        if len(filled.units):
            found.append((code, suggest(ground, filled.plan, actor.locale)))
        by_code: dict[str, list[int]] = {}
        for one in filled.left:
            by_code.setdefault(one.code, []).append(one.unit)
        left += [_left(ground, why, units, actor.locale) for why, units in by_code.items()]
    return Filling(tuple(found), tuple(left))


def _left(ground: Ground, code: str, units: list[int], locale: str) -> LeftOut:
    households = int(ground.instance.units.households[units].sum())
    ids = tuple(ground.unit_ids[units].tolist())
    return LeftOut(ids, households, code, sentence(code, locale), hint(code, locale))


@service
def _loose(
    session: Session, actor: Actor, plan_id: int, version: int, region_code: str | None
) -> list[tuple[str, Ground | Invalid, list[int]]]:
    """Communities with units in no grid, their ground (or why they have none), and these units (ids)."""
    require_version(session, actor, plan_id, version)
    _, region, _ = reach.within(session, actor, plan_id, region_code)
    actor.require(Role.PLANNER, region.code)
    rows = session.execute(query("assist", "unassigned"), {"plan": plan_id, "prefix": region.prefix}).all()
    found: list[tuple[str, Ground | Invalid, list[int]]] = []
    for code, units in rows:
        try:
            ground: Ground | Invalid = at_version(session, actor, plan_id, version, Wish(code))
        except Invalid as error:  # no bound holds there
            ground = error
        found.append((code, ground, units))
    return found
