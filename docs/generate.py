"""Write docs/errors.md and docs/routes.md from the program itself (``python -m docs.generate``)."""

from __future__ import annotations

from pathlib import Path

from geodata.messages import catalogue
from gridmap.web.app import create_app

HERE = Path(__file__).parent


def errors() -> str:
    """The page of all codes with their sentences in both languages."""
    lines = [
        "# Codes and sentences",
        "",
        "Every fault and finding carries a code; its sentences live in `geodata/messages/` and `gridmap/messages/`.",
        "This page is written by `python -m docs.generate`.",
        "",
        "| code | 中文 | English |",
        "|---|---|---|",
    ]
    for code, entry in sorted(catalogue().items()):
        chinese = f"{entry['zh']} {entry.get('hint_zh', '')}".strip().replace("|", "\\|").replace("\n", " ")
        english = f"{entry['en']} {entry.get('hint_en', '')}".strip().replace("|", "\\|").replace("\n", " ")
        lines.append(f"| `{code}` | {chinese} | {english} |")
    return "\n".join(lines) + "\n"


def routes() -> str:
    """The page of all routes with their methods and the first line of what they do."""
    app = create_app()
    lines = [
        "# Routes",
        "",
        "Every address the server answers, besides the static files under `/static/<hash>/`.",
        "The API has its own document at `/api/v1/docs` (OpenAPI 3.1).",
        "This page is written by `python -m docs.generate`.",
        "",
        "| route | methods | view | what |",
        "|---|---|---|---|",
    ]
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if rule.endpoint == "static":
            continue  # its address holds a hash of the files
        methods = ", ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        summary = (app.view_functions[rule.endpoint].__doc__ or "").strip().partition("\n")[0]
        lines.append(f"| `{rule.rule}` | {methods} | {rule.endpoint} | {summary} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (HERE / "errors.md").write_text(errors(), "utf-8")
    (HERE / "routes.md").write_text(routes(), "utf-8")
