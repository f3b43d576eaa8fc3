"""Who may see cases how closely: exact sums, single cases. What is refused here is in docs/privacy.md.

Everyone who looks sees figures of releases (:mod:`gridmap.services.cases.released`). Exact sums, however small, are for
case officers, planners and administrators, single cases and places for case officers and administrators, each only
where their role covers all that the answer is made of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from gridmap.errors import Forbidden
from gridmap.services import audit
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import subtree

if TYPE_CHECKING:
    from gridmap.services.cases.filters import CaseFilter


def require_exact(actor: Actor, region: str | None = None) -> None:
    """Raise ``Forbidden`` CASES_SMALL_NUMBERS unless exact sums of ``region`` (code, prefix, None) are theirs."""
    actor.require(Role.VIEWER)
    if not actor.sees_small(subtree(region) or ""):
        raise Forbidden("CASES_SMALL_NUMBERS")


def require_raw(session: Session, actor: Actor, wanted: CaseFilter, view: str = "list", **told: int | None) -> None:
    """Write down that ``actor`` sees the single cases that are ``wanted``; else ``Forbidden`` CASES_RAW.

    Call it once a request. ``view`` is what shows them ("list", "places"), ``told`` what else the audit
    should know: which part of the list, of which plan.
    """
    code = wanted.region or _common(actor.prefixes(Role.VIEWER))
    actor.require(Role.VIEWER)
    if not actor.sees_raw(subtree(code) or ""):
        raise Forbidden("CASES_RAW")
    audit.record(session, actor, "cases.raw", "cases", region_code=code, view=view, **told, **_told(wanted))


def _common(prefixes: tuple[str, ...]) -> str:
    """What all code prefixes begin with: the audit of that region's administrators shows the event."""
    first, last = min(prefixes, default=""), max(prefixes, default="")
    return next((first[:n] for n in range(len(first), 0, -1) if last.startswith(first[:n])), "")


def _told(wanted: CaseFilter) -> dict[str, object]:
    """What of a filter is given, in plain JSON."""
    given = {
        "categories": list(wanted.categories),
        "start": wanted.start and wanted.start.isoformat(),
        "end": wanted.end and wanted.end.isoformat(),
        "region": wanted.region,
        "level": wanted.level,
        "source": wanted.source,
        "closed": wanted.closed,
        "text": wanted.text,
        "bbox": wanted.bbox and list(wanted.bbox),
        "plan": wanted.plan_id,
        "grid": wanted.grid_id,
    }
    return {"filter": {name: value for name, value in given.items() if value not in (None, [])}}
