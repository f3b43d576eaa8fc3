"""What templates show numbers, times, areas and roles with."""

from __future__ import annotations

from datetime import UTC, date, datetime

from flask import Flask
from flask_babel import format_date, format_datetime, format_decimal, gettext

from gridmap.services.actor import Role


def init_app(app: Flask) -> None:
    for name, function in (
        ("number", number),
        ("percent", percent),
        ("area", area),
        ("moment", moment),
        ("day", day),
        ("filesize", filesize),
        ("role_name", role_name),
        ("action_name", action_name),
    ):
        app.add_template_filter(function, name)


def number(value: float | None, digits: int = 0) -> str:
    """A number with grouped thousands; a dash where there is none."""
    if value is None:
        return "—"
    return str(format_decimal(round(value, digits) if digits else round(value)))


def percent(value: float | None, digits: int = 1) -> str:
    """A share (0 to 1) in percent."""
    return "—" if value is None else f"{value * 100:.{digits}f}%"


def area(value_m2: float | None) -> str:
    """An area in m2 below 10,000, in km2 above."""
    if value_m2 is None:
        return "—"
    return f"{number(value_m2)} m²" if value_m2 < 10_000 else f"{value_m2 / 1e6:,.2f} km²"


def moment(value: datetime | None, pattern: str = "yyyy-MM-dd HH:mm") -> str:
    """A time in the configured zone."""
    if value is None:
        return "—"
    return str(format_datetime(value if value.tzinfo else value.replace(tzinfo=UTC), pattern))


def day(value: date | None) -> str:
    """A date."""
    return "—" if value is None else str(format_date(value, "yyyy-MM-dd", rebase=isinstance(value, datetime)))


def filesize(value_bytes: int | None) -> str:
    """A size in B, KB, MB or GB."""
    if value_bytes is None:
        return "—"
    size = float(value_bytes)
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.2f} GB"


def role_name(role: str) -> str:
    """A role in the reader's language."""
    names: dict[str, str] = {
        Role.VIEWER: gettext("查看员"),
        Role.CASE_OFFICER: gettext("事件员"),
        Role.PLANNER: gettext("规划员"),
        Role.APPROVER: gettext("审批员"),
        Role.ADMINISTRATOR: gettext("管理员"),
    }
    return names[Role(role)]


def action_name(action: str) -> str:
    """An audited action in the reader's language; the bare name where it has none."""
    names: dict[str, str] = {
        "login.ok": gettext("登录成功"),
        "login.failed": gettext("登录失败"),
        "login.locked": gettext("登录锁定"),
        "login.link": gettext("用链接设置密码"),
        "user.add": gettext("添加用户"),
        "user.link": gettext("生成登录链接"),
        "user.password": gettext("修改密码"),
        "user.rename": gettext("修改姓名"),
        "user.grants": gettext("修改权限"),
        "user.close": gettext("停用账号"),
        "user.reopen": gettext("启用账号"),
        "user.unlock": gettext("解除锁定"),
        "user.sign_out_everywhere": gettext("全部退出"),
        "token.create": gettext("创建令牌"),
        "token.revoke": gettext("撤销令牌"),
        "import.receive": gettext("上传文件"),
        "import.configure": gettext("设置导入"),
        "import.stage": gettext("读取并检查文件"),
        "import.accept": gettext("接受导入"),
        "import.discard": gettext("放弃导入"),
        "import.undo": gettext("撤销导入"),
        "units.build": gettext("划分单元"),
        "plan.create_empty": gettext("新建空方案"),
        "plan.from_assignment": gettext("由归属表新建方案"),
        "plan.from_source": gettext("由导入的网格新建方案"),
        "plan.check": gettext("核查方案"),
        "plan.rename": gettext("方案改名"),
        "plan.put_in_force": gettext("方案生效"),
        "plan.archive": gettext("方案归档"),
        "plan.delete": gettext("删除草案"),
        "plan.export": gettext("导出方案"),
        "plan.report": gettext("导出核查报告"),
        "cases.release": gettext("发布事件数"),
        "cases.sensitive": gettext("查看敏感类别件数"),
        "cases.raw": gettext("查看事件明细"),
        "cases.export": gettext("导出事件视图"),
        "coverage.export": gettext("导出覆盖"),
        "map.export": gettext("导出离线地图"),
        "report.make": gettext("生成月报"),
        "report.read": gettext("下载月报"),
        "report.delete": gettext("删除月报"),
        "report.schedule": gettext("设置定期月报"),
        "demo.load": gettext("装入示范城镇"),
    }
    return names.get(action, action)
