"""The ground around a grid, of the plan as it is at one version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata.redraw.model import Ints
from gridmap.db.engine import service
from gridmap.db.models import Grid, Plan
from gridmap.errors import Conflict, Invalid, NotFound
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import visible
from gridmap.services.redraw.ground import Ground, read
from gridmap.services.redraw.wish import Wish
from gridmap.sql import query

#: Codes that a conflict names; the rest are counted by nobody.
_CODES_MAX = 10


def require_version(session: Session, actor: Actor, plan_id: int, version: int) -> Plan:
    """The plan, if it still is at ``version``, for a planner of its whole region: nobody else may take what is found.

    Raises ``NotFound`` PLAN_NOT_FOUND, ``Forbidden``, ``Conflict`` PLAN_CHANGED (as an operation on an old version).
    """
    plan, region = visible(session, actor, plan_id)
    actor.require(Role.PLANNER, region.code)
    unchanged(session, plan_id, version)
    return plan


def unchanged(session: Session, plan_id: int, version: int) -> None:
    """Raise ``Conflict`` PLAN_CHANGED if the plan is not, or no longer, at ``version``."""
    now = session.scalar(sa.select(Plan.version).where(Plan.id == plan_id))
    if now != version:
        given = {"plan": plan_id, "version": version}
        codes = list(session.scalars(query("assist", "changed_since"), given))[:_CODES_MAX]
        raise Conflict("PLAN_CHANGED", codes="、".join(codes) or "—", plan=plan_id, version=now, grids=codes)


@service
def around(session: Session, actor: Actor, plan_id: int, version: int, grid_id: int) -> tuple[Ground, int]:
    """The community of a grid (or what holds all of its communities), and the grid's number there.

    Raises as :func:`require_version` and :func:`gridmap.services.redraw.ground.read`, ``NotFound``
    ASSIST_GRID_UNKNOWN, ``Invalid`` ASSIST_GRID_SPECIAL, ASSIST_GRID_MICRO, ASSIST_GRID_EMPTY.
    """
    require_version(session, actor, plan_id, version)
    grid = session.scalar(sa.select(Grid).where(Grid.id == grid_id, Grid.plan_id == plan_id))
    if grid is None:
        raise NotFound("ASSIST_GRID_UNKNOWN", grid=grid_id)
    if grid.kind == "special":
        raise Invalid("ASSIST_GRID_SPECIAL", code_=grid.code)
    if grid.parent_id is not None:
        raise Invalid("ASSIST_GRID_MICRO", code_=grid.code)
    homes = homes_of(session, plan_id, [grid_id])
    if not homes:
        raise Invalid("ASSIST_GRID_EMPTY", code_=grid.code)
    ground = at_version(session, actor, plan_id, version, Wish(common(homes)))
    found = (ground.grid_ids == grid_id).nonzero()[0]
    if not len(found):
        raise Invalid("PLAN_REDRAW_NO_BOUND", region=grid.code, standard=ground.profile.title_zh)
    return ground, int(found[0])


def at_version(session: Session, actor: Actor, plan_id: int, version: int, wish: Wish) -> Ground:
    """The ground that ``wish`` names. Raises ``Conflict`` PLAN_CHANGED if an operation was saved while it was read."""
    ground = read.within(session, actor, plan_id, wish)
    unchanged(session, plan_id, version)
    return ground


def cut_down(ground: Ground, members: Ints) -> Ground:
    """``ground`` with the units ``members`` (k,; ascending) alone."""
    from geodata.redraw.subset import subset

    task, kept = subset(ground.instance, members)
    used = np.unique(ground.instance.units.group[members])
    return replace(
        ground,
        instance=task,
        unit_ids=ground.unit_ids[members],
        grid_ids=ground.grid_ids[kept],
        grid_codes=ground.grid_codes[kept],
        grid_names=ground.grid_names[kept],
        codes=ground.codes[used],
        names=ground.names[used],
    )


def homes_of(session: Session, plan_id: int, grids: Sequence[int]) -> list[str]:
    """Codes of the communities that hold ground of ``grids``."""
    return list(session.scalars(query("assist", "homes_of"), {"plan": plan_id, "grids": list(grids)}))


def common(codes: Sequence[str]) -> str | None:
    """The smallest region that holds all communities ``codes``; None where it is larger than a county."""
    for digits in (12, 9, 6):
        heads = {code[:digits] for code in codes}
        if len(heads) == 1:
            return heads.pop().ljust(12, "0")
    return None
