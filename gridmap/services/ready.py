"""Getting ready: what is slow to load is loaded behind the scenes, once a process, before somebody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

_lock = threading.Lock()
_begun: set[str] = set()


def behind_the_scenes(name: str, load: Callable[[], None]) -> None:
    """Run ``load`` in a thread of its own, the first time that ``name`` is asked for in this process."""
    with _lock:
        if name in _begun:
            return
        _begun.add(name)
    threading.Thread(target=load, name=f"ready-{name}", daemon=True).start()
