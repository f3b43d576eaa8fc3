"""What is told about grids that are not as they should be."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from geodata.redraw.explain import Cost, Explanation, Neighbour, explain
from geodata.redraw.measure import tabulate
from geodata.redraw.model import Band, Instance
from tests.unit.redraw.towns import graph, town

BAND = Band(300, 500)


def line(households: list[int], start: list[int], **optional: Any) -> Instance:
    pairs = [(i, i + 1) for i in range(len(households) - 1)]
    return graph(households, pairs, optional.pop("band", BAND), start=start, **optional)


def test_what_is_wrong_who_has_room_and_what_it_costs() -> None:
    instance = line([200, 200, 150, 200, 150], [0, 0, 0, 1, 1])
    (one,) = explain(instance, instance.start, repairs=True)
    assert (one.grid, one.kinds, one.households, one.households_off) == (0, ("over",), 550, 50)
    assert (one.unavoidable, one.proof) == ((), None)
    assert one.neighbours == (Neighbour(1, 350, take=150, give=50),)
    assert one.repair == Cost(150, 1, (0, 1))
    assert one.sentences("zh") == [
        "网格 0 有 550 户，超出上限 50 户",
        "相邻的 1 个网格共可再接收 150 户",
        "最小的修补：调整 1 个单元、150 户，涉及 2 个网格",
    ]
    assert explain(instance, instance.start)[0].repair is None


def test_what_is_unavoidable_has_its_reason() -> None:
    instance = line([100, 150], [0, 0])
    (one,) = explain(instance, instance.start, repairs=True)
    assert (one.kinds, one.unavoidable, one.repair) == (("under",), ("under",), None)
    assert one.proof is not None
    assert one.proof["kind"] == "pocket_total"
    assert one.sentences("en")[1].startswith("The ground that holds together here")
    assert len(one.sentences()) == 2


def test_pieces_and_people() -> None:
    instance = line([100] * 8, [0, 0, 0, 0, 1, 1, 1, 1], population=[300] * 8, band=Band(300, 500, 0, 1100))
    plan = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    first, second = explain(instance, plan)
    assert (first.kinds, first.pieces, first.population_off) == (("over", "pieces"), 2, 100)
    assert [said.split()[0] for said in second.sentences("en")] == ["Grid", "Grid"]


@pytest.mark.parametrize("kind", ["locked", "unit_over_maximum", "pocket_total", "enclosed", "exhaustive"])
@pytest.mark.parametrize("locale", ["zh", "en"])
def test_every_kind_of_proof_has_a_sentence(kind: str, locale: str) -> None:
    one = Explanation(3, ("under",), 1, 9, 0, -291, 0, 1, ("under",), {"kind": kind}, (), None)
    assert len(one.sentences(locale)) == 2


def test_exactly_the_grids_that_are_wrong_are_told_and_all_is_json() -> None:
    instance = town(5, 30, start=True, groups=2, giants=1, locked=0.1, closed=1)
    told = explain(instance, instance.start, repairs=True)
    grids = tabulate(instance, instance.start)
    assert [one.grid for one in told] == grids.grid[(grids.status > 0) | (grids.pieces > 1)].tolist()
    assert json.loads(json.dumps([one.data() for one in told]))
    for one in told:
        assert one.repair is None or one.repair.households > 0
        assert all(other.take >= 0 and other.give >= 0 for other in one.neighbours)
