"""What leaves the house on paper, as slides and as workbooks: views of cases, with all that explains them."""

from gridmap.services.sheets.cases import FORMATS, case_pdf, case_png, case_xlsx
from gridmap.services.sheets.embed import Embedded, MapView, embedded
from gridmap.services.sheets.view import DEFAULT_BANDWIDTH_M, CaseView

__all__ = [
    "DEFAULT_BANDWIDTH_M",
    "FORMATS",
    "CaseView",
    "Embedded",
    "MapView",
    "case_pdf",
    "case_png",
    "case_xlsx",
    "embedded",
]
