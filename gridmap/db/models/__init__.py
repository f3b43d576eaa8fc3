"""The model; names are the field's own (glossary in docs/architecture.md)."""

from gridmap.db.models.base import SRID, Base
from gridmap.db.models.cases import Case
from gridmap.db.models.ground import Barrier, Building, Compound, Region, Unit
from gridmap.db.models.imports import ColumnMapping, DataVersion, ImportBatch, ImportProblem, ImportRow
from gridmap.db.models.jobs import Job
from gridmap.db.models.people import ApiToken, AuditEvent, LoginAttempt, RoleGrant, SignInLink, User
from gridmap.db.models.plans import (
    CheckResult,
    Grid,
    Plan,
    PlanComment,
    PlanMisfit,
    PlanOperation,
    PlanPresence,
    PlanReason,
    PlanStep,
    PlanUnit,
    SourceGrid,
)
from gridmap.db.models.releases import CaseRelease, CaseReleasePlace, HouseholdPlace, HouseholdRegion
from gridmap.db.models.reports import ReportFile, ReportSchedule
from gridmap.db.models.views import SavedView

__all__ = [
    "SRID",
    "ApiToken",
    "AuditEvent",
    "Barrier",
    "Base",
    "Building",
    "Case",
    "CaseRelease",
    "CaseReleasePlace",
    "CheckResult",
    "ColumnMapping",
    "Compound",
    "DataVersion",
    "Grid",
    "HouseholdPlace",
    "HouseholdRegion",
    "ImportBatch",
    "ImportProblem",
    "ImportRow",
    "Job",
    "LoginAttempt",
    "Plan",
    "PlanComment",
    "PlanMisfit",
    "PlanOperation",
    "PlanPresence",
    "PlanReason",
    "PlanStep",
    "PlanUnit",
    "Region",
    "ReportFile",
    "ReportSchedule",
    "RoleGrant",
    "SavedView",
    "SignInLink",
    "SourceGrid",
    "Unit",
    "User",
]
