"""The oracle of the browser's tallies says what a plan measured from scratch does, and holds every case it is for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from geodata.packed import unpack
from geodata.redraw.measure import STATUS, tabulate
from geodata.redraw.model import Band, Borders, Instance, Units
from tests.studio_fixture import write


def test_the_oracle_is_the_engine(tmp_path: Path) -> None:
    write(tmp_path)
    told = json.loads((tmp_path / "oracle.json").read_text("utf-8"))
    _, column = unpack((tmp_path / "ground.gmp").read_bytes())
    pairs = (column[f"pair_{name}"] for name in ("length_m", "barrier_m", "torn_m"))
    i, j = (column[f"pair_{side}"].astype(np.int64) for side in "ij")
    units = Units.of(
        column["households"],
        column["area_m2"],
        column["perimeter_m"],
        np.stack([column["x"], column["y"]], axis=1),
        Borders(i, j, *pairs, column["pair_crossable"].astype(bool)),
        population=column["population"],
        group=column["region"],
        kind=column["region"],
    )
    bands = tuple(Band(one["low"], one["high"], population_max=one["population_limit"]) for one in told["regions"])
    for moment in (told, told["after"]):
        plan = np.array(moment["assignment"])
        grids = tabulate(Instance.of(units, bands, start=np.array(told["assignment"])), plan)
        assert [int(one) for one in moment["grids"]] == grids.grid.tolist()
        for at, figures in enumerate(moment["grids"].values()):
            assert figures["households"] == grids.households[at] and figures["pieces"] == grids.pieces[at]
            assert figures["polsby_popper"] == pytest.approx(grids.polsby_popper[at], rel=1e-12)
            assert figures["status"] == STATUS[grids.status[at]]
    assert {figures["status"] for figures in told["grids"].values()} == set(STATUS)
    assert -1 in told["assignment"] and told["special"] and not column["pair_crossable"].all()
    assert {0, 1, 2} <= set(column["arc_barrier"].tolist())
    aims = [move["to"] for move in told["moves"]]
    assert len(aims) == 50 and -1 in aims and max(aims) > max(told["assignment"])
    assert max(figures["pieces"] for figures in told["after"]["grids"].values()) > 1
