"""The demo files are awkward in the ways promised, and the program's own readers take every one of them."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import shapely

from geodata.columns import guess_mapping
from geodata.fields import Kind
from geodata.gcj02 import gcj02_to_wgs84
from geodata.readers.source import open_source
from geodata.synth import Town, synthesise
from geodata.synth.files import write_demo_files

KINDS = {
    "regions": Kind.REGIONS,
    "buildings": Kind.BUILDINGS,
    "ledger": Kind.BUILDINGS,
    "barriers": Kind.BARRIERS,
    "grids": Kind.GRIDS,
    "departments": Kind.GRIDS,
    "cases": Kind.CASES,
}


@pytest.fixture(scope="module")
def town() -> Town:
    return synthesise(1, 0.2)


@pytest.fixture(scope="module")
def files(town: Town, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_demo_files(town, tmp_path_factory.mktemp("demo") / "new")


def test_shapefile_is_gbk_and_does_not_say_so(files: dict[str, Path], town: Town) -> None:
    with zipfile.ZipFile(files["buildings"]) as archive:
        assert {Path(name).suffix for name in archive.namelist()} == {".shp", ".shx", ".dbf", ".prj"}
        table = archive.read("buildings.dbf")
    headers = [table[i : i + 11].split(b"\0")[0].decode("gbk") for i in range(32, 32 * 10, 32)]
    assert headers == ["楼栋编号", "楼栋名称", "地址", "小区", "类型", "层数", "户数", "人口", "数据日期"]
    assert all(len(header.encode("gbk")) <= 10 for header in headers)
    assert table[29] == 0
    assert town.buildings["address"].iloc[0].encode("gbk") in table


def test_ledger_has_a_clerks_habits(files: dict[str, Path]) -> None:
    sheet = openpyxl.load_workbook(files["ledger"]).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert {"A1:I1", "G2:I2"} <= {str(area) for area in sheet.merged_cells.ranges}
    assert rows[3][0] == "说明"
    assert rows[-1][0] == "合计"
    assert all(isinstance(row[1], str) and len(row[1]) == 16 for row in rows[4:-1])
    counts = [str(row[6]) for row in rows[4:-1]]
    assert any(count.startswith("约") and count.endswith("0户") for count in counts)
    assert any(set(count) & set("０１２３４５６７８９") for count in counts)
    dates = {str(row[8]) for row in rows[4:-1]}
    assert {"20260930", "2026.9.30", "2026-09-30"} <= dates


def test_barriers_are_in_gcj02(files: dict[str, Path], town: Town) -> None:
    features = json.loads(files["barriers"].read_text("utf-8"))
    assert "crs" not in features
    shifted = np.array(
        [shapely.get_coordinates(shapely.geometry.shape(f["geometry"]))[0] for f in features["features"]]
    )
    lines = town.barriers["kind"] == "road"
    true = np.array([shapely.get_coordinates(g)[0] for g in town.barriers.geometry])[lines]
    back = np.column_stack(gcj02_to_wgs84(*shifted[lines].T))
    assert np.abs(back - true).max() < 2e-8
    assert 1e-3 < np.abs(shifted[lines] - true).max() < 1e-2


def test_cases_are_gb18030_with_broken_rows(files: dict[str, Path], town: Town) -> None:
    with files["cases"].open(encoding="gb18030", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == len(town.cases)
    assert sum(not row["经度"] for row in rows) == len(rows) // 997 > 0
    assert sum(row["发生时间"].startswith("2027") for row in rows) == len(rows) // 1499 > 0
    with pytest.raises(UnicodeDecodeError):
        files["cases"].read_text("utf-8")


@pytest.mark.parametrize("name", KINDS)
def test_our_readers_take_it(files: dict[str, Path], town: Town, tmp_path: Path, name: str) -> None:
    source = open_source(files[name], scratch=tmp_path)
    mapping = guess_mapping(KINDS[name], source.columns, source.preview(200))
    expected = {
        "regions": {"code", "name", "level", "parent_code", "urban_rural_code", "source", "data_date"},
        "buildings": {"key", "name", "address", "compound", "kind", "floors", "households", "population", "data_date"},
        "ledger": {"key", "address", "compound", "kind", "floors", "households", "population", "data_date"},
        "barriers": {"kind", "class", "name", "tunnel", "bridge", "width_m"},
        "grids": {"code", "name", "kind", "department", "workers", "households", "population", "region_code"},
        "departments": {"code", "name", "department", "workers"},
        "cases": {"number", "category", "occurred_at", "reported_at", "closed_at", "place", "lon", "lat"},
    }
    assert set(mapping) >= expected[name]
    batches = list(source.batches())
    problems = [problem.code for batch in batches for problem in batch.problems]
    assert problems == {"grids": ["GEOMETRY_MISSING"], "ledger": ["LEDGER_TOTALS"]}.get(name, [])
    lived = town.buildings["households"].fillna(1) > 0
    rows = {"buildings": len(town.buildings), "ledger": int(lived.sum()), "grids": len(town.grids) + 3}
    frames = {"regions": "regions", "barriers": "barriers", "departments": "department_grids", "cases": "cases"}
    assert sum(map(len, batches)) == rows.get(name, len(getattr(town, frames.get(name, name), ())))


def test_same_town_same_bytes(files: dict[str, Path], town: Town, tmp_path: Path) -> None:
    again = write_demo_files(town, tmp_path)
    assert {name: path.read_bytes() for name, path in again.items()} == {
        name: path.read_bytes() for name, path in files.items()
    }
