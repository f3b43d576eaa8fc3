"""The command ``gridmap``: click through Flask's own group, one module a verb."""

from __future__ import annotations

import sys
from importlib import import_module
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


_COMMANDS = (
    "cases",
    "check",
    "db",
    "demo",
    "export",
    "heat",
    "import_",
    "plans",
    "redraw",
    "redraw_file",
    "report",
    "serve",
    "units",
    "user",
)


def _add_commands() -> None:
    for name in _COMMANDS:
        main.add_command(import_module(f"gridmap.cli.{name}").command)


_add_commands()
