"""A small county for tests of access: two subdistricts of two communities each."""

from __future__ import annotations

from geoalchemy2.shape import from_shape
from shapely import MultiPolygon, box

from gridmap.db.engine import transaction
from gridmap.db.models import SRID, Region

COUNTY = "339901000000"
EAST, WEST = "339901001000", "339901002000"
EAST_COMMUNITY, WEST_COMMUNITY = "339901001001", "339901002001"


def add_regions() -> None:
    """Store the county."""
    with transaction() as session:
        county = _region(COUNTY, "339901", "云溪区", "county")
        session.add(county)
        for code, name in ((EAST, "东湖街道"), (WEST, "西山镇")):
            subdistrict = _region(code, code[:9], name, "subdistrict", county)
            session.add(subdistrict)
            for number in (1, 2):
                community = f"{code[:9]}00{number}"
                session.add(_region(community, community, f"{name}第{number}社区", "community", subdistrict))


def _region(code: str, prefix: str, name: str, level: str, parent: Region | None = None) -> Region:
    shape = from_shape(MultiPolygon([box(109.0, 24.0, 109.01, 24.01)]), srid=SRID)
    return Region(code=code, prefix=prefix, name=name, level=level, parent=parent, geom=shape, area_m2=1e6)
