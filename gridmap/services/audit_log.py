"""Reading the audit: for administrators, as far as their regions reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import AuditEvent
from gridmap.services.actor import Actor, Role

#: The most events one export holds; narrower filters give the rest.
EXPORT_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events: bounds of time (``until`` excluded), part of a login, beginning of an action, a region's prefix."""

    since: datetime | None = None
    until: datetime | None = None
    login: str = ""
    action: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One event as it is shown and exported."""

    id: int
    at: datetime
    login: str
    action: str
    subject_type: str | None
    subject_id: str | None
    region_code: str | None
    address: str | None
    detail: dict[str, Any]


@service
def list_events(
    session: Session, actor: Actor, wanted: AuditFilter, *, limit: int = 50, offset: int = 0
) -> tuple[list[AuditEntry], int]:
    """A page of events, newest first, and how many there are in all."""
    actor.require(Role.ADMINISTRATOR)
    where = _where(actor, wanted)
    total = session.scalar(sa.select(sa.func.count()).select_from(AuditEvent).where(*where)) or 0
    query = sa.select(AuditEvent).where(*where).order_by(AuditEvent.id.desc()).limit(limit).offset(offset)
    return [_entry(event) for event in session.scalars(query)], total


@service
def export_events(session: Session, actor: Actor, wanted: AuditFilter) -> list[AuditEntry]:
    """The newest ``EXPORT_LIMIT`` events that match, newest first."""
    actor.require(Role.ADMINISTRATOR)
    query = sa.select(AuditEvent).where(*_where(actor, wanted)).order_by(AuditEvent.id.desc()).limit(EXPORT_LIMIT)
    return [_entry(event) for event in session.scalars(query.execution_options(yield_per=5_000))]


@service
def known_actions(session: Session, actor: Actor) -> list[str]:
    """The kinds of event recorded so far, for the filter."""
    actor.require(Role.ADMINISTRATOR)
    return list(session.scalars(sa.select(AuditEvent.action).distinct().order_by(AuditEvent.action)))


def _where(actor: Actor, wanted: AuditFilter) -> tuple[sa.ColumnElement[bool], ...]:
    return tuple(_conditions(actor, wanted))


def _conditions(actor: Actor, wanted: AuditFilter) -> Iterator[sa.ColumnElement[bool]]:
    if not actor.everywhere(Role.ADMINISTRATOR):
        yield actor.visible(AuditEvent.region_code, Role.ADMINISTRATOR)
    if wanted.since:
        yield AuditEvent.at >= wanted.since
    if wanted.until:
        yield AuditEvent.at < wanted.until
    if wanted.login:
        yield AuditEvent.login.icontains(wanted.login, autoescape=True)
    if wanted.action:
        yield AuditEvent.action.startswith(wanted.action, autoescape=True)
    if wanted.region:
        yield AuditEvent.region_code.startswith(wanted.region, autoescape=True)


def _entry(event: AuditEvent) -> AuditEntry:
    return AuditEntry(
        event.id,
        event.at,
        event.login,
        event.action,
        event.subject_type,
        event.subject_id,
        event.region_code,
        event.address,
        event.detail,
    )
