"""``gridmap check``: a plan against its standard."""

from __future__ import annotations

import sys

import click

from gridmap.cli.common import coded_errors, emit, json_option, language, progress_bar, ready_database

SHOWN = 20


@click.command("check")
@click.option("--plan", "plan_id", type=int, required=True, help="Number of the plan (gridmap plans list).")
@click.option("--standard", help="Name of a shipped standard or path of a TOML file; the plan keeps it from now on.")
@click.option("--rule", "rules", multiple=True, help="Check only this rule (R01...); may be repeated.")
@json_option
def command(plan_id: int, standard: str | None, rules: tuple[str, ...], as_json: bool) -> None:
    """Check all rules; exit code 1 where a finding blocks approval (severity E)."""
    from geodata import standards
    from gridmap.services import checks
    from gridmap.services.actor import SYSTEM

    with coded_errors(as_json), ready_database():
        profile = None if standard is None else standards.load(standard).to_dict()
        with progress_bar("check", quiet=as_json) as advance:
            totals = checks.check(SYSTEM, plan_id, rules=rules or None, profile=profile, progress=advance)
        found = checks.results(SYSTEM, plan_id, limit=1_000_000 if as_json else SHOWN)
        locale = language()
        document = {
            "plan": plan_id,
            **totals,
            "results": [
                {
                    "rule": row.rule,
                    "severity": row.severity,
                    "checked": row.checked,
                    "grid": row.grid_code,
                    "region": row.region_code,
                    "value": row.value,
                    "limit": row.limit,
                    "unavoidable": row.unavoidable,
                    "message": row.sentence(locale),
                }
                for row in found.rows
            ],
        }
        emit(document, as_json, lambda: _text(document, found.total))
    sys.exit(1 if totals["E"] else 0)


def _text(document: dict[str, object], total: int) -> str:
    lines = [f"E {document['E']}  W {document['W']}  I {document['I']}  not checked {document['not_checked']}"]
    results = document["results"]
    assert isinstance(results, list)
    lines += [f"{row['severity']} {row['rule']} {row['grid'] or ''} {row['message']}" for row in results]
    if total > len(results):
        lines.append(f"... {total - len(results)} more (--json shows all)")
    return "\n".join(lines)
