"""The approval dossier as a PDF: what changes, why it is as it is, and how it came about."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.services import audit
from gridmap.services.actor import Actor
from gridmap.services.exports.plan import fresh_path
from gridmap.services.plans.access import visible
from gridmap.services.plans.small import require_households
from gridmap.services.reports.dossier import MOST_PRINTED, local, read
from gridmap.services.reports.paper import plan_map, printed

#: Two maps stand side by side on the paper's 182 mm.
_SIZE = {"width_mm": 88.0, "height_mm": 112.0}


@service
def dossier_pdf(
    session: Session, actor: Actor, plan_id: int, *, locale: str | None = None, path: Path | None = None
) -> Path:
    """Write the dossier of a plan as PDF; where it stands. Raises ``NotFound``, ``Forbidden``."""
    plan, region = visible(session, actor, plan_id)
    require_households(actor, region.prefix)
    found = read(session, actor, plan, region, locale, most=MOST_PRINTED)
    before = "" if found.before is None else plan_map(session, actor, found.before.id, region, **_SIZE)
    after = plan_map(session, actor, plan_id, region, **_SIZE)
    path = path or fresh_path(f"{plan.name}-{found.word('DOSSIER')}-v{plan.version}.pdf")
    told = {"dossier": found, "word": found.word, "local": local, "map_before": before, "map_after": after}
    path.write_bytes(printed("reports/dossier.html", **told))
    audit.record(session, actor, "plan.dossier", "plan", plan_id, region_code=region.code, format="pdf")
    return path
