"""``gridmap cases``: figures of cases that everybody who looks at a region may see."""

from __future__ import annotations

import click

from gridmap.cli.common import coded_errors, emit, json_option, ready_database


@click.group("cases")
def command() -> None:
    """Publish closed quarters, small numbers withheld."""


@command.command("release")
@json_option
def release_command(as_json: bool) -> None:
    """Release every closed quarter that is not yet, at once; what was released is never made again."""
    from gridmap.services.actor import SYSTEM
    from gridmap.services.cases import release

    with coded_errors(as_json), ready_database():
        made = release.make(SYSTEM)
    emit({"releases": list(made)}, as_json, lambda: f"{len(made)} made" if made else "nothing to release")
