"""Saved views of pages: each person keeps their own, under names; a view is the query of the page's address."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gridmap.db.engine import service
from gridmap.db.models import SavedView, User
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services.actor import Actor, Role

#: Pages that keep their state in the address.
PAGES = ("cases", "coverage", "map")
NAME_MAX, QUERY_MAX, VIEWS_MAX = 60, 4_000, 100


@dataclass(frozen=True, slots=True)
class View:
    """A saved view; ``query`` without "?"."""

    id: int
    page: str
    name: str
    query: str
    created_at: datetime


@service
def list_views(session: Session, actor: Actor, page: str | None = None) -> tuple[View, ...]:
    """One's own views, of a ``page`` or of all, by name."""
    found = sa.select(SavedView).where(SavedView.user_id == _owner(actor)).order_by(SavedView.page, SavedView.name)
    if page is not None:
        found = found.where(SavedView.page == page)
    return tuple(_view(one) for one in session.scalars(found))


@service
def save_view(session: Session, actor: Actor, page: str, name: str, query: str) -> View:
    """Keep the ``query`` of a ``page`` under a ``name``.

    Raises ``Invalid`` VIEW_PAGE, VIEW_NAME, VIEW_QUERY, ``Conflict`` VIEW_TAKEN, VIEWS_FULL.
    """
    owner = _owner(actor)
    if page not in PAGES:
        raise Invalid("VIEW_PAGE", pages=", ".join(PAGES))
    wanted, address = _name(name), _query(query)
    session.execute(sa.select(User.id).where(User.id == owner).with_for_update(key_share=True))  # one at a time
    own = SavedView.user_id == owner
    if session.scalar(sa.select(sa.func.count()).select_from(SavedView).where(own)) >= VIEWS_MAX:  # type: ignore[operator]
        raise Conflict("VIEWS_FULL", most=VIEWS_MAX)
    _free(session, owner, page, wanted)
    view = SavedView(user_id=owner, page=page, name=wanted, query=address)
    session.add(view)
    session.flush()
    return _view(view)


@service
def rename_view(session: Session, actor: Actor, view_id: int, name: str) -> View:
    """Give one of one's own views another name.

    Raises ``NotFound`` VIEW_NOT_FOUND, ``Invalid`` VIEW_NAME, ``Conflict`` VIEW_TAKEN.
    """
    view = _own(session, actor, view_id)
    wanted = _name(name)
    if wanted != view.name:
        _free(session, view.user_id, view.page, wanted)
        view.name, view.changed_at = wanted, sa.func.now()
        session.flush()
    return _view(view)


@service
def delete_view(session: Session, actor: Actor, view_id: int) -> None:
    """Forget one of one's own views. Raises ``NotFound`` VIEW_NOT_FOUND."""
    session.delete(_own(session, actor, view_id))


def _owner(actor: Actor) -> int:
    actor.require(Role.VIEWER)
    if actor.user_id is None:
        raise Forbidden("OWN_ACCOUNT_ONLY")
    return actor.user_id


def _own(session: Session, actor: Actor, view_id: int) -> SavedView:
    owner = _owner(actor)
    found = session.scalar(
        sa.select(SavedView).where(SavedView.id == view_id, SavedView.user_id == owner).with_for_update()
    )
    if found is None:
        raise NotFound("VIEW_NOT_FOUND")
    return found


def _free(session: Session, owner: int, page: str, name: str) -> None:
    same: Sequence[sa.ColumnElement[bool]] = (
        SavedView.user_id == owner,
        SavedView.page == page,
        SavedView.name == name,
    )
    if session.scalar(sa.select(sa.exists().where(*same))):
        raise Conflict("VIEW_TAKEN", name=name)


def _name(text: str) -> str:
    plain = " ".join("".join(c for c in unicodedata.normalize("NFC", text) if c.isprintable() or c == " ").split())
    if not 1 <= len(plain) <= NAME_MAX:
        raise Invalid("VIEW_NAME", most=NAME_MAX)
    return plain


def _query(text: str) -> str:
    address = text.removeprefix("?")
    if len(address) > QUERY_MAX or not address.isascii() or not address.isprintable() or "#" in address:
        raise Invalid("VIEW_QUERY", most=QUERY_MAX)
    return address


def _view(one: SavedView) -> View:
    return View(one.id, one.page, one.name, one.query, one.created_at)
