"""Connections for reading, beside the sessions of services: no transaction, no ORM, nothing but one statement each.

For what is asked a thousand times a second (tiles). Who asks takes the connection that was used last: few are in use,
and those are warm in the server too. Statements are prepared by the server.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.pq import ConnStatus, ExecStatus

from gridmap.db import engine
from gridmap.errors import Unavailable

_OPTIONS = "-c jit=off -c timezone=UTC -c default_transaction_read_only=on -c plan_cache_mode=force_generic_plan"


@dataclass(slots=True)
class _Line:
    """A connection, whose it is, and the statements that :func:`row` prepared on it."""

    owner: sa.Engine
    connection: psycopg.Connection[Any]
    prepared: dict[str, bytes] = field(default_factory=dict)


#: Idle connections, the last used at the end; taking and laying down are atomic.
_idle: list[_Line] = []
os.register_at_fork(after_in_child=_idle.clear)  # a connection belongs to the process that made it


def read(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of ``statement`` (``%(name)s``), which sees one snapshot. Raises ``Unavailable`` DB_UNREACHABLE."""
    for attempt in (1, 2):
        try:
            with _line() as line:
                found = line.connection.execute(statement.encode(), values, binary=True)
                return found.fetchall() if found.description else []
        except psycopg.OperationalError as error:
            _again_or_raise(error, attempt)
    raise AssertionError


def row(statement: str, values: Mapping[str, Any]) -> tuple[bytes | None, ...]:
    """The only row of ``statement``, in the server's binary form: :func:`read` at a third of its cost.

    A number, a text or a list of texts may be asked with; the statement says their types. For what is asked for every
    tile; raises as :func:`read`.
    """
    for attempt in (1, 2):
        try:
            with _line() as line:
                return _row(line, statement, values)
        except psycopg.OperationalError as error:
            _again_or_raise(error, attempt)
    raise AssertionError


def whole(value: bytes | None) -> int | None:
    """An integer of :func:`row`."""
    return None if value is None else int.from_bytes(value, "big", signed=True)


def _again_or_raise(error: psycopg.OperationalError, attempt: int) -> None:
    """Once more where the server may have ended a connection while it was idle: all that are, are closed."""
    while attempt == 1 and _idle:
        _idle.pop().connection.close()
    if attempt == 2:
        raise Unavailable("DB_UNREACHABLE", reason=str(error).strip().splitlines()[0]) from error


@contextmanager
def _line() -> Iterator[_Line]:
    """A connection to the database of the process, for one statement."""
    owner = engine.engine()
    line = _taken(owner) or _connected(owner)
    try:
        yield line
    finally:
        if line.connection.closed:
            pass
        elif line.owner is engine.engine():
            _idle.append(line)
        else:
            line.connection.close()


def _taken(owner: sa.Engine) -> _Line | None:
    while True:
        try:
            line = _idle.pop()
        except IndexError:
            return None
        if line.owner is owner and not line.connection.closed:
            return line
        line.connection.close()


def _connected(owner: sa.Engine) -> _Line:
    url = engine.libpq_url(owner.url.render_as_string(hide_password=False))
    line = _Line(owner, psycopg.connect(url, autocommit=True, prepare_threshold=1, options=_OPTIONS))
    sa.event.listen(owner, "engine_disposed", lambda _: line.connection.close())
    return line


def _row(line: _Line, statement: str, values: Mapping[str, Any]) -> tuple[bytes | None, ...]:
    text, names = _numbered(statement)
    server, name = line.connection.pgconn, line.prepared.get(statement)
    if name is None:
        name = f"row_{len(line.prepared)}".encode()
        _checked(server, server.prepare(name, text))
        line.prepared[statement] = name
    asked: list[Any] = [_written(values[one]) for one in names]
    found = server.exec_prepared(name, asked, result_format=1)
    _checked(server, found)
    if found.ntuples != 1:
        raise ValueError(statement)
    return tuple([found.get_value(0, column) for column in range(found.nfields)])


def _checked(server: Any, found: Any) -> None:
    if found.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return
    text = found.error_message.decode("utf-8", "replace")
    raise (psycopg.OperationalError if server.status != ConnStatus.OK else psycopg.DatabaseError)(text)


@cache
def _numbered(statement: str) -> tuple[bytes, list[str]]:
    """A statement with ``$1`` instead of ``%(name)s``, and the names in that order."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] is None:
            return "%"
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return re.sub(r"%(?:\((\w+)\)s|%)", number, statement).encode(), names


def _written(value: Any) -> bytes | None:
    if isinstance(value, list):
        quoted = [one.replace("\\", "\\\\").replace('"', '\\"') for one in value]
        return ("{" + ",".join([f'"{one}"' for one in quoted]) + "}").encode()
    return None if value is None else str(value).encode()
