"""Logs: one JSON line an event on standard error, each with the id of the request it belongs to."""

from __future__ import annotations

import logging
import re
import time
import uuid

import structlog
from flask import Flask, Response, g, request
from structlog.typing import Processor

from gridmap.web.config import app_settings

_REQUEST_ID = re.compile(r"[0-9A-Za-z-]{8,64}")
log: structlog.stdlib.BoundLogger = structlog.get_logger("gridmap.web")


def init_app(app: Flask) -> None:
    configure(app.extensions["gridmap.settings"].log_level)
    app.before_request(_begin)
    app.after_request(_end)


def configure(level: str) -> None:
    """Send the loggers of ``gridmap`` and of the libraries below it to standard error as JSON lines."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(ensure_ascii=False), foreign_pre_chain=shared
        )
    )
    logger = logging.getLogger("gridmap")
    logger.handlers = [handler]
    logger.setLevel(level)


def _begin() -> None:
    """Take the proxy's request id where one is trusted, else make one."""
    given = request.headers.get("X-Request-ID", "") if app_settings().behind_proxy else ""
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex[:16]
    g.began_s = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    if "request_id" in g:
        response.headers["X-Request-ID"] = g.request_id
        milliseconds = round((time.perf_counter() - g.began_s) * 1000, 1)
        log.info(
            "request",
            method=request.method,
            path=request.path if request.endpoint != "auth.link" else "/sign-in/***",
            status=response.status_code,
            ms=milliseconds,
            login=g.actor.login if g.get("actor") else None,
        )
    return response
