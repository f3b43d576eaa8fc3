"""``gridmap plans``: the plans there are, and new ones from drawn grids."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from gridmap.cli.common import coded_errors, emit, json_option, ready_database


@click.group("plans")
def command() -> None:
    """List plans, or make one from imported grids."""


@command.command("list")
@click.option("--archived", is_flag=True, help="Archived ones as well.")
@json_option
def list_command(archived: bool, as_json: bool) -> None:
    """The plans with their numbers, grids and findings."""
    from gridmap.services import plans
    from gridmap.services.actor import SYSTEM

    with coded_errors(as_json), ready_database():
        found = plans.list_plans(SYSTEM, archived=archived)
    rows = (
        f"{p.id}  {p.name}  {p.state}  {p.region_name}  grids {p.grids}  households {p.households}  "
        f"E {p.errors}  W {p.warnings}{'' if p.current_check else '  (not checked)'}"
        for p in found
    )
    emit([asdict(plan) for plan in found], as_json, lambda: "\n".join(rows))


@command.command("copy")
@click.option("--plan", "plan_id", type=int, required=True, help="Number of the plan to copy.")
@click.option("--region", help="12-digit code of the part to copy (default: all of it).")
@click.option("--name", default="", help="Name of the draft (default: that of the plan, marked as a draft).")
@json_option
def copy_command(plan_id: int, region: str | None, name: str, as_json: bool) -> None:
    """Copy a plan, or one region's part of it, as a draft."""
    from gridmap.services import plans
    from gridmap.services.actor import SYSTEM

    with coded_errors(as_json), ready_database():
        made = plans.copy_plan(SYSTEM, plan_id, region_code=region, name=name)
    emit({"plan": made}, as_json, lambda: f"plan {made}")


@command.command("compare")
@click.argument("a", type=int)
@click.argument("b", type=int)
@json_option
def compare_command(a: int, b: int, as_json: bool) -> None:
    """Compare plan B with plan A: sums before and after, and what changed hands."""
    from gridmap.services import compare
    from gridmap.services.actor import SYSTEM

    with coded_errors(as_json), ready_database():
        found = compare.compare(SYSTEM, a, b)
    sums = {name: asdict(getattr(found, name)) for name in ("before", "after", "moves")}
    lines = [f"{found.a.name} -> {found.b.name} ({found.region_name})"]
    lines += [f"{name}: {sums['before'][name]} -> {sums['after'][name]}" for name in sums["before"]]
    lines += [f"{name}: {value}" for name, value in sums["moves"].items()]
    emit({"a": a, "b": b, "region": found.region_code, **sums}, as_json, lambda: "\n".join(lines))


@command.command("from-import")
@click.option("--import", "batch_id", type=int, required=True, help="Number of the accepted import of grids.")
@click.option("--name", required=True, help="Name of the plan.")
@click.option("--standard", default="national", show_default=True, help="Shipped standard or path of a TOML file.")
@click.option("--region", help="12-digit code (default: the smallest region around the grids).")
@click.option("--department", help="Only the grids of this department.")
@json_option
def from_import(
    batch_id: int, name: str, standard: str, region: str | None, department: str | None, as_json: bool
) -> None:
    """Lay imported grids over the units: the plan they make, and every place where they do not fit."""
    from geodata import standards
    from gridmap.services import plans
    from gridmap.services.actor import SYSTEM

    with coded_errors(as_json), ready_database():
        plan_id = plans.plan_from_source(
            SYSTEM,
            batch_id,
            name,
            profile=standards.load(standard).to_dict(),
            region_code=region,
            department=department,
        )
        kinds = plans.misfits(SYSTEM, plan_id, limit=0)["kinds"]
    lines = [f"plan {plan_id}", *(f"{row['kind']}: {row['count']}" for row in kinds)]
    emit({"plan": plan_id, "misfits": kinds}, as_json, lambda: "\n".join(lines))


@command.command("from-assignment")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="Name of the plan.")
@click.option("--region", required=True, help="12-digit code of the region the plan is for.")
@click.option("--standard", default="national", show_default=True, help="Shipped standard or path of a TOML file.")
@json_option
def from_assignment(file: Path, name: str, region: str, standard: str, as_json: bool) -> None:
    """Make a plan from an exported assignment of units (units-csv), edited or not."""
    from geodata import standards
    from gridmap.services import exports, plans
    from gridmap.services.actor import SYSTEM

    with coded_errors(as_json), ready_database():
        rows, grids = exports.read_assignment(file)
        plan_id = plans.from_assignment(SYSTEM, name, region, rows, grids, profile=standards.load(standard).to_dict())
    emit({"plan": plan_id, "units": len(rows), "grids": len(grids)}, as_json, lambda: f"plan {plan_id}")
