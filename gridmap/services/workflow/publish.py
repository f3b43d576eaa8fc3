"""Publishing: from a day on a plan is in force, in the place of the one before; and the way back.

A plan of a part publishes *into* the plan in force: a new plan of the wider region is made of what is in force outside
the part and of the draft inside it, so that on any day exactly one plan is in force over a place (docs/adr/0010).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import Grid, Plan, PlanOperation, Region
from gridmap.errors import Conflict, Invalid
from gridmap.services import audit, counts
from gridmap.services.actor import SYSTEM, Actor, Role
from gridmap.services.jobs import queue
from gridmap.services.placing import lock_units
from gridmap.services.plans.copy import write_copy
from gridmap.services.plans.derive import derive
from gridmap.services.versions import raise_version
from gridmap.services.workflow.codes import settle
from gridmap.services.workflow.stand import in_force, replaced_by
from gridmap.services.workflow.steps import lock, take_step
from gridmap.sql import query


@service
def publish(session: Session, actor: Actor, plan_id: int, on: date) -> int:
    """Put an approved plan in force from the day ``on`` (today or later); the id of the plan that is in force then.

    One transaction: codes, validity, cut units, the end of the plan before. Raises ``Conflict`` PLAN_STATE,
    ``Invalid`` WORKFLOW_DATE_PAST, WORKFLOW_DATE_BEFORE, ``Conflict`` WORKFLOW_CODES_FULL.
    """
    lock_units(session, shared=False)
    plan, region = lock(session, actor, plan_id, Role.APPROVER)
    if plan.state != "approved":
        raise Conflict("PLAN_STATE", plan=plan.name, state=plan.state)
    if on < date.today():
        raise Invalid("WORKFLOW_DATE_PAST", day=on.isoformat())
    before = _before(session, plan, region, on)
    if before is None or before.region_id == plan.region_id:
        _begin(session, actor, plan, region, before, on, "publish")
        return plan.id
    whole = _composed(session, actor, plan, region, before)
    home = session.get_one(Region, whole.region_id)
    _begin(session, actor, whole, home, before, on, "publish", part=plan.id)
    take_step(session, actor, plan, region, "publish", "archived", "", into=whole.id, valid_from=on.isoformat())
    return whole.id


@service
def restore(session: Session, actor: Actor, plan_id: int) -> int:
    """Put the plan in force again, from today, that the published plan ``plan_id`` replaced; the id of the new plan.

    It is a copy, under the codes it had: what was in force on which day stays on record. Raises ``Conflict``
    PLAN_STATE, WORKFLOW_NOTHING_BEFORE.
    """
    lock_units(session, shared=False)
    plan, region = lock(session, actor, plan_id, Role.APPROVER)
    if plan.state != "published" or plan.valid_to is not None:
        raise Conflict("PLAN_STATE", plan=plan.name, state=plan.state)
    old_id = replaced_by(session, plan)
    if old_id is None:
        raise Conflict("WORKFLOW_NOTHING_BEFORE", plan=plan.name)
    old = session.get_one(Plan, old_id)
    today = date.today()
    again = _plan_like(session, actor, old, old.name)
    write_copy(session, old.id, again.id, region.prefix)
    _born(session, actor, again, "workflow.restore", base=old.id)
    _begin(session, actor, again, region, plan, max(today, plan.valid_from or today), "restore", keep=True, of=old.id)
    return again.id


def _before(session: Session, plan: Plan, region: Region, on: date) -> Plan | None:
    """The plan in force that ends with ``on``, locked."""
    found = in_force(session, plan, region)
    if found is None:
        return None
    session.refresh(found, with_for_update=True)
    if found.valid_from is not None and on < found.valid_from:
        raise Invalid("WORKFLOW_DATE_BEFORE", day=on.isoformat(), begun=found.valid_from.isoformat(), plan=found.name)
    return found


def _begin(
    session: Session,
    actor: Actor,
    plan: Plan,
    region: Region,
    before: Plan | None,
    on: date,
    kind: str,
    *,
    keep: bool = False,
    **detail: Any,
) -> None:
    """Codes, days, units, state, and the end of the plan before."""
    recoded = {} if keep else settle(session, plan, before)
    session.expire_all()
    plan.valid_from, plan.valid_to = on, None
    days = {"new": plan.id, "day": on}
    if before is None:
        session.execute(sa.update(Grid).where(Grid.plan_id == plan.id).values(valid_from=on, valid_to=None))
        retired: list[str] = []
    else:
        begun = {"old": before.id, "before": before.valid_from}
        session.execute(query("workflow", "begin_grids"), days | begun)
        session.execute(query("workflow", "new_grids_begin"), days | {"old": before.id})
        session.execute(query("workflow", "revive_grids"), {"new": plan.id})
        retired = sorted(session.scalars(query("workflow", "retire_grids"), days | {"old": before.id}))
        before.valid_to = on
        home = session.get_one(Region, before.region_id)
        ended = "archived" if on <= date.today() else "published"
        take_step(session, actor, before, home, "replace", ended, "", by=plan.id, valid_to=on.isoformat())
    _swap_units(session, plan)
    told = {"replaced": None if before is None else before.id, "valid_from": on.isoformat(), "retired": retired}
    take_step(session, actor, plan, region, kind, "published", "", **told, recoded=recoded, **detail)
    raise_version(session, "plans")


def _swap_units(session: Session, plan: Plan) -> None:
    """The units that a plan is made of live from now on: pieces of a cut one, or the whole of what was cut since."""
    born = session.execute(query("workflow", "born_pieces"), {"plan": plan.id}).all()
    again = session.execute(query("workflow", "whole_again"), {"plan": plan.id}).all()
    retire = sorted({row.cut_of for row in born} | {row.piece for row in again})
    live = sorted({row.id for row in born} | {row.id for row in again})
    if not live:
        return
    session.execute(query("workflow", "swap_units"), {"retire": retire, "live": live})
    counts.place_buildings(session, also=live)
    counts.place_cases(session)
    raise_version(session, "units", "buildings", "cases")


def _composed(session: Session, actor: Actor, part: Plan, region: Region, before: Plan) -> Plan:
    """The plan in force with the ground of ``part`` (in ``region``) as that plan has it; the worker checks it."""
    whole = _plan_like(session, actor, before, before.name)
    outside = session.scalars(query("workflow", "outside_grids"), {"plan": before.id, "part": region.prefix}).all()
    keys = {"plan": whole.id, "base": before.id, "part": region.prefix, "old": list(outside)}
    keys |= {"ids": bulk.reserve_ids(session, Grid, len(outside)).tolist()}
    session.execute(query("redraw", "copy_grids"), keys)
    session.execute(query("workflow", "copy_units_outside"), keys)
    parted = list(session.scalars(query("plans", "parted_copies"), keys))
    if parted:
        derive(session, parted, homes=True)
    write_copy(session, part.id, whole.id, region.prefix)
    counts.sum_plan(session, whole.id)
    _born(session, actor, whole, "workflow.publish", base=before.id, part=part.id)
    queue(
        session,
        SYSTEM,
        "check_plan",
        f"plan:{whole.id}",
        session.get_one(Region, before.region_id).code,
        plan_id=whole.id,
        profile=None,
    )
    return whole


def _plan_like(session: Session, actor: Actor, model: Plan, name: str) -> Plan:
    made = Plan(
        name=name,
        region_id=model.region_id,
        department=model.department,
        profile_name=model.profile_name,
        profile=model.profile,
        base_plan_id=model.id,
        created_by=actor.user_id,
    )
    session.add(made)
    session.flush()
    return made


def _born(session: Session, actor: Actor, plan: Plan, by: str, **detail: Any) -> None:
    """The first operation of a plan, and the audit of it."""
    said = {"by": by, **detail}
    session.add(PlanOperation(plan_id=plan.id, version=1, user_id=actor.user_id, kind="create", detail=said))
    region = session.get_one(Region, plan.region_id)
    audit.record(session, actor, by, "plan", plan.id, region_code=region.code, name=plan.name, **detail)
