"""Checking plans against their standard, and reading what was found."""

from gridmap.services.checks.read import (
    CheckSummary,
    ResultPage,
    ResultRow,
    fault_geometry,
    results,
    rule_title,
    summary,
)
from gridmap.services.checks.run import check

__all__ = [
    "CheckSummary",
    "ResultPage",
    "ResultRow",
    "check",
    "fault_geometry",
    "results",
    "rule_title",
    "summary",
]
