"""Codes of a plan that is published: who is the same keeps its code, who is new gets the next, none comes back.

A grid is the same as one of the plan in force where more than half of the households of each are those of the other
(of the area, where nobody lives): at most one pair fulfils that. New grids are numbered in each community from west to
east, north first where they are level (domain rule R13), after the highest number that was ever used there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata import standards
from gridmap.db import bulk
from gridmap.db.models import Grid, Plan, Region
from gridmap.errors import Conflict
from gridmap.sql import query

_LEVEL_DEG = 1e-4  # about ten metres: grids this close in longitude count as level


def settle(session: Session, new: Plan, olds: Sequence[int]) -> dict[str, str]:
    """Give the grids of ``new`` the codes they are published under; what was called otherwise, old code by new one.

    ``olds`` are the plans that end; in a community where none of them has a grid the codes of the draft are the first.
    Raises ``Conflict`` WORKFLOW_CODES_FULL where a community has no number left.
    """
    if not olds:
        return {}
    grids = session.scalars(sa.select(Grid).where(Grid.plan_id == new.id).order_by(Grid.id)).all()
    same = _same(session, new.id, olds)
    used = set(session.scalars(query("workflow", "used_codes")))
    top = [grid for grid in grids if grid.kind != "micro" or grid.parent_id is None]
    settled = set(session.scalars(sa.select(Grid.region_id).where(Grid.plan_id.in_(olds))))
    codes = {grid.id: same.get(grid.id, grid.code) for grid in top if grid.id in same or grid.region_id not in settled}
    codes |= _numbered(session, new, [grid for grid in top if grid.id not in codes], used | set(codes.values()))
    codes |= _below([grid for grid in grids if grid.id not in codes], codes, same, used)
    changed = [grid for grid in grids if codes[grid.id] != grid.code]
    if changed:
        names = [_renamed(grid, codes[grid.id]) for grid in changed]
        values = {"grids": [grid.id for grid in changed], "codes": [codes[grid.id] for grid in changed], "names": names}
        session.execute(query("workflow", "recode"), values)
    return {grid.code: codes[grid.id] for grid in changed}


def _same(session: Session, new_id: int, olds: Sequence[int]) -> dict[int, str]:
    """The code of the old grid that each new one is."""
    rows = session.execute(query("workflow", "shared_ground"), {"new": new_id, "olds": list(olds)}).mappings().all()
    known = session.scalars(sa.select(Grid).where(Grid.plan_id.in_((new_id, *olds)))).all()
    grid = {one.id: one for one in known}
    found = {}
    for row in rows:
        mine, theirs = grid[row["new_grid"]], grid[row["old_grid"]]
        lived = mine.households + theirs.households > 0
        shared, a, b = (
            (row["households"], mine.households, theirs.households)
            if lived
            else (row["area_m2"], mine.area_m2, theirs.area_m2)
        )
        if 2 * shared > a and 2 * shared > b and (mine.kind == "micro") == (theirs.kind == "micro"):
            found[mine.id] = theirs.code
    return found


def _below(micro: list[Grid], codes: dict[int, str], same: dict[int, str], used: set[str]) -> dict[int, str]:
    """Codes of micro-grids: that of the grid above and a number, the one they had where it still begins so."""
    found: dict[int, str] = {}
    taken = used | set(codes.values())
    for grid in micro:
        kept = same.get(grid.id)
        if kept is not None and kept.startswith(codes[grid.parent_id or 0]):
            found[grid.id] = kept
            taken.add(kept)
    for grid in micro:
        if grid.id not in found:
            above, number = codes[grid.parent_id or 0], 1
            while f"{above}{number:02d}" in taken:
                number += 1
            found[grid.id] = f"{above}{number:02d}"
            taken.add(found[grid.id])
    return found


def _numbered(session: Session, plan: Plan, fresh: list[Grid], used: set[str]) -> dict[int, str]:
    """Codes for new grids, west to east in each community, after the highest number in ``used``."""
    form = standards.from_dict(plan.profile).code
    regions = dict(session.execute(sa.select(Region.id, Region.code)).all())
    taken: dict[str, int] = defaultdict(lambda: form.number_min - 1)
    for code in used:
        if len(code) == form.length and code.isascii() and code.isdigit():
            prefix, number = code[: form.prefix_length], int(code[form.prefix_length :])
            taken[prefix] = max(taken[prefix], number)
    shapes = bulk.shapes(np.array([None if g.geom is None else bytes(g.geom.data) for g in fresh], dtype=object))
    centre = shapely.centroid(shapes)
    lon, lat = np.nan_to_num(shapely.get_x(centre)), np.nan_to_num(shapely.get_y(centre))
    codes: dict[int, str] = {}
    home = [regions.get(grid.region_id or 0, "") for grid in fresh]
    for k in sorted(
        range(len(fresh)), key=lambda k: (home[k], round(float(lon[k]) / _LEVEL_DEG), -lat[k], fresh[k].id)
    ):
        if not home[k]:  # an empty grid without a community: it keeps what it is called
            codes[fresh[k].id] = fresh[k].code
            continue
        prefix = home[k][: form.prefix_length].ljust(form.prefix_length, "0")
        taken[prefix] += 1
        if taken[prefix] > form.number_max:
            raise Conflict("WORKFLOW_CODES_FULL", region=home[k], most=form.number_max)
        codes[fresh[k].id] = f"{prefix}{taken[prefix]:0{form.length - form.prefix_length}d}"
    return codes


def _renamed(grid: Any, code: str) -> str | None:
    """The name of a grid under its new code: one that was made of the old number is made of the new one."""
    if grid.name is None or not (grid.code[-3:].isdigit() and code[-3:].isdigit()):
        return None if grid.name is None else str(grid.name)
    return str(grid.name).replace(f"第{int(grid.code[-3:])}网格", f"第{int(code[-3:])}网格")
