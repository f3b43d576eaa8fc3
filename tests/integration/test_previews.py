"""Previews: the best plan so far while it runs, stopped, kept, abandoned; nothing is written; they wait for nobody."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from geodata.redraw.measure import measure
from geodata.redraw.result import Step
from gridmap.db.engine import transaction
from gridmap.db.models import Job
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services import assist, jobs, redraw
from gridmap.services.actor import SYSTEM
from gridmap.services.assist import draw
from gridmap.services.redraw import Wish
from gridmap.services.redraw.ground import Ground, read
from tests.integration import desk
from tests.integration.desk import ELSEWHERE, LOOKER, PLAN, TOWN
from tests.integration.test_redraw import assignment

SHORT = Wish(TOWN, 0.6)


@pytest.fixture(scope="module")
def shared(shared_demo_url: str) -> Iterator[str]:
    desk.make_draft()
    yield shared_demo_url


@pytest.fixture
def now(shared: str) -> int:
    """The version of the draft, which no preview changes."""
    return desk.version()


def run(now: int, wish: Wish = SHORT, **asked: Any) -> assist.PreviewView:
    """A preview from asking to its end."""
    job_id = assist.ask_preview(SYSTEM, PLAN, now, wish, **asked)
    assist.run_preview(job_id)
    return assist.follow(SYSTEM, job_id)


def test_a_preview_says_what_it_would_do_and_writes_nothing(now: int) -> None:
    before = assignment(PLAN)
    view = run(now)
    assert (view.state, view.progress, view.error) == ("done", 1.0, "")
    assert desk.version() == now and assignment(PLAN) == before and redraw.proposals(SYSTEM, PLAN) == ()
    (plan,) = view.result["plans"]
    ground = read(SYSTEM, PLAN, Wish(TOWN))
    made = desk.made(ground, plan["moves"])
    stands = measure(ground.instance, made)
    told = plan["standing"]
    assert (told["grids"], told["in_band"]) == (len(stands.grids.grid), (stands.grids.status == 0).sum())
    assert told["in_band"] > view.result["before"]["in_band"] and told["pieces"] == 0
    moved = ground.instance.units.households[(ground.instance.start >= 0) & (made != ground.instance.start)].sum()
    assert plan["measures"]["households_moved"] == moved
    assert plan["title"] == "重划结果" and view.result["standing"] == told
    wrong = {one["grid"] for one in plan["wrong"]}
    names = [ground.grid_ids[grid] if grid < len(ground.grid_ids) else "new" for grid in stands.grids.grid]
    broken = {int(name) for name, status in zip(names, stands.grids.status, strict=True) if status and name != "new"}
    assert broken <= wrong and all(one["reason"] and "{" not in one["reason"] for one in plan["wrong"])


def test_clusters_can_be_adopted_one_by_one(now: int) -> None:
    (plan,) = run(now).result["plans"]
    ground = read(SYSTEM, PLAN, Wish(TOWN))
    whole = desk.made(ground, plan["moves"])
    known, seen, households = len(ground.grid_ids), set(), 0
    full, rows = desk.table(ground, whole)
    for cluster in plan["clusters"]:
        names = set(cluster["grids"])
        assert not names & seen
        seen |= names
        mine = [move for move in plan["moves"] if move["to"] in names]
        assert all(move["from"] in names for move in mine if move["from"] is not None)
        assert sum(len(move["units"]) for move in mine) == cluster["units"]
        assert sum(move["households"] for move in mine) == cluster["households"]
        households += cluster["households"]
        alone, row = desk.table(ground, desk.made(ground, mine))
        for name in names & row.keys():  # its grids are as in the whole plan, all others as they were
            assert alone.households[row[name]] == full.households[rows[name]]
            assert alone.pieces[row[name]] == full.pieces[rows[name]]
        assert all(
            cluster["community"] == ground.codes[group] for group in alone.group[[row[n] for n in names & row.keys()]]
        )
    assert seen and households == sum(move["households"] for move in plan["moves"])
    new = {name for name in seen if isinstance(name, str)}
    assert new == {f"new:{at}" for at in range(len(new))} and known > 0


def test_only_the_ground_of_chosen_grids_changes(now: int) -> None:
    home = next(code for code in (f"{TOWN[:9]}{at:03d}" for at in range(1, 10)) if len(desk.grids(within=code)) > 4)
    chosen = [one.id for one in desk.grids(within=home)][:3]
    locked = desk.lock(chosen[:1])
    view = run(locked, Wish(seconds=0.5), grids=tuple(chosen))
    (plan,) = view.result["plans"]
    touched = {move[side] for move in plan["moves"] for side in ("to", "from") if isinstance(move[side], int)}
    assert touched <= set(chosen[1:]) and view.result["region"] == home
    desk.lock(chosen[1:])
    with pytest.raises(Conflict) as caught:
        run(desk.version(), Wish(seconds=0.5), grids=tuple(chosen))
    assert caught.value.code == "ASSIST_CLOSED_ALL"
    desk.lock(chosen, locked=False)


def test_the_front_gives_named_plans_to_choose_from(now: int) -> None:
    plans = run(now, Wish(TOWN, 1.5), front=True).result["plans"]
    assert 1 < len(plans) <= 5 and len({plan["title"] for plan in plans}) == len(plans)
    moved = [plan["measures"]["households_moved"] for plan in plans]
    assert moved == sorted(moved) and all(plan["about"] for plan in plans)
    ground = read(SYSTEM, PLAN, Wish(TOWN))
    for plan in plans:
        made = desk.made(ground, plan["moves"])
        assert measure(ground.instance, made).grids.pieces.max() == 1


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that has a plan at once and goes on until it is stopped, as in a large region."""
    search = draw._search

    def slow(ground: Ground, task: draw.Task, progress: Callable[[Step], bool]) -> Any:
        found = search(ground, task, progress)
        plan = found[0][2].plan
        end = time.monotonic() + 20
        while not progress(Step(0.4, 1000, (0, 0.0, 0.0), plan)):
            assert time.monotonic() < end
            time.sleep(0.02)
        return found

    monkeypatch.setattr(draw, "_LOOK_EVERY_S", 0.1)
    monkeypatch.setattr(draw, "_search", slow)


@pytest.mark.usefixtures("endless")
def test_the_best_plan_so_far_is_told_while_it_runs_and_kept(now: int) -> None:
    job_id = assist.ask_preview(SYSTEM, PLAN, now, Wish(TOWN, 0.5))
    seen: list[assist.PreviewView] = []

    def watch() -> None:
        until(lambda: len(assist.follow(SYSTEM, job_id).result["plans"]) > 0)
        seen.append(assist.follow(SYSTEM, job_id))
        assist.stop(SYSTEM, job_id, "keep")

    watcher = threading.Thread(target=watch)
    watcher.start()
    assist.run_preview(job_id)
    watcher.join()
    during, after = seen[0], assist.follow(SYSTEM, job_id)
    assert during.state == "running" and 0 < during.progress < 1 and during.doing_zh == "划分"
    ground = read(SYSTEM, PLAN, Wish(TOWN))
    made = desk.made(ground, during.result["plans"][0]["moves"])
    assert (made >= 0).all() and during.result["standing"]["grids"] == len(np.unique(made))
    assert after.state == "done" and after.result["plans"][0]["moves"] == during.result["plans"][0]["moves"]


@pytest.mark.parametrize("how", ["cancel", "unseen"])
def test_one_that_nobody_wants_ends(how: str, now: int) -> None:
    job_id = assist.ask_preview(SYSTEM, PLAN, now, Wish(TOWN, 60.0))
    jobs.note(job_id, state="running")
    if how == "cancel":
        with pytest.raises(Forbidden):
            assist.stop(LOOKER, job_id, "cancel")
        assist.stop(SYSTEM, job_id, "cancel")
    else:
        forget(job_id)
    with pytest.raises(Conflict):
        assist.run_preview(job_id)
    view = assist.follow(SYSTEM, job_id)
    assert (view.state, view.result["plans"]) == ("failed", [])
    assert view.error_code == ("JOB_CANCELLED" if how == "cancel" else "ASSIST_PREVIEW_ABANDONED") and view.error


@pytest.mark.usefixtures("endless")
def test_a_closed_tab_burns_no_power(now: int) -> None:
    job_id = assist.ask_preview(SYSTEM, PLAN, now, Wish(TOWN, 0.5))

    def leave() -> None:
        until(lambda: bool(jobs.get(SYSTEM, job_id).result))
        forget(job_id)

    tab = threading.Thread(target=leave)
    tab.start()
    with pytest.raises(Conflict) as caught:
        assist.run_preview(job_id)
    tab.join()
    assert caught.value.code == "ASSIST_PREVIEW_ABANDONED"
    assert assist.follow(SYSTEM, job_id).result["plans"] == []


def test_who_looks_keeps_it_going(now: int) -> None:
    job_id = assist.ask_preview(SYSTEM, PLAN, now, SHORT)
    forget(job_id)
    assist.follow(SYSTEM, job_id)
    assist.run_preview(job_id)
    assert assist.follow(SYSTEM, job_id).state == "done"


def test_a_new_one_ends_the_one_before(now: int) -> None:
    first = assist.ask_preview(SYSTEM, PLAN, now, SHORT)
    second = assist.ask_preview(SYSTEM, PLAN, now, SHORT)
    assert first != second
    assert assist.follow(SYSTEM, first).error_code == "JOB_CANCELLED"
    assert assist.follow(SYSTEM, second).state == "waiting"
    assist.run_preview(first)  # the queue still holds it
    assert assist.follow(SYSTEM, first).state == "failed"


def test_what_is_refused(now: int) -> None:
    job_id = assist.ask_preview(SYSTEM, PLAN, now, SHORT)
    with pytest.raises(NotFound):
        assist.follow(ELSEWHERE, job_id)
    with pytest.raises(Forbidden):
        assist.follow(LOOKER, job_id)
    with pytest.raises(NotFound):
        assist.follow(SYSTEM, redraw.ask_redraw(SYSTEM, PLAN, SHORT))
    with pytest.raises(NotFound) as caught:
        assist.ask_preview(SYSTEM, PLAN, now, SHORT, grids=(10**9,))
    assert caught.value.code == "ASSIST_GRID_UNKNOWN"
    with pytest.raises(Invalid):
        assist.ask_preview(SYSTEM, PLAN, now, Wish(TOWN, weights={"beauty": 1.0}))


def test_a_plan_that_moves_on_while_the_preview_waits(now: int) -> None:
    job_id = assist.ask_preview(SYSTEM, PLAN, now, SHORT)
    grid = desk.grids()[0]
    desk.apply(grids=[(grid.id, {"name": "改名"})], tool="rename")
    with pytest.raises(Conflict):
        assist.run_preview(job_id)
    assert assist.follow(SYSTEM, job_id).error_code == "PLAN_CHANGED"


def test_a_preview_does_not_wait_behind_heavy_work(shared: str, now: int) -> None:
    """The first heavy job hangs on a row that is locked here, as a long import would take its time."""
    heavy, second = (redraw.ask_redraw(SYSTEM, PLAN, Wish(TOWN, 1.0, seed)) for seed in (1, 2))
    environment = {**os.environ, "DATABASE_URL": shared}
    worker = subprocess.Popen([sys.executable, "-m", "gridmap.jobs.worker"], env=environment)
    try:
        with transaction() as session:
            session.get_one(Job, heavy, with_for_update=True)
            until(lambda: queued(heavy) == "doing")
            preview = assist.ask_preview(SYSTEM, PLAN, now, SHORT)
            until(lambda: assist.follow(SYSTEM, preview).state == "done")
            assert (queued(heavy), queued(second)) == ("doing", "todo"), "one heavy job at a time"
        redraw.stop(SYSTEM, second, "cancel")
        until(lambda: jobs.get(SYSTEM, heavy).state == "done")
    finally:
        worker.terminate()
        assert worker.wait(20) == 0


def queued(job_id: int) -> str | None:
    """How the queue holds a job."""
    found = sa.text(
        "SELECT q.status::text FROM procrastinate_jobs q JOIN job j ON j.queued_as = q.id WHERE j.id = :job"
    )
    with transaction() as session:
        return session.scalar(found, {"job": job_id})


def forget(job_id: int) -> None:
    """As if nobody had looked at a job for a minute."""
    with transaction() as session:
        job = session.get_one(Job, job_id)
        job.arguments = {**job.arguments, "seen": time.time() - 60}


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)
