"""The demo town keeps its word: figures, columns, codes, faults, rhythm, and the same bytes from the same seed."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.fields import FIELDS, Kind
from geodata.synth import Town, synthesise, synthesise_tiles
from geodata.synth.ground import county_origin
from geodata.synth.names import county
from geodata.synth.regions import county_code

METRIC = "+proj=tmerc +lat_0=30.2 +lon_0=120.1 +ellps=GRS80"
LAYERS = {
    "regions": Kind.REGIONS,
    "barriers": Kind.BARRIERS,
    "buildings": Kind.BUILDINGS,
    "grids": Kind.GRIDS,
    "department_grids": Kind.GRIDS,
    "cases": Kind.CASES,
}


@pytest.fixture(scope="module")
def town() -> Town:
    return synthesise(1)


def test_figures_of_the_issue(town: Town) -> None:
    assert len(town.buildings) == pytest.approx(12_000, rel=0.02)
    assert town.buildings["households"].sum() == pytest.approx(60_000, rel=0.02)
    assert len(town.cases) == 50_000
    levels = town.regions["level"].value_counts()
    assert levels["county"] == 1
    assert levels["subdistrict"] == 3
    assert 27 <= levels["community"] <= 33


@pytest.mark.parametrize("layer", LAYERS)
def test_columns_are_fields_of_the_kind(town: Town, layer: str) -> None:
    frame = getattr(town, layer)
    known = {field.name for field in FIELDS[LAYERS[layer]]}
    assert set(frame.columns) - {"geometry"} <= known
    assert {f.name for f in FIELDS[LAYERS[layer]] if f.required} <= set(frame.columns)
    assert frame.crs == "EPSG:4490"
    assert frame.geometry.is_valid.all()
    assert not frame.geometry.is_empty.any()


def test_regions_are_one_tree_of_well_formed_codes(town: Town) -> None:
    regions = town.regions
    assert regions["code"].str.fullmatch(r"3399\d{8}").all()
    assert regions["code"].is_unique
    parents = regions["parent_code"].dropna()
    assert set(parents) <= set(regions["code"])
    assert len(parents) == len(regions) - 1
    communities = regions[regions["level"] == "community"]
    assert (communities["parent_code"] == communities["code"].str[:9] + "000").all()
    assert set(communities["urban_rural_code"]) >= {"111", "112", "121", "220"}
    assert communities["name"].is_unique


def test_buildings_carry_what_a_ledger_has(town: Town) -> None:
    buildings = town.buildings
    assert buildings["key"].is_unique
    assert buildings["address"].is_unique
    assert buildings["address"].str.contains(r"[路弄巷街道]\d+号\d+幢$").any()
    work = buildings[buildings["kind"].isin(["商场", "学校", "医院", "厂房", "写字楼", "车站"])]
    assert set(work["kind"]) == {"商场", "学校", "医院", "厂房", "写字楼", "车站"}
    assert (work["households"] == 0).all()
    lived = buildings[buildings["households"] > 0]
    assert (lived["population"] >= lived["households"]).all()
    per_household = lived.groupby(lived["region_code"].str[6] == "1")[["population", "households"]].sum()
    rate = per_household["population"] / per_household["households"]
    assert rate[False] == pytest.approx(2.6, abs=0.08)
    assert rate[True] == pytest.approx(3.0, abs=0.08)
    assert buildings["households"].isna().sum() == town.faults["households_missing"] > 0
    assert (buildings["data_date"] < "2025-11-01").sum() == town.faults["households_out_of_date"] > 0
    named = set(town.barriers.loc[town.barriers["kind"] == "compound", "name"])
    assert set(buildings["compound"].dropna()) <= named


def test_compound_outlines_hold_their_buildings(town: Town) -> None:
    outlines = town.barriers[town.barriers["kind"] == "compound"].set_index("name").geometry
    inside = town.buildings[town.buildings["compound"].notna()]
    assert shapely.covers(outlines.loc[inside["compound"]].to_numpy(), inside.geometry.to_numpy()).all()


def test_barriers_of_every_sort(town: Town) -> None:
    barriers = town.barriers
    assert set(barriers["kind"]) == {"road", "water", "rail", "wall", "compound"}
    roads = barriers[barriers["kind"] == "road"]
    assert set(roads["class"]) == {"trunk", "primary", "secondary", "tertiary", "residential", "service"}
    river = barriers[barriers["class"] == "river"].geometry.iloc[0]
    over = roads[roads["bridge"]]
    assert len(over) >= 3
    assert shapely.intersects(over.geometry.to_numpy(), river).all()
    assert not shapely.intersects(roads[~roads["bridge"]].geometry.to_numpy(), river).any()
    assert roads["tunnel"].any()


def test_grids_have_the_faults_that_are_counted(town: Town) -> None:
    """The counts of ``faults`` against the geometry, looked at anew."""
    grids, faults = town.grids.to_crs(METRIC), town.faults
    shapes = grids.geometry.to_numpy()
    assert grids["code"].duplicated().sum() == faults["duplicate_codes"] == 1
    assert (grids["code"].str[:12] != grids["region_code"]).sum() == faults["foreign_codes"] == 1
    assert (grids["workers"] == 0).sum() == faults["without_worker"]
    assert (shapely.get_num_geometries(shapes) > 1).sum() == faults["torn"]
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))[first < second]
    assert (shared > 20).sum() == faults["overlaps"] + faults["across_community_border"]
    land = town.regions[town.regions["level"] == "county"].to_crs(METRIC).geometry.iloc[0]
    left = shapely.get_parts(shapely.difference(land, shapely.union_all(shapes)))
    assert (shapely.area(left) > 20).sum() == faults["gaps"]
    homes = town.buildings.to_crs(METRIC).geometry.to_numpy()
    home, grid = shapely.STRtree(shapes).query(homes, predicate="intersects")
    cut = shapely.area(shapely.intersection(homes[home], shapes[grid])) < 0.98 * shapely.area(homes[home])
    assert len(np.unique(grid[cut])) >= faults["borders_through_buildings"]


def test_grids_are_interesting(town: Town) -> None:
    faults = town.faults
    total = sum(faults[status] for status in ("within", "over", "under", "empty"))
    assert 0.35 <= faults["within"] / total <= 0.6
    assert 0.2 <= faults["over"] / total <= 0.4
    assert faults["under"] / total >= 0.08
    assert faults["empty"] >= 3
    assert faults["rural_over_2000_people"] >= 1
    assert faults["split_compounds"] >= 1
    assert set(town.grids["kind"]) == {"basic", "special"}
    assert town.grids["code"].str.fullmatch(r"\d{15}").all()


def test_departments_overlap_and_have_their_own_borders(town: Town) -> None:
    layers = town.department_grids
    assert set(layers["department"]) == {"城管", "公安", "应急"}
    own = layers[layers["department"] == "城管"].to_crs(METRIC).geometry.to_numpy()
    first, second = shapely.STRtree(own).query(own, predicate="intersects")
    assert shapely.area(shapely.intersection(own[first], own[second]))[first < second].max() > 500


def test_cases_lie_in_the_two_years_and_in_order(town: Town) -> None:
    cases = town.cases
    start, end = pd.Timestamp("2024-11-01", tz="Asia/Shanghai"), pd.Timestamp("2026-11-01", tz="Asia/Shanghai")
    assert cases["occurred_at"].min() > start - pd.Timedelta(days=1)
    assert cases["reported_at"].max() < end
    assert (cases["reported_at"] >= cases["occurred_at"]).all()
    closed = cases.dropna(subset="closed_at")
    assert (closed["closed_at"] >= closed["reported_at"]).all()
    assert closed["closed_at"].max() < end
    assert len(closed) < len(cases)
    assert cases["number"].is_unique
    assert all(re.fullmatch(r"20\d{6}-\d{5}", number) for number in cases["number"])
    assert set(cases["building_key"].dropna()) <= set(town.buildings["key"])
    same_point = pd.Series(shapely.to_wkb(cases.geometry.to_numpy())).value_counts()
    assert same_point.iloc[0] == town.faults["cases_on_one_point"] > 200


def test_cases_have_their_hours_and_days(town: Town) -> None:
    cases = town.cases
    local = cases["occurred_at"].dt.tz_convert("Asia/Shanghai")
    night = local.dt.hour.isin([21, 22, 23, 0, 1, 2])
    by_category = night.groupby(cases["category"]).mean()
    assert by_category["噪音扰民"] > 0.6
    assert by_category["民生服务"] < 0.1
    weekend = (local.dt.day_of_week >= 5).groupby(cases["category"]).mean()
    assert weekend["噪音扰民"] > 2 / 7 > weekend["民生服务"]


def test_same_seed_same_bytes_in_another_process() -> None:
    code = "from geodata.synth import synthesise; import sys; sys.stdout.write(synthesise(5, 0.1).digest())"
    env = {**os.environ, "PYTHONHASHSEED": "77"}
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert other.stdout == synthesise(5, 0.1).digest() == synthesise(5, 0.1).digest()
    assert other.stdout != synthesise(6, 0.1).digest()


def test_counties_stand_side_by_side_without_a_shared_code() -> None:
    towns = list(synthesise_tiles(3, 2.1))
    assert len(towns) == 3
    joined = synthesise(3, 2.1)
    assert len(joined.buildings) == sum(len(town.buildings) for town in towns)
    counties = joined.regions[joined.regions["level"] == "county"].to_crs(METRIC).geometry.to_numpy()
    assert shapely.coverage_is_valid(counties)
    assert shapely.length(shapely.intersection(counties[0], counties[1])) > 1000
    for layer, column in (("regions", "code"), ("buildings", "key"), ("cases", "number")):
        assert getattr(joined, layer)[column].is_unique
    assert joined.faults["gaps"] == sum(town.faults["gaps"] for town in towns)


def test_places_and_codes_of_many_counties() -> None:
    codes = [county_code(i) for i in range(594)]
    assert len(set(codes)) == 594
    assert all(re.fullmatch(r"339[4-9]\d\d", code) for code in codes)
    assert len({county_origin(i) for i in range(594)}) == 594
    assert len({county(i) for i in range(416)}) == 416


@pytest.mark.parametrize("size", [0, 0.01, 595, float("nan")])
def test_sizes_without_sense_are_refused(size: float) -> None:
    with pytest.raises(ValueError, match="size"):
        synthesise(1, size)
