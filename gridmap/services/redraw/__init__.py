"""Redrawing a region of a plan by machine: a proposal beside the plan, never a change of it."""

from gridmap.services.redraw.jobs import ask_redraw, run_redraw, stop
from gridmap.services.redraw.propose import propose
from gridmap.services.redraw.read import ProposalView, proposal, proposals
from gridmap.services.redraw.wish import PRESETS, SECONDS_MAX, SEED_MAX, Wish, preset

__all__ = [
    "PRESETS",
    "SECONDS_MAX",
    "SEED_MAX",
    "ProposalView",
    "Wish",
    "ask_redraw",
    "preset",
    "proposal",
    "proposals",
    "propose",
    "run_redraw",
    "stop",
]
