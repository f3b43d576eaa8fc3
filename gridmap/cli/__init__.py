"""The command ``gridmap``: click through Flask's own group, one module a verb."""

from __future__ import annotations

import sys
from types import TracebackType

import click
from flask.cli import AppGroup

from gridmap import __version__

_FAULT = 70


@click.group(cls=AppGroup)
@click.version_option(__version__, prog_name="gridmap")
def main() -> None:
    """Plan, check and show the grids of a county (网格划分、核查与展示)."""
    sys.excepthook = _fault


def _fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show a fault of the program whole, and leave with a code that no command uses for anything else."""
    sys.__excepthook__(kind, error, trace)
    raise SystemExit(_FAULT)


def _add_commands() -> None:
    from gridmap.cli import (
        cases,
        check,
        db,
        demo,
        export,
        heat,
        import_,
        plans,
        redraw,
        redraw_file,
        report,
        serve,
        units,
        user,
    )

    for module in (
        cases,
        check,
        db,
        demo,
        export,
        heat,
        import_,
        plans,
        redraw,
        redraw_file,
        report,
        serve,
        units,
        user,
    ):
        main.add_command(module.command)


_add_commands()
