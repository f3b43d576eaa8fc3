"""Compile every numba kernel once and keep it on disk (``python -m geodata.warm``), so that no user waits for it."""

from __future__ import annotations

import struct
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from geodata.redraw.model import Units

_SIDE = 8
_PACKAGE = Path(__file__).parent


def warm() -> None:
    """Run the kernels on toys so that numba's disk cache holds them."""
    forget_stale()
    _locating()
    _measuring()
    _redrawing()
    heat_up()
    rehearse()
    lay_tiles()


def forget_stale(folder: Path = _PACKAGE) -> int:
    """Delete kernels under ``folder`` compiled before its newest source was written; how many files that were.

    Numba looks at the file of a kernel alone: one that calls another of a file changed since would run the old code.
    """
    newest = max(path.stat().st_mtime for path in folder.rglob("*.py"))
    stale = [path for path in folder.rglob("*.nb[ci]") if path.stat().st_mtime < newest]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)


def _locating() -> None:
    from geodata.counting import count_by_polygon
    from geodata.locate import locate

    squares = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    points = np.array([[0.5, 0.5], [1.0, 0.5]])
    locate(points, squares)
    count_by_polygon(points, np.ones((2, 1)), squares)


def _measuring() -> None:
    from geodata.near import near_masks

    line = np.array([shapely.LineString([(0, 0), (9, 9)])], dtype=object)
    near_masks(np.array([[1.0, 2.0]]), line, np.ones(1, dtype=np.uint8), 1.0)


def _redrawing() -> None:
    """A town of squares: drawn from nothing, mended after one unit grew, re-split exactly, one grid healed, edited."""
    from concurrent.futures import ThreadPoolExecutor
    from dataclasses import replace

    from geodata.redraw.anneal import worth
    from geodata.redraw.engine import redraw
    from geodata.redraw.ground import lay_out
    from geodata.redraw.heal import heal
    from geodata.redraw.measure import tabulate
    from geodata.redraw.model import Band, Instance
    from geodata.redraw.resplit import polish
    from geodata.redraw.state import State
    from geodata.redraw.tally import tally

    units = _squares()
    households, n = units.households, len(units)
    drawn = redraw(Instance.of(units, Band(300, 500)), moves=100_000, seconds=20.0)
    households[0] += 250
    units = replace(units, households=households)
    instance = Instance.of(units, Band(300, 500), start=drawn.plan)
    redraw(instance, moves=100_000, seconds=20.0)
    redraw(instance, moves=100_000, seconds=20.0, first=drawn.plan)  # mended by the search, not by repairs
    grids = tabulate(instance, drawn.plan)
    heal(instance, drawn.plan, int(grids.grid[grids.status > 0][0]))
    alone = int(drawn.plan.max()) + 1
    heal(instance, np.where(np.arange(n) == 0, alone, drawn.plan), alone)  # too small: it takes, or is merged
    state = State(instance, drawn.plan)
    state.move([0], int(drawn.plan[-1]))
    state.undo()
    ground = lay_out(instance)
    with ThreadPoolExecutor(1) as pool:
        slots = int(drawn.plan.max()) + 5
        polish(ground, tally(ground, drawn.plan, slots), worth(slots), sizes=(1, 2, 3), pool=pool)


def _squares() -> Units:
    """A town of 8 x 8 squares of 49 households."""
    from geodata.redraw.model import Borders, Units

    n = _SIDE * _SIDE
    number = np.arange(n).reshape(_SIDE, _SIDE)
    i = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    j = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    xy_m = np.stack(np.divmod(np.arange(n), _SIDE), axis=1) * 100.0
    borders = Borders.plain(i, j, np.full(len(i), 100.0))
    return Units.of(np.full(n, 49), np.full(n, 1e4), np.full(n, 400.0), xy_m, borders, compound=np.arange(n) // 3)


def heat_up() -> None:
    """Lay a few cases out, count them every way and take them back: the kernels of heat maps, half a second if warm."""
    from geodata.heat import Cases, Choice, Store, Tail, Wanted, build, calendar

    with TemporaryDirectory() as folder:
        at = np.arange(100, 104, dtype=np.int64) * 10**12 + 1
        x, kind = 120.0 + np.arange(4) / 100, np.zeros(4, dtype=np.int64)
        cases = Cases(x, x - 90.0, at, kind, kind, ("a", "b"), (1,))
        build(cases, Path(folder) / "store", {}, kind == 0)
        store = Store.open(Path(folder) / "store")
        tail = Tail.of(cases, kind)
        for level in (10, 20):
            for since in (None, int(at[1])):
                wanted = Wanted((119.995, 29.995, 120.025, 30.025), level, since)
                tail.add(store.bins(wanted), wanted)
        store.all()
        store.apart()
        store.units(Choice())
        store.slots(Choice(), calendar(int(at[0]), int(at[-1]), "UTC")[0])


def rehearse() -> None:
    """Load the kernels that suggestions to an editor run: a second in a new process, once :func:`warm` was run."""
    from geodata.redraw.explain import explain
    from geodata.redraw.fill import fill
    from geodata.redraw.heal import heal
    from geodata.redraw.model import Band, Instance
    from geodata.redraw.parting import part_in_two

    n = _SIDE * _SIDE
    plan = np.arange(n) // _SIDE
    plan[:2] = 1  # six squares and ten of 49: one too few, one too many
    instance = Instance.of(_squares(), Band(300, 450), start=plan)
    explain(instance, plan, repairs=True, budget_s=0.1)
    heal(instance, plan, 0)
    part_in_two(instance, plan, 1)
    fill(instance, np.where(np.arange(n) % 5 == 0, -1, plan))


def lay_tiles() -> None:
    """Make a tile of two squares, one of them cut: the kernels of vector tiles, half a second if warm."""
    from geodata.mvt import polygons

    def row(west: float, kind: str) -> bytes:
        shape = shapely.to_wkb(shapely.box(west, 1.0, west + 1.0, 2.0), byte_order=1)
        head = struct.pack(">iIi", 2, 25, len(kind)) + kind.encode()
        return head + struct.pack(">Ii", 17, len(shape)) + shape

    polygons("toys", ("kind",), row(-0.5, "cut") + row(1.0, "whole"), (1, 1, 0), buffer=64)


if __name__ == "__main__":
    warm()
