"""The main job, end to end, as a planner does it: from files to a checked grid map and back into files.

The tests of this module are the steps of one journey on one server that began empty; each builds on those before.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import pytest
import shapely
from playwright.sync_api import Browser, BrowserContext, Page, expect

from geodata.synth import synthesise
from geodata.synth.files import write_demo_files
from gridmap.db.engine import libpq_url
from tests.browser.conftest import PASSWORD, Server, sign_in_first, until, watched
from tests.browser.steps import (
    DESKTOP,
    SLOW_MS,
    accepted,
    brought,
    checked,
    downloaded,
    figure,
    looked_at,
    previewed,
    upload,
)

pytestmark = pytest.mark.browser
SIZE = 0.2
#: What a plan says of itself, however it came about: its grids by what they hold, and the grid of every unit.
GRIDS = """
SELECT g.code, g.name, g.kind, g.workers, g.households, g.population, g.buildings, g.units, r.code AS region,
       round(g.area_m2::numeric, 1) AS area_m2, ST_AsBinary(g.geom) AS geom
FROM grid g LEFT JOIN region r ON r.id = g.region_id WHERE g.plan_id = %s ORDER BY g.code, g.name, g.households"""
UNITS = """
SELECT pu.unit_id, g.code, g.name FROM plan_unit pu LEFT JOIN grid g ON g.id = pu.grid_id
WHERE pu.plan_id = %s ORDER BY pu.unit_id"""


@pytest.fixture(scope="module")
def town() -> Any:
    return synthesise(1, SIZE)


@pytest.fixture(scope="module")
def files(town: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_demo_files(town, tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the planner's browser puts downloads."""
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def context(browser: Browser, empty_server: Server) -> Iterator[BrowserContext]:
    with watched(browser, empty_server, viewport=DESKTOP, locale="zh-CN") as opened:
        yield opened


@pytest.fixture(scope="module")
def page(context: BrowserContext) -> Page:
    return context.new_page()


def rows(server: Server, query: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(libpq_url(server.url)) as connection:
        return connection.execute(query.encode(), values).fetchall()


def test_a_one_time_link_sets_the_password(page: Page, empty_server: Server) -> None:
    sign_in_first(page, empty_server)
    expect(page.get_by_role("heading", name="导入区划").or_(page.get_by_text("导入区划")).first).to_be_visible()
    looked_at(page, "01-home-empty")
    page.goto("/map")
    looked_at(page, "02-map-empty")
    page.goto("/plans")
    looked_at(page, "02-plans-empty")


def test_regions_are_accepted(page: Page, files: dict[str, Path], town: Any) -> None:
    previewed(page, files["regions"], "regions")
    looked_at(page, "03-regions-preview")
    checked(page)
    looked_at(page, "04-regions-problems")
    accepted(page)
    looked_at(page, "05-regions-accepted")
    assert figure(page, "新增") == len(town.regions)


def test_the_detective_knows_gcj02_by_the_regions_alone(page: Page, files: dict[str, Path], town: Any) -> None:
    previewed(page, files["barriers"], "barriers")
    expect(page.locator("tr[data-datum=GCJ02] .advice")).to_have_text("✓ 建议")
    expect(page.locator("[name=datum][value=GCJ02]")).to_be_checked()
    looked_at(page, "06-barriers-preview")
    checked(page)
    looked_at(page, "07-barriers-problems")
    accepted(page)
    assert figure(page, "新增") == len(town.barriers)


def test_a_gbk_shapefile_without_cpg_reads_in_chinese(
    page: Page, files: dict[str, Path], town: Any, empty_server: Server
) -> None:
    previewed(page, files["buildings"], "buildings")
    expect(page.locator("#encoding option").first).to_contain_text("gb18030")
    looked_at(page, "08-buildings-preview")
    checked(page)
    looked_at(page, "09-buildings-problems")
    accepted(page)
    assert figure(page, "新增") == len(town.buildings)
    said = dict(rows(empty_server, "SELECT key, address FROM building"))
    assert said == dict(zip(town.buildings["key"], town.buildings["address"], strict=True))


def test_a_ledger_joins_by_key(page: Page, files: dict[str, Path]) -> None:
    previewed(page, files["ledger"], "buildings")
    looked_at(page, "10-ledger-preview")
    checked(page)
    looked_at(page, "11-ledger-problems")
    accepted(page)
    looked_at(page, "12-ledger-accepted")
    assert figure(page, "更新") > 0


def test_units_are_built(page: Page, town: Any) -> None:
    page.goto("/regions")
    looked_at(page, "13-regions")
    page.get_by_role("link", name=town.regions["name"].iloc[0]).first.click()
    looked_at(page, "14-region")
    page.get_by_role("button", name="划分单元").click()
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_text("单元已划分")).to_be_visible(timeout=SLOW_MS)
    looked_at(page, "15-units-built")


def test_a_bad_row_is_seen_downloaded_mended_and_sent_again(
    page: Page, files: dict[str, Path], town: Any, folder: Path
) -> None:
    previewed(page, files["grids"], "grids")
    looked_at(page, "16-grids-preview")
    checked(page)
    looked_at(page, "17-grids-problems")
    page.get_by_role("link", name=re.compile("几何无效")).click()
    page.wait_for_url(re.compile("code=CHECK_GEOMETRY_INVALID"))
    page.locator("[data-show]").first.click()
    expect(page.locator("[data-show]").first).to_have_attribute("aria-pressed", "true")
    looked_at(page, "18-grids-one-problem")
    rejected = gpd.read_file(downloaded(page, "下载", folder))
    assert {"无图形网格", "无编码网格", "蝶形网格"} < set(rejected["网格名称"])
    assert rejected["gridmap_reason"].str.len().min() > 3
    page.get_by_role("button", name="放弃该批次").click()
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_role("heading", name="该批次已放弃")).to_be_visible()

    whole = gpd.read_file(files["grids"])
    mended = whole[~whole["网格名称"].isin(["无图形网格", "无编码网格", "蝶形网格"])].copy()
    twice = mended["网格编码"].duplicated()
    mended.loc[twice, "网格编码"] = [f"{code[:12]}{k}" for k, code in enumerate(mended.loc[twice, "网格编码"], 901)]
    mended.to_file(folder / "改好的网格.gpkg")
    previewed(page, folder / "改好的网格.gpkg", "grids")
    checked(page)
    looked_at(page, "19-grids-mended")
    expect(page.locator(".tally .bad")).to_have_count(0)
    accepted(page)
    looked_at(page, "20-grids-accepted")
    assert figure(page, "新增") == len(town.grids)


def test_the_plan_that_was_made_is_checked(page: Page, empty_server: Server, town: Any) -> None:
    ((plan_id,),) = rows(empty_server, "SELECT min(id) FROM plan")
    page.goto(f"/plans/{plan_id}")
    looked_at(page, "21-plan-unchecked")
    page.get_by_role("button", name="立即核查").click()
    expect(page.get_by_text("核查完成")).to_be_visible(timeout=SLOW_MS)
    looked_at(page, "22-plan-checked")
    page.get_by_role("tab", name=re.compile("问题")).click()
    expect(page.locator("#findings .sentence").first).to_be_visible()
    looked_at(page, "23-plan-findings")
    page.get_by_role("tab", name="导入不吻合").click()
    expect(page.locator("#misfits li").first).to_be_visible()
    looked_at(page, "24-plan-misfits")
    assert figure(page, "网格数") == len(town.grids)
    ((households,),) = rows(empty_server, "SELECT sum(households) FROM unit WHERE retired_at IS NULL")
    ((counted,),) = rows(empty_server, "SELECT sum(households) FROM building")
    assert households == counted


def test_other_departments_and_cases_come_with_their_faults(page: Page, files: dict[str, Path], town: Any) -> None:
    previewed(page, files["departments"], "grids")
    checked(page)
    looked_at(page, "25-departments-problems")
    accepted(page)
    looked_at(page, "26-departments-accepted")
    assert figure(page, "新增") == len(town.department_grids)
    previewed(page, files["cases"], "cases")
    expect(page.locator("#encoding option").first).to_contain_text("gb18030")
    looked_at(page, "27-cases-preview")
    checked(page)
    looked_at(page, "28-cases-problems")
    accepted(page)
    looked_at(page, "29-cases-accepted")
    row = np.arange(1, len(town.cases) + 1)
    ahead, no_place = row % 1499 == 0, row % 997 == 0  # some of the latter are found by their building or address
    assert ahead.sum() <= figure(page, "未接收的行") <= (ahead | no_place).sum()


def test_rejected_cases_are_mended_and_sent_again(page: Page, folder: Path, empty_server: Server) -> None:
    """The page of the last step is still open: the rows that were left there, with their times put right."""
    rejected = pd.read_csv(downloaded(page, "下载", folder), dtype=str, encoding="utf-8-sig")
    mended = rejected[rejected["经度"].notna()].copy()
    mended["发生时间"] = mended["上报时间"]
    mended.to_csv(folder / "改好的事件.csv", index=False)
    ((before,),) = rows(empty_server, "SELECT count(*) FROM case_record")
    upload(page, folder / "改好的事件.csv", "cases")
    expect(page.locator("#datum-said")).to_contain_text("请您选择", timeout=SLOW_MS)  # too few to be sure by
    page.locator("[name=datum][value=CGCS2000]").check()
    checked(page)
    accepted(page)
    assert figure(page, "新增") == len(mended) > 0
    assert rows(empty_server, "SELECT count(*) FROM case_record") == [(before + len(mended),)]


def test_the_map_says_which_grids_do_not_meet_the_standard_and_why(page: Page) -> None:
    page.goto("/map")
    expect(page.locator("#list button").first).to_be_visible()
    until(page, "window.gridmap.page.grids._byId.size > 0")
    looked_at(page, "30-map")
    page.get_by_label(re.compile("超出标准")).check()
    over = "g => g.feature.properties.status === 'over'"
    until(page, f"[...window.gridmap.page.grids._byId.values()].every({over})")
    page.locator("#list button").first.click()
    expect(page.locator("#card li").first).to_contain_text(re.compile("户"))
    looked_at(page, "31-map-card")


def test_the_heat_of_cases(page: Page) -> None:
    with page.expect_response(lambda answer: "/heat.png" in answer.url) as answer:
        page.goto("/cases")
    assert int(answer.value.headers["x-cases"]) > 1000
    assert page.request.get(answer.value.url).body().startswith(b"\x89PNG")
    expect(page.locator("#rank tr").first).to_be_visible()
    with page.expect_response(lambda answer: "/heat.png" in answer.url) as answer:
        page.get_by_role("button", name="近一年", exact=True).click()
    assert "since=" in answer.value.url and answer.value.ok
    looked_at(page, "32-cases")


def test_every_export_opens(page: Page, empty_server: Server, folder: Path) -> None:
    ((plan_id, grids),) = rows(
        empty_server, "SELECT plan_id, count(*) FROM grid GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    )
    page.goto(f"/plans/{plan_id}")
    for name in ("GeoPackage", "GeoJSON"):
        assert len(gpd.read_file(downloaded(page, name, folder))) == grids
    unpacked = folder / "shapefile"
    with zipfile.ZipFile(downloaded(page, "Shapefile", folder)) as archive:
        archive.extractall(unpacked)
    shape = gpd.read_file(unpacked / "网格.shp")
    assert len(shape) == grids
    assert all(name.isascii() and len(name) <= 10 for name in shape.columns)
    ledger = pd.read_excel(downloaded(page, "网格台账 XLSX", folder), dtype={"网格编码": str, "社区代码": str})
    table = pd.read_csv(downloaded(page, "网格台账 CSV", folder), dtype={"网格编码": str, "社区代码": str})
    assert list(ledger["网格编码"].fillna("")) == list(table["网格编码"].fillna(""))
    assert ledger["户数"].sum() == table["户数"].sum()
    assert downloaded(page, "核查报告 XLSX", folder).read_bytes().startswith(b"PK")
    assert downloaded(page, "核查报告 PDF", folder).read_bytes().startswith(b"%PDF")


def test_the_assignment_comes_back_with_nothing_lost(page: Page, empty_server: Server, folder: Path) -> None:
    ((first,),) = rows(empty_server, "SELECT min(id) FROM plan")
    page.goto(f"/plans/{first}")
    path = downloaded(page, "单元归属 CSV", folder)
    page.goto("/plans")
    page.get_by_role("radio", name="单元归属表").check()
    page.get_by_label("名称", exact=True).fill("导回的方案")
    page.get_by_label("单元归属表文件").set_input_files(path)
    looked_at(page, "33-new-plan")
    page.get_by_role("button", name="建立").click()
    expect(page.get_by_role("heading", name="导回的方案")).to_be_visible(timeout=SLOW_MS)
    looked_at(page, "34-plan-from-assignment")
    second = int(page.url.rsplit("/", 1)[1])
    assert rows(empty_server, UNITS, second) == rows(empty_server, UNITS, first)
    assert rows(empty_server, GRIDS, second) == rows(empty_server, GRIDS, first)


def test_an_exported_geopackage_comes_back_as_the_same_plan(page: Page, empty_server: Server, folder: Path) -> None:
    ((first,),) = rows(empty_server, "SELECT min(id) FROM plan")
    page.goto(f"/plans/{first}")
    brought(page, downloaded(page, "GeoPackage", folder), "grids")
    page.get_by_role("link", name="打开方案").click()
    second = int(page.url.rsplit("/", 1)[1].split("?")[0])
    before, after = ([row for row in rows(empty_server, GRIDS, plan) if row[-1]] for plan in (first, second))
    assert [row[:-1] for row in after] == [row[:-1] for row in before]  # a grid that got no unit has no shape to export
    held = [shapely.from_wkb([row[-1] for row in plan]) for plan in (before, after)]
    assert shapely.equals(*held).all()


def test_english_and_the_way_out(page: Page, context: BrowserContext, empty_server: Server) -> None:
    page.goto("/")
    looked_at(page, "35-home")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    looked_at(page, "36-home-en")
    page.get_by_role("button", name="中文").click()
    page.get_by_label("账号 管理员").click()
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_text("您已退出登录")).to_be_visible()
    page.goto("/plans")
    expect(page).to_have_url(re.compile("/sign-in"))
    page.get_by_label("账号").fill("admin")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(re.compile("/plans$"))
