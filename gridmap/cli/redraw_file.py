"""``gridmap redraw-file``: grids for the units of a file, without any database."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from geodata.errors import GeodataError
from geodata.messages import sentence
from gridmap import __version__
from gridmap.cli.common import coded_errors, emit, json_option, language

if TYPE_CHECKING:
    from geodata.redraw.front import Named
    from geodata.redraw.result import Redrawn, Step
    from geodata.redraw.task import Ask, Task

_SECONDS = 15.0
_SHOWN_EVERY_S = 0.5
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
        ask = _ask(given)
        _check_outputs([units, given["barriers"]], [out, report_path, map_path])
        task, more = _task(units, ask, given)
        if not as_json:
            _tell(task)
        redrawn, fronts = _search(task, given, quiet=as_json)
        document = _document(task, redrawn, more, given, fronts, out)
        _write(task, redrawn, document, out, report_path, map_path, units.stem)
    emit(
        {key: document[key] for key in ("summary", "households_moved", "score", "stopped")} | {"out": str(out)},
        as_json,
        lambda: _told(document),
    )


def _ask(given: dict[str, Any]) -> Ask:
    """What is asked for; raises ``REDRAW_*`` for what cannot be read, before any file is."""
    from geodata import standards
    from geodata.redraw.model import NO_LIMIT, PARTS, Band
    from geodata.redraw.task import Ask, bands_of

    people = {name: given[name] for name in ("population_min", "population_max") if given[name] is not None}
    if people and not given["population"]:
        raise GeodataError("REDRAW_POPULATION_COLUMN")

    def band(low: int, high: int) -> Band:
        low_p, high_p = people.get("population_min", 0), people.get("population_max", NO_LIMIT)
        if not 0 <= low <= high or high < 1:
            raise GeodataError("REDRAW_BAND", low=low, high=high)
        if not 0 <= low_p <= high_p:
            raise GeodataError("REDRAW_BAND", low=low_p, high=high_p)
        return Band(low, high, low_p, high_p)

    if (given["low"] is None) != (given["high"] is None):
        raise GeodataError("REDRAW_BAND_HALF")
    general = None if given["low"] is None else band(given["low"], given["high"])
    bands = {}
    if given["standard"]:
        for name, made in bands_of(standards.load(given["standard"])).items():
            limit = people.get("population_max", made.population_max if given["population"] else NO_LIMIT)
            bands[name] = Band(made.households_min, made.households_max, people.get("population_min", 0), limit)
    for text in given["bands"]:
        name, _, limits = text.rpartition("=")
        low, _, high = limits.partition("-")
        if not name or not low.strip().isdecimal() or not high.strip().isdecimal():
            raise GeodataError("REDRAW_BAND_WRITTEN", text=text)
        bands[name.strip()] = band(int(low), int(high))
    if general is None and not bands:
        raise GeodataError("REDRAW_BAND_MISSING")
    weights = dict(_weight(text) for text in given["weights"])
    unknown = sorted(set(weights) - set(PARTS))
    if unknown:
        raise GeodataError("REDRAW_WEIGHT_UNKNOWN", name=unknown[0], names=", ".join(PARTS))
    return Ask(
        general,
        bands,
        households=given["households"],
        population=given["population"],
        group=given["group"],
        class_=given["class_"],
        compound=given["compound"],
        workload=given["workload"],
        locks=given["locks"],
        weights=weights,
        tolerance_m=given["tolerance_m"],
    )


def _weight(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise GeodataError("REDRAW_WEIGHT_WRITTEN", text=text) from None


def _check_outputs(inputs: Sequence[Path | None], outputs: Sequence[Path | None]) -> None:
    from geodata.redraw.files import check_writable

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
    from geodata.redraw.files import read_barriers, read_ground, read_plan
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
    with _stopping() as stopped, _shown(task, stopped, quiet=quiet) as progress:
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


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Ctrl-C once asks the search to end; twice ends the program."""
    asked: list[int] = []

    def stop(number: int, _frame: object) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _shown(task: Task, stopped: Callable[[], bool], *, quiet: bool) -> Iterator[Callable[[Step], bool]]:
    """Progress on a terminal: grids in the band, households outside it, score; True once a stop was asked for."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from geodata.redraw.measure import tabulate

    console = Console(stderr=True)
    shown = console.is_terminal and not quiet
    columns = (BarColumn(bar_width=24), TimeElapsedColumn(), TextColumn("{task.description}"))
    last = 0.0
    with Progress(*columns, console=console, disable=not shown, transient=True) as bar:
        line = bar.add_task("", total=1.0)

        def advance(step: Step) -> bool:
            nonlocal last
            if shown and monotonic() - last > _SHOWN_EVERY_S:
                last = monotonic()
                grids = tabulate(task.instance, step.plan)
                text = sentence(
                    "REDRAW_PROGRESS",
                    language(),
                    in_band=int((grids.status == 0).sum()),
                    grids=len(grids.grid),
                    outside=round(step.key[1]),
                    score=f"{step.key[2]:.2f}",
                )
                bar.update(line, completed=step.share, description=text)
            return stopped()

        yield advance


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
    from geodata.redraw.files import plan_csv, write_whole
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
    from geodata.redraw.files import plan_csv, write_whole
    from geodata.redraw.report import as_json

    names = task.grid_names(redrawn.plan)
    write_whole(out, plan_csv(task.units, [names.get(grid, "") for grid in redrawn.plan.tolist()]))
    if report_path is not None:
        write_whole(report_path, as_json(document))
    if map_path is None:
        return
    from geodata.redraw.draw import html, picture
    from geodata.redraw.paint import png

    ending = map_path.suffix.lower()
    width_px, height_px = _MAP_PX[ending]
    drawn = picture(task, redrawn, title=title, width_px=width_px, height_px=height_px)
    write_whole(map_path, html(drawn) if ending == ".html" else png(drawn))


def _tell(task: Task) -> None:
    """What had to be assumed about the ground, on standard error."""
    built, locale = task.built, language()
    if not built.tiled:
        text = sentence(
            "REDRAW_FITTED", locale, tolerance_m=round(built.tolerance_m, 2), pairs=built.pairs_by_tolerance
        )
        click.echo(text, err=True)
    if len(built.lonely):
        unit = task.units[int(built.lonely[0])]
        click.echo(sentence("REDRAW_LONELY", locale, units=len(built.lonely), unit=unit), err=True)


def _told(document: dict[str, Any]) -> str:
    locale, summary = language(), document["summary"]
    lines = [sentence("REDRAW_CANCELLED", locale)] if document["stopped"] == "cancelled" else []
    lines.append(
        sentence(
            "REDRAW_DONE",
            locale,
            grids=summary["grids"],
            in_band=summary["in_band"],
            avoidable=summary["avoidable"],
            unavoidable=summary["unavoidable"],
            moved=document["households_moved"],
            compactness=summary["mean_polsby_popper"],
            seconds=round(document["seconds"], 1),
        )
    )
    return "\n".join(lines)
