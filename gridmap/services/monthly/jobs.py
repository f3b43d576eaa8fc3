"""A report as a job: asked for by a person or by the calendar, made by the worker, kept when it is whole."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service, transaction
from gridmap.db.models import Job
from gridmap.services import jobs
from gridmap.services.actor import Actor, Role
from gridmap.services.monthly import months
from gridmap.services.monthly.files import keep
from gridmap.services.monthly.report import monthly_pdf, region_of
from gridmap.settings import settings

TASK = "make_report"


@service
def ask_report(session: Session, actor: Actor, region_code: str, month: str, *, locale: str | None = None) -> int:
    """Have a month ("2026-10") of a region reported on; the job's number. Who asks again is led to the job under way.

    Raises ``NotFound``, ``Forbidden`` CASES_SMALL_NUMBERS, ``Invalid`` REPORT_MONTH, REPORT_MONTH_NOT_OVER.
    """
    region_of(session, actor, region_code)
    asked = months.over(months.parsed(month))
    language = "en" if (locale or actor.locale).startswith("en") else "zh"
    return queue(session, actor, region_code, asked, language, scheduled=False)


def queue(session: Session, actor: Actor, region_code: str, month: date, locale: str, *, scheduled: bool) -> int:
    """The job that makes a report, new or under way."""
    subject = f"report:{region_code}:{month:%Y-%m}:{locale}"
    session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:subject))"), {"subject": subject})
    for job in jobs.unfinished(session, subject):
        return job.id
    asked: dict[str, Any] = {
        "region": region_code,
        "month": month.isoformat(),
        "locale": locale,
        "scheduled": scheduled,
    }
    return jobs.queue(session, actor, TASK, subject, region_code, lock=subject, **asked)


def run_report(job_id: int) -> None:
    """The worker's part of :func:`ask_report`; a job that ended meanwhile is left alone."""
    begun = jobs.begin(job_id)
    if begun is None:
        return
    actor, given = begun
    month, locale = date.fromisoformat(given["month"]), given["locale"]

    def work(say: jobs.Progress) -> dict[str, Any]:
        folder = settings().reports_dir
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as scratch, transaction() as session:
            path = Path(scratch) / "report.pdf"
            told = monthly_pdf.within(session, actor, given["region"], month, path, locale=locale, progress=say)
            region = region_of(session, actor, given["region"])
            report_id = keep(session, actor, region, month, locale, path, told, scheduled=given["scheduled"])
        return {"report": report_id}

    jobs.perform(job_id, work)


@service
def under_way(session: Session, actor: Actor) -> tuple[jobs.JobView, ...]:
    """Reports that wait or are being made where the reader may look."""
    actor.require(Role.VIEWER)
    rows = session.scalars(
        sa.select(Job.id)
        .where(Job.task == TASK, Job.state.in_(("waiting", "running")), actor.visible(Job.region_code))
        .order_by(Job.id.desc())
        .limit(20)
    ).all()
    found = (jobs.get.within(session, actor, one) for one in rows)
    return tuple(one for one in found if one.state != "failed")  # what the queue lost is a failure
