"""What an import knows of the database beside its own rows: regions to lie in, buildings to belong to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from geodata.crs import middle_lon, to_metric
from geodata.readers.layout import squeezed
from gridmap.db import bulk
from gridmap.db.models import Building, ImportBatch, Region
from gridmap.settings import settings

if TYPE_CHECKING:
    from geodata.checks import CheckContext

Shapes = NDArray[np.object_]
Ints = NDArray[np.int64]

#: A place up to this far outside all regions belongs to the nearest one: borders are inexact.
BORDER_M = 50.0


@dataclass(frozen=True)
class Known:
    """All regions (``id``, ``code``, ``name``, ``level``, ``geom``), and which of them the batch may speak of.

    ``mine`` (n,): the planner's, and within the batch's own region where one was chosen.
    """

    table: dict[str, bulk.Objects]
    mine: NDArray[np.bool_]
    prefixes: tuple[str, ...]

    @property
    def bounded(self) -> bool:
        """Whether the planner's right ends somewhere."""
        return "" not in self.prefixes

    @cached_property
    def context(self) -> CheckContext:
        """What the checks want to know."""
        import geopandas as gpd

        from geodata.checks import CheckContext

        now = datetime.now(UTC)
        if not self.mine.any():
            return CheckContext(now=now)
        columns = {name: self.table[name][self.mine] for name in ("code", "name", "level")}
        frame = gpd.GeoDataFrame(columns, geometry=self.table["geom"][self.mine], crs="EPSG:4490")
        return CheckContext(
            now=now, known_regions=frame, known_codes=frozenset(self.table["code"].tolist()), border_m=BORDER_M
        )

    @cached_property
    def foreign_ids(self) -> Ints:
        """Regions that the batch must not touch."""
        return self.table["id"][~self.mine].astype(np.int64)

    @cached_property
    def _leaves(self) -> tuple[Ints, Shapes, float, Any]:
        """Ids and metric shapes of the communities (of the finest level where there are none), and their index."""
        from geodata.locate import index

        level = self.table["level"]
        finest = next((name for name in ("community", "subdistrict", "county") if (level == name).any()), "")
        chosen = level == finest
        ids, geom = self.table["id"][chosen].astype(np.int64), self.table["geom"][chosen]
        lon0 = middle_lon(geom)
        metric = to_metric(geom, lon0)
        return ids, metric, lon0, index(metric)

    def locate(self, lonlat: NDArray[np.float64]) -> Ints:
        """The community each point (n, 2) belongs to by the half-open rule, the nearest one just outside; -1 none."""
        from geodata.locate import locate

        if not len(self.table["id"]) or not len(lonlat):
            return np.full(len(lonlat), -1, dtype=np.int64)
        ids, metric, lon0, cells = self._leaves
        xy = to_metric(lonlat, lon0)
        at = locate(xy, cells)
        stray = np.flatnonzero((at < 0) & np.isfinite(xy).all(axis=1))
        if len(stray):
            tree = shapely.STRtree(metric)
            near = tree.query_nearest(shapely.points(xy[stray]), max_distance=BORDER_M, all_matches=False)
            at[stray[near[0]]] = near[1]
        return np.where(at >= 0, ids[at], -1)

    @cached_property
    def id_of_code(self) -> pd.Series:
        """Region id by code."""
        return pd.Series(self.table["id"].astype(np.int64), index=self.table["code"].astype(str))


def load(session: Session, batch: ImportBatch) -> Known:
    """All regions, and those of the batch's planner within the batch's own region where one was chosen."""
    prefixes = tuple(batch.options.get("prefixes", [""]))
    columns = (Region.id, Region.code, Region.name, Region.level, sa.func.ST_AsBinary(Region.geom).label("geom"))
    query = sa.select(*columns).order_by(Region.code)
    if batch.options.get("derive"):
        query = query.where(sa.false())  # the file is to be ground of its own
    found = bulk.columns(session, query)
    bound = ""
    if batch.region_id is not None:
        bound = session.scalars(sa.select(Region.prefix).where(Region.id == batch.region_id)).one()
    mine = np.array([c.startswith(prefixes) and c.startswith(bound) for c in found["code"]], dtype=bool)
    return Known(found | {"geom": bulk.shapes(found["geom"])}, mine, prefixes)


@dataclass(frozen=True)
class Buildings:
    """Known buildings by key and by address; a name that several share stands for none (position -1)."""

    id: Ints
    region_id: Ints
    point: Shapes
    by_key: pd.Series
    by_address: pd.Series

    def find(self, index: pd.Series, names: pd.Series) -> Ints:
        """Position of each name in this table: -1 unknown, -2 shared by several."""
        found = names.map(squeezed, na_action="ignore").map(index)
        return found.fillna(-1).to_numpy(np.int64)


def buildings(session: Session, known: Known) -> Buildings:
    """The buildings of the planner's regions, by which rows without a place are joined."""
    columns = (Building.id, Building.key, Building.address, Building.region_id)
    point = sa.func.ST_AsBinary(Building.point).label("point")
    query = sa.select(*columns, point).order_by(Building.id)
    if known.bounded or len(known.foreign_ids):
        query = query.where(Building.region_id.in_(known.table["id"][known.mine].tolist()))
    found = bulk.columns(session, query)
    return Buildings(
        id=found["id"].astype(np.int64),
        region_id=bulk.ints(found["region_id"]),
        point=bulk.shapes(found["point"]),
        by_key=_positions(found["key"]),
        by_address=_positions(found["address"]),
    )


def _positions(names: bulk.Objects) -> pd.Series:
    """Row by squeezed name; -2 for names that stand twice."""
    column = pd.Series(names, dtype="object").map(squeezed, na_action="ignore").dropna()
    positions = pd.Series(column.index.to_numpy(np.int64), index=column.to_numpy())
    twice = positions.index.duplicated(keep=False)
    return pd.concat([positions[~twice], pd.Series(-2, index=positions.index[twice].unique(), dtype=np.int64)])


def time_zone() -> str:
    """The zone of naive times in files."""
    return settings().time_zone
