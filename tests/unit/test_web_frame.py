"""The frame of the web without a database: start, headers, static files, templates, settings of cookies."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from gridmap import ROOT, errors
from gridmap.settings import Settings
from gridmap.web.app import STATIC, create_app, static_version
from gridmap.web.errors import status_of
from gridmap.web.security import content_security_policy, safe_next

#: Pages; what is under reports/ becomes a PDF and is never served.
_TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html") if path.parent.name != "reports")
_HEAVY = ("geopandas", "scipy", "numba", "pyogrio", "folium", "weasyprint", "openpyxl")


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return create_app(Settings(data_dir=tmp_path, log_level="ERROR"))


def test_the_app_starts_without_heavy_imports() -> None:
    """What is not imported cannot slow the start: under 2 s."""
    program = f"""
import sys
from pathlib import Path
from gridmap.settings import Settings
from gridmap.web.app import create_app
import tempfile
create_app(Settings(data_dir=Path(tempfile.mkdtemp())))
print(*[name for name in {_HEAVY!r} if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.split() == []


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("/plans?x=1#y", True),
        ("/", True),
        ("", False),
        (None, False),
        ("plans", False),
        ("//evil.example/x", False),
        ("https://evil.example", False),
        ("/\\evil.example", False),
        ("/a\r\nSet-Cookie: x", False),
        ("javascript:alert(1)", False),
    ],
)
def test_returns_stay_on_this_site(target: str | None, safe: bool) -> None:
    assert safe_next(target) == (target if safe else None)


def test_the_policy_allows_nothing_inline_and_only_the_configured_tiles() -> None:
    policy = content_security_policy("abc", "https://t0.tianditu.gov.cn/vec_w/wmts?tk=secret")
    assert "unsafe" not in policy
    assert "script-src 'self' 'nonce-abc';" in policy
    assert "img-src 'self' data: blob: https://t0.tianditu.gov.cn;" in policy
    assert "tianditu" not in content_security_policy("abc", None)


def test_nonces_differ_and_stand_in_the_page(app: Flask) -> None:
    client = app.test_client()
    first, second = client.get("/sign-in"), client.get("/sign-in")
    nonces = [re.findall(r"'nonce-([^']+)'", page.headers["Content-Security-Policy"]) for page in (first, second)]
    assert nonces[0][0] != nonces[1][0]
    assert f'nonce="{nonces[0][0]}"' in first.text
    assert first.headers["Cache-Control"] == "no-store"
    assert first.headers["X-Content-Type-Options"] == "nosniff"


def test_cookies_are_kept_from_scripts_and_over_https_alone_where_set(tmp_path: Path) -> None:
    client = create_app(Settings(data_dir=tmp_path, log_level="ERROR", secure_cookies=True)).test_client()
    answer = client.get("/sign-in", base_url="https://localhost")
    cookie = answer.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Secure"))
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


def test_static_files_are_cached_for_ever_under_their_version(app: Flask) -> None:
    assert app.static_url_path == f"/static/{static_version(STATIC)}"
    with app.test_client().get(f"{app.static_url_path}/css/app.css") as answer:
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
    assert app.test_client().get("/static/old/css/app.css").status_code == 404


def test_every_error_class_has_a_status() -> None:
    pending = [errors.CodedError]
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        assert 400 <= status_of(kind("X")) < 600


@pytest.mark.parametrize("path", _TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_templates_keep_the_policy(path: Path) -> None:
    """No inline style, handler or script without nonce; every posting form carries the CSRF token."""
    text = path.read_text("utf-8")
    assert not re.search(r"\sstyle\s*=\s*[\"']", text)
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", text)
    assert "javascript:" not in text
    for tag in re.findall(r"<(?:script|style)\b[^>]*>", text):
        assert "csp_nonce()" in tag, tag
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?:https?:)?//", text)
    for form in re.findall(r"<form\b[^>]*method=[\"']post[\"'].*?</form>", text, re.DOTALL | re.IGNORECASE):
        assert "csrf" in form, form
