"""``gridmap serve``: database, job worker and web server under one roof, stopped together."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import http.client
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
from gridmap.errors import Conflict, Unavailable
from gridmap.settings import Settings, settings

_GRACE_S = 20.0
_START_S = 120.0
_PORTS_TRIED = 50


@click.command("serve")
@click.option("--demo", is_flag=True, help="Load the demo town first, unless regions are there already.")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on; without it the next free one from GRIDMAP_PORT.")
def command(demo: bool, host: str | None, port: int | None) -> None:
    """Serve gridmap until Ctrl-C."""
    with coded_errors(), _interruptible(), ExitStack() as stack:
        config = settings()
        with _listener(host or config.host, port or config.port, fixed=port is not None) as listener:
            chosen_host, chosen_port = listener.getsockname()[:2]
            web = stack.enter_context(_web(config, listener))  # loads its modules while the database is made ready
        url, link = _database(stack, config, demo=demo)
        stack.callback(_end, web)  # before the database
        assert web.stdin is not None
        web.stdin.close()  # the sign for it to begin
        _wait_for_answer(chosen_host, chosen_port)
        _greet(config, chosen_host, chosen_port, link)
        worker = stack.enter_context(_child([sys.executable, "-m", "gridmap.jobs.worker"], url))
        _wait_while_all_run(web, worker)


def _database(stack: ExitStack, config: Settings, *, demo: bool) -> tuple[str, str | None]:
    """Start the database within ``stack`` and make it ready: its address, and the sign-in path if one is needed."""
    from gridmap.db.engine import disconnect, exclusive
    from gridmap.db.start import database

    url = stack.enter_context(database(config))
    with exclusive("start"):
        link = _prepare(config, demo=demo)
    disconnect()
    return url, link


def _prepare(config: Settings, *, demo: bool) -> str | None:
    """The path of a first administrator's sign-in link, where nobody can sign in yet."""
    from gridmap.db.migrate import migrate, require_current
    from gridmap.services.accounts import ensure_first_administrator
    from gridmap.services.imports.recover import recover

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


def _web(config: Settings, listener: socket.socket) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    from gridmap.db.cluster import Cluster

    command = [
        *(sys.executable, "-m", "gunicorn", "gridmap.web.wsgi:app", "--preload", "--worker-class", "gthread"),
        *("--bind", f"fd://{listener.fileno()}", "--workers", str(config.workers), "--threads", str(config.threads)),
        *("--timeout", "120", "--graceful-timeout", "15", "--log-level", "warning", "--worker-tmp-dir", "/dev/shm"),  # noqa: S108
    ]
    url = config.database_url or Cluster(config).url
    return _child(command, url, waits=True, keep=(listener.fileno(),))


@contextlib.contextmanager
def _child(
    arguments: Sequence[str], url: str, *, waits: bool = False, keep: Sequence[int] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """A child in a group of its own (Ctrl-C reaches it through us), ended with the block and with us.

    One that ``waits`` does its work when its standard input is closed; ``keep`` are open files it inherits.
    """
    process = subprocess.Popen(
        arguments,
        env={**os.environ, "DATABASE_URL": url, "GRIDMAP_WAIT": "1" if waits else ""},
        stdin=subprocess.PIPE if waits else subprocess.DEVNULL,
        pass_fds=keep,
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask ``process`` to stop; after a grace, and for what it may have left of its group, insist."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: a killed parent leaves no orphan on the port


def _listener(host: str, port: int, *, fixed: bool) -> socket.socket:
    """A socket that listens: on ``port``, or unless ``fixed`` on the next one that is free."""
    for candidate in range(port, port + (1 if fixed else _PORTS_TRIED)):
        try:
            family = socket.getaddrinfo(host, candidate, type=socket.SOCK_STREAM)[0][0]
            return socket.create_server((host, candidate), family=family, backlog=512)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                reason = error.strerror or str(error)
                raise Unavailable("ADDRESS_UNUSABLE", host=host, port=candidate, reason=reason) from error
    raise Unavailable("PORT_TAKEN", host=host, port=port)


def _wait_for_answer(host: str, port: int) -> None:
    connection = http.client.HTTPConnection(host, port, timeout=_START_S)
    try:
        connection.request("GET", "/health")
        if connection.getresponse().status == http.HTTPStatus.OK:
            return
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable("SERVER_DID_NOT_START") from error
    finally:
        connection.close()
    raise Unavailable("SERVER_DID_NOT_START")


def _wait_while_all_run(*children: subprocess.Popen[bytes]) -> None:
    try:
        while all(child.poll() is None for child in children):
            time.sleep(0.3)
    finally:
        for child in children:
            child.terminate()  # all at once; each is waited for in its turn
    raise Unavailable("SERVER_CHILD_ENDED")


def _greet(config: Settings, host: str, port: int, link: str | None) -> None:
    shown = f"[{host}]" if ":" in host else host
    address = (config.public_url or f"http://{shown}:{port}").rstrip("/")
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
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_IGN)  # a second Ctrl-C must not break off the stopping
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        click.echo("gridmap: stopped" if language() == "en" else "gridmap：已停止", err=True)
