"""The audit, for administrators."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, Field

from gridmap.services.audit_log import AuditFilter
from gridmap.services.audit_log import list_events as list_audit
from gridmap.web.api import Model, Page, PageQuery, endpoint
from gridmap.web.session import current_actor


class AuditQuery(PageQuery):
    """Which events."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    login: str = Field(default="", max_length=80)
    action: str = Field(default="", max_length=80)
    region: str = Field(default="", pattern=r"^[0-9]{0,12}$")


class AuditOut(Model):
    """Who did what, when, to what."""

    id: int
    at: AwareDatetime
    login: str
    action: str
    subject_type: str | None
    subject_id: str | None
    region_code: str | None
    address: str | None
    detail: dict[str, Any]


class AuditPage(Page[AuditOut]):
    """Part of the audit."""


@endpoint("/audit", tag="audit", query=AuditQuery, response=AuditPage)
def list_events(query: AuditQuery) -> AuditPage:
    """What was done, newest first."""
    wanted = AuditFilter(query.since, query.until, query.login, query.action, query.region)
    events, total = list_audit(current_actor(), wanted, limit=query.limit, offset=query.offset)
    return AuditPage.of(events, total, query)
