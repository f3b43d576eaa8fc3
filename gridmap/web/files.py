"""Files on their way to a person: a name in any script, a type, and never shown in the page itself."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from flask import Response

_TYPES = {
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".zip": "application/zip",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".html": "text/html",
}


def download(path: Path, ascii_name: str, name: str | None = None) -> Response:
    """``path`` as an attachment called ``name`` or as it is (RFC 6266), ``ascii_name`` for old browsers."""
    plain = f"{ascii_name}{path.suffix}"
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name or path.name)}"
    kind = _TYPES.get(path.suffix, "application/octet-stream")
    return Response(path.read_bytes(), mimetype=kind, headers={"Content-Disposition": disposition})
