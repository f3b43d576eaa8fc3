"""The picture of a redraw as one HTML page that needs nothing from elsewhere: maps that zoom and move together."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import shapely

from geodata.redraw.draw import STYLES, UNAVOIDABLE, WORDS, Panel, Picture, label_size, metres, scale_m

_MARKS = {
    "in_band": "",
    "under": '<circle cx="3" cy="3" r="1.2"/><circle cx="8" cy="8" r="1.2"/>',
    "over": '<path d="M-2 2L2-2M0 10L10 0M8 12L12 8" stroke-width="2"/>',
    "none": '<path d="M3 3L7 7M7 3L3 7" stroke-width="1"/>',
}
_MOST_LABELS = 2_500
_MANY_GRIDS = 500


def html(drawn: Picture) -> bytes:
    """One page without anything from elsewhere: two maps that move together, legend, scale, tooltips."""
    panels = "".join(_svg(drawn, panel, at) for at, panel in enumerate(drawn.panels))
    legend = "".join(
        f'<span><svg width="26" height="16"><defs>{_pattern(status, "legend")}</defs>'
        f'<rect width="26" height="16" fill="{fill}"/>'
        f'<rect width="26" height="16" fill="url(#legend-{status})" stroke="#33414e"/></svg>'
        f"{WORDS[status][0]} {WORDS[status][1]}</span>"
        for status, (fill, _) in STYLES.items()
    )
    title = f"{escape(drawn.title_zh)} · {escape(drawn.title_en)}"
    return (
        f'<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_CSS}</style></head><body><h1>{title}</h1><main>{panels}</main>"
        f'<p class="legend">{legend}<span>* {UNAVOIDABLE[0]} {UNAVOIDABLE[1]}</span></p>'
        '<p class="hint">滚轮缩放，拖动平移，双击复原；指向网格看数字。'
        "Wheel to zoom, drag to move, double-click to reset; point at a grid for its numbers.</p>"
        f"<script>{_SCRIPT}</script></body></html>"
    ).encode()


def _svg(drawn: Picture, panel: Panel, number: int) -> str:
    width, height = drawn.width, drawn.height
    parts = [
        f"<figure><figcaption>{escape(panel.title_zh)}<br><small>{escape(panel.title_en)}</small></figcaption>"
        f'<svg class="map" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}" role="img" '
        f'aria-label="{escape(panel.title_zh)}"><defs>{"".join(_pattern(name, f"p{number}") for name in STYLES)}</defs>'
    ]
    for shape, status, note in zip(panel.shapes, panel.status, panel.notes, strict=True):
        path = _path(shape)
        over = f'<path d="{path}" fill="url(#p{number}-{status})"/>' if _MARKS[status] else ""
        parts.append(f'<g><title>{escape(note)}</title><path d="{path}" fill="{STYLES[status][0]}"/>{over}</g>')
    if len(panel.units):
        parts.append(f'<path class="unit" d="{"".join(_path(shape) for shape in panel.units)}"/>')
    thin = " thin" if len(panel.shapes) > _MANY_GRIDS else ""
    parts.append(f'<path class="grid{thin}" d="{"".join(_path(shape) for shape in panel.shapes)}"/>')
    parts += _labels(panel)
    length_m = scale_m(drawn.px_per_m)
    parts.append(f"</svg>{_scale(length_m, length_m * drawn.px_per_m, drawn.width)}</figure>")
    return "".join(parts)


def _scale(length_m: int, length_px: float, width: float) -> str:
    share = f'data-metres="{length_m}" data-share="{length_px / width:.5f}"'
    return f'<div class="scale" {share}><i></i><b>{metres(length_m)}</b></div>'


def _labels(panel: Panel) -> list[str]:
    found = []
    largest = np.argsort([-shape.area for shape in panel.shapes], kind="stable")[:_MOST_LABELS]
    for at in largest.tolist():
        if label := panel.labels[at]:
            x, y = shapely.get_coordinates(shapely.point_on_surface(panel.shapes[at]))[0]
            size = label_size(panel.shapes[at], label, 100.0)
            found.append(f'<text x="{x:.1f}" y="{y:.1f}" style="--fit:{size:.2f}px">{escape(label)}</text>')
    return found


def _pattern(status: str, prefix: str) -> str:
    ink = STYLES[status][1]
    return (
        f'<pattern id="{prefix}-{status}" width="10" height="10" patternUnits="userSpaceOnUse">'
        f'<g fill="{ink}" stroke="{ink}" stroke-width="0" opacity=".6">{_MARKS[status]}</g></pattern>'
    )


def _path(shape: Any) -> str:
    """SVG path data of polygons, tenths of a pixel."""
    out = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon" and not part.is_empty:
            for ring in (part.exterior, *part.interiors):
                out.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in shapely.get_coordinates(ring)[:-1]) + "Z")
    return "".join(out)


_CSS = """
body{margin:0;padding:12px 16px;font:14px/1.4 "Noto Sans CJK SC","Microsoft YaHei",sans-serif}
body{color:#14202b;background:#fff}
h1{font-size:18px;margin:0 0 8px}main{display:flex;gap:12px;flex-wrap:wrap}
figure{margin:0;flex:1 1 420px;position:relative;min-width:0}figcaption{font-weight:600;margin-bottom:4px}
small{font-weight:400;color:#4a5866}
svg.map{width:100%;height:72vh;border:1px solid #c5ccd3;background:#fbfbf8;touch-action:none;cursor:grab;display:block}
.map path{fill-rule:evenodd;vector-effect:non-scaling-stroke}
.map .unit{fill:none;stroke:#33414e;stroke-opacity:.25;stroke-width:.5;pointer-events:none}
.map .grid{fill:none;stroke:#1b2733;stroke-width:1.3;pointer-events:none}.map .thin{stroke-width:.7}
.map text{text-anchor:middle;dominant-baseline:central;font-size:min(var(--fit),var(--most));
fill:#14202b;stroke:#fff;stroke-width:.25em;paint-order:stroke;stroke-linejoin:round;
pointer-events:none}
.scale{position:absolute;left:10px;bottom:10px;background:rgba(255,255,255,.85);padding:2px 6px;font-size:12px}
.scale i{display:block;border:solid #14202b;border-width:0 1.5px 1.5px;height:5px}.scale b{font-weight:400}
.legend span{display:inline-flex;gap:6px;align-items:center;margin-right:18px}
.hint{color:#4a5866;font-size:12px;margin:4px 0}
"""

_SCRIPT = """
(function(){var maps=[].slice.call(document.querySelectorAll('svg.map'));
var home=maps[0].getAttribute('viewBox').split(' ').map(Number),view=home.slice();
function show(){maps.forEach(function(m){m.setAttribute('viewBox',view.join(' '));
m.style.setProperty('--most',13*perPixel(m)+'px');marks(m);scale(m)})}
function marks(m){var k=perPixel(m);[].forEach.call(m.querySelectorAll('text'),function(t){
t.style.display=parseFloat(t.style.getPropertyValue('--fit'))<6*k?'none':''});
[].forEach.call(m.querySelectorAll('pattern'),function(p){
p.setAttribute('patternTransform','scale('+perPixel(m)+')')})}
function perPixel(m){var r=m.getBoundingClientRect();return Math.max(view[2]/r.width,view[3]/r.height)}
function scale(m){var s=m.parentNode.querySelector('.scale'),perM=s.dataset.share*home[2]/s.dataset.metres;
var want=110*perPixel(m)/perM,p=Math.pow(10,Math.floor(Math.log10(want)));
var n=[5,2,1].find(function(k){return k*p<=want})*p;
s.querySelector('i').style.width=n*perM/perPixel(m)+'px';s.querySelector('b').textContent=n>=1000?n/1000+' km':n+' m'}
maps.forEach(function(m){var from=null;
m.addEventListener('wheel',function(e){e.preventDefault();
var r=m.getBoundingClientRect(),k=perPixel(m),f=Math.exp(e.deltaY*.0015);
f=Math.min(Math.max(f,home[2]/200/view[2]),home[2]*1.5/view[2]);
var cx=view[0]+view[2]/2+(e.clientX-r.left-r.width/2)*k,cy=view[1]+view[3]/2+(e.clientY-r.top-r.height/2)*k;
view=[cx+(view[0]-cx)*f,cy+(view[1]-cy)*f,view[2]*f,view[3]*f];show()},{passive:false});
m.addEventListener('pointerdown',function(e){from=[e.clientX,e.clientY,view[0],view[1]];m.setPointerCapture(e.pointerId)});
m.addEventListener('pointermove',function(e){if(!from)return;var k=perPixel(m);
view[0]=from[2]-(e.clientX-from[0])*k;view[1]=from[3]-(e.clientY-from[1])*k;show()});
m.addEventListener('pointerup',function(){from=null});
m.addEventListener('dblclick',function(){view=home.slice();show()})});
addEventListener('resize',show);show()})();
"""
