"""``python -m gridmap.translations extract|compile|missing``."""

from __future__ import annotations

import click

from gridmap.translations import PO
from gridmap.translations.catalogue import missing, update, write_mo


@click.group()
def main() -> None:
    """Keep the English catalogue."""


@main.command("extract")
def extract_command() -> None:
    """Collect the sentences in use into messages.po, keeping what is translated."""
    update()


@main.command("compile")
def compile_command() -> None:
    """Make the .mo the app reads."""
    write_mo(PO.with_suffix(".mo"))


@main.command("missing")
def missing_command() -> None:
    """List the sentences without English; exit 1 where there are any."""
    for sentence in (found := missing()):
        click.echo(sentence)
    raise SystemExit(1 if found else 0)


main(prog_name="python -m gridmap.translations")
