"""GCJ-02 and BD-09: inverses under 1 cm over all China, against an independent scalar reading of the formula."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata import gcj02

M_PER_DEG = 111_320.0
lon_in_china = st.floats(73.5, 135.1)
lat_in_china = st.floats(3.8, 53.6)


def scalar_gcj02(lon, lat):
    """The published community formula (eviltransform), written out with ``math`` as the oracle."""
    x, y = lon - 105.0, lat - 35.0
    a, ee, pi = 6378245.0, 0.00669342162296594323, math.pi
    d_lat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    d_lat += (20 * math.sin(6 * x * pi) + 20 * math.sin(2 * x * pi)) * 2 / 3
    d_lat += (20 * math.sin(y * pi) + 40 * math.sin(y / 3 * pi)) * 2 / 3
    d_lat += (160 * math.sin(y / 12 * pi) + 320 * math.sin(y * pi / 30)) * 2 / 3
    d_lon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    d_lon += (20 * math.sin(6 * x * pi) + 20 * math.sin(2 * x * pi)) * 2 / 3
    d_lon += (20 * math.sin(x * pi) + 40 * math.sin(x / 3 * pi)) * 2 / 3
    d_lon += (150 * math.sin(x / 12 * pi) + 300 * math.sin(x / 30 * pi)) * 2 / 3
    magic = 1 - ee * math.sin(math.radians(lat)) ** 2
    d_lat = d_lat * 180 / (a * (1 - ee) / (magic * math.sqrt(magic)) * pi)
    d_lon = d_lon * 180 / (a / math.sqrt(magic) * math.cos(math.radians(lat)) * pi)
    return lon + d_lon, lat + d_lat


def scalar_bd09(lon, lat):
    z = math.sqrt(lon * lon + lat * lat) + 0.00002 * math.sin(lat * math.pi * 3000 / 180)
    theta = math.atan2(lat, lon) + 0.000003 * math.cos(lon * math.pi * 3000 / 180)
    return z * math.cos(theta) + 0.0065, z * math.sin(theta) + 0.006


def error_m(found, lon, lat):
    return float(np.hypot(found[0] - lon, found[1] - lat)) * M_PER_DEG


@given(lon_in_china, lat_in_china)
def test_forward_agrees_with_the_scalar_formula(lon, lat):
    gcj = scalar_gcj02(lon, lat)
    assert error_m(gcj02.wgs84_to_gcj02(lon, lat), *gcj) < 1e-6
    assert error_m(gcj02.wgs84_to_bd09(lon, lat), *scalar_bd09(*gcj)) < 1e-6


@given(lon_in_china, lat_in_china)
def test_inverses_come_home_within_a_centimetre(lon, lat):
    assert error_m(gcj02.gcj02_to_wgs84(*gcj02.wgs84_to_gcj02(lon, lat)), lon, lat) < 0.01
    assert error_m(gcj02.bd09_to_wgs84(*gcj02.wgs84_to_bd09(lon, lat)), lon, lat) < 0.01


def test_inverse_over_a_dense_mesh_of_china_reaches_the_last_place():
    lon, lat = (axis.ravel() for axis in np.meshgrid(np.linspace(73.4, 135.2, 400), np.linspace(3.5, 53.7, 400)))
    for there, back in (
        (gcj02.wgs84_to_gcj02, gcj02.gcj02_to_wgs84),
        (gcj02.wgs84_to_bd09, gcj02.bd09_to_wgs84),
    ):
        found = back(*there(lon, lat))
        assert np.hypot(found[0] - lon, found[1] - lat).max() * M_PER_DEG < 1e-7
        again = there(*found)
        assert np.hypot(again[0] - there(lon, lat)[0], again[1] - there(lon, lat)[1]).max() * M_PER_DEG < 1e-7


def test_shifts_have_the_size_the_field_knows():
    lon, lat = (axis.ravel() for axis in np.meshgrid(np.linspace(74, 135, 200), np.linspace(18, 53, 200)))
    for there, low, high in ((gcj02.wgs84_to_gcj02, 20, 720), (gcj02.wgs84_to_bd09, 650, 1_550)):
        moved = there(lon, lat)
        metres = np.hypot((moved[0] - lon) * np.cos(np.radians(lat)), moved[1] - lat) * M_PER_DEG
        assert low < metres.min() < metres.max() < high


@given(st.floats(-180, 180), st.floats(-89, 89))
def test_outside_the_box_nothing_moves(lon, lat):
    if gcj02.inside_shifted_box(np.float64(lon), np.float64(lat)):
        return
    for shift in (gcj02.wgs84_to_gcj02, gcj02.wgs84_to_bd09):
        assert error_m(shift(lon, lat), lon, lat) == 0


@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3)])
def test_shapes_are_kept_and_nan_stays(shape):
    lon = np.full(shape, 121.5)
    for shift in (gcj02.wgs84_to_gcj02, gcj02.gcj02_to_wgs84, gcj02.wgs84_to_bd09, gcj02.bd09_to_wgs84):
        assert shift(lon, lon - 90)[0].shape == shape
    found = gcj02.bd09_to_wgs84([121.5, np.nan], [31.2, np.nan])
    assert np.isfinite(found[0][0])
    assert np.isnan(found[0][1])
