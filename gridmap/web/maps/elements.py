"""The layers as Folium elements: each names its scripts; its template calls one function of ours with its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from branca.element import MacroElement
from folium.elements import JSCSSMixin
from folium.map import Layer
from folium.template import Template


class _DataLayer(JSCSSMixin, Layer):
    """A Leaflet layer made by ``gridmap.<factory>(options)`` and fed by the server."""

    scripts: ClassVar[tuple[str, ...]] = ()
    styles: ClassVar[tuple[str, ...]] = ("css/maps.css",)
    factory: ClassVar[str]
    _template = Template(
        """
        {% macro script(this, kwargs) %}
        var {{ this.get_name() }} = gridmap.{{ this.factory }}({{ this.options|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, element_id: str, name: str | None, *, show: bool = True, **options: Any) -> None:
        super().__init__(name=name, overlay=True, control=name is not None, show=show)
        self._name = element_id
        self._id = "layer"
        self.options = {key: value for key, value in options.items() if value is not None}


class GroundLayer(_DataLayer):
    """Roads, water, rail, walls and buildings from vector tiles at ``url`` (``{z}/{x}/{y}``)."""

    scripts = ("vendor/protomaps-leaflet/protomaps-leaflet.js", "js/maps/ground.js")
    factory = "groundLayer"

    def __init__(self, url: str, *, name: str | None = "道路、水系、建筑", show: bool = True) -> None:
        super().__init__("ground", name, show=show, url=url)


class RegionLayer(_DataLayer):
    """Borders and names of subdistricts and communities from vector tiles at ``url``."""

    scripts = GroundLayer.scripts
    factory = "regionLayer"

    def __init__(self, url: str, *, name: str | None = "社区界线", show: bool = True) -> None:
        super().__init__("regions", name, show=show, url=url)


class GridLayer(_DataLayer):
    """Grids coloured *and* patterned by status: polygons by fetch where few are in view, else vector tiles.

    ``url`` answers GeoJSON for ``?bbox=west,south,east,north`` (degrees), or 413 where more polygons are in view than
    are served at once; then ``tiles`` (``{z}/{x}/{y}``) are drawn. ``labels`` maps each status to its word in the
    user's language; ``outline`` draws borders only, over another layer's colours; ``query`` filters from the
    beginning (``region``, ``status``, ``rule``). Two of them share a map in a ``pane`` each (``order`` is its z-index);
    ``line`` styles outlines as Leaflet does (``color``, ``weight``, ``dashArray``), ``quiet`` lets pointers through.
    ``data`` is the GeoJSON itself: then nothing is fetched.
    """

    scripts = (
        "vendor/protomaps-leaflet/protomaps-leaflet.js",
        "js/maps/patterns.js",
        "js/maps/served.js",
        "js/maps/grids.js",
    )
    factory = "gridLayer"

    def __init__(
        self,
        url: str | None = None,
        tiles: str | None = None,
        *,
        data: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        outline: bool = False,
        query: Mapping[str, Any] | None = None,
        name: str | None = "网格",
        pane: str | None = None,
        order: int | None = None,
        line: Mapping[str, Any] | None = None,
        quiet: bool = False,
    ) -> None:
        words, first = dict(labels or {}), dict(query or {})
        super().__init__("grids", name, url=url, tiles=tiles, labels=words, outline=outline or None, query=first)
        if data is not None:
            self.options["data"] = data
        if tiles is None:  # the library that draws tiles is not needed
            self.default_js = [pair for pair in type(self).default_js if "protomaps" not in pair[0]]
        more = {"pane": pane, "order": order, "line": dict(line or {}) or None, "quiet": quiet or None}
        self.options |= {key: value for key, value in more.items() if value is not None}


class DifferenceLayer(_DataLayer):
    """Ground that changed hands between two plans, coloured and patterned by how, from ``url`` (GeoJSON).

    ``labels`` are the words for "moved", "assigned", "unassigned", "households" and "none" in the user's language.
    """

    scripts = ("js/maps/patterns.js", "js/maps/served.js", "js/maps/difference.js")
    factory = "differenceLayer"

    def __init__(self, url: str, *, labels: Mapping[str, str] | None = None, name: str | None = "变化") -> None:
        super().__init__("difference", name, url=url, labels=dict(labels or {}))


class CoverageLayer(_DataLayer):
    """Child regions by their share out of standard, or grids by status; coloured *and* patterned.

    ``url`` answers GeoJSON for ``?of=regions`` or ``?of=grids`` (with ``bbox`` beyond 2,000; then ``tiles`` are drawn).
    ``mode``: "status", "people", "estimated" or "age"; ``labels`` are the words for them, for each status, "grids" and
    "households"; ``query`` goes with every request.
    """

    scripts = (
        "vendor/protomaps-leaflet/protomaps-leaflet.js",
        "js/maps/patterns.js",
        "js/maps/served.js",
        "js/maps/coverage.js",
    )
    factory = "coverageLayer"

    def __init__(
        self,
        url: str,
        tiles: str | None = None,
        *,
        mode: str = "status",
        labels: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        name: str | None = "覆盖",
    ) -> None:
        words, first = dict(labels or {}), dict(query or {})
        super().__init__("coverage", name, url=url, tiles=tiles, mode=mode, labels=words, query=first)


class HeatLayer(_DataLayer):
    """Case density as one image of the view from ``url``; breaks are in cases per km2 and never depend on the zoom.

    ``params`` are the query: ``since`` and ``until`` (moments with zone), ``category``, ``region``, ``bandwidth`` in
    metres. Instead of ``url``, ``image`` is a picture (a data URL) that fills ``bounds`` (south, west, north, east in
    degrees): then nothing is fetched.
    """

    scripts = ("js/maps/heat.js",)
    factory = "heatLayer"

    def __init__(
        self,
        url: str | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        image: str | None = None,
        bounds: tuple[float, float, float, float] | None = None,
        name: str | None = "事件热力",
        show: bool = True,
    ) -> None:
        box = None if bounds is None else [bounds[:2], bounds[2:]]
        super().__init__("heat", name, show=show, url=url, params=dict(params or {}), image=image, bounds=box)


class SketchLayer(_DataLayer):
    """Water, roads and borders with names from GeoJSON that is given, for maps that fetch nothing.

    ``borders`` have the properties ``name`` and ``at`` (latitude, longitude of the name).
    """

    scripts = ("js/maps/served.js", "js/maps/sketch.js")
    factory = "sketchLayer"

    def __init__(
        self,
        water: Mapping[str, Any],
        roads: Mapping[str, Any],
        borders: Mapping[str, Any],
        *,
        name: str | None = "道路、水系、社区界",
    ) -> None:
        super().__init__("sketch", name, water=water, roads=roads, borders=borders)


class TimeSlider(JSCSSMixin, MacroElement):
    """A histogram of cases over time with a window of days to drag and to play, from ``url`` (a timeline as JSON).

    ``heat`` is a :class:`HeatLayer` of the same map that shows the window; the frame after the one on the map is
    fetched ahead. ``params`` filter what is counted (``category``, ``region``), ``window`` and ``step`` are days.
    ``container`` is the id of an element of the page that takes the slider instead of the map's corner; ``labels``
    replace its words (``play``, ``pause``, ``start``, ``end``, ``window`` and so on, see ``js/maps/slider.js``).
    """

    scripts: ClassVar[tuple[str, ...]] = ("js/maps/span.js", "js/maps/slider.js")
    styles: ClassVar[tuple[str, ...]] = ("css/maps.css",)
    _template = Template(
        """
        {% macro script(this, kwargs) %}
        var {{ this.get_name() }} = gridmap.timeSlider({{ this.options|tojson }});
        {{ this.get_name() }}.addTo({{ this._parent.get_name() }});
        {% if this.heat %}{{ this.get_name() }}.drive({{ this.heat.get_name() }});{% endif %}
        {% endmacro %}
        """
    )

    def __init__(
        self,
        url: str,
        *,
        heat: HeatLayer | None = None,
        params: Mapping[str, Any] | None = None,
        window: int = 30,
        step: int = 7,
        container: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "slider"
        self._id = "control"
        self.heat = heat
        given = {"url": url, "params": dict(params or {}), "window": window, "step": step, "container": container}
        self.options = {key: value for key, value in given.items() if value is not None} | {
            "labels": dict(labels or {})
        }


class Legend(JSCSSMixin, MacroElement):
    """A legend in the map's corner: rows of (swatch, text, number).

    A swatch is a status, a CSS colour, or "line" or "dash" before one.
    """

    scripts: ClassVar[tuple[str, ...]] = ("js/maps/patterns.js", "js/maps/legend.js")
    styles: ClassVar[tuple[str, ...]] = ("css/maps.css",)
    _template = Template(
        """
        {% macro script(this, kwargs) %}
        var {{ this.get_name() }} = gridmap.legend({{ this.options|tojson }});
        {{ this.get_name() }}.addTo({{ this._parent.get_name() }});
        {% endmacro %}
        """
    )

    def __init__(self, title: str, rows: Sequence[tuple[str, str, int | float | None]], *, note: str = "") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "legend"
        self._id = "control"
        self.options = {"title": title, "rows": [list(row) for row in rows], "note": note}


class View(MacroElement):
    """The first view, taken at once (Folium's ``fit_bounds`` flies there, fetching tiles on the way); metric scale."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        {{ this._parent.get_name() }}.fitBounds({{ this.bounds|tojson }}, {animate: false});
        {{ this._parent.get_name() }}.attributionControl.setPrefix("Leaflet");
        L.control.scale({imperial: false}).addTo({{ this._parent.get_name() }});
        {% endmacro %}
        """
    )

    def __init__(self, bounds: Sequence[tuple[float, float]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "View"
        self.bounds = [list(corner) for corner in bounds]


OWN_ELEMENTS = (
    *(GroundLayer, RegionLayer, GridLayer, CoverageLayer, DifferenceLayer, HeatLayer, TimeSlider, SketchLayer),
    Legend,
)
