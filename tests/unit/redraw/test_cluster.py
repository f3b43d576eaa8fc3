"""Parts of a redraw on a real scheduler: same plan as on one machine, progress, cancel, and what cannot be reached."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Iterator
from time import monotonic

import numpy as np
import pytest

from geodata.errors import GeodataError
from geodata.redraw.engine import redraw
from geodata.redraw.result import Step
from geodata.redraw.verify import verify
from tests.unit.redraw.towns import town

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler with two worker processes, reached over TCP."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
        with distributed.LocalCluster(processes=True, protocol="tcp", **options) as cluster:
            yield cluster.scheduler_address


def test_a_cluster_draws_what_one_machine_draws(address: str) -> None:
    instance = town(5, 60, groups=3, start=True, barriers=True)
    steps: list[Step] = []
    there = redraw(instance, seed=4, moves=30_000, scheduler=address, progress=lambda step: steps.append(step))
    here = redraw(instance, seed=4, moves=30_000)
    assert np.array_equal(there.plan, here.plan)
    assert (there.moves, there.stopped) == (here.moves, "done")
    assert [step.share for step in steps] == sorted(step.share for step in steps)


def test_a_stopped_redraw_brings_the_best_plan_of_every_part(address: str) -> None:
    instance = town(6, 600, groups=3, start=True)
    began = monotonic()
    drawn = redraw(instance, seconds=60, scheduler=address, progress=lambda step: True)
    assert monotonic() - began < 10
    assert drawn.stopped == "cancelled"
    assert verify(instance, drawn.plan) == []


def test_workers_are_free_again_after_an_error(address: str) -> None:
    instance = town(6, 400, groups=2)

    def fail(step: Step) -> bool:
        raise RuntimeError("page closed")

    with pytest.raises(RuntimeError, match="page closed"):
        redraw(instance, seconds=60, scheduler=address, progress=fail)
    began = monotonic()
    redraw(instance, moves=1000, scheduler=address)
    assert monotonic() - began < 10


def test_a_scheduler_that_does_not_answer_is_a_coded_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geodata.redraw.cluster._REACH_S", 1.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    for address in (nobody, "tcp://127.0.0.1:99999", "what is this"):
        with pytest.raises(GeodataError) as caught:
            redraw(town(1, 10), moves=100, scheduler=address)
        assert caught.value.code == "REDRAW_SCHEDULER"


def test_other_versions_are_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geodata.redraw.cluster.version", lambda name: "0.0.1")
    with pytest.raises(GeodataError) as caught:
        redraw(town(1, 10), moves=100, scheduler=address)
    assert caught.value.code == "REDRAW_SCHEDULER"
    assert "numba" in str(caught.value.params["reason"])
