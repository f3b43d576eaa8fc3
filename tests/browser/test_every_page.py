"""Every page, in both languages, on a desk and on a phone: nothing foreign is asked for, nothing overflows.

axe finds no breach of WCAG 2.1 AA (contrast, names, labels, landmarks).

The list of pages is the application's own: a new route is visited, or its parameters must be given here.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from gridmap.web.app import create_app
from tests.browser.conftest import Server, watched

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
#: What stands for a parameter on the demo town.
PARAMETERS = {
    "collection": "grids",
    "set_name": "WebMercatorQuad",
    "plan_id": "1",
    "code": "339901001001",
    "user_id": "1",
    "batch_id": "1",
}
#: Not pages: files, redirects, or pages for who is not signed in (tested in tests/api).
NOT_PAGES = {"/health", "/sign-in", "/sign-in/<token>"}
#: Pages with several parameters that are visited as they stand here, or no pages at all.
SEVERAL = {
    "/ogc/collections/<string:collection>/items/<string:feature>": "/ogc/collections/grids/items/1",
    "/ogc/collections/<string:collection>/tiles/<string:set_name>": "/ogc/collections/grids/tiles/WebMercatorQuad",
    "/ogc/collections/<string:collection>/tiles/<string:set_name>/<int:z>/<int:row>/<int:col>": None,
}
SIZES = {"desk": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}
LOCALES = {"zh": "zh-CN", "en": "en-GB"}

_BREACHES = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
  const found = await axe.run(document, {runOnly: rules, resultTypes: ["violations"]});
  return found.violations.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.target.join(" ")).join(" | "));
}"""


def _pages() -> list[str]:
    found = []
    for rule in create_app().url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(("/api", "/static")) or rule.rule in NOT_PAGES:
            continue
        if any(word in rule.rule for word in ("export", "download", "rejected", ".csv", ".xlsx", ".geojson")):
            continue
        if rule.rule in SEVERAL:
            found += [one for one in (SEVERAL[rule.rule],) if one]
            continue
        address = rule.rule
        for name in rule.arguments:
            head, _, rest = address.partition("<")
            inside, _, tail = rest.partition(">")
            assert name == inside.rpartition(":")[2], (
                f"{rule.rule}: more than one parameter; visit it in a test of its own"
            )
            address = head + PARAMETERS[name] + tail
        found.append(address)
    return sorted({*found, "/api/v1/docs"})


def breaches(page: Page) -> list[str]:
    """What axe finds on the page as it stands."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    return list(page.evaluate(_BREACHES))


def _overflow(page: Page) -> list[str]:
    """What is wider than the window: a page never scrolls sideways."""
    return page.evaluate(
        """() => {
          const wide = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= wide + 1) return [];
          return [...document.querySelectorAll("body *")]
            .filter(e => e.getBoundingClientRect().right > wide + 1)
            .slice(0, 5).map(e => e.tagName + "." + e.className);
        }"""
    )


def _faults(page: Page) -> list[str]:
    """What is wrong with the page as wide as it is now."""
    page.wait_for_timeout(150)
    return [f"wider than the window: {what}" for what in _overflow(page)] + breaches(page)


@pytest.mark.parametrize("language", LOCALES)
def test_every_page(browser: Browser, demo_server: Server, signed_in: Path, language: str) -> None:
    """Each page is opened at one size and drawn out or pushed together to the other, in English the other way round."""
    sizes = list(SIZES) if language == "zh" else list(reversed(SIZES))
    options = {"viewport": SIZES[sizes[0]], "storage_state": signed_in, "locale": LOCALES[language]}
    faults: list[str] = []
    visited: set[str] = set()
    with watched(browser, demo_server, **options) as context:
        context.add_cookies([{"name": "gridmap_locale", "value": language, "url": demo_server.base}])
        page = context.new_page()
        for address in _pages():
            answer = page.goto(address, wait_until="load")
            assert answer is not None
            if answer.status != 200:
                faults.append(f"{address}: status {answer.status}")
                continue
            if page.url in visited:  # where another page leads
                continue
            visited.add(page.url)
            for size in sizes:
                faults += [f"{address} ({size}): {fault}" for fault in _faults(page)]
                if size == sizes[0]:
                    page.set_viewport_size(SIZES[sizes[1]])
            page.set_viewport_size(SIZES[sizes[0]])
        assert not faults, "\n".join(faults)
