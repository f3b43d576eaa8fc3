"""The cases as PostGIS has them: all of them as columns, what changed since, and what a copy is compared by."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from psycopg import sql
from sqlalchemy.orm import Session

from gridmap.sql import query

if TYPE_CHECKING:
    from geodata.heat import Cases, Tail

Sums = Mapping[str, tuple[int, int]]

#: Microseconds from 1970 to 2000, where PostgreSQL counts from.
_EPOCH_US = 946_684_800_000_000
#: A row of binary COPY: number of fields, then each with its length, in network order.
_ROW = np.dtype(
    [("fields", ">i2")]
    + [part for name, kind in (("x", "f8"), ("y", "f8"), ("at", "i8"), ("category", "i4"), ("region", "i8"),
                               ("unit", "i8"))
       for part in ((f"{name}_bytes", ">i4"), (name, f">{kind}"))]
)  # fmt: skip
_HEAD = len(b"PGCOPY\n\xff\r\n\0") + 8
_COPY = """
COPY (SELECT ST_X(point), ST_Y(point), occurred_at, array_position(CAST({names} AS text[]), category), region_id,
             coalesce(unit_id, 0)
      FROM case_record
      WHERE ST_X(point) BETWEEN -180 AND 180 AND ST_Y(point) BETWEEN -90 AND 90
        AND region_id IS NOT NULL AND isfinite(occurred_at))
TO STDOUT (FORMAT binary)
"""


@dataclass(frozen=True, slots=True)
class Changed:
    """What was committed between two snapshots: ``tail``, or None where too much to tell (or another past).

    ``identity`` is that of the table asked.
    """

    identity: str
    snapshot: str
    tail: Tail | None


def identity(session: Session) -> str:
    """Which table of cases this is, among all servers and restores."""
    return str(session.scalar(query("heat", "here")))


def snapshot(session: Session) -> str:
    """What the statement sees."""
    return str(session.scalar(query("heat", "snapshot")))


def sums(session: Session) -> Sums:
    """Number and sum of each category, by category."""
    rows = session.execute(query("heat", "sums"))
    return {row.category: (int(row.cases), int(row.mixed)) for row in rows}


def sums_of(cases: Cases, sign: np.ndarray | None = None) -> dict[str, tuple[int, int]]:
    """The same of columns, each case with its ``sign``."""
    weights = np.ones(len(cases), dtype=np.int64) if sign is None else sign
    region = np.array(cases.regions, dtype=np.int64)[cases.region] if len(cases) else cases.region
    x, y = (np.trunc(values * 1e7).astype(np.int64) for values in (cases.x, cases.y))
    mixed = x ^ (y * 4096) ^ cases.at ^ (region * 65536) ^ (cases.units * 16777216)
    found = {}
    for number, name in enumerate(cases.categories):
        own = cases.category == number
        values, signs = mixed[own], weights[own]
        # in two halves: the sum of 10 million such numbers takes more than 64 bits
        high, low = int(((values >> 32) * signs).sum()), int(((values & 0xFFFFFFFF) * signs).sum())
        found[name] = (int(signs.sum()), (high << 32) + low)
    return {name: pair for name, pair in found.items() if pair != (0, 0)}


def read(session: Session, categories: tuple[str, ...]) -> Cases:
    """Every case that a map can show, by binary COPY. ``categories`` are all that there are."""
    from geodata.heat import Cases

    statement = sql.SQL(_COPY).format(names=sql.Literal(list(categories)))
    content = bytearray()
    cursor = session.connection().connection.driver_connection.cursor()  # type: ignore[union-attr]
    with cursor, cursor.copy(statement) as out:
        for block in out:
            content += block
    (extension,) = struct.unpack_from("!i", content, _HEAD - 4)
    rows = np.frombuffer(content, dtype=_ROW, count=(len(content) - _HEAD - extension) // _ROW.itemsize,
                         offset=_HEAD + extension)  # fmt: skip
    regions, region = np.unique(rows["region"].astype(np.int64), return_inverse=True)
    return Cases(
        x=rows["x"].astype(np.float64),
        y=rows["y"].astype(np.float64),
        at=rows["at"].astype(np.int64) + _EPOCH_US,
        category=rows["category"].astype(np.int64) - 1,
        region=region.astype(np.int64),
        categories=categories,
        regions=tuple(regions.tolist()),
        unit=rows["unit"].astype(np.int64),
    )


def changes(session: Session, old: str) -> Changed:
    """What was committed since the snapshot ``old``; what the caller's own transaction did is not among it."""
    from geodata.heat import Cases, Tail

    rows = session.execute(query("heat", "changes"), {"old": old}).all()
    own, now = str(rows[0].identity), str(rows[0].snapshot)
    if rows[0].back or any(row.sign == 0 for row in rows):
        return Changed(own, now, None)
    told = [row for row in rows if row.sign is not None]
    names = tuple(dict.fromkeys(row.category for row in told))
    places = tuple(dict.fromkeys(row.region_id for row in told))
    by_name, by_place = ({one: k for k, one in enumerate(known)} for known in (names, places))
    cases = Cases(
        x=np.array([row.x for row in told], dtype=np.float64),
        y=np.array([row.y for row in told], dtype=np.float64),
        at=np.array([row.at for row in told], dtype=np.int64),
        category=np.array([by_name[row.category] for row in told], dtype=np.int64),
        region=np.array([by_place[row.region_id] for row in told], dtype=np.int64),
        categories=names,
        regions=places,
        unit=np.array([row.unit_id for row in told], dtype=np.int64),
    )
    return Changed(own, now, Tail.of(cases, np.array([row.sign for row in told], dtype=np.int64)))
