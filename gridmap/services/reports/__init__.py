"""The report of a check: a workbook to work through, a PDF to print and sign."""

from gridmap.services.reports.check_pdf import check_pdf
from gridmap.services.reports.check_xlsx import check_xlsx

__all__ = ["check_pdf", "check_xlsx"]
