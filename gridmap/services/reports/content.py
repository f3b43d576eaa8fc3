"""What a check report says, whatever its form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from geodata import messages
from gridmap.errors import Conflict
from gridmap.services import checks
from gridmap.services.actor import Actor
from gridmap.settings import settings

MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A plan's last check, in one language: sums, and the findings of each community."""

    summary: checks.CheckSummary
    by_region: tuple[tuple[Mapping[str, object], tuple[checks.ResultRow, ...]], ...]
    elsewhere: tuple[checks.ResultRow, ...]
    checked_at: str
    made_at: str
    made_by: str
    locale: str

    def word(self, name: str, **params: object) -> str:
        """A fixed phrase of the report (``REPORT_...`` in the messages)."""
        return messages.sentence(f"REPORT_{name}", self.locale, **params)

    @property
    def title(self) -> str:
        """Name of the standard."""
        plan = self.summary.plan
        return plan.profile_en if self.locale == "en" else plan.profile_zh


def read(session: Session, actor: Actor, plan_id: int, locale: str | None) -> CheckReport:
    """The report of the last check. Raises ``Conflict`` REPORT_NOT_CHECKED_YET where the plan was never checked."""
    found = checks.summary.within(session, actor, plan_id)
    if found.plan.checked_at is None:
        raise Conflict("REPORT_NOT_CHECKED_YET", plan=found.plan.name)
    rows = checks.results.within(session, actor, plan_id, checked=True, limit=MOST_ROWS).rows
    by_code: dict[str | None, list[checks.ResultRow]] = {}
    for row in rows:
        by_code.setdefault(row.region_code, []).append(row)
    regions = tuple((region, tuple(by_code.pop(str(region["code"]), ()))) for region in found.by_region)
    elsewhere = tuple(row for rest in by_code.values() for row in rest)
    language = "en" if (locale or actor.locale).startswith("en") else "zh"
    return CheckReport(
        found,
        regions,
        elsewhere,
        _local(found.plan.checked_at),
        _local(datetime.now(tz=ZoneInfo("UTC"))),
        actor.name or actor.login,
        language,
    )


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(settings().time_zone)):%Y-%m-%d %H:%M}"
