"""How far an import reaches: not into regions that its planner does not plan, and no person gets in with it."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import sqlalchemy as sa

from geodata.writers import write_csv, write_vector, write_xlsx
from gridmap.db.engine import transaction
from gridmap.db.models import Barrier, Building, Case, Region
from gridmap.errors import CodedError, Conflict, Forbidden, NotFound
from gridmap.services import imports, units
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.users import add_user
from gridmap.settings import settings
from tests.imports import COUNTY, SOUTH, STEP, WEST, accepted, building_frame, sent, square, staged

pytestmark = pytest.mark.usefixtures("database_url", "data_dir", "regions")

HERE, THERE = f"{COUNTY}001001", f"{COUNTY}001002"


@pytest.fixture
def planner(regions: imports.Accepted) -> Actor:
    """Plans the first community only."""
    user_id = add_user(SYSTEM, "planner", "Planner", [("planner", HERE)])
    return Actor("planner", (Grant(Role.PLANNER, HERE),), user_id=user_id)


def inside(column: int, row: int, n: int) -> Any:
    """Points well inside a community of the test county."""
    across = np.linspace(0.3, 0.7, n) * STEP
    return shapely.points(WEST + column * STEP + across, SOUTH + row * STEP + across)


def buildings_at(points: Any, keys: list[str]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"楼栋编号": keys, "户数": ["7"] * len(keys)}, geometry=points, crs="EPSG:4490")


def cases_at(points: Any, numbers: list[str]) -> gpd.GeoDataFrame:
    frame = {"事件编号": numbers, "事件类别": ["市容"] * len(numbers), "发生时间": ["2025-03-01 08:00"] * len(numbers)}
    return gpd.GeoDataFrame(frame, geometry=points, crs="EPSG:4490")


@pytest.mark.parametrize(
    ("kind", "make", "table"), [("buildings", buildings_at, Building), ("cases", cases_at, Case)], ids=["b", "c"]
)
def test_a_key_of_the_neighbours_takes_nothing_from_them(
    planner: Actor, tmp_path: Path, kind: str, make: Any, table: Any
) -> None:
    accepted(write_vector(make(inside(1, 0, 3), ["K1", "K2", "K3"]), tmp_path / "theirs.gpkg", "gpkg"), kind)
    mine = write_vector(make(inside(0, 0, 2), ["K1", "mine"]), tmp_path / "mine.gpkg", "gpkg")
    batch_id = sent(mine, kind, planner)
    staged(batch_id, planner)
    with pytest.raises(Forbidden) as caught:
        imports.accept(planner, batch_id, only_good=True)
    assert caught.value.code == "IMPORT_NOT_YOURS"
    assert THERE in str(caught.value.params["regions"])
    with transaction() as session:
        homes = session.scalars(sa.select(Region.code).join(table, table.region_id == Region.id)).all()
    assert list(homes) == [THERE] * 3
    assert imports.get(planner, batch_id).state == "staged"


def test_rows_that_only_the_planner_knows_are_updated(planner: Actor, tmp_path: Path) -> None:
    accepted(write_vector(buildings_at(inside(0, 0, 2), ["K1", "K2"]), tmp_path / "a.gpkg", "gpkg"), "buildings")
    again = write_vector(buildings_at(inside(0, 0, 2), ["K1", "new"]), tmp_path / "b.gpkg", "gpkg")
    batch_id = sent(again, "buildings", planner)
    staged(batch_id, planner)
    done = imports.accept(planner, batch_id)
    assert (done.inserted, done.updated) == (1, 1)


def lines(*ends: tuple[float, float, float, float]) -> gpd.GeoDataFrame:
    shapes = [
        shapely.LineString([(WEST + a * STEP, SOUTH + b * STEP), (WEST + c * STEP, SOUTH + d * STEP)])
        for a, b, c, d in ends
    ]
    return gpd.GeoDataFrame({"kind": ["road"] * len(ends)}, geometry=shapes, crs="EPSG:4490")


def test_replacing_barriers_spares_those_of_the_neighbours(planner: Actor, tmp_path: Path) -> None:
    own, theirs, along, across = (0.2, 0.5, 0.8, 0.5), (1.2, 0.5, 1.8, 0.5), (1, 0.1, 1, 0.9), (0.5, 0.4, 1.5, 0.4)
    accepted(write_vector(lines(own, theirs, along, across), tmp_path / "old.gpkg", "gpkg"), "barriers")
    batch_id = sent(write_vector(lines((0.1, 0.1, 1.9, 0.9)), tmp_path / "new.gpkg", "gpkg"), "barriers", planner)
    staged(batch_id, planner)
    assert imports.accept(planner, batch_id, replace=True).made["removed"] == 2  # the own and that on the border
    with transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Barrier)) == 3


def test_barriers_elsewhere_are_refused_whoever_checked_the_file(planner: Actor, tmp_path: Path) -> None:
    batch_id = sent(write_vector(lines((1.2, 0.5, 1.8, 0.5)), tmp_path / "new.gpkg", "gpkg"), "barriers")
    imports.configure(SYSTEM, batch_id, region=HERE)
    imports.configure(SYSTEM, batch_id, region="")
    staged(batch_id)
    with transaction() as session:
        home = session.scalar(sa.select(Region.id).where(Region.code == HERE))
        session.execute(sa.text("UPDATE import_batch SET region_id = :home"), {"home": home})
    with pytest.raises(Forbidden):
        imports.accept(planner, batch_id)


def test_the_same_file_of_others_is_not_betrayed(planner: Actor, tmp_path: Path) -> None:
    path = write_vector(building_frame(5), tmp_path / "b.gpkg", "gpkg")
    first = sent(path, "buildings")
    mine = imports.get(planner, sent(path, "buildings", planner))
    assert mine.id != first
    assert mine.same_as == ()
    assert [one.id for one in imports.get(SYSTEM, first).same_as] == [mine.id]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/cron.d/evil.csv", "evil.csv"),
        ("..\\..\\boot.csv", "boot.csv"),
        ("..", "upload"),
        ("", "upload"),
        ("a\r\nSet-Cookie: x=1.csv", "aSet-Cookie: x=1.csv"),
        ("表\u202egnp.csv", "表gnp.csv"),
        ("\udcffx\0.csv", "x.csv"),
        ("很" * 300 + ".csv", "很" * 65 + ".csv"),
    ],
)
def test_names_of_files_are_names_of_files(given: str, kept: str) -> None:
    text = "楼栋编号,户数,lon,lat\r\n1,2,120.105,30.205\r\n".encode()
    batch = imports.receive(SYSTEM, io.BytesIO(text), given, "buildings")
    assert batch.filename == kept
    if kept.endswith(".csv"):
        assert imports.preview(SYSTEM, batch.id).row_count in (1, None)
    assert all(path.parent == settings().uploads_dir for path in settings().uploads_dir.rglob("*") if path.is_file())


PEOPLE = ["欧阳测试甲", "司马测试乙", "诸葛测试丙"]
IDENTITY = "11010519491231002X"
MOBILE = "13912345678"


def full_of_people(n: int = 260) -> pd.DataFrame:
    """Names, identity numbers and telephones in every kind of column, some only far down the file."""
    rare: list[Any] = [None] * n
    late = list(rare)
    late[n - 1] = f"联系{MOBILE}，证号{IDENTITY}"
    wide = list(rare)
    wide[n - 2] = "电话１３９１２３４５６７８"
    numbers: list[Any] = [float(k) for k in range(n)]
    numbers[n - 3] = float(MOBILE)
    return pd.DataFrame(
        {
            "楼栋编号": [f"B{k}" for k in range(n)],
            "户数": ["abc" if k % 50 == 0 else "3" for k in range(n)],
            "lon": np.linspace(WEST + 0.001, WEST + 0.009, n),
            "lat": np.linspace(SOUTH + 0.001, SOUTH + 0.009, n),
            "户主姓名": [PEOPLE[k % 3] for k in range(n)],
            "身份证号": [IDENTITY] * n,
            "联系电话": [MOBILE] * n,
            "列甲": [MOBILE if k % 2 else None for k in range(n)],
            "备注": late,
            "地址": [f"长安路{k}号" if text is None else text for k, text in enumerate(wide)],
            "其他": numbers,
        }
    )


@pytest.mark.parametrize(
    "write", [write_csv, lambda frame, path: write_xlsx({"台账": frame}, path)], ids=["csv", "xlsx"]
)
def test_no_person_reaches_storage(
    tmp_path: Path, write: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    suffix = ".csv" if write is write_csv else ".xlsx"
    path = write(full_of_people(), tmp_path / f"ledger{suffix}")
    batch_id = sent(path or tmp_path / f"ledger{suffix}", "buildings")
    shown = str(imports.preview(SYSTEM, batch_id))
    staged(batch_id)
    marks = [*PEOPLE, IDENTITY, MOBILE, "１３９１２３４５６７８"]
    assert_no(marks, shown + everything_stored())
    back = imports.rejected_file(SYSTEM, batch_id, "csv").read_text("utf-8-sig")
    assert "gridmap_reason" in back
    assert_no(marks, back)
    imports.accept(SYSTEM, batch_id, only_good=True)
    with pytest.raises(CodedError) as caught:
        imports.configure(SYSTEM, sent(path, "buildings", again=True), where={"户主姓名": PEOPLE[0]})
    assert caught.value.code == "COLUMN_UNKNOWN"
    told = capfd.readouterr()
    assert_no(marks, everything_stored() + caplog.text + told.out + told.err)


def assert_no(marks: list[str], text: str) -> None:
    assert [mark for mark in marks if mark in text] == []


def everything_stored() -> str:
    """Every row of every table as JSON."""
    with transaction() as session:
        tables = session.scalars(sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        return "".join(
            json.dumps(session.scalars(sa.text(f'SELECT to_jsonb(t)::text FROM "{table}" t')).all(), ensure_ascii=False)
            for table in tables
            if table != "spatial_ref_sys"
        )


def test_accepting_and_discarding_at_once_does_one_of_them(tmp_path: Path) -> None:
    batch_id = sent(write_vector(building_frame(), tmp_path / "b.gpkg", "gpkg"), "buildings")
    staged(batch_id)
    outcomes = at_once(
        lambda: imports.accept(SYSTEM, batch_id),
        lambda: imports.discard(SYSTEM, batch_id),
        lambda: imports.accept(SYSTEM, batch_id),
    )
    refused = [one for one in outcomes if isinstance(one, Exception)]
    assert len(refused) == 2
    assert all(isinstance(one, Conflict) for one in refused), refused
    state = imports.get(SYSTEM, batch_id).state
    with transaction() as session:
        count = session.scalar(sa.select(sa.func.count()).select_from(Building))
    assert (state, count) in (("accepted", 40), ("discarded", 0))


def test_buildings_that_come_while_units_are_built_are_counted(tmp_path: Path) -> None:
    accepted(write_vector(building_frame(), tmp_path / "a.gpkg", "gpkg"), "buildings")
    units.build(SYSTEM, COUNTY + "000000")
    more = building_frame(40, seed=2).assign(楼栋编号=[f"N{k}" for k in range(40)])
    batch_id = sent(write_vector(more, tmp_path / "b.gpkg", "gpkg"), "buildings")
    staged(batch_id)
    outcomes = at_once(
        lambda: units.build(SYSTEM, COUNTY + "000000"),
        lambda: imports.accept(SYSTEM, batch_id),
        lambda: units.build(SYSTEM, COUNTY + "000000"),
    )
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    with transaction() as session:
        sums = sa.text(
            "SELECT (SELECT sum(buildings) FROM unit WHERE retired_at IS NULL),"
            " (SELECT count(*) FROM building b JOIN unit u ON u.id = b.unit_id WHERE u.retired_at IS NULL)"
        )
        assert tuple(session.execute(sums).one()) == (80, 80)


def at_once(*calls: Any) -> list[Any]:
    """What the calls return or raise when they run at the same time."""
    with ThreadPoolExecutor(len(calls)) as pool:
        done = [pool.submit(call) for call in calls]
    return [one.exception() or one.result() for one in done]


def test_units_of_the_neighbours_are_not_taken_back(planner: Actor, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"编号": ["u1"]}, geometry=[square(1, 0)], crs="EPSG:4490")
    batch_id = accepted(write_vector(frame, tmp_path / "u.gpkg", "gpkg"), "units").batch.id
    with transaction() as session:
        home = session.scalar(sa.select(Region.id).where(Region.code == HERE))
        session.execute(sa.text("UPDATE import_batch SET region_id = :home"), {"home": home})
    with pytest.raises((Forbidden, NotFound)):
        imports.undo_accept(planner, batch_id)


def test_an_outline_over_the_neighbours_ground_is_refused(planner: Actor, tmp_path: Path) -> None:
    mine = square(0, 0).union(square(1, 0)).buffer(-STEP / 50)
    frame = gpd.GeoDataFrame(
        {"代码": [HERE], "名称": ["大社区"], "级别": ["community"]}, geometry=[mine], crs="EPSG:4490"
    )
    batch_id = sent(write_vector(frame, tmp_path / "r.gpkg", "gpkg"), "regions", planner)
    staged(batch_id, planner)
    with pytest.raises(Forbidden) as caught:
        imports.accept(planner, batch_id, only_good=True)
    assert caught.value.code == "IMPORT_NOT_YOURS"
