"""Building a store from PostGIS, and comparing the two."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy.orm import Session

from gridmap.db.engine import engine, service, transaction
from gridmap.errors import Unavailable
from gridmap.services.actor import Actor, Role
from gridmap.services.heat import keeper, source, stacks
from gridmap.sql import query

if TYPE_CHECKING:
    from geodata.heat import Store, Tail


def run_build() -> Path:
    """Read all cases and write a store of them, unless that was just done; its folder. Older stores are removed.

    Raises ``Unavailable`` DATA_DIR_UNWRITABLE, and HEAT_DIFFERS where the store is not what the database says.
    """
    place = keeper.folder()
    asked = time.time()
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _alone(place / "build.lock"):
            return _built(place, asked)
    except OSError as error:
        raise Unavailable("DATA_DIR_UNWRITABLE", path=str(place), reason=error.strerror or str(error)) from error


@service
def verify(session: Session, actor: Actor) -> bool | None:
    """Whether the store and its tail agree with PostGIS in number and sum of every category; None without a store."""
    from geodata.heat import Store

    actor.require(Role.ADMINISTRATOR)
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    known = keeper.stores(source.identity(session))
    if not known:
        return None
    store = Store.open(known[0])
    changed = source.changes(session, str(store.told["snapshot"]))
    return changed.tail is not None and agrees(store, changed.tail, source.sums(session))


def agrees(store: Store, tail: Tail, told: source.Sums) -> bool:
    """Whether what a store and its tail hold is what the database ``told``."""
    found = source.sums_of(store.all())
    for name, (cases, mixed) in source.sums_of(tail.cases(), tail.changes.sign).items():
        before = found.get(name, (0, 0))
        found[name] = (before[0] + cases, before[1] + mixed)
    return {name: pair for name, pair in found.items() if pair != (0, 0)} == dict(told)


def _built(place: Path, asked: float) -> Path:
    """The part of :func:`run_build` that one process at a time does."""
    from geodata.heat import Store, Tail, build

    for part in place.glob(".*.part"):  # of a process that was killed
        shutil.rmtree(part, ignore_errors=True)
    with transaction() as session:
        identity = source.identity(session)
        known = keeper.stores(identity)
        if known and (known[0] / "store.json").stat().st_mtime > asked:
            return known[0]
        session.execute(query("heat", "forget"), {"age": keeper.FORGET_AFTER})
    with Session(engine()) as session, session.begin():
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        snapshot = source.snapshot(session)
        told = source.sums(session)
        cases = source.read(session, tuple(told))
        stacked = stacks.among(session, np.column_stack([cases.x, cases.y]))
    number = int(snapshot.split(":")[1])
    folder = place / f"{identity}-{number:020d}-{time.time_ns():020d}"
    kept = {"identity": identity, "snapshot": snapshot, "built": time.time(), "stacks": stacked.tell()}
    build(cases, folder, kept, stacked.of(cases.x, cases.y) >= 0)
    if not agrees(Store.open(folder), Tail.nothing(), told):
        shutil.rmtree(folder, ignore_errors=True)
        raise Unavailable("HEAT_DIFFERS")
    for old in keeper.stores(identity)[1:]:
        shutil.rmtree(old, ignore_errors=True)  # who has it mapped keeps it until the next question
    return folder


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process or thread at a time is inside; a killed one lets go."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
