"""The worker process (``python -m gridmap.jobs.worker``): runs deferred jobs until told to stop.

Each lane runs one job at a time: a preview that a planner waits for starts beside an import of an hour.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import suppress

from procrastinate import App
from sqlalchemy.exc import OperationalError

from gridmap.db.engine import connect, disconnect
from gridmap.db.start import database
from gridmap.jobs.app import LANES, make_app
from gridmap.jobs.tasks import register
from gridmap.services.imports.recover import retry_stalled_jobs
from gridmap.services.monthly import make_due, retry_failed
from gridmap.settings import settings

_GRACE_S = 15.0
_POLL_S = 2.0
_SWEEP_S = 10.0


def run_worker(url: str, stop: threading.Event) -> None:
    """Run jobs of the database at ``url`` until ``stop`` is set; a job under way has 15 seconds to end.

    A job that does not end in time is rolled back with its connection. Jobs of a worker that died are queued again once
    it has given no sign of life for 30 seconds; until then they hold their locks.
    """
    connect(url)
    try:
        asyncio.run(_work(url, stop))
    finally:
        disconnect()


async def _work(url: str, stop: threading.Event) -> None:
    app = make_app(url)
    register(app)
    async with app.open_async():
        lanes = [asyncio.create_task(_lane(app, lane)) for lane in LANES]
        stopped, sweeping = asyncio.create_task(_wait(stop)), asyncio.create_task(_sweep())
        await asyncio.wait({*lanes, stopped, sweeping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (stopped, sweeping, *lanes):
            task.cancel()
        for ended in await asyncio.gather(*lanes, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


async def _lane(app: App, lane: str) -> None:
    """Run the jobs of ``lane`` one after another."""
    await app.run_worker_async(
        queues=[lane],
        name=lane,
        concurrency=1,
        install_signal_handlers=False,
        fetch_job_polling_interval=_POLL_S,
        shutdown_graceful_timeout=_GRACE_S,
        delete_jobs="successful",
    )


async def _sweep() -> None:
    """Queue the jobs of dead workers again, and reports that are due or failed, for as long as the database answers."""
    while True:
        await asyncio.sleep(_SWEEP_S)
        with suppress(OperationalError):
            await asyncio.to_thread(retry_stalled_jobs)
            await asyncio.to_thread(make_due)
            await asyncio.to_thread(retry_failed)


async def _wait(stop: threading.Event) -> None:
    while not stop.is_set():
        await asyncio.sleep(0.2)


def main() -> None:
    """Work until SIGTERM or Ctrl-C."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with database(settings()) as url:
        run_worker(url, stop)


if __name__ == "__main__":
    main()
