"""Plans: assignments unit -> grid, made from drawn grids, from a table, or empty; read, renamed, archived, deleted."""

from gridmap.services.plans.access import editable, shown, visible
from gridmap.services.plans.change import archive, delete, put_in_force, rename, unarchive
from gridmap.services.plans.copy import copy_plan
from gridmap.services.plans.make import AssignmentRow, GridRow, create_empty, from_assignment
from gridmap.services.plans.read import (
    GridPage,
    PlanName,
    PlanSummary,
    get,
    grid,
    grids,
    held_on,
    list_plans,
    misfits,
    names,
    outlines,
    to_show,
)
from gridmap.services.plans.source import Source, plan_from_source, sources

__all__ = [
    "AssignmentRow",
    "GridPage",
    "GridRow",
    "PlanName",
    "PlanSummary",
    "Source",
    "archive",
    "copy_plan",
    "create_empty",
    "delete",
    "editable",
    "from_assignment",
    "get",
    "grid",
    "grids",
    "held_on",
    "list_plans",
    "misfits",
    "names",
    "outlines",
    "plan_from_source",
    "put_in_force",
    "rename",
    "shown",
    "sources",
    "to_show",
    "unarchive",
    "visible",
]
