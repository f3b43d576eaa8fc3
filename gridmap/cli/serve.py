"""``gridmap serve``: database, job worker and web server under one roof, stopped together."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import click

from gridmap.cli.common import coded_errors, language, progress_bar
from gridmap.db.engine import disconnect, exclusive
from gridmap.db.migrate import migrate, require_current
from gridmap.db.start import database
from gridmap.errors import Conflict, Unavailable
from gridmap.settings import Settings, settings

_GRACE_S = 20.0


@click.command("serve")
@click.option("--demo", is_flag=True, help="Load the demo town first, unless regions are there already.")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on; without it the next free one from GRIDMAP_PORT.")
def command(demo: bool, host: str | None, port: int | None) -> None:
    """Serve gridmap until Ctrl-C."""
    config = settings()
    with coded_errors(), _interruptible(), database(config) as url:
        listen = _free_port(host or config.host, port or config.port, fixed=port is not None)
        with exclusive("start"):
            link = _prepare(config, demo=demo)
        disconnect()
        with ExitStack() as children:
            web = children.enter_context(_child(_gunicorn(config, *listen), url))
            worker = children.enter_context(_child([sys.executable, "-m", "gridmap.jobs.worker"], url))
            _wait_for_port(web, *listen)
            _greet(config, *listen, link)
            _wait_while_all_run(web, worker)


def _prepare(config: Settings, *, demo: bool) -> str | None:
    """Bring the database to the state to serve; the path of a first administrator's sign-in link if one is needed."""
    from gridmap.services.accounts import ensure_first_administrator
    from gridmap.services.imports import recover

    if config.database_url is None:
        migrate()
    else:
        require_current()
    for notice in recover():
        click.echo(notice, err=True)
    if demo:
        _load_demo()
    return ensure_first_administrator()


def _load_demo() -> None:
    from gridmap.services import demo
    from gridmap.services.actor import SYSTEM

    if not demo.loaded():
        with contextlib.suppress(Conflict), progress_bar("demo") as advance:  # somebody's own regions stay alone
            demo.load(SYSTEM, progress=advance)


def _gunicorn(config: Settings, host: str, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "gunicorn", "gridmap.web.wsgi:app", "--preload", "--worker-class", "gthread"),
        *("--bind", f"{host}:{port}", "--workers", str(config.workers), "--threads", str(config.threads)),
        *("--timeout", "120", "--graceful-timeout", "15", "--log-level", "warning", "--worker-tmp-dir", "/dev/shm"),  # noqa: S108
    ]


@contextlib.contextmanager
def _child(arguments: Sequence[str], url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A child in a group of its own (Ctrl-C reaches it through us), ended with the block and with us."""
    process = subprocess.Popen(
        arguments,
        env={**os.environ, "DATABASE_URL": url},
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: a killed parent leaves no orphan on the port


def _free_port(host: str, port: int, *, fixed: bool) -> tuple[str, int]:
    for candidate in range(port, port + (1 if fixed else 50)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            return host, candidate
    raise Unavailable("PORT_TAKEN", host=host, port=port)


def _wait_for_port(web: subprocess.Popen[bytes], host: str, port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and web.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        time.sleep(0.05)
    raise Unavailable("SERVER_DID_NOT_START")


def _wait_while_all_run(*children: subprocess.Popen[bytes]) -> None:
    while all(child.poll() is None for child in children):
        time.sleep(0.3)
    raise Unavailable("SERVER_CHILD_ENDED")


def _greet(config: Settings, host: str, port: int, link: str | None) -> None:
    address = (config.public_url or f"http://{host}:{port}").rstrip("/")
    english = language() == "en"
    click.echo(f"gridmap: {address}   " + ("(Ctrl-C stops it)" if english else "（按 Ctrl-C 停止）"))
    if link is not None:
        click.echo(
            f"First administrator, one-time sign-in link: {address}{link}"
            if english
            else f"首位管理员的一次性登录链接：{address}{link}"
        )


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM unwind like Ctrl-C, and end either with exit code 0."""

    def interrupt(signum: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not break off the stopping
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        click.echo("gridmap: stopped" if language() == "en" else "gridmap：已停止", err=True)
