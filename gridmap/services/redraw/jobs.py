"""A redraw as a job: asked for, followed while the best plan so far gets better, stopped, done by the worker.

Any number of redraws of one plan may wait or run; each makes a proposal of its own. While one runs, the job's
``result`` says how the best plan so far stands (:func:`gridmap.services.redraw.tell.standing`); afterwards it is the
summary (:func:`gridmap.services.redraw.tell.summary`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service, transaction
from gridmap.db.models import Job
from gridmap.services import jobs
from gridmap.services.actor import Actor
from gridmap.services.redraw.ground import check_locks, reach
from gridmap.services.redraw.propose import propose
from gridmap.services.redraw.read import made_by
from gridmap.services.redraw.wish import Wish

TASK = "redraw_plan"


@service
def ask_redraw(session: Session, actor: Actor, plan_id: int, wish: Wish) -> int:
    """Have a region of a plan redrawn; the job's number. Who asks twice for the same is led to the one under way."""
    _, region, _ = reach.within(session, actor, plan_id, wish.region_code)
    check_locks(session, plan_id, wish)
    subject, asked = f"redraw:{plan_id}", wish.to_dict()
    session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:subject))"), {"subject": subject})
    for job in jobs.unfinished(session, subject):
        if job.created_by == actor.user_id and job.arguments["wish"] == asked and "stop" not in job.arguments:
            return job.id
    return jobs.queue(session, actor, TASK, subject, region.code, plan_id=plan_id, wish=asked)


@service
def stop(session: Session, actor: Actor, job_id: int, how: Literal["keep", "cancel"]) -> None:
    """End a redraw: "keep" takes the best plan so far, "cancel" drops it. One that still waits is dropped at once.

    Raises ``NotFound`` JOB_NOT_FOUND, ``Forbidden``, ``Conflict`` JOB_NOT_STOPPABLE.
    """
    jobs.ask_stop(session, actor, TASK, job_id, how)


def run_redraw(job_id: int) -> None:
    """The worker's part of :func:`ask_redraw`; a job that ended meanwhile is left alone."""
    begun = jobs.begin(job_id)
    if begun is None:
        return
    actor, given = begun

    def say(share: float, doing: str, live: Mapping[str, Any] | None) -> None:
        jobs.note(job_id, progress=share, doing=doing, **({} if live is None else {"result": dict(live)}))

    def asked() -> str:
        with transaction() as session:
            wanted = session.scalar(sa.select(Job.arguments["stop"].astext).where(Job.id == job_id))
            return wanted or ""

    wish, plan_id = Wish.from_dict(given["wish"]), given["plan_id"]

    def work(_: jobs.Progress) -> dict[str, Any]:
        made = made_by(plan_id, job_id)  # before a worker was killed
        return made or propose(actor, plan_id, wish, job=job_id, say=say, asked=asked)

    jobs.perform(job_id, work)
