"""Values as Chinese ledgers write them: "约300户", "１，２００", 2025.4.3, codes that went through a spreadsheet.

Every parser takes a column as a reader delivers it (text, numbers, or both) and returns whole columns: values of one
type, NA where empty or bad, and masks (n, bool). Nothing is guessed in silence: what is no value is ``bad``.
"""

from geodata.ledger.cells import EMPTY, Counts, Mask, Values
from geodata.ledger.codes import parse_code
from geodata.ledger.moments import parse_date, parse_time
from geodata.ledger.numbers import parse_count, parse_number
from geodata.ledger.words import formulas, parse_flag, parse_text

__all__ = [
    "EMPTY",
    "Counts",
    "Mask",
    "Values",
    "formulas",
    "parse_code",
    "parse_count",
    "parse_date",
    "parse_flag",
    "parse_number",
    "parse_text",
    "parse_time",
]
