"""Ground of grids as it follows from their units: never drawn, always the exact union."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.services.plans.make import home_regions, unions
from gridmap.sql import query


def derive(session: Session, grids: Iterable[int], *, homes: bool = False) -> None:
    """Give ``grids`` (ids) the union of their units, those of micro-grids included; none where they have none.

    With ``homes`` those with units also get the community that holds most of their ground.
    """
    ids = np.array(sorted(set(grids)), dtype=np.int64)
    if not len(ids):
        return
    ground = bulk.columns(session, query("plans", "ground_of_grids"), {"grids": ids.tolist()})
    at = np.searchsorted(ids, ground["grid_id"].astype(np.int64))
    ends: list[Any] = [] if bulk.null(ground["ends"]).all() else ground["ends"].tolist()
    shapes = bulk.multi(unions(bulk.shapes(ground["geom"]), at, len(ids), ends=ends))
    session.execute(query("plans", "reshape"), {"grids": ids.tolist(), "geoms": bulk.wkb_hex(shapes).tolist()})
    if homes:
        regions = home_regions(ground, at, len(ids))
        session.execute(query("plans", "rehome"), {"grids": ids.tolist(), "regions": regions.tolist()})
