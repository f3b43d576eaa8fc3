"""The job queue: procrastinate on the same PostgreSQL; a job is deferred in the transaction that asks for it."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from procrastinate import App, PsycopgConnector
from sqlalchemy.orm import Session

from gridmap.db.engine import libpq_url


def make_app(url: str) -> App:
    """The worker's app on the database at ``url``; its tasks are all of :mod:`gridmap.jobs.tasks`."""
    return App(connector=PsycopgConnector(conninfo=libpq_url(url)), import_paths=["gridmap.jobs.tasks"])


def defer(session: Session, task: str, *, lock: str | None = None, **arguments: Any) -> int:
    """Queue ``task`` when the caller's transaction commits; jobs with the same ``lock`` run one after another."""
    query = sa.text(
        "SELECT (procrastinate_defer_jobs_v1(ARRAY[ROW('default', :task, 0, CAST(:lock AS text), NULL,"
        " CAST(:args AS jsonb), NULL)::procrastinate_job_to_defer_v1]))[1]"
    )
    return int(session.execute(query, {"task": task, "lock": lock, "args": json.dumps(arguments)}).scalar_one())
