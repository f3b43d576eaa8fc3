"""Long work that a person asks for: checks of plans, building of units, redraws, done by the worker with progress.

A job belongs to the region it works on. The worker does it as the person who asked, with the grants of that moment; the
work itself is one transaction, while progress and outcome are written in short ones beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata import messages
from gridmap.db.engine import service, transaction
from gridmap.db.models import Job, Region, User
from gridmap.errors import CodedError, Conflict, NotFound, NotSignedIn
from gridmap.jobs.app import HEAVY, defer
from gridmap.services import checks, units
from gridmap.services.accounts import load_actor
from gridmap.services.actor import SYSTEM, Actor, Role
from gridmap.services.plans.access import editable

Progress = Callable[[float, str], None]
_ACTIVE = ("waiting", "running")
_SAY_EVERY_S = 0.3


@dataclass(frozen=True, slots=True)
class JobView:
    """How a job stands; ``error_zh`` and ``error_en`` say why it failed, ``result`` what came of it."""

    id: int
    task: str
    subject: str
    region_code: str
    state: str
    progress: float
    doing: str
    result: Mapping[str, Any]
    error_code: str | None
    error_zh: str
    error_en: str
    created_at: datetime
    finished_at: datetime | None


@service
def ask_check(session: Session, actor: Actor, plan_id: int, profile: str | Mapping[str, Any] | None = None) -> int:
    """Have a plan checked; the job's number. ``profile`` as for :func:`gridmap.services.checks.check`."""
    _, region = editable(session, actor, plan_id, draft=False)
    return _ask(session, actor, "check_plan", f"plan:{plan_id}", region.code, plan_id=plan_id, profile=profile)


@service
def ask_build(session: Session, actor: Actor, region_code: str) -> int:
    """Have the units of a region built anew; the job's number. Raises ``NotFound`` REGION_NOT_FOUND."""
    actor.require(Role.PLANNER, region_code)
    if session.scalar(sa.select(Region.id).where(Region.code == region_code)) is None:
        raise NotFound("REGION_NOT_FOUND", region=region_code)
    return _ask(session, actor, "build_units", f"region:{region_code}", region_code)


@service
def get(session: Session, actor: Actor, job_id: int) -> JobView:
    """A job of the reader's regions. Raises ``NotFound`` JOB_NOT_FOUND."""
    job = session.get(Job, job_id)
    if job is None or not actor.may(Role.VIEWER, job.region_code):
        raise NotFound("JOB_NOT_FOUND", job=job_id)
    return _view(session, job)


@service
def active(session: Session, actor: Actor, subject: str) -> JobView | None:
    """The job that waits or runs for ``subject`` ("plan:3"), None where there is none."""
    job = _active(session, subject)
    return None if job is None or not actor.may(Role.VIEWER, job.region_code) else _view(session, job)


def run_check(job_id: int) -> None:
    """The worker's part of :func:`ask_check`."""

    def work(session: Session, actor: Actor, job: Job, say: Progress) -> dict[str, Any]:
        given = job.arguments
        return checks.check.within(session, actor, given["plan_id"], profile=given["profile"], progress=say)

    perform(job_id, _as_one(job_id, work))


def run_build(job_id: int) -> None:
    """The worker's part of :func:`ask_build`."""

    def work(session: Session, actor: Actor, job: Job, say: Progress) -> dict[str, Any]:
        return asdict(units.build.within(session, actor, job.region_code, progress=say))

    perform(job_id, _as_one(job_id, work))


def _ask(session: Session, actor: Actor, task: str, subject: str, region_code: str, **arguments: Any) -> int:
    """One job a subject at a time: who asks again is led to the one under way."""
    session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:subject))"), {"subject": subject})
    running = _active(session, subject)
    if running is not None:
        return running.id
    return queue(session, actor, task, subject, region_code, lock=subject, **arguments)


def queue(
    session: Session,
    actor: Actor,
    task: str,
    subject: str,
    region_code: str,
    *,
    lock: str | None = None,
    lane: str = HEAVY,
    **arguments: Any,
) -> int:
    """A new job for the worker when the caller's transaction commits; its number. One ``lock``, one job at a time."""
    job = Job(task=task, subject=subject, region_code=region_code, arguments=arguments, created_by=actor.user_id)
    session.add(job)
    session.flush()
    job.queued_as = defer(session, task, lock=lock, lane=lane, job_id=job.id)
    return job.id


def _active(session: Session, subject: str) -> Job | None:
    return next(iter(unfinished(session, subject)), None)


def unfinished(session: Session, subject: str) -> list[Job]:
    """The jobs that wait or run for ``subject``, oldest first."""
    found = session.scalars(sa.select(Job).where(Job.subject == subject, Job.state.in_(_ACTIVE)).order_by(Job.id))
    return [job for job in found if not _lost(session, job)]


def _lost(session: Session, job: Job) -> bool:
    """Whether the queue no longer knows an unfinished job: its worker was killed."""
    if job.state not in _ACTIVE:
        return False
    query = sa.text("SELECT status IN ('todo', 'doing') FROM procrastinate_jobs WHERE id = :id")
    return not session.scalar(query, {"id": job.queued_as})


def ask_stop(session: Session, actor: Actor, task: str, job_id: int, how: str) -> Job:
    """Note that a job of ``task`` shall end, for the one who does it; one that still waits is dropped at once.

    Raises ``NotFound`` JOB_NOT_FOUND, ``Forbidden``, ``Conflict`` JOB_NOT_STOPPABLE.
    """
    job = session.get(Job, job_id, with_for_update=True)
    if job is None or not actor.may(Role.VIEWER, job.region_code):
        raise NotFound("JOB_NOT_FOUND", job=job_id)
    actor.require(Role.PLANNER, job.region_code)
    if job.task != task or job.state not in _ACTIVE:
        raise Conflict("JOB_NOT_STOPPABLE", job=job_id)
    job.arguments = {**job.arguments, "stop": how}
    if job.state == "waiting":
        job.state, job.error, job.finished_at = "failed", stored(Conflict("JOB_CANCELLED")), sa.func.now()
    return job


def begin(job_id: int) -> tuple[Actor, Mapping[str, Any]] | None:
    """Set a job running: who asked for it, and its arguments; None where it ended meanwhile.

    From now on stopping it is asking.
    """
    with transaction() as session:
        job = session.get_one(Job, job_id, with_for_update=True)
        if job.state not in _ACTIVE:
            return None
        job.state = "running"
        return actor_of(session, job), job.arguments


def perform(job_id: int, work: Callable[[Progress], dict[str, Any]]) -> None:
    """Do a job, and write down what came of it: the result of ``work``, or the coded error that it raises."""
    error: CodedError = CodedError("JOB_LOST")
    result: dict[str, Any] | None = None
    note(job_id, state="running")
    try:
        result = work(_teller(job_id))
    except CodedError as caught:
        error = caught
        raise
    finally:
        if result is None:
            note(job_id, state="failed", error=stored(error), finished_at=sa.func.now())
        else:
            note(job_id, state="done", progress=1.0, doing="", result=result, finished_at=sa.func.now())


def stored(error: CodedError) -> dict[str, str]:
    """An error as a job keeps it."""
    return {"code": error.code} | {locale: error.sentence(locale) for locale in ("zh", "en")}


def _as_one(
    job_id: int, work: Callable[[Session, Actor, Job, Progress], dict[str, Any]]
) -> Callable[[Progress], dict[str, Any]]:
    """``work`` as one transaction, done as the person who asked."""

    def whole(say: Progress) -> dict[str, Any]:
        with transaction() as session:
            job = session.get_one(Job, job_id)
            return work(session, actor_of(session, job), job, say)

    return whole


def _teller(job_id: int) -> Progress:
    last = 0.0

    def say(share: float, doing: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _SAY_EVERY_S:
            last = time.monotonic()
            note(job_id, progress=share, doing=doing)

    return say


def note(job_id: int, **values: Any) -> None:
    """Write columns of a job, at once visible to who follows it."""
    with transaction() as session:
        session.execute(sa.update(Job).where(Job.id == job_id).values(**values))


def actor_of(session: Session, job: Job) -> Actor:
    """Who asked for a job, with the grants of this moment. Raises ``NotSignedIn`` where the account is closed."""
    if job.created_by is None:
        return SYSTEM
    actor = load_actor(session, User.id == job.created_by, address=None)
    if actor is None:
        raise NotSignedIn("SIGN_IN_FIRST")
    return actor


def _view(session: Session, job: Job) -> JobView:
    lost = _lost(session, job)
    error = job.error
    if lost:
        error = {"code": "JOB_LOST"} | {locale: messages.sentence("JOB_LOST", locale) for locale in ("zh", "en")}
    return JobView(
        id=job.id,
        task=job.task,
        subject=job.subject,
        region_code=job.region_code,
        state="failed" if lost else job.state,
        progress=job.progress,
        doing=job.doing,
        result=job.result,
        error_code=None if error is None else error["code"],
        error_zh="" if error is None else error["zh"],
        error_en="" if error is None else error["en"],
        created_at=job.created_at,
        finished_at=job.finished_at,
    )
