"""The timeline of the live pages in a real Chromium; events come at a test's word."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.live.pages import SEEN, an_event, settle


def test_the_timeline_follows_counts_on_and_waits_for_a_reader(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    wall = make_wall(cameras=1, events=60)
    page = live_page()
    page.goto("/live/")
    until(page, "fake.listened.length === 1")
    rows = page.locator(".moment")
    expect(rows).to_have_count(50)
    start = page.evaluate("new Date(Date.now() - 4000).toISOString()")
    going = {"kind": "dwell", "ongoing": True, "start": start, "end": None, "value": 4.0}
    page.evaluate("(list) => fake.events(list)", [an_event(wall, 1, **going)])
    row = page.locator(".moment.is-ongoing")
    expect(row).to_contain_text("Person 1 is at Till")
    seconds = row.locator(".moment-length").inner_text()
    expect(row.locator(".moment-length")).not_to_have_text(seconds)
    ended = {
        "kind": "dwell",
        "start": start,
        "end": start,
        "sentence": "Person 1 stayed 9 s at Till",
    }
    page.evaluate(
        "(list) => fake.events(list)",
        [an_event(wall, 1, **ended, **{"sequence": wall["sequence"] + 2})],
    )
    expect(row).to_have_count(0)
    expect(rows.first).to_contain_text("Person 1 stayed 9 s at Till")
    scroll = page.locator("[data-moments-scroll]")
    scroll.evaluate("(element) => { element.scrollTop = 600; }")
    settle(page)
    anchor = scroll.evaluate(SEEN)
    page.evaluate("(list) => fake.events(list)", [an_event(wall, number) for number in (3, 4, 5)])
    pill = page.get_by_role("button", name="Show 3 new events")
    expect(pill).to_have_text("3 new")
    assert scroll.evaluate(SEEN) == anchor
    pill.click()
    expect(rows.first).to_contain_text("Person 5")
    expect(pill).to_be_hidden()


def test_the_timeline_goes_back_without_growing_for_ever(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    wall = make_wall(cameras=1, events=320)
    page = live_page()
    page.goto("/live/")
    scroll = page.locator("[data-moments-scroll]")
    oldest = f'.moment[data-id="{wall["events"][-1]}"]'
    for _ in range(40):
        scroll.evaluate("(element) => { element.scrollTop = element.scrollHeight; }")
        if page.locator(oldest).count():
            break
        page.wait_for_timeout(100)
    expect(page.locator(oldest)).to_be_attached()
    assert page.locator(".moment").count() <= 200
    for _ in range(40):
        scroll.evaluate("(element) => { element.scrollTop = 0; }")
        if page.locator(f'.moment[data-id="{wall["events"][0]}"]').count():
            break
        page.wait_for_timeout(100)
    expect(page.locator(f'.moment[data-id="{wall["events"][0]}"]')).to_be_attached()


def test_filters_ask_the_server_and_hold_for_what_comes(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    wall = make_wall(cameras=2, events=3)
    page = live_page()
    page.goto("/live/")
    until(page, "fake.listened.length === 1")
    page.evaluate("(list) => fake.events(list)", [an_event(wall, 1)])
    rows = page.locator(".moment")
    expect(rows.first).to_contain_text("Person 1 entered")
    page.get_by_role("button", name="Filter events").click()
    with page.expect_request(re.compile(r"/api/events\?.*kind=crossing")):
        page.get_by_label("Kind").select_option("crossing")
    expect(page.locator(".moment", has_text="entered")).to_have_count(0)
    page.get_by_label("Camera", exact=True).select_option(str(wall["cameras"][0]))
    expect(rows).to_have_count(3)
    fresh = [
        an_event(wall, 2),
        an_event(wall, 3, kind="crossing", sentence="Person 3 crossed Door"),
    ]
    page.evaluate("(list) => fake.events(list)", fresh)
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("crossed Door")
    page.get_by_label("Zone or line").select_option(f"zone:{wall['zone']}")
    expect(page.get_by_text("Nothing of this kind has happened.")).to_be_visible()
    page.get_by_role("button", name="Show everything").click()
    expect(rows.first).to_be_visible()


def test_an_event_opens_its_picture_with_a_box(live_page: Any, until: Any, make_wall: Any) -> None:
    wall = make_wall(cameras=1, events=2)
    page = live_page()
    page.goto(f"/live/{wall['cameras'][0]}/")
    page.locator(".moment-button").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".moment-figure.is-loaded")).to_be_visible()
    figure = dialog.locator("img").bounding_box()
    box = dialog.locator("[data-moment-box]").bounding_box()
    assert box["width"] == pytest.approx(figure["width"] * 0.25, abs=3)
    assert box["y"] - figure["y"] == pytest.approx(figure["height"] * 0.25, abs=3)
    dialog.get_by_role("button", name="Close").click()
    page.locator(".moment-button").nth(1).click()
    expect(dialog).to_contain_text("No picture was kept of this moment.")


def test_while_somebody_reads_the_list_does_not_grow_for_ever(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    wall = make_wall(cameras=1, events=60)
    page = live_page()
    page.goto("/live/")
    until(page, "fake.listened.length === 1")
    scroll = page.locator("[data-moments-scroll]")
    scroll.evaluate("(element) => { element.scrollTop = 600; }")
    settle(page)
    anchor = scroll.evaluate(SEEN)
    for start in range(1, 1200, 100):
        several = [an_event(wall, number) for number in range(start, start + 100)]
        page.evaluate("(list) => fake.events(list)", several)
    pill = page.get_by_role("button", name="Show 99+ new events")
    expect(pill).to_have_text("99+ new")
    assert scroll.evaluate(SEEN) == anchor
    assert page.locator(".moment").count() <= 200
    # What was only counted is not here: the server is asked for it.
    with page.expect_response(re.compile(r"/api/events\?")):
        pill.click()
    expect(page.locator("[data-moments-new]")).to_be_hidden()
    page.evaluate("(list) => fake.events(list)", [an_event(wall, 2000)])
    expect(page.locator(".moment").first).to_contain_text("Person 2000 entered")
    expect(page.locator("[data-moments-new]")).to_be_hidden()


def test_after_a_look_at_one_event_the_list_follows_again(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    wall = make_wall(cameras=1, events=5)
    page = live_page()
    page.goto("/live/")
    until(page, "fake.listened.length === 1")
    row = page.locator(".moment-button").first
    row.focus()
    page.evaluate("(list) => fake.events(list)", [an_event(wall, 1)])
    expect(page.locator("[data-moments-new]")).to_have_text("1 new")
    row.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.evaluate("(list) => fake.events(list)", [an_event(wall, 2)])
    expect(page.locator(".moment").first).to_contain_text("Person 2 entered")
    expect(page.locator("[data-moments-new]")).to_be_hidden()


def test_what_was_heard_before_a_question_is_not_kept_for_its_answer(
    live_page: Any, until: Any, make_wall: Any
) -> None:
    wall = make_wall(cameras=1, events=3)
    page = live_page()
    page.goto("/live/")
    until(page, "fake.listened.length === 1")
    kept = page.evaluate(
        """async ([before, during, after]) => {
          const script = [...document.scripts].find(({ src }) => src.includes("/live/"));
          const url = new URL(script.src);
          const { Moments } = await import(new URL("moments.js", url));
          const moments = new Moments("/api/events", () => new URLSearchParams());
          moments.hear([before]);
          moments.expect();
          const answer = moments.load();
          moments.hear([during]);
          await answer;
          moments.hear([after]);
          await moments.load();
          const second = moments.list.length;
          moments.expect();
          const again = moments.load();
          moments.hear([during]);
          await again;
          return [second, moments.list.some(({ id }) => id === during.id), moments.list.length];
        }""",
        [an_event(wall, number) for number in (1, 2, 3)],
    )
    assert kept[1] is True
    assert kept[2] == kept[0] + 1
