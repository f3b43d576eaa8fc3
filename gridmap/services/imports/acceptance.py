"""Acceptance: the good rows of a staged batch into the tables of the ground, in one transaction, or not at all."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata.errors import CodedError
from geodata.fields import Kind
from gridmap.db.engine import service, transaction
from gridmap.db.models import ImportBatch, User
from gridmap.errors import Conflict, Forbidden, NotSignedIn
from gridmap.jobs.app import defer
from gridmap.services import audit
from gridmap.services.accounts import load_actor
from gridmap.services.actor import SYSTEM, Actor, Role
from gridmap.services.heat import keeper as heat_keeper
from gridmap.services.imports import batches, files
from gridmap.services.imports.makers import MAKERS, Made
from gridmap.services.imports.staging import LOCK, Progress
from gridmap.services.imports.views import Accepted, BatchView
from gridmap.services.placing import lock_units
from gridmap.services.versions import raise_version, render_ahead, versions
from gridmap.sql import query

#: Layers whose version rises when rows of a kind are accepted.
LAYERS = {
    Kind.REGIONS: ("regions",),
    Kind.BUILDINGS: ("buildings", "units"),
    Kind.BARRIERS: ("barriers",),
    Kind.GRIDS: ("plans",),
    Kind.CASES: ("cases",),
    Kind.UNITS: ("units",),
}
_LOCATED = frozenset({Kind.BUILDINGS, Kind.CASES, Kind.UNITS})
#: Kinds whose rows may change things that lie in a community of their own.
_MATCHED = frozenset({Kind.BUILDINGS, Kind.CASES, Kind.BARRIERS})


@service
def accept(
    session: Session,
    actor: Actor,
    batch_id: int,
    *,
    only_good: bool = False,
    replace: bool = False,
    progress: Progress | None = None,
) -> Accepted:
    """Take the rows of a staged batch over; a row whose key or code is known updates, any other is new.

    Bad rows stay behind with their reasons, if ``only_good``; else their presence is ``Conflict`` IMPORT_HAS_BAD.
    ``replace``: units take the place of those that live in their communities, barriers of all that meet their extent.
    Raises ``Conflict``: IMPORT_BUSY or IMPORT_STATE where another has it, IMPORT_STALE where regions changed since it
    was staged, IMPORT_NOTHING without a good row; ``Forbidden`` where rows lie outside the actor's regions.
    """
    batch = batches.locked(session, actor, batch_id, states=("staged",))
    return _accept(session, actor, batch, only_good, replace, progress or (lambda share, doing: None))


@service
def accept_later(
    session: Session, actor: Actor, batch_id: int, *, only_good: bool = False, replace: bool = False
) -> BatchView:
    """As :func:`accept`, by a worker: the batch is "accepting" until it is done."""
    batch = batches.locked(session, actor, batch_id, states=("staged",))
    batch.state, batch.progress, batch.error = "accepting", 0.0, None
    batch.options = {**batch.options, "accept": {"only_good": only_good, "replace": replace}}
    defer(session, "accept_import", lock="import-accept", batch_id=batch_id, user_id=actor.user_id)
    session.flush()
    return batches.view(session, batch, actor)


def run_accept(batch_id: int, user_id: int | None, progress: Progress | None = None) -> None:
    """The worker's part of :func:`accept_later`; a fault is stored with the batch, which is staged again."""
    error: CodedError = CodedError("IMPORT_INTERRUPTED")
    done = False
    try:
        with transaction() as session:
            session.execute(sa.text("SELECT pg_advisory_xact_lock(:lock, :batch)"), {"lock": LOCK, "batch": batch_id})
            actor = _actor(session, user_id)
            batch = batches.locked(session, actor, batch_id, states=("accepting",))
            chosen = batch.options.get("accept", {})
            say = progress or (lambda share, doing: None)
            _accept(session, actor, batch, chosen.get("only_good", False), chosen.get("replace", False), say)
        done = True
    except CodedError as caught:
        error = caught
        raise
    finally:
        if not done:
            with transaction() as session:
                stored = {"code": error.code, "params": {k: str(v) for k, v in error.params.items()}}
                session.execute(
                    sa.update(ImportBatch)
                    .where(ImportBatch.id == batch_id, ImportBatch.state == "accepting")
                    .values(state="staged", error=stored, progress=1.0)
                )


#: Kinds whose ground may reach into others' regions whatever their codes say.
_FOREIGN_PLACES = {Kind.REGIONS: "foreign_ground", Kind.BARRIERS: "foreign_barriers"}


def _accept(
    session: Session, actor: Actor, batch: ImportBatch, only_good: bool, replace: bool, say: Progress
) -> Accepted:
    kind = Kind(batch.kind)
    good, bad = session.execute(query("imports", "good_rows"), {"batch": batch.id}).one()
    if not good:
        raise Conflict("IMPORT_NOTHING")
    if bad and not only_good:
        raise Conflict("IMPORT_HAS_BAD", bad=bad)
    _refuse_stale(session, batch, kind)
    _refuse_foreign(session, actor, batch, kind)
    # two batches of a kind that name the same things wait for each other; no build retires units that rows are put in
    session.execute(sa.text("SELECT pg_advisory_xact_lock(:lock, hashtext(:kind))"), {"lock": ~LOCK, "kind": kind})
    lock_units(session, shared=kind is not Kind.UNITS)
    session.execute(sa.text("CREATE TEMPORARY TABLE import_match (row bigint, id bigint) ON COMMIT DROP"))
    say(0.1, "")
    made: Made = MAKERS[kind](session, actor, batch, replace, say)
    if kind in _MATCHED:
        _refuse(session, actor, batch, "foreign_changed")
    session.execute(query("imports", "forget_taken"), {"batch": batch.id})
    batch.state, batch.progress, batch.error = "accepted", 1.0, None
    batch.rows_accepted, batch.rows_bad = made.inserted + made.updated, bad
    batch.accepted_at = session.scalar(sa.select(sa.func.now()))
    counts = {"inserted": made.inserted, "updated": made.updated, "left": bad, **made.also}
    batch.report = {**batch.report, "accepted": counts}
    raise_version(session, *LAYERS[kind])
    if kind is Kind.CASES:
        session.execute(query("heat", "forget"), {"age": heat_keeper.FORGET_AFTER})
        if made.inserted + made.updated > heat_keeper.CHANGES_MAX:
            defer(session, "build_heat", lock="heat")  # sooner than the first map that would want it
    if kind is Kind.REGIONS:  # they are part of the names of tiles
        render_ahead(session)
    audit.record(session, actor, "import.accept", "import_batch", batch.id, kind=kind.value, **counts)
    session.flush()
    if not bad and batch.report.get("personal"):
        files.forget(session, batch)
    say(1.0, "")
    view = batches.view(session, batch, actor)
    return Accepted(view, made.inserted, made.updated, bad, made.also)


def _refuse_stale(session: Session, batch: ImportBatch, kind: Kind) -> None:
    """Rows carry the community they lay in when staged; regions that changed meanwhile make that void."""
    if kind in _LOCATED:
        then = batch.report.get("versions", {}).get("regions", 0)
        if versions(session)["regions"] != then:
            raise Conflict("IMPORT_STALE")


def _refuse_foreign(session: Session, actor: Actor, batch: ImportBatch, kind: Kind) -> None:
    name = {Kind.REGIONS: "foreign_codes", Kind.GRIDS: "foreign_grids"}.get(kind, "foreign_regions")
    _refuse(session, actor, batch, name)
    if kind in _FOREIGN_PLACES:
        _refuse(session, actor, batch, _FOREIGN_PLACES[kind])


def _refuse(session: Session, actor: Actor, batch: ImportBatch, name: str) -> None:
    """Raise ``Forbidden`` where the query ``name`` finds regions that the actor does not plan."""
    if actor.everywhere(Role.PLANNER):
        return
    found = session.scalars(query("imports", name), {"batch": batch.id, "patterns": actor.patterns(Role.PLANNER)}).all()
    if found:
        raise Forbidden("IMPORT_NOT_YOURS", regions="、".join(code or "?" for code in found))


def _actor(session: Session, user_id: int | None) -> Actor:
    """Who asked for the acceptance, with the grants of now; the system where nobody signed in did."""
    if user_id is None:
        return SYSTEM
    actor = load_actor(session, User.id == user_id, address=None)
    if actor is None:
        raise NotSignedIn("IMPORT_NO_ACTOR")
    return actor
