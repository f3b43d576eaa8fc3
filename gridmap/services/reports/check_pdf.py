"""The check report as a PDF to print on A4: title, map, sums, findings community by community."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.services import audit
from gridmap.services.actor import Actor
from gridmap.services.exports.plan import fresh_path
from gridmap.services.plans.access import visible
from gridmap.services.plans.small import require_households
from gridmap.services.reports.content import read
from gridmap.services.reports.paper import plan_map, printed

#: Findings printed for one community; the workbook has all.
MOST_PRINTED = 200


@service
def check_pdf(
    session: Session, actor: Actor, plan_id: int, *, locale: str | None = None, path: Path | None = None
) -> Path:
    """Write the report of the last check as PDF; where it stands. Raises ``Conflict`` REPORT_NOT_CHECKED_YET."""
    plan, region = visible(session, actor, plan_id)
    require_households(actor, region.prefix)
    report = read(session, actor, plan_id, locale)
    path = path or fresh_path(f"{plan.name}-{report.word('TITLE')}-v{plan.version}.pdf")
    drawn = plan_map(session, actor, plan_id, region)
    told = {"report": report, "plan": report.summary.plan, "word": report.word, "map": drawn, "most": MOST_PRINTED}
    path.write_bytes(printed("reports/check.html", **told))
    audit.record(session, actor, "plan.report", "plan", plan_id, region_code=region.code, format="pdf")
    return path
