"""The monthly report of a region: what happened, against the months before, how the grids stand; kept and scheduled."""

from gridmap.services.monthly.files import ReportInfo, delete, listed, opened
from gridmap.services.monthly.jobs import ask_report, run_report, under_way
from gridmap.services.monthly.report import monthly_pdf
from gridmap.services.monthly.retries import Failure, failures, retry_failed
from gridmap.services.monthly.schedule import Choice, Scheduled, choices, make_due, schedules, set_schedule

__all__ = [
    "Choice",
    "Failure",
    "ReportInfo",
    "Scheduled",
    "ask_report",
    "choices",
    "delete",
    "failures",
    "listed",
    "make_due",
    "monthly_pdf",
    "opened",
    "retry_failed",
    "run_report",
    "schedules",
    "set_schedule",
    "under_way",
]
