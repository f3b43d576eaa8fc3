"""What a planner does over and over: bring a file, have it checked, accept it; look at a page in both sizes."""

from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.sync_api import Page, expect

SLOW_MS = 60_000
DESKTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}


def upload(page: Page, path: Path, kind: str) -> None:
    """Choose file and kind on the page of imports, and send."""
    page.goto("/imports")
    page.get_by_label("把文件拖到这里").set_input_files(path)
    page.locator(f"[name=kind][value={kind}]").check()
    page.get_by_role("button", name="上传", exact=True).click()


def previewed(page: Page, path: Path, kind: str) -> None:
    """Send and wait for what was found in the file, the detective's answer among it."""
    upload(page, path, kind)
    page.wait_for_url(re.compile(r"/imports/\d+$"))
    expect(page.get_by_role("button", name="开始核查")).to_be_visible()
    if page.locator("#datum-said").count():
        expect(page.locator("[name=datum]:checked")).to_have_count(1, timeout=SLOW_MS)


def checked(page: Page) -> None:
    """Have the file checked and wait for the findings."""
    page.get_by_role("button", name="开始核查").click()
    expect(page.locator(".verdict")).to_be_visible(timeout=SLOW_MS)


def accepted(page: Page) -> None:
    """Accept what can be accepted and wait until it is in."""
    page.locator("form.accept button").click()
    expect(page.get_by_role("heading", name="接下来")).to_be_visible(timeout=SLOW_MS)


def brought(page: Page, path: Path, kind: str) -> None:
    """The whole way of a file that needs no second look."""
    previewed(page, path, kind)
    checked(page)
    accepted(page)


def figure(page: Page, label: str) -> int:
    """The number in the card of that label."""
    text = page.locator(".stat", has=page.get_by_text(label, exact=True)).locator(".stat-value").inner_text()
    return int(text.replace(",", ""))


def downloaded(page: Page, name: str, folder: Path) -> Path:
    """Follow the link or button of that name to a file."""
    with page.expect_download(timeout=SLOW_MS) as download:
        page.get_by_role("link", name=name).or_(page.get_by_role("button", name=name)).first.click()
    target = folder / download.value.suggested_filename
    download.value.save_as(target)
    return target


_TOO_WIDE = """() => {
  const window_px = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= window_px) return [];
  return [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > window_px)
    .map(e => `${e.tagName}.${e.className} ${Math.round(e.getBoundingClientRect().right)}`);
}"""


def looked_at(page: Page, name: str) -> None:
    """Nothing overflows, on a desk or a phone; GRIDMAP_SHOTS names a folder that keeps a picture of each."""
    shots = os.environ.get("GRIDMAP_SHOTS")
    for size, label in ((PHONE, "phone"), (DESKTOP, "desk")):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.wait_for_timeout(100)  # a map takes a moment to follow its box
        wide = page.evaluate(_TOO_WIDE)
        assert wide == [], f"{name} on a {label}"
        if shots:
            page.wait_for_timeout(700)
            page.screenshot(path=Path(shots) / f"{name}-{label}.png", full_page=label == "phone")
