"""Units from borders, barriers, compounds and buildings: the ground that every plan is an assignment of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata.crs import middle_lon, to_lonlat, to_metric
from gridmap.db import bulk
from gridmap.db.engine import service
from gridmap.db.models import Region, Unit
from gridmap.errors import Invalid
from gridmap.services import audit
from gridmap.services.actor import Actor, Role
from gridmap.services.barriers import read_barriers
from gridmap.services.placing import lock_units, place
from gridmap.services.versions import raise_version
from gridmap.sql import query

if TYPE_CHECKING:
    from geodata.units import Buildings, Compounds, Units

Progress = Callable[[float, str], None]
#: Buildings and barriers are taken this far around the communities.
MARGIN_DEG = 0.0005


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build made. ``outside`` counts buildings of these communities that no unit holds."""

    communities: int
    units: int
    retired: int
    buildings: int
    outside: int
    households: int
    missing: int
    border_moved_m2: float
    seconds: float


@service
def build(
    session: Session,
    actor: Actor,
    region_code: str | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Build the units of all communities under ``region_code`` (None: everywhere) and count their buildings and cases.

    The units that were there retire; plans made of them keep them. ``options`` are fields of
    :class:`geodata.units.UnitOptions`. Raises ``Invalid`` UNITS_NO_COMMUNITY where nothing can be divided.
    """
    from geodata.units import UnitOptions, build_county

    actor.require(Role.PLANNER, region_code)
    say = progress or (lambda share, doing: None)
    started = perf_counter()
    lock_units(session, shared=False)
    say(0.02, "读取 / reading")
    communities = _communities(session, actor, region_code)
    lon0 = middle_lon(communities["geom"])
    ground = to_metric(communities["geom"], lon0)
    box = _box(communities)
    compounds, buildings = (bulk.columns(session, query("units", name), box) for name in ("compounds", "buildings"))
    say(0.2, "划分单元 / cutting units")
    made = build_county(
        ground,
        read_barriers(session, box, lon0),
        _compounds(compounds, lon0),
        _buildings(buildings, lon0),
        UnitOptions(**(options or {})),
    )
    say(0.7, "写入 / writing")
    retired = session.execute(query("units", "retire"), box).rowcount  # type: ignore[attr-defined]
    ids = bulk.reserve_ids(session, Unit, len(made))
    _write_units(session, ids, made, communities, buildings, lon0)
    home = made.building_unit
    placed = home >= 0
    region_of_unit = communities["id"][made.community]
    mine = np.isin(bulk.ints(buildings["region_id"]), box["communities"])
    unit_of = bulk.or_none(placed, ids[home])
    region_of = np.where(placed, region_of_unit[home], buildings["region_id"])
    place(session, "building", *(column[placed | mine] for column in (buildings["id"], unit_of, region_of)))
    cases = bulk.columns(session, query("units", "cases"), box)
    _place_cases(session, cases, made.geometry, lon0, ids, region_of_unit)
    session.execute(query("units", "remove_unused"), box)
    bulk.analyse(session, "unit", "building")
    raise_version(session, "units", "buildings", "cases")
    report = BuildReport(
        communities=len(communities["id"]),
        units=len(made),
        retired=retired,
        buildings=int(placed.sum()),
        outside=int((~placed & mine).sum()),
        households=int(made.households.sum()),
        missing=int(bulk.null(buildings["households"][placed]).sum()),
        border_moved_m2=round(float(made.border_moved_m2.sum()), 3),
        seconds=round(perf_counter() - started, 3),
    )
    audit.record(session, actor, "units.build", "region", region_code, region_code=region_code, **asdict(report))
    say(1.0, "")
    return report


def _communities(session: Session, actor: Actor, region_code: str | None) -> dict[str, bulk.Objects]:
    chosen = sa.select(Region.id, Region.code, sa.func.ST_AsBinary(Region.geom).label("geom")).where(
        Region.level == "community", actor.visible(Region.code, Role.PLANNER)
    )
    if region_code is not None:
        prefix = sa.select(Region.prefix).where(Region.code == region_code).scalar_subquery()
        chosen = chosen.where(Region.code.startswith(prefix))
    found = bulk.columns(session, chosen.order_by(Region.code))
    if not len(found["id"]):
        raise Invalid("UNITS_NO_COMMUNITY", region=region_code or "")
    return found | {"geom": bulk.shapes(found["geom"])}


def _box(communities: Mapping[str, bulk.Objects]) -> dict[str, Any]:
    west, south, east, north = shapely.total_bounds(communities["geom"]).tolist()
    return {
        "west": west - MARGIN_DEG,
        "south": south - MARGIN_DEG,
        "east": east + MARGIN_DEG,
        "north": north + MARGIN_DEG,
        "communities": communities["id"].tolist(),
    }


def _compounds(table: Mapping[str, bulk.Objects], lon0: float) -> Compounds:
    from geodata.units import Compounds

    return Compounds(to_metric(bulk.shapes(table["geom"]), lon0), table["id"].astype(np.int64))


def _buildings(table: Mapping[str, bulk.Objects], lon0: float) -> Buildings:
    from geodata.units import Buildings

    households, population = (bulk.ints(table[name], missing=0) for name in ("households", "population"))
    footprints = to_metric(bulk.shapes(table["geom"]), lon0)
    return Buildings(footprints, households, population, bulk.ints(table["compound_id"]))


def _write_units(
    session: Session,
    ids: bulk.Ids,
    made: Units,
    communities: Mapping[str, bulk.Objects],
    buildings: Mapping[str, bulk.Objects],
    lon0: float,
) -> None:
    """Units numbered in each community from north-west to south-east."""
    n, home = len(made), made.building_unit
    known = bulk.ints(buildings["households"])
    estimated = np.where(buildings["estimated"].astype(bool), np.maximum(known, 0), 0)
    oldest = np.full(n, np.datetime64("9999-12-31", "D"))
    dated = (home >= 0) & ~bulk.null(buildings["data_date"])
    np.minimum.at(oldest, home[dated], buildings["data_date"][dated].astype("datetime64[D]"))
    middle = shapely.get_coordinates(shapely.point_on_surface(made.geometry)).reshape(-1, 2)
    order = np.lexsort((middle[:, 0], -np.round(middle[:, 1] / 100), made.community))
    number = np.empty(n, np.int64)
    starts = np.searchsorted(made.community[order], made.community[order])
    number[order] = np.arange(n) - starts + 1
    bulk.copy(
        session,
        "unit",
        {
            "id": ids,
            "region_id": communities["id"][made.community],
            "number": number,
            "geom": bulk.wkb_hex(bulk.multi(to_lonlat(made.geometry, lon0))),
            "area_m2": np.round(shapely.area(made.geometry), 3),
            "households": made.households,
            "population": made.population,
            "buildings": made.buildings,
            "estimated_households": _sums(home, estimated, n),
            "missing_households": _sums(home, (known < 0).astype(np.int64), n),
            "oldest_data": bulk.or_none(oldest < np.datetime64("9999-01-01"), oldest.astype(object)),
            "compound_id": bulk.or_none(made.compound >= 0, made.compound),
            "provenance": np.char.add(np.char.add('{"by": "', made.provenance.astype(str)), '"}'),
        },
    )


def _sums(home: bulk.Ids, values: bulk.Ids, n: int) -> bulk.Ids:
    # slot 0 takes what lies outside
    return np.bincount(home + 1, values, n + 1)[1:].astype(np.int64)


def _place_cases(
    session: Session, cases: Mapping[str, bulk.Objects], polygons: Any, lon0: float, ids: bulk.Ids, region_of_unit: Any
) -> None:
    from geodata.locate import locate

    if not len(cases["id"]):
        return
    lonlat = np.column_stack([cases["lon"], cases["lat"]]).astype(np.float64)
    unit = locate(to_metric(lonlat, lon0), polygons)
    inside = unit >= 0
    place(session, "case_record", cases["id"][inside], ids[unit[inside]], region_of_unit[unit[inside]])
