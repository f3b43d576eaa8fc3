"""An attacker with a viewer's token and every household figure of two plans in force cannot work out a small one.

The second plan moves compounds of a few households from one grid to another. He knows which units each grid holds and
which of them are empty, asks every address, before and after the change, and gives all to an exact integer solver.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from gridmap.db.engine import transaction
from gridmap.services import counts, plans, tokens
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.plans import households
from gridmap.services.plans.households import publish_plan
from tests.property.test_divisions import small_counts
from tests.web import add_person, make_app

LEAST = 5
Ints = np.ndarray
#: Units of the basic grids of a plan.
HELD = sa.text(
    "SELECT p.unit_id, p.grid_id, u.region_id FROM plan_unit p JOIN unit u ON u.id = p.unit_id"
    " JOIN grid g ON g.id = p.grid_id WHERE p.plan_id = :plan AND g.kind = 'basic' ORDER BY u.id"
)
#: Addresses that tell households; all others must tell none.
TELLING = {
    "api.list_plans", "api.get_plan", "api.list_grids", "api.get_grid", "api.grid_features", "api.get_coverage",
    "api.coverage_areas", "api.coverage_trend", "api.list_regions", "api.get_region",
}  # fmt: skip


class Town:
    """Living units, their households, and the grid of each in both plans."""

    def __init__(self, second: int) -> None:
        statement = """
            SELECT u.id, u.households, r.code, p.grid_id AS a, q.grid_id AS b
            FROM unit u JOIN region r ON r.id = u.region_id
            JOIN plan_unit p ON p.unit_id = u.id AND p.plan_id = 1
            JOIN plan_unit q ON q.unit_id = u.id AND q.plan_id = :second ORDER BY u.id"""
        with transaction() as session:
            rows = session.execute(sa.text(statement), {"second": second}).all()
        self.households = np.array([row.households for row in rows])
        self.region = np.array([row.code for row in rows])
        self.grid = {1: np.array([row.a or 0 for row in rows]), second: np.array([row.b or 0 for row in rows])}


@pytest.fixture(scope="module")
def second(shared_demo_url: str) -> int:
    """A draft that moves units of the plan in force, some of whose grids are small themselves."""
    rng = np.random.default_rng(11)
    with transaction() as session:
        units = session.execute(HELD, {"plan": 1}).all()
        grids = sorted({unit.grid_id for unit in units})
        poor = set(rng.choice(grids, 6, replace=False).tolist())
        for unit in units:
            few = rng.random() < 0.4 or unit.grid_id in poor
            n = int(rng.integers(0, 2 if unit.grid_id in poor else 5)) if few else None
            if n is not None:
                told = {"n": n, "id": unit.unit_id}
                session.execute(sa.text("UPDATE unit SET households = :n, population = 3 * :n WHERE id = :id"), told)
        for plan in session.scalars(sa.text("SELECT id FROM plan ORDER BY id")).all():
            counts.sum_plan(session, plan)
        households.publish(session)
    draft: int = plans.copy_plan(SYSTEM, 1, name="第二个方案")
    with transaction() as session:
        session.execute(sa.text("SET LOCAL session_replication_role = replica"))  # borders are not what is tried here
        pairs = session.execute(HELD, {"plan": draft}).all()
        for unit in pairs:
            others = sorted({one.grid_id for one in pairs if one.region_id == unit.region_id} - {unit.grid_id})
            if others and rng.random() < 0.12:
                move = {"grid": int(rng.choice(others)), "unit": unit.unit_id, "plan": draft}
                session.execute(
                    sa.text("UPDATE plan_unit SET grid_id = :grid WHERE unit_id = :unit AND plan_id = :plan"), move
                )
        counts.sum_plan(session, draft)
    return draft


@pytest.fixture(scope="module")
def viewer(second: int, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A client with nothing but a viewer's token."""
    user = add_person("onlooker", "viewer")
    client = make_app(tmp_path_factory.mktemp("web")).test_client()
    made = tokens.create_token(Actor("onlooker", (Grant(Role.VIEWER),), user_id=user), "attack", 1)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {made[1]}"
    return client


class Attacker:
    """What the addresses say: sums of units that are known, and sums that are 1 to 4."""

    def __init__(self, client: FlaskClient, town: Town) -> None:
        self.client, self.town = client, town
        self.rows: dict[bytes, tuple[Ints, int, int]] = {}

    def listen(self, asked: list[int]) -> None:
        """Ask everything that tells households of plans and regions."""
        for plan in asked:
            self._plan(plan)
        for row in self._ask("/api/v1/regions")["items"]:
            if row["households"] is not None:
                self._hear(self._below(row["code"]), row["households"])
            self._coverage(row["code"], asked)

    def _ask(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.text[:300])
        return answer.json

    def _below(self, code: str) -> Ints:
        prefix = code[:6] if code[6:] == "0" * 6 else code[:9] if code[9:] == "000" else code
        return np.char.startswith(self.town.region, prefix)

    def _plan(self, plan: int) -> None:
        grid = self.town.grid[plan]
        rows = self._ask(f"/api/v1/plans/{plan}/grids?limit=500")["items"]
        shapes = {one["id"]: one["properties"] for one in self._ask(f"/api/v1/plans/{plan}/grids.geojson")["features"]}
        for row in rows:
            assert self._ask(f"/api/v1/plans/{plan}/grids/{row['id']}")["households"] == row["households"]
            if row["id"] in shapes:
                assert shapes[row["id"]]["households"] == row["households"]
            if row["kind"] == "micro":
                assert row["households"] is None
            elif row["households"] is not None:
                self._hear(grid == row["id"], row["households"])
            elif row["households_text"] == "<5":
                self._hear(grid == row["id"], 1, LEAST - 1)
            else:
                assert row["households_text"] == "—"
        whole = self._ask(f"/api/v1/plans/{plan}")
        for name, inside in (("households", grid > 0), ("unassigned_households", grid == 0)):
            if whole[name] is not None:
                self._hear(inside, whole[name])

    def _coverage(self, code: str, asked: list[int]) -> None:
        for plan in asked:
            for row in self._ask(f"/api/v1/coverage?plan={plan}&region={code}")["rows"]:
                if row["households"] is not None:
                    self._hear(self._below(row["code"]) & (self.town.grid[plan] > 0), row["households"])

    def _hear(self, units: Ints, low: int, high: int | None = None) -> None:
        true = int(self.town.households[units].sum())
        assert low <= true <= (low if high is None else high), (low, high, true)  # what is told is so
        self.rows[units.tobytes() + bytes([high is None])] = (units, low, low if high is None else high)

    def pinned(self, units: Ints) -> bool:
        """Whether all that was told leaves one value for the sum of the units."""
        true = int(self.town.households[units].sum())
        inhabited = self.town.households > 0
        matrix = csr_array(np.array([row[0][inhabited] for row in self.rows.values()], dtype=float))
        known = LinearConstraint(matrix, [row[1] for row in self.rows.values()], [row[2] for row in self.rows.values()])
        ends = []
        for sign in (1, -1):
            found = milp(
                sign * units[inhabited].astype(float), constraints=known, bounds=Bounds(0, 10_000),
                integrality=np.ones(int(inhabited.sum()), dtype=np.int64), options={"time_limit": 5.0},
            )  # fmt: skip
            assert found.x is not None, found.message
            ends.append(round(sign * found.fun))
        assert ends[0] <= true <= ends[1]
        return ends[0] == ends[1]


@pytest.fixture(scope="module")
def attacker(viewer: FlaskClient, second: int) -> Attacker:
    """Who listened under the first plan, and again when the second came into force."""
    found = Attacker(viewer, Town(second))
    found.listen([1])
    with transaction() as session:
        session.execute(sa.text("UPDATE plan SET valid_to = '2026-07-01' WHERE id = 1"))
        begin = {"day": date(2026, 7, 1), "id": second}
        session.execute(sa.text("UPDATE plan SET state = 'published', valid_from = :day WHERE id = :id"), begin)
        publish_plan(session, second)
    assert {row["households"] for row in found._ask(f"/api/v1/plans/{second}/grids?limit=500")["items"]} == {None}
    with transaction() as session:
        assert households.publish(session)
    found.listen([1, second])
    return found


#: Buildings without a count; bounds of the standard.
_NO_COUNTS = ("missing_households", "households_min", "households_max")


def small_ones(town: Town) -> Iterator[Ints]:
    yield from small_counts(town.households, list(town.grid.values()))


def test_no_small_count_can_be_worked_out(attacker: Attacker) -> None:
    small = list(small_ones(attacker.town))
    assert len(small) > 20
    grids = [units for units in small if any(len(set(grid[units])) == 1 for grid in attacker.town.grid.values())]
    chosen = [small[k] for k in np.random.default_rng(5).permutation(len(small))[:40].tolist()]
    for units in [*grids[:20], *chosen]:
        assert not attacker.pinned(units), np.flatnonzero(units)


def test_most_of_both_plans_is_told(attacker: Attacker, second: int) -> None:
    for plan in (1, second):
        rows = [r for r in attacker._ask(f"/api/v1/plans/{plan}/grids?limit=500")["items"] if r["kind"] != "micro"]
        told = sum(row["households"] is not None for row in rows)
        assert told > 0.4 * len(rows), (plan, told, len(rows))


def test_he_would_find_what_is_not_withheld(attacker: Attacker, second: int) -> None:
    """He is worth his name: told every grid of 5 and more he finds small ones."""
    better = Attacker(attacker.client, attacker.town)
    better.rows = dict(attacker.rows)
    for grid in attacker.town.grid.values():
        for one in np.unique(grid).tolist():
            true = int(attacker.town.households[grid == one].sum())
            if one and true >= LEAST:
                better._hear(grid == one, true)
    assert any(better.pinned(units) for units in list(small_ones(attacker.town))[:60])


def test_all_other_addresses_tell_no_households(attacker: Attacker, second: int) -> None:
    """Drafts are not there; whatever else answers has no number of households in it."""
    draft = next(one.id for one in plans.list_plans(SYSTEM) if one.state == "draft")
    asked = 0
    for rule in attacker.client.application.url_map.iter_rules():
        if not rule.rule.startswith("/api/") or "GET" not in (rule.methods or ()) or rule.endpoint in TELLING:
            continue
        for plan in (1, second, draft):
            built = rule.build({name: "csv" if name == "fmt" else plan for name in rule._converters})
            assert built is not None
            answer = attacker.client.get(built[1])
            if "plan_id" in rule._converters and plan == draft:
                assert answer.status_code in (403, 404), (built[1], answer.status_code)
            if answer.status_code == 200 and answer.is_json and "openapi" not in rule.rule:
                assert not list(_numbers(answer.json)), built[1]
                asked += 1
    assert asked > 15


def _numbers(said: Any, name: str = "") -> Iterator[int]:
    if isinstance(said, dict):
        for key, value in said.items():
            yield from _numbers(value, key)
    elif isinstance(said, list):
        for value in said:
            yield from _numbers(value, name)
    elif isinstance(said, int) and not isinstance(said, bool) and "household" in name and name not in _NO_COUNTS:
        yield said
