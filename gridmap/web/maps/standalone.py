"""A map as one file that opens without a network: scripts, styles and pictures stand in it, and nothing is fetched."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import folium
from markupsafe import escape

from gridmap.web.maps.shell import parts

STATIC = Path(__file__).resolve().parents[2] / "static"
_PICTURE = re.compile(r"url\((?!['\"]?(?:data:|#))['\"]?([^)'\"]+)['\"]?\)")
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
_STYLE = """
html, body { height: 100%; margin: 0; }
body { display: flex; flex-direction: column; color: #1b2733; background: #fff;
  font: 15px/1.5 "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif; }
header, footer { flex: none; padding: 8px 16px; }
h1 { margin: 0; font-size: 20px; }
header p, footer p { margin: 2px 0 0; color: #465564; font-size: 13px; }
main { flex: 1; min-height: 0; position: relative; }
.folium-map { position: absolute; inset: 0; min-height: 0; }
@media print { main { min-height: 150mm; } }
"""


def standalone(
    built: folium.Map, *, prefix: str, title: str, lines: Sequence[str], foot: Sequence[str], language: str = "zh-CN"
) -> str:
    """``built`` as an HTML file; ``prefix`` is what :func:`gridmap.web.maps.use_server` was given.

    ``lines`` stand below the title, ``foot`` below the map. Only elements that carry their data themselves belong on
    such a map: its policy lets no request leave. Raises ``ValueError`` for a script or style that is not ours.
    """
    rendered = parts(built)
    styles = "\n".join(_style(address, prefix) for address in rendered.css)
    scripts = "\n".join(f"<script>{_script(address, prefix)}</script>" for address in rendered.js)
    above = "".join(f"<p>{escape(line)}</p>" for line in lines)
    below = "".join(f"<p>{escape(line)}</p>" for line in foot)
    return f"""<!doctype html>
<html lang="{escape(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>{styles}{_STYLE}</style>
</head>
<body>
<header><h1>{escape(title)}</h1>{above}</header>
<main>{rendered.html}</main>
<footer>{below}</footer>
{scripts}
<script>{rendered.script}</script>
</body>
</html>
"""


def _file(address: str, prefix: str) -> Path:
    head = f"{prefix.rstrip('/')}/"
    inside = Path(address.removeprefix(head))
    if not address.startswith(head) or inside.is_absolute() or ".." in inside.parts:
        raise ValueError(f"{address} is none of our files")
    return STATIC / inside


def _script(address: str, prefix: str) -> str:
    text = _file(address, prefix).read_text("utf-8")
    return re.sub(r"(?m)^//# sourceMappingURL=.*$", "", text).replace("</script", "<\\/script")


def _style(address: str, prefix: str) -> str:
    """A style sheet with its pictures in it."""
    path = _file(address, prefix)

    def inlined(found: re.Match[str]) -> str:
        picture = path.parent / found[1]
        return f"url(data:image/png;base64,{b64encode(picture.read_bytes()).decode()})"

    return _PICTURE.sub(inlined, path.read_text("utf-8")).replace("</style", "<\\/style")
