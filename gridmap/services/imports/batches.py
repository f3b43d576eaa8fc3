"""Batches: find, lock, show, list; a file received or thrown away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from geodata.fields import Kind
from geodata.messages import hint, sentence
from gridmap.db.engine import service
from gridmap.db.models import ImportBatch, ImportProblem, ImportRow, Region, User
from gridmap.errors import Conflict, Invalid, NotFound
from gridmap.services import audit
from gridmap.services.actor import Actor, Role
from gridmap.services.file_names import file_name
from gridmap.services.imports import files
from gridmap.services.imports.views import BatchView, Sent
from gridmap.settings import settings

#: States from which a batch may be looked at and configured anew.
OPEN = ("uploaded", "staged", "failed")
STATES_ZH = {
    "uploaded": "已上传",
    "reading": "读取中",
    "staged": "已检查",
    "accepting": "接收中",
    "accepted": "已接收",
    "discarded": "已放弃",
    "failed": "失败",
}


def looked_at(session: Session, actor: Actor, batch: ImportBatch, view: str) -> None:
    """Write down that rows of a file of cases were shown (``view``: "preview", "rows", "map", "rejected")."""
    if batch.kind == Kind.CASES:
        audit.record(session, actor, "cases.raw", "import", batch.id, view=view, file=batch.filename)


@service
def receive(
    session: Session,
    actor: Actor,
    stream: IO[bytes],
    filename: str,
    kind: Kind | str,
    *,
    options: Mapping[str, Any] | None = None,
) -> BatchView:
    """Keep the file ``stream`` and return its batch; the same file sent before is recognised (``repeated``).

    ``options``: ``where`` (column -> text that records must hold), ``layer``, ``again`` (true: a new batch even
    though this file was sent before). Needs the right to plan somewhere. Raises ``TooLarge``, ``Unavailable``
    (DISK_FULL), ``Invalid`` (IMPORT_KIND).
    """
    actor.require(Role.PLANNER)
    wanted = _kind(kind)
    chosen = dict(options or {})
    again = bool(chosen.pop("again", False))
    layer = chosen.pop("layer", None)
    name = file_name(filename, "upload")
    sha256, size = files.store(stream, name, settings().max_upload_bytes)
    earlier = [] if again else _same(session, actor, sha256, wanted, layer, chosen.get("where"))
    if earlier:
        return view(session, earlier[0], actor, repeated=True)
    batch = ImportBatch(
        sha256=sha256,
        filename=name,
        size_bytes=size,
        kind=wanted.value,
        layer=layer,
        options=chosen,
        created_by=actor.user_id,
    )
    session.add(batch)
    session.flush()
    audit.record(session, actor, "import.receive", "import_batch", batch.id, filename=name, kind=wanted.value)
    session.refresh(batch)
    return view(session, batch, actor)


@service
def discard(session: Session, actor: Actor, batch_id: int) -> BatchView:
    """Throw a batch away: its staged rows, its findings and its file go, the record that it was sent stays."""
    batch = locked(session, actor, batch_id, states=(*OPEN, "discarded"))
    clear(session, batch_id)
    batch.state = "discarded"
    batch.progress = 0.0
    audit.record(session, actor, "import.discard", "import_batch", batch_id)
    session.flush()
    files.forget(session, batch)
    return view(session, batch, actor)


@service
def get(session: Session, actor: Actor, batch_id: int) -> BatchView:
    """One batch; ``NotFound`` where it is not the actor's to see."""
    return view(session, find(session, actor, batch_id), actor)


@service
def latest(session: Session, actor: Actor, *, limit: int = 100) -> Sequence[BatchView]:
    """The newest batches the actor may see."""
    actor.require(Role.PLANNER)
    found = session.scalars(sa.select(ImportBatch).order_by(ImportBatch.id.desc()).limit(limit * 5)).all()
    visible = [batch for batch in found if _visible(session, actor, batch)][:limit]
    return [view(session, batch, actor, with_same=False) for batch in visible]


def find(session: Session, actor: Actor, batch_id: int) -> ImportBatch:
    """The batch, if the actor may see it."""
    actor.require(Role.PLANNER)
    batch = session.get(ImportBatch, batch_id)
    if batch is None or not _visible(session, actor, batch):
        raise NotFound("NOT_FOUND")
    return batch


def locked(session: Session, actor: Actor, batch_id: int, *, states: Collection[str]) -> ImportBatch:
    """The batch, held until the transaction ends; ``Conflict`` while another holds it or in any other state."""
    find(session, actor, batch_id)
    query = sa.select(ImportBatch).where(ImportBatch.id == batch_id).with_for_update(nowait=True)
    try:
        batch = session.scalars(query, execution_options={"populate_existing": True}).one()
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != "55P03":
            raise
        raise Conflict("IMPORT_BUSY") from error
    if batch.state not in states:
        raise Conflict("IMPORT_STATE", state=batch.state, state_zh=STATES_ZH[batch.state])
    return batch


def clear(session: Session, batch_id: int) -> None:
    """Remove what was staged of a batch."""
    session.execute(sa.delete(ImportProblem).where(ImportProblem.batch_id == batch_id))
    session.execute(sa.delete(ImportRow).where(ImportRow.batch_id == batch_id))


def view(
    session: Session, batch: ImportBatch, actor: Actor, *, repeated: bool = False, with_same: bool = True
) -> BatchView:
    """The batch as plain values, its error as sentences in the actor's language."""
    region = session.get(Region, batch.region_id) if batch.region_id is not None else None
    same = _earlier(session, batch, actor) if with_same else ()
    return BatchView(
        id=batch.id,
        kind=batch.kind,
        state=batch.state,
        filename=batch.filename,
        size_bytes=batch.size_bytes,
        sha256=batch.sha256,
        region_code=region.code if region else None,
        region_name=region.name if region else None,
        format=batch.format,
        layer=batch.layer,
        encoding=batch.encoding,
        crs=batch.crs,
        datum=batch.datum,
        department=batch.department,
        mapping=dict(batch.mapping or {}),
        options=dict(batch.options or {}),
        report=dict(batch.report or {}),
        rows_total=batch.rows_total,
        rows_bad=batch.rows_bad,
        rows_accepted=batch.rows_accepted,
        progress=batch.progress or 0.0,
        error=_error(batch.error, actor.locale),
        login=_login(session, batch.created_by),
        created_at=batch.created_at,
        accepted_at=batch.accepted_at,
        repeated=repeated,
        same_as=same,
    )


def _kind(kind: Kind | str) -> Kind:
    try:
        return Kind(kind)
    except ValueError:
        raise Invalid("IMPORT_KIND", kind=str(kind)[:40], kinds="、".join(Kind)) from None


def _visible(session: Session, actor: Actor, batch: ImportBatch) -> bool:
    """One's own batches, those of one's regions, and all for who plans everywhere."""
    if actor.everywhere(Role.PLANNER) or (actor.user_id is not None and batch.created_by == actor.user_id):
        return True
    if batch.region_id is None:
        return False
    code = session.scalar(sa.select(Region.prefix).where(Region.id == batch.region_id))
    return code is not None and actor.may(Role.PLANNER, code)


def _same(session: Session, actor: Actor, sha256: str, kind: Kind, layer: str | None, where: Any) -> list[ImportBatch]:
    """Batches of the same file, kind, layer and filter that are open or accepted, the newest first."""
    query = (
        sa.select(ImportBatch)
        .where(ImportBatch.sha256 == sha256, ImportBatch.kind == kind.value)
        .where(ImportBatch.state != "discarded")
        .order_by(ImportBatch.id.desc())
    )
    found = session.scalars(query).all()
    return [
        batch
        for batch in found
        if _visible(session, actor, batch)
        and batch.options.get("where") == where
        and (layer is None or batch.layer == layer)
    ]


def _earlier(session: Session, batch: ImportBatch, actor: Actor) -> tuple[Sent, ...]:
    """Batches of the same content that the actor may see, the newest first."""
    query = (
        sa.select(ImportBatch, User.login)
        .outerjoin(User, User.id == ImportBatch.created_by)
        .where(ImportBatch.sha256 == batch.sha256, ImportBatch.id != batch.id)
        .order_by(ImportBatch.id.desc())
        .limit(10)
    )
    return tuple(
        Sent(same.id, same.state, same.created_at, same.accepted_at, login, same.rows_accepted)
        for same, login in session.execute(query)
        if _visible(session, actor, same)
    )


def _login(session: Session, user_id: int | None) -> str | None:
    return None if user_id is None else session.scalar(sa.select(User.login).where(User.id == user_id))


def _error(stored: Mapping[str, Any] | None, locale: str) -> Mapping[str, Any] | None:
    if stored is None:
        return None
    code, params = stored["code"], stored.get("params", {})
    return {
        "code": code,
        "message": sentence(code, locale, **params),
        "hint": hint(code, locale, **params),
        "row": stored.get("row"),
    }
