"""``gridmap heat``: the copy of the cases that heat maps are counted from."""

from __future__ import annotations

import click

from gridmap.cli.common import coded_errors, emit, json_option, ready_database


@click.group("heat")
def command() -> None:
    """Build the copy of the cases that heat maps are counted from, or compare it with the database."""


@command.command("build")
@json_option
def build(as_json: bool) -> None:
    """Lay all cases out anew; maps use it from their next question on."""
    from gridmap.services import heat

    with coded_errors(as_json), ready_database():
        name = heat.run_build().name
    emit({"store": name}, as_json, lambda: f"{name}: built and the same as the database")


@command.command("verify")
@json_option
def verify(as_json: bool) -> None:
    """Compare the copy, with what changed since, to the database; leaves with 1 where they differ."""
    from gridmap.services import heat
    from gridmap.services.actor import SYSTEM

    with coded_errors(as_json), ready_database():
        same = heat.verify(SYSTEM)
    told = {True: "the same as the database", False: "differs from the database", None: "there is no copy"}
    emit({"same": same}, as_json, lambda: told[same])
    if same is False:
        raise SystemExit(1)
