"""After a killed server: batches that nobody works on any more are put back, and it is said what happened."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geodata.messages import sentence
from gridmap.db.engine import transaction
from gridmap.db.models import ImportBatch, ImportRow
from gridmap.services.imports import batches, files
from gridmap.services.imports.staging import LOCK
from gridmap.settings import settings
from gridmap.sql import query

#: What a batch that was interrupted in a state goes back to.
_BACK = {"reading": "uploaded", "accepting": "staged"}


def recover() -> Sequence[str]:
    """Put interrupted batches back, retry the jobs of dead workers, remove half-received files; one sentence each.

    A batch that a living process works on is left alone: its advisory lock is held. Its jobs, queued or retried, go on
    with what is put back here.
    """
    locale = settings().default_locale
    with transaction() as session:
        told = [sentence("IMPORT_RECOVERED", locale, **found) for found in _put_back(session)]
    jobs = retry_stalled_jobs()
    removed = files.remove_leftovers()
    told += [sentence("IMPORT_JOBS_RETRIED", locale, count=jobs)] if jobs else []
    told += [sentence("IMPORT_FILES_REMOVED", locale, count=removed)] if removed else []
    return told


def retry_stalled_jobs() -> int:
    """Queue the jobs again whose worker has given no sign of life for 30 seconds; how many."""
    with transaction() as session:
        return int(session.execute(query("imports", "retry_stalled_jobs")).rowcount)  # type: ignore[attr-defined]


def queue_again(jobs: Collection[int]) -> None:
    """Queue jobs again that this process began and will not end; those that ended meanwhile stay as they are."""
    with transaction() as session:
        session.execute(query("imports", "queue_again"), {"jobs": list(jobs)})


def _put_back(session: Session) -> list[dict[str, object]]:
    waiting = sa.select(ImportBatch).where(ImportBatch.state.in_(_BACK)).order_by(ImportBatch.id)
    found: list[dict[str, object]] = []
    for batch in session.scalars(waiting).all():
        key = {"lock": LOCK, "batch": batch.id}
        queued = session.scalar(query("imports", "has_waiting_job"), {"batch": batch.id})
        if queued or not session.scalar(sa.text("SELECT pg_try_advisory_xact_lock(:lock, :batch)"), key):
            continue
        told = _told(batch, _BACK[batch.state])
        notice = {"was": batch.state, "at": datetime.now(UTC).isoformat(timespec="seconds"), **told}
        batch.report = {**batch.report, "notice": notice}
        batch.error = {"code": f"IMPORT_KILLED_{batch.state.upper()}", "params": {}, "row": None}
        if batch.state == "reading":
            batches.clear(session, batch.id)
        batch.state, batch.progress = _BACK[batch.state], 0.0
        found.append(told)
    return found + _staged_anew(session)


def _staged_anew(session: Session) -> list[dict[str, object]]:
    """Staged rows are not logged by the server: after its crash they are gone, and the batch is as uploaded."""
    rows = sa.select(ImportRow.row).where(ImportRow.batch_id == ImportBatch.id)
    lost = sa.select(ImportBatch).where(ImportBatch.state == "staged", ImportBatch.rows_total > 0, ~sa.exists(rows))
    found: list[dict[str, object]] = []
    for batch in session.scalars(lost).all():
        batch.state, batch.progress = "uploaded", 0.0
        batch.error = {"code": "IMPORT_KILLED_READING", "params": {}, "row": None}
        found.append(_told(batch, batch.state))
    return found


def _told(batch: ImportBatch, state: str) -> dict[str, object]:
    return {"id": batch.id, "filename": batch.filename, "state": state, "state_zh": batches.STATES_ZH[state]}
