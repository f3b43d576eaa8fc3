"""The check report as a workbook: sums by rule, sums by community, every finding, every grid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from geodata import standards
from gridmap.db.engine import service
from gridmap.services import audit
from gridmap.services.actor import Actor
from gridmap.services.exports import frames
from gridmap.services.exports.plan import fresh_path
from gridmap.services.plans.access import visible
from gridmap.services.plans.small import require_households
from gridmap.services.reports.content import CheckReport, read

if TYPE_CHECKING:
    import pandas as pd


@service
def check_xlsx(
    session: Session, actor: Actor, plan_id: int, *, locale: str | None = None, path: Path | None = None
) -> Path:
    """Write the report of the last check as XLSX; where it stands. Raises ``Conflict`` REPORT_NOT_CHECKED_YET."""
    from geodata.writers import write_xlsx

    plan, region = visible(session, actor, plan_id)
    require_households(actor, region.prefix)
    report = read(session, actor, plan_id, locale)
    grids = frames.grids(session, actor, plan_id, standards.from_dict(plan.profile))
    sheets = {
        report.word("SHEET_RULES"): _rules(report),
        report.word("SHEET_REGIONS"): _regions(report),
        report.word("SHEET_RESULTS"): _results(report),
        report.word("SHEET_GRIDS"): grids.drop(columns="geometry"),
        report.word("SHEET_ABOUT"): _about(report),
    }
    path = path or fresh_path(f"{plan.name}-{report.word('TITLE')}-v{plan.version}.xlsx")
    write_xlsx(sheets, path)
    audit.record(session, actor, "plan.report", "plan", plan_id, region_code=region.code, format="xlsx")
    return path


def _rules(report: CheckReport) -> pd.DataFrame:
    import pandas as pd

    names = ("RULE", "RULE_TITLE", "ERRORS", "WARNINGS", "INFOS", "UNAVOIDABLE", "GRIDS", "NOT_CHECKED")
    rows = [
        (
            row["rule"],
            row[f"title_{report.locale}"],
            row["errors"],
            row["warnings"],
            row["infos"],
            row["unavoidable"],
            row["grids"],
            row[f"not_checked_{report.locale}"],
        )
        for row in report.summary.by_rule
    ]
    return pd.DataFrame(rows, columns=[report.word(name) for name in names])


def _regions(report: CheckReport) -> pd.DataFrame:
    import pandas as pd

    keys: tuple[str, ...] = ("code", "name", "grids", "households", "under", "within", "over", "empty", "unchecked")
    keys += ("errors", "warnings", "unavoidable")
    rows = [[row[key] for key in keys] for row, _ in report.by_region]
    return pd.DataFrame(rows, columns=[report.word(f"REGION_{key.upper()}") for key in keys])


def _results(report: CheckReport) -> pd.DataFrame:
    import pandas as pd

    found = [row for _, rows in report.by_region for row in rows] + list(report.elsewhere)
    rows = [
        (
            row.severity,
            row.rule,
            row.region_code,
            row.region_name,
            row.grid_code,
            row.grid_name,
            row.value,
            row.limit,
            report.word("YES") if row.unavoidable else None,
            row.sentence(report.locale),
            None if row.unavoidable else row.hint(report.locale),
        )
        for row in found
    ]
    names: tuple[str, ...] = (
        "SEVERITY",
        "RULE",
        "REGION_CODE",
        "REGION_NAME",
        "GRID_CODE",
        "GRID_NAME",
        "VALUE",
        "LIMIT",
    )
    names += ("UNAVOIDABLE", "FINDING", "HINT")
    return pd.DataFrame(rows, columns=[report.word(name) for name in names])


def _about(report: CheckReport) -> pd.DataFrame:
    import pandas as pd

    plan = report.summary.plan
    rows = [
        ("PLAN", plan.name),
        ("REGION", f"{plan.region_name} {plan.region_code}"),
        ("STANDARD", report.title),
        ("VERSION", str(plan.version)),
        ("CHECKED_AT", report.checked_at + ("" if plan.current_check else f" {report.word('STALE')}")),
        ("MADE_AT", report.made_at),
        ("MADE_BY", report.made_by),
    ]
    named = [(report.word(name), text) for name, text in rows]
    return pd.DataFrame(named, columns=[report.word("ITEM"), report.word("CONTENT")])
