"""The command ``gridmap``: click through Flask's own group, one module a verb."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from gridmap import __version__


@click.group(cls=AppGroup)
@click.version_option(__version__, prog_name="gridmap")
def main() -> None:
    """Plan, check and show the grids of a county (网格划分、核查与展示)."""


def _add_commands() -> None:
    from gridmap.cli import check, db, demo, export, import_, plans, serve, units, user

    for module in (check, db, demo, export, import_, plans, serve, units, user):
        main.add_command(module.command)


_add_commands()
