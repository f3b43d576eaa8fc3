"""A tile from the database: its rows alone and the layer made of them here, or the whole of it in SQL."""

from __future__ import annotations

from functools import cache
from typing import Any

from gridmap.db.reader import row
from gridmap.services.ready import behind_the_scenes
from gridmap.services.tiles.square import BUFFER, square
from gridmap.services.tiles.state import Now
from gridmap.sql import plain

#: Layer -> from which zoom on its polygons become a layer here (below, rounding leaves few of them plain), statement,
#: name of that layer, its columns, steps around the tile.
_ROWS = {
    "grids": (12, "grid_rows", "grids", ("id", "code", "name", "kind", "status", "households", "population"), BUFFER),
    "ground": (14, "ground_rows", "buildings", ("kind",), 16),
}
_loaded = False


def tile(
    layer: str,
    plan_id: int | None,
    regions: tuple[str, ...],
    at: tuple[int, int, int],
    user_id: int | None = None,
    token: str | None = None,
) -> tuple[bytes, Now]:
    """The tile ``at`` (z, x, y) as the database is, and what :func:`look` tells of that very snapshot."""
    values: dict[str, Any] = {"patterns": [f"{one}%" for one in regions], "plan_id": plan_id, "z": at[0], **square(*at)}
    values |= {"user_id": user_id, "token": token}
    first_zoom, statement, name, columns, buffer = _ROWS.get(layer, (99, layer, layer, (), 0))
    if at[0] < first_zoom or not ready():
        made, _, *now = row(_with_now(layer), values)
        return made or b"", Now.of(tuple(now))
    from geodata.mvt import polygons

    made, rows, *now = row(_with_now(statement), values)
    return (made or b"") + polygons(name, columns, rows or b"", at, buffer=buffer), Now.of(tuple(now))


@cache
def _with_now(name: str) -> str:
    """A statement of tiles that also tells what decides them."""
    made, now = (plain("tiles", one).rstrip().rstrip(";") for one in (name, "now"))
    return f"SELECT made.*, now.* FROM ({made}) AS made, ({now}) AS now"  # noqa: S608


def ready() -> bool:
    """Whether the kernels are loaded; else they soon are, and SQL makes the tiles meanwhile."""
    if not _loaded:
        behind_the_scenes("tiles", load)
    return _loaded


def load() -> None:
    """Load the kernels: a second in a new process, once ``geodata.warm`` was run."""
    global _loaded
    from geodata.warm import lay_tiles

    lay_tiles()
    _loaded = True
