"""Files on their way in: received, read, checked, accepted, taken back."""

from __future__ import annotations

import io
from collections.abc import Sequence
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
from gridmap.db.models import AuditEvent, Barrier, Building, Case, Compound, ImportBatch, ImportRow, Region, Unit
from gridmap.errors import Conflict, Forbidden, GeodataError, Invalid, NotFound, TooLarge
from gridmap.services import counts, imports
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.settings import settings
from tests.imports import (
    COUNTY,
    SOUTH,
    WEST,
    accepted,
    building_frame,
    region_frame,
    sent,
    square,
    staged,
)

pytestmark = pytest.mark.usefixtures("database_url", "data_dir")


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


def table(path: Path, frame: pd.DataFrame) -> Path:
    frame.to_csv(path, index=False, encoding="gb18030")
    return path


def codes_of(batch_id: int) -> dict[str, int]:
    return {found.code: found.count for found in imports.problem_summary(SYSTEM, batch_id)}


def test_the_same_file_twice_is_recognised_and_harmless(regions: imports.Accepted, tmp_path: Path) -> None:
    path = write_vector(region_frame(), tmp_path / "again.gpkg", "gpkg")
    path.write_bytes((tmp_path / "regions.gpkg").read_bytes())
    with path.open("rb") as stream:
        again = imports.receive(SYSTEM, stream, path.name, "regions")
    assert again.repeated and again.id == regions.batch.id
    assert (again.state, again.rows_accepted) == ("accepted", 6) and again.accepted_at is not None
    with path.open("rb") as stream:
        anew = imports.receive(SYSTEM, stream, path.name, "regions", options={"again": True})
    assert not anew.repeated and [s.id for s in anew.same_as] == [regions.batch.id]
    staged(anew.id)
    done = imports.accept(SYSTEM, anew.id)
    assert (done.inserted, done.updated) == (0, 6)
    assert one(sa.select(sa.func.count()).select_from(Region)) == 6


def test_a_known_key_updates_and_undo_brings_back_what_was(regions: imports.Accepted, tmp_path: Path) -> None:
    frame = building_frame()
    accepted(write_vector(frame, tmp_path / "b.gpkg", "gpkg"), "buildings")
    whole = sa.select(*(c for c in Building.__table__.c if c.name not in ("geom", "point"))).order_by(Building.id)
    places = sa.select(sa.func.ST_AsEWKB(Building.geom), sa.func.ST_AsEWKB(Building.point)).order_by(Building.id)
    before = all_of(whole), [tuple(map(bytes, row)) for row in all_of(places)]
    newer = pd.concat([frame.head(10), building_frame(45, seed=2).tail(5)])
    newer["户数"] = "7"
    newer = gpd.GeoDataFrame(newer, geometry=shapely.transform(newer.geometry.values, lambda xy: xy + 1e-4), crs=4490)
    batch_id = sent(write_vector(newer, tmp_path / "newer.gpkg", "gpkg"), "buildings")
    staged(batch_id)
    done = imports.accept(SYSTEM, batch_id, only_good=True)
    assert (done.inserted, done.updated) == (5, 10)
    assert one(sa.select(sa.func.count()).where(Building.households == 7)) >= 15
    imports.undo_accept(SYSTEM, batch_id)
    assert (all_of(whole), [tuple(map(bytes, row)) for row in all_of(places)]) == before


def test_undo_says_what_rests_on_the_data(regions: imports.Accepted, tmp_path: Path) -> None:
    first = accepted(write_vector(building_frame(), tmp_path / "b.gpkg", "gpkg"), "buildings")
    with pytest.raises(Conflict) as caught:
        imports.undo_accept(SYSTEM, regions.batch.id)
    assert caught.value.code == "IMPORT_UNDO_USED" and caught.value.params["what"] == "building"
    accepted(write_vector(building_frame().head(3), tmp_path / "later.gpkg", "gpkg"), "buildings")
    with pytest.raises(Conflict) as caught:
        imports.undo_accept(SYSTEM, first.batch.id)
    assert caught.value.code == "IMPORT_UNDO_CHANGED"


def test_a_ledger_without_coordinates_updates_known_buildings(regions: imports.Accepted, tmp_path: Path) -> None:
    accepted(write_vector(building_frame(), tmp_path / "b.gpkg", "gpkg"), "buildings")
    ledger = pd.DataFrame(
        {
            "楼栋编号": ["000001", None, "999999", None],
            "地址": [None, "长安路2号", "无此路1号", None],
            "户数": ["约120户", "１３０", "5", "6"],
        }
    )
    batch_id = sent(table(tmp_path / "台账.csv", ledger), "buildings")
    view = staged(batch_id)
    assert view.report["encoding"] == {"name": "gb18030", "how": "gb18030"}
    assert (view.rows_total, view.rows_bad) == (4, 2)
    assert {"IMPORT_BUILDING_UNKNOWN": 1, "CHECK_GEOMETRY_MISSING": 1}.items() <= codes_of(batch_id).items()
    with pytest.raises(Conflict) as caught:
        imports.accept(SYSTEM, batch_id)
    assert caught.value.code == "IMPORT_HAS_BAD"
    done = imports.accept(SYSTEM, batch_id, only_good=True)
    assert (done.inserted, done.updated, done.left) == (0, 2, 2)
    found = all_of(sa.select(Building.households).where(Building.key.in_(["000001", "000002"])).order_by(Building.key))
    assert [row.households for row in found] == [120, 130]


def test_rejected_rows_come_back_mended_and_map_themselves(regions: imports.Accepted, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "事件编号": ["A1", "A2", "A3"],
            "事件类别": ["市容", "市容", None],
            "发生时间": ["2025.4.3 8:05", "没记", "2025年4月3日"],
            "经度": [WEST + 0.005, WEST + 0.006, WEST + 0.007],
            "纬度": [SOUTH + 0.005] * 3,
            "联系电话": ["13800000000"] * 3,
        }
    )
    batch_id = sent(table(tmp_path / "cases.csv", frame), "cases")
    view = staged(batch_id)
    assert (view.rows_bad, view.report["personal"]) == (2, ["联系电话"])
    imports.accept(SYSTEM, batch_id, only_good=True)
    path = imports.rejected_file(SYSTEM, batch_id)
    back = pd.read_csv(path, dtype=str, encoding="utf-8-sig")
    assert list(back["gridmap_row"]) == ["2", "3"] and "联系电话" not in back
    assert back["gridmap_reason"].str.len().min() > 5
    back["事件类别"], back["发生时间"] = ["市容", "绿化"], ["2025-04-04 10:00", "2025-04-05 10:00"]
    mended = tmp_path / "mended.csv"
    back.to_csv(mended, index=False, encoding="utf-8-sig")
    done = accepted(mended, "cases")
    assert (done.inserted, done.left) == (2, 0)
    assert [row.number for row in all_of(sa.select(Case.number).order_by(Case.number))] == ["A1", "A2", "A3"]
    first = one(sa.select(Case.occurred_at).where(Case.number == "A1"))
    assert first.isoformat() == "2025-04-03T00:05:00+00:00"
    imports.preview(SYSTEM, batch_id)
    imports.rows(SYSTEM, batch_id)
    imports.geometry_sample(SYSTEM, batch_id)
    with transaction() as session:
        seen = session.scalars(sa.select(AuditEvent.detail).where(AuditEvent.action == "cases.raw")).all()
    assert {"rejected", "preview", "rows", "map"} <= {str(one["view"]) for one in seen}


def test_a_gcj02_file_is_recognised_against_known_buildings(regions: imports.Accepted, tmp_path: Path) -> None:
    from geodata.gcj02 import wgs84_to_gcj02

    frame = building_frame(200)
    accepted(write_vector(frame, tmp_path / "b.gpkg", "gpkg"), "buildings")
    shifted = frame.set_geometry(
        shapely.transform(frame.geometry.values, lambda xy: np.column_stack(wgs84_to_gcj02(*xy.T)))
    ).set_crs("EPSG:4326", allow_override=True)
    batch_id = sent(write_vector(shifted, tmp_path / "amap.geojson", "geojson"), "buildings")
    report = imports.datum_report(SYSTEM, batch_id)
    assert (report.best, report.confident) == ("GCJ02", True)
    offsets = {h["datum"]: h["median_offset_m"] for h in report.hypotheses}
    assert offsets["GCJ02"] < 0.1 < 20 < offsets["CGCS2000"]
    staged(batch_id)
    imports.accept(SYSTEM, batch_id, only_good=True)
    moved = "SELECT max(ST_Distance(b.point::geography, ST_SetSRID(ST_Point(:x, :y), 4490)::geography)) FROM building b"
    x, y = frame.geometry.iloc[0].coords[0]
    with transaction() as session:
        assert session.scalar(sa.text(moved + " WHERE key = '000000'"), {"x": x, "y": y}) < 0.01


def test_barriers_and_compounds(regions: imports.Accepted, tmp_path: Path) -> None:
    accepted(write_vector(building_frame(), tmp_path / "b.gpkg", "gpkg"), "buildings")
    lines = [shapely.LineString([(WEST, SOUTH + 0.004), (WEST + 0.02, SOUTH + 0.004)])] * 3
    frame = gpd.GeoDataFrame(
        {
            "类型": ["道路", "河流", "广告牌", "小区"],
            "等级": ["主干路", None, None, None],
            "名称": [None, "江", None, "大院"],
        },
        geometry=[*lines, square(0, 0)],
        crs="EPSG:4490",
    )
    batch_id = sent(write_vector(frame, tmp_path / "roads.gpkg", "gpkg"), "barriers")
    assert staged(batch_id).rows_bad == 1
    assert codes_of(batch_id)["IMPORT_BARRIER_KIND"] == 1
    done = imports.accept(SYSTEM, batch_id, only_good=True)
    assert done.inserted == 3
    found = all_of(sa.select(Barrier.kind, Barrier.class_).order_by(Barrier.kind))
    assert [tuple(row) for row in found] == [("road", "主干路"), ("water", None)]
    drawn = sa.select(Compound.id).where(Compound.name == "大院").scalar_subquery()
    nameless = sa.select(sa.func.count()).select_from(Building).where(Building.compound_id == drawn)
    assert one(nameless) == done.made["buildings_joined"]
    imports.undo_accept(SYSTEM, batch_id)
    assert one(sa.select(sa.func.count()).select_from(Barrier)) == 0


def test_units_as_they_are_make_their_own_community(tmp_path: Path) -> None:
    left, right = shapely.box(120, 30, 120.01, 30.01), shapely.box(120.01002, 30, 120.02, 30.01)
    frame = gpd.GeoDataFrame({"编号": ["1", "2"], "户数": [10, 20]}, geometry=[left, right], crs="EPSG:4490")
    bay = gpd.GeoDataFrame({"编号": ["3"], "户数": [30]}, geometry=[shapely.box(120, 30.01, 120.02, 30.02)], crs=4490)
    path = write_vector(pd.concat([frame, bay]), tmp_path / "units.gpkg", "gpkg")
    batch_id = sent(path, "units")
    staged(batch_id)
    with pytest.raises(Invalid) as caught:
        imports.accept(SYSTEM, batch_id, only_good=True)
    assert caught.value.code == "IMPORT_NO_COMMUNITY"
    imports.configure(SYSTEM, batch_id, derive="whole", region="330109")
    staged(batch_id)
    done = imports.accept(SYSTEM, batch_id, only_good=True)
    assert done.inserted == 3
    with transaction() as session:
        counts.recount(session)  # nothing was counted by buildings: what the file states stays
    assert one(sa.select(sa.func.sum(Unit.households))) == 60
    levels = all_of(sa.select(Region.level, Region.code).order_by(Region.code))
    assert [row.code for row in levels] == ["330109000000", "330109001000", "330109001001"]
    with transaction() as session:
        overlap = "SELECT sum(ST_Area(ST_Intersection(a.geom, b.geom))) FROM unit a JOIN unit b ON a.id < b.id"
        assert session.scalar(sa.text(overlap)) == 0
    imports.undo_accept(SYSTEM, batch_id)
    assert one(sa.select(sa.func.count()).select_from(Region)) == 0


def test_estimated_households_are_marked(regions: imports.Accepted, tmp_path: Path) -> None:
    x, y = WEST + 0.005, SOUTH + 0.005
    frame = gpd.GeoDataFrame(
        {"层数": [6, 6, None], "户数": [None, 11, None]},
        geometry=[
            shapely.box(x, y, x + 4e-4, y + 1e-4),
            shapely.box(x, y + 5e-4, x + 4e-4, y + 6e-4),
            shapely.Point(x, y),
        ],
        crs="EPSG:4490",
    )
    batch_id = sent(write_vector(frame, tmp_path / "b.gpkg", "gpkg"), "buildings")
    imports.configure(SYSTEM, batch_id, estimate={})
    staged(batch_id)
    imports.accept(SYSTEM, batch_id, only_good=True)
    found = dict(all_of(sa.select(Building.households, Building.estimated)))
    assert found.pop(None) is False and found.pop(11) is True
    assert [(households > 20, estimated) for households, estimated in found.items()] == [(True, True)]


def test_a_mapping_is_remembered_for_its_headers(regions: imports.Accepted, tmp_path: Path) -> None:
    frame = building_frame(5).rename(columns={"户数": "统计值甲"})
    batch_id = sent(write_vector(frame, tmp_path / "a.gpkg", "gpkg"), "buildings")
    found = imports.preview(SYSTEM, batch_id)
    assert found.mapping_from == "guessed" and "households" not in found.mapping
    imports.configure(SYSTEM, batch_id, mapping={**found.mapping, "households": "统计值甲"})
    other = sent(write_vector(frame.head(3), tmp_path / "other.gpkg", "gpkg"), "buildings")
    again = imports.preview(SYSTEM, other)
    assert again.mapping_from == "remembered" and again.mapping["households"] == "统计值甲"
    with pytest.raises(Invalid) as caught:
        imports.configure(SYSTEM, other, mapping={"households": "没有"})
    assert caught.value.code == "IMPORT_COLUMN"


def test_a_planner_of_one_subtree_cannot_write_elsewhere(regions: imports.Accepted, tmp_path: Path) -> None:
    planner = Actor("p", (Grant(Role.PLANNER, f"{COUNTY}001001"),), user_id=None)
    viewer = Actor("v", (Grant(Role.VIEWER, ""),))
    path = write_vector(building_frame(), tmp_path / "b.gpkg", "gpkg")
    with pytest.raises(Forbidden):
        sent(path, "buildings", viewer)
    batch_id = sent(path, "buildings")
    with pytest.raises(NotFound):
        imports.get(planner, batch_id)
    with transaction() as session:
        batch = session.get_one(ImportBatch, batch_id)
        batch.region_id = session.scalar(sa.select(Region.id).where(Region.code == f"{COUNTY}001001"))
    staged(batch_id, planner)
    inside = shapely.intersects(square(0, 0), building_frame().geometry.values).sum()
    done = imports.accept(planner, batch_id, only_good=True)
    assert done.inserted == inside < 40
    with transaction() as session:
        assert session.scalar(sa.text("SELECT count(DISTINCT region_id) FROM building")) == 1


def test_regions_that_changed_meanwhile_ask_for_another_check(regions: imports.Accepted, tmp_path: Path) -> None:
    batch_id = sent(write_vector(building_frame(), tmp_path / "b.gpkg", "gpkg"), "buildings")
    staged(batch_id)
    changed = region_frame().assign(名称="新名")
    accepted(write_vector(changed, tmp_path / "renamed.gpkg", "gpkg"), "regions")
    with pytest.raises(Conflict) as caught:
        imports.accept(SYSTEM, batch_id)
    assert caught.value.code == "IMPORT_STALE"
    staged(batch_id)
    assert imports.accept(SYSTEM, batch_id).inserted == 40


def test_problems_page_by_page_with_places(regions: imports.Accepted, tmp_path: Path) -> None:
    frame = building_frame(120)
    frame.geometry = shapely.transform(frame.geometry.values, lambda xy: xy + 1.0)
    batch_id = sent(write_vector(frame, tmp_path / "far.gpkg", "gpkg"), "buildings")
    staged(batch_id)
    page = imports.problems(SYSTEM, batch_id, code="CHECK_OUTSIDE", page=2)
    assert (page.total, page.pages, len(page.items)) == (120, 3, 50)
    first = page.items[0]
    assert first.row == 51 and first.geometry is not None and first.geometry["type"] == "Point" and first.sentence
    rows = imports.rows(SYSTEM, batch_id, bad=True, page=3)
    assert (rows.total, len(rows.items)) == (120, 20) and rows.items[0].problems
    assert rows.items[0].source is not None and "楼栋编号" in rows.items[0].source
    assert len(imports.geometry_sample(SYSTEM, batch_id, limit=50)["features"]) <= 50
    with pytest.raises(Conflict) as caught:
        imports.accept(SYSTEM, batch_id, only_good=True)
    assert caught.value.code == "IMPORT_NOTHING"
    imports.discard(SYSTEM, batch_id)
    assert imports.get(SYSTEM, batch_id).state == "discarded"


def test_a_broken_file_is_a_stored_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.gpkg"
    path.write_bytes(b"SQLite format 3\0" + b"junk" * 100)
    batch_id = sent(path, "buildings")
    imports.prepare(SYSTEM, batch_id)
    with pytest.raises(GeodataError):
        imports.run_stage(batch_id)
    view = imports.get(SYSTEM, batch_id)
    assert view.state == "failed" and view.error is not None and view.error["message"]


def test_an_upload_too_big_leaves_nothing(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMAP_MAX_UPLOAD_BYTES", "1000")
    settings.cache_clear()
    with pytest.raises(TooLarge):
        imports.receive(SYSTEM, io.BytesIO(b"x" * 5000), "a.csv", "cases")
    assert list((data_dir / "uploads").iterdir()) == []


def test_buildings_that_came_before_the_regions_get_their_community(tmp_path: Path) -> None:
    accepted(write_vector(building_frame(), tmp_path / "b.gpkg", "gpkg"), "buildings")
    assert one(sa.select(sa.func.count(Building.region_id))) == 0
    done = accepted(write_vector(region_frame(), tmp_path / "r.gpkg", "gpkg"), "regions")
    assert done.made == {"building_settled": 40}
    inside = sa.text(
        "SELECT count(*) FROM building b JOIN region r ON r.id = b.region_id AND ST_Covers(r.geom, b.point)"
    )
    with transaction() as session:
        assert session.scalar(inside) == 40


def test_drawn_grids_are_kept_and_make_a_plan(regions: imports.Accepted, tmp_path: Path) -> None:
    from gridmap.db.models import Grid, Plan, SourceGrid
    from gridmap.services import units

    accepted(write_vector(building_frame(), tmp_path / "b.gpkg", "gpkg"), "buildings")
    units.build(SYSTEM)
    grids = gpd.GeoDataFrame(
        {
            "网格编码": [f"{COUNTY}001001001", f"{COUNTY}001002001", "12"],
            "网格名称": ["第一网格", "第二网格", "坏"],
            "网格类型": ["基础网格", "专属网格", None],
            "网格员人数": [2, 1, 1],
        },
        geometry=[square(0, 0), square(1, 0), square(0, 1)],
        crs="EPSG:4490",
    )
    batch_id = sent(write_vector(grids, tmp_path / "现行网格.gpkg", "gpkg"), "grids")
    imports.configure(SYSTEM, batch_id, department="综治")
    assert staged(batch_id).rows_bad == 1
    done = imports.accept(SYSTEM, batch_id, only_good=True)
    assert done.inserted == 2
    drawn = all_of(sa.select(SourceGrid.kind, SourceGrid.department).order_by(SourceGrid.code))
    assert [tuple(row) for row in drawn] == [("basic", "综治"), ("special", "综治")]
    name, department = all_of(sa.select(Plan.name, Plan.department).where(Plan.id == done.made["plan"]))[0]
    assert (name, department) == ("现行网格", "综治")
    households = one(sa.select(Grid.households).where(Grid.code == f"{COUNTY}001001001"))
    home = sa.select(Region.id).where(Region.code == f"{COUNTY}001001").scalar_subquery()
    assert households == int(one(sa.select(sa.func.sum(Building.households)).where(Building.region_id == home)))
    with pytest.raises(Conflict) as caught:
        imports.undo_accept(SYSTEM, batch_id)
    assert caught.value.params["what"] == "plan"


def test_new_counts_reach_units_at_once(regions: imports.Accepted, tmp_path: Path) -> None:
    from gridmap.services import units

    frame = building_frame()
    accepted(write_vector(frame, tmp_path / "b.gpkg", "gpkg"), "buildings")
    units.build(SYSTEM)
    ledger = pd.DataFrame({"楼栋编号": list(frame["楼栋编号"]), "户数": ["9"] * len(frame)})
    accepted(table(tmp_path / "l.csv", ledger), "buildings")
    extra = building_frame(43, seed=5).tail(3)
    accepted(write_vector(extra, tmp_path / "extra.gpkg", "gpkg"), "buildings")
    living = sa.select(sa.func.sum(Unit.households)).where(Unit.retired_at.is_(None))
    assert one(living) == one(sa.select(sa.func.sum(Building.households)).where(Building.unit_id.is_not(None)))
    assert one(sa.select(sa.func.count()).where(Building.unit_id.is_(None))) == 0
    assert one(living) == 9 * 40 + int(extra["户数"].astype(int).sum())
