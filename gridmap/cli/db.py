"""``gridmap db``: the database this checkout works on."""

from __future__ import annotations

import click

from gridmap.cli.common import coded_errors, emit, json_option
from gridmap.db.cluster import Cluster
from gridmap.db.engine import connect
from gridmap.db.migrate import current, head, migrate
from gridmap.db.start import database
from gridmap.settings import settings


@click.group("db")
def command() -> None:
    """Start, stop, migrate, back up and restore the database."""


@command.command("up")
@json_option
def up(as_json: bool) -> None:
    """Start the private PostGIS and keep it until ``gridmap db stop``."""
    with coded_errors(as_json):
        cluster = Cluster(settings())
        cluster.up()
        connect(cluster.url)
        migrate()
        emit({"url": cluster.url, "schema": head()}, as_json, lambda: cluster.url)


@command.command("stop")
@json_option
def stop(as_json: bool) -> None:
    """Stop the private PostGIS."""
    with coded_errors(as_json):
        stopped = Cluster(settings()).stop()
        emit({"stopped": stopped}, as_json, lambda: "stopped" if stopped else "was not running")


@command.command("status")
@json_option
def status(as_json: bool) -> None:
    """Which database is used, whether it runs, and its schema."""
    with coded_errors(as_json):
        config = settings()
        private = config.database_url is None
        running = not private or Cluster(config).running()
        found = None
        if running:
            connect(config.database_url or Cluster(config).url)
            found = current()
        document = {"private": private, "running": running, "schema": found, "expected": head()}
        emit(document, as_json, lambda: "\n".join(f"{key}: {value}" for key, value in document.items()))


@command.command("migrate")
@json_option
def migrate_command(as_json: bool) -> None:
    """Bring the schema to this program's version."""
    with coded_errors(as_json), database(settings()):
        before = current()
        migrate()
        emit({"from": before, "to": head()}, as_json, lambda: f"{before or '-'} -> {head()}")
