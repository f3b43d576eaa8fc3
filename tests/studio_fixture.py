"""A small ground for the browser's unit tests, with what the engine says of a plan on it: the oracle of tally.js.

``python -m tests.studio_fixture OUT_DIR`` writes ``ground.gmp`` (300 units of two communities with roads, a river and
bridges) and ``oracle.json``::

    {"n", "regions": [{code, name, class, low, high, population_limit}], "special": [grids without bounds],
     "assignment": [grid of each unit, -1 for none], "grids": {grid: FIGURES}, "totals": TOTALS,
     "border_arcs": {grid: [arcs with the grid on one side only]},
     "moves": [{"units", "to", "touched": {grid: FIGURES}, "totals": TOTALS}], one after the other,
     "after": {"assignment", "grids", "totals"}}

FIGURES are those of :class:`geodata.redraw.edits.GridNow` (a grid with ``units`` 0 is no more; ``status`` in_band,
under or over by the bounds of the community of its first unit, for special ones too); ``on_barriers`` null: no border
with another grid. TOTALS: grids, in_band, whole (in one piece), unassigned (units), moved_households.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from geodata.packed import unpack
from geodata.redraw.land import units_on
from geodata.redraw.model import Band, Instance
from geodata.redraw.state import State
from geodata.topology import topology
from geodata.units.model import Barriers
from gridmap.services.studio.ground import Ground, engine_borders, packed
from gridmap.services.studio.land import Numbers, laid_of
from gridmap.services.studio.survey import survey
from tests.bench.studio_town import LON0, Town, make_town

UNITS, MOVES, SEED = 300, 50, 5
REGIONS: tuple[dict[str, Any], ...] = (
    {"code": "339902001001", "name": "第一社区", "class": "urban", "low": 300, "high": 500, "population_limit": 2000},
    {"code": "339902001002", "name": "第二社区", "class": "rural", "low": 200, "high": 300, "population_limit": 2000},
)


def write(folder: Path) -> None:
    """Write both files into ``folder``."""
    town = make_town(UNITS, SEED, communities=2)
    town.grid[[7, 150, 151]] = -1
    ground = ground_of(town)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ground.gmp").write_bytes(packed(ground))
    text = json.dumps(oracle(town, ground), ensure_ascii=False, indent=1)
    (folder / "oracle.json").write_text(text + "\n", "utf-8")


def ground_of(town: Town) -> Ground:
    """The ground of a town as the studio would read it from a database."""
    n = len(town.metric)
    special = np.isin(town.grid, np.flatnonzero(town.special))
    ids = np.arange(n) + 1000
    numbers = Numbers(
        id=ids,
        region_id=town.community,
        number=np.arange(n) + 1,
        households=town.households,
        population=town.population,
        buildings=np.ones(n, dtype=np.int64),
        estimated=np.zeros(n, dtype=np.int64),
        compound_id=town.compound,
        grid_id=town.grid,
        top_grid_id=town.grid,
        special=special.astype(np.int64),
        named=np.zeros(n, dtype=np.int64),
        hash=ids,
    )
    kinds, classes, bridges, lines = zip(*town.barriers, strict=True)
    barriers = Barriers.of(lines, kinds, classes, bridge=bridges)
    arcs = topology(town.lonlat)
    laid = laid_of("fixture", *unpack(survey(town.lonlat, town.metric, LON0, barriers, arcs)))
    compounds = tuple(f"明珠苑{k + 1}" for k in range(int(town.compound.max()) + 1))
    nobody = cast(Any, None)
    return Ground(
        nobody, nobody, np.arange(n), numbers, laid, laid.topology, {}, town.community, town.compound, compounds,
        np.full(n, -1), (), engine_borders(laid.land, numbers), "fixture",
    )  # fmt: skip


def oracle(town: Town, ground: Ground) -> dict[str, Any]:
    """What the engine says of the town's plan, and of :data:`MOVES` random moves."""
    land = ground.laid.land
    optional = {"group": town.community, "kind": town.community, "compound": town.compound}
    units, _ = units_on(land, town.households, town.population, **optional)
    bands = tuple(Band(one["low"], one["high"], population_max=one["population_limit"]) for one in REGIONS)
    instance = Instance.of(replace(units, borders=ground.borders), bands, start=town.grid)
    state = State(instance, town.grid)
    rng = np.random.default_rng(SEED)
    before = _told(state)
    moves = [_move(state, instance, rng, turn) for turn in range(MOVES)]
    arcs, grid = ground.topology, np.append(town.grid, -1)
    left, right = grid[arcs.arc_left], grid[arcs.arc_right]
    return {
        "n": len(town.grid),
        "regions": list(REGIONS),
        "special": np.flatnonzero(town.special).tolist(),
        **before,
        "border_arcs": {
            str(one): np.flatnonzero((left == one) != (right == one)).tolist() for one in np.unique(grid[grid >= 0])
        },
        "moves": moves,
        "after": _told(state),
    }


def _move(state: State, instance: Instance, rng: np.random.Generator, turn: int) -> dict[str, Any]:
    """A stroke: a unit with some of its neighbours, to a grid beside it, to any, to a new one or to none."""
    borders, plan = instance.units.borders, state.plan
    seed = int(rng.integers(len(plan)))
    beside = np.concatenate([borders.j[borders.i == seed], borders.i[borders.j == seed]])
    chosen = np.unique([seed, *rng.permutation(beside)[: rng.integers(0, 4)].tolist()]).tolist()
    around = plan[beside][plan[beside] != plan[seed]]
    to = int(rng.choice(around)) if len(around) else int(rng.choice(plan))
    if turn % 10 == 3:
        to = -1
    elif turn % 10 == 6:
        to = state.new_grid
    elif turn % 10 == 9:
        to = int(rng.choice(plan[plan >= 0]))
    change = state.move(chosen, to)
    touched = {str(one.grid): asdict(one) for one in change.touched}
    return {"units": chosen, "to": to, "touched": touched, "totals": _totals(state)}


def _told(state: State) -> dict[str, Any]:
    return {
        "assignment": state.plan.tolist(),
        "grids": {str(one.grid): asdict(one) for one in state.grids()},
        "totals": _totals(state),
    }


def _totals(state: State) -> dict[str, int]:
    told = state.totals()
    return {
        "grids": told.grids,
        "in_band": told.in_band,
        "whole": told.whole,
        "unassigned": told.unassigned,
        "moved_households": told.moved_households,
    }


if __name__ == "__main__":
    write(Path(sys.argv[1]))
