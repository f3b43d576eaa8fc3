"""Migrations from code: bring a database to the newest schema, or say in one sentence what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError, OperationalError

from gridmap.db.engine import engine
from gridmap.errors import Unavailable

#: Whether PostGIS is in the database, and whether :func:`migrate` could bring it there.
_POSTGIS = sa.text(
    "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'postgis'),"
    " EXISTS (SELECT FROM pg_available_extensions WHERE name = 'postgis')"
    " AND current_setting('is_superuser') = 'on'"
)
_LOCK = 0x67726964  # "grid": one migration at a time


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def head() -> str:
    """The newest revision this program knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


def current() -> str | None:
    """The revision of the database, None where it is empty."""
    with _connection() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate() -> None:
    """Create or upgrade the schema; two at once wait for each other. ``Unavailable`` where PostGIS is missing."""
    with _connection() as connection, connection.begin():
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        try:
            with connection.begin_nested():
                connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS postgis"))
        except DBAPIError as error:
            raise Unavailable("POSTGIS_MISSING", reason=_first_line(error)) from error
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require_current() -> None:
    """Raise ``Unavailable`` unless the database has PostGIS and this program's schema."""
    with _connection() as connection:
        installed, installable = connection.execute(_POSTGIS).one()
        found = MigrationContext.configure(connection).get_current_revision()
    if not installed and (found is not None or not installable):
        raise Unavailable("POSTGIS_MISSING", reason="")
    if found != head():
        known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
        code = "SCHEMA_OLD" if found is None or found in known else "SCHEMA_NEWER"
        raise Unavailable(code, found=found or "-", expected=head())


def _connection() -> sa.Connection:
    try:
        return engine().connect()
    except OperationalError as error:
        raise Unavailable("DB_UNREACHABLE", reason=_first_line(error)) from error


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]
