"""What every command shares: the database, ``--json``, progress, and exit codes that mean something.

Exit codes: 0 done; 1 done, and faults were found; 2 wrong usage; 3 bad input; 4 not found or not allowed; 5 conflict;
6 database or another resource missing; 70 a fault of the program.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from gridmap import errors
from gridmap.settings import settings

EXIT_CODES: tuple[tuple[type[errors.CodedError], int], ...] = (
    (errors.NotFound, 4),
    (errors.Forbidden, 4),
    (errors.NotSignedIn, 4),
    (errors.Conflict, 5),
    (errors.Unavailable, 6),
    (errors.CodedError, 3),
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document for machines.")


@contextmanager
def ready_database() -> Iterator[str]:
    """The database, started and of the right schema."""
    from gridmap.db.migrate import require_current
    from gridmap.db.start import database

    with database(settings()) as url:
        require_current()
        yield url


@contextmanager
def coded_errors(as_json: bool = False) -> Iterator[None]:
    """Turn a coded error into its sentence on standard error and its exit code."""
    try:
        yield
    except errors.CodedError as error:
        fail(error, as_json=as_json)


def fail(error: errors.CodedError, *, as_json: bool = False) -> NoReturn:
    """Print ``error`` (as JSON or as two sentences) and leave with its exit code."""
    locale = language()
    if as_json:
        body = {"code": error.code, "message": error.sentence(locale), "hint": error.hint(locale), "row": error.row}
        click.echo(json.dumps(body, ensure_ascii=False), err=True)
    else:
        click.echo(f"{error.code}: {error.sentence(locale)} {error.hint(locale)}".rstrip(), err=True)
    sys.exit(next(code for kind, code in EXIT_CODES if isinstance(error, kind)))


def language() -> str:
    """The language of the terminal: the setting ``GRIDMAP_DEFAULT_LOCALE``."""
    try:
        return settings().default_locale
    except errors.Unavailable:  # a wrong setting must still be told
        return "zh"


def emit(document: Any, as_json: bool, text: Callable[[], str]) -> None:
    """Print ``document`` as JSON, or what ``text`` makes of it."""
    click.echo(json.dumps(document, ensure_ascii=False, default=str) if as_json else text())


@contextmanager
def progress_bar(title: str, *, quiet: bool = False) -> Iterator[Callable[[float, str], None]]:
    """A progress bar on standard error; the callable takes the share done (0 to 1) and what is being done.

    Nothing is drawn where standard error is no terminal, or when ``quiet``.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as progress:
        task = progress.add_task(title, total=1.0)

        def advance(share: float, doing: str = "") -> None:
            progress.update(task, completed=share, description=f"{title} {doing}".rstrip())

        yield advance
