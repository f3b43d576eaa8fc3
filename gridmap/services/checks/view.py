"""A stored plan as the rules see it: arrays in the local metric CRS of its units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from geodata import rules
from geodata.crs import local_metric_crs, middle_lon, to_metric
from geodata.rules.misfits import KINDS
from gridmap.db import bulk
from gridmap.db.models import Plan, Region
from gridmap.services.barriers import read_barriers
from gridmap.sql import query

Table = Mapping[str, bulk.Objects]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The view, and what its indices stand for: ids of grids and communities; ``lon0`` leads back to degrees."""

    view: rules.PlanView
    grid_ids: bulk.Ids
    region_ids: bulk.Ids
    lon0: float


def load(session: Session, plan: Plan, region: Region) -> Loaded:
    """Read everything that the rules look at of ``plan``."""
    units = bulk.columns(session, query("plans", "plan_units"), {"plan": plan.id})
    grids = bulk.columns(session, query("checks", "grids"), {"plan": plan.id})
    unit_shapes = bulk.shapes(units["geom"])
    lon0 = middle_lon(unit_shapes) if len(unit_shapes) else middle_lon(_region_shape(session, region))
    home_ids = {int(value) for value in units["region_id"]} | {int(v) for v in grids["region_id"] if v is not None}
    communities = bulk.columns(
        session, query("checks", "communities"), {"regions": sorted(home_ids), "prefix": region.prefix}
    )
    buildings = bulk.columns(session, query("plans", "buildings_of_units"), {"units": units["id"].tolist()})
    grid_ids, region_ids = grids["id"].astype(np.int64), communities["id"].astype(np.int64)
    compound_ids = np.unique(bulk.ints(units["compound_id"]))
    compounds = bulk.columns(
        session, query("checks", "compounds"), {"compounds": compound_ids[compound_ids >= 0].tolist()}
    )
    view = rules.PlanView(
        units=_units(units, to_metric(_single(unit_shapes), lon0), grid_ids, region_ids, compounds),
        grids=_grids(grids, grid_ids, region_ids),
        communities=rules.Communities(
            code=communities["code"],
            class_=np.array([value or "" for value in communities["settlement"]], dtype=object),
            name=communities["name"],
            geometry=to_metric(bulk.shapes(communities["geom"]), lon0),
        ),
        crs=local_metric_crs(lon0),
        buildings=rules.Buildings(
            geometry=to_metric(bulk.shapes(buildings["geom"]), lon0),
            households=bulk.ints(buildings["households"], missing=0),
            unit=positions(buildings["unit_id"], units["id"].astype(np.int64)),
        ),
        barriers=_barriers(session, unit_shapes, lon0),
        compounds=rules.Compounds(name=compounds["name"], households=bulk.ints(compounds["households"])),
        misfits=_misfits(session, plan, grid_ids, communities, lon0),
        retired_codes={
            row.code: row.valid_to for row in session.execute(query("checks", "retired_codes"), {"plan": plan.id})
        },
    )
    return Loaded(view, grid_ids, region_ids, lon0)


def positions(values: Any, ids: bulk.Ids) -> bulk.Ids:
    """Where in ``ids`` (distinct, any order) each of ``values`` stands; -1 for None and for strangers."""
    wanted = bulk.ints(np.asarray(values, dtype=object))
    order = np.argsort(ids)
    at = np.searchsorted(ids[order], wanted).clip(max=max(len(ids) - 1, 0))
    found = order[at] if len(ids) else np.full(len(wanted), -1)
    return np.where(ids[found] == wanted, found, -1) if len(ids) else found


def _region_shape(session: Session, region: Region) -> bulk.Objects:
    found = bulk.columns(session, query("checks", "communities"), {"regions": [region.id], "prefix": region.prefix})
    return bulk.shapes(found["geom"])


def _single(shapes: bulk.Objects) -> bulk.Objects:
    """MultiPolygons of one part as Polygons."""
    one = shapely.get_num_geometries(shapes) == 1
    return np.where(one, shapely.get_geometry(shapes, 0), shapes)


def _units(units: Table, shapes: Any, grid_ids: bulk.Ids, region_ids: bulk.Ids, compounds: Table) -> rules.Units:
    households, population = bulk.ints(units["households"]), bulk.ints(units["population"])
    return rules.Units(
        geometry=shapes,
        community=positions(units["region_id"], region_ids),
        grid=positions(units["grid_id"], grid_ids),
        households=households,
        population=np.where((population == 0) & (households > 0), -1, population),
        buildings=bulk.ints(units["buildings"]),
        estimated_households=bulk.ints(units["estimated_households"]),
        missing_households=bulk.ints(units["missing_households"]),
        oldest=units["oldest_data"].astype("datetime64[D]"),
        compound=positions(units["compound_id"], compounds["id"].astype(np.int64)),
    )


def _grids(grids: Table, grid_ids: bulk.Ids, region_ids: bulk.Ids) -> rules.Grids:
    return rules.Grids(
        code=grids["code"],
        community=positions(grids["region_id"], region_ids),
        kind=grids["kind"],
        name=grids["name"],
        parent=positions(grids["parent_id"], grid_ids),
        valid_from=grids["valid_from"].astype("datetime64[D]"),
        valid_to=grids["valid_to"].astype("datetime64[D]"),
        workers=bulk.ints(grids["workers"]),
    )


def _barriers(session: Session, unit_shapes: bulk.Objects, lon0: float) -> rules.Barriers | None:
    """Barriers around the units; None where there are none, so that the rules say so."""
    if not len(unit_shapes):
        return None
    sides = zip(("west", "south", "east", "north"), shapely.total_bounds(unit_shapes).tolist(), strict=True)
    found = read_barriers(session, dict(sides), lon0)
    return found if len(found.kind) else None


def _misfits(
    session: Session, plan: Plan, grid_ids: bulk.Ids, communities: Table, lon0: float
) -> list[rules.Misfit] | None:
    """Misfits that a rule speaks of; None where the plan was not drawn elsewhere."""
    if plan.import_batch_id is None:
        return None
    table = bulk.columns(session, query("checks", "misfits"), {"plan": plan.id})
    shapes = to_metric(bulk.shapes(table["geom"]), lon0) if len(table["kind"]) else table["geom"]
    community = {code: k for k, code in enumerate(communities["code"])}
    row = {int(grid): k for k, grid in enumerate(grid_ids)}
    return [
        rules.Misfit(
            kind=kind,
            grids=tuple(row[grid] for grid in params["grids"] if grid in row),
            community=community.get(params["region_code"]),
            area_m2=area_m2,
            households=households,
            geometry=shape,
            name=compound or params.get("name", ""),
        )
        for kind, params, area_m2, households, shape, compound in zip(
            table["kind"],
            table["params"],
            table["area_m2"],
            table["households"],
            shapes,
            table["compound"],
            strict=True,
        )
        if kind in KINDS
    ]
