"""The jobs: each opens nothing itself, calls one service, and lets coded errors rest where the service stored them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from procrastinate import App

from gridmap.errors import CodedError


def stage_import(batch_id: int) -> None:
    """Read and check an uploaded file."""
    from gridmap.services.imports import run_stage

    with suppress(CodedError):
        run_stage(batch_id)


def accept_import(batch_id: int, user_id: int | None = None) -> None:
    """Take the rows of a checked file over."""
    from gridmap.services.imports import run_accept

    with suppress(CodedError):
        run_accept(batch_id, user_id)


def check_plan(job_id: int) -> None:
    """Check a plan against its standard."""
    from gridmap.services.jobs import run_check

    with suppress(CodedError):
        run_check(job_id)


def build_units(job_id: int) -> None:
    """Divide communities into units."""
    from gridmap.services.jobs import run_build

    with suppress(CodedError):
        run_build(job_id)


def redraw_plan(job_id: int) -> None:
    """Redraw a region of a plan as a proposal."""
    from gridmap.services.redraw.jobs import run_redraw

    with suppress(CodedError):
        run_redraw(job_id)


def redraw_preview(job_id: int) -> None:
    """Redraw a region of a plan as a preview."""
    from gridmap.services.assist import run_preview

    with suppress(CodedError):
        run_preview(job_id)


def prepare_ground(plan_id: int) -> None:
    """Make the ground of a new plan before somebody opens it."""
    from gridmap.services.studio.prepare import run_prepare

    with suppress(CodedError):
        run_prepare(plan_id)


def build_heat() -> None:
    """Lay the cases out for heat maps."""
    from gridmap.services.heat import run_build

    with suppress(CodedError):
        run_build()


def release_cases() -> None:
    """Publish closed quarters for those who may not see exact figures of cases."""
    from gridmap.services.cases.release import run_release

    with suppress(CodedError):
        run_release()


def publish_households() -> None:
    """Decide which households may be told to those who only look."""
    from gridmap.services.plans.households import run_publish

    with suppress(CodedError):
        run_publish()


def render_tiles() -> None:
    """Make the small scales of the plans in force before somebody looks."""
    from gridmap.services.tiles.ahead import render_in_force

    with suppress(CodedError):
        render_in_force()


def make_report(job_id: int) -> None:
    """Make the monthly report of a region."""
    from gridmap.services.monthly import run_report

    with suppress(CodedError):
        run_report(job_id)


#: Every task by the name under which it is deferred.
TASKS: tuple[Callable[..., None], ...] = (
    stage_import,
    accept_import,
    check_plan,
    build_units,
    redraw_plan,
    redraw_preview,
    prepare_ground,
    build_heat,
    release_cases,
    publish_households,
    render_tiles,
    make_report,
)


def register(app: App) -> None:
    """Make the tasks known to the worker's ``app``."""
    for task in TASKS:
        app.task(name=task.__name__)(task)
