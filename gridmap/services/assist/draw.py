"""The search behind a preview: read, redraw, tell the best plan so far as moves; nothing is written to any plan."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from geodata.redraw.adopt import clusters
from geodata.redraw.measure import Measured, measure
from geodata.redraw.model import Ints
from geodata.redraw.result import Redrawn, Step, Violation
from gridmap.db.engine import service
from gridmap.errors import Conflict
from gridmap.services.actor import Actor
from gridmap.services.assist.at import at_version, cut_down, require_version
from gridmap.services.assist.suggest import Names, moves_of
from gridmap.services.redraw import tell
from gridmap.services.redraw.ground import Ground
from gridmap.services.redraw.wish import Wish

#: Share done, what is being done ("中文 / English"), and the preview as it stands (None: as it stood).
Say = Callable[[float, str, Mapping[str, Any] | None], None]
#: Whether to stop: "" goes on, "keep" takes the best plan so far, anything else drops it.
Asked = Callable[[], str]

_LOOK_EVERY_S = 1.0
_SEARCHED = 0.95


@dataclass(frozen=True, slots=True)
class Task:
    """What a preview is to redraw: the region of ``wish``, or only the ground of ``grids`` (ids)."""

    plan_id: int
    version: int
    wish: Wish
    grids: tuple[int, ...] = ()
    front: bool = False


@service
def scope(session: Session, actor: Actor, task: Task) -> Ground:
    """The ground that is redrawn. Raises as :func:`at_version`, and ``Conflict`` ASSIST_CLOSED_ALL."""
    require_version(session, actor, task.plan_id, task.version)
    ground = at_version(session, actor, task.plan_id, task.version, task.wish)
    return limited(ground, task.grids)


def limited(ground: Ground, grids: Sequence[int]) -> Ground:
    """``ground`` cut down to the units of ``grids`` (ids; none: all of it) that are not closed."""
    instance = ground.instance
    free = ~instance.in_closed()
    if grids:
        free &= np.isin(instance.start, np.flatnonzero(np.isin(ground.grid_ids, list(grids))))
    if not free.any():
        raise Conflict("ASSIST_CLOSED_ALL")
    return cut_down(ground, np.flatnonzero(free)) if grids else ground


def draw(actor: Actor, task: Task, say: Say, asked: Asked) -> tuple[dict[str, Any], str]:
    """The preview as JSON types, and what was asked for meanwhile ("" where it came to its end)."""
    say(0.0, "读取 / reading", None)
    ground = scope(actor, task)
    about = {
        "plan_id": task.plan_id,
        "version": task.version,
        "region": ground.region_code,
        "region_name": ground.region_name,
        "left_out": list(ground.left_out),
        "before": tell.standing(ground.instance, ground.instance.start),
    }
    wanted, last = "", 0.0

    def progress(step: Step) -> bool:
        nonlocal wanted, last
        if step.share >= 1 or time.monotonic() - last < _LOOK_EVERY_S:
            return bool(wanted)
        last = time.monotonic()
        wanted = asked()
        plan = _named(ground, step.plan)
        told = (
            about | _told(ground, [_plan(ground, "best", "ASSIST_PLAN_BEST", plan, None, [])]) | {"tried": step.moves}
        )
        say(_SEARCHED * step.share, "划分 / redrawing", told)
        return bool(wanted)

    plans = _search(ground, task, progress)
    tried = sum({id(one): one.moves for _, _, one in plans}.values())
    shown = [_plan(ground, name, code, one.plan, one.measured, one.violations) for name, code, one in plans]
    return about | _told(ground, shown) | {"tried": tried}, wanted or asked()


def _search(ground: Ground, task: Task, progress: Callable[[Step], bool]) -> list[tuple[str, str, Redrawn]]:
    """Names, codes of the titles, and plans. One core is left for the pages, unless there is but one."""
    from geodata.redraw.engine import redraw
    from geodata.redraw.front import front

    wish, instance = task.wish, ground.instance
    workers = max((os.cpu_count() or 1) - 1, 1)
    given: dict[str, Any] = {"seed": wish.seed, "seconds": wish.seconds, "progress": progress, "workers": workers}
    if task.front:
        return [(one.name, one.code, one.redrawn) for one in front(instance, **given)]
    return [("best", "ASSIST_PLAN_BEST", redraw(instance, **given))]


def _named(ground: Ground, plan: Ints) -> Ints:
    """A plan of the search under the numbers of today's grids; communities whose turn has not come stay."""
    from geodata.redraw.names import keep_names

    start = ground.instance.start
    whole = np.where(plan >= 0, plan, start)
    named = keep_names(ground.instance, np.where(whole >= 0, whole, whole.max() + 1))
    return np.where(whole >= 0, named, -1)


def _told(ground: Ground, plans: list[dict[str, Any]]) -> dict[str, Any]:
    return {"standing": plans[0]["standing"] if plans else None, "plans": plans}


def _plan(
    ground: Ground, name: str, code: str, plan: Ints, measured: Measured | None, found: Sequence[Violation]
) -> dict[str, Any]:
    """A plan as the desk shows and adopts it: moves, clusters, how it stands, what is still wrong and why."""
    instance = ground.instance
    names = Names(ground, plan, "zh")
    standing = tell.standing(instance, plan, measured or measure(instance, plan)) | tell.moved(instance, plan)
    numbers = np.unique(plan[plan >= 0]).tolist()
    codes = {grid: "" if grid in names.new else str(ground.grid_codes[grid]) for grid in numbers}
    known = {grid: "" if grid in names.new else str(ground.grid_names[grid] or "") for grid in numbers}
    wrong = [
        {key: value for key, value in one.items() if key not in ("proof", "grid")}
        | {"grid": names.ref(violation.grid), "code": one["grid"]}
        for one, violation in zip(tell.violations(ground, plan, found, codes, known), found, strict=True)
    ]
    return {
        "name": name,
        "code": code,
        "measures": {
            "households_moved": standing["households_moved"],
            "share": round(standing["households_moved"] / max(standing["households"], 1), 4),
            "compactness": standing["compactness"],
            "grids": standing["grids"],
            "in_band": standing["in_band"],
            "new": len(names.new),
        },
        "standing": standing,
        "moves": moves_of(ground, plan, names),
        "clusters": _clusters(ground, plan, names),
        "wrong": wrong,
    }


def _clusters(ground: Ground, plan: Ints, names: Names) -> list[dict[str, Any]]:
    """Grids that have to be adopted together, with the community they lie in."""
    units = ground.instance.units
    return [
        {
            "grids": [names.ref(grid) for grid in one.grids],
            "units": len(one.units),
            "households": int(units.households[one.units].sum()),
            "community": str(ground.codes[units.group[one.units[0]]]),
        }
        for one in clusters(ground.instance.start, plan)
    ]
