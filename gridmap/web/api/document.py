"""The OpenAPI 3.1 document, and a page for people made from it on this server."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, render_template

from gridmap.web.api import api, spec


@api.get("/openapi.json")
def openapi() -> Response:
    """The OpenAPI 3.1 document of the API."""
    return jsonify(spec.spec)


@api.get("/docs")
def docs() -> str:
    """The document as a page."""
    document: dict[str, Any] = spec.spec
    operations: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for tag in operation["tags"]:
                operations.setdefault(tag, []).append({"path": path, "method": method.upper(), **operation})
    return render_template("api/docs.html", document=document, operations=operations)
