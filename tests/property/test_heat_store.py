"""A heat store counts exactly what its cases say, whatever is asked of it, and takes no folder that is not whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from geodata.heat import (
    QUARTER_S,
    Cases,
    Choice,
    Store,
    StoreError,
    Tail,
    Wanted,
    bins_of,
    build,
    calendar,
    fine,
    layout,
    quarters,
)
from geodata.heat.lattice import FINEST, column_at, double, latitude, longitude, ordinal, row_at, squares
from geodata.incidents.periods import histogram

NAMES = ("road", "noise", "water", "dispute", "light")
REGIONS = (11, 12, 15)
WEST, SOUTH, EAST, NORTH = 120.0, 30.1, 120.3, 30.3
DAY = 86_400_000_000
BEGIN, END = 1_600_000_000_000_000, 1_600_000_000_000_000 + 900 * DAY


def some_cases(n: int, seed: int = 0) -> Cases:
    """Clusters, one stacked address, points and times on edges, a few at the ends of the world."""
    rng = np.random.default_rng(seed)
    centre = rng.random((8, 2)) * (EAST - WEST, NORTH - SOUTH) + (WEST, SOUTH)
    xy = centre[rng.integers(0, 8, n)] + rng.normal(0, 0.01, (n, 2))
    xy[: n // 10] = (120.123456789, 30.2)
    edge = slice(n // 10, n // 5)
    columns, rows = squares(*xy[edge].T.copy(), 19)
    xy[edge] = [(longitude(c, 19), latitude(r, 19)) for c, r in zip(columns, rows, strict=True)]
    xy[-6:] = [(-180, -90), (180, 90), (0, 0), (-0.0, 1e-300), (179.9999, 85.0512), (-179.9, -85.0512)]
    at = rng.integers(BEGIN, END, n)
    at[::2] = at[::2] // 1_000_000 * 1_000_000
    at[::5] = at[::5] // DAY * DAY
    at[-1] = 0
    category = np.minimum(rng.geometric(0.4, n) - 1, len(NAMES) - 1)
    unit = rng.integers(0, 40, n) * 1_000_000_007  # 0: in no unit
    return Cases(*xy.T.copy(), at, category, rng.integers(0, len(REGIONS), n), NAMES, REGIONS, unit)


@pytest.fixture(scope="module")
def cases() -> Cases:
    return some_cases(30_000)


@pytest.fixture(scope="module")
def stores(cases: Cases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    """The same cases in fine cells, and in coarse ones with many periods and a cube that wraps around."""
    place = tmp_path_factory.mktemp("heat")
    build(cases, place / "fine", {"of": "test"}, _apart(cases))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "CUBE_BYTES_MIN", 40_000)
        patch.setattr(layout, "CASES_PER_PERIOD", 1000)
        patch.setattr(layout, "_WRAP", 64)
        build(cases, place / "coarse", {}, _apart(cases))
    opened = [Store.open(place / name) for name in ("fine", "coarse")]
    assert opened[0].columns.level > opened[1].columns.level
    yield opened


def asked(draw: Any, cases: Cases) -> Wanted:
    level = draw(st.integers(10, 22))
    west, east = sorted(_side(draw, cases.x, level, longitude, column_at) for _ in range(2))
    south, north = sorted(_side(draw, cases.y, level, latitude, row_at) for _ in range(2))
    if west == east:
        east = np.nextafter(east, 200)
    if south == north:
        north = np.nextafter(north, 100)
    span = sorted(_moment(draw, cases) for _ in range(2))
    chosen = draw(st.none() | st.sets(st.sampled_from((*NAMES, "unknown"))))
    homes = draw(st.none() | st.sets(st.sampled_from((*REGIONS, 99))))
    since, until = (None if draw(st.integers(0, 4)) == 0 else one for one in span)
    while (column_at(east, level) - column_at(west, level)) * (row_at(south, level) - row_at(north, level)) > 1 << 16:
        level -= 1
    return Wanted((west, south, east, north), level, since, until, chosen, homes)


def _moment(draw: Any, cases: Cases) -> int:
    """Anywhere, or within a microsecond of a case."""
    if draw(st.booleans()):
        return int(draw(st.integers(BEGIN - DAY, END + DAY)))
    return int(draw(st.sampled_from(cases.at[:200].tolist()))) + int(draw(st.sampled_from((-1, 0, 1))))


def _side(draw: Any, values: Any, level: int, edge: Any, at: Any) -> float:
    """Anywhere near, exactly at a case, or at the edge of its bin."""
    value = float(values[draw(st.integers(0, len(values) - 1))])
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return value
    if kind == 1:
        return float(edge(at(value, level), level))
    return value + draw(st.floats(-0.02, 0.02))


def same(found: Any, told: Any) -> bool:
    return (found.level, found.column, found.row) == (told.level, told.column, told.row) and np.array_equal(
        found.counts, told.counts
    )


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_view_is_counted_exactly(cases: Cases, stores: list[Store], data: st.DataObject) -> None:
    wanted = asked(data.draw, cases)
    told = bins_of(cases, wanted)
    for store in stores:
        assert same(store.bins(wanted), told)
        with pytest.MonkeyPatch.context() as patch:  # by two threads, however few there are
            patch.setattr(fine, "_ALONE", 0)
            patch.setattr(fine, "_CORES", 2)
            assert same(store.bins(wanted), told)


def test_the_whole_world_has_every_case_within_it(cases: Cases, stores: list[Store]) -> None:
    for store in stores:
        assert store.bins(Wanted((-180, -90, 180, 90), 3)).total == len(cases) - 1  # 180 and 90 belong to no view
        assert store.bins(Wanted((WEST, SOUTH, EAST, NORTH), 12)).total > 20_000


def test_a_store_gives_back_what_it_was_given(cases: Cases, stores: list[Store]) -> None:
    def table(of: Cases) -> Any:
        columns = (of.x, of.y, of.at, of.category, of.region, of.units)
        rows = np.rec.fromarrays(columns, names="x,y,at,category,region,unit")
        return np.sort(rows, order=("at", "x", "y", "category", "region", "unit"))

    for store in stores:
        assert np.array_equal(table(store.all()), table(cases))
        assert np.array_equal(table(store.apart()), table(_rows(cases, np.flatnonzero(_apart(cases)))))


@given(st.floats(-180, 180), st.floats(-85, 85), st.integers(1, FINEST))
@example(0.0, 0.0, FINEST)
@example(-180.0, 0.0, 5)
def test_squares_are_half_open_and_nest(x: float, y: float, q: int) -> None:
    column, row = column_at(x, q), row_at(y, q)
    assert longitude(column, q) <= x and (x < longitude(column + 1, q) or x == 180)
    assert latitude(row + 1, q) <= y < latitude(row, q)
    assert (column_at(x, FINEST) >> (FINEST - q), row_at(y, FINEST) >> (FINEST - q)) == (column, row)
    assert double(ordinal(x)) == x


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_tail_adds_what_came_and_takes_what_went(cases: Cases, stores: list[Store], data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    came, gone = some_cases(500, seed=int(rng.integers(1, 99))), rng.choice(len(cases), 300, replace=False)
    wanted = asked(data.draw, cases)
    went = _rows(cases, gone)
    tail = Tail.of(came, np.ones(500)).joined(Tail.of(went, -np.ones(300)))
    bins = stores[0].bins(wanted)
    tail.add(bins, wanted)
    expected = bins_of(cases, wanted).counts + bins_of(came, wanted).counts - bins_of(went, wanted).counts
    assert np.array_equal(bins.counts, expected)


def _rows(cases: Cases, rows: Any) -> Cases:
    x, y, at, category, region, unit = (
        one[rows] for one in (cases.x, cases.y, cases.at, cases.category, cases.region, cases.units)
    )
    return Cases(x, y, at, category, region, cases.categories, cases.regions, unit)


def _apart(cases: Cases) -> Any:
    return np.asarray(cases.x == 120.123456789)


def chosen(draw: Any, cases: Cases) -> Choice:
    """As :func:`asked`, wherever; from 1972 on, where tables of quarters begin."""
    return replace(asked(draw, cases).choice, since=max(draw(st.sampled_from((BEGIN, _moment(draw, cases)))), BEGIN))


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cases_by_unit_and_by_time_with_a_tail(cases: Cases, stores: list[Store], data: st.DataObject) -> None:
    wanted = chosen(data.draw, cases)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    came, gone = some_cases(300, seed=int(rng.integers(1, 99))), rng.choice(len(cases), 200, replace=False)
    tail = Tail.of(came, np.ones(300)).joined(Tail.of(_rows(cases, gone), -np.ones(200)))
    zone = data.draw(st.sampled_from(("Asia/Shanghai", "America/Chicago", "Asia/Kathmandu")))
    slots, months = calendar(BEGIN, END, zone)
    before = _rows(cases, np.flatnonzero(wanted.allows(cases)))
    after = pd.Series(before.units).value_counts()
    for store in stores:
        ids, counts = store.units(wanted)
        assert dict(zip(ids.tolist(), counts.tolist(), strict=True)) == after.to_dict()
        names, table = store.slots(wanted, slots)
        local = pd.DatetimeIndex(before.at.astype("datetime64[us]"), tz="UTC").tz_convert(zone)
        told = np.zeros(table.shape, dtype=np.int64)
        month = [months.index(name) for name in local.strftime("%Y-%m")]
        hour = np.asarray(local.day_of_week) * 24 + np.asarray(local.hour)
        np.add.at(told, (before.category, np.array(month, dtype=np.int64) * 168 + hour), 1)
        assert names == NAMES
        assert np.array_equal(table, told)
    more, fewer = (np.flatnonzero(wanted.allows(one)) for one in (came, _rows(cases, gone)))
    sums = dict(zip(*(one.tolist() for one in tail.units(wanted)), strict=True))
    expected = (
        pd.Series(came.units[more]).value_counts().sub(pd.Series(cases.units[gone][fewer]).value_counts(), fill_value=0)
    )
    assert {unit: n for unit, n in sums.items() if n} == {unit: n for unit, n in expected.items() if n}
    assert sum(one.sum() for one in tail.slots(wanted, slots).values()) == len(more) - len(fewer)


@given(data=st.data())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bars_of_a_histogram(cases: Cases, stores: list[Store], data: st.DataObject) -> None:
    second = 1_000_000
    since = data.draw(st.integers(BEGIN // second, END // second - 2 * 86400))
    until = data.draw(st.integers(since + 1, END // second))
    told = histogram(cases.at // second, since, until)
    slots = quarters(since * second, until * second - 1)
    at = np.maximum(slots.first + np.arange(slots.size) * QUARTER_S, since)
    for store in stores:
        counts = store.slots(Choice(since * second, until * second), slots)[1].sum(axis=0)
        assert np.array_equal(histogram(at, since, until, cases=counts).counts, told.counts)


def test_a_table_of_quarters_says_how_far_it_reaches(cases: Cases, stores: list[Store]) -> None:
    slots, _ = calendar(BEGIN, BEGIN + DAY, "Asia/Shanghai")
    with pytest.raises(ValueError, match="short"):
        stores[0].slots(Choice(BEGIN), slots)
    with pytest.raises(ValueError, match="quarters"):
        calendar(0, END, "Asia/Shanghai")  # 1970


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_cases(tmp_path: Path, n: int) -> None:
    few = _rows(some_cases(20), np.arange(n))
    build(few, tmp_path / "few", {})
    store = Store.open(tmp_path / "few")
    assert store.bins(Wanted((119.0, 30.0, 121.0, 31.0), 14)).total == n
    assert len(store.all()) == n


def test_only_a_whole_folder_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    build(some_cases(2000), folder, {})
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(FileExistsError):
        build(some_cases(10), folder, {})
    for name, content in before.items():
        if name == "odd_xy.npy":
            continue
        path = folder / name
        altered = bytearray(content)
        altered[len(altered) // 2] ^= 1
        for damaged in (content[:-1], content[: len(content) // 2], bytes(altered), b""):
            path.write_bytes(damaged)
            with pytest.raises(StoreError):
                Store.open(folder)
        path.unlink()
        with pytest.raises(StoreError):
            Store.open(folder)
        path.write_bytes(content)
    assert Store.open(folder).cases == 2000
    with pytest.raises(StoreError):
        Store.open(tmp_path / "none")
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


@pytest.mark.parametrize("bounds", [(1.0, 1.0, 1.0, 2.0), (2.0, 1.0, 1.0, 2.0), (100.0, 0.0, 130.0, 60.0)])
def test_a_view_that_is_none_is_refused(stores: list[Store], bounds: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"view|bins"):
        stores[0].bins(Wanted(bounds, 20))


def test_a_cell_of_more_cases_than_two_bytes_count(tmp_path: Path) -> None:
    n = 300_000
    rng = np.random.default_rng(5)
    x = np.where(rng.random(n) < 0.9, 120.1, 120.1 + rng.random(n) * 0.01)
    at = np.sort(rng.integers(BEGIN, END, n))
    stacked = Cases(x, np.full(n, 30.2), at, np.zeros(n, np.int64), np.zeros(n, np.int64), ("road",), (1,))
    build(stacked, tmp_path / "stacked", {})
    store = Store.open(tmp_path / "stacked")
    assert len(store.columns.heavy_segment) == 1
    for wanted in (
        Wanted((120.0, 30.1, 120.3, 30.3), 12),
        Wanted((120.0, 30.1, 120.3, 30.3), 12, int(at[40_000]), int(at[290_000])),
        Wanted((120.0, 30.1, 120.3, 30.3), 16, int(at[100_000]), int(at[200_000])),
        Wanted((120.1, 30.1, 120.3, 30.2), 16),
        Wanted((120.1, 30.2, 120.3, 30.3), 16, int(at[100])),
    ):
        assert same(store.bins(wanted), bins_of(stacked, wanted))
