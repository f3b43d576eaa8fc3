"""Parts of a redraw on a dask.distributed cluster, for those who have outgrown one machine.

The same package must be installed on the workers: what is drawn depends on it, on numpy and on numba. Distributed's own
check of versions (``Client.get_versions``) does not know this package, so versions are asked of the workers here.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import wait
from contextlib import contextmanager
from importlib.metadata import version
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from geodata.errors import GeodataError

if TYPE_CHECKING:
    from geodata.redraw.engine import Solved
    from geodata.redraw.model import Instance, Ints

#: Arguments of :func:`geodata.redraw.engine.solve`: instance, seed, moves, seconds, plan to begin at.
Task = tuple["Instance", tuple[int, ...], int | None, float | None, "Ints | None"]

_PACKAGES = ("gridmap", "numba", "numpy", "scipy")
_REACH_S = 10.0
_POLL_S = 0.2
_ASK_EVERY_S = 0.5


def solve_all(
    address: str, tasks: Sequence[Task], hear: Callable[[Mapping[int, Solved]], bool]
) -> tuple[list[Solved], str]:
    """Solve ``tasks`` on the cluster at ``address`` ("tcp://host:8786"), largest first; the results in their order.

    ``hear`` is told a few times a second which are solved; once it returns True the workers stop and give the best they
    have. The second value is why it ended: done, time or cancelled. Raises ``REDRAW_SCHEDULER`` where the cluster
    cannot be reached within ten seconds, has no worker, other versions, or loses its workers.
    """
    with _connected(address) as client:
        _same_versions(address, client)
        stop = f"redraw-{uuid4().hex}"
        ending = _dask().Event(stop, client=client)
        largest = sorted(range(len(tasks)), key=lambda at: (-len(tasks[at][0].units), at))
        run = client.get_executor(pure=False, retries=1).submit
        waiting = {run(_solve_there, stop, *tasks[at]): at for at in largest}
        solved: dict[int, Solved] = {}
        try:
            left, cancelled = set(waiting), False
            while left:
                done, left = wait(left, timeout=_POLL_S)
                solved |= {waiting[task]: _result(address, task) for task in done}
                if not cancelled and hear(dict(solved)):
                    cancelled = True
                    ending.set()
        except BaseException:
            ending.set()
            for task in waiting:
                task.cancel()
            raise
    reasons = [one.stopped for one in solved.values()]
    stopped = next((reason for reason in ("cancelled", "time") if reason in reasons), "done")
    return [solved[at] for at in range(len(tasks))], stopped


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """A client of the scheduler at ``address`` that has at least one worker."""
    began = monotonic()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what fails is told as a coded error
    try:
        client = _dask().Client(address, timeout=_REACH_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise _unreachable(address, error) from error
    try:
        client.wait_for_workers(1, timeout=max(_REACH_S - (monotonic() - began), 1.0))
        yield client
    except TimeoutError as error:
        raise _unreachable(address, "no worker") from error
    finally:
        client.close()


def _same_versions(address: str, client: Any) -> None:
    """Raise ``REDRAW_SCHEDULER`` for a worker whose packages are not those of this machine."""
    mine = _versions()
    try:
        everywhere = client.run(_versions, on_error="raise")
    except (ImportError, OSError) as error:
        raise _unreachable(address, error) from error
    for worker, theirs in everywhere.items():
        other = [f"{name} {theirs[name]} / {mine[name]}" for name in mine if theirs[name] != mine[name]]
        if other:
            raise _unreachable(address, f"{worker}: {', '.join(other)}")


def _versions() -> dict[str, str]:
    """Versions that a plan depends on."""
    return {"python": ".".join(platform.python_version_tuple()[:2])} | {name: version(name) for name in _PACKAGES}


def _result(address: str, task: Any) -> Solved:
    try:
        solved: Solved = task.result()
    except (_dask().KilledWorker, OSError) as error:
        raise _unreachable(address, error) from error
    return solved


def _unreachable(address: str, reason: object) -> GeodataError:
    return GeodataError("REDRAW_SCHEDULER", address=address, reason=str(reason) or type(reason).__name__)


def _solve_there(stop: str, *task: Any) -> Solved:
    """What a worker runs: one part, until it is done or the event ``stop`` is set."""
    from geodata.redraw.engine import solve

    return solve(*task, cancelled=_now_and_then(_dask().Event(stop).is_set))


def _now_and_then(asked: Callable[[], bool]) -> Callable[[], bool]:
    """``asked``, but put to the scheduler at most twice a second."""
    answer, due = False, 0.0

    def cancelled() -> bool:
        nonlocal answer, due
        if not answer and monotonic() >= due:
            answer, due = asked(), monotonic() + _ASK_EVERY_S
        return answer

    return cancelled


def _dask() -> Any:
    """dask.distributed, which has no types of its own; imported when it is needed."""
    import distributed

    return distributed
