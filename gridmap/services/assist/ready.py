"""Getting ready: the engine is loaded before the first question, in every process that a studio talks to."""

from __future__ import annotations

from gridmap.services.ready import behind_the_scenes


def get_ready() -> None:
    """Load what suggestions need behind the scenes: about a second that no editor then waits for."""
    behind_the_scenes("engine", _load)


def _load() -> None:
    from geodata.warm import rehearse

    rehearse()
