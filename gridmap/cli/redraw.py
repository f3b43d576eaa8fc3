"""``gridmap redraw``: a proposal for a region of a plan, made by machine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from gridmap.cli.common import coded_errors, emit, json_option, language, progress_bar, ready_database


def _weights(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for value in values:
        name, sign, number = value.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            sign = ""
        if not sign:
            raise click.BadParameter(f"{value!r} is not NAME=NUMBER")
    return found


@click.command("redraw")
@click.option("--plan", "plan_id", type=int, required=True, help="Number of the plan (gridmap plans list).")
@click.option("--region", help="12-digit code of what is redrawn (default: the whole plan).")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another proposal.")
@click.option("--seconds", type=float, default=15.0, show_default=True, help="Time the search may take.")
@click.option("--preset", default="balanced", show_default=True, help="few (moves), balanced or shapes.")
@click.option("--weight", "weights", multiple=True, callback=_weights, help="NAME=NUMBER; may be repeated.")
@click.option("--lock", "locks", multiple=True, help="Code of a grid that stays as it is; may be repeated.")
@click.option("--name", default="", help="Name of the proposal (default: the plan's with day and time).")
@json_option
def command(
    plan_id: int,
    region: str | None,
    seed: int,
    seconds: float,
    preset: str,
    weights: Mapping[str, float],
    locks: tuple[str, ...],
    name: str,
    as_json: bool,
) -> None:
    """Redraw a region of a plan and keep the result as a new draft; exit code 1 where avoidable faults are left."""
    from gridmap.services import redraw
    from gridmap.services.actor import SYSTEM

    with coded_errors(as_json), ready_database():
        wish = redraw.Wish(region, seconds, seed, {**redraw.preset(preset), **weights}, locks, name)
        with progress_bar("redraw", quiet=as_json) as advance:
            made = redraw.propose(
                SYSTEM, plan_id, wish, say=lambda share, doing, live: advance(share, _doing(doing, live))
            )
        view = redraw.proposal(SYSTEM, made["plan_id"])
        assert view is not None
    left = [dict(one) for one in view.violations]
    emit({**made, "violations": left}, as_json, lambda: _text(made, left, language()))
    sys.exit(1 if made["avoidable"] else 0)


def _doing(doing: str, live: Mapping[str, Any] | None) -> str:
    return doing if live is None else f"{live['in_band']}/{live['grids']} in standard, {live['households_moved']} moved"


def _text(made: Mapping[str, Any], left: list[dict[str, Any]], locale: str) -> str:
    before, after = made["before"], made["after"]
    lines = [
        f"plan {made['plan_id']}  {made['name']}",
        f"in standard {before['in_band']} of {before['grids']} -> {after['in_band']} of {after['grids']}",
        f"households moved {made['households_moved']}  new grids {made['new']}  gone {made['gone']}",
        f"left: avoidable {made['avoidable']}  unavoidable {made['unavoidable']}",
    ]
    if made["base_changed"]:
        lines.append("the plan changed while the search ran; the proposal begins from how it was before")
    lines += [f"{one['grid']} {one['kind']} {one['households']}: {one[f'reason_{locale}']}" for one in left]
    return "\n".join(lines)
