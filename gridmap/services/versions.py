"""Data versions: a counter per layer that every change raises, so that tiles and pages know when they are stale."""

from __future__ import annotations

from collections.abc import Hashable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gridmap.db.engine import engine
from gridmap.db.models import DataVersion
from gridmap.jobs.app import defer

LAYERS = ("regions", "barriers", "buildings", "units", "plans", "cases")


def raise_version(session: Session, *layers: str) -> None:
    """Mark ``layers`` as changed by this transaction."""
    for layer in sorted(layers):
        row = insert(DataVersion).values(layer=layer, version=1)
        raised = row.on_conflict_do_update(index_elements=["layer"], set_={"version": DataVersion.version + 1})
        session.execute(raised)


def versions(session: Session) -> dict[str, int]:
    """The present version of every layer (0 where nothing was ever stored)."""
    found = {row.layer: row.version for row in session.execute(sa.select(DataVersion.layer, DataVersion.version))}
    return {layer: found.get(layer, 0) for layer in LAYERS}


def state_of_all(session: Session) -> tuple[Hashable, ...]:
    """What is another after any change of plans, checks and ground that was committed: a key for what is kept.

    Not for a transaction that has changed something itself.
    """
    plans = session.execute(sa.text("SELECT id, xmin::text FROM plan ORDER BY id")).all()
    return str(engine().url), *versions(session).values(), *(tuple(row) for row in plans)


def decide_households(session: Session) -> None:
    """Have the worker decide which households may be told when the caller's transaction commits."""
    defer(session, "publish_households", lock="households")


def render_ahead(session: Session) -> None:
    """Have the worker make the small scales of plans in force anew when the caller's transaction commits."""
    defer(session, "render_tiles", lock="tiles")
