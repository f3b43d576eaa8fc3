"""A redraw as a preview: a job in the quick lane that tells the best plan so far and ends when nobody looks any more.

While it runs, ``job.result`` holds the best plan so far (:mod:`gridmap.services.assist.draw`), afterwards the last one.
Who asks for another preview of the same plan ends the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata import messages
from gridmap.db.engine import service, transaction
from gridmap.db.models import Grid
from gridmap.errors import Conflict, NotFound
from gridmap.jobs.app import QUICK
from gridmap.services import jobs
from gridmap.services.actor import Actor, Role
from gridmap.services.assist.at import common, homes_of, require_version
from gridmap.services.assist.draw import Task, draw
from gridmap.services.redraw import tell
from gridmap.services.redraw.ground import check_locks, reach
from gridmap.services.redraw.wish import Wish
from gridmap.sql import query

TASK = "redraw_preview"
#: A preview that nobody has asked for so long ends.
UNSEEN_S = 20.0
_GOES_ON = ("", "keep")


@dataclass(frozen=True, slots=True)
class PreviewView:
    """How a preview stands; ``result`` is empty until there is a plan, ``error`` says why it failed."""

    job: int
    state: str
    progress: float
    doing_zh: str
    doing_en: str
    error_code: str | None
    error: str
    result: Mapping[str, Any]


@service
def ask_preview(
    session: Session,
    actor: Actor,
    plan_id: int,
    version: int,
    wish: Wish,
    grids: tuple[int, ...] = (),
    front: bool = False,
) -> int:
    """Have a region of a plan, or the ground of some of its grids (ids), redrawn as a preview; the job's number.

    Raises as :func:`gridmap.services.assist.at.require_version` and :func:`gridmap.services.redraw.ground.reach`, and
    ``NotFound`` ASSIST_GRID_UNKNOWN.
    """
    require_version(session, actor, plan_id, version)
    if grids:
        known = set(session.scalars(sa.select(Grid.id).where(Grid.plan_id == plan_id, Grid.id.in_(grids))))
        if unknown := set(grids) - known:
            raise NotFound("ASSIST_GRID_UNKNOWN", grid=min(unknown))
        wish = replace(wish, region_code=common(homes_of(session, plan_id, grids)))
    _, region, _ = reach.within(session, actor, plan_id, wish.region_code)
    check_locks(session, plan_id, wish)
    subject = f"preview:{plan_id}"
    session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:subject))"), {"subject": subject})
    session.execute(query("assist", "forget"), {"task": TASK})
    for job in jobs.unfinished(session, subject):
        if job.created_by == actor.user_id:
            jobs.ask_stop(session, actor, TASK, job.id, "cancel")
    given: dict[str, Any] = {
        "plan_id": plan_id,
        "version": version,
        "wish": wish.to_dict(),
        "grids": list(grids),
        "front": front,
    }
    return jobs.queue(session, actor, TASK, subject, region.code, lane=QUICK, **given)


@service
def follow(session: Session, actor: Actor, job_id: int) -> PreviewView:
    """How a preview stands; that it was asked for keeps it going. Raises ``NotFound`` JOB_NOT_FOUND."""
    job = jobs.get.within(session, actor, job_id)
    if job.task != TASK:
        raise NotFound("JOB_NOT_FOUND", job=job_id)
    actor.require(Role.PLANNER, job.region_code)
    session.execute(query("assist", "seen"), {"job": job_id})
    zh, _, en = job.doing.partition(" / ")
    error = job.error_en if actor.locale.startswith("en") else job.error_zh
    result = _in_words(job.result, actor.locale)
    return PreviewView(job_id, job.state, job.progress, zh, en, job.error_code, error, result)


@service
def stop(session: Session, actor: Actor, job_id: int, how: Literal["keep", "cancel"]) -> None:
    """End a preview: "keep" leaves the best plan so far to look at, "cancel" drops it.

    Raises ``NotFound`` JOB_NOT_FOUND, ``Forbidden``, ``Conflict`` JOB_NOT_STOPPABLE.
    """
    jobs.ask_stop(session, actor, TASK, job_id, how)


def run_preview(job_id: int) -> None:
    """The worker's part of :func:`ask_preview`; a job that ended meanwhile is left alone."""
    begun = jobs.begin(job_id)
    if begun is None:
        return
    actor, given = begun
    task = Task(
        given["plan_id"], given["version"], Wish.from_dict(given["wish"]), tuple(given["grids"]), given["front"]
    )

    def say(share: float, doing: str, live: Mapping[str, Any] | None) -> None:
        jobs.note(job_id, progress=share, doing=doing, **({} if live is None else {"result": dict(live)}))

    def asked() -> str:
        return _wanted(job_id)

    def work(_: jobs.Progress) -> dict[str, Any]:
        wanted = asked()
        result: dict[str, Any] = {}
        if wanted in _GOES_ON:
            result, wanted = draw(actor, task, say, asked)
        if wanted not in _GOES_ON:
            jobs.note(job_id, result={})
            raise Conflict("ASSIST_PREVIEW_ABANDONED" if wanted == "unseen" else "JOB_CANCELLED")
        return result

    jobs.perform(job_id, work)


def _wanted(job_id: int) -> str:
    """What was asked of the job, "unseen" where nobody has looked at it for long."""
    with transaction() as session:
        stop, unseen_s = session.execute(query("assist", "wanted"), {"job": job_id}).one()
        return str(stop) or ("unseen" if unseen_s > UNSEEN_S else "")


def _in_words(result: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """The result with titles of plans and reasons in the reader's language."""
    plans = [
        plan
        | {
            "title": messages.sentence(plan["code"], locale),
            "about": messages.hint(plan["code"], locale),
            "wrong": [
                {key: value for key, value in one.items() if key not in ("params", "reason")}
                | {"reason": tell.sentence(one, locale)}
                for one in plan["wrong"]
            ],
        }
        for plan in result.get("plans", ())
    ]
    return {**result, "plans": plans}
