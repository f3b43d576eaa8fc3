"""``gridmap db``: the database this checkout works on."""

from __future__ import annotations

from pathlib import Path

import click

from geodata.messages import sentence
from gridmap.cli.common import coded_errors, emit, json_option, language, progress_bar, ready_database
from gridmap.settings import settings


@click.group("db")
def command() -> None:
    """Start, stop, migrate, back up and restore the database."""


@command.command("up")
@json_option
def up(as_json: bool) -> None:
    """Start the private PostGIS and keep it until ``gridmap db stop``."""
    from gridmap.db.cluster import Cluster
    from gridmap.db.engine import connect
    from gridmap.db.migrate import head, migrate

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
    from gridmap.db.cluster import Cluster

    with coded_errors(as_json):
        stopped = Cluster(settings()).stop()
        emit({"stopped": stopped}, as_json, lambda: "stopped" if stopped else "was not running")


@command.command("status")
@json_option
def status(as_json: bool) -> None:
    """Which database is used, whether it runs, and its schema."""
    from gridmap.db.cluster import Cluster
    from gridmap.db.engine import connect
    from gridmap.db.migrate import current, head

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
    from gridmap.db.migrate import current, head, migrate
    from gridmap.db.start import database

    with coded_errors(as_json), database(settings()):
        before = current()
        migrate()
        emit({"from": before, "to": head()}, as_json, lambda: f"{before or '-'} -> {head()}")


@command.command("backup")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file; a dated one by default.")
@json_option
def backup_command(out: Path | None, as_json: bool) -> None:
    """Write the whole database to one file."""
    from gridmap.db.backup import backup, default_path

    with coded_errors(as_json), ready_database() as url:
        _tell_leftovers()
        with progress_bar("backup", quiet=as_json):
            path = backup(url, out or default_path(settings().backups_dir))
        document = {"file": str(path), "bytes": path.stat().st_size}
        emit(document, as_json, lambda: f"{path}  {document['bytes']:,} bytes")


@command.command("restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def restore_command(file: Path, yes: bool, as_json: bool) -> None:
    """Replace the database's content by a backup (the present content is backed up first)."""
    from gridmap.db.backup import backup, default_path, restore
    from gridmap.db.migrate import current, migrate
    from gridmap.db.start import database

    with coded_errors(as_json), database(settings()) as url:
        if not yes:
            click.confirm(f"{file} -> database: replace everything?", abort=True, err=True)
        kept = backup(url, default_path(settings().backups_dir)) if current() is not None else None
        migrate()  # an empty database gets PostGIS before the tables come back
        with progress_bar("restore", quiet=as_json):
            restore(url, file)
        migrate()
        emit({"restored": str(file), "before": kept and str(kept)}, as_json, lambda: f"{file} restored; before: {kept}")


def _tell_leftovers() -> None:
    from gridmap.db.backup import leftovers

    for path in leftovers(settings().backups_dir):
        click.echo(sentence("BACKUP_INTERRUPTED", language(), path=path), err=True)
