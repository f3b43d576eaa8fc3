"""``gridmap export``: a plan as a file."""

from __future__ import annotations

from pathlib import Path

import click

from gridmap.cli.common import coded_errors, emit, json_option, ready_database


@click.command("export")
@click.option("--plan", "plan_id", type=int, required=True, help="Number of the plan (gridmap plans list).")
@click.option(
    "--format",
    "fmt",
    required=True,
    help="gpkg, geojson, shp (zip), xlsx, csv, units-csv (which unit is in which grid), report-xlsx or report-pdf.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
@json_option
def command(plan_id: int, fmt: str, out: Path, as_json: bool) -> None:
    """Write a plan, or the report of its last check."""
    from gridmap.services import exports, reports
    from gridmap.services.actor import SYSTEM

    with coded_errors(as_json), ready_database():
        if fmt == "report-xlsx":
            path = reports.check_xlsx(SYSTEM, plan_id, path=out)
        elif fmt == "report-pdf":
            path = reports.check_pdf(SYSTEM, plan_id, path=out)
        else:
            path = exports.plan(SYSTEM, plan_id, fmt, path=out)
    emit({"file": str(path), "bytes": path.stat().st_size}, as_json, lambda: str(path))
