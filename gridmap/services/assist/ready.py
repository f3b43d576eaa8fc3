"""Getting ready: the engine is loaded before the first question, in every process that a studio talks to."""

from __future__ import annotations

import threading

_once = threading.Lock()


def get_ready() -> None:
    """Load what suggestions need behind the scenes, once a process: about a second that no editor then waits for."""
    if _once.acquire(blocking=False):
        threading.Thread(target=_load, name="assist-ready", daemon=True).start()


def _load() -> None:
    from geodata.warm import rehearse

    rehearse()
