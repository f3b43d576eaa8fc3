"""Reports on a plan: of its last check, and the dossier it is approved by; workbooks to work through, PDF to sign."""

from collections.abc import Callable, Mapping
from pathlib import Path

from gridmap.services.reports.check_pdf import check_pdf
from gridmap.services.reports.check_xlsx import check_xlsx
from gridmap.services.reports.dossier_pdf import dossier_pdf
from gridmap.services.reports.dossier_xlsx import dossier_xlsx

#: Every report by the name of its format.
REPORTS: Mapping[str, Callable[..., Path]] = {
    "report-xlsx": check_xlsx,
    "report-pdf": check_pdf,
    "dossier-xlsx": dossier_xlsx,
    "dossier-pdf": dossier_pdf,
}

__all__ = ["REPORTS", "check_pdf", "check_xlsx", "dossier_pdf", "dossier_xlsx"]
