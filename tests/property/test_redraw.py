"""Whatever the ground, the start plan, the locks and the weights: the verifier finds no fault with what is drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.errors import GeodataError
from geodata.redraw.engine import redraw
from geodata.redraw.measure import measure
from geodata.redraw.model import PARTS, Band, Instance, Weights
from geodata.redraw.verify import verify
from tests.unit.redraw.towns import town

MOVES = 3_000

weights = st.builds(Weights, **{part: st.sampled_from([0.0, 0.0005, 0.01, 1.0]) for part in PARTS})
bands = st.one_of(
    st.just(Band(300, 500)),
    st.builds(lambda low, more: Band(low, max(low + more, 2)), st.integers(0, 400), st.integers(0, 300)),
)


@st.composite
def towns(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of a town."""
    planned = draw(st.booleans())
    return {
        "seed": draw(st.integers(0, 10_000)),
        "n": draw(st.integers(4, 36)),
        "band": draw(bands),
        "units_per_grid": draw(st.sampled_from([1.5, 3.0, 6.0])),
        "empty": draw(st.sampled_from([0.0, 0.3, 1.0])),
        "giants": draw(st.integers(0, 3)),
        "groups": draw(st.integers(1, 3)),
        "barriers": draw(st.booleans()),
        "uncrossable": draw(st.sampled_from([0.0, 0.2, 0.6])),
        "population": draw(st.booleans()),
        "compounds": draw(st.booleans()),
        "start": planned,
        "locked": draw(st.sampled_from([0.0, 0.15, 0.5])) if planned else 0.0,
        "closed": draw(st.integers(0, 2)) if planned else 0,
        "weights": draw(weights),
    }


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(towns(), st.integers(0, 3), st.sampled_from([0, 600, 1000]))
def test_what_is_drawn_keeps_every_rule(arguments: dict[str, Any], seed: int, people: int) -> None:
    instance = town(**arguments)
    if people:
        instance = replace(instance, bands=(replace(instance.bands[0], population_max=people),))
    _check(instance, seed)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(towns(), st.integers(0, 3), st.data())
def test_from_any_start_plan_however_scattered(arguments: dict[str, Any], seed: int, data: st.DataObject) -> None:
    instance = town(**arguments | {"start": False, "locked": 0.0, "closed": 0})
    n = len(instance.units)
    rng = np.random.default_rng(seed)
    start = rng.integers(-1, data.draw(st.integers(1, n)), n)
    locked = (rng.random(n) < data.draw(st.sampled_from([0.0, 0.1]))) & (start >= 0)
    closed = sorted(set(start.tolist()) - {-1})[: data.draw(st.integers(0, 2))]
    try:
        scattered = Instance.of(
            instance.units, instance.bands, start=start, locked=locked, closed=closed, weights=instance.weights
        )
    except GeodataError as error:
        assert error.code == "REDRAW_LOCK_APART"
        return
    _check(scattered, seed)


def _check(instance: Instance, seed: int) -> None:
    drawn = redraw(instance, seed=seed, moves=MOVES, seconds=4.0)
    assert verify(instance, drawn.plan, drawn.violations) == []
    assert drawn.measured.score == measure(instance, drawn.plan).score
