"""Checking plans against their standard, and reading what was found."""

from gridmap.services.checks.read import (
    RULE_IDS,
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
    "RULE_IDS",
    "CheckSummary",
    "ResultPage",
    "ResultRow",
    "check",
    "fault_geometry",
    "results",
    "rule_title",
    "summary",
]
