"""Answers kept in the process under a key that says what they were made from: asked again they are there at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """The last ``size`` answers. Who asks for what is just being made waits for it instead of making it as well."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, T] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer under ``key``, made if need be; one that is raised is not kept."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
            mine = self._making.setdefault(key, threading.Lock())
        with mine:
            with self._lock:
                if key in self._found:
                    return self._found[key]
            try:
                made = make()
            finally:
                with self._lock:
                    self._making.pop(key, None)
            with self._lock:
                self._found[key] = made
                while len(self._found) > self._size:
                    self._found.popitem(last=False)
            return made

    def forget(self) -> None:
        """Keep nothing (tests and benches)."""
        with self._lock:
            self._found.clear()
