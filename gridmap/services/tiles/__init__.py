"""Vector tiles (Mapbox Vector Tile 2.1) of ground, regions and a plan's grids, cut to what the actor may see.

Not ``@service``: a tile is one statement on a connection for reading, and most are none at all (docs/tiles.md).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from gridmap.errors import Invalid, NotFound
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import overlap
from gridmap.services.tiles import cache, make
from gridmap.services.tiles.square import MAX_ZOOM
from gridmap.services.tiles.state import State, state_of

__all__ = ["MAX_ZOOM", "Tile", "key_of", "seen", "tile"]

#: Below this zoom the ground has no buildings, hence nothing that not everybody may see.
_BUILDINGS_FROM = 14
#: A large scale with less in it than this is made in the time that a file takes.
_SHARED_BYTES = 16 << 10


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile, the name of exactly this one (``etag``), and whether the address named the present ``version``."""

    content: bytes
    etag: str
    present: bool


def tile(actor: Actor, layer: str, plan_id: int | None, version: int, z: int, x: int, y: int) -> Tile:
    """A tile of ``ground``, ``regions`` or ``grids`` as it is now.

    Raises ``Forbidden``, ``Invalid`` TILE_OUT_OF_RANGE, ``NotFound`` for a plan outside the actor's regions.
    """
    actor.require(Role.VIEWER)
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z):
        raise Invalid("TILE_OUT_OF_RANGE", z=z, x=x, y=y)
    prefixes = actor.prefixes(Role.VIEWER)
    state = state_of(layer, plan_id, version)
    if plan_id is not None and not _reaches(actor, state):
        raise NotFound("PLAN_NOT_FOUND", plan=plan_id)
    regions = seen(prefixes, state.prefix) if layer != "ground" or z >= _BUILDINGS_FROM else ("",)
    key = key_of(state, regions, z, x, y)
    content = cache.find(key)
    if content is None:
        content = _made(layer, plan_id, state, regions, key, z, x, y)
    return Tile(content, key[:32], state.version == version)


def _reaches(actor: Actor, state: State) -> bool:
    """Whether the plan of the state is seen: as :func:`gridmap.services.plans.access.visible` says."""
    prefix = state.prefix
    if prefix is None or not any(overlap(prefix, one) for one in actor.prefixes(Role.VIEWER)):
        return False
    return state.public or actor.sees_households(prefix)


def seen(prefixes: tuple[str, ...], plan_prefix: str | None) -> tuple[str, ...]:
    """The prefixes that matter within a plan, sorted: who sees all of it sees the same, and shares the tiles."""
    if plan_prefix is None:
        return ("",) if "" in prefixes else prefixes
    if any(plan_prefix.startswith(one) for one in prefixes):
        return ("",)
    return tuple(one for one in prefixes if one.startswith(plan_prefix))


def key_of(state: State, regions: tuple[str, ...], z: int, x: int, y: int) -> str:
    """The name of a tile: everything that decides it."""
    text = f"{state.name}|{','.join(regions)}|{z}/{x}/{y}"
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def _made(
    layer: str, plan_id: int | None, state: State, regions: tuple[str, ...], key: str, z: int, x: int, y: int
) -> bytes:
    content, counted = make.tile(layer, plan_id, regions, z, x, y)
    if counted == state.counters:  # else the data moved on since: right, but of a later name
        cache.keep(key, content, shared=z < _BUILDINGS_FROM or len(content) > _SHARED_BYTES)
    return content
