"""Imports: from a file somebody sends to rows somebody accepted, with everything found on the way.

receive -> preview -> configure -> stage (a job) -> problems -> accept (all, or the good rows) or discard.
"""

from gridmap.services.imports.acceptance import accept, accept_later, run_accept
from gridmap.services.imports.batches import discard, get, latest, receive
from gridmap.services.imports.cancel import cancel
from gridmap.services.imports.configure import configure, datum_report, preview
from gridmap.services.imports.problems import geometry_sample, problem_summary, problems, rows
from gridmap.services.imports.recover import recover
from gridmap.services.imports.rejected import rejected_file
from gridmap.services.imports.sample import preview_sample
from gridmap.services.imports.staging import prepare, run_stage, stage
from gridmap.services.imports.standing import standing
from gridmap.services.imports.undo import undo_accept
from gridmap.services.imports.views import (
    Accepted,
    BatchView,
    CrsChoice,
    DatumView,
    FieldView,
    Preview,
    ProblemCount,
    ProblemPage,
    ProblemView,
    RowPage,
    RowView,
    Sent,
)

__all__ = [
    "Accepted",
    "BatchView",
    "CrsChoice",
    "DatumView",
    "FieldView",
    "Preview",
    "ProblemCount",
    "ProblemPage",
    "ProblemView",
    "RowPage",
    "RowView",
    "Sent",
    "accept",
    "accept_later",
    "cancel",
    "configure",
    "datum_report",
    "discard",
    "geometry_sample",
    "get",
    "latest",
    "prepare",
    "preview",
    "preview_sample",
    "problem_summary",
    "problems",
    "receive",
    "recover",
    "rejected_file",
    "rows",
    "run_accept",
    "run_stage",
    "stage",
    "standing",
    "undo_accept",
]
