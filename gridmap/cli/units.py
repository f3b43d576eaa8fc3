"""``gridmap units``: the pieces of ground that grids are made of."""

from __future__ import annotations

from dataclasses import asdict

import click

from gridmap.cli.common import coded_errors, emit, json_option, progress_bar, ready_database


@click.group("units")
def command() -> None:
    """Build units from borders, barriers, compounds and buildings."""


@command.command("build")
@click.option("--region", help="12-digit code of a county, subdistrict or community (default: everywhere).")
@json_option
def build(region: str | None, as_json: bool) -> None:
    """Divide communities into units and count their households; the units before them retire."""
    from gridmap.services import units
    from gridmap.services.actor import SYSTEM

    with coded_errors(as_json), ready_database(), progress_bar("units", quiet=as_json) as advance:
        report = units.build(SYSTEM, region, progress=advance)
    emit(
        asdict(report),
        as_json,
        lambda: (
            f"{report.units} units in {report.communities} communities, {report.households} households, "
            f"{report.buildings} buildings ({report.missing} without a count, {report.outside} outside), "
            f"{report.retired} retired, {report.seconds:.1f} s"
        ),
    )
