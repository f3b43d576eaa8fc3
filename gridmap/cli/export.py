"""``gridmap export``: a plan as a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from gridmap.cli.common import coded_errors, emit, json_option, ready_database


@click.command("export")
@click.option("--plan", "plan_id", type=int, help="Number of the plan (gridmap plans list).")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Instead: the plan in force on that day.")
@click.option("--region", help="With --date: 12-digit code of a region of that plan.")
@click.option(
    "--format",
    "fmt",
    required=True,
    help="gpkg, geojson, shp (zip), xlsx, csv, units-csv (which unit is in which grid), report-xlsx, report-pdf,"
    " dossier-xlsx, dossier-pdf, or html (a map that opens without a network).",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
@json_option
def command(plan_id: int | None, day: datetime | None, region: str | None, fmt: str, out: Path, as_json: bool) -> None:
    """Write a plan, the report of its last check, or the dossier for its approval."""
    from gridmap.services import exports, plans, reports
    from gridmap.services.actor import SYSTEM

    if (plan_id is None) == (day is None):
        raise click.UsageError("give either --plan or --date")
    with coded_errors(as_json), ready_database():
        if day is not None:
            plan_id = plans.held_on(SYSTEM, day.date(), region)
        assert plan_id is not None
        if fmt == "html":
            from gridmap.services.sheets import MapView
            from gridmap.web.standalone import map_file

            path = map_file(SYSTEM, MapView(plan_id, region), path=out)
        elif fmt in reports.REPORTS:
            path = reports.REPORTS[fmt](SYSTEM, plan_id, path=out)
        else:
            path = exports.plan(SYSTEM, plan_id, fmt, path=out)
    emit({"file": str(path), "bytes": path.stat().st_size}, as_json, lambda: str(path))
