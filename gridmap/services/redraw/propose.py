"""From a plan to a proposal: read, search, write beside the plan, check. No transaction lasts as long as the search."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from geodata.redraw.model import Instance
from geodata.redraw.result import Redrawn, Step
from gridmap import __version__
from gridmap.errors import Conflict
from gridmap.services import checks
from gridmap.services.actor import Actor
from gridmap.services.redraw import tell
from gridmap.services.redraw.ground import read
from gridmap.services.redraw.store import name_grids, store
from gridmap.services.redraw.wish import Wish

#: Share done, what is being done ("中文 / English"), and how the best plan so far stands (None outside the search).
Say = Callable[[float, str, Mapping[str, Any] | None], None]
#: Whether to stop: "" goes on, "keep" takes the best plan so far, "cancel" drops everything.
Asked = Callable[[], str]

_LOOK_EVERY_S = 1.0
_SEARCH = (0.05, 0.85)


def propose(
    actor: Actor,
    plan_id: int,
    wish: Wish,
    *,
    job: int | None = None,
    say: Say | None = None,
    asked: Asked | None = None,
) -> dict[str, Any]:
    """Redraw the region of a plan as a draft based on it; what :func:`gridmap.services.redraw.tell.summary` says.

    Raises what :func:`gridmap.services.redraw.ground.read` does, ``GeodataError`` REDRAW_*, and ``Conflict``
    JOB_CANCELLED where ``asked`` says so.
    """
    say, asked = say or (lambda share, doing, live: None), asked or (lambda: "")
    say(0.01, "读取 / reading", None)
    ground = read(actor, plan_id, wish)
    before = tell.standing(ground.instance, ground.instance.start)
    found, wanted = _search(ground.instance, wish, say, asked)
    if wanted == "cancel":
        raise Conflict("JOB_CANCELLED")
    say(0.87, "写入 / writing", None)
    labels = name_grids(actor, ground, found.plan)
    after = tell.standing(ground.instance, found.plan, found.measured)
    provenance = {
        "job": job,
        "base": plan_id,
        "base_name": ground.plan_name,
        "base_version": ground.version,
        "region": ground.region_code,
        "region_name": ground.region_name,
        "communities": ground.codes.tolist(),
        "program": __version__,
        "seed": found.seed,
        "moves": found.moves,
        "seconds": round(found.seconds, 3),
        "stopped": found.stopped,
        "wish": wish.to_dict(),
        "weights": asdict(ground.instance.weights),
        "bands": [asdict(band) for band in ground.instance.bands],
        "left_out": list(ground.left_out),
        "kept": dict(ground.kept),
        "before": before,
        "after": after,
        "new": [grid.code for grid in labels.new],
        "certificates": tell.certificates(found.certificates),
        "violations": tell.violations(ground, found.plan, found.violations, labels.codes, labels.names),
        **tell.moved(ground.instance, found.plan),
    }
    made = store(actor, ground, found.plan, labels, wish.name, provenance)
    say(0.92, "核查 / checking", None)
    checks.check(actor, made.plan_id)
    say(1.0, "", None)
    return tell.summary(
        made.plan_id, made.name, provenance | {"gone": made.gone, "base_version_now": made.base_version}
    )


def _search(instance: Instance, wish: Wish, say: Say, asked: Asked) -> tuple[Redrawn, str]:
    """The engine's result, and what the person asked for meanwhile."""
    from geodata.redraw.engine import redraw

    wanted, last = "", 0.0
    low, high = _SEARCH

    def progress(step: Step) -> bool:
        nonlocal wanted, last
        if step.share < 1 and time.monotonic() - last < _LOOK_EVERY_S:
            return bool(wanted)
        last = time.monotonic()
        wanted = asked()
        plan = np.where(step.plan >= 0, step.plan, instance.start)  # communities whose turn has not come
        live = tell.standing(instance, plan) | tell.moved(instance, plan)
        doing = "划分 / redrawing" if step.share < 1 else "求证 / looking for proofs"
        say(low + (high - low) * min(step.share, 1.0), doing, live | {"moves": step.moves})
        return bool(wanted)

    say(low, "划分 / redrawing", None)
    found = redraw(instance, seed=wish.seed, seconds=wish.seconds, progress=progress)
    return found, wanted or asked()
