"""Local metric CRS, recognition of declared, undeclared and wrongly declared coordinates, and the way to EPSG:4490."""

import math

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.crs import (
    local_metric_crs,
    middle_lon,
    recognise,
    stored_transformer,
    to_lonlat,
    to_metric,
    to_stored,
    unshift,
)
from geodata.errors import GeodataError
from geodata.gcj02 import wgs84_to_gcj02

SHANGHAI = np.random.default_rng(7).uniform([121.40, 31.20], [121.60, 31.30], (300, 2))
EXTENT = (121.3, 31.1, 121.7, 31.4)


def bounds_of(xy):
    return (*xy.min(axis=0), *xy.max(axis=0))


def projected(epsg):
    transformer = pyproj.Transformer.from_crs(4490, epsg, always_xy=True)
    return np.column_stack(transformer.transform(*SHANGHAI.T))


def best(declared, xy, trusted=None):
    return recognise(declared, bounds_of(xy), xy, trusted)[0]


@pytest.mark.parametrize(("lon", "epsg"), [(75.0, 4534), (120.0, 4549), (121.49, 4549), (121.51, 4550), (135.0, 4554)])
def test_zone_in_china_is_the_epsg_one(lon, epsg):
    assert local_metric_crs(lon).to_epsg() == epsg


@pytest.mark.parametrize("lon", [-95.4, 139.8, 0.0, 12.5])
def test_zone_elsewhere_is_the_same_projection_by_hand(lon):
    point = np.array([[lon, 38.0]])
    meridian = round(lon / 3) * 3
    oracle = pyproj.Transformer.from_crs(
        "EPSG:4490", f"+proj=tmerc +lon_0={meridian} +x_0=500000 +ellps=GRS80", always_xy=True
    ).transform(lon, 38.0)
    assert np.allclose(to_metric(point), [oracle], atol=1e-6)


def test_metres_are_metres():
    geod = pyproj.Geod(ellps="GRS80")
    a, b = (120.0, 31.0), (120.001, 31.0005)
    metric = to_metric(np.array([a, b]))
    assert math.dist(*metric) == pytest.approx(geod.inv(*a, *b)[2], rel=1e-6)


def test_round_trip_of_geometry_arrays_and_single_geometries():
    boxes = shapely.box(*SHANGHAI.T, *(SHANGHAI + 0.001).T)
    lon0 = middle_lon(boxes)
    back = to_lonlat(to_metric(boxes), lon0)
    assert np.abs(shapely.get_coordinates(back) - shapely.get_coordinates(boxes)).max() < 1e-11
    assert to_metric(shapely.Point(121.0, 31.0)).geom_type == "Point"


def test_missing_geometries_stay_missing():
    moved = to_metric(np.array([shapely.Point(121, 31), None], dtype=object))
    assert moved[1] is None


def test_nothing_to_place_is_a_coded_error():
    with pytest.raises(GeodataError, match="no usable coordinate") as caught:
        middle_lon(np.array([None], dtype=object))
    assert caught.value.code == "CRS_NOTHING_TO_PLACE"


def test_esri_spelling_of_cgcs2000_and_wgs84_needs_no_transformation():
    for epsg in (4490, 4326):
        assert stored_transformer(pyproj.CRS(epsg).to_wkt("WKT1_ESRI")) is None


def test_unreadable_declaration():
    with pytest.raises(GeodataError) as caught:
        recognise("LOCAL_NONSENSE[", (0, 0, 1, 1), [[1, 1]])
    assert caught.value.code == "CRS_UNREADABLE"
    assert "无法识别" in caught.value.sentence("zh")


@pytest.mark.parametrize(
    ("declared", "xy", "trusted", "code", "crs", "swapped"),
    [
        ("EPSG:4326", SHANGHAI, None, "CRS_DECLARED", "EPSG:4326", False),
        (None, SHANGHAI, None, "CRS_DEGREES", "EPSG:4490", False),
        (None, SHANGHAI[:, ::-1], None, "CRS_DEGREES", "EPSG:4490", True),
        ("EPSG:4326", SHANGHAI[:, ::-1], None, "CRS_DECLARED", "EPSG:4326", True),
        ("EPSG:4326", projected(4528), None, "CRS_ZONE_PREFIXED", "EPSG:4528", False),
        (None, projected(4528)[:, ::-1], None, "CRS_ZONE_PREFIXED", "EPSG:4528", True),
        (None, projected(4499), None, "CRS_ZONE_PREFIXED", "EPSG:4499", False),
        (None, projected(4549), EXTENT, "CRS_ZONE_PLAIN", "EPSG:4549", False),
        (None, projected(4549)[:, ::-1], EXTENT, "CRS_ZONE_PLAIN", "EPSG:4549", True),
        ("EPSG:4549", SHANGHAI, None, "CRS_DEGREES", "EPSG:4490", False),
        (None, projected(3857), None, "CRS_WEB_MERCATOR", "EPSG:3857", False),
        ("EPSG:4548", projected(4528), None, "CRS_ZONE_PREFIXED", "EPSG:4528", False),
    ],
)
def test_recognised(declared, xy, trusted, code, crs, swapped):
    guess = best(declared, xy, trusted)
    assert (guess.code, guess.crs, guess.swapped) == (code, crs, swapped)
    assert np.abs(to_stored(np.asarray(xy), guess) - SHANGHAI).max() < 1e-8
    for locale in ("zh", "en"):
        assert guess.sentence(locale)


def test_declared_metres_that_are_metres():
    guess = best(pyproj.CRS(4549).to_wkt(), projected(4549))
    assert guess.code == "CRS_DECLARED"
    assert guess.epsg == 4549


def test_conflict_with_the_declaration_is_said():
    assert "CRS_METRES_FOR_DEGREES" in best("EPSG:4326", projected(4528)).notes
    assert "CRS_DEGREES_FOR_METRES" in best("EPSG:4549", SHANGHAI).notes


def test_zones_without_prefix_and_without_trusted_data_stay_open():
    guesses = recognise(None, bounds_of(projected(4549)), projected(4549))
    same = [g for g in guesses if g.plausibility == guesses[0].plausibility]
    assert len(same) > 10
    assert "EPSG:4549" in {g.crs for g in same}


def test_old_datums_are_offered_below_cgcs2000_with_a_warning():
    guesses = recognise(None, bounds_of(projected(4528)), projected(4528))
    assert [g.crs for g in guesses[:3]] == ["EPSG:4528", "EPSG:2364", "EPSG:2416"]
    assert "CRS_OLD_DATUM" in guesses[1].notes


def packed(degrees):
    whole = np.floor(degrees)
    minutes = np.floor((degrees - whole) * 60)
    seconds = np.round((degrees - whole - minutes / 60) * 3600, 2)
    return whole + minutes / 100 + seconds / 10_000


@pytest.mark.parametrize(("factor", "packing"), [(1, "ddd.mmss"), (10_000, "dddmmss")])
def test_degrees_minutes_seconds(factor, packing):
    xy = np.round(packed(SHANGHAI) * factor, 6)
    guess = best(None, xy)
    assert guess.packing == packing
    assert np.abs(to_stored(xy, guess) - SHANGHAI).max() * 111_000 < 0.5  # hundredths of a second are 0.3 m


def test_decimal_degrees_are_not_taken_for_minutes():
    assert all(g.packing == "" for g in recognise(None, bounds_of(SHANGHAI), SHANGHAI))


def test_few_points_of_minutes_are_not_enough():
    xy = np.array([[121.3012, 31.1234], [121.3112, 31.1134]])
    assert best(None, xy).packing == ""


def test_zeros_and_blanks_do_not_mislead():
    xy = np.vstack([projected(4528), np.zeros((200, 2)), np.full((50, 2), np.nan)])
    assert best(None, xy).crs == "EPSG:4528"


def test_empty_sample_falls_back_to_the_bounds_and_to_nothing():
    assert recognise(None, (121.4, 31.2, 121.6, 31.3), np.empty((0, 2)))[0].code == "CRS_DEGREES"
    assert recognise(None, (math.nan,) * 4, np.empty((0, 2))) == []


def test_datum_is_undone_on_the_way_in():
    shifted = np.column_stack(wgs84_to_gcj02(*SHANGHAI.T))
    guess = best("EPSG:4326", shifted)
    points = to_stored(shapely.points(shifted), guess, "GCJ02")
    assert np.abs(shapely.get_coordinates(points) - SHANGHAI).max() * 111_000 < 1e-6
    assert np.abs(unshift(shifted, "GCJ02") - SHANGHAI).max() * 111_000 < 1e-6
    assert unshift(shifted, "CGCS2000") is shifted


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 2), max_size=40),
    st.sampled_from([None, "EPSG:4326", "EPSG:4549", "EPSG:3857"]),
    st.booleans(),
)
def test_whatever_the_numbers_nothing_is_raised(points, declared, with_trusted):
    xy = np.array(points, dtype=float).reshape(-1, 2)
    guesses = recognise(declared, (math.nan,) * 4, xy, EXTENT if with_trusted else None)
    assert all(0 <= g.plausibility <= 1 and g.sentence("zh") and g.sentence("en") for g in guesses)
    assert [g.plausibility for g in guesses] == sorted((g.plausibility for g in guesses), reverse=True)


@settings(max_examples=40, deadline=None)
@given(st.floats(75, 134), st.floats(18, 53), st.booleans(), st.integers(0, 2**32 - 1))
def test_prefixed_zones_are_read_back_anywhere_in_china(lon, lat, swapped, seed):
    lonlat = np.random.default_rng(seed).normal([lon, lat], 0.05, (60, 2))
    zone = round(lon / 3)
    metres = np.column_stack(pyproj.Transformer.from_crs(4490, 4513 + zone - 25, always_xy=True).transform(*lonlat.T))
    guess = best(None, metres[:, ::-1] if swapped else metres)
    assert guess.swapped == swapped
    assert guess.crs == f"EPSG:{4513 + zone - 25}"
    assert np.abs(to_stored(metres[:, ::-1] if swapped else metres, guess) - lonlat).max() < 1e-8
