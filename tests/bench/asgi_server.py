"""A least server for the ASGI peer of a bench where uvicorn is not installed: ``python -m tests.bench.asgi_server``.

``MODULE:APP PORT PROCESSES``. GET only, connections stay open; it does less for a request than uvicorn does.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import Any


async def _answer(app: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
            method, target, _ = head[0].split(b" ")
            path, _, query = target.partition(b"?")
            pairs = [line.split(b": ", 1) for line in head[1:] if line]
            scope = {
                "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method.decode(),
                "scheme": "http", "path": path.decode(), "raw_path": path, "query_string": query, "root_path": "",
                "headers": [(name.lower(), value) for name, value in pairs],
                "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
            }  # fmt: skip
            sent: list[dict[str, Any]] = []

            async def receive() -> dict[str, Any]:
                return {"type": "http.request", "body": b"", "more_body": False}

            async def send(message: dict[str, Any], sent: list[dict[str, Any]] = sent) -> None:
                sent.append(message)

            await app(scope, receive, send)
            body = b"".join(one.get("body", b"") for one in sent[1:])
            headers = [(k, v) for k, v in sent[0]["headers"] if k.lower() != b"content-length"]
            lines = [b"%s: %s\r\n" % one for one in [*headers, (b"content-length", str(len(body)).encode())]]
            writer.write(b"HTTP/1.1 %d OK\r\n%s\r\n%s" % (sent[0]["status"], b"".join(lines), body))
            await writer.drain()
    writer.close()


async def _serve(app: Any, listener: socket.socket) -> None:
    ready, never = asyncio.Event(), asyncio.Event()
    told = iter(["lifespan.startup"])

    async def receive() -> dict[str, Any]:
        if (kind := next(told, None)) is None:
            await never.wait()
        return {"type": kind}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "lifespan.startup.failed":
            raise SystemExit(str(message))
        ready.set()

    life = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send))
    await asyncio.wait({life, asyncio.create_task(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
    server = await asyncio.start_server(lambda r, w: _answer(app, r, w), sock=listener)
    await server.serve_forever()


def main() -> None:
    name, port, processes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    module, _, attribute = name.partition(":")
    app = getattr(importlib.import_module(module), attribute)
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    children = []
    for _ in range(processes):
        if (child := os.fork()) == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            asyncio.run(_serve(app, listener))
        children.append(child)

    def end(*_: object) -> None:
        for child in children:
            os.kill(child, signal.SIGTERM)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
