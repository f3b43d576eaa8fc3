"""Cutting a unit of a draft in two by hand: two new units in its place, in this plan alone until it is published."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import Unit
from gridmap.errors import Invalid
from gridmap.services import pieces
from gridmap.services.actor import Actor
from gridmap.services.operations.apply import Answer, Desk, kept_rows, known_keys, require_draft
from gridmap.services.operations.board import UnitRow
from gridmap.services.operations.done import CutDone, Done
from gridmap.services.placing import lock_units
from gridmap.services.plans.access import editable
from gridmap.sql import query

Line = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class CutAnswer(Answer):
    """As :class:`Answer`; ``cut`` is the unit, its pieces with counts, and their ground as GeoJSON."""

    cut: dict[str, Any]


@service
def cut(
    session: Session, actor: Actor, plan_id: int, base: int, client: UUID, key: UUID, unit: int, line: Line
) -> CutAnswer:
    """Cut a unit of a draft along ``line`` (lon, lat); the pieces stay in its grid. A ``key`` sent twice cuts once.

    Raises as :func:`~gridmap.services.operations.apply.apply`, ``Invalid`` CUT_LOCKED, and ``GeodataError`` CUT_MISSES,
    CUT_PIECES, CUT_SLIVER.
    """
    lock_units(session, shared=True)
    plan, region = editable(session, actor, plan_id, draft=False)
    known = known_keys(session, plan.id, [key])
    require_draft(plan, bool(known))
    desk = Desk(session, actor, plan, region, base, client)
    if not known:
        desk.board.load([unit])
        clash = desk.since.meets(desk.board, [unit], ())
        if clash is not None:
            raise desk.changed(key, clash)
        desk.keep(_cut(desk, key, unit, line))
    answer = desk.finish(kept_rows(session, plan.id, known))
    made = answer.saved[-1].cut
    found = session.execute(query("operations", "pieces"), {"units": made["pieces"] if made else []}).mappings()
    shown = [{**row, "geometry": json.loads(row["geometry"])} for row in found]
    parts = {name: getattr(answer, name) for name in ("version", "saved", "since", "grids", "totals")}
    return CutAnswer(**parts, cut={"unit": unit, "pieces": shown})


def _cut(desk: Desk, key: UUID, unit: int, line: Line) -> Done:
    from geodata.cutting import split

    board = desk.board
    if unit not in board.units:
        raise Invalid("OPERATION_UNIT_UNKNOWN", key=str(key), unit=unit)
    grid = board.units[unit]
    for above in {grid, board.top(grid)} - {None}:
        attrs = None if above is None else board.grids[above]
        if attrs is not None and attrs.locked:
            raise Invalid("CUT_LOCKED", key=str(key), grid=above, code_=attrs.code)
    row = desk.session.execute(query("operations", "to_cut"), {"unit": unit}).mappings().one()
    halves = split(shapely.from_wkb(row["geom"]), line)
    ids = bulk.reserve_ids(desk.session, Unit, 2).tolist()
    pair = np.array(halves.pieces, dtype=object)
    counted, estimated = pieces.count(desk.session, unit, pair)
    first_m2 = round(row["area_m2"] * halves.area_m2[0] / sum(halves.area_m2), 3)
    area_m2 = (first_m2, round(row["area_m2"] - first_m2, 3))
    ends = [*(row["ends"] or ()), *halves.ends]
    for k in (0, 1):
        told = {"by": "cut", "plan": desk.plan.id, "line": list(line), "ends": ends, "sibling": ids[1 - k]}
        values = {"id": ids[k], "unit": unit, "area_m2": area_m2[k], **counted[k]}
        shape = {"geom": bulk.wkb_hex(bulk.multi(pair[k : k + 1]))[0]}
        provenance = {"provenance": json.dumps(told | ({"estimated": True} if estimated else {}))}
        desk.session.execute(query("operations", "insert_piece"), values | shape | provenance)
    was = board.rows[unit]
    come = {ids[k]: UnitRow(was.region_id, counted[k]["households"], was.compound) for k in (0, 1)}
    board.replace((unit,), come, grid)
    path = tuple((float(lon), float(lat)) for lon, lat in line)
    return Done("cut", "cut", key, cut=CutDone(unit, (ids[0], ids[1]), grid, path, was.households, was.compound))
