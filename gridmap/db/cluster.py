"""The private PostGIS cluster: socket only, in the data folder, shared by all processes of this checkout.

Whoever needs it holds a shared lock on ``users.lock``; the last to let go stops it, also after others were killed.
``gridmap db up`` pins it, so that it stays until ``gridmap db stop``.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gridmap.errors import Unavailable
from gridmap.settings import Settings

DATABASE = "gridmap"
_OPTIONS: Mapping[str, str] = {
    "listen_addresses": "''",
    "jit": "off",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_permissions": "0700",
}


class Cluster:
    """The cluster of one data folder."""

    def __init__(self, config: Settings) -> None:
        self.owner = _owner()
        self.home = _reachable_home(config.data_dir.resolve(), self.owner)
        self.data = self.home / "pg"
        self.log = self.home / "postgres.log"
        digest = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
        self.socket = Path(tempfile.gettempdir()) / f"gridmap-{self.owner.pw_uid}-{digest}"
        self._pin = self.home / "pinned"

    @property
    def url(self) -> str:
        """SQLAlchemy's address of the database."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The address of another database in this cluster."""
        return f"postgresql://{DATABASE}@/{database}?host={self.socket}"

    def running(self) -> bool:
        """Whether a server answers."""
        return self._run("pg_isready", "-q", "-h", str(self.socket), check=False) == 0

    @contextmanager
    def used(self) -> Iterator[Cluster]:
        """Start the cluster if need be and keep it while the block runs; the last user to leave stops it."""
        self._make_home()
        with (self.home / "users.lock").open("w") as users:
            try:
                with self._starting():
                    fcntl.flock(users, fcntl.LOCK_SH)
                    self._start()
                yield self
            finally:
                with self._starting():
                    if not self._pin.exists() and _lock_alone(users):
                        self._stop()

    def up(self) -> None:
        """Start the cluster and keep it until :meth:`stop`."""
        self._make_home()
        with self._starting():
            self._start()
            self._pin.touch()

    def stop(self) -> bool:
        """Stop the cluster; False where it was not running. ``Unavailable`` (DB_IN_USE) while others use it."""
        self._make_home()
        with self._starting(), (self.home / "users.lock").open("w") as users:
            if not _lock_alone(users):
                raise Unavailable("DB_IN_USE")
            self._pin.unlink(missing_ok=True)
            if not self.running():
                return False
            self._stop()
            return True

    @contextmanager
    def _starting(self) -> Iterator[None]:
        with (self.home / "start.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _make_home(self) -> None:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable("DATA_DIR_UNWRITABLE", path=str(self.home), reason=error.strerror or "") from error

    def _start(self) -> None:
        if self.running():
            return
        self._make_socket_folder()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._write_options()
        # -l is needed: without it the server keeps our captured output open and the call never returns
        if self._run("pg_ctl", "-D", str(self.data), "-l", str(self.log), "-w", "-t", "60", "start", check=False):
            raise Unavailable("DB_START_FAILED", log=str(self.log), reason=_last_line(self.log))
        self._create_database()

    def _stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "stop", check=False)

    def _make_socket_folder(self) -> None:
        self.socket.mkdir(mode=0o700, exist_ok=True)
        found = self.socket.lstat()
        if os.geteuid() == 0 and found.st_uid == 0:
            os.chown(self.socket, self.owner.pw_uid, self.owner.pw_gid)
        elif found.st_uid != self.owner.pw_uid or self.socket.is_symlink() or found.st_mode & 0o077:
            raise Unavailable("DB_SOCKET_FOREIGN", path=str(self.socket))

    def _initialise(self) -> None:
        # built beside and renamed: a killed initdb is begun anew, never started
        fresh = self.data.with_name("pg.new")
        for path in (fresh, self.data):
            shutil.rmtree(path, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self.log.touch(mode=0o600)
        if os.geteuid() == 0:
            os.chown(fresh, self.owner.pw_uid, self.owner.pw_gid)
            os.chown(self.log, self.owner.pw_uid, self.owner.pw_gid)
        self._run(
            *("initdb", "-D", str(fresh), "-U", DATABASE, "--auth=trust"),
            *("--locale=C.UTF-8", "--encoding=UTF8", "--no-instructions"),
        )
        fresh.rename(self.data)

    def _write_options(self) -> None:
        lines = [f"{name} = {value}" for name, value in _OPTIONS.items()]
        lines.append(f"unix_socket_directories = '{self.socket}'")
        (self.data / "postgresql.auto.conf").write_text("\n".join(lines) + "\n", "utf-8")

    def _create_database(self) -> None:
        query = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608 - a constant
        psql = ("psql", "-h", str(self.socket), "-U", DATABASE, "-d", "postgres", "-qAtc")
        if not self._output(*psql, query).strip():
            self._run("createdb", "-h", str(self.socket), "-U", DATABASE, DATABASE)

    def _output(self, program: str, *args: str) -> str:
        return self._process(program, *args).stdout

    def _run(self, program: str, *args: str, check: bool = True) -> int:
        process = self._process(program, *args)
        if check and process.returncode:
            reason = (process.stderr.strip().splitlines() or ["?"])[-1]
            raise Unavailable("DB_TOOL_FAILED", program=program, reason=reason)
        return process.returncode

    def _process(self, program: str, *args: str) -> subprocess.CompletedProcess[str]:
        identity: dict[str, object] = {}
        if os.geteuid() == 0:
            identity = {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []}
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            [str(postgres_program(program)), *args],
            capture_output=True,
            text=True,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
            **identity,
        )


def postgres_program(name: str) -> Path:
    """Where PostgreSQL's ``name`` stands; ``Unavailable`` (POSTGRES_MISSING) where it does not."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    with_postgis = [
        f for f in folders if Path(f"/usr/share/postgresql/{f.parent.name}/extension/postgis.control").exists()
    ]
    for folder in with_postgis or folders:
        if (folder / name).exists():
            return folder / name
    found = shutil.which(name)
    if found is None:
        raise Unavailable("POSTGRES_MISSING", program=name)
    return Path(found)


def _version(folder: Path) -> int:
    match = re.match(r"\d+", folder.parent.name)
    return int(match.group()) if match else 0


def _owner() -> pwd.struct_passwd:
    """Who runs the server: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Unavailable("POSTGRES_MISSING", program="postgres")


def _reachable_home(folder: Path, owner: pwd.struct_passwd) -> Path:
    """``folder``, or for root in a private folder that the server's user cannot enter, one below /var/lib/gridmap."""
    if os.geteuid() != 0:
        return folder
    for parent in folder.parents:
        if parent.exists() and not parent.stat().st_mode & 0o001 and parent.stat().st_uid != owner.pw_uid:
            return Path("/var/lib/gridmap") / hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return folder


def _lock_alone(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _last_line(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip().splitlines()[-1]
    except (OSError, IndexError):
        return ""
