"""The figures of a comparison: a row for each pair of grids, and the sums of both plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geodata.comparison import ABSENT, Flows, Ints
from gridmap.db import bulk
from gridmap.services.compare.ground import Common
from gridmap.services.compare.load import Half

STATUSES = ("under", "within", "over", "empty", "unchecked")
CHANGES = ("changed", "new", "gone", "renamed", "same")


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid in one of the plans, counted inside the ground compared; ``cases`` of a year, ``area_m2`` of units.

    ``cases`` None: exact figures are not the reader's to see.
    """

    id: int
    code: str
    name: str | None
    kind: str
    status: str
    households: int
    population: int
    area_m2: float
    workers: int | None
    cases: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """What became of a grid: ``change`` is "changed" (ground), "new", "gone", "renamed" (only its attributes), "same".

    ``moved_in`` and ``moved_out`` are households; ``region_*`` the community of the grid after, else before.
    """

    change: str
    region_code: str | None
    region_name: str | None
    before: Grid | None
    after: Grid | None
    moved_in: int
    moved_out: int


@dataclass(frozen=True, slots=True)
class Sums:
    """A plan inside the ground compared; ``errors`` and ``warnings`` None where no check speaks of it as it is.

    ``compactness`` is the mean of Polsby-Popper (4 pi area / perimeter^2) over the grids with ground; ``cases_outside``
    lie in units of no grid.
    """

    grids: int
    households: int
    population: int
    statuses: Mapping[str, int]
    errors: int | None
    warnings: int | None
    unassigned_units: int
    unassigned_households: int
    workers: int
    compactness: float | None
    cases: int | None


@dataclass(frozen=True, slots=True)
class Moves:
    """What changed hands, in households; ``share`` of all that are compared.

    ``moved`` went from one grid to another, ``assigned`` from none, ``unassigned`` to none. ``changes`` counts rows;
    ``workers_affected`` are those of plan A's grids whose ground changed. ``overlaid`` households were placed by
    geometry (units rebuilt or cut otherwise); ``only_a`` and ``only_b`` live on ground that
    the other plan does not hold.
    """

    moved: int
    moved_population: int
    assigned: int
    unassigned: int
    share: float
    changes: Mapping[str, int]
    workers_affected: int
    overlaid: int
    only_a: int
    only_b: int


def rows(a: Half, b: Half, flows: Flows) -> tuple[Row, ...]:
    """A row for each pair, each new and each gone grid, in order of the code after, else before."""
    before, after = grids_of(a), grids_of(b)
    found = [
        _row(b, j, before[i] if (i := int(flows.was[j])) >= 0 else None, after[j], flows, i, j)
        for j in range(len(after))
    ]
    found += [_row(a, i, before[i], None, flows, i, -1) for i in np.flatnonzero(flows.became < 0).tolist()]
    return tuple(sorted(found, key=lambda row: ((row.after or row.before).code, row.after is None)))  # type: ignore[union-attr]


def _row(home: Half, at: int, was: Grid | None, now: Grid | None, flows: Flows, i: int, j: int) -> Row:
    ground = bool((i >= 0 and flows.left_n[i]) or (j >= 0 and flows.came_n[j]))
    if was is None or now is None:
        change = "gone" if now is None else "new"
    elif ground:
        change = "changed"
    else:
        called = [(one.code, one.name or None, one.kind, one.workers) for one in (was, now)]
        change = "same" if called[0] == called[1] else "renamed"
    return Row(
        change,
        home.grids["region_code"][at],
        home.grids["region_name"][at],
        was,
        now,
        int(flows.came[j]) if j >= 0 else 0,
        int(flows.left[i]) if i >= 0 else 0,
    )


def grids_of(half: Half) -> list[Grid]:
    """The grids of one plan, in its order."""
    counts = {name: half.sums(getattr(half, name)).tolist() for name in ("households", "population")}
    held = half.grid >= 0
    area_m2 = np.bincount(half.grid[held], half.area_m2[held], len(half.grids["id"])).round(1).tolist()
    facts = [half.grids[name].tolist() for name in ("id", "code", "name", "kind", "status", "workers")]
    return [
        Grid(id, code, name, kind, status, counts["households"][k], counts["population"][k], area_m2[k], workers, cases)
        for k, (id, code, name, kind, status, workers, cases) in enumerate(
            zip(*facts, [None] * len(facts[0]) if half.cases is None else half.cases.tolist(), strict=True)
        )
    ]


def sums(half: Half) -> Sums:
    """The sums of one plan."""
    free = half.grid < 0
    statuses = half.grids["status"].tolist()
    return Sums(
        grids=len(statuses),
        households=int(half.households[~free].sum()),
        population=int(half.population[~free].sum()),
        statuses={status: statuses.count(status) for status in STATUSES},
        errors=half.errors,
        warnings=half.warnings,
        unassigned_units=int(free.sum()),
        unassigned_households=int(half.households[free].sum()),
        workers=int(sum(n or 0 for n in half.grids["workers"])),
        compactness=_compactness(half.grids["geom"]),
        cases=None if half.cases is None else int(half.cases.sum()),
    )


def _compactness(wkb: bulk.Objects) -> float | None:
    from geodata.crs import middle_lon, to_metric

    polygons = bulk.shapes(wkb[~bulk.null(wkb)])
    if not len(polygons):
        return None
    ground = to_metric(polygons, middle_lon(polygons))
    return float(np.mean(4 * np.pi * shapely.area(ground) / shapely.length(ground) ** 2))


def moves(a: Half, flows: Flows, common: Common, found: tuple[Row, ...]) -> Moves:
    """The sums of what changed hands."""
    pieces = common.pieces
    both = pieces.compared

    def people(which: Any, values: Ints = pieces.households) -> int:
        return int(values[which].sum())

    touched = flows.left_n.astype(bool) | ((flows.became >= 0) & (flows.came_n[flows.became] > 0))
    workers = [n or 0 for n in a.grids["workers"]]
    changes = [row.change for row in found]
    return Moves(
        moved=people(flows.moved),
        moved_population=people(flows.moved, pieces.population),
        assigned=people(flows.assigned),
        unassigned=people(flows.unassigned),
        share=people(flows.moved) / max(people(both), 1),
        changes={change: changes.count(change) for change in CHANGES},
        workers_affected=int(np.dot(touched, np.array(workers, dtype=np.int64))),
        overlaid=people(common.overlaid & both),
        only_a=people(pieces.grid_b == ABSENT),
        only_b=people(pieces.grid_a == ABSENT),
    )
