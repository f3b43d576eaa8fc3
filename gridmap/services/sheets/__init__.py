"""What leaves the house on paper, as slides, workbooks and maps in one file: views of cases and of coverage."""

from gridmap.services.sheets.cases import FORMATS, case_pdf, case_png, case_xlsx
from gridmap.services.sheets.cover import COVER_FORMATS, CoverView, cover_pdf, cover_png
from gridmap.services.sheets.embed import Embedded, MapView, embedded
from gridmap.services.sheets.view import DEFAULT_BANDWIDTH_M, CaseView

__all__ = [
    "COVER_FORMATS",
    "DEFAULT_BANDWIDTH_M",
    "FORMATS",
    "CaseView",
    "CoverView",
    "Embedded",
    "MapView",
    "case_pdf",
    "case_png",
    "case_xlsx",
    "cover_pdf",
    "cover_png",
    "embedded",
]
