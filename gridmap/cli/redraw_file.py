"""``gridmap redraw-file``: grids for the units of a file, without any database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geodata.errors import GeodataError
from geodata.messages import sentence
from gridmap import __version__
from gridmap.cli.common import coded_errors, emit, json_option
from gridmap.cli.redraw_ask import asked
from gridmap.cli.redraw_show import shown, stopping, tell, told

if TYPE_CHECKING:
    from geodata.redraw.front import Named
    from geodata.redraw.result import Redrawn
    from geodata.redraw.task import Ask, Task

_SECONDS = 15.0
_MAP_PX = {".png": (1100.0, 1200.0), ".html": (900.0, 900.0)}
_FILE = click.Path(path_type=Path)


@click.command("redraw-file")
@click.argument("units", type=_FILE)
@click.option("--id", "id_", required=True, help="Column with the id of each unit.")
@click.option("--households", required=True, help="Column with the households of each unit.")
@click.option("--population", default="", help="Column with the people of each unit.")
@click.option("--group", default="", help="Column that no grid crosses (community).")
@click.option("--class", "class_", default="", help="Column with the class of each unit; each class has its band.")
@click.option("--band", "bands", multiple=True, help="NAME=MIN-MAX: households of a grid of that class; repeatable.")
@click.option("--min", "low", type=int, help="Fewest households of a grid.")
@click.option("--max", "high", type=int, help="Most households of a grid.")
@click.option("--population-min", type=int, help="Fewest people of a grid.")
@click.option("--population-max", type=int, help="Most people of a grid.")
@click.option("--standard", help="Shipped standard or path of a TOML file: its bands for urban and rural.")
@click.option("--start", type=_FILE, help="Today's plan: CSV with columns unit,grid.")
@click.option("--lock", "locks", multiple=True, help="unit:ID stays in its grid, grid:ID stays as it is; repeatable.")
@click.option("--barriers", type=_FILE, help="Roads, water, rail and walls: any vector file.")
@click.option("--weight", "weights", multiple=True, help="NAME=VALUE of a part of the objective; repeatable.")
@click.option("--compound", default="", help="Column with the compound of each unit, empty for none.")
@click.option("--workload", default="", help="Column with the workload of each unit (visits, cases, hours).")
@click.option("--tolerance", "tolerance_m", type=click.FloatRange(min=0.01), help="Metres up to which borders are one.")
@click.option("--layer", help="Layer of UNITS.")
@click.option("--crs", help="EPSG:4490 and the like, instead of what UNITS declares.")
@click.option("--front", is_flag=True, help="Also some plans from touching least to best shapes (plan-1.csv ...).")
@click.option("--robust", is_flag=True, help="Also how often each grid stays in the band when counts change.")
@click.option("--verify", is_flag=True, help="Check plan and proofs once more, by other code.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Another seed, another search.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="Time to search (15 without --moves).")
@click.option("--moves", type=click.IntRange(min=1), help="Moves to try: the same number gives the same plan.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes, where groups are independent.")
@click.option("--scheduler", help="Address of a dask.distributed scheduler.")
@click.option("--out", type=_FILE, required=True, help="CSV to write: unit,grid.")
@click.option("--report", "report_path", type=_FILE, help="JSON to write: grids, violations with proofs, cost, search.")
@click.option("--map", "map_path", type=_FILE, help="Map of before and after to write: .png or .html.")
@json_option
def command(
    units: Path, out: Path, report_path: Path | None, map_path: Path | None, as_json: bool, **given: Any
) -> None:
    """Draw grids of the right size from the units in a file; needs no database."""
    with coded_errors(as_json):
        ask = asked(given)
        _check_outputs([units, given["barriers"]], [out, report_path, map_path])
        task, more = _task(units, ask, given)
        if not as_json:
            tell(task)
        redrawn, fronts = _search(task, given, quiet=as_json)
        document = _document(task, redrawn, more, given, fronts, out)
        _write(task, redrawn, document, out, report_path, map_path, units.stem)
    emit(
        {key: document[key] for key in ("summary", "households_moved", "score", "stopped")} | {"out": str(out)},
        as_json,
        lambda: told(document),
    )


def _check_outputs(inputs: Sequence[Path | None], outputs: Sequence[Path | None]) -> None:
    from geodata.redraw.plan_file import check_writable

    seen = {path.resolve() for path in inputs if path is not None}
    for path in outputs:
        if path is None:
            continue
        if path.resolve() in seen:
            raise GeodataError("REDRAW_OUT_TWICE", path=str(path))
        seen.add(path.resolve())
        check_writable(path)
    drawn = outputs[-1]
    if drawn is not None and drawn.suffix.lower() not in _MAP_PX:
        raise GeodataError("REDRAW_MAP_ENDING", name=drawn.name)


def _task(units: Path, ask: Ask, given: dict[str, Any]) -> tuple[Task, dict[str, Any]]:
    """The task in these files, and what the report says about them."""
    from geodata.redraw.files import read_barriers, read_ground
    from geodata.redraw.plan_file import read_plan
    from geodata.redraw.task import task_of

    ground = read_ground(units, given["id_"], ask.columns(), layer=given["layer"], crs=given["crs"])
    start = None if given["start"] is None else read_plan(given["start"], ground.ids)
    barriers, more = None, {}
    if given["barriers"] is not None:
        barriers, others = read_barriers(given["barriers"], ground.lon)
        more["barrier_rows"] = {"used": len(barriers.geometry), "passed_over": others}
    return task_of(ground, ask, start, barriers), more


def _search(task: Task, given: dict[str, Any], *, quiet: bool) -> tuple[Redrawn, list[Named]]:
    from geodata.redraw.engine import redraw

    seconds = given["seconds"] or (None if given["moves"] else _SECONDS)
    with stopping() as stopped, shown(task, stopped, quiet=quiet) as progress:
        redrawn = redraw(
            task.instance,
            seed=given["seed"],
            seconds=seconds,
            moves=given["moves"],
            progress=progress,
            workers=given["workers"],
            scheduler=given["scheduler"],
        )
        if not given["front"] or stopped():
            return redrawn, []
        from geodata.redraw.front import front

        return redrawn, front(
            task.instance,
            seed=given["seed"],
            seconds=seconds,
            moves=given["moves"],
            progress=progress,
            workers=given["workers"],
            scheduler=given["scheduler"],
        )


def _document(
    task: Task,
    redrawn: Redrawn,
    more: dict[str, Any],
    given: dict[str, Any],
    fronts: Sequence[Named],
    out: Path,
) -> dict[str, Any]:
    from geodata.redraw.report import report, robustness_rows

    if given["robust"]:
        from geodata.redraw.robust import robustness

        made = robustness(task.instance, redrawn.plan, seed=given["seed"])
        more["robustness"] = robustness_rows(task.grid_names(redrawn.plan), made)
    if given["verify"]:
        from geodata.redraw.verify import verify

        more["verified"] = verify(task.instance, redrawn.plan, redrawn.violations)
    if fronts:
        more["front"] = _write_front(task, fronts, out)
    return report(task, redrawn, version=__version__, **more)


def _write_front(task: Task, fronts: Sequence[Named], out: Path) -> list[dict[str, Any]]:
    """Write each plan of the front beside ``out``, and say which is which."""
    from geodata.redraw.plan_file import plan_csv, write_whole
    from geodata.redraw.report import variant

    rows = []
    for number, one in enumerate(fronts, 1):
        path = out.with_name(f"{out.stem}-{number}{out.suffix}")
        names = task.grid_names(one.redrawn.plan)
        write_whole(path, plan_csv(task.units, [names.get(grid, "") for grid in one.redrawn.plan.tolist()]))
        titles = {f"title_{locale}": sentence(one.code, locale) for locale in ("zh", "en")}
        rows.append({"name": one.name, **titles, "plan": path.name, **variant(task, one.redrawn)})
    return rows


def _write(
    task: Task,
    redrawn: Redrawn,
    document: dict[str, Any],
    out: Path,
    report_path: Path | None,
    map_path: Path | None,
    title: str,
) -> None:
    from geodata.redraw.plan_file import plan_csv, write_whole
    from geodata.redraw.report import as_json

    names = task.grid_names(redrawn.plan)
    write_whole(out, plan_csv(task.units, [names.get(grid, "") for grid in redrawn.plan.tolist()]))
    if report_path is not None:
        write_whole(report_path, as_json(document))
    if map_path is None:
        return
    from geodata.redraw.draw import picture
    from geodata.redraw.page import html
    from geodata.redraw.paint import png

    ending = map_path.suffix.lower()
    width_px, height_px = _MAP_PX[ending]
    drawn = picture(task, redrawn, title=title, width_px=width_px, height_px=height_px)
    write_whole(map_path, html(drawn) if ending == ".html" else png(drawn))
