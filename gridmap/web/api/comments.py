"""Remarks on a plan, its grids and places."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from gridmap.services import comments
from gridmap.web.api import Model, Page, PageQuery, endpoint
from gridmap.web.session import current_actor

Id = Annotated[int, Field(ge=1, le=2**62)]
Place = tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]


class CommentQuery(PageQuery):
    """Which remarks: ``open`` leaves out the resolved, ``grid`` takes those on one grid; ``limit`` counts remarks."""

    open: bool = False
    grid: Id | None = None


class CommentIn(Model):
    """What is said, of a grid, of a place (longitude, latitude), in answer to another, or of the plan as a whole."""

    text: str = Field(max_length=10_000)
    grid: Id | None = None
    point: Place | None = None
    reply_to: Id | None = None


class CommentOut(Model):
    """A remark, or with ``reply_to`` an answer; ``grid_code`` stays when the grid is gone."""

    id: int
    text: str
    author: str | None
    at: datetime
    mine: bool
    grid_id: int | None
    grid_code: str | None
    point: Annotated[list[float], Field(min_length=2, max_length=2)] | None
    reply_to: int | None
    resolved_at: datetime | None
    resolved_by: str | None
    may_resolve: bool
    may_delete: bool


class CommentPage(Page[CommentOut]):
    """Remarks, each followed by its answers; ``total`` counts remarks, ``open`` those not resolved."""

    open: int


@endpoint("/plans/<int:plan_id>/comments", tag="plans", query=CommentQuery, response=CommentPage)
def list_comments(plan_id: int, query: CommentQuery) -> CommentPage:
    """What was said of a plan: open remarks first, the newest first."""
    found = comments.comments(
        current_actor(), plan_id, open=query.open, grid=query.grid, limit=query.limit, offset=query.offset
    )
    values = {"items": found.items, "total": found.total, "open": found.open}
    return CommentPage.model_validate(values | {"limit": query.limit, "offset": query.offset}, from_attributes=True)


@endpoint(
    "/plans/<int:plan_id>/comments",
    tag="plans",
    method="POST",
    json=CommentIn,
    response=CommentOut,
    status=201,
    errors=[409],
)
def write_comment(plan_id: int, json: CommentIn) -> tuple[CommentOut, int]:
    """Say something of a plan."""
    said = comments.write(current_actor(), plan_id, json.text, grid=json.grid, point=json.point, reply_to=json.reply_to)
    return CommentOut.model_validate(said), 201


@endpoint("/plans/<int:plan_id>/comments/<int:comment_id>/resolve", tag="plans", method="POST", response=CommentOut)
def resolve_comment(plan_id: int, comment_id: int) -> CommentOut:
    """Mark a remark as resolved."""
    return CommentOut.model_validate(comments.settle(current_actor(), plan_id, comment_id, resolved=True))


@endpoint("/plans/<int:plan_id>/comments/<int:comment_id>/reopen", tag="plans", method="POST", response=CommentOut)
def reopen_comment(plan_id: int, comment_id: int) -> CommentOut:
    """Mark a remark as open again."""
    return CommentOut.model_validate(comments.settle(current_actor(), plan_id, comment_id, resolved=False))


@endpoint("/plans/<int:plan_id>/comments/<int:comment_id>", tag="plans", method="DELETE", status=204, errors=[409])
def delete_comment(plan_id: int, comment_id: int) -> tuple[str, int]:
    """Take a comment back that nobody answered."""
    comments.delete(current_actor(), plan_id, comment_id)
    return "", 204
