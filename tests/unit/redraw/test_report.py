"""The report, the names of grids and the maps of a redraw, from plans made by hand."""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image

from geodata.errors import GeodataError
from geodata.redraw.draw import metres, picture, scale_m
from geodata.redraw.files import Ground
from geodata.redraw.measure import measure
from geodata.redraw.model import Band, Weights
from geodata.redraw.page import html
from geodata.redraw.paint import pattern, png
from geodata.redraw.plan_file import plan_csv
from geodata.redraw.proofs import violations
from geodata.redraw.report import as_json, report
from geodata.redraw.result import Certificate, Redrawn
from geodata.redraw.task import Ask, Task, bands_of, task_of
from geodata.redraw.verify import verify
from geodata.standards import load

COLUMNS, ROWS = 6, 4


def ground(**columns: Any) -> Ground:
    boxes = [shapely.box(x * 100, y * 100, x * 100 + 100, y * 100 + 100) for y in range(ROWS) for x in range(COLUMNS)]
    n = len(boxes)
    given = {"households": [50] * n} | columns
    series = {name: pd.Series(values) for name, values in given.items()}
    return Ground([f"u{k:02d}" for k in range(n)], series, np.array(boxes), 117.0, list(range(1, n + 1)))


def task(ask: Ask | None = None, start: list[str] | None = None, **columns: Any) -> Task:
    return task_of(ground(**columns), ask or Ask(Band(200, 300)), start)


def redrawn(made: Task, plan: Any) -> Redrawn:
    plan = np.asarray(plan, dtype=np.int64)
    found = violations(made.instance, plan, budget_s=0.5)
    return Redrawn(
        plan,
        measure(made.instance, plan),
        found,
        [Certificate(2, 5, 4, 1)],
        1000,
        2.0,
        7,
        "done",
        {"best": np.int64(3)},
    )


#: Four grids of 3 x 2 units and 300 households: south-west, south-east, north-west, north-east.
FOUR = [(row // 2) * 2 + column // 3 for row in range(ROWS) for column in range(COLUMNS)]


def test_the_report_holds_what_the_issue_asks_for() -> None:
    made = task()
    found = report(made, redrawn(made, FOUR), version="1.2.3")
    assert {
        "grids",
        "violations",
        "households_moved",
        "objective",
        "moves_per_second",
        "certificate",
        "seed",
        "version",
    } <= set(found)
    assert found["summary"]["grids"] == found["summary"]["in_band"] == 4
    for row in found["grids"]:
        assert {"grid", "group", "households", "population", "units", "pieces", "polsby_popper", "status"} <= set(row)
        assert (row["households"], row["units"], row["pieces"], row["status"]) == (300, 6, 1, "in_band")
        assert row["polsby_popper"] == pytest.approx(4 * np.pi * 60_000 / 1000**2, abs=1e-4)
    assert found["moves_per_second"] == 500
    assert found["certificate"][0]["complete"] is False
    assert sum(part["cost"] for part in found["objective"].values()) == pytest.approx(found["score"]["total"])
    assert found["notes"] == {"best": 3}
    assert json.loads(as_json(found)) == found


def test_violations_name_units_and_carry_their_proof() -> None:
    made = task(households=[900] + [50] * 23)
    plan = np.array(FOUR)
    plan[0] = 9
    document = report(made, redrawn(made, plan), version="1")
    over = next(row for row in document["violations"] if row["kind"] == "over")
    assert over["avoidable"] is False
    assert over["proof"]["units"] == ["u00"]
    assert over["proof"]["households"] == [900]
    name = next(row["grid"] for row in document["grids"] if row["households"] == 900)
    assert over["grid"] == name
    assert verify(made.instance, plan, violations(made.instance, plan)) == []


def test_numbers_that_are_none_become_null() -> None:
    assert json.loads(as_json({"a": float("nan"), "b": np.float64("inf"), "c": {3, 1}, "d": np.array([1, 2])})) == {
        "a": None,
        "b": None,
        "c": [1, 3],
        "d": [1, 2],
    }


def test_new_grids_are_numbered_from_west_to_east_and_never_take_a_name_that_was_there() -> None:
    made = task()
    assert made.grid_names(np.array(FOUR)) == {2: "G001", 0: "G002", 3: "G003", 1: "G004"}
    kept = task(start=["G001" if grid == 0 else "" for grid in FOUR])
    plan = np.array([grid + 5 if grid else 0 for grid in FOUR])
    assert kept.grid_names(plan) == {0: "G001", 7: "G002", 8: "G003", 6: "G004"}


def test_new_grids_carry_the_name_of_their_community() -> None:
    community = ["330106003004" if k % COLUMNS < 3 else "桥东" for k in range(24)]
    made = task(Ask(Band(200, 300), group="community"), community=community)
    names = made.grid_names(np.array(FOUR))
    assert sorted(names.values()) == ["330106003004001", "330106003004002", "桥东-001", "桥东-002"]
    assert made.instance.units.group.max() == 1


def test_a_plan_is_written_as_unit_and_grid() -> None:
    assert plan_csv(["007", "a,b"], ["G001", "桥东-001"]).decode() == 'unit,grid\n007,G001\n"a,b",桥东-001\n'


def test_classes_have_their_bands_and_are_never_mixed() -> None:
    ask = Ask(None, bands_of(load("national")), class_="class", group="community")
    class_ = ["城镇" if k < 12 else "220" for k in range(24)]
    made = task(ask, **{"class": class_, "community": ["a"] * 24})
    assert [(band.households_min, band.households_max) for band in made.instance.bands] == [(200, 300), (300, 500)]
    assert made.groups == ["a-220", "a-城镇"]
    with pytest.raises(GeodataError) as caught:
        task(ask, **{"class": ["x"] * 24, "community": ["a"] * 24})
    assert caught.value.code == "REDRAW_CLASS_UNKNOWN"


def test_people_are_bounded_by_the_standard() -> None:
    assert bands_of(load("national-rural"))["rural"] == Band(200, 300, 0, 2000)


def test_a_standard_of_micro_grids_bounds_them() -> None:
    assert list(bands_of(load("micro-grid"))) == ["micro"]
    assert "micro" not in bands_of(load("national"))


@pytest.mark.parametrize(
    ("ask", "start", "code"),
    [
        (Ask(None), None, "REDRAW_BAND_MISSING"),
        (Ask(None, {"a": Band(1, 2), "b": Band(1, 3)}), None, "REDRAW_CLASS_MISSING"),
        (Ask(Band(1, 2), weights={"beauty": 1.0}), None, "REDRAW_WEIGHT_UNKNOWN"),
        (Ask(Band(1, 2), weights={"moved": -1.0}), None, "REDRAW_WEIGHT"),
        (Ask(Band(1, 2), locks=["unit:nobody"]), None, "REDRAW_LOCK_NO_UNIT"),
        (Ask(Band(1, 2), locks=["grid:x"]), ["y"] * 24, "REDRAW_LOCK_NO_GRID"),
        (Ask(Band(1, 2), locks=["tree:x"]), None, "REDRAW_LOCK_WRITTEN"),
        (Ask(Band(1, 2), locks=["unit:u01"]), None, "REDRAW_LOCK_LOOSE"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(ask: Ask, start: list[str] | None, code: str) -> None:
    with pytest.raises(GeodataError) as caught:
        task(ask, start)
    assert caught.value.code == code
    assert caught.value.sentence("zh") != caught.value.sentence("en")
    caught.value.hint("zh")


def test_locked_units_that_cannot_meet_are_named() -> None:
    community = ["a" if k % COLUMNS in (0, 5) else "b" for k in range(24)]
    ask = Ask(Band(1, 9), group="community", locks=["unit:u00", "unit:u05"])
    with pytest.raises(GeodataError) as caught:
        task(ask, ["g"] * 24, community=community)
    assert caught.value.code == "REDRAW_LOCK_PARTED"
    assert caught.value.params["unit"] in ("u00", "u05")


def test_the_page_needs_nothing_from_elsewhere_and_shows_both_plans() -> None:
    made = task(start=["<b>"] * 24)
    page = html(picture(made, redrawn(made, np.array(FOUR) + 1), title="t", width_px=300, height_px=300)).decode()
    assert not re.search(r"(?:src|href|url)\s*[=(]\s*[\"']?(?:https?:)?//", page)
    assert page.count('<svg class="map"') == 2
    assert "&lt;b&gt;" in page
    assert "<b> " not in page
    for name in ("G001", "G002", "G003", "G004"):
        assert f">{name}</text>" in page
    for word in ("达标", "户数不足", "户数超标", "below the minimum", "above the maximum"):
        assert word in page


def test_the_image_shows_status_by_colour_and_by_pattern() -> None:
    made = task(households=[10] * 12 + [100] * 12)
    drawn = picture(made, redrawn(made, np.array(FOUR)), title="t", width_px=400, height_px=400)
    image = np.asarray(Image.open(BytesIO(png(drawn))).convert("RGB")).astype(int)
    right = image[:, image.shape[1] // 2 :].reshape(-1, 3)
    for colour in ("#bcd8f0", "#f3b9ad"):
        wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        assert (np.abs(right - wanted).max(axis=1) < 3).sum() > 1000
    marks = {status: pattern(status, (40, 40)) for status in ("in_band", "under", "over", "none")}
    assert not marks["in_band"].any()
    assert (marks["under"] != marks["over"]).any()


def test_units_without_a_plan_are_drawn_as_in_no_grid() -> None:
    made = task()
    drawn = picture(made, redrawn(made, FOUR), title="t", width_px=300, height_px=300)
    assert list(drawn.panels[0].status) == ["none"]
    assert "24" in drawn.panels[0].title_zh
    assert list(drawn.panels[1].status) == ["in_band"] * 4


@pytest.mark.parametrize(("px_per_m", "wanted"), [(0.01, "10 km"), (0.1, "1 km"), (0.5, "200 m"), (100, "1 m")])
def test_the_scale_bar_is_a_round_number(px_per_m: float, wanted: str) -> None:
    assert metres(scale_m(px_per_m)) == wanted


def test_weights_of_the_file_reach_the_instance() -> None:
    assert task(Ask(Band(1, 9), weights={"moved": 0.5})).instance.weights == Weights(moved=0.5)
