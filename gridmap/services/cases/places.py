"""Single cases of a view: what is seen close by. Raw data; every look at it is for those who hold the right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import Case
from gridmap.errors import TooLarge
from gridmap.services.actor import Actor
from gridmap.services.cases.filters import CaseFilter, condition
from gridmap.services.sight import require_raw

#: So many cases are shown one by one.
POINTS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class CasePoint:
    """One case on the map."""

    id: int
    category: str
    occurred_at: datetime
    place: str | None
    lon: float
    lat: float


@service
def in_view(session: Session, actor: Actor, wanted: CaseFilter) -> tuple[CasePoint, ...]:
    """Located cases of ``wanted.bbox`` (edges included), the newest first.

    Each look is in the audit. Raises ``Forbidden`` CASES_RAW, ``TooLarge`` CASES_TOO_MANY beyond :data:`POINTS_MAX`.
    """
    require_raw(session, actor, wanted, "map")
    rows = session.execute(
        sa.select(
            Case.id, Case.category, Case.occurred_at, Case.place, sa.func.ST_X(Case.point), sa.func.ST_Y(Case.point)
        )
        .where(condition(session, actor, wanted), Case.point.is_not(None))
        .order_by(Case.occurred_at.desc(), Case.id.desc())
        .limit(POINTS_MAX + 1)
    ).all()
    if len(rows) > POINTS_MAX:
        raise TooLarge("CASES_TOO_MANY", max=POINTS_MAX)
    return tuple(CasePoint(*row) for row in rows)
