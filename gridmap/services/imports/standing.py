"""What is there already, kind by kind: a planner sees what comes next."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata.fields import Kind
from gridmap.db.engine import service
from gridmap.db.models import Barrier, Base, Building, Case, Region, SourceGrid, Unit
from gridmap.services.actor import Actor, Role

_TABLES: Mapping[Kind, type[Base]] = {
    Kind.REGIONS: Region,
    Kind.BARRIERS: Barrier,
    Kind.BUILDINGS: Building,
    Kind.GRIDS: SourceGrid,
    Kind.CASES: Case,
    Kind.UNITS: Unit,
}


@service
def standing(session: Session, actor: Actor) -> Mapping[str, int]:
    """How many things of each kind there are in the actor's regions (barriers: everywhere), in the order of work."""
    actor.require(Role.PLANNER)
    return {kind.value: session.scalar(_count(actor, table)) or 0 for kind, table in _TABLES.items()}


def _count(actor: Actor, table: type[Base]) -> sa.Select[int]:
    chosen = sa.select(sa.func.count()).select_from(table)
    if table is Unit:
        chosen = chosen.where(Unit.retired_at.is_(None))
    if table is Barrier or actor.everywhere(Role.VIEWER):
        return chosen
    if table is SourceGrid:  # drawn elsewhere, in no community yet: their codes begin with one's
        return chosen.where(actor.visible(SourceGrid.code))
    if table is not Region:
        chosen = chosen.join(Region, Region.id == table.__table__.c.region_id)
    return chosen.where(actor.visible(Region.code))
