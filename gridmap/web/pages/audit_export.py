"""The audit as a file for Excel or WPS: text stays text, also where a stranger typed a formula as login."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from flask_babel import gettext

from gridmap.services.audit_log import AuditEntry


def as_csv(events: Sequence[AuditEntry], zone: ZoneInfo) -> bytes:
    """CSV, UTF-8 with BOM; a cell that begins like a formula gets an apostrophe before it."""
    from geodata.writers import defused

    text = io.StringIO()
    writer = csv.writer(text)
    for row in _rows(events, zone):
        writer.writerow([defused(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(events: Sequence[AuditEntry], zone: ZoneInfo) -> bytes:
    """XLSX with every cell typed as text."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    sheet = book.create_sheet(gettext("审计记录"))
    sheet.freeze_panes = "A2"
    for row in _rows(events, zone):
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text))
            cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _rows(events: Sequence[AuditEntry], zone: ZoneInfo) -> Iterator[list[str]]:
    yield [
        gettext("时间"),
        gettext("账号"),
        gettext("操作"),
        gettext("对象类型"),
        gettext("对象"),
        gettext("区划代码"),
        gettext("来源地址"),
        gettext("详情"),
    ]
    for event in events:
        yield [
            f"{event.at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            event.login,
            event.action,
            event.subject_type or "",
            event.subject_id or "",
            event.region_code or "",
            event.address or "",
            json.dumps(event.detail, ensure_ascii=False),
        ]
