"""``gridmap redraw-file`` as a user runs it: any file in, plan, report and map out, every mistake told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from click.testing import CliRunner, Result

from gridmap.cli.redraw_file import command

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
SIDE = 8


def town(crs: str = "EPSG:4549", **columns: Any) -> gpd.GeoDataFrame:
    """64 blocks of 100 m with 40 households each, in two communities."""
    boxes = [
        shapely.box(500_000 + x * 100, 3_300_000 + y * 100, 500_100 + x * 100, 3_300_100 + y * 100)
        for y in range(SIDE)
        for x in range(SIDE)
    ]
    n = len(boxes)
    data = {
        "id": [f"{k:03d}" for k in range(n)],
        "households": [40] * n,
        "population": [100] * n,
        "community": ["桥东" if k % SIDE < 4 else "桥西" for k in range(n)],
    }
    return gpd.GeoDataFrame(data | columns, geometry=boxes, crs="EPSG:4549").to_crs(crs)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    path = tmp_path / "units.gpkg"
    town().to_file(path, layer="blocks")
    return path


def run(units: Path, *options: str, out: str = "plan.csv", id_: str = "id", households: str = "households") -> Result:
    fixed = ["--id", id_, "--households", households, "--out", str(units.parent / out)]
    return CliRunner().invoke(command, [str(units), *fixed, *options], catch_exceptions=False)


BAND = ("--min", "300", "--max", "500", "--moves", "2000")


def plan_of(path: Path) -> dict[str, str]:
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == "unit,grid"
    return dict(line.split(",") for line in lines[1:])


def test_a_plan_and_its_report(units: Path) -> None:
    report = units.parent / "report.json"
    done = run(units, *BAND, "--group", "community", "--population", "population", "--verify", "--report", str(report))
    assert done.exit_code == 0, done.output
    plan = plan_of(units.parent / "plan.csv")
    document = json.loads(report.read_text("utf-8"))
    assert list(plan) == [f"{k:03d}" for k in range(64)]
    assert {row["grid"] for row in document["grids"]} == set(plan.values())
    assert document["summary"]["in_band"] == document["summary"]["grids"]
    assert document["violations"] == []
    assert document["verified"] == []
    assert (document["seed"], document["format"]) == (1, 1)
    assert sum(row["population"] for row in document["grids"]) == 6400
    community = dict(zip(town()["id"], town()["community"], strict=True))
    assert all(grid.startswith(community[unit]) for unit, grid in plan.items())


def test_the_same_seed_and_moves_give_the_same_bytes(units: Path) -> None:
    for out in ("a.csv", "b.csv"):
        assert run(units, *BAND, "--seed", "5", out=out).exit_code == 0
    assert (units.parent / "a.csv").read_bytes() == (units.parent / "b.csv").read_bytes()


def test_grids_of_the_start_plan_keep_their_names_and_locked_ones_their_units(units: Path) -> None:
    start = units.parent / "start.csv"
    old = {f"{k:03d}": f"旧{k // SIDE // 2}{(k % SIDE) // 4}" for k in range(64)}
    start.write_bytes(("unit,grid\r\n" + "".join(f"{u},{g}\r\n" for u, g in old.items())).encode("gb18030"))
    report = units.parent / "r.json"
    done = run(
        units, *BAND, "--start", str(start), "--lock", "grid:旧00", "--lock", "unit:063", "--report", str(report)
    )
    assert done.exit_code == 0, done.output
    plan = plan_of(units.parent / "plan.csv")
    assert plan == old
    document = json.loads(report.read_text("utf-8"))
    assert document["households_moved"] == 0
    assert document["instance"]["locked_grids"] == ["旧00"]


def test_the_front_is_written_beside_the_plan(units: Path) -> None:
    start = units.parent / "start.csv"
    start.write_text(
        "unit,grid\n" + "".join(f"{k:03d},{'AB'[k % 2] if k < 16 else k // 10}\n" for k in range(64)), "utf-8"
    )
    report = units.parent / "r.json"
    done = run(
        units, *BAND, "--moves", "2000000", "--start", str(start), "--front", "--robust", "--report", str(report)
    )
    assert done.exit_code == 0, done.output
    document = json.loads(report.read_text("utf-8"))
    moved = [row["households_moved"] for row in document["front"]]
    assert moved == sorted(moved)
    for number, row in enumerate(document["front"], 1):
        assert row["plan"] == f"plan-{number}.csv"
        assert row["title_zh"] != row["title_en"]
        assert len(set(plan_of(units.parent / row["plan"]).values())) == row["grids"]
    shares = {row["grid"]: row["in_band"] for row in document["robustness"]["grids"]}
    assert set(shares) == {row["grid"] for row in document["grids"]}
    assert all(0 <= share <= 1 for share in shares.values())


@pytest.mark.parametrize("ending", ["png", "html"])
def test_a_map_is_written(units: Path, ending: str) -> None:
    drawn = units.parent / f"map.{ending}"
    assert run(units, *BAND, "--map", str(drawn)).exit_code == 0
    assert drawn.read_bytes().startswith({"png": b"\x89PNG", "html": b"<!doctype html>"}[ending])


@pytest.mark.parametrize(
    ("name", "crs"),
    [("u.shp", "EPSG:4490"), ("u.geojson", "EPSG:4326"), ("u.fgb", "EPSG:4549"), ("u.parquet", "EPSG:3857")],
)
def test_any_vector_file_in_any_crs(tmp_path: Path, name: str, crs: str) -> None:
    frame = town(crs).rename(columns={"community": "社区"})
    path = tmp_path / name
    if name.endswith("parquet"):
        frame.to_parquet(path)
    else:
        frame.to_file(path, **({"encoding": "gbk"} if name.endswith("shp") else {}))
    report = tmp_path / "r.json"
    done = run(path, *BAND, "--group", "社区", "--report", str(report))
    assert done.exit_code == 0, done.output
    document = json.loads(report.read_text("utf-8"))
    assert {row["group"] for row in document["grids"]} == {"桥东", "桥西"}
    assert sum(row["area_m2"] for row in document["grids"]) == pytest.approx(640_000, rel=2e-3)


def test_a_layer_is_chosen_by_name(units: Path) -> None:
    town(households=[80] * 64).to_file(units, layer="dense")
    report = units.parent / "r.json"
    assert run(units, *BAND, "--layer", "dense", "--report", str(report)).exit_code == 0
    assert json.loads(report.read_text("utf-8"))["instance"]["households"] == 64 * 80
    assert "LAYER_UNKNOWN" in run(units, *BAND, "--layer", "sparse").output


def test_a_river_is_not_crossed_but_at_its_bridge(units: Path) -> None:
    river = shapely.LineString([(500_400, 3_299_900), (500_400, 3_300_900)])
    path = units.parent / "barriers.geojson"
    gpd.GeoDataFrame({"waterway": ["river"]}, geometry=[river], crs="EPSG:4549").to_crs("EPSG:4326").to_file(path)
    report = units.parent / "r.json"
    done = run(units, *BAND, "--barriers", str(path), "--report", str(report))
    assert done.exit_code == 0, done.output
    plan = plan_of(units.parent / "plan.csv")
    west = {grid for unit, grid in plan.items() if int(unit) % SIDE < 4}
    east = {grid for unit, grid in plan.items() if int(unit) % SIDE >= 4}
    assert not west & east
    assert json.loads(report.read_text("utf-8"))["borders"]["barriers"]["barred"] == SIDE


MISTAKES = {
    "REDRAW_COLUMN": {"households": "hh"},
    "REDRAW_BAND_HALF": {"options": ("--min", "300")},
    "REDRAW_BAND_MISSING": {"options": ()},
    "REDRAW_BAND": {"options": ("--min", "500", "--max", "300")},
    "REDRAW_BAND_WRITTEN": {"options": ("--band", "rural")},
    "REDRAW_WEIGHT_UNKNOWN": {"options": (*BAND, "--weight", "beauty=1")},
    "REDRAW_WEIGHT_WRITTEN": {"options": (*BAND, "--weight", "moved")},
    "REDRAW_LOCK_NO_GRID": {"options": (*BAND, "--lock", "grid:G001")},
    "REDRAW_POPULATION_COLUMN": {"options": (*BAND, "--population-max", "1000")},
    "REDRAW_MAP_ENDING": {"options": (*BAND, "--map", "map.pdf")},
    "REDRAW_OUT": {"out": "no/such/plan.csv"},
    "REDRAW_OUT_TWICE": {"out": "units.gpkg"},
    "STANDARD_NOT_FOUND": {"options": ("--standard", "lunar")},
    "FILE_MISSING": {"options": (*BAND, "--start", "nowhere.csv")},
}


@pytest.mark.parametrize("code", MISTAKES)
def test_a_mistake_is_told_before_anything_is_written(units: Path, code: str) -> None:
    given = {"options": BAND} | MISTAKES[code]
    before = sorted(units.parent.iterdir())
    done = run(units, *given.pop("options"), **given)
    assert done.exit_code == 3
    assert done.output.startswith(f"{code}: ")
    assert sorted(units.parent.iterdir()) == before


def test_a_missing_column_names_those_that_are_there(units: Path) -> None:
    assert "id、households、population、community" in run(units, *BAND, id_="key").output


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"households": [40] * 63 + [None]}, "REDRAW_CELL"),
        ({"households": [40] * 63 + [-1]}, "REDRAW_CELL"),
        ({"households": ["40"] * 63 + ["约40户"]}, "REDRAW_CELL"),
        ({"id": ["007"] * 64}, "REDRAW_ID_TWICE"),
        ({"id": ["a", None] * 32}, "REDRAW_ID_EMPTY"),
    ],
)
def test_a_wrong_cell_is_named_by_row_and_id(tmp_path: Path, change: dict[str, Any], code: str) -> None:
    path = tmp_path / "units.gpkg"
    town(**change).to_file(path)
    done = run(path, *BAND)
    assert (done.exit_code, done.output.partition(":")[0]) == (3, code)
    if code == "REDRAW_CELL":
        assert "“063”" in done.output
        assert "64" in done.output


def test_points_are_no_units(tmp_path: Path) -> None:
    path = tmp_path / "units.gpkg"
    frame = town()
    frame.geometry = frame.geometry.centroid
    frame.to_file(path)
    assert run(path, *BAND).output.startswith("REDRAW_NOT_POLYGONS: ")


def test_a_file_without_crs_needs_one_said(tmp_path: Path) -> None:
    path = tmp_path / "units.shp"
    town().to_file(path)
    path.with_suffix(".prj").unlink()
    assert run(path, *BAND).output.startswith("REDRAW_NO_CRS: ")
    assert run(path, *BAND, "--crs", "EPSG:4549").exit_code == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("unit,grid\n000,A\n999,A\n", "REDRAW_START_UNKNOWN"),
        ("unit,grid\n000,A\n000,B\n", "REDRAW_START_TWICE"),
        ("unit,grid\n000,A\n", "REDRAW_START_MISSING"),
        ("key,grid\n000,A\n", "REDRAW_START_COLUMNS"),
    ],
)
def test_a_start_plan_that_does_not_fit(units: Path, text: str, code: str) -> None:
    start = units.parent / "start.csv"
    start.write_text(text, "utf-8-sig")
    assert run(units, *BAND, "--start", str(start)).output.startswith(f"{code}: ")


def test_ctrl_c_writes_the_best_plan_so_far(tmp_path: Path) -> None:
    frame = town()
    frame.geometry = frame.geometry.buffer(
        0.4, join_style="mitre"
    )  # so that the program says something before it searches
    units, out = tmp_path / "units.gpkg", tmp_path / "plan.csv"
    frame.to_file(units)
    arguments = [str(units), "--id", "id", "--households", "households", "--min", "300", "--max", "500"]
    process = subprocess.Popen(
        [sys.executable, "-m", "gridmap.cli", "redraw-file", *arguments, "--seconds", "60", "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"GRIDMAP_DEFAULT_LOCALE": "en"},
    )
    assert process.stderr is not None
    assert "were taken as one border" in process.stderr.readline()
    time.sleep(2.5)
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == 0, told
    assert "Stopped: the best plan so far was written" in told
    assert len(plan_of(out)) == 64
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan.csv", "units.gpkg"]


@pytest.mark.slow
def test_real_small_areas_keep_the_hard_rules(tmp_path: Path) -> None:
    source = DATA / "tsuruoka_units.geojson"
    if not source.exists():
        pytest.skip("the real small areas are not beside this checkout")
    report = tmp_path / "r.json"
    fixed = ["--id", "id", "--households", "households", "--min", "200", "--max", "300", "--moves", "300000"]
    written = ["--out", str(tmp_path / "plan.csv"), "--report", str(report), "--verify"]
    done = CliRunner().invoke(command, [str(source), *fixed, *written], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    document = json.loads(report.read_text("utf-8"))
    assert document["verified"] == []
    assert document["summary"]["in_pieces"] == 0
    assert np.isclose(sum(row["households"] for row in document["grids"]), 45_236)
