"""Running the rules over a plan: findings replace those of the last check, grids get their status."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata import standards
from geodata.crs import to_lonlat
from geodata.rules import Result
from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import CheckResult
from gridmap.services import audit, counts
from gridmap.services.actor import Actor
from gridmap.services.checks.view import Loaded, load
from gridmap.services.plans.access import editable
from gridmap.services.standards import resolve
from gridmap.services.versions import raise_version, render_ahead

Progress = Callable[[float, str], None]


@service
def check(
    session: Session,
    actor: Actor,
    plan_id: int,
    *,
    rules: Sequence[str] | None = None,
    profile: str | Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Check a plan by its standard; the number of findings by severity ("E", "W", "I") and "not_checked".

    ``profile`` (a shipped standard's name, or the content of another) becomes the plan's standard from now on.
    ``rules`` (ids) limits the check to some rules, whose findings alone are replaced; the plan then does not count as
    checked. Raises ``GeodataError`` RULES_UNKNOWN and STANDARD_*.
    """
    from geodata.rules import check as run

    plan, region = editable(session, actor, plan_id, draft=False)
    say = progress or (lambda share, doing: None)
    if profile is not None:
        standard = resolve(profile)
        plan.profile_name, plan.profile = standard.name, standard.to_dict()
    say(0.05, "读取 / reading")
    loaded = load(session, plan, region)
    say(0.3, "核查 / checking")
    found = run(loaded.view, standards.from_dict(plan.profile), rules=rules)
    say(0.8, "写入 / writing")
    stale = sa.delete(CheckResult).where(CheckResult.plan_id == plan_id)
    session.execute(stale if rules is None else stale.where(CheckResult.rule.in_(rules)))
    _write(session, plan_id, found, loaded)
    if rules is None:
        plan.checked_version, plan.checked_at = plan.version, sa.func.now()
        session.flush()
        counts.sum_plan(session, plan_id)
    tally = Counter(str(result.severity) if result.checked else "not_checked" for result in found)
    totals = {key: tally.get(key, 0) for key in ("E", "W", "I", "not_checked")}
    audit.record(
        session, actor, "plan.check", "plan", plan_id, region_code=region.code, profile=plan.profile_name, **totals
    )
    raise_version(session, "plans")
    if plan.state == "published":
        render_ahead(session)
    say(1.0, "")
    return totals


def _write(session: Session, plan_id: int, found: Sequence[Result], loaded: Loaded) -> None:
    if not found:
        return
    shapes = np.empty(len(found), dtype=object)
    shapes[:] = [result.geometry for result in found]
    bulk.copy(
        session,
        CheckResult.__tablename__,
        {
            "plan_id": [plan_id] * len(found),
            "rule": [result.rule for result in found],
            "severity": [str(result.severity) for result in found],
            "grid_id": [None if r.grid is None else int(loaded.grid_ids[r.grid]) for r in found],
            "region_id": [None if r.community is None else int(loaded.region_ids[r.community]) for r in found],
            "code": [result.code for result in found],
            "value": [result.value for result in found],
            "limit": [result.limit for result in found],
            "unavoidable": [result.unavoidable for result in found],
            "params": [json.dumps(_params(result), ensure_ascii=False) for result in found],
            "sentence_zh": [result.sentence("zh") for result in found],
            "sentence_en": [result.sentence("en") for result in found],
            "geom": bulk.wkb_hex(to_lonlat(shapes, loaded.lon0)),
        },
    )


def _params(result: Result) -> dict[str, Any]:
    params = dict(result.params)
    if not result.checked:
        params["checked"] = False
    if result.reason is not None:
        params["reason"] = result.reason
    return params
