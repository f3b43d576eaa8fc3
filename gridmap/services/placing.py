"""Writing down which unit and community buildings and cases belong to, thousands at once."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.sql import query


def place(session: Session, table: str, rows: Any, units: Any, regions: Any) -> None:
    """Set unit and region of ``rows`` (ids) of ``table`` ("building" or "case_record") where they changed."""
    name = f"{table}_assignment"
    columns = "id bigint PRIMARY KEY, unit_id bigint, region_id bigint"
    session.execute(sa.text(f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP"))
    bulk.copy(session, name, {"id": rows, "unit_id": units, "region_id": regions})
    session.execute(query("units", f"assign_{table}"))
    session.execute(sa.text(f"DROP TABLE {name}"))
