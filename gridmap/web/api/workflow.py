"""The way of a plan: submitted, returned, approved, published, replaced."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from gridmap.services import workflow
from gridmap.web.api import Model, endpoint
from gridmap.web.i18n import in_language
from gridmap.web.session import current_actor

Text = Annotated[str, Field(max_length=workflow.TEXT_MAX)]
Rule = Annotated[str, Field(pattern=r"^R[0-9]{2}$")]


class RuleFindingOut(Model):
    """Findings of a rule; ``open`` of them still want mending or a reason, ``grids`` are the first codes."""

    rule: str
    title: str
    count: int
    unavoidable: int
    open: int
    grids: list[str]
    reason: str | None


class StepOut(Model):
    """What became of the plan, and who said what."""

    kind: str
    at: datetime
    who: str
    comment: str


class WorkflowOut(Model):
    """Where a plan stands; ``missing``: errors and warnings in its way; ``author``: you may not approve it yourself."""

    state: str
    version: int
    checked: bool
    current_check: bool
    missing: int
    errors: list[RuleFindingOut]
    warnings: list[RuleFindingOut]
    may: dict[str, bool]
    author: bool
    valid_from: date | None
    valid_to: date | None
    replaces: str | None
    steps: list[StepOut]


class SubmitIn(Model):
    """Reasons for warnings by rule, and a word to who approves."""

    reasons: dict[Rule, Text] = Field(default_factory=dict, max_length=30)
    comment: Text = ""


class StepCommentIn(Model):
    """A word along with the step."""

    comment: Text = ""


class ReasonsIn(Model):
    """Reasons by rule; an empty one takes the reason away."""

    reasons: dict[Rule, Text] = Field(max_length=30)


class PublishIn(Model):
    """The first day in force."""

    on: date


class PublishedOut(Model):
    """The plan that is in force from that day."""

    plan_id: int


@endpoint("/plans/<int:plan_id>/workflow", tag="workflow", response=WorkflowOut)
def get_workflow(plan_id: int) -> WorkflowOut:
    """Where a plan stands, what is missing, and what you may do."""
    return _told(plan_id)


@endpoint(
    "/plans/<int:plan_id>/reasons", tag="workflow", method="PUT", json=ReasonsIn, response=WorkflowOut, errors=[409]
)
def put_reasons(plan_id: int, json: ReasonsIn) -> WorkflowOut:
    """Write down why warnings are accepted."""
    workflow.save_reasons(current_actor(), plan_id, json.reasons)
    return _told(plan_id)


@endpoint("/plans/<int:plan_id>/examine", tag="workflow", method="POST", response=WorkflowOut, errors=[409])
def examine_plan(plan_id: int) -> WorkflowOut:
    """Check a draft where its check is out of date, and say what is missing before it can be handed in."""
    workflow.examine(current_actor(), plan_id)
    return _told(plan_id)


@endpoint(
    "/plans/<int:plan_id>/submit", tag="workflow", method="POST", json=SubmitIn, response=WorkflowOut, errors=[409]
)
def submit_plan(plan_id: int, json: SubmitIn) -> WorkflowOut:
    """Hand a draft in for approval; it is checked first where its check is out of date."""
    workflow.submit(current_actor(), plan_id, reasons=json.reasons, comment=json.comment)
    return _told(plan_id)


@endpoint(
    "/plans/<int:plan_id>/withdraw",
    tag="workflow",
    method="POST",
    json=StepCommentIn,
    response=WorkflowOut,
    errors=[409],
)
def withdraw_plan(plan_id: int, json: StepCommentIn) -> WorkflowOut:
    """Take a submitted plan back."""
    workflow.withdraw(current_actor(), plan_id, json.comment)
    return _told(plan_id)


@endpoint(
    "/plans/<int:plan_id>/return", tag="workflow", method="POST", json=StepCommentIn, response=WorkflowOut, errors=[409]
)
def return_plan(plan_id: int, json: StepCommentIn) -> WorkflowOut:
    """Give a plan back with what is to be mended."""
    workflow.give_back(current_actor(), plan_id, json.comment)
    return _told(plan_id)


@endpoint(
    "/plans/<int:plan_id>/approve",
    tag="workflow",
    method="POST",
    json=StepCommentIn,
    response=WorkflowOut,
    errors=[409],
)
def approve_plan(plan_id: int, json: StepCommentIn) -> WorkflowOut:
    """Approve a submitted plan that others made."""
    workflow.approve(current_actor(), plan_id, json.comment)
    return _told(plan_id)


@endpoint(
    "/plans/<int:plan_id>/publish", tag="workflow", method="POST", json=PublishIn, response=PublishedOut, errors=[409]
)
def publish_plan(plan_id: int, json: PublishIn) -> PublishedOut:
    """Put an approved plan in force from a day on."""
    return PublishedOut(plan_id=workflow.publish(current_actor(), plan_id, json.on))


@endpoint("/plans/<int:plan_id>/restore", tag="workflow", method="POST", response=PublishedOut, errors=[409])
def restore_plan(plan_id: int) -> PublishedOut:
    """Put the plan in force again that this one replaced."""
    return PublishedOut(plan_id=workflow.restore(current_actor(), plan_id))


def _told(plan_id: int) -> WorkflowOut:
    found = workflow.stand(current_actor(), plan_id)

    def findings(rows: tuple[workflow.Finding, ...]) -> list[RuleFindingOut]:
        known = ("rule", "count", "unavoidable", "open", "reason")
        return [
            RuleFindingOut(
                title=in_language(one, "title"), grids=list(one.grids), **{name: getattr(one, name) for name in known}
            )
            for one in rows
        ]

    named = ("state", "version", "checked", "current_check", "missing", "author", "valid_from", "valid_to", "replaces")
    return WorkflowOut(
        errors=findings(found.errors),
        warnings=findings(found.warnings),
        may=dict(found.may),
        steps=[
            StepOut.model_validate({name: getattr(one, name) for name in StepOut.model_fields}) for one in found.steps
        ],
        **{name: getattr(found, name) for name in named},
    )
