"""Vector tiles (Mapbox Vector Tile 2.1) of ground, regions and a plan's grids, cut to what the actor may see.

Not ``@service``: a tile is one statement on a connection for reading, and most are none at all (docs/tiles.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from gridmap.errors import Invalid, NotFound
from gridmap.services.actor import Actor, Role
from gridmap.services.plans.access import overlap
from gridmap.services.tiles import cache, make
from gridmap.services.tiles.square import MAX_ZOOM
from gridmap.services.tiles.state import State, look, remembered, state_of

__all__ = ["MAX_ZOOM", "Pass", "Tile", "issue", "key_of", "seen", "tile", "tile_with"]

#: Below this zoom the ground has no buildings, hence nothing that not everybody may see.
_BUILDINGS_FROM = 14
#: A large scale with less in it than this is made in the time that a file takes.
_SHARED_BYTES = 16 << 10
#: How often a tile is made anew because the data moved on meanwhile; the last one is answered and not kept.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile, the name of exactly this one (``etag``), and whether the address named the present ``version``."""

    content: bytes
    etag: str
    present: bool


@dataclass(frozen=True, slots=True)
class Pass:
    """Somebody who was let in, and the state (:class:`Now`) in which the account then was."""

    actor: Actor
    token: str | None
    account: bytes


def issue(actor: Actor, token: str | None, again: Callable[[], Actor | None]) -> Pass | None:
    """A pass for ``actor``, who came with the token of that hash if with one.

    ``again`` looks anew who is asking: after the account's state was read, so that no change falls in between.
    """
    account = look(None, actor.user_id, token).account
    return Pass(actor, token, account) if account is not None and again() == actor else None


def tile(actor: Actor, layer: str, plan_id: int | None, version: int, z: int, x: int, y: int) -> Tile:
    """A tile of ``ground``, ``regions`` or ``grids`` as it is now.

    Raises ``Forbidden``, ``Invalid`` TILE_OUT_OF_RANGE, ``NotFound`` for a plan outside the actor's regions.
    """
    found = _tile(actor, None, layer, plan_id, version, z, x, y)
    assert found is not None
    return found


def tile_with(held: Pass, layer: str, plan_id: int | None, version: int, z: int, x: int, y: int) -> Tile | None:
    """:func:`tile` for who was let in before; None where the account or its rights are no longer as they were then."""
    return _tile(held.actor, held, layer, plan_id, version, z, x, y)


def _tile(
    actor: Actor, held: Pass | None, layer: str, plan_id: int | None, version: int, z: int, x: int, y: int
) -> Tile | None:
    """One statement: that which makes the tile, or where it is kept that which tells what decides it.

    What is remembered of the state only says under which name to look; where it is no longer so, it is looked again.
    """
    actor.require(Role.VIEWER)
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z):
        raise Invalid("TILE_OUT_OF_RANGE", z=z, x=x, y=y)
    prefixes = actor.prefixes(Role.VIEWER)
    user_id, token = (actor.user_id, held.token) if held else (None, None)
    state, now, settled = remembered(layer, plan_id), None, False
    if state is not None and state.version != version:  # most likely there is a newer one
        state = None
    for _ in range(_TRIES):
        if state is None:
            now = look(plan_id, user_id, token)
            state = state_of(layer, plan_id, now)
        hidden = plan_id is not None and not _reaches(actor, state)
        regions = seen(prefixes, state.prefix) if layer != "ground" or z >= _BUILDINGS_FROM else ("",)
        key = key_of(state, regions, z, x, y)
        kept = b"" if hidden else cache.find(key)
        content = kept or b""
        if kept is None:
            content, now = make.tile(layer, plan_id, regions, (z, x, y), user_id, token)
        elif now is None:
            now = look(plan_id, user_id, token)
        if held is not None and now.account != held.account:
            return None
        settled = state.decided_by == now.decides(layer)
        told = state.version
        if settled:
            break
        state, now = state_of(layer, plan_id, now), None
    if hidden:
        raise NotFound("PLAN_NOT_FOUND", plan=plan_id)
    if settled and kept is None:
        cache.keep(key, content, shared=z < _BUILDINGS_FROM or len(content) > _SHARED_BYTES)
    return Tile(content, key[:32], settled and told == version)


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
