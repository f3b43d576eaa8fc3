"""Folium elements: no foreign address, usable on any map, rendered in parts for a strict policy."""

from __future__ import annotations

import json
import re

import folium
import pytest

from gridmap.web import maps

BOUNDS = (120.0, 30.0, 120.2, 30.1)


@pytest.fixture(autouse=True)
def this_server() -> None:
    maps.use_server("/static/abc")


def _full() -> folium.Map:
    built = maps.base_map(BOUNDS)
    maps.GroundLayer("/t/{z}/{x}/{y}").add_to(built)
    maps.GridLayer("/g", "/gt/{z}/{x}/{y}", labels={"over": "超出"}).add_to(built)
    maps.RegionLayer("/r/{z}/{x}/{y}").add_to(built)
    heat = maps.HeatLayer("/h", params={"bandwidth": 250}, show=False)
    heat.add_to(built)
    maps.TimeSlider("/t", heat=heat, params={"region": "1"}, window=7).add_to(built)
    maps.Legend("图例", [("over", "超出", 3), ("#ff0000", "密", None)], note="注").add_to(built)
    return built


def test_parts_name_only_this_server() -> None:
    rendered = maps.parts(_full())
    assert rendered.css
    assert rendered.js
    for address in (*rendered.css, *rendered.js):
        assert address.startswith("/static/abc/")
    assert not re.search(r"https?://", rendered.html + rendered.script)
    assert "<style" not in rendered.html and "style=" not in rendered.html


def test_each_script_is_named_once_and_leaflet_first() -> None:
    scripts = maps.parts(_full()).js
    assert scripts[0].endswith("leaflet.js")
    assert len(set(scripts)) == len(scripts)


def test_a_hidden_layer_is_made_but_not_added() -> None:
    script = maps.parts(_full()).script
    assert "heat_layer = gridmap.heatLayer(" in script
    assert "heat_layer.addTo(" not in script
    assert "grids_layer.addTo(" in script


def test_a_slider_drives_its_heat_layer_after_both_are_made() -> None:
    script = maps.parts(_full()).script
    made = [script.index(f"{name} = gridmap.") for name in ("heat_layer", "slider_control")]
    assert made[0] < made[1] < script.index("slider_control.drive(heat_layer)")
    options = re.search(r"gridmap\.timeSlider\((.*)\);", script)
    assert options is not None
    told = json.loads(options[1])
    assert (told["url"], told["params"], told["window"], told["step"]) == ("/t", {"region": "1"}, 7, 7)
    alone = maps.base_map(BOUNDS)
    maps.TimeSlider("/t", labels={"play": "</script>"}).add_to(alone)
    assert "drive(" not in maps.parts(alone).script and "</script" not in maps.parts(alone).script


def test_words_from_data_cannot_leave_the_script() -> None:
    built = maps.base_map(BOUNDS)
    maps.Legend("</script><script>alert(1)</script>", [("over", "'\"<b>", 1)]).add_to(built)
    script = maps.parts(built).script
    assert "</script" not in script
    options = re.search(r"gridmap\.legend\((.*)\);", script)
    assert options is not None
    assert json.loads(options[1])["title"].startswith("</script>")


def test_the_layers_work_on_any_folium_map() -> None:
    maps.use_server("http://gridmap.example/static")
    plain = folium.Map(tiles=None)
    maps.GridLayer("/g").add_to(plain)
    page = plain.get_root().render()
    assert "http://gridmap.example/static/js/maps/grids.js" in page
    assert "gridmap.gridLayer(" in page


def test_two_maps_do_not_share_their_layers() -> None:
    first, second = _full(), maps.base_map(BOUNDS)
    assert "gridLayer" in maps.parts(first).script
    assert "gridLayer" not in maps.parts(second).script
