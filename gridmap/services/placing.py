"""Writing down which unit and community buildings and cases belong to, thousands at once, and the lock on units."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.sql import query

_UNITS_LOCK = 0x756E6974  # "unit"


def lock_units(session: Session, *, shared: bool) -> None:
    """Hold the layer of units until the transaction ends: alone to rebuild it, together to make plans of it."""
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    session.execute(sa.text(f"SELECT {function}(:key)"), {"key": _UNITS_LOCK})


def place(session: Session, table: str, rows: Any, units: Any, regions: Any) -> None:
    """Set unit and region of ``rows`` (ids) of ``table`` ("building" or "case_record") where they changed."""
    name = f"{table}_assignment"
    columns = "id bigint PRIMARY KEY, unit_id bigint, region_id bigint"
    session.execute(sa.text(f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP"))
    bulk.copy(session, name, {"id": rows, "unit_id": units, "region_id": regions})
    session.execute(query("units", f"assign_{table}"))
    session.execute(sa.text(f"DROP TABLE {name}"))
