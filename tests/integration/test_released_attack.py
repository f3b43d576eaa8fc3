"""An attacker with a viewer's token and every answer about cases cannot work out one small number.

A town of 28 grids, seeded with few cases, two releases under two plans. He asks every address that a viewer is
answered: all spans of months, categories, places and levels, in both plans, and all that is refused. Then an exact
integer solver looks for the least and greatest value of each withheld cell under all that was said.

A place's cases by month, category, weekday and hour are four lists of numbers with one sum: any such lists belong to
some set of cases, so the solver's unknowns are those lists for each of the smallest places.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime
from itertools import product
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from gridmap.db.engine import transaction
from gridmap.services import tokens
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.cases import release
from tests.web import add_person, make_app

MONTHS = [f"2026-{month:02d}" for month in range(1, 10)]
FIRST, SECOND = MONTHS[:6], MONTHS[6:]
CATEGORIES = ("纠纷", "噪音")
LEVELS = ("all", "county", "subdistrict", "community", "grid")
Place = tuple[str, int | str]
Cell = tuple[str, int | str, str, str]  # level, grid id or code, facet, key


@pytest.fixture(scope="module")
def seeded(shared_demo_url: str) -> None:
    """Few cases in some units: most numbers are small."""
    rng = np.random.default_rng(7)
    with transaction() as session:
        session.execute(sa.text("DELETE FROM case_record"))
        units = session.execute(sa.text(
            "SELECT u.id, u.region_id FROM unit u JOIN plan_unit p ON p.unit_id = u.id AND p.plan_id = 1"
            " JOIN plan_unit q ON q.unit_id = u.id AND q.plan_id = 2"
            " WHERE p.grid_id IS NOT NULL AND q.grid_id IS NOT NULL ORDER BY u.id")).all()  # fmt: skip
        chosen = rng.choice(len(units), 60, replace=False)
        busy = rng.gamma(0.5, 2.0, len(chosen))
        rows = []
        for k, month in product(range(len(chosen)), range(1, 10)):
            for _ in range(int(rng.poisson(1.1 * busy[k]))):
                day, hour = int(rng.integers(1, 28)), int(rng.integers(0, 24))
                category = str(rng.choice(CATEGORIES, p=[0.7, 0.3]))
                unit = units[chosen[k]]
                at = datetime(2026, month, day, hour, tzinfo=UTC)
                rows.append({"c": category, "a": at, "u": unit.id, "r": unit.region_id})
        statement = "INSERT INTO case_record (category, occurred_at, region_id, unit_id) VALUES (:c, :a, :r, :u)"
        session.execute(sa.text(statement), rows)


@pytest.fixture(scope="module")
def viewer(seeded: None, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A client with nothing but a viewer's token."""
    user = add_person("attacker", "viewer")
    client = make_app(tmp_path_factory.mktemp("web")).test_client()
    made = tokens.create_token(Actor("attacker", (Grant(Role.VIEWER),), user_id=user), "attack", 1)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {made[1]}"
    return client


@pytest.fixture(scope="module")
def attacker(viewer: FlaskClient) -> Attacker:
    """Who listened after the first release, and again after a second under another plan."""
    found = Attacker(viewer)
    assert len(release.make(SYSTEM, moment=datetime(2026, 7, 5, tzinfo=UTC))) == 1
    found.listen()
    with transaction() as session:
        session.execute(sa.text("UPDATE plan SET valid_to = '2026-07-01' WHERE id = 1"))
        in_force = "UPDATE plan SET state = 'published', valid_from = '2026-07-01', department = NULL WHERE id = 2"
        session.execute(sa.text(in_force))
    assert len(release.make(SYSTEM, moment=datetime(2026, 10, 5, tzinfo=UTC))) == 1
    found.listen()
    found.conclude()
    return found


@pytest.fixture(scope="module")
def truth(attacker: Attacker) -> dict[Cell, int]:
    """The true count of every place and attribute."""
    with transaction() as session:
        assert session.scalars(sa.text("SELECT plan_id FROM case_release ORDER BY since")).all() == [1, 2]
        return {**_count(session, 1, FIRST), **_count(session, 2, SECOND)}


def _count(session: Any, plan: int, months: list[str]) -> dict[Cell, int]:
    rows = session.execute(sa.text(
        "SELECT g.id AS grid, r.code, c.category, c.occurred_at AT TIME ZONE 'Asia/Shanghai' AS at FROM case_record c"
        " JOIN plan_unit p ON p.unit_id = c.unit_id AND p.plan_id = :plan JOIN grid g ON g.id = p.grid_id"
        " JOIN region r ON r.id = g.region_id"), {"plan": plan}).all()  # fmt: skip
    counts: dict[Cell, int] = {}
    for row in rows:
        if f"{row.at:%Y-%m}" not in months:
            continue
        places: list[tuple[str, int | str]] = [
            ("grid", row.grid), ("community", row.code), ("subdistrict", row.code[:9] + "000"),
            ("county", row.code[:6] + "000000"), ("all", "")]  # fmt: skip
        for (level, place), key in product(places, _keys(row.at, row.category, months)):
            counts[level, place, *key] = counts.get((level, place, *key), 0) + 1
    return counts


def _keys(at: datetime, category: str, months: list[str]) -> Iterator[tuple[str, str]]:
    """Attributes of a case; those of a whole release carry its first month."""
    yield "time", f"{at:%Y-%m}"
    yield "category", f"{months[0]} {category}"
    yield "weekday", f"{months[0]} {at.weekday()}"
    yield "hours", f"{months[0]} {at.hour // 4}"


class Attacker:
    """All that the addresses say, as bounds on sums of unknowns: (release, grid, facet, key)."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.numbers: dict[tuple[int, int, str, str], int] = {}
        self.rows: list[tuple[list[int], float, float]] = []
        self.said: dict[tuple[int, frozenset[int], str, frozenset[str]], str] = {}
        self.releases: list[list[str]] = []
        self.places: list[dict[Place, frozenset[int]]] = []
        self.known: LinearConstraint | None = None

    def listen(self) -> None:
        """Ask everything there is to be asked now."""
        known = self.ask("/api/v1/cases/released/periods")
        for months in [one["months"] for one in known["releases"]][len(self.releases) :]:
            self._unknowns(months, known["categories"])
        self._spans(known["categories"])
        self._profiles()

    def _unknowns(self, months: list[str], categories: list[str]) -> None:
        r = len(self.releases)
        self.releases.append(months)
        self.places.append(self._places(months))
        keys = {"time": months, "category": [f"{months[0]} {name}" for name in categories],
                "weekday": [f"{months[0]} {n}" for n in range(7)],
                "hours": [f"{months[0]} {n}" for n in range(6)]}  # fmt: skip
        for grid in self.places[r]["all", ""]:
            for facet, own in keys.items():
                for key in own:
                    self.numbers[r, grid, facet, key] = len(self.numbers)
            for facet in ("category", "weekday", "hours"):  # every attribute has the same sum
                plus = [self.numbers[r, grid, "time", key] for key in months]
                minus = [~self.numbers[r, grid, facet, key] for key in keys[facet]]
                self.rows.append((plus + minus, 0, 0))

    def ask(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.text[:300])
        return answer.json

    def _figures(self, level: str, months: list[str], more: str = "") -> list[Any]:
        path = f"/api/v1/cases/released?level={level}&since={months[0]}&until={months[-1]}&limit=2000{more}"
        found: list[Any] = self.ask(path)["items"]
        return found

    def _places(self, months: list[str]) -> dict[Place, frozenset[int]]:
        """The grids below each place, from what a grid's row says of its region."""
        grids = {row["grid_id"]: row["region_code"] for row in self._figures("grid", months)}
        below: dict[Place, frozenset[int]] = {("grid", grid): frozenset([grid]) for grid in grids}
        below["all", ""] = frozenset(grids)
        for level, digits in (("county", 6), ("subdistrict", 9), ("community", 12)):
            for code in {one[:digits].ljust(12, "0") for one in grids.values()}:
                below[level, code] = frozenset(g for g, one in grids.items() if one.startswith(code[:digits]))
        return below

    def _hear(self, parts: list[tuple[int, Place, str, list[str]]], text: str) -> None:
        """An answer: the sum of the parts (release, place, facet, keys) is what the text says."""
        alone = len(parts) == 1
        if any(place not in self.places[r] for r, place, _, _ in parts):
            if parts[0][1][0] == "grid":  # of one of the two plans
                assert text == "—"
                return
            parts = [part for part in parts if part[1] in self.places[part[0]]]  # no grid there, no case
        cells: list[int] = []
        for r, place, facet, keys in parts:
            cells += [self.numbers[r, g, facet, key] for g in self.places[r][place] for key in keys]
        if text.isdigit():
            self.rows.append((cells, int(text), int(text)))
        elif text == "<5":
            self.rows.append((cells, 1, 4))
        if alone and cells:
            r, place, facet, keys = parts[0]
            whole = facet == "time" and keys == self.releases[r]
            quarter = facet == "time" and keys in (MONTHS[:3], MONTHS[3:6])
            if whole or quarter or len(keys) == 1:  # what is published itself, not a sum of it
                at = (r, self.places[r][place], facet, frozenset(keys))
                assert self.said.setdefault(at, text) == text, at  # the same question has the same answer everywhere

    def _spans(self, categories: list[str]) -> None:
        every = [month for months in self.releases for month in months]
        for level, i in product(LEVELS, range(len(every))):
            for j in range(i, len(every)):
                span = every[i : j + 1]
                parts = [
                    (r, own) for r, months in enumerate(self.releases) if (own := [m for m in months if m in span])
                ]
                for row in self._figures(level, span):
                    place = (level, row["grid_id"] if level == "grid" else row["code"])
                    self._hear([(r, place, "time", own) for r, own in parts], row["text"])
        whole = [[r] for r in range(len(self.releases))] + [list(range(len(self.releases)))]
        for level, chosen, names in product(LEVELS, whole, (categories[:1], categories[1:], categories)):
            span = [month for r in chosen for month in self.releases[r]]
            for row in self._figures(level, span, "".join(f"&category={name}" for name in names)):
                place = (level, row["grid_id"] if level == "grid" else row["code"])
                keys = {r: [f"{self.releases[r][0]} {name}" for name in names] for r in chosen}
                self._hear([(r, place, "category", keys[r]) for r in chosen], row["text"])

    def _profiles(self) -> None:
        every: set[Place] = {place for places in self.places for place in places}
        for level, code in sorted(every, key=str):
            asked = "" if level == "all" else f"?grid={code}" if level == "grid" else f"?region={code}"
            said = self.ask(f"/api/v1/cases/released/profile{asked}")
            here = [r for r, places in enumerate(self.places) if level != "grid" or (level, code) in places]
            for facet, cells in (("time", said["months"]), ("category", said["categories"]),
                                 ("weekday", said["weekdays"]), ("hours", said["hours"])):  # fmt: skip
                for cell in cells:
                    month = facet == "time"
                    keys = {r: cell["key"] if month else f"{self.releases[r][0]} {cell['key']}" for r in here}
                    told = [r for r in here if not month or cell["key"] in self.releases[r]]
                    self._hear([(r, (level, code), facet, [keys[r]]) for r in told], cell["text"])

    def conclude(self) -> None:
        """He knows the rule: withheld below two totals that are shown is 5 or more, for a small one would be "<5"."""
        for (r, grids, facet, keys), text in self.said.items():
            if text != "—":
                continue
            whole = ("time", frozenset(self.releases[r]))
            wider = [other for other in self.places[r].values() if other > grids]
            longer = [(f, k) for (q, g, f, k) in self.said if q == r and g == grids and k > keys and f == facet]
            longer = longer or ([whole] if (facet, keys) != whole else [])
            above = [self.said.get((r, min(wider, key=len), facet, keys))] if wider else []
            above += [self.said.get((r, grids, *min(longer, key=lambda one: len(one[1]))))] if longer else []
            if all(one is not None and one.isdigit() for one in above):
                cells = [self.numbers[r, g, facet, key] for g in grids for key in keys]
                self.rows.append((cells, 5, np.inf))

    def pinned(self, cell: Cell, true: int) -> bool:
        """Whether all that was said leaves one value for a cell: the true one."""
        level, place, facet, key = cell
        r = next(r for r, months in enumerate(self.releases) if key[:7] in months)
        cells = [self.numbers[r, grid, facet, key] for grid in self.places[r][level, place]]
        least = self._bound(cells, 1)
        assert least <= true
        return least == true == self._bound(cells, -1)

    def _bound(self, cells: list[int], sign: int) -> int:
        n = len(self.numbers)
        if self.known is None:
            rows = {(frozenset(cells), low, high): cells for cells, low, high in self.rows}  # said once is enough
            at = [(k, max(cell, ~cell), 1 if cell >= 0 else -1) for k, row in enumerate(rows.values()) for cell in row]
            row, column, value = (np.array(one) for one in zip(*at, strict=True))
            matrix = csr_array((value, (row, column)), shape=(len(rows), n))
            self.known = LinearConstraint(matrix, [low for _, low, _ in rows], [high for _, _, high in rows])
        what = np.zeros(n)
        what[cells] = sign
        whole = np.ones(n, dtype=np.int64)
        found = milp(what, constraints=self.known, integrality=whole, bounds=Bounds(0, 10_000))
        assert found.success, found.message
        return round(sign * found.fun)


def test_no_small_number_can_be_worked_out(attacker: Attacker, truth: dict[Cell, int]) -> None:
    small = [cell for cell, count in truth.items() if 0 < count < 5]
    assert len(small) > 150
    shown = set(attacker.said.values())
    assert "<5" in shown and "—" in shown and not {"1", "2", "3", "4"} & shown
    assert [cell for cell in small if attacker.pinned(cell, truth[cell])] == []


def test_the_attacker_would_find_what_is_not_withheld(attacker: Attacker, truth: dict[Cell, int]) -> None:
    """He is worth his name: with the complementary cells told he finds small ones."""
    better = copy(attacker)
    better.rows, better.known = list(attacker.rows), None
    for (r, grids, facet, keys), text in attacker.said.items():
        if text == "—" and len(grids) == 1 and len(keys) == 1:
            true = truth.get(("grid", min(grids), facet, min(keys)), 0)
            if not 0 < true < 5:
                better.rows.append(([attacker.numbers[r, min(grids), facet, min(keys)]], true, true))
    small = [cell for cell, count in truth.items() if 0 < count < 5 and cell[0] == "grid"]
    chosen = [small[k] for k in np.random.default_rng(2).permutation(len(small))[:30].tolist()]
    assert any(better.pinned(cell, truth[cell]) for cell in chosen)


REFUSED_WITH = {
    "api.heat_image": "?bbox=119,29,121,31",
    "api.case_points": "?bbox=119,29,121,31",
    "api.compare_periods": "?since=2026-02-01T00:00:00Z&until=2026-03-01T00:00:00Z"
    "&before_since=2026-01-01T00:00:00Z&before_until=2026-02-01T00:00:00Z",
}


def test_everything_else_about_cases_is_refused(viewer: FlaskClient, attacker: Attacker) -> None:
    asked = 0
    for rule in viewer.application.url_map.iter_rules():
        words = ("case", "heat", "hot", "incident")
        if (
            not rule.rule.startswith("/api/")
            or "GET" not in (rule.methods or ())
            or not any(w in rule.rule for w in words)
        ):
            continue
        if "/released" in rule.rule:
            continue
        for plan in (1, 2):
            built = rule.build(dict.fromkeys(rule._converters, plan))
            assert built is not None
            answer = viewer.get(built[1] + REFUSED_WITH.get(rule.endpoint, ""))
            assert answer.status_code == 403, (built[1], answer.status_code, answer.text[:200])
            asked += 1
    assert asked >= 10
    for plans in ("a=1&b=2", "a=2&b=1"):
        assert viewer.get(f"/api/v1/plans/compare/grids?{plans}&limit=500").status_code == 403
