"""``gridmap report``: reports that officials read on paper."""

from __future__ import annotations

from pathlib import Path

import click

from gridmap.cli.common import coded_errors, emit, json_option, progress_bar, ready_database


@click.group("report")
def command() -> None:
    """Make the reports that are printed."""


@command.command("monthly")
@click.option("--region", required=True, help="Code of the region, 12 digits.")
@click.option("--month", required=True, help="The month, like 2026-10; it must be over.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="PDF to write.")
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Language.")
@json_option
def monthly(region: str, month: str, out: Path, language: str, as_json: bool) -> None:
    """Write the report of a region's month: cases, hot spots, coverage, every community."""
    from gridmap.services import monthly as reports
    from gridmap.services.actor import SYSTEM
    from gridmap.services.monthly import months

    with coded_errors(as_json), ready_database(), progress_bar("report", quiet=as_json) as advance:
        told = reports.monthly_pdf(SYSTEM, region, months.parsed(month), out, locale=language, progress=advance)
    document = {"file": str(out), "bytes": out.stat().st_size, "summary": told}
    emit(document, as_json, lambda: f"{out}\n{told}")
