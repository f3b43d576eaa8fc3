"""Files on their way to a person: a name in any script, a type, and never shown in the page itself."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from flask import Response, send_file

_TYPES = {
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".zip": "application/zip",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
    ".pdf": "application/pdf",
}


def download(path: Path, ascii_name: str) -> Response:
    """``path`` as an attachment with its own name (RFC 6266: ``filename*``), ``ascii_name`` for old browsers."""
    response = send_file(path, mimetype=_TYPES.get(path.suffix, "application/octet-stream"), max_age=0)
    response.direct_passthrough = False  # spectree reads what the API answers
    plain = f"{ascii_name}{path.suffix}"
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(path.name)}"
    return response
