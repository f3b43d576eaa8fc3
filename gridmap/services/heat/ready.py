"""Getting ready: the kernels of heat maps are loaded while the page that will ask for one is on its way."""

from __future__ import annotations

from gridmap.services.ready import behind_the_scenes


def get_ready() -> None:
    """Load what heat maps need behind the scenes: about a second that no map then waits for."""
    behind_the_scenes("heat", _load)


def _load() -> None:
    from geodata.warm import heat_up

    heat_up()
