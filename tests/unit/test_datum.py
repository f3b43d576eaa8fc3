"""The datum detective on synthetic towns: every kind of trusted layer, none, contradictions and foreign ground."""

import numpy as np
import pytest
import shapely

from geodata import gcj02
from geodata.crs import to_lonlat, to_metric
from geodata.datum import detect
from geodata.fields import Kind

LON0 = 114.3
TOWN = np.array([[114.3, 30.5]])
SHIFTS = {"CGCS2000": lambda x, y: (x, y), "GCJ02": gcj02.wgs84_to_gcj02, "BD09": gcj02.wgs84_to_bd09}


def shifted(shapes, datum):
    return shapely.transform(shapes, SHIFTS[datum], interleaved=False)


@pytest.fixture(scope="module")
def town():
    """3 x 3 km: footprints in random rows, roads every 150 m, nine communities; lon/lat."""
    rng = np.random.default_rng(3)
    origin = to_metric(TOWN, LON0)[0]
    xy = rng.uniform(0, 3_000, (4_000, 2)) + origin
    size = rng.uniform(5, 15, (4_000, 2))
    buildings = shapely.box(*(xy - size / 2).T, *(xy + size / 2).T)
    steps = np.cumsum(rng.uniform(100, 200, 20)) + origin[0]
    steps_y = steps - origin[0] + origin[1]
    roads = np.array(
        [shapely.LineString([(s, origin[1]), (s, origin[1] + 3_000)]) for s in steps]
        + [shapely.LineString([(origin[0], s), (origin[0] + 3_000, s)]) for s in steps_y]
    )
    roads = shapely.segmentize(roads, 50.0)
    cells = np.stack(np.meshgrid(range(3), range(3)), -1).reshape(-1, 2) * 1_000 + origin
    regions = shapely.box(*cells.T, *(cells + 1_000).T)
    return {
        "buildings": to_lonlat(buildings, LON0),
        "roads": to_lonlat(roads, LON0),
        "regions": to_lonlat(regions, LON0),
        "points": to_lonlat(shapely.points(xy + rng.normal(0, 2, xy.shape)), LON0),
    }


@pytest.mark.parametrize("datum", SHIFTS)
class TestEveryDatum:
    def test_points_against_footprints(self, town, datum):
        report = detect(Kind.BUILDINGS, shifted(town["points"], datum), {Kind.BUILDINGS: town["buildings"]})
        assert (report.best, report.confident) == (datum, True)

    def test_points_against_points(self, town, datum):
        known = shapely.centroid(town["buildings"])
        report = detect(Kind.BUILDINGS, shifted(town["points"], datum), {Kind.BUILDINGS: known})
        assert (report.best, report.confident) == (datum, True)

    def test_footprints_against_footprints(self, town, datum):
        report = detect(Kind.BUILDINGS, shifted(town["buildings"], datum), {Kind.BUILDINGS: town["buildings"]})
        assert (report.best, report.confident) == (datum, True)

    def test_roads_against_roads(self, town, datum):
        report = detect(Kind.BARRIERS, shifted(town["roads"], datum), {Kind.BARRIERS: town["roads"]})
        assert (report.best, report.confident) == (datum, True)

    def test_grids_against_regions_by_their_borders(self, town, datum):
        west, south, east, north = shapely.bounds(town["regions"]).T
        middle = (west + east) / 2
        grids = np.concatenate([shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)])
        report = detect(Kind.GRIDS, shifted(grids, datum), {Kind.REGIONS: shapely.segmentize(town["regions"], 0.001)})
        assert (report.best, report.confident) == (datum, True)

    def test_points_against_community_borders_only(self, town, datum):
        report = detect(Kind.BUILDINGS, shifted(town["points"], datum), {Kind.REGIONS: town["regions"]})
        assert (report.best, report.confident) == (datum, True)
        assert report.code == "DATUM_REGIONS"
        assert report.hypotheses[0].outside is not None

    def test_roads_against_community_borders_only(self, town, datum):
        report = detect(Kind.BARRIERS, shifted(town["roads"], datum), {Kind.REGIONS: town["regions"]})
        assert (report.best, report.confident, report.code) == (datum, True, "DATUM_REGIONS")

    def test_nothing_trusted_is_never_confident(self, town, datum):
        report = detect(Kind.BUILDINGS, shifted(town["points"], datum), {})
        assert not report.confident
        assert "无法判断" in report.sentence("zh")


def test_numbers_are_the_true_offsets(town):
    sparse = town["points"][:40]
    moved = shifted(sparse, "GCJ02")
    report = detect(Kind.BUILDINGS, moved, {Kind.BUILDINGS: sparse})
    as_is = next(h for h in report.hypotheses if h.datum == "CGCS2000")
    shapes = shapely.STRtree(to_metric(sparse, LON0))
    _, oracle = shapes.query_nearest(to_metric(moved, LON0), return_distance=True)
    assert as_is.median_offset_m == pytest.approx(np.median(oracle))
    assert next(h for h in report.hypotheses if h.datum == "GCJ02").median_offset_m < 0.001
    assert f"按原样 {round(as_is.median_offset_m)} 米，若为 GCJ-02 0 米" in report.sentence("zh")
    assert "m if GCJ-02" in report.sentence("en")


def test_borders_that_everything_falls_well_inside_decide_nothing(town):
    inner = town["points"][:200]
    west, south, east, north = shapely.total_bounds(inner)
    wide = np.array([shapely.box(west - 0.1, south - 0.1, east + 0.1, north + 0.1)])
    report = detect(Kind.BUILDINGS, shifted(inner, "GCJ02"), {Kind.REGIONS: wide})
    assert not report.confident
    assert "请确认" in report.sentence("zh")


def test_borders_a_little_off_decide_nothing(town):
    """Buildings along an eastern border drawn 40 m too far west: undoing GCJ-02 would bring them all inside."""
    metric = to_metric(town["points"], LON0)
    x, y = shapely.get_x(metric), shapely.get_y(metric)
    near = town["points"][(x > x.max() - 300) & (y < y.max() - 1_000)]
    whole = shapely.union_all(to_metric(town["regions"], LON0))
    _, south, east, north = whole.bounds
    border = to_lonlat(np.array([shapely.box(east - 1_000, south, east - 40, north)]), LON0)
    report = detect(Kind.BUILDINGS, near, {Kind.REGIONS: border})
    assert not report.confident or report.best == "CGCS2000"


def test_a_trusted_layer_of_another_town_decides_nothing(town):
    elsewhere = shapely.transform(town["buildings"], lambda c: c + 0.1)
    assert not detect(Kind.BUILDINGS, town["points"], {Kind.BUILDINGS: elsewhere}).confident


def test_few_places_are_not_enough(town):
    assert not detect(Kind.BUILDINGS, town["points"][:20], {Kind.BUILDINGS: town["buildings"]}).confident


def test_layers_that_contradict_make_it_unsure(town):
    moved = shifted(town["points"], "GCJ02")
    trusted = {Kind.BUILDINGS: town["buildings"], Kind.REGIONS: shifted(town["regions"], "GCJ02")}
    assert not detect(Kind.BUILDINGS, moved, trusted).confident


def test_outliers_do_not_decide(town):
    points = shifted(town["points"], "GCJ02")
    points[: len(points) // 5] = shapely.Point(114.9, 30.1)
    report = detect(Kind.BUILDINGS, points, {Kind.BUILDINGS: town["buildings"]})
    assert (report.best, report.confident) == ("GCJ02", True)


def test_outside_china_no_shift_applies():
    houston = shapely.points(np.random.default_rng(1).uniform([-95.5, 29.6], [-95.3, 29.8], (100, 2)))
    report = detect(Kind.CASES, houston, {})
    assert (report.best, report.confident, report.code) == ("CGCS2000", True, "DATUM_ABROAD")
    assert report.sentence("en")


def test_empty_missing_and_zero_geometries_are_left_aside(town):
    points = np.array([None, shapely.Point(), shapely.Point(0, 0), *town["points"][:100]], dtype=object)
    assert detect(Kind.BUILDINGS, points, {Kind.BUILDINGS: town["buildings"]}).confident
    assert detect(Kind.BUILDINGS, points[:3], {Kind.BUILDINGS: town["buildings"]}).code == "DATUM_NO_EVIDENCE"
