"""Every check finds its fault, names the row and the numbers, and stays silent on good rows."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.checks import CheckContext, Fingerprints, row_checks, run_checks, set_checks
from geodata.checks.pipeline import MARK_CHECKS, ROW_CHECKS, SET_CHECKS
from geodata.crs import to_lonlat
from geodata.fields import Kind
from geodata.messages import catalogue
from geodata.problems import Severity

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LON0 = 114.0
ORIGIN = np.array([500_000.0, 3_300_000.0])
SHARED = Path(__file__).parents[3] / "shared" / "data"


def square(x, y, side=100.0, width=None):
    """A square in metres from the origin, in longitude and latitude."""
    box = shapely.box(x, y, x + (width or side), y + side)
    return to_lonlat(shapely.transform(box, lambda xy: xy + ORIGIN), LON0)


def point(x, y):
    return to_lonlat(shapely.Point(ORIGIN + np.array([x, y])), LON0)


def frame(geometry, **columns):
    rows = np.arange(1, len(geometry) + 1)
    geometry = np.array([*geometry, None], dtype=object)[:-1]
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4490, index=rows)


@pytest.fixture
def context():
    return CheckContext(now=NOW)


@pytest.fixture
def known():
    """Two communities of 1 km side by side."""
    regions = frame(
        [square(0, 0, 1_000), square(1_000, 0, 1_000)],
        code=["420106001001", "420106001002"],
        name=["东湖社区", "西湖社区"],
        level=["community", "community"],
    )
    return CheckContext(now=NOW, known_regions=regions, known_codes=set(regions["code"]))


def codes(problems):
    return Counter(problem.code for problem in problems)


def only(problems, code):
    found = [p for p in problems if p.code == code]
    assert found, f"{code} not among {codes(problems)}"
    return found


def buildings(geometry, **columns):
    given = {"households": [3] * len(geometry), **columns}
    return frame(geometry, **given)


def cases(geometry, **columns):
    when = pd.to_datetime(["2026-01-01 08:00"] * len(geometry)).tz_localize("Asia/Shanghai")
    given = {"category": ["占道经营"] * len(geometry), "occurred_at": when, **columns}
    return frame(geometry, **given)


def test_good_rows_are_silent(known):
    good = buildings(
        [point(10, 10), square(50, 50, 20)],
        key=["1", "2"],
        address=["甲路1号", "甲路2号"],
        population=[9, 10],
        floors=[6, 6],
        region_code=["420106001001"] * 2,
        data_date=[pd.Timestamp("2025-04-03")] * 2,
    )
    assert run_checks(Kind.BUILDINGS, good, known) == []
    assert run_checks(Kind.CASES, cases([point(10, 10)], number=["A1"]), known) == []


def test_every_message_reads_in_both_languages(context):
    used = {code for code in catalogue() if code.startswith("CHECK_")}
    assert len(used) > 30
    for code in used:
        assert {"zh", "en"} <= catalogue()[code].keys()


def test_every_check_says_what_it_does_not_check():
    for check in (*ROW_CHECKS, *MARK_CHECKS, *SET_CHECKS):
        assert check.__doc__, check


class TestGeometry:
    def test_missing_and_empty(self, context):
        problems = run_checks(Kind.BUILDINGS, buildings([None, shapely.Point(), point(1, 1)]), context)
        assert [(p.row, p.severity) for p in only(problems, "CHECK_GEOMETRY_MISSING")] == [(1, "E"), (2, "E")]

    def test_a_case_that_names_its_grid_may_do_without(self, context):
        rows = cases([None, None], grid_code=["420106001001001", None])
        problems = row_checks(Kind.CASES, rows, context)
        assert only(problems, "CHECK_GEOMETRY_BY_KEY")[0].severity is Severity.WARNING
        assert [p.row for p in only(problems, "CHECK_GEOMETRY_MISSING")] == [2]

    @pytest.mark.parametrize(
        ("kind", "shape"),
        [
            (Kind.REGIONS, point(0, 0)),
            (Kind.CASES, square(0, 0)),
            (Kind.BARRIERS, point(0, 0)),
            (Kind.BUILDINGS, shapely.LineString([(114, 30), (114.1, 30)])),
            (Kind.GRIDS, shapely.GeometryCollection([square(0, 0)])),
        ],
    )
    def test_wrong_type(self, kind, shape, context):
        problem = only(row_checks(kind, frame([shape]), context), "CHECK_GEOMETRY_TYPE")[0]
        assert problem.row == 1
        assert "此处需要" in problem.sentence("zh")

    def test_zero_and_impossible_places(self, context):
        rows = buildings([shapely.Point(0, 0), shapely.Point(500_000, 3_300_000), shapely.Point(np.inf, 3.0)])
        problems = row_checks(Kind.BUILDINGS, rows, context)
        assert [p.row for p in only(problems, "CHECK_PLACE_ZERO")] == [1]
        assert [p.row for p in only(problems, "CHECK_PLACE_BEYOND")] == [2, 3]

    def test_bow_tie_with_what_a_repair_changes(self, context):
        bow = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
        rows = frame([to_lonlat(shapely.transform(bow, lambda xy: xy + ORIGIN), LON0)])
        problem = only(row_checks(Kind.GRIDS, rows, context), "CHECK_GEOMETRY_INVALID")[0]
        assert problem.severity is Severity.ERROR
        assert problem.params["change_m2"] == pytest.approx(5_000, rel=1e-3)
        assert problem.geometry is not None

    def test_a_repair_of_a_sliver_is_a_warning(self, context):
        spike = shapely.Polygon([(0, 0), (100, 0), (100, 100), (100, 150), (100, 100), (0, 100)])
        rows = frame([to_lonlat(shapely.transform(spike, lambda xy: xy + ORIGIN), LON0)])
        assert only(row_checks(Kind.UNITS, rows, context), "CHECK_GEOMETRY_INVALID")[0].severity is Severity.WARNING

    def test_outside_the_known_regions_with_distance(self, known):
        rows = buildings([point(500, 500), point(500, -20), point(500, -5_000), point(1_000, 500), None])
        problems = only(row_checks(Kind.BUILDINGS, rows, known), "CHECK_OUTSIDE")
        assert [(p.row, p.severity, p.params["distance_m"]) for p in problems] == [(2, "W", 20), (3, "E", 5_000)]

    def test_polygons_are_placed_by_a_point_inside(self, known):
        rows = frame([square(900, 0), square(3_000, 0)], code=["420106001001001", "420106001001002"])
        assert [p.row for p in only(row_checks(Kind.GRIDS, rows, known), "CHECK_OUTSIDE")] == [2]

    def test_barriers_may_run_beyond(self, known):
        road = shapely.LineString([point(-5_000, -5_000), point(-6_000, -5_000)])
        assert row_checks(Kind.BARRIERS, frame([road]), known) == []


class TestValues:
    def test_negative_absent_and_large_counts(self, context):
        rows = buildings(
            [point(k, 0) for k in range(4)],
            households=pd.array([-3, None, 5_000, 2], dtype="Int64"),
            population=[1, 1, 1, 90],
            floors=[3.0, np.nan, 200.0, 2.0],
        )
        problems = row_checks(Kind.BUILDINGS, rows, context)
        negative = only(problems, "CHECK_COUNT_NEGATIVE")[0]
        assert (negative.row, negative.params["value"]) == (1, -3)
        assert negative.sentence("zh") == "户数为负数：-3"
        assert [p.row for p in only(problems, "CHECK_COUNT_ABSENT")] == [2]
        assert {(p.row, p.params["label_en"]) for p in only(problems, "CHECK_COUNT_LARGE")} == {
            (3, "households"),
            (3, "floors"),
        }
        assert [p.row for p in only(problems, "CHECK_HOUSEHOLD_SIZE")] == [4]

    def test_a_batch_without_households_is_one_finding(self, context):
        rows = frame([point(0, 0)] * 50, address=[f"{k}号" for k in range(50)])
        problems = row_checks(Kind.BUILDINGS, rows, context)
        assert codes(problems) == {"CHECK_COUNT_ABSENT_ALL": 1}
        assert problems[0].params["n"] == 50

    def test_times(self, context):
        rows = cases(
            [point(k, 0) for k in range(5)],
            occurred_at=pd.to_datetime(
                ["2027-01-01 00:00", "1999-12-31 00:00", None, "2026-05-02 10:00", "2026-05-02 10:00"]
            ).tz_localize("Asia/Shanghai"),
            closed_at=pd.to_datetime([None, None, None, "2026-05-01 10:00", "2026-05-03 10:00"]),
            reported_at=[None, None, None, None, datetime(2026, 5, 2, 9)],
        )
        problems = row_checks(Kind.CASES, rows, context)
        assert [(p.row, p.severity) for p in only(problems, "CHECK_TIME_FUTURE")] == [(1, "E")]
        assert [(p.row, p.severity) for p in only(problems, "CHECK_TIME_OLD")] == [(2, "E")]
        assert [p.row for p in only(problems, "CHECK_TIME_MISSING")] == [3]
        closed = only(problems, "CHECK_TIME_CLOSED_FIRST")[0]
        assert closed.row == 4
        assert "2026-05-01 10:00" in closed.sentence("en")
        assert [(p.row, p.severity) for p in only(problems, "CHECK_TIME_REPORTED_FIRST")] == [(5, "W")]

    def test_times_without_zone_are_china_time(self):
        just_now = CheckContext(now=datetime(2026, 5, 1, 0, 0, tzinfo=UTC))  # 08:00 in China
        rows = cases([point(0, 0)], occurred_at=[datetime(2026, 5, 1, 8, 30)])
        assert row_checks(Kind.CASES, rows, just_now) == []

    def test_blank_category_and_name(self, context):
        assert only(row_checks(Kind.CASES, cases([point(0, 0)], category=[" "]), context), "CHECK_TEXT_MISSING")


class TestCodes:
    def test_region_codes(self, context):
        given = ["420106001001", "42010600100", None, "4.20106E+11", "990106001001", "42010600100X"]
        rows = frame([square(100 * k, 0) for k in range(6)], code=given, name=["a"] * 6, urban_rural_code=["111"] * 6)
        problems = row_checks(Kind.REGIONS, rows, context)
        assert [p.row for p in only(problems, "CHECK_CODE_FORM")] == [2, 6]
        assert [p.row for p in only(problems, "CHECK_CODE_MISSING")] == [3]
        assert [p.row for p in only(problems, "CHECK_CODE_ROUNDED")] == [4]
        assert [p.row for p in only(problems, "CHECK_CODE_PROVINCE")] == [5]

    def test_class_of_town_and_country(self, context):
        rows = frame([square(0, 0)], code=["420106001001"], name=["a"], urban_rural_code=["150"])
        assert only(row_checks(Kind.REGIONS, rows, context), "CHECK_CODE_CLASS")

    def test_grid_codes(self, known):
        given = ["420106001001001", "420106001001000", "420106009999001", "42010600100100", "420106001001001-2"]
        parent = [None, None, None, None, "420106001001001"]
        rows = frame([square(100 * k, 0) for k in range(5)], code=given, parent_code=parent)
        problems = row_checks(Kind.GRIDS, rows, known)
        assert [p.row for p in only(problems, "CHECK_CODE_NUMBER")] == [2]
        assert [(p.row, p.severity) for p in only(problems, "CHECK_CODE_UNKNOWN")] == [(3, "E")]
        assert [p.row for p in only(problems, "CHECK_CODE_FORM")] == [4]

    def test_departments_may_number_their_grids_in_their_own_way(self, context):
        rows = frame(
            [square(100 * k, 0) for k in range(4)],
            code=["CG339901001", "4.2E+14", "ZH01", "CG1"],
            department=["城管", "城管", "综合治理", None],
        )
        problems = row_checks(Kind.GRIDS, rows, context)
        assert [(p.row, p.severity) for p in only(problems, "CHECK_CODE_FORM")] == [(3, "E"), (4, "E"), (1, "W")]
        assert [(p.row, p.severity) for p in only(problems, "CHECK_CODE_ROUNDED")] == [(2, "E")]

    def test_codes_by_which_rows_refer(self, known):
        rows = buildings([point(1, 1), point(2, 2)], region_code=["420106001009", "12"])
        problems = row_checks(Kind.BUILDINGS, rows, known)
        assert [(p.row, p.severity) for p in only(problems, "CHECK_CODE_UNKNOWN")] == [(1, "W")]
        assert [(p.row, p.severity) for p in only(problems, "CHECK_CODE_FORM")] == [(2, "W")]

    def test_unknown_grid_of_a_case(self):
        context = CheckContext(now=NOW, known_grid_codes={"420106001001001"})
        rows = cases([point(1, 1)] * 2, grid_code=["420106001001001", "420106001001777"], number=["1", "2"])
        assert [p.row for p in only(row_checks(Kind.CASES, rows, context), "CHECK_GRID_UNKNOWN")] == [2]


class TestDuplicates:
    def test_same_key_names_the_first_row(self, context):
        rows = buildings([point(k, 0) for k in range(4)], key=["a", "b", "a", None])
        found = only(set_checks(Kind.BUILDINGS, rows, context), "CHECK_SAME_KEY")
        assert [(p.row, p.params["other_row"]) for p in found] == [(3, 1)]

    def test_same_geometry_whatever_its_start_and_direction(self, context):
        one = square(0, 0)
        ring = shapely.get_coordinates(one)[:-1]
        turned = shapely.Polygon(np.roll(ring, 2, axis=0)[::-1])
        rows = frame([one, square(100, 0), turned], code=["420106001001001", "420106001001002", "420106001001003"])
        found = only(set_checks(Kind.GRIDS, rows, context), "CHECK_SAME_GEOMETRY")
        assert [(p.row, p.severity) for p in found] == [(3, "E")]

    def test_same_point_and_address_but_not_the_same_point_alone(self, context):
        rows = buildings([point(0, 0)] * 3, address=["甲路1号", "甲路2号", "甲路1号"])
        problems = set_checks(Kind.BUILDINGS, rows, context)
        assert [(p.row, p.params["other_row"]) for p in problems] == [(3, 1)]
        assert problems[0].code == "CHECK_SAME_BUILDING"

    def test_same_case_and_crowded_points(self, context):
        when = pd.date_range("2026-01-01", periods=60, freq="h", tz="Asia/Shanghai").to_series()
        when.iloc[7] = when.iloc[3]
        rows = cases([point(0, 0)] * 60, occurred_at=when.array)
        problems = set_checks(Kind.CASES, rows, context)
        assert [(p.row, p.params["other_row"]) for p in only(problems, "CHECK_SAME_CASE")] == [(8, 4)]
        assert only(problems, "CHECK_CROWD")[0].params["n"] == 60

    def test_far_from_the_rest_without_regions(self, context):
        rng = np.random.default_rng(0)
        rows = buildings([*(point(*xy) for xy in rng.uniform(0, 5_000, (100, 2))), point(190_000, 0)])
        found = only(set_checks(Kind.BUILDINGS, rows, context), "CHECK_FAR")
        assert [p.row for p in found] == [101]

    def test_batches_give_the_same_as_the_whole(self, context):
        rng = np.random.default_rng(1)
        shapes = [point(*xy) for xy in rng.integers(0, 12, (300, 2)) * 10.0]
        rows = buildings(shapes, key=rng.integers(0, 200, 300).astype(str), address=rng.integers(0, 3, 300).astype(str))
        parts = [Fingerprints.of(Kind.BUILDINGS, rows.iloc[k : k + 70]) for k in range(0, 300, 70)]
        whole = set_checks(Kind.BUILDINGS, rows, context)
        chunked = set_checks(Kind.BUILDINGS, None, context, parts)
        assert [(p.code, p.row, p.params) for p in whole] == [(p.code, p.row, p.params) for p in chunked]
        repeated = rows["key"].duplicated().sum()
        assert codes(whole)["CHECK_SAME_KEY"] == repeated


class TestCover:
    def test_overlap_and_hole_of_grids(self, context):
        ring = [square(x, y) for x in (0, 100, 200) for y in (0, 100, 200) if (x, y) != (100, 100)]
        rows = frame([*ring, square(250, 0, 100)], code=[f"420106001001{k:03d}" for k in range(1, 10)])
        problems = set_checks(Kind.GRIDS, rows, context)
        overlap = only(problems, "CHECK_OVERLAP")[0]
        assert (overlap.row, overlap.params["other_row"]) == (9, 6)
        assert overlap.params["area_m2"] == pytest.approx(5_000, rel=1e-3)
        assert only(problems, "CHECK_GAP")[0].params["area_m2"] == pytest.approx(10_000, rel=1e-3)

    def test_slivers_under_the_limit_are_passed_over(self):
        rows = frame([square(0, 0), square(99.995, 0)], code=["420106001001001", "420106001001002"])
        assert set_checks(Kind.GRIDS, rows, CheckContext(now=NOW)) == []
        strict = CheckContext(now=NOW, sliver_m2=0.1)
        assert only(set_checks(Kind.GRIDS, rows, strict), "CHECK_OVERLAP")

    def test_what_grids_leave_of_a_community(self, known):
        rows = frame([square(0, 0, 1_000, width=800)], code=["420106001001001"])
        found = only(set_checks(Kind.GRIDS, rows, known), "CHECK_GAP")
        assert [p.params["area_m2"] for p in found] == [pytest.approx(200_000, rel=1e-3)]  # the other is not begun

    def test_departments_and_micro_grids_tile_by_themselves(self, context):
        rows = frame(
            [square(0, 0), square(0, 0, 99), square(0, 0, 98)],
            code=["420106001001001", "420106001001002", "42010600100100101"],
            department=["城管", "公安", "城管"],
            parent_code=[None, None, "420106001001001"],
        )
        assert set_checks(Kind.GRIDS, rows, context) == []

    def test_regions_of_other_levels_do_not_overlap(self, context):
        rows = frame(
            [square(0, 0, 200), square(0, 0, 200), square(0, 0, 100, width=200), square(0, 100, 100, width=200)],
            code=["420106000000", "420106001000", "420106001001", "420106001002"],
            name=["区", "街道", "甲", "乙"],
        )
        assert codes(set_checks(Kind.REGIONS, rows, context)) == {}

    def test_only_within_a_layer_is_one_geometry_twice_a_fault(self, context):
        """A subdistrict may be one community; departments may share a grid; a micro-grid may be its whole parent."""
        rows = frame(
            [square(0, 0)] * 3, code=["420106001000", "420106001001", "420106001002"], name=["街道", "甲", "乙"]
        )
        assert codes(set_checks(Kind.REGIONS, rows, context))["CHECK_SAME_GEOMETRY"] == 1
        rows = frame(
            [square(0, 0)] * 4,
            code=["420106001001001", "420106001001002", "42010600100100101", "420106001001003"],
            department=["城管", "公安", "城管", "公安"],
            parent_code=[None, None, "420106001001001", None],
        )
        assert codes(set_checks(Kind.GRIDS, rows, context))["CHECK_SAME_GEOMETRY"] == 1


class TestParents:
    def test_unknown_self_circle_absent_and_prefix(self, context):
        given = ["420106000000", "420106001000", "420106001001", "420106001002", "420106002001", "420106003000"]
        parent = [None, "420106000000", "420106001001", "999999999999", None, "420106001000"]
        rows = frame([square(300 * k, 0) for k in range(6)], code=given, parent_code=parent, name=["x"] * 6)
        problems = set_checks(Kind.REGIONS, rows, context)
        assert [p.row for p in only(problems, "CHECK_PARENT_SELF")] == [3]
        assert [p.row for p in only(problems, "CHECK_PARENT_UNKNOWN")] == [4]
        assert [(p.row, p.params["value"]) for p in only(problems, "CHECK_PARENT_ABSENT")] == [(5, "420106002000")]
        assert 6 in [p.row for p in only(problems, "CHECK_PARENT_PREFIX")]

    def test_grids_in_a_circle(self, context):
        rows = frame([square(0, 0), square(200, 0), square(400, 0)], code=["a", "b", "c"], parent_code=["b", "a", "a"])
        assert [p.row for p in only(set_checks(Kind.GRIDS, rows, context), "CHECK_PARENT_CIRCLE")] == [1, 2]

    def test_parents_already_accepted_are_known(self):
        context = CheckContext(now=NOW, known_codes={"420106001000"})
        rows = frame([square(0, 0)], code=["420106001001"], parent_code=["420106001000"], name=["x"])
        assert set_checks(Kind.REGIONS, rows, context) == []


@pytest.mark.parametrize("kind", list(Kind))
def test_empty_frames_and_frames_without_columns_do_no_harm(kind, known, context):
    for given in (frame([]), frame([None]), frame([None, None])):
        for ctx in (known, context):
            assert all(p.sentence("zh") and p.sentence("en") for p in run_checks(kind, given, ctx))


@pytest.mark.parametrize("kind", list(Kind))
def test_strange_geometry_never_raises(kind, known):
    strange = [
        shapely.Point(np.nan, np.nan),
        shapely.Point(np.inf, 0),
        shapely.LineString([(0, 0), (0, 0)]),
        shapely.Polygon([(0, 0), (1, 1), (0, 0)]),
        shapely.GeometryCollection(),
        shapely.MultiPolygon([square(0, 0), square(50, 50)]),
        shapely.box(-400, -400, 400, 400),
        shapely.Point(1e300, -1e300),
        None,
    ]
    problems = run_checks(kind, frame(strange), known)
    for problem in problems:
        assert problem.sentence("zh")
        assert problem.sentence("en")
        problem.hint("zh")


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data sets are not here")
def test_real_houston_cases():
    table = pd.read_csv(SHARED / "houston_crime_2010_core.csv", dtype=str)
    lon, lat = pd.to_numeric(table["lon"]), pd.to_numeric(table["lat"])
    places = np.where(lon.isna(), None, shapely.points(lon.fillna(0), lat.fillna(0)))
    when = pd.to_datetime(table["time"]).array
    rows = cases(places, number=table["case_id"].array, category=table["offense"].array, occurred_at=when)
    found = codes(run_checks(Kind.CASES, rows, CheckContext(now=NOW)))
    assert found["CHECK_GEOMETRY_MISSING"] == 5
    assert found["CHECK_FAR"] == 210
    assert found["CHECK_CROWD"] == 22
