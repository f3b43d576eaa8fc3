"""Our layers on maps outside the application: a notebook with a token and the address of a server is all it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import folium
from branca.element import MacroElement
from folium.elements import JSCSSMixin
from folium.template import Template

from gridmap.web.maps.elements import OWN_ELEMENTS
from gridmap.web.maps.shell import Bounds, base_map, use_server

_PATIENCE_S = 30


class Token(JSCSSMixin, MacroElement):
    """Sends ``token`` with what the map asks of the server ``base``. It must come before the layers of the map."""

    scripts: ClassVar[tuple[str, ...]] = ("js/maps/server.js",)
    styles: ClassVar[tuple[str, ...]] = ()
    _template = Template(
        """
        {% macro script(this, kwargs) %}
        gridmap.server({{ this.options|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, base: str, token: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "token"
        self.options = {"base": base, "token": token}


@dataclass(frozen=True, slots=True)
class RemotePlan:
    """A plan of a server; ``grids`` and ``tiles`` are what a :class:`GridLayer` takes."""

    id: int
    name: str
    state: str
    grids: str
    tiles: str


@dataclass(frozen=True, slots=True)
class Remote:
    """A server as a token sees it: the first view in degrees, and the addresses that layers take.

    ``ground`` and ``regions`` are vector tiles (:class:`GroundLayer`, :class:`RegionLayer`), ``heat`` is what a
    :class:`HeatLayer` takes, ``timeline`` a :class:`TimeSlider` (None for whoever sees no exact figures).
    """

    base: str
    token: str
    bounds: Bounds
    ground: str
    regions: str
    heat: str | None
    timeline: str | None
    plans: tuple[RemotePlan, ...]

    def map(self, name: str = "map") -> folium.Map:
        """An empty map of all that the token may see; add elements to it."""
        built = base_map(self.bounds, name=name)
        Token(self.base, self.token).add_to(built)
        return built

    def plan(self, plan_id: int | None = None) -> RemotePlan:
        """A plan by its number, or the first: the one in force. Raises ``KeyError`` for one that is not there."""
        for one in self.plans:
            if plan_id is None or one.id == plan_id:
                return one
        raise KeyError(plan_id)


def connect(address: str, token: str) -> Remote:
    """Ask the server at ``address`` (``http://gridmap.example:8000``) what maps need, and take its scripts for them.

    The token stands in every map that is made of it, saved files included: make one for a reader, for a few days. The
    browser that shows the map must be let in from its own origin (``GRIDMAP_CORS_ORIGINS``). Raises ``PermissionError``
    for a token that the server refuses, ``OSError`` where it cannot be reached.
    """
    base = address.rstrip("/")
    scene = _asked(base, token)
    use_server(f"{base}{scene['static']}")
    for element in (*OWN_ELEMENTS, Token):
        element.default_js = [(name, f"{base}{scene['static']}/{name}") for name in element.scripts]

    def whole(path: str | None) -> str | None:
        return None if path is None else base + path

    plans = [
        RemotePlan(one["id"], one["name"], one["state"], base + one["grids"], base + one["tiles"])
        for one in scene["plans"]
    ]
    west, south, east, north = scene["bounds"]
    return Remote(
        base,
        token,
        (west, south, east, north),
        base + scene["ground"],
        base + scene["regions"],
        whole(scene["heat"]),
        whole(scene["timeline"]),
        tuple(plans),
    )


def _asked(base: str, token: str) -> Mapping[str, Any]:
    request = Request(f"{base}/api/v1/scene", headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - what the caller names
    try:
        with urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310
            found: Mapping[str, Any] = json.load(answer)
            return found
    except HTTPError as error:
        if error.code in (401, 403):
            raise PermissionError(json.load(error)["message"]) from error
        raise
