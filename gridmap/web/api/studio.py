"""The studio: a plan opened for editing, and its ground as packed arrays.

The address of a ground carries its version, so browsers keep it; a version that is no more is answered with 404
GROUND_STALE, and the page asks for the plan again.
"""

from __future__ import annotations

import gzip
import json

from flask import Response, request, url_for
from pydantic import Field

from gridmap.services import studio
from gridmap.web.api import Model, api, endpoint
from gridmap.web.session import current_actor

#: Smaller answers are sent as they are.
WORTH_BYTES = 64 << 10
_KEEP = "private, max-age=2592000, immutable"


class StudioPlan(Model):
    id: int
    name: str
    state: str
    version: int
    region_code: str
    region_name: str
    profile_name: str


class StudioGrid(Model):
    """A grid with the counts of this moment; ``region`` is an index into the regions, -1 for none."""

    id: int
    code: str
    name: str | None
    kind: str
    workers: int | None
    locked: bool
    parent_id: int | None
    region: int
    households: int
    population: int
    buildings: int
    units: int
    area_m2: float
    status: str


class StudioRegion(Model):
    """A region that has units or grids; bounds of its class are null where the plan's standard has none."""

    id: int
    code: str
    name: str
    settlement: str | None
    class_: str | None = Field(alias="class")
    low: int | None
    high: int | None
    population_limit: int | None


class BaseGrid(Model):
    id: int
    code: str
    name: str | None
    workers: int | None


class StudioBase(Model):
    """The plan it is compared with: the one in force, else the one it was made from."""

    plan_id: int
    name: str
    assignment: list[int]
    grids: list[BaseGrid]


class CodeOut(Model):
    """How codes are formed, and which are never used again."""

    length: int
    prefix_length: int
    number_min: int
    number_max: int
    retired: list[str]


class StudioUser(Model):
    id: int | None
    name: str


class StudioOut(Model):
    """A plan as the studio opens it. ``assignment``: index of each unit's grid, -1 for none, in the ground's order."""

    plan: StudioPlan
    may_edit: bool
    grids: list[StudioGrid]
    regions: list[StudioRegion]
    assignment: list[int]
    base: StudioBase | None
    code: CodeOut
    reserved: list[int]
    ground: str
    user: StudioUser
    bounds: tuple[float, float, float, float] | None


@endpoint("/plans/<int:plan_id>/studio", tag="studio", response=StudioOut)
def open_studio(plan_id: int) -> Response:
    """A plan with its grids and the assignment of every unit; ``ground`` is where the units themselves are."""
    found = studio.open_plan(current_actor(), plan_id)
    told = {
        "plan": found.plan,
        "may_edit": found.may_edit,
        "grids": found.grids,
        "regions": found.regions,
        "assignment": found.assignment,
        "base": found.base,
        "code": found.code,
        "reserved": found.reserved,
        "ground": url_for("api.plan_ground", plan_id=plan_id, version=found.version),
        "user": found.user,
        "bounds": found.bounds,
    }
    return Response(json.dumps(told, ensure_ascii=False, separators=(",", ":")), mimetype="application/json")


@endpoint("/plans/<int:plan_id>/ground/<string:version>", tag="studio")
def plan_ground(plan_id: int, version: str) -> Response:
    """The ground of a plan as packed arrays (docs/studio-ground.md); 404 GROUND_STALE for a version that is no more."""
    compressed = _reads_gzip()
    content = studio.packed_ground(current_actor(), plan_id, version, compressed=compressed)
    response = Response(content, mimetype="application/octet-stream", headers={"Cache-Control": _KEEP})
    response.vary.add("Accept-Encoding")
    response.set_etag(f"{version}-gzip" if compressed else version)
    if compressed:
        response.headers["Content-Encoding"] = "gzip"
    response.make_conditional(request)
    return response


@api.after_request
def compress(response: Response) -> Response:
    """The grids and the assignment of a large plan shrink to a sixth."""
    if request.endpoint == "api.open_studio" and response.status_code == 200:
        response.vary.add("Accept-Encoding")
        if _reads_gzip() and len(response.get_data()) > WORTH_BYTES:
            response.set_data(gzip.compress(response.get_data(), 1, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
    return response


def _reads_gzip() -> bool:
    return request.accept_encodings["gzip"] > 0
