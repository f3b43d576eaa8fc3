"""The job queue: procrastinate on the same PostgreSQL; a job is deferred in the transaction that asks for it."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from procrastinate import App, PsycopgConnector
from sqlalchemy.orm import Session

from gridmap.db.engine import libpq_url

#: Imports, checks, redraws; and what somebody waits for with open eyes, which may not stand behind those.
HEAVY, QUICK = "default", "preview"
LANES = (HEAVY, QUICK)


def make_app(url: str) -> App:
    """The worker's app on the database at ``url``; its tasks are all of :mod:`gridmap.jobs.tasks`."""
    return App(connector=PsycopgConnector(conninfo=libpq_url(url)), import_paths=["gridmap.jobs.tasks"])


def defer(session: Session, task: str, *, lock: str | None = None, lane: str = HEAVY, **arguments: Any) -> int:
    """Queue ``task`` when the caller's transaction commits; jobs with the same ``lock`` run one after another.

    Those of one ``lane`` (:data:`LANES`) run one after another too, those of different lanes side by side.
    """
    query = sa.text(
        "SELECT (procrastinate_defer_jobs_v1(ARRAY[ROW(CAST(:lane AS text), :task, 0, CAST(:lock AS text), NULL,"
        " CAST(:args AS jsonb), NULL)::procrastinate_job_to_defer_v1]))[1]"
    )
    given = {"lane": lane, "task": task, "lock": lock, "args": json.dumps(arguments)}
    return int(session.execute(query, given).scalar_one())
