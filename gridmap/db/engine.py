"""The engine of this process and the transaction every service call is."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from typing import Concatenate, Generic, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gridmap.errors import Conflict, Unavailable

P = ParamSpec("P")
R = TypeVar("R")

_BLOCKED = ("40001", "40P01", "55P03")  # serialization failure, deadlock, lock not available
_DISK_FULL = "53100"
_engine: sa.Engine | None = None
_name = ""  # of all connections of this process


def sqlalchemy_url(url: str) -> sa.URL:
    """``url`` for SQLAlchemy: any ``postgres(ql)://`` address is served by psycopg 3; else ``Unavailable``."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise Unavailable("DB_ADDRESS") from error
    if not parsed.drivername.startswith("postgres"):
        raise Unavailable("DB_ADDRESS")
    return parsed.set(drivername="postgresql+psycopg")


def libpq_url(url: str) -> str:
    """``url`` for libpq programs (pg_dump, ogr2ogr, procrastinate)."""
    return sqlalchemy_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def connect(url: str) -> sa.Engine:
    """Make ``url`` the database of this process; connections are opened when first needed."""
    global _engine, _name
    if _engine is not None:
        _engine.dispose()
    _name = f"gridmap {os.getpid()} {secrets.token_hex(8)}"
    _engine = sa.create_engine(
        sqlalchemy_url(url),
        pool_size=8,
        max_overflow=16,
        pool_pre_ping=True,
        connect_args={"options": "-c jit=off -c timezone=UTC", "application_name": _name},
    )
    return _engine


def engine() -> sa.Engine:
    """The engine of this process; ``Unavailable`` (DB_NOT_CONNECTED) before :func:`connect`."""
    if _engine is None:
        raise Unavailable("DB_NOT_CONNECTED")
    return _engine


def disconnect() -> None:
    """Close every connection (before a fork, at the end of a test)."""
    if _engine is not None:
        _engine.dispose()


def abandon() -> None:
    """Have the server end what this process still does in its database, rolled back; nothing more begins here.

    For a process about to leave whose threads cannot be told to: else a long statement would run on without it.
    """
    global _engine
    left, _engine = _engine, None
    if left is None:
        return
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"
    with sa.create_engine(left.url, poolclass=sa.NullPool).connect() as connection:
        connection.execute(sa.text(ending), {"name": _name})


@contextmanager
def transaction() -> Iterator[Session]:
    """A session in one transaction: leaving commits, raising rolls back.

    What the server says of itself comes out coded: ``Conflict`` TRY_AGAIN where two changes blocked each other,
    ``Unavailable`` DATABASE_FULL or DB_UNREACHABLE.
    """
    try:
        with Session(engine(), expire_on_commit=False) as session, session.begin():
            yield session
    except OperationalError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in _BLOCKED:
            raise Conflict("TRY_AGAIN") from error
        if state == _DISK_FULL:
            raise Unavailable("DATABASE_FULL") from error
        if error.connection_invalidated or "connection" in str(error.orig).lower():
            raise Unavailable("DB_UNREACHABLE", reason=str(error.orig).strip().splitlines()[0]) from error
        raise


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold the database-wide lock ``name``: only one process at a time is inside the block."""
    with engine().connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(hashtext(:name))"), {"name": f"gridmap.{name}"})
        connection.commit()
        try:
            yield
        finally:
            connection.execute(sa.text("SELECT pg_advisory_unlock(hashtext(:name))"), {"name": f"gridmap.{name}"})
            connection.commit()


class Service(Generic[P, R]):
    """A function of the service room: calling it is one transaction, :meth:`within` joins the caller's."""

    def __init__(self, function: Callable[Concatenate[Session, P], R]) -> None:
        self.within = function
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        with transaction() as session:
            return self.within(session, *args, **kwargs)


def service(function: Callable[Concatenate[Session, P], R]) -> Service[P, R]:
    """Declare ``function(session, ...)`` a service: returning commits, raising rolls back."""
    return Service(function)
