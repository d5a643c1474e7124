"""The wall and the pages of cameras in a real Chromium; pictures come at a test's word."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, Server
from tests.browser.live.pages import (
    FIRST_OF_STREAM,
    OVERLAY_IS_INKED,
    a_camera,
    an_event,
    inked,
    load_of,
    opened,
    settle,
    tell_stats,
)


def test_pictures_move_under_boxes_that_can_be_switched_off(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    make_wall(cameras=4)
    page = opened(live_page(), until)
    first = page.locator("[data-tile-picture]").first
    before = first.evaluate("(canvas) => canvas.toDataURL()")
    until(page, f"document.querySelector('[data-tile-picture]').toDataURL() !== {before!r}")
    assert inked(page) > 200
    page.keyboard.press("b")
    expect(page.get_by_role("switch", name="Boxes")).not_to_be_checked()
    settle(page)
    assert inked(page) == 0
    opened(page, until)
    expect(page.get_by_role("switch", name="Boxes")).not_to_be_checked()


def test_every_picture_is_acknowledged_and_only_what_is_seen_is_watched(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    wall = make_wall(cameras=6)
    page = live_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    opened(page, until)
    until(page, "fake.acked > 30")
    assert page.evaluate("fake.mostUnseen") <= 2
    page.evaluate("fake.stop()")
    until(page, "fake.acked === fake.shown")
    assert 0 < page.evaluate("fake.tiles.length") < 6
    last = wall["cameras"][-1]
    page.locator(f'.tile[data-camera="{last}"]').scroll_into_view_if_needed()
    until(page, f"fake.tiles.some(({{ camera }}) => camera === {last})")
    until(page, f"!fake.tiles.some(({{ camera }}) => camera === {wall['cameras'][0]})")


def test_one_that_fills_the_view_is_large_and_the_only_one(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    wall = make_wall(cameras=4)
    page = opened(live_page(), until)
    until(page, "fake.tiles.length >= 4 && fake.tiles.every(({ size }) => size === 'small')")
    page.locator(f'.tile[data-camera="{wall["cameras"][1]}"]').hover()
    page.locator(f'.tile[data-camera="{wall["cameras"][1]}"] [data-tile-full]').click()
    large = {"camera": wall["cameras"][1], "size": "large"}
    until(
        page,
        f"JSON.stringify(fake.tiles) === {json.dumps(json.dumps([large], separators=(',', ':')))}",
    )
    page.locator(f'.tile[data-camera="{wall["cameras"][1]}"] [data-tile-full]').click()
    until(page, "fake.tiles.length >= 4")
    page.get_by_text("1", exact=True).click()
    until(page, "fake.tiles.length === 1 && fake.tiles[0].size === 'large'")
    expect(page.locator("[data-page]")).to_contain_text("1 of ")
    page.get_by_role("button", name="More cameras").click()
    expect(page.locator("[data-page]")).to_contain_text("2 of ")
    page.reload()
    expect(page.locator("input[name=layout][value='1']")).to_be_checked()


def test_arrows_walk_over_the_tiles_and_enter_opens_one(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    make_wall(cameras=4)
    page = opened(live_page(), until)
    links = page.locator(".tile:not([hidden]) [data-tile-link]")
    links.first.focus()
    page.keyboard.press("ArrowRight")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    expect(links.first).not_to_be_focused()
    page.keyboard.press("f")
    until(page, "document.fullscreenElement?.hasAttribute('data-camera') === true")
    page.keyboard.press("f")
    until(page, "document.fullscreenElement === null")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/live/\d+/$"))


def test_a_lost_connection_shows_itself_and_nothing_is_missed_or_said_twice(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    wall = make_wall(cameras=1)
    page = opened(live_page(), until)
    until(page, "fake.listened.length === 1")
    page.evaluate("(list) => fake.events(list)", [an_event(wall, 1), an_event(wall, 2)])
    rows = page.locator(".moment")
    expect(rows.first).to_contain_text("Person 2")
    page.evaluate("fake.cut()")
    expect(page.get_by_text(re.compile("Connection lost"))).to_be_visible()
    tile = page.locator(f'.tile[data-camera="{wall["cameras"][0]}"]')
    expect(tile).to_have_class(re.compile("is-stale"))
    expect(tile.locator("[data-tile-state]")).to_have_text("Not connected")
    age = tile.locator("[data-tile-age]").inner_text()
    expect(tile.locator("[data-tile-age]")).not_to_have_text(age)
    page.evaluate("fake.up = true")
    page.get_by_role("button", name="Try now").click()
    expect(page.get_by_text(re.compile("Connection lost"))).to_be_hidden()
    until(page, "fake.listened.length === 2")
    assert page.evaluate("fake.listened[1]") == wall["sequence"] + 2
    again = [an_event(wall, 2), an_event(wall, 3)]
    page.evaluate("(list) => fake.events(list)", again)
    expect(rows.first).to_contain_text("Person 3")
    assert page.locator(".moment", has_text="Person 2 ").count() == 1
    expect(tile).not_to_have_class(re.compile("is-stale"))


def test_the_reason_of_a_lost_camera_is_said_in_words(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    wall = make_wall(cameras=1)
    page = live_page()
    page.goto("/live/")
    until(page, "fake.listened.length === 1")
    lost = a_camera(wall, state="lost", reason="It answers and sends nothing.")
    tell_stats(
        page,
        lost,
        **{"cameras": 9, "live": 7, "fps": {"processed": 81.25}, "age_ms": {"p95": 91.4}},
        **{"ms": {"decode": 2.0, "detect": 21.0, "total": 30.0}, "counts": {"person": 12}},
    )
    tile = page.locator(f'.tile[data-camera="{wall["cameras"][0]}"]')
    expect(tile.locator("[data-tile-state]")).to_have_text("Lost")
    expect(tile).to_contain_text("It answers and sends nothing.")
    strip = page.get_by_role("region", name="How it goes")
    for text in ("7 of 9", "81.3", "91 ms", "detect 21.0", "30.0 ms in all", "person 12"):
        expect(strip).to_contain_text(text)
    page.get_by_role("button", name="Figures").click()
    expect(page.get_by_role("row", name=re.compile("any Lost"))).to_be_visible()


def test_a_camera_before_which_nothing_moves_is_at_rest(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    wall = make_wall(cameras=1)
    page = live_page()
    page.goto("/live/")
    until(page, "fake.listened.length === 1")
    tile = page.locator(f'.tile[data-camera="{wall["cameras"][0]}"]')
    for processed, gated, said in [
        (0.4, 9.6, "at rest"),
        (5.0, 5.0, "5.0 fps"),
        (0.0, 0.0, "0.0 fps"),
    ]:
        rates = {"in": 10.0, "processed": processed, "gated": gated}
        tell_stats(page, a_camera(wall, fps=rates))
        expect(tile.locator("[data-tile-fps]")).to_have_text(said)


def test_a_changed_camera_is_read_again_and_its_events_are_not(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    make_wall(cameras=1)
    page = live_page()
    page.goto("/live/")
    until(page, "fake.listened.length === 1")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response(re.compile("/live/cameras/")) as answer:
        page.evaluate("""for (let at = 0; at < 5; at += 1) {
          fake.say("/ws/dashboard/", { type: "cameras" });
        }""")
    answer.value.finished()
    settle(page)
    assert [url for url in asked if "/api/events" in url] == []
    assert len([url for url in asked if "/live/cameras/" in url]) == 1


def test_the_page_of_a_camera_shows_it_large_with_counts_of_a_day(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    wall = make_wall(cameras=2, events=3)
    page = opened(live_page(), until, f"/live/{wall['cameras'][0]}/")
    until(page, "fake.tiles.length === 1 && fake.tiles[0].size === 'large'")
    page.evaluate(f"fake.zones = [{wall['zone']}]")
    expect(page.locator(".tile-chip")).to_have_text("Till 2")
    assert inked(page) > 500
    tell_stats(page, a_camera(wall))
    expect(page.locator("[data-facts]")).to_contain_text(re.compile(r"320 . 180"))
    # Just after midnight some of them belong to yesterday.
    expect(page.locator("[data-totals] > div")).to_have_count(2)
    day = page.get_by_label("Day", exact=True)
    day.fill("2020-01-01")
    expect(page.get_by_text("Nobody crossed a line on this day.")).to_be_visible()
    expect(page.get_by_role("link", name="Edit")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(
    live_page: Any, until: Any, make_wall: Any, scheme: str
) -> None:
    wall = make_wall(cameras=17, events=3)
    page = live_page(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme=scheme
    )
    for address in ("/live/", f"/live/{wall['cameras'][0]}/"):
        opened(page, until, address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
        page.get_by_role("button", name="Filter events").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address


def test_a_permission_that_ends_takes_the_camera_from_an_open_wall(
    rows: Callable[..., Any], new_page: Callable[..., Any], sign_in: Any, make_wall: Any
) -> None:
    name = f"watcher{time.monotonic_ns()}"
    make_wall(cameras=2, events=2, viewer=name)
    page = new_page(anonymous=True)
    sign_in(page, name, PASSWORD)
    page.wait_for_url("**/")
    page.goto("/live/")
    expect(page.locator(".tile")).to_have_count(2)
    expect(page.locator(".moment")).to_have_count(2)
    rows("leave", name=name)
    expect(page.get_by_role("heading", name="No camera is shared with you")).to_be_visible()
    expect(page.locator(".tile")).to_have_count(0)
    expect(page.locator(".moment")).to_have_count(0)


def test_another_page_is_there_at_once_beside_sixteen_moving_tiles(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    make_wall(cameras=16)
    page = live_page(viewport={"width": 1600, "height": 1000})
    opened(page, until)
    until(page, "fake.tiles.length === 16 && fake.acked > 100")
    other = page.context.new_page()
    taken = []
    for _ in range(3):  # the first time, what all pages have in common is not yet in the cache
        started = time.perf_counter()
        other.goto("/sessions/")
        expect(other.get_by_role("navigation", name="Main")).to_be_visible()
        taken.append(time.perf_counter() - started)
    assert min(taken) < 1
    other.close()
    page.bring_to_front()
    acked = page.evaluate("fake.acked")
    assert load_of(page, 3) < 0.5
    assert page.evaluate("fake.acked") > acked


@pytest.mark.weights
@pytest.mark.data
@pytest.mark.slow
def test_a_real_camera_is_looked_at_from_the_file_to_the_timeline(
    server: Server, page: Any, until: Any, rows: Callable[..., Any], test_data: Path
) -> None:
    folder = Path(server.environment["SIGHTLINE_DATA_DIR"]) / "cameras"
    folder.mkdir(exist_ok=True)
    shutil.copy(test_data / "videos" / "vtest_480x360.mp4", folder / "walkers.mp4")
    camera = rows("loop", name="Walkers", file="walkers.mp4")
    try:
        page.goto("/live/")
        tile = page.locator(f'.tile[data-camera="{camera}"]')
        expect(tile.locator("[data-tile-state]")).to_have_text("Live")
        until(page, f"document.querySelector('.tile[data-camera=\"{camera}\"].has-picture')")
        picture = tile.locator("[data-tile-picture]")
        before = picture.evaluate("(canvas) => canvas.toDataURL()")
        until(page, f"document.querySelector('[data-tile-picture]').toDataURL() !== {before!r}")
        until(page, OVERLAY_IS_INKED)
        expect(page.locator(".moment").first).to_contain_text(re.compile("entered|left|at most"))
        expect(tile.locator("[data-tile-fps]")).to_contain_text("fps")
        page.goto(f"/live/{camera}/")
        until(page, "document.querySelector('.tile.has-picture')")
        stream = page.locator("[data-copy]").get_attribute("data-copy")
        assert page.evaluate(FIRST_OF_STREAM, stream).startswith("multipart/x-mixed-replace")
    finally:
        rows("remove", prefix="Walkers")
