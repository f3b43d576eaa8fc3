"""Files on their way in: received, read, checked, accepted, taken back."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import sqlalchemy as sa

from geodata.writers import write_vector
from gridmap.db.engine import transaction
from gridmap.db.models import Barrier, Building, Case, Compound, ImportBatch, ImportRow, Region, Unit
from gridmap.errors import Conflict, Forbidden, GeodataError, Invalid, NotFound, TooLarge
from gridmap.services import imports
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.settings import Settings, settings

pytestmark = pytest.mark.usefixtures("database_url", "data_dir")

WEST, SOUTH, STEP = 120.10, 30.20, 0.01
COUNTY = "330102"


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("GRIDMAP_DATA_DIR", str(tmp_path / "var"))
    settings.cache_clear()
    yield tmp_path / "var"
    settings.cache_clear()


def square(column: int, row: int, size: int = 1) -> shapely.Polygon:
    x, y = WEST + column * STEP, SOUTH + row * STEP
    return shapely.box(x, y, x + size * STEP, y + size * STEP)


def region_frame() -> gpd.GeoDataFrame:
    """A county of one subdistrict and four communities, two by two."""
    cells = [(0, 0), (1, 0), (0, 1), (1, 1)]
    codes = [f"{COUNTY}000000", f"{COUNTY}001000", *(f"{COUNTY}001{k:03}" for k in range(1, 5))]
    frame = {
        "区划代码": codes,
        "名称": ["县", "街道", "甲社区", "乙社区", "丙社区", "丁村"],
        "城乡分类代码": [None, None, "111", "111", "112", "220"],
    }
    return gpd.GeoDataFrame(frame, geometry=[square(0, 0, 3), square(0, 0, 2), *(square(*c) for c in cells)], crs="EPSG:4490")


def sent(path: Path, kind: str, actor: Actor = SYSTEM, **options: Any) -> int:
    with path.open("rb") as stream:
        return imports.receive(actor, stream, path.name, kind, options=options).id


def staged(batch_id: int, actor: Actor = SYSTEM) -> imports.BatchView:
    imports.prepare(actor, batch_id)
    imports.run_stage(batch_id)
    return imports.get(actor, batch_id)


def accepted(path: Path, kind: str, *, only_good: bool = False, **options: Any) -> imports.Accepted:
    batch_id = sent(path, kind, **options)
    staged(batch_id)
    return imports.accept(SYSTEM, batch_id, only_good=only_good)


@pytest.fixture
def regions(tmp_path: Path) -> imports.Accepted:
    return accepted(write_vector(region_frame(), tmp_path / "regions.gpkg", "gpkg"), "regions")


def building_frame(n: int = 40, seed: int = 1) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    xy = np.column_stack([rng.uniform(WEST, WEST + 2 * STEP, n), rng.uniform(SOUTH, SOUTH + 2 * STEP, n)])
    return gpd.GeoDataFrame(
        {
            "楼栋编号": [f"{k:06}" for k in range(n)],
            "地址": [f"长安路{k}号" for k in range(n)],
            "小区": [f"小区{k % 3}" if k % 4 else None for k in range(n)],
            "户数": [str(rng.integers(1, 60)) for _ in range(n)],
            "更新日期": ["2025.4.3"] * n,
        },
        geometry=shapely.points(xy),
        crs="EPSG:4490",
    )


def all_of(query: sa.Select[Any]) -> Sequence[Any]:
    with transaction() as session:
        return session.execute(query).all()


def one(query: sa.Select[Any]) -> Any:
    with transaction() as session:
        return session.execute(query).scalar_one()


def test_regions_become_a_tree(regions: imports.Accepted) -> None:
    assert (regions.inserted, regions.updated, regions.left) == (6, 0, 0)
    found = {
        code: (prefix, level, town)
        for code, prefix, level, town in all_of(sa.select(Region.code, Region.prefix, Region.level, Region.settlement))
    }
    assert found[f"{COUNTY}000000"] == (COUNTY, "county", None)
    assert found[f"{COUNTY}001000"] == (f"{COUNTY}001", "subdistrict", None)
    assert found[f"{COUNTY}001004"] == (f"{COUNTY}001004", "community", "rural")
    orphans = sa.select(Region.code).where(Region.parent_id.is_(None))
    assert [row.code for row in all_of(orphans)] == [f"{COUNTY}000000"]
    area_m2 = one(sa.select(Region.area_m2).where(Region.code == f"{COUNTY}001001"))
    with transaction() as session:  # PostGIS on the ellipsoid as the oracle
        true_m2 = session.scalar(sa.text("SELECT ST_Area(geom::geography) FROM region WHERE code LIKE '%001001'"))
    assert area_m2 == pytest.approx(true_m2, rel=1e-3)


def test_buildings_get_community_and_compound(regions: imports.Accepted, tmp_path: Path) -> None:
    frame = building_frame()
    done = accepted(write_vector(frame, tmp_path / "b.gpkg", "gpkg"), "buildings")
    assert (done.inserted, done.updated) == (40, 0)
    assert one(sa.select(sa.func.sum(Building.households))) == int(frame["户数"].astype(int).sum())
    inside = sa.text(
        "SELECT count(*) FROM building b JOIN region r ON r.id = b.region_id AND ST_Covers(r.geom, b.point)"
    )
    with transaction() as session:
        assert session.scalar(inside) == 40
    named = frame["小区"].notna().sum()
    assert one(sa.select(sa.func.count(Building.compound_id))) == named
    assert one(sa.select(sa.func.count()).select_from(Compound)) <= 12
    assert one(sa.select(sa.func.count()).select_from(ImportRow)) == 0
