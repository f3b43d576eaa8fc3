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


def download(path: Path, ascii_name: str) -> Response:
    """``path`` as an attachment with its own name (RFC 6266: ``filename*``), ``ascii_name`` for old browsers."""
    plain = f"{ascii_name}{path.suffix}"
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(path.name)}"
    kind = _TYPES.get(path.suffix, "application/octet-stream")
    return Response(path.read_bytes(), mimetype=kind, headers={"Content-Disposition": disposition})
