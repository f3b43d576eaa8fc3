"""The way of a plan: draft, submitted, approved or returned, published on a date, replaced, restored."""

from gridmap.services.workflow.publish import publish, restore
from gridmap.services.workflow.stand import Finding, Standing, stand, waiting
from gridmap.services.workflow.steps import TEXT_MAX, approve, examine, give_back, save_reasons, submit, withdraw

__all__ = [
    "TEXT_MAX",
    "Finding",
    "Standing",
    "approve",
    "examine",
    "give_back",
    "publish",
    "restore",
    "save_reasons",
    "stand",
    "submit",
    "waiting",
    "withdraw",
]
