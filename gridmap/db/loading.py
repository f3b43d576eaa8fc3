"""Loading many rows at once: keys vouched for by the set instead of one by one, indexes built instead of grown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from gridmap.sql import query

#: Fewer rows are not worth the trouble.
_MANY = 20_000
_SORT_MEMORY = "256MB"


@contextmanager
def keys_vouched(session: Session) -> Iterator[None]:
    """Foreign keys are not looked up row by row inside the block: the caller has looked them up, and holds them.

    Only a superuser may say so (the private cluster's owner is one); for others the block changes nothing.
    """
    if session.scalar(sa.text("SELECT current_setting('is_superuser')")) != "on":
        yield
        return
    session.execute(sa.text("SET LOCAL session_replication_role = replica"))
    yield
    session.flush()
    session.execute(sa.text("SET LOCAL session_replication_role = origin"))


@contextmanager
def indexes_rebuilt(session: Session, table: str, rows: int) -> Iterator[None]:
    """Build the plain indexes of ``table`` after the block where it adds more ``rows`` than the table has.

    The table is locked meanwhile; where the lock is not to be had at once, the indexes grow as usual.
    """
    there = session.scalar(query("loading", "rows"), {"table": table}) or 0
    definitions = session.execute(query("loading", "indexes"), {"table": table}).all()
    if rows < _MANY or rows < there or not _dropped(session, table, [index.name for index in definitions]):
        yield
        return
    yield
    session.flush()
    session.execute(sa.text(f"SET LOCAL maintenance_work_mem = '{_SORT_MEMORY}'"))
    for index in definitions:
        session.execute(sa.text(index.definition))


def _dropped(session: Session, table: str, names: list[str]) -> bool:
    try:
        with session.begin_nested():
            session.execute(sa.text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE NOWAIT"))
            for name in names:
                session.execute(sa.text(f"DROP INDEX {name}"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != "55P03":
            raise
        return False
    return True
