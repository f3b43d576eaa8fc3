"""The places of a publication: counties, subdistricts, communities, grids of a plan, as one tree."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy.orm import Session

from gridmap.db import bulk
from gridmap.services.plans.small import OUTSIDE
from gridmap.sql import query

if TYPE_CHECKING:
    from geodata.privacy.trees import Tree


class Place(NamedTuple):
    """A row of a publication; ``region_code`` of a region is its own, else that around it; ``node``: its cells."""

    level: str
    code: str
    region_code: str
    name: str | None
    grid_id: int | None
    node: int


@dataclass(frozen=True, slots=True)
class Town:
    """Places as a tree. ``grids`` and ``outside`` (cases of a region, by id, in no grid) name nodes."""

    tree: Tree
    rows: tuple[Place, ...]
    grids: dict[int, int]
    outside: dict[int, int]

    def write(self, session: Session, table: str, shown: Any, **given: list[Any]) -> None:
        """Append the places to ``table`` with what is ``shown`` of their nodes: (nodes, columns) or (nodes,)."""
        named = {
            name: [getattr(row, name) for row in self.rows] for name in ("level", "code", "region_code", "grid_id")
        }
        cells = [shown[row.node].tolist() for row in self.rows]
        bulk.copy(session, table, {**given, "place": range(len(self.rows)), **named, "shown": cells})


def town(session: Session, plan_id: int | None, outside: Iterable[int] = ()) -> Town:
    """All regions and the grids of a plan; ``outside``: ids of the regions that have cases in no grid."""
    from geodata.privacy.hierarchy import hierarchy

    regions = {row.id: row for row in session.execute(query("release", "regions"))}
    grids = session.execute(query("release", "grids"), {"plan": plan_id}).all()
    paths: dict[int, tuple[Hashable, ...]] = {}
    for number, row in regions.items():  # parents come first
        paths[number] = (*paths.get(row.parent_id, ()), ("region", number))
    of_grid = {row.id: (*paths[row.region_id], ("grid", row.id)) for row in grids}
    of_outside = {number: (*paths[number], (OUTSIDE, number)) for number in sorted(outside)}
    divided = {row.region_id for row in grids} | set(of_outside) | {row.parent_id for row in regions.values()}
    alone = [path for number, path in paths.items() if number not in divided]
    tree, (nodes,) = hierarchy([*of_grid.values(), *of_outside.values(), *alone])
    rows = [Place("all", "", "", None, None, 0)]
    rows += [Place(row.level, row.code, row.code, row.name, None, nodes[paths[row.id]]) for row in regions.values()]
    for row in grids:
        rows.append(Place("grid", row.code, regions[row.region_id].code, row.name, row.id, nodes[of_grid[row.id]]))
    for number, leaf in of_outside.items():
        rows.append(Place(OUTSIDE, regions[number].code, regions[number].code, None, None, nodes[leaf]))
    return Town(
        tree,
        tuple(rows),
        {number: nodes[leaf] for number, leaf in of_grid.items()},
        {number: nodes[leaf] for number, leaf in of_outside.items()},
    )
