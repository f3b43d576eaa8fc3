"""Long work: asking for it, and how far it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from geodata import standards
from gridmap.errors import Invalid
from gridmap.services import jobs
from gridmap.web.api import Model, endpoint
from gridmap.web.i18n import in_language
from gridmap.web.session import current_actor


class JobOut(Model):
    """A job: waiting, running, done or failed; ``progress`` 0 to 1, ``error`` a sentence where it failed."""

    id: int
    task: str
    subject: str
    region_code: str
    state: str
    progress: float
    doing: str
    result: dict[str, Any]
    error_code: str | None
    error: str
    created_at: datetime
    finished_at: datetime | None


class CheckAsk(Model):
    """By which shipped standard to check; null keeps the plan's own."""

    standard: str | None = Field(default=None, max_length=100)


@endpoint("/jobs/<int:job_id>", tag="jobs", response=JobOut)
def get_job(job_id: int) -> JobOut:
    """How a job stands."""
    return job_out(jobs.get(current_actor(), job_id))


@endpoint("/plans/<int:plan_id>/checks", tag="jobs", method="POST", json=CheckAsk, response=JobOut, status=202)
def check_plan(plan_id: int, json: CheckAsk) -> tuple[JobOut, int]:
    """Have a plan checked; the findings replace those of the last check."""
    actor = current_actor()
    job_id = jobs.ask_check(actor, plan_id, shipped_standard(json.standard))
    return job_out(jobs.get(actor, job_id)), 202


@endpoint("/regions/<string:code>/units", tag="jobs", method="POST", response=JobOut, status=202)
def build_units(code: str) -> tuple[JobOut, int]:
    """Have the units of a region built anew; plans keep the units they were made of."""
    actor = current_actor()
    job_id = jobs.ask_build(actor, code)
    return job_out(jobs.get(actor, job_id)), 202


def shipped_standard(name: str | None) -> str | None:
    """``name`` where the program ships such a standard (never a path). Raises ``Invalid`` PROFILE_NOT_SHIPPED."""
    if not name:
        return None
    if name not in standards.shipped():
        raise Invalid("PROFILE_NOT_SHIPPED", name=name)
    return name


def job_out(job: jobs.JobView) -> JobOut:
    """The job in the reader's language."""
    values = {name: getattr(job, name) for name in JobOut.model_fields if name not in ("doing", "error")}
    zh, _, en = job.doing.partition(" / ")
    return JobOut(
        **values, doing=in_language({"doing_zh": zh, "doing_en": en}, "doing"), error=in_language(job, "error")
    )
