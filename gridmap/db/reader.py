"""A thread's own connection for reading, beside the sessions of services: no pool, no transaction, no ORM.

For what is asked a thousand times a second (tiles). Statements are prepared by the server after a few uses.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import psycopg
import sqlalchemy as sa

from gridmap.db import engine
from gridmap.errors import Unavailable

_own = threading.local()


def read(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of ``statement`` (``%(name)s``), which sees one snapshot. Raises ``Unavailable`` DB_UNREACHABLE."""
    for attempt in (1, 2):
        try:
            found = _connection().execute(statement.encode(), values, binary=True)
            return found.fetchall() if found.description else []
        except psycopg.OperationalError as error:
            if attempt == 1 and (_lost() is not False):  # the server ended it while it was idle
                continue
            raise Unavailable("DB_UNREACHABLE", reason=str(error).strip().splitlines()[0]) from error
    raise AssertionError


def _connection() -> psycopg.Connection[Any]:
    """This thread's connection to the database of the process."""
    owner = engine.engine()
    if getattr(_own, "owner", None) is not owner or _own.connection.closed:
        _drop()
        url = engine.libpq_url(owner.url.render_as_string(hide_password=False))
        options = "-c jit=off -c timezone=UTC -c default_transaction_read_only=on -c plan_cache_mode=force_generic_plan"
        _own.connection = psycopg.connect(url, autocommit=True, prepare_threshold=1, options=options)
        _own.owner = owner
        sa.event.listen(owner, "engine_disposed", _close_of(_own.connection))
    connection: psycopg.Connection[Any] = _own.connection
    return connection


def _close_of(connection: psycopg.Connection[Any]) -> Any:
    return lambda _: connection.close()


def _lost() -> bool:
    connection = getattr(_own, "connection", None)
    return connection is None or connection.closed


def _drop() -> None:
    if getattr(_own, "connection", None) is not None:
        _own.connection.close()
    _own.connection = _own.owner = None
