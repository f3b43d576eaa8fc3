"""Comments on a plan, on one of its grids or on a place: written by whoever may look, answered, resolved.

An answer stands under a remark; an answer to an answer stands under the same remark. Resolving closes the remark with
its answers. The code of a grid is kept with the remark, so that it still says of what it spoke when the grid is gone.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import SRID, Grid, Plan, PlanComment, Region
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services import audit
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import visible
from gridmap.sql import query

TEXT_MAX = 2000
#: Control characters that make text look other than it is: left out.
_TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200B, 0xFEFF}


@dataclass(frozen=True, slots=True)
class Comment:
    """A remark, or with ``reply_to`` an answer; ``point`` is lon, lat; ``author`` None where the account is gone."""

    id: int
    text: str
    author: str | None
    at: datetime
    mine: bool
    grid_id: int | None
    grid_code: str | None
    point: tuple[float, float] | None
    reply_to: int | None
    resolved_at: datetime | None
    resolved_by: str | None
    may_resolve: bool
    may_delete: bool


@dataclass(frozen=True, slots=True)
class Comments:
    """Some remarks with their answers; ``total`` counts the remarks that were asked for, ``open`` the unresolved."""

    items: tuple[Comment, ...]
    total: int
    open: int


@service
def comments(
    session: Session,
    actor: Actor,
    plan_id: int,
    *,
    open: bool = False,
    grid: int | None = None,
    limit: int = 50,
    offset: int = 0,
) -> Comments:
    """Remarks on a plan, unresolved ones first, newest first, each followed by its answers; ``limit`` counts remarks.

    ``open`` leaves resolved ones out, ``grid`` takes those on one grid. Raises ``NotFound`` PLAN_NOT_FOUND.
    """
    plan, region = visible(session, actor, plan_id)
    key = {"plan": plan_id, "patterns": actor.patterns(Role.VIEWER), "grid": grid}
    threads = session.execute(
        query("comments", "threads"), {**key, "open": open, "limit": limit, "offset": offset}
    ).all()
    if threads:
        total, unresolved = threads[0].total, threads[0].open
    else:  # nothing on this page, but perhaps something else
        whole = session.execute(query("comments", "threads"), {**key, "open": None, "limit": 1, "offset": 0}).first()
        total, unresolved = 0, 0 if whole is None else whole.open
    return Comments(_read(session, actor, plan, region, [row.id for row in threads]), total, unresolved)


@service
def write(
    session: Session,
    actor: Actor,
    plan_id: int,
    text: str,
    *,
    grid: int | None = None,
    point: tuple[float, float] | None = None,
    reply_to: int | None = None,
) -> Comment:
    """Say ``text`` of a plan, of its ``grid`` (id), of a ``point`` (lon, lat), or in answer to another comment.

    Raises ``Invalid`` COMMENT_EMPTY, COMMENT_TOO_LONG, COMMENT_PERSONAL, COMMENT_PLACE, COMMENT_GRID, ``NotFound``
    COMMENT_NOT_FOUND, ``Conflict`` PLAN_STATE where the plan is archived.
    """
    plan, region = visible(session, actor, plan_id)
    if plan.state == "archived":
        raise Conflict("PLAN_STATE", plan=plan.name, state=plan.state)
    said = PlanComment(plan_id=plan_id, text=cleaned(text), created_by=actor.user_id)
    where: str = region.code
    if reply_to is not None:
        said.reply_to = _thread(session, actor, plan_id, reply_to)
    elif grid is not None:
        said.grid_id, said.grid_code, where = _grid(session, actor, plan_id, grid)
    if reply_to is None and point is not None:
        where = _community(session, actor, region, point)
        said.point = sa.func.ST_SetSRID(sa.func.ST_MakePoint(*point), SRID)
    session.add(said)
    session.flush()
    audit.record(session, actor, "comment.write", "plan", plan_id, region_code=where, comment=said.id)
    return _one(session, actor, plan, region, said.id)


@service
def settle(session: Session, actor: Actor, plan_id: int, comment_id: int, *, resolved: bool) -> Comment:
    """Mark a remark as resolved, or as open again; by its author or a planner of the plan's region.

    Repeating it changes nothing. Raises ``NotFound`` COMMENT_NOT_FOUND, ``Forbidden`` COMMENT_RESOLVES.
    """
    plan, region = visible(session, actor, plan_id)
    thread = session.get_one(PlanComment, _thread(session, actor, plan_id, comment_id), with_for_update=True)
    if not _may_resolve(actor, region, thread.created_by):
        raise Forbidden("COMMENT_RESOLVES")
    if resolved != (thread.resolved_at is not None):
        thread.resolved_by = actor.user_id if resolved else None
        thread.resolved_at = sa.func.clock_timestamp() if resolved else None
        session.flush()
        action = "comment.resolve" if resolved else "comment.reopen"
        audit.record(session, actor, action, "plan", plan_id, region_code=region.code, comment=thread.id)
    return _one(session, actor, plan, region, thread.id)


@service
def delete(session: Session, actor: Actor, plan_id: int, comment_id: int) -> None:
    """Take a comment back: by its author or an administrator, while nobody answered it.

    Raises ``NotFound`` COMMENT_NOT_FOUND, ``Forbidden`` COMMENT_NOT_YOURS, ``Conflict`` COMMENT_ANSWERED.
    """
    _, region = visible(session, actor, plan_id)
    _thread(session, actor, plan_id, comment_id)
    comment = session.get_one(PlanComment, comment_id, with_for_update=True)
    if not _may_delete(actor, region, comment.created_by):
        raise Forbidden("COMMENT_NOT_YOURS")
    if session.scalar(sa.select(sa.exists().where(PlanComment.reply_to == comment_id))):
        raise Conflict("COMMENT_ANSWERED")
    session.delete(comment)
    audit.record(session, actor, "comment.delete", "plan", plan_id, region_code=region.code, comment=comment_id)


def cleaned(text: str) -> str:
    """``text`` without control characters, trailing space and runs of empty lines; refused as :func:`write` says."""
    lines = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    plain = "\n".join("".join(c for c in line if _plain(c)).rstrip() for line in lines)
    plain = re.sub(r"\n{3,}", "\n\n", plain).strip()
    if not plain:
        raise Invalid("COMMENT_EMPTY")
    if len(plain) > TEXT_MAX:
        raise Invalid("COMMENT_TOO_LONG", length=len(plain), limit=TEXT_MAX)
    if _personal(plain):
        raise Invalid("COMMENT_PERSONAL")
    return plain


def _plain(character: str) -> bool:
    return (unicodedata.category(character) not in ("Cc", "Cs") or character == "\t") and ord(character) not in _TURNING


def _personal(text: str) -> bool:
    """Whether a mobile or an identity number stands in ``text``, the latter also with its digits kept apart."""
    import pandas as pd

    from geodata.personal import holds_identity, personal_cells

    joined = re.sub(r"(?<=\d)[ \t\-.·—]+(?=[\dXx])", "", unicodedata.normalize("NFKC", text))
    return holds_identity(joined) or bool(personal_cells(pd.Series([text])).any())


def _grid(session: Session, actor: Actor, plan_id: int, grid_id: int) -> tuple[int, str, str]:
    """Id, code and community's code of a grid that the actor may see."""
    row = session.execute(
        sa.select(Grid.id, Grid.code, Region.code.label("region"))
        .outerjoin(Region, Region.id == Grid.region_id)
        .where(Grid.id == grid_id, Grid.plan_id == plan_id)
        .with_for_update(read=True, key_share=True, of=Grid)
    ).one_or_none()
    if row is None or not actor.may(Role.VIEWER, row.region or row.code):
        raise Invalid("COMMENT_GRID", grid=grid_id)
    return row.id, row.code, row.region or row.code


def _community(session: Session, actor: Actor, region: Region, point: tuple[float, float]) -> str:
    key = {"prefix": region.prefix, "patterns": actor.patterns(Role.VIEWER), "lon": point[0], "lat": point[1]}
    code = session.scalar(query("comments", "community_at"), key)
    if code is None:
        raise Invalid("COMMENT_PLACE")
    return str(code)


def _thread(session: Session, actor: Actor, plan_id: int, comment_id: int) -> int:
    """The remark that a comment is, or stands under, where the actor may see it."""
    found = session.scalar(
        sa.select(sa.func.coalesce(PlanComment.reply_to, PlanComment.id)).where(
            PlanComment.id == comment_id, PlanComment.plan_id == plan_id
        )
    )
    key = {"plan": plan_id, "patterns": actor.patterns(Role.VIEWER), "grid": None, "open": None}
    shown = session.execute(query("comments", "threads"), {**key, "limit": None, "offset": 0})
    if found is None or found not in {row.id for row in shown}:
        raise NotFound("COMMENT_NOT_FOUND")
    return int(found)


def _one(session: Session, actor: Actor, plan: Plan, region: Region, comment_id: int) -> Comment:
    thread = session.scalar(
        sa.select(sa.func.coalesce(PlanComment.reply_to, PlanComment.id)).where(PlanComment.id == comment_id)
    )
    return next(one for one in _read(session, actor, plan, region, [thread]) if one.id == comment_id)


def _read(session: Session, actor: Actor, plan: Plan, region: Region, threads: list[Any]) -> tuple[Comment, ...]:
    rows = session.execute(query("comments", "comments"), {"threads": threads}).all()
    return tuple(
        Comment(
            **{name: getattr(row, name) for name in ("id", "text", "author", "at", "grid_id", "grid_code")},
            mine=actor.user_id is not None and row.created_by == actor.user_id,
            point=None if row.lon is None else (row.lon, row.lat),
            reply_to=row.reply_to,
            resolved_at=row.resolved_at,
            resolved_by=row.resolved_by,
            may_resolve=row.reply_to is None and _may_resolve(actor, region, row.thread_by),
            may_delete=not row.answered and _may_delete(actor, region, row.created_by),
        )
        for row in rows
    )


def _may_resolve(actor: Actor, region: Region, author: int | None) -> bool:
    return actor.may(Role.PLANNER, region.code) or (author is not None and author == actor.user_id)


def _may_delete(actor: Actor, region: Region, author: int | None) -> bool:
    return actor.may(Role.ADMINISTRATOR, region.code) or (author is not None and author == actor.user_id)
