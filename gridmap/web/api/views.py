"""Saved views of pages, each person's own."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from gridmap.services import views
from gridmap.web.api import Model, endpoint
from gridmap.web.session import current_actor

Page = Literal["cases", "coverage", "map"]


class ViewQuery(Model):
    """Whose page's views; all without."""

    page: Page | None = None


class ViewIn(Model):
    """What to keep: the query of the page's address."""

    page: Page
    name: str = Field(max_length=400)
    query: str = Field(max_length=10_000)


class ViewName(Model):
    """Another name."""

    name: str = Field(max_length=400)


class ViewOut(Model):
    """A saved view; the page's address with ``?query`` opens it."""

    id: int
    page: str
    name: str
    query: str
    created_at: datetime


class ViewList(Model):
    """One's own views, by name."""

    items: list[ViewOut]


@endpoint("/views", tag="views", query=ViewQuery, response=ViewList)
def list_views(query: ViewQuery) -> ViewList:
    """Your saved views."""
    found = views.list_views(current_actor(), query.page)
    return ViewList(items=[ViewOut.model_validate(one) for one in found])


@endpoint("/views", tag="views", method="POST", json=ViewIn, response=ViewOut, status=201, errors=[409])
def save_view(json: ViewIn) -> tuple[ViewOut, int]:
    """Keep a view under a name."""
    return ViewOut.model_validate(views.save_view(current_actor(), json.page, json.name, json.query)), 201


@endpoint("/views/<int:view_id>", tag="views", method="PUT", json=ViewName, response=ViewOut, errors=[409])
def rename_view(view_id: int, json: ViewName) -> ViewOut:
    """Give a view another name."""
    return ViewOut.model_validate(views.rename_view(current_actor(), view_id, json.name))


@endpoint("/views/<int:view_id>", tag="views", method="DELETE", status=204)
def delete_view(view_id: int) -> tuple[str, int]:
    """Forget a view."""
    views.delete_view(current_actor(), view_id)
    return "", 204
