"""How ``gridmap redraw-file`` speaks while it searches, how it is stopped, and what it says at the end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from geodata.messages import sentence
from gridmap.cli.common import language

if TYPE_CHECKING:
    from geodata.redraw.result import Step
    from geodata.redraw.task import Task

_SHOWN_EVERY_S = 0.5


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
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
def shown(task: Task, stopped: Callable[[], bool], *, quiet: bool) -> Iterator[Callable[[Step], bool]]:
    """Progress on a terminal: grids in the band, households outside it, score; True once a stop was asked for."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from geodata.redraw.measure import tabulate

    console = Console(stderr=True)
    visible = console.is_terminal and not quiet
    columns = (BarColumn(bar_width=24), TimeElapsedColumn(), TextColumn("{task.description}"))
    last = 0.0
    with Progress(*columns, console=console, disable=not visible, transient=True) as bar:
        line = bar.add_task("", total=1.0)

        def advance(step: Step) -> bool:
            nonlocal last
            if visible and monotonic() - last > _SHOWN_EVERY_S:
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


def tell(task: Task) -> None:
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


def told(document: dict[str, Any]) -> str:
    """What came out, in a sentence or two."""
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
