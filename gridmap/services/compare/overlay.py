"""Units of two plans laid over each other in metres, where neither has those of the other.

Each common part of more than 1 m2 is a part, and so is what of a unit lies in none of the other plan. A unit's people
are dealt out to its parts by where the buildings with households stand (their points), or by area where none do: B's
counts hold where B has the ground, A's elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from sqlalchemy.orm import Session

from geodata.comparison import Floats, Ints, apportioned
from geodata.crs import middle_lon, to_lonlat, to_metric
from geodata.locate import locate
from geodata.units.assign import shares
from gridmap.db import bulk
from gridmap.services.compare.load import Half, box, shapes
from gridmap.sql import query

LEAST_M2 = 1.0
LEAST_SHARE = 0.005  # of a unit that lies in none of the other plan: less is noise of rebuilding


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts (p,): rows of the units of either plan (-1 none), counts, area in m2, ``geom`` in lon/lat."""

    row_a: Ints
    row_b: Ints
    households: Ints
    population: Ints
    area_m2: Floats
    geom: bulk.Objects


_EMPTY = np.zeros(0, np.int64)
NOTHING = Parts(_EMPTY, _EMPTY, _EMPTY, _EMPTY, np.zeros(0), np.zeros(0, object))


def overlay(session: Session, a: Half, b: Half, rest_a: Ints, rest_b: Ints) -> Parts:
    """The parts that units ``rest_a`` (rows of ``a``) and ``rest_b`` are made of together."""
    if not len(rest_a) and not len(rest_b):
        return NOTHING
    lonlat = np.concatenate([shapes(session, a.unit[rest_a]), shapes(session, b.unit[rest_b])])
    lon0 = middle_lon(lonlat)
    metric = to_metric(lonlat, lon0)
    ground_a, ground_b = metric[: len(rest_a)], metric[len(rest_a) :]
    i, j, geom = _parts(ground_a, ground_b)
    area_m2 = shapely.area(geom)
    table = bulk.columns(session, query("compare", "buildings_within"), box(lonlat))
    points = to_metric(np.column_stack([table["lon"], table["lat"]]).astype(np.float64).reshape(-1, 2), lon0)
    at_a, at_b = _at(points, ground_a), _at(points, ground_b)
    width = len(rest_b) + 1
    keys, where = np.unique(at_a * width + at_b, return_inverse=True)
    sums = np.bincount(where, bulk.ints(table["households"], missing=0), len(keys))
    order = np.minimum(np.searchsorted(keys, i * width + j), max(len(keys) - 1, 0))
    lived = np.where(keys[order] == i * width + j, sums[order], 0.0) if len(keys) else np.zeros(len(i))

    def dealt(name: str) -> Ints:
        by_a = _dealt(getattr(a, name)[rest_a], i, lived, area_m2)
        return np.where(j >= 0, _dealt(getattr(b, name)[rest_b], j, lived, area_m2), by_a)

    row_a = np.where(i >= 0, np.append(rest_a, -1)[i], -1)
    row_b = np.where(j >= 0, np.append(rest_b, -1)[j], -1)
    return Parts(row_a, row_b, dealt("households"), dealt("population"), area_m2, to_lonlat(geom, lon0))


def _parts(ground_a: bulk.Objects, ground_b: bulk.Objects) -> tuple[Ints, Ints, bulk.Objects]:
    """Rows in A and B (-1 none) and polygon of each part."""
    i, j = _EMPTY, _EMPTY
    if len(ground_a) and len(ground_b):
        i, j, area_m2 = shares(ground_a, ground_b)
        i, j = i[area_m2 > LEAST_M2], j[area_m2 > LEAST_M2]
    met = shapely.intersection(ground_a[i], ground_b[j])
    alone_a, left_a = _alone(ground_a, met, i)
    alone_b, left_b = _alone(ground_b, met, j)
    none_a, none_b = np.full(len(alone_b), -1), np.full(len(alone_a), -1)
    geom = np.concatenate([met, left_a, left_b]).astype(object)
    return np.concatenate([i, alone_a, none_a]), np.concatenate([j, none_b, alone_b]), geom


def _alone(ground: bulk.Objects, met: bulk.Objects, row: Ints) -> tuple[Ints, bulk.Objects]:
    """Rows of the units with ground outside the other plan, and that ground."""
    area_m2 = shapely.area(ground)
    outside = area_m2 - np.bincount(row, shapely.area(met), len(ground))
    rows = np.flatnonzero(outside > np.maximum(LEAST_M2, LEAST_SHARE * area_m2))
    left = [shapely.difference(ground[k], shapely.union_all(met[row == k])) for k in rows]
    return rows, np.array([*left, None], dtype=object)[:-1]


def _at(points: Floats, ground: bulk.Objects) -> Ints:
    return locate(points, ground) if len(points) and len(ground) else np.full(len(points), -1)


def _dealt(values: Ints, row: Ints, lived: Floats, area_m2: Floats) -> Ints:
    """``values`` of the units dealt out to the parts of each (``row``, -1 none)."""
    dealt = np.zeros(len(row), np.int64)
    order = np.argsort(row, kind="stable")
    starts = np.searchsorted(row[order], np.arange(len(values) + 1))
    for k in range(len(values)):
        mine = order[starts[k] : starts[k + 1]]
        if len(mine):
            dealt[mine] = apportioned(int(values[k]), lived[mine] if lived[mine].any() else area_m2[mine])
    return dealt
