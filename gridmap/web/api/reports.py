"""Monthly reports: listing, making, fetching and deleting them, and the regions where they make themselves."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from gridmap.services import jobs, monthly
from gridmap.web.api import Model, Page, PageQuery, endpoint
from gridmap.web.api.jobs import JobOut, job_out
from gridmap.web.api.like import like
from gridmap.web.files import download
from gridmap.web.session import current_actor

Code = Annotated[str, Field(pattern=r"^[0-9]{12}$")]


@like(monthly.ReportInfo)
class ReportOut(Model):
    """A report on the month that begins on ``month``; ``made_by`` null: by schedule or from the shell."""


class ReportPage(Page[ReportOut]):
    """Part of the reports, the latest months first."""


class ReportAsk(Model):
    """Which report: a region's month (2026-10), which must be over."""

    region: Code
    month: str = Field(pattern=r"^[0-9]{4}-[0-9]{2}$")
    language: Literal["zh", "en"] | None = None


class ScheduleOut(Model):
    """A region that is reported on by itself: the next month, and the day when that is made."""

    region_code: str
    region_name: str
    locale: str
    next_month: date
    due: date


class ScheduleList(Model):
    """All schedules within your reach."""

    items: list[ScheduleOut]


@like(monthly.Failure)
class FailureOut(Model):
    """A report that could not be made, and why; ``again_at``: when the calendar tries again, null for never."""


class FailureList(Model):
    """All failures of reports that you may have made."""

    items: list[FailureOut]


class ScheduleAsk(Model):
    """Whether a region is to be reported on every month, and in which language."""

    on: bool
    language: Literal["zh", "en"] | None = None


@endpoint("/reports", tag="reports", query=PageQuery, response=ReportPage)
def list_reports(query: PageQuery) -> ReportPage:
    """The reports that you may open."""
    found = monthly.listed(current_actor())
    return ReportPage.of(found[query.offset : query.offset + query.limit], len(found), query)


@endpoint("/reports", tag="reports", method="POST", json=ReportAsk, response=JobOut, status=202)
def make_report(json: ReportAsk) -> tuple[JobOut, int]:
    """Have a report made; the job's result names it."""
    actor = current_actor()
    job_id = monthly.ask_report(actor, json.region, json.month, locale=json.language)
    return job_out(jobs.get(actor, job_id)), 202


@endpoint("/reports/<int:report_id>.pdf", tag="reports")
def report_file(report_id: int) -> Response:
    """A report as PDF."""
    info, path = monthly.opened(current_actor(), report_id)
    return download(path, f"report-{info.region_code}-{info.month:%Y-%m}")


@endpoint("/reports/<int:report_id>", tag="reports", method="DELETE", status=204)
def delete_report(report_id: int) -> tuple[str, int]:
    """Take a report away."""
    monthly.delete(current_actor(), report_id)
    return "", 204


@endpoint("/report-failures", tag="reports", response=FailureList)
def list_failures() -> FailureList:
    """The reports that could not be made: all of the calendar's, others for a day."""
    return FailureList(items=[FailureOut.model_validate(one) for one in monthly.failures(current_actor())])


@endpoint("/report-schedules", tag="reports", response=ScheduleList)
def list_schedules() -> ScheduleList:
    """The regions that are reported on by themselves."""
    return ScheduleList(items=[ScheduleOut.model_validate(one) for one in monthly.schedules(current_actor())])


@endpoint("/report-schedules/<string:code>", tag="reports", method="PUT", json=ScheduleAsk, status=204)
def put_schedule(code: str, json: ScheduleAsk) -> tuple[str, int]:
    """Switch the monthly reports of a region on or off."""
    monthly.set_schedule(current_actor(), code, json.on, locale=json.language)
    return "", 204
