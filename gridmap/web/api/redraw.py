"""Redraws: asking for one, ending it, and how a proposal came about."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from gridmap.services import jobs, redraw
from gridmap.web.api import Model, endpoint
from gridmap.web.api.jobs import JobOut, job_out
from gridmap.web.session import current_actor


class RedrawAsk(Model):
    """What to redraw: ``region`` null is all of the plan, ``weights`` change the preset's, ``locks`` are codes."""

    region: str | None = Field(default=None, pattern=r"^[0-9]{12}$")
    seconds: float = Field(default=15.0, gt=0, le=redraw.SECONDS_MAX)
    seed: int = Field(default=1, ge=0, le=redraw.SEED_MAX)
    preset: Literal["few", "balanced", "shapes"] = "balanced"
    weights: dict[str, float] = Field(default_factory=dict, max_length=20)
    locks: list[str] = Field(default_factory=list, max_length=10_000)
    name: str = Field(default="", max_length=120)


class StopAsk(Model):
    """How to end it: keep the best plan so far as the proposal, or cancel and keep nothing."""

    how: Literal["keep", "cancel"] = "keep"


class ProvenanceOut(Model):
    """How a redraw made a plan; ``made`` null where none did. Proofs name units by their place, see ``unit_ids``."""

    made: dict[str, Any] | None
    violations: list[dict[str, Any]]


@endpoint("/plans/<int:plan_id>/redraw", tag="redraw", method="POST", json=RedrawAsk, response=JobOut, status=202)
def redraw_plan(plan_id: int, json: RedrawAsk) -> tuple[JobOut, int]:
    """Have a region of a plan redrawn; the job ends with a new draft, the plan stays as it is."""
    actor = current_actor()
    weights = {**redraw.preset(json.preset), **json.weights}
    wish = redraw.Wish(json.region, json.seconds, json.seed, weights, tuple(json.locks), json.name)
    return job_out(jobs.get(actor, redraw.ask_redraw(actor, plan_id, wish))), 202


@endpoint("/jobs/<int:job_id>/stop", tag="redraw", method="POST", json=StopAsk, response=JobOut, errors=[409])
def stop_job(job_id: int, json: StopAsk) -> JobOut:
    """End a redraw before its time."""
    actor = current_actor()
    redraw.stop(actor, job_id, json.how)
    return job_out(jobs.get(actor, job_id))


@endpoint("/plans/<int:plan_id>/provenance", tag="redraw", response=ProvenanceOut)
def get_provenance(plan_id: int) -> ProvenanceOut:
    """Seed, weights, search, before and after of a plan made by machine, and what is left with reasons and proofs."""
    view = redraw.proposal(current_actor(), plan_id)
    if view is None:
        return ProvenanceOut(made=None, violations=[])
    made = {key: value for key, value in view.detail.items() if key != "violations"}
    return ProvenanceOut(made=made, violations=[dict(one) for one in view.violations])
