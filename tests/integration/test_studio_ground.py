"""The ground of a plan in the studio: what the browser gets, for whom, kept on disk, and the engine's own borders."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata.crs import middle_lon, to_metric
from geodata.packed import unpack
from geodata.redraw.build import units_from_coverage
from geodata.redraw.model import Borders
from geodata.topology import Lattice, Topology, polygons, to_lonlat
from gridmap.db import bulk
from gridmap.db.engine import transaction
from gridmap.db.models import Grid, Plan, PlanUnit, Region, Unit
from gridmap.errors import NotFound
from gridmap.jobs.tasks import prepare_ground
from gridmap.services import plans, redraw
from gridmap.services.actor import SYSTEM, Actor, Grant, Role
from gridmap.services.barriers import read_barriers
from gridmap.services.counts import sum_grids
from gridmap.services.plans.derive import derive
from gridmap.services.redraw.empty import joined
from gridmap.services.redraw.ground import read
from gridmap.services.studio import cache, open_plan, packed_ground, survey
from gridmap.services.studio.ground import read_ground
from tests.web import add_person, make_app, signed_in

COUNTY, TOWN, COMMUNITY = "339901000000", "339901001000", "339901001001"
BASE = 1  # the plan in force
ROOT = Path(__file__).resolve().parents[2]
NORTH = Actor("north", (Grant(Role.PLANNER, TOWN[:9]),))

Arrays = dict[str, np.ndarray]


def opened(actor: Actor = SYSTEM, plan: int = BASE) -> tuple[Any, dict[str, Any], Arrays]:
    """What the studio is told of a plan: its JSON part, meta and arrays of the ground."""
    found = open_plan(actor, plan)
    meta, arrays = unpack(packed_ground(actor, plan, found.version))
    return found, meta, arrays


def arcs_of(meta: dict[str, Any], arrays: Arrays) -> Topology:
    names = ("arc_start", "arc_x", "arc_y", "arc_left", "arc_right", "unit_rings", "ring_start", "ring_arc")
    return Topology(Lattice(*meta["origin"], meta["step"]), *(arrays[name] for name in names))


def units_of(plan: int) -> dict[str, bulk.Objects]:
    """Units of a plan by region code, number and id, with lon/lat geometry and the code of their grid."""
    chosen = (
        sa.select(Unit.id, Unit.number, Unit.households, Unit.population, Unit.buildings, Unit.estimated_households,
                  Region.code, Region.id.label("region"), Grid.kind, Grid.code.label("grid"),
                  sa.func.ST_AsBinary(Unit.geom).label("geom"))
        .join(PlanUnit, PlanUnit.unit_id == Unit.id)
        .join(Region, Region.id == Unit.region_id)
        .outerjoin(Grid, Grid.id == PlanUnit.grid_id)
        .where(PlanUnit.plan_id == plan)
        .order_by(Region.code, Unit.number, Unit.id)
    )  # fmt: skip
    with transaction() as session:
        table = bulk.columns(session, chosen)
    return table | {"geom": bulk.shapes(table["geom"])}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of units of every ground that is made while the test runs, on an empty cache."""
    found: list[int] = []
    real = survey.survey

    def counted(shapes: Any, *rest: Any) -> bytes:
        found.append(len(shapes))
        return real(shapes, *rest)

    monkeypatch.setattr(survey, "survey", counted)
    return found


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "ground")
    return tmp_path / "ground"


@pytest.mark.usefixtures("shared_demo_url")
class TestRead:
    """On the demo town, which nobody changes."""

    def test_units_come_in_order_with_their_counts(self) -> None:
        found, meta, arrays = opened()
        units = units_of(BASE)
        assert meta["n"] == len(units["id"]) == len(found.assignment) > 90
        assert (arrays["id"] == units["id"].astype(float)).all()
        for name, column in (
            ("number", "number"), ("households", "households"), ("population", "population"),
            ("buildings", "buildings"), ("estimated", "estimated_households"),
        ):  # fmt: skip
            assert (arrays[name] == units[column].astype(np.int64)).all(), name
        assert [found.regions[at]["code"] for at in arrays["region"]] == units["code"].tolist()
        codes = [None if at < 0 else found.grids[at]["code"] for at in found.assignment]
        assert codes == units["grid"].tolist() and len(set(codes)) > 10
        plan = plans.get(SYSTEM, BASE)
        assert arrays["households"].sum() == plan.households + plan.unassigned_households

    def test_arcs_give_the_units_and_the_grids_of_the_database(self) -> None:
        found, meta, arrays = opened()
        units, arcs = units_of(BASE), arcs_of(meta, arrays)
        off = shapely.area(shapely.symmetric_difference(polygons(arcs), units["geom"]))
        assert (off <= 3e-8 * shapely.length(units["geom"])).all()
        assert (shapely.contains_xy(units["geom"], *inside(arcs, arrays).T)).all()
        grid = np.append(found.assignment, -1)
        left, right = grid[arcs.arc_left], grid[arcs.arc_right]
        with transaction() as session:
            chosen = sa.select(Grid.id, sa.func.ST_AsBinary(Grid.geom).label("geom")).where(Grid.plan_id == BASE)
            table = bulk.columns(session, chosen.order_by(Grid.code, Grid.id))
        assert table["id"].tolist() == [row["id"] for row in found.grids]
        for at in range(0, len(found.grids), 7):
            if found.grids[at]["units"]:
                outline = shapely.boundary(shapely.from_wkb(table["geom"][at]))
                chosen_arcs = np.flatnonzero((left == at) != (right == at))
                drawn = shapely.union_all([line(arcs, arc) for arc in chosen_arcs])
                assert shapely.hausdorff_distance(drawn, outline) < 1e-7

    @pytest.mark.parametrize("region", [None, TOWN, COMMUNITY])
    def test_the_engine_has_the_borders_it_would_measure_itself(self, region: str | None) -> None:
        """Beside the way it was done before there was a cache: a survey of the units that are drawn and no others."""
        found = read(SYSTEM, BASE, redraw.Wish(region))
        units = units_of(BASE)
        prefix = {None: COUNTY[:6], TOWN: TOWN[:9], COMMUNITY: COMMUNITY}[region]
        mine = np.array([code.startswith(prefix) for code in units["code"]]) & (units["kind"] != "special")
        assert (found.unit_ids == units["id"][mine].astype(np.int64)).all()
        shapes = units["geom"][mine]
        lon0 = middle_lon(shapes)
        with transaction() as session:
            sides = dict(zip(("west", "south", "east", "north"), shapely.total_bounds(shapes).tolist(), strict=True))
            barriers = read_barriers(session, sides, lon0)
        wanted, built = units_from_coverage(
            to_metric(shapes, lon0),
            units["households"][mine].astype(np.int64),
            units["population"][mine].astype(np.int64),
            np.unique(units["code"][mine].astype(str), return_inverse=True)[1],
            barriers=barriers,
        )
        assert built.tiled
        wanted, had = joined(wanted), found.instance.units
        for name in ("area_m2", "perimeter_m"):
            assert np.allclose(getattr(had, name), getattr(wanted, name), rtol=1e-12)
        assert (had.group == wanted.group).all()
        same_borders(had.borders, wanted.borders)
        assert had.borders.barrier_m.any() and not had.borders.crossable.all()

    def test_the_browser_has_the_borders_of_the_engine(self) -> None:
        _, _, arrays = opened()
        engine = read(SYSTEM, BASE, redraw.Wish(None))
        number = {one: k for k, one in enumerate(arrays["id"].astype(np.int64).tolist())}
        at = np.array([number[one] for one in engine.unit_ids.tolist()])
        drawn = np.zeros(len(arrays["id"]), dtype=bool)
        drawn[at] = True
        assert not drawn.all()  # special-purpose grids
        inside = drawn[arrays["pair_i"]] & drawn[arrays["pair_j"]]
        borders = engine.instance.units.borders
        assert (at[borders.i] == arrays["pair_i"][inside]).all() and (at[borders.j] == arrays["pair_j"][inside]).all()
        assert (borders.length_m == arrays["pair_length_m"][inside]).all()
        assert (borders.crossable == arrays["pair_crossable"][inside].astype(bool)).all()

    def test_arcs_name_the_barrier_they_follow(self) -> None:
        _, meta, arrays = opened()
        arcs = arcs_of(meta, arrays)
        with transaction() as session:
            rows = bulk.columns(
                session,
                sa.text("SELECT kind, ST_AsBinary(geom) AS geom FROM barrier WHERE NOT tunnel"),
            )
        shapes = bulk.shapes(rows["geom"])
        lon0 = middle_lon(shapes)
        metric = to_metric(shapes, lon0)
        assert {1, 2} <= set(arrays["arc_barrier"].tolist())
        for arc in range(0, len(arrays["arc_barrier"]), 97):
            drawn = to_metric(np.array([line(arcs, arc)], dtype=object), lon0)[0]
            if shapely.length(drawn) < 20:
                continue
            near = {
                kind: shapely.length(
                    shapely.intersection(drawn, shapely.union_all(shapely.buffer(metric[rows["kind"] == kind], 10)))
                )
                for kind in ("road", "water", "rail", "wall")
            }
            share = max(near.values()) / shapely.length(drawn)
            said = (None, "road", "water", "rail", "wall")[arrays["arc_barrier"][arc]]
            if said is None:
                assert share < 0.7
            else:
                assert near[said] / shapely.length(drawn) > 0.3 and near[said] >= 0.8 * max(near.values())

    def test_a_reader_sees_only_what_lies_in_his_regions(self) -> None:
        whole, _, everything = opened()
        part, meta, arrays = opened(NORTH)
        assert {row["code"] for row in part.regions} == {
            row["code"] for row in whole.regions if row["code"].startswith(TOWN[:9])
        }
        mine = np.flatnonzero(np.isin(everything["id"], arrays["id"]))
        assert 0 < len(mine) < len(everything["id"]) and meta["n"] == len(mine)
        assert (arrays["households"] == everything["households"][mine]).all()
        assert part.version != whole.version and len(part.assignment) == len(mine)
        inside_pairs = np.isin(everything["pair_i"], mine) & np.isin(everything["pair_j"], mine)
        assert (arrays["pair_length_m"] == everything["pair_length_m"][inside_pairs]).all()
        assert (mine[arrays["pair_i"]] == everything["pair_i"][inside_pairs]).all()
        units = units_of(BASE)["geom"][mine]
        off = shapely.area(shapely.symmetric_difference(polygons(arcs_of(meta, arrays)), units))
        assert (off <= 3e-8 * shapely.length(units)).all()
        with pytest.raises(NotFound, match="ground"):
            packed_ground(NORTH, BASE, whole.version)
        elsewhere = Actor("elsewhere", (Grant(Role.ADMINISTRATOR, "110101"),))
        with pytest.raises(NotFound):
            open_plan(elsewhere, BASE)

    def test_only_a_planner_of_all_of_a_draft_edits(self) -> None:
        draft = plan_in("draft")
        assert opened(SYSTEM, draft)[0].may_edit and len(set(opened(SYSTEM, draft)[0].reserved)) == 200
        for actor, plan in ((SYSTEM, BASE), (NORTH, draft), (Actor("approver", (Grant(Role.APPROVER),)), draft)):
            found = opened(actor, plan)[0]
            assert not found.may_edit and found.reserved == []

    def test_a_draft_is_compared_with_the_plan_in_force(self) -> None:
        assert opened()[0].base is None
        found, _, _ = opened(SYSTEM, plan_in("draft"))
        units = units_of(BASE)
        assert found.base is not None and found.base["plan_id"] == BASE
        codes = [None if at < 0 else found.base["grids"][at]["code"] for at in found.base["assignment"]]
        assert codes == units["grid"].tolist()

    def test_regions_tell_the_bounds_of_their_class(self) -> None:
        found, _, _ = opened()
        by_class = {row["class"]: (row["low"], row["high"], row["population_limit"]) for row in found.regions}
        assert by_class["urban"] == (300, 500, 2000) and by_class["rural"][:2] == (200, 300)
        assert found.code["length"] == 15 and found.code["prefix_length"] == 12
        assert found.code["number_max"] == 999 and isinstance(found.code["retired"], list)

    def test_it_is_made_once_and_then_read(self, made: list[int], empty_cache: Path) -> None:
        first = opened()[2]
        again = opened()[2]
        read(SYSTEM, BASE, redraw.Wish(COMMUNITY))
        opened(NORTH)
        assert made == [len(first["id"])]
        assert all((again[name] == column).all() for name, column in first.items())
        assert len(list(empty_cache.glob("*.gmp"))) == 1 and not list(empty_cache.glob(".*.part"))

    @pytest.mark.parametrize(
        "hurt", [lambda old: old[:-20], lambda old: b"", lambda old: old[:-9] + bytes([old[-9] ^ 1]) + old[-8:]]
    )
    def test_a_damaged_file_is_made_anew(
        self, made: list[int], empty_cache: Path, hurt: Callable[[bytes], bytes]
    ) -> None:
        opened()
        (path,) = empty_cache.glob("*.gmp")
        good = path.read_bytes()
        path.write_bytes(hurt(good))
        opened()
        assert len(made) == 2 and path.read_bytes() == good

    def test_two_processes_at_once_make_one(self, shared_demo_url: str, tmp_path: Path) -> None:
        script = (
            "import sys; from gridmap.db import engine; engine.connect(sys.argv[1])\n"
            "from gridmap.services.studio import survey, open_plan; from gridmap.services.actor import SYSTEM\n"
            "real, made = survey.survey, []\n"
            "survey.survey = lambda *given: made.append(1) or real(*given)\n"
            "print(open_plan(SYSTEM, 1).version, len(made))"
        )
        env = {**os.environ, "GRIDMAP_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
        running = [
            subprocess.Popen(
                [sys.executable, "-c", script, shared_demo_url], env=env, stdout=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        told = [process.communicate(timeout=60)[0].split() for process in running]
        assert told[0][0] == told[1][0] and sorted(made for _, made in told) == ["0", "1"]

    def test_over_http(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gridmap.web.api.studio.WORTH_BYTES", 1000)
        app = make_app(tmp_path)
        add_person("onlooker", "viewer")
        assert signed_in(app, "onlooker").get(f"/api/v1/plans/{BASE}/studio").json["code"] == "HOUSEHOLDS_FEW"
        add_person("looker", "approver")
        client = signed_in(app, "looker")
        told = client.get(f"/api/v1/plans/{BASE}/studio", headers={"Accept-Encoding": "gzip"})
        assert told.headers["Content-Encoding"] == "gzip"
        body = client.get(f"/api/v1/plans/{BASE}/studio").get_json()
        assert gzip.decompress(told.data) and body["user"]["name"] == "Looker" and not body["may_edit"]
        plain = client.get(body["ground"])
        assert plain.mimetype == "application/octet-stream" and "Content-Encoding" not in plain.headers
        assert plain.headers["Cache-Control"].startswith("private") and "immutable" in plain.headers["Cache-Control"]
        packed = client.get(body["ground"], headers={"Accept-Encoding": "gzip, br"})
        assert gzip.decompress(packed.data) == plain.data and len(packed.data) < 0.7 * len(plain.data)
        again = client.get(body["ground"], headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
        assert again.status_code == 304 and not again.data
        assert packed.headers["ETag"] != plain.headers["ETag"]
        stale = client.get(f"/api/v1/plans/{BASE}/ground/0123456789ab")
        assert (stale.status_code, stale.get_json()["code"]) == (404, "GROUND_STALE")
        assert "no-store" in stale.headers["Cache-Control"]


@pytest.mark.usefixtures("demo_url")
class TestChange:
    """On a demo town of its own."""

    def test_counts_are_read_fresh(self, made: list[int], empty_cache: Path) -> None:
        before, _, arrays = opened()
        chosen = int(arrays["id"][5])
        with transaction() as session:
            session.execute(sa.update(Unit).where(Unit.id == chosen).values(households=Unit.households + 7))
            follow(session)
        after, _, now = opened()
        assert now["households"][5] == arrays["households"][5] + 7
        assert before.version != after.version and len(made) == 1
        with pytest.raises(NotFound) as caught:
            packed_ground(SYSTEM, BASE, before.version)
        assert caught.value.code == "GROUND_STALE"

    def test_other_barriers_make_another_ground(self, made: list[int], empty_cache: Path) -> None:
        opened()
        with transaction() as session:
            session.execute(sa.text("UPDATE barrier SET class = 'trunk' WHERE id = (SELECT min(id) FROM barrier)"))
        opened()
        with transaction() as session:
            session.execute(sa.text("UPDATE barrier SET geom = ST_Translate(geom, 1e-4, 0) WHERE kind = 'road'"))
        opened()
        assert len(made) == 3

    def test_pieces_of_a_cut_share_their_borders_with_the_neighbours(self, empty_cache: Path) -> None:
        draft = plan_in("draft")
        units = units_of(draft)
        before, _, old = opened(SYSTEM, draft)
        areas = shapely.area(units["geom"])
        at = int(np.flatnonzero((areas > np.median(areas)) & (units["kind"] != "special"))[0])
        parent = int(units["id"][at])
        pieces = cut(draft, parent)
        found, meta, arrays = opened(SYSTEM, draft)
        assert meta["n"] == len(units["id"]) + 1 and meta["tolerance_m"] == 0
        assert found.version != before.version
        ids = arrays["id"].astype(np.int64)
        rows = np.flatnonzero(np.isin(ids, pieces))
        arcs = arcs_of(meta, arrays)
        own = np.isin(arcs.arc_left, rows) ^ np.isin(arcs.arc_right, rows)
        old_arcs = (old["arc_left"] == at) | (old["arc_right"] == at)
        outside = (arcs.arc_left < 0) | (arcs.arc_right < 0)
        assert (own & outside).sum() == (old_arcs & ((old["arc_left"] < 0) | (old["arc_right"] < 0))).sum()
        assert ((np.isin(arcs.arc_left, rows)) & (np.isin(arcs.arc_right, rows))).sum() == 1
        pair = np.isin(arrays["pair_i"], rows) & np.isin(arrays["pair_j"], rows)
        assert pair.sum() == 1
        neighbours = {
            *ids[arrays["pair_j"][np.isin(arrays["pair_i"], rows)]],
            *ids[arrays["pair_i"][np.isin(arrays["pair_j"], rows)]],
        }
        was_beside = {*old["id"][old["pair_j"][old["pair_i"] == at]], *old["id"][old["pair_i"][old["pair_j"] == at]]}
        assert neighbours - set(pieces) == was_beside
        assert found.base is not None and before.base is not None
        parents = [found.base["grids"][found.base["assignment"][row]]["code"] for row in rows]
        assert set(parents) == {before.base["grids"][before.base["assignment"][at]]["code"]}
        engine = read(SYSTEM, draft, redraw.Wish(None))
        assert set(pieces) <= set(engine.unit_ids.tolist())

    def test_a_new_plan_has_its_ground_made_by_the_worker(self, made: list[int], empty_cache: Path) -> None:
        new = plans.create_empty(SYSTEM, "新方案", COUNTY)
        with transaction() as session:
            queued = sa.text("SELECT args FROM procrastinate_jobs WHERE task_name = 'prepare_ground' ORDER BY id DESC")
            assert session.scalars(queued).first() == {"plan_id": new}
        prepare_ground(new)
        assert len(made) == 1
        opened(SYSTEM, new)
        assert len(made) == 1
        prepare_ground(987654)  # deleted meanwhile

    def test_a_plan_of_units_that_have_retired_keeps_its_ground(self, empty_cache: Path) -> None:
        before = opened()[2]
        with transaction() as session:
            session.execute(sa.update(Unit).values(retired_at=sa.func.now()))
        assert (opened()[2]["id"] == before["id"]).all()

    def test_a_plan_without_units_opens_empty(self) -> None:
        draft = plan_in("draft")
        with transaction() as session:
            session.execute(sa.delete(PlanUnit).where(PlanUnit.plan_id == draft))
            follow(session)
        found, meta, arrays = opened(SYSTEM, draft)
        assert meta["n"] == 0 and found.assignment == [] and found.bounds is None
        assert arrays.keys() == opened()[2].keys() and arrays["arc_start"].tolist() == [0]

    def test_a_grid_made_special_is_left_out_when_ways_are_opened(self, empty_cache: Path) -> None:
        """The browser's ways are the engine's, whatever kind a grid becomes."""
        draft = plan_in("draft")
        for kind in ("special", "basic"):
            with transaction() as session:
                session.execute(sa.update(Grid).where(Grid.plan_id == draft, Grid.id % 3 == 0).values(kind=kind))
            with transaction() as session:
                ground = read_ground(session, SYSTEM, draft)
            engine = read(SYSTEM, draft, redraw.Wish(None))
            drawn = np.isin(ground.numbers.id, engine.unit_ids)
            inside = drawn[ground.borders.i] & drawn[ground.borders.j]
            assert (ground.borders.crossable[inside] == engine.instance.units.borders.crossable).all()


def test_the_oldest_files_go_first(tmp_path: Path) -> None:
    for number in range(5):
        path = tmp_path / f"{number}.gmp"
        path.write_bytes(bytes(100))
        os.utime(path, (number, number))
    cache.sweep(tmp_path, files_max=4, bytes_max=10**6)
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["1", "2", "3", "4"]
    cache.sweep(tmp_path, files_max=4, bytes_max=250)
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["3", "4"]
    cache.sweep(tmp_path, files_max=4, bytes_max=1)
    assert [path.stem for path in tmp_path.iterdir()] == ["4"]  # the one in use stays, however large


def plan_in(state: str) -> int:
    """A plan in ``state`` over the same units as the one in force."""
    with transaction() as session:
        found = session.scalar(sa.select(Plan.id).where(Plan.state == state).order_by(Plan.id))
    assert found is not None
    return int(found)


def cut(plan: int, parent: int) -> list[int]:
    """Cut a unit of a plan in two across its middle, as a free-hand cut does; the ids of the pieces."""
    with transaction() as session:
        unit = session.get_one(Unit, parent)
        shape = shapely.from_wkb(session.scalar(sa.select(sa.func.ST_AsBinary(Unit.geom)).where(Unit.id == parent)))
        middle = shapely.point_on_surface(shape)
        west, _, east, _ = shape.bounds
        slope = shapely.LineString([(west - 1e-3, middle.y - 1e-4), (east + 1e-3, middle.y + 1e-4)])
        parts = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.node(
            shapely.union_all([shapely.boundary(shape), slope])
        ))))  # fmt: skip
        parts = [part for part in parts if shape.contains(shapely.point_on_surface(part))]
        assert len(parts) >= 2
        halves = np.array([parts[0], shapely.union_all(parts[1:])], dtype=object)
        ids = bulk.reserve_ids(session, Unit, 2).tolist()
        grid = session.scalar(sa.select(PlanUnit.grid_id).where(PlanUnit.plan_id == plan, PlanUnit.unit_id == parent))
        bulk.copy(
            session,
            "unit",
            {
                "id": ids,
                "region_id": [unit.region_id] * 2,
                "number": [unit.number] * 2,
                "geom": bulk.wkb_hex(bulk.multi(halves)),
                "area_m2": [unit.area_m2 / 2] * 2,
                "households": [unit.households, 0],
                "cut_of": [parent] * 2,
            },
        )
        session.execute(sa.update(Unit).where(Unit.id.in_(ids)).values(retired_at=sa.func.now()))
        session.execute(sa.delete(PlanUnit).where(PlanUnit.plan_id == plan, PlanUnit.unit_id == parent))
        bulk.copy(session, "plan_unit", {"plan_id": [plan] * 2, "unit_id": ids, "grid_id": [grid] * 2})
        follow(session)
    return ids


def follow(session: Session) -> None:
    """All grids again say what their units say: nothing else may be committed."""
    grids = session.scalars(sa.select(Grid.id)).all()
    derive(session, grids)
    sum_grids(session, grids)


def same_borders(had: Borders, wanted: Borders) -> None:
    assert (had.i == wanted.i).all() and (had.j == wanted.j).all()
    for name in ("length_m", "barrier_m", "torn_m"):
        assert np.allclose(getattr(had, name), getattr(wanted, name), rtol=1e-9, atol=1e-9), name
    assert (had.crossable == wanted.crossable).all()


def line(arcs: Topology, arc: int) -> Any:
    span = slice(arcs.arc_start[arc], arcs.arc_start[arc + 1])
    return shapely.LineString(to_lonlat(arcs.lattice.world(np.stack([arcs.arc_x[span], arcs.arc_y[span]], axis=1))))


def inside(arcs: Topology, arrays: Arrays) -> np.ndarray:
    """The point in each unit, in degrees."""
    return to_lonlat(arcs.lattice.world(np.stack([arrays["x"], arrays["y"]], axis=1)))
