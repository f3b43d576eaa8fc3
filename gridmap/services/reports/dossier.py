"""What an approval dossier says, whatever its form: the plan beside the one before it, reasons, log, comments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata import messages
from gridmap.db.models import Plan, PlanOperation, Region
from gridmap.services import comments, compare, operations, workflow
from gridmap.services.actor import Actor
from gridmap.services.plans.read import PlanSummary, get
from gridmap.services.workflow.stand import in_force
from gridmap.settings import settings

#: Operations that are printed one by one; the workbook has all up to :data:`MOST_LOGGED`.
MOST_PRINTED, MOST_LOGGED = 300, 5000


@dataclass(frozen=True, slots=True)
class Logged:
    """An operation in words with its hash."""

    version: int
    at: str
    who: str
    sentence: str
    why: str
    hash: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """A plan on its way to approval, in one language. ``before`` is the plan it would take the place of (or its base).

    ``comparison`` is None where there is no plan before; ``log`` newest last; ``chain`` says whether it is whole.
    """

    plan: PlanSummary
    standing: workflow.Standing
    before: PlanSummary | None
    comparison: compare.Comparison | None
    changed: tuple[compare.Row, ...]
    log: tuple[Logged, ...]
    logged: int
    chain: operations.Chain
    comments: tuple[comments.Comment, ...]
    made_at: str
    made_by: str
    locale: str

    def word(self, name: str, **params: object) -> str:
        """A fixed phrase (``REPORT_...`` in the messages)."""
        return messages.sentence(f"REPORT_{name}", self.locale, **params)

    @property
    def standard(self) -> str:
        """Name of the standard."""
        return self.plan.profile_en if self.locale == "en" else self.plan.profile_zh

    def title(self, finding: workflow.Finding) -> str:
        """What a rule asks for."""
        return finding.title_en if self.locale == "en" else finding.title_zh


def read(session: Session, actor: Actor, plan: Plan, region: Region, locale: str | None, *, most: int) -> Dossier:
    """The dossier of a plan with at most ``most`` operations, for who may see all of it. Raises ``Forbidden``."""
    language = "en" if (locale or actor.locale).startswith("en") else "zh"
    reader = replace(actor, locale=language)
    base = in_force(session, plan, region)
    before_id = base.id if base is not None else plan.base_plan_id
    comparison = None if before_id is None else compare.compare.within(session, reader, before_id, plan.id)
    page = operations.history.within(session, reader, plan.id, limit=most)
    links = sa.select(PlanOperation.version, PlanOperation.hash).where(PlanOperation.plan_id == plan.id)
    hashes = {row.version: row.hash for row in session.execute(links)}
    log = [
        Logged(
            entry.version,
            local(datetime.fromisoformat(entry.at)),
            str((entry.user or {}).get("name", "system")),
            entry.sentence,
            entry.why or "",
            hashes.get(entry.version) or "",
        )
        for entry in reversed(page.items)
    ]
    return Dossier(
        plan=get.within(session, actor, plan.id),
        standing=workflow.stand.within(session, actor, plan.id),
        before=None if before_id is None else get.within(session, actor, before_id),
        comparison=comparison,
        changed=tuple(row for row in comparison.rows if row.change != "same") if comparison is not None else (),
        log=tuple(log),
        logged=page.total,
        chain=operations.verify.within(session, actor, plan.id),
        comments=comments.comments.within(session, actor, plan.id, limit=500).items,
        made_at=local(datetime.now(tz=ZoneInfo("UTC"))),
        made_by=actor.name or actor.login,
        locale=language,
    )


def local(moment: datetime) -> str:
    """A moment as it is written on paper, in the zone of the settings."""
    return f"{moment.astimezone(ZoneInfo(settings().time_zone)):%Y-%m-%d %H:%M}"
