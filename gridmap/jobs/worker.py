"""The worker process (``python -m gridmap.jobs.worker``): runs deferred jobs until told to stop.

Each lane runs one job at a time: a preview that a planner waits for starts beside an import of an hour.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from procrastinate import App, JobContext
from sqlalchemy.exc import OperationalError

from gridmap.db.engine import abandon, connect, disconnect
from gridmap.db.start import database
from gridmap.errors import CodedError
from gridmap.jobs.app import LANES, make_app
from gridmap.jobs.tasks import register
from gridmap.services.imports.recover import queue_again, retry_stalled_jobs
from gridmap.services.monthly import make_due, retry_failed
from gridmap.services.plans.households import ask_if_due
from gridmap.settings import settings

_GRACE_S = 15.0
_POLL_S = 2.0
_SWEEP_S = 10.0


def run_worker(url: str, stop: threading.Event) -> bool:
    """Run jobs of the database at ``url`` until ``stop`` is set; a job under way has 15 seconds to end.

    False where one did not: it is queued again and its transaction rolled back, but Python cannot end its thread, so
    the caller ends the process. Jobs of a worker that died are queued again once it has given no sign of life for 30
    seconds; until then they hold their locks.
    """
    connect(url)
    runner = asyncio.Runner()
    unfinished: set[int] = set()
    try:
        ask_if_due()
        whole = runner.run(_work(url, stop, unfinished))
    except BaseException:
        runner.close()
        disconnect()
        raise
    if whole:
        runner.close()
        disconnect()
        return True
    # closing the runner would wait for the very threads
    with suppress(CodedError, OperationalError):  # without a database the next worker finds the jobs by their silence
        queue_again(unfinished)
        abandon()
    return False


async def _work(url: str, stop: threading.Event, under_way: set[int]) -> bool:
    """Work until told to stop; whether everything came to its end. ``under_way`` has the ids of jobs being done."""
    app = make_app(url)
    register(app)
    await app.open_async()
    ending = asyncio.Event()
    lanes = [asyncio.create_task(_lane(app, lane, under_way)) for lane in LANES]
    stopped, sweeping = asyncio.create_task(_wait(stop)), asyncio.create_task(_sweep(ending))
    await asyncio.wait({*lanes, stopped, sweeping}, return_when=asyncio.FIRST_COMPLETED)
    ending.set()
    for task in (stopped, *lanes):
        task.cancel()
    # left to itself the queue waits for its threads for ever
    _, late = await asyncio.wait((*lanes, sweeping), timeout=_GRACE_S)
    if late:
        return False
    await app.close_async()
    for ended in await asyncio.gather(*lanes, sweeping, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended
    return True


async def _lane(app: App, lane: str, under_way: set[int]) -> None:
    """Run the jobs of ``lane`` one after another."""

    async def noted(go_on: Callable[[], Awaitable[Any]], context: JobContext, worker: object) -> Any:
        assert context.job.id is not None
        under_way.add(context.job.id)
        try:
            return await go_on()
        finally:
            under_way.discard(context.job.id)

    await app.run_worker_async(
        queues=[lane],
        name=lane,
        concurrency=1,
        install_signal_handlers=False,
        fetch_job_polling_interval=_POLL_S,
        delete_jobs="successful",
        worker_middleware=[noted],
    )


async def _sweep(ending: asyncio.Event) -> None:
    """Queue the jobs of dead workers again, and reports that are due or failed, for as long as the database answers."""
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), _SWEEP_S)
            return
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
        whole = run_worker(url, stop)
    if not whole:
        os._exit(0)  # the interpreter would wait for the thread of the job


if __name__ == "__main__":
    main()
