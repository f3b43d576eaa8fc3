"""A layer of polygons says what GEOS says of the same shapes, whatever their form and wherever the window cuts them."""

from __future__ import annotations

import struct
from math import log, pi, radians, tan

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geodata.mvt import EXTENT, polygons
from geodata.mvt.layer import _frame, commands
from tests.vector_tile import area2, layers

AT = (14, 13215, 6990)
BUFFER = 64
WINDOW = shapely.box(-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER)
_TYPES = {int: (20, ">q"), bool: (16, ">?"), float: (701, ">d")}


def record(*fields: object) -> bytes:
    """A row as ``record_send`` writes it; the shape comes last."""
    told = struct.pack(">i", len(fields))
    for one in fields:
        if one is None:
            told += struct.pack(">Ii", 25, -1)
        elif isinstance(one, str):
            told += struct.pack(">Ii", 25, len(one.encode())) + one.encode()
        elif isinstance(one, bytes):
            told += struct.pack(">Ii", 17, len(one)) + one
        else:
            oid, form = _TYPES[type(one)]
            told += struct.pack(">Ii", oid, struct.calcsize(form)) + struct.pack(form, one)
    return told


def placed(shape: object) -> bytes:
    """A shape in steps of the tile, as lon/lat in EWKB."""
    z, x, y = AT

    def lonlat(steps: np.ndarray) -> np.ndarray:
        across, down = (steps / EXTENT + (x, y)).T / (1 << z)
        return np.column_stack([across * 360 - 180, np.degrees(np.arctan(np.sinh(pi * (1 - 2 * down))))])

    return shapely.to_wkb(shapely.set_srid(shapely.transform(shape, lonlat), 4490), byte_order=1, include_srid=True)


def found(*shapes: object) -> list:
    tile = polygons("toys", ("n",), b"".join(record(k, placed(one)) for k, one in enumerate(shapes)), AT, buffer=BUFFER)
    return layers(tile)["toys"] if tile else []


def hard(shape: object) -> bool:
    data = placed(shape)
    where = np.array([[0, len(data)]])
    return bool(commands(np.frombuffer(data, np.uint8), where, _frame(*AT), -BUFFER, EXTENT + BUFFER)[2][0])


def sized(shape: object) -> float:
    """How much an area may be off where every corner is off by a step's diagonal at most."""
    return shapely.length(shape) * 1.5 + 4 * shapely.get_num_coordinates(shape) + 4


def check(shape: object) -> None:
    """Valid, wound as the specification says, within the window, and the shape cut at it but for rounding."""
    wanted = shapely.intersection(shape, WINDOW)
    told = found(shape)
    if not told:
        assert shapely.area(wanted) <= sized(wanted)
        return
    [one] = told
    got = one.shape()
    assert shapely.is_valid(got), shapely.is_valid_reason(got)
    assert area2(one.rings[0]) > 0
    assert shapely.covers(WINDOW, got)
    assert shapely.area(shapely.symmetric_difference(got, wanted)) <= sized(wanted)


def star(x: float, y: float, radii: list[float], hole: float) -> shapely.Polygon:
    """A ring around a point, seen wholly from it, with a like hole of a part of its size."""
    angles = np.linspace(0, 2 * pi, len(radii), endpoint=False)
    ring = np.column_stack([np.cos(angles), np.sin(angles)]) * np.array(radii)[:, None]
    holes = [ring[::-1] * hole + np.array([x, y])] if hole else []
    return shapely.Polygon(ring + np.array([x, y]), holes)


place = st.floats(-3000, 7000)
stars = st.builds(
    star,
    place,
    place,
    st.lists(st.floats(2, 4000), min_size=3, max_size=40),
    st.sampled_from([0.0, 0.0, 0.3, 0.8, 0.97]),
)


@settings(max_examples=400, deadline=None)
@given(stars)
@example(shapely.box(-9000, -9000, 9000, 9000))  # the window lies within it
@example(shapely.box(-9000, -9000, 9000, 9000).difference(shapely.box(-5000, -5000, 8000, 8000)))  # within its hole
@example(shapely.box(-9000, -9000, 9000, 9000).difference(shapely.box(100, 100, 200, 200)))
@example(shapely.box(-9000, -9000, 9000, 9000).difference(shapely.box(100, 100, 200, 9500)))  # its hole is cut
@example(shapely.box(-64, -64, 4160, 4160))  # the window itself
@example(shapely.box(-64, 100, 50, 200))  # leans on its border
@example(shapely.box(-200, 100, -64, 200))  # leans on it from outside
@example(shapely.box(100, 100, 100.2, 3000))  # vanishes by rounding
@example(shapely.Polygon([(-64, -64), (300, 10), (10, 300)]))  # touches a corner
@example(shapely.Polygon([(-500, 200), (-64, 100), (200, 100), (200, 300), (-64, 300)]))
@example(shapely.Polygon([(0, 0), (4000, 0), (4000, 4000), (2000, 0.3), (0, 4000)]))  # a valley down to the floor
@example(
    shapely.Polygon(
        [(100, -500), (3000, -500), (3000, 500), (2900, 500), (2900, -300), (200, -300), (200, 500), (100, 500)]
    )
)
@example(shapely.Polygon([(-100, 0), (0, 0), (0, 100), (-100, 100)], [[(-90, 50), (-50, 10), (-50, 90)]]))
def test_a_polygon_is_cut_as_geos_cuts_it(shape: shapely.Polygon) -> None:
    if shapely.is_valid(shape):
        check(shape)


@settings(max_examples=150, deadline=None)
@given(st.lists(stars, min_size=2, max_size=4))
def test_many_parts_are_cut_as_geos_cuts_them(shapes: list[shapely.Polygon]) -> None:
    whole = shapely.union_all([one for one in shapes if shapely.is_valid(one)])
    if whole.geom_type in ("Polygon", "MultiPolygon"):
        check(whole)


def test_what_rounding_leaves_tangled_is_worked_out() -> None:
    valley = shapely.Polygon([(0, 0), (4000, 0), (4000, 4000), (2000, 0.3), (0, 4000)])
    comb = shapely.Polygon([*((10 * k, 0.4 if k % 4 < 2 else 300.0) for k in range(100)), (990, 0), (0, 0)])
    for one in (valley, comb):
        assert hard(one)
        check(one)
    assert not hard(shapely.box(0, 0, 10, 10))


def test_values_are_told_once_and_nulls_are_left_out() -> None:
    wkb = placed(shapely.box(0, 0, 100, 100))
    rows = [
        (7, "a", True, 1.5),
        (-7, "七", False, 1.5),
        (None, None, None, None),
        (7, "a", True, 0.0),
        (1 << 40, "", True, -1.0),
    ]
    tile = polygons("toys", ("n", "t", "b", "r"), b"".join(record(*one, wkb) for one in rows), AT, buffer=0)
    told = [one.tags for one in layers(tile)["toys"]]
    assert told == [{k: v for k, v in zip("ntbr", row, strict=True) if v is not None} for row in rows]


def test_rows_without_a_shape_in_the_tile_are_no_features() -> None:
    far, near = placed(shapely.box(9000, 9000, 9100, 9100)), placed(shapely.box(0, 0, 100, 100))
    tile = polygons("toys", ("n",), record(1, far) + record(2, near) + record(3, None), AT, buffer=BUFFER)
    assert [one.tags for one in layers(tile)["toys"]] == [{"n": 2}]
    assert (
        polygons("toys", ("n",), record(1, far), AT, buffer=BUFFER)
        == polygons("toys", ("n",), b"", AT, buffer=0)
        == b""
    )


def test_a_type_that_tiles_do_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="toys"):
        polygons("toys", ("n",), record(b"\x01", placed(shapely.box(0, 0, 9, 9))), AT, buffer=0)


@pytest.mark.parametrize("z", [0, 5, 14, 22])
def test_the_way_to_steps_is_that_of_web_mercator(z: int) -> None:
    """The series about the middle of a tile and the formula far from it are both right to a hundredth of a step."""
    lon, lat = 113.2, 34.7
    x = int((lon + 180) / 360 * (1 << z))
    y = int((1 - log(tan(radians(lat)) + 1 / np.cos(radians(lat))) / pi) / 2 * (1 << z))
    size = 360 / (1 << z)
    for step in (0.0, 0.1, 0.4):
        west, south = lon + step * size * 0.1, lat + step * size * 0.1
        if south + size / 50 > 85:
            continue
        box = shapely.to_wkb(shapely.box(west, south, west + size / 50, south + size / 50), byte_order=1)
        [one] = layers(polygons("toys", (), record(box), (z, x, y), buffer=1 << 14))["toys"]
        steps = [
            ((a + 180) / 360 * (1 << z) - x, (1 - np.arcsinh(tan(radians(b))) / pi) / 2 * (1 << z) - y)
            for a in (west, west + size / 50)
            for b in (south, south + size / 50)
        ]
        wanted = np.array(sorted(steps)) * EXTENT
        assert np.abs(np.array(sorted(one.rings[0])) - wanted).max() <= 0.51
