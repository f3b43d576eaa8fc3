"""The approval dossier as a workbook: sums, grids before and after, rules with reasons, comments, the whole log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.services import audit
from gridmap.services.actor import Actor
from gridmap.services.exports.plan import fresh_path
from gridmap.services.plans.access import visible
from gridmap.services.plans.small import require_households
from gridmap.services.reports.dossier import MOST_LOGGED, Dossier, local, read

if TYPE_CHECKING:
    import pandas as pd


@service
def dossier_xlsx(
    session: Session, actor: Actor, plan_id: int, *, locale: str | None = None, path: Path | None = None
) -> Path:
    """Write the dossier of a plan as XLSX, codes as text; where it stands. Raises ``NotFound``, ``Forbidden``."""
    from geodata.writers import write_xlsx

    plan, region = visible(session, actor, plan_id)
    require_households(actor, region.prefix)
    found = read(session, actor, plan, region, locale, most=MOST_LOGGED)
    sheets = {
        found.word("DOSSIER_SUMS"): _sums(found),
        found.word("DOSSIER_GRIDS"): _grids(found),
        found.word("DOSSIER_RULES"): _rules(found),
        found.word("DOSSIER_STEPS"): _steps(found),
        found.word("DOSSIER_COMMENTS"): _comments(found),
        found.word("DOSSIER_LOG"): _log(found),
    }
    path = path or fresh_path(f"{plan.name}-{found.word('DOSSIER')}-v{plan.version}.xlsx")
    write_xlsx(sheets, path)
    audit.record(session, actor, "plan.dossier", "plan", plan_id, region_code=region.code, format="xlsx")
    return path


def _frame(found: Dossier, names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=[found.word(name) for name in names], dtype=object)


def _sums(found: Dossier) -> pd.DataFrame:
    plan, standing = found.plan, found.standing
    rows: list[tuple[Any, ...]] = [
        (found.word("PLAN"), None, plan.name),
        (found.word("REGION"), None, f"{plan.region_name} {plan.region_code}"),
        (found.word("STANDARD"), None, found.standard),
        (found.word("VERSION"), None, plan.version),
        (found.word("DOSSIER_STATE"), None, found.word(f"DOSSIER_STATE_{standing.state.upper()}")),
        (found.word("MADE_AT"), None, found.made_at),
        (found.word("MADE_BY"), None, found.made_by),
        (found.word("DOSSIER_CHAIN"), None, found.word("DOSSIER_INTACT" if found.chain.intact else "DOSSIER_BROKEN")),
    ]
    if found.comparison is not None and found.before is not None:
        was, now, moves = found.comparison.before, found.comparison.after, found.comparison.moves
        rows += [
            (found.word("DOSSIER_BEFORE"), found.before.name, None),
            (found.word("GRIDS"), was.grids, now.grids),
            *((found.word(f"STATUS_{s.upper()}"), was.statuses[s], now.statuses[s]) for s in was.statuses),
            (found.word("HOUSEHOLDS"), was.households, now.households),
            (found.word("DOSSIER_COMPACT"), _round(was.compactness), _round(now.compactness)),
            *([] if was.cases is None else [(found.word("DOSSIER_CASES"), was.cases, now.cases)]),
            (found.word("DOSSIER_MOVED"), None, moves.moved),
            (found.word("DOSSIER_WORKERS"), None, moves.workers_affected),
        ]
    return _frame(found, ("ITEM", "DOSSIER_WAS", "DOSSIER_NOW"), rows)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _grids(found: Dossier) -> pd.DataFrame:
    rows = []
    for row in found.comparison.rows if found.comparison is not None else ():
        was, now = row.before, row.after
        rows.append(
            (
                found.word(f"DOSSIER_CHANGE_{row.change.upper()}"),
                row.region_name,
                *(None if one is None else one.code for one in (was, now)),
                None if (one := now or was) is None else one.name,
                *(None if one is None else one.households for one in (was, now)),
                *(None if one is None else found.word(f"STATUS_{one.status.upper()}") for one in (was, now)),
                row.moved_in,
                row.moved_out,
                *(None if one is None else one.population for one in (was, now)),
                *(None if one is None else one.workers for one in (was, now)),
                *(None if one is None else one.cases for one in (was, now)),
            )
        )
    names: tuple[str, ...] = (
        "CHANGE",
        "COMMUNITY",
        "CODE_WAS",
        "CODE_NOW",
        "NAME",
        "HH_WAS",
        "HH_NOW",
        "STATUS_WAS",
        "STATUS_NOW",
    )
    names += ("IN", "OUT", "PEOPLE_WAS", "PEOPLE_NOW", "WORKERS_WAS", "WORKERS_NOW", "CASES_WAS", "CASES_NOW")
    return _frame(found, tuple(f"DOSSIER_COL_{name}" for name in names), rows)


def _rules(found: Dossier) -> pd.DataFrame:
    rows = [
        (one.rule, found.title(one), severity, one.count, one.unavoidable, one.reason, "、".join(one.grids))
        for severity, some in (("E", found.standing.errors), ("W", found.standing.warnings))
        for one in some
    ]
    names = ("RULE", "RULE_TITLE", "SEVERITY", "DOSSIER_COUNT", "UNAVOIDABLE", "DOSSIER_REASON", "GRIDS")
    return _frame(found, names, rows)


def _steps(found: Dossier) -> pd.DataFrame:
    rows = [
        (local(one.at), one.who, found.word(f"DOSSIER_STEP_{one.kind.upper()}"), one.comment)
        for one in found.standing.steps
    ]
    return _frame(found, ("DOSSIER_AT", "DOSSIER_WHO", "DOSSIER_WHAT", "DOSSIER_COMMENT"), rows)


def _comments(found: Dossier) -> pd.DataFrame:
    rows = [
        (
            local(one.at),
            one.author,
            one.grid_code,
            one.text,
            None if one.resolved_at is None else local(one.resolved_at),
        )
        for one in found.comments
    ]
    return _frame(found, ("DOSSIER_AT", "DOSSIER_WHO", "GRID_CODE", "DOSSIER_COMMENT", "DOSSIER_RESOLVED"), rows)


def _log(found: Dossier) -> pd.DataFrame:
    rows = [(one.version, one.at, one.who, one.sentence, one.why, one.hash) for one in found.log]
    names = ("VERSION", "DOSSIER_AT", "DOSSIER_WHO", "DOSSIER_WHAT", "DOSSIER_REASON", "DOSSIER_HASH")
    return _frame(found, names, rows)
