"""Videos in a browser: uploaded, watched while they are analysed, played, searched, taken away."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Server
from tests.made_videos import make_clip

OVERLAY = "document.querySelector('#overlay').toDataURL()"
FILM = "document.querySelector('#film')"
IS_WINDOW = "(entry) => entry.name.includes('overlay/') && entry.responseEnd > 0"
MADE_VIDEO = """
import pathlib
from django.contrib.auth import get_user_model
from tests.made_videos import make_video_session
owner = get_user_model().objects.get(username="admin")
clip = {clip!r}
print(make_video_session(owner, clip=pathlib.Path(clip) if clip else None, **{options!r}).pk)
"""


@pytest.fixture(scope="package")
def make_video(server: Server) -> Callable[..., str]:
    """Stores videos with their result without running a model; answers with the page's address."""

    def make(clip: Path | None = None, **options: Any) -> str:
        code = MADE_VIDEO.format(clip=str(clip) if clip else "", options=options)
        return f"/videos/{server.shell(code)}/"

    return make


@pytest.fixture(scope="package")
def street(make_video: Callable[..., str]) -> str:
    """The address of a finished video of two seconds with six tracks."""
    return make_video(name="street.mp4", tracks=6)


@pytest.fixture
def player(page: Any, street: str) -> Any:
    """A page that shows the result of that video, ready to play."""
    return opened(page, street)


def opened(page: Any, address: str) -> Any:
    page.goto(address)
    page.wait_for_selector("#video.is-ready")
    return page


def cut(source: Path, target: Path, seconds: float) -> Path:
    """The beginning of a video, encoded anew."""
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        stream = before.streams.video[0]
        rate = Fraction(stream.average_rate or 10)
        made = after.add_stream("libx264", rate=rate)
        made.width, made.height, made.pix_fmt = stream.width, stream.height, "yuv420p"
        for index, frame in enumerate(before.decode(stream)):
            if index >= seconds * rate:
                break
            picture = frame.reformat(format="yuv420p")
            picture.pts, picture.time_base = index, 1 / rate
            after.mux(made.encode(picture))
        after.mux(made.encode())
    return target


@pytest.mark.weights
@pytest.mark.data
@pytest.mark.slow
def test_a_video_is_uploaded_watched_while_it_is_analysed_and_played(
    page: Any, until: Any, test_data: Path, tmp_path: Path
) -> None:
    clip = cut(test_data / "videos" / "vtest_480x360.mp4", tmp_path / "walkers.mp4", 6.0)
    page.goto("/videos/new/")
    for task in ("motion", "activity"):
        page.locator(f'input[name=tasks][value="{task}"]').check()
    page.set_input_files("#upload-input", clip)
    page.wait_for_url("**/videos/*-*/")
    page.wait_for_selector("#live-picture.is-live")
    expect(page.locator("#live-tag")).to_contain_text("frame")
    page.wait_for_selector("#video.is-ready")
    expect(page.locator(".result-meta .status")).to_have_text("Done")
    expect(page.locator(".class-row", has_text="person")).to_be_visible()
    page.locator("[data-play]").click()
    until(page, f"{FILM}.currentTime > 0.5 && !{FILM}.paused")
    page.reload()
    page.wait_for_selector("#video.is-ready")
    page.locator("#tab-tracks").click()
    expect(page.locator("#tracks tbody tr[data-n] img").first).to_be_visible()


@pytest.mark.weights
def test_a_video_on_the_home_page_is_taken_as_one_and_can_be_cancelled(
    page: Any, tmp_path: Path
) -> None:
    page.goto("/")
    page.set_input_files("#upload-input", make_clip(tmp_path / "long.mp4", seconds=120.0))
    page.wait_for_url("**/videos/*-*/")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.get_by_role("button", name="Delete").first.click()
    page.locator("#delete-dialog .is-danger").click()
    page.wait_for_url("**/sessions/")


def test_what_is_no_video_is_refused_with_a_sentence(
    page: Any, complaints: Any, tmp_path: Path
) -> None:
    complaints.expect("415")
    (tmp_path / "letter.mp4").write_text("Dear all, this is no video. " * 50)
    (tmp_path / "nothing.mp4").write_bytes(b"")
    page.goto("/videos/new/")
    page.set_input_files("#upload-input", [tmp_path / "letter.mp4", tmp_path / "nothing.mp4"])
    notes = page.locator('.upload[data-state="failed"] .upload-note')
    expect(notes).to_have_count(2)
    expect(notes.nth(0)).to_contain_text("not a video")
    expect(notes.nth(1)).to_have_text("The file is empty.")


def test_the_film_plays_and_listens_to_keys(player: Any, until: Any) -> None:
    player.locator("#player").focus()
    player.keyboard.press("Space")
    until(player, f"{FILM}.currentTime > 0.3")
    player.keyboard.press("Space")
    until(player, f"{FILM}.paused")
    player.keyboard.press("Home")
    until(player, f"{FILM}.currentTime === 0")
    player.keyboard.press(".")
    until(player, f"Math.abs({FILM}.currentTime - 0.1) < 0.01")


def test_the_drawing_comes_along_into_full_screen(player: Any, until: Any) -> None:
    small = player.evaluate("document.querySelector('#overlay').width")
    player.locator("[data-full]").click()
    until(player, "document.fullscreenElement?.id === 'player'")
    until(player, f"document.querySelector('#overlay').width > {small}")
    player.locator("[data-full]").click()
    until(player, "document.fullscreenElement === null")


def test_layers_and_classes_change_the_drawing_at_once(player: Any, until: Any) -> None:
    player.evaluate(f"{FILM}.currentTime = 1")
    player.locator("#player").evaluate("(e) => e.classList.add('has-begun')")
    until(
        player,
        "window.performance.getEntriesByType('resource').some((r) => r.name.includes('overlay/'))",
    )
    settle(player)
    requests: list[str] = []
    player.on("request", lambda request: requests.append(request.url))
    before = player.evaluate(OVERLAY)
    for layer in ("labels", "trails", "boxes", "motion", "activities"):
        player.locator(f'[data-layer="{layer}"]').uncheck()
        settle(player)
        after = player.evaluate(OVERLAY)
        if layer != "activities":  # their words went with the labels' last ones
            assert after != before, layer
        before = after
    player.locator('[data-layer="boxes"]').check()
    settle(player)
    boxes = player.evaluate(OVERLAY)
    player.get_by_label("person").uncheck()
    settle(player)
    assert player.evaluate(OVERLAY) != boxes
    assert requests == []


def test_a_click_on_the_timeline_goes_to_that_moment(player: Any, until: Any) -> None:
    lanes = player.locator("[data-lanes]")
    box = lanes.bounding_box()
    player.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 10)
    until(player, f"Math.abs({FILM}.currentTime - 1.5) < 0.05")
    lanes.focus()
    player.keyboard.press("Home")
    until(player, f"{FILM}.currentTime === 0")
    player.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 10)
    expect(player.locator("[data-tip]")).to_contain_text("0:00.5")
    lane = player.locator(".lane-name", has_text="person")
    expect(lane).to_have_attribute("aria-expanded", "true")
    lane.click()
    expect(lane).to_have_attribute("aria-expanded", "false")


def test_the_table_finds_sorts_and_seeks(player: Any, until: Any) -> None:
    player.locator("#tab-tracks").click()
    rows = player.locator("#tracks tbody tr[data-n]")
    expect(rows).to_have_count(6)
    player.locator('#tracks th[data-sort="start"] button').click()
    player.locator('#tracks th[data-sort="start"] button').click()
    expect(rows.first).to_contain_text("dog 6")
    rows.first.click()
    until(player, f"Math.abs({FILM}.currentTime - 0.6) < 0.05")
    expect(rows.first).to_have_class("is-hovered is-selected")
    player.locator("[data-track-query]").fill("car")
    expect(rows).to_have_count(2)
    player.locator("[data-track-query]").fill("")
    rows.first.locator("button").focus()
    player.keyboard.press("ArrowDown")
    expect(rows.nth(1).locator("button")).to_be_focused()


def test_events_and_charts_lead_to_their_moment(player: Any, until: Any) -> None:
    player.locator("#tab-overview").focus()
    player.keyboard.press("ArrowRight")
    player.keyboard.press("ArrowRight")
    expect(player.locator("#tab-events")).to_be_focused()
    player.locator(".event", has_text="Meeting").click()
    until(player, f"Math.abs({FILM}.currentTime - 0.5) < 0.05")
    player.locator("[data-event-filter]").select_option("motion")
    expect(player.locator(".event")).to_have_count(1)
    player.locator("#tab-charts").click()
    chart = player.locator("#pane-charts canvas").first
    expect(chart).to_be_visible()
    box = chart.bounding_box()
    player.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + 0.4 * box["height"])
    until(player, f"Math.abs({FILM}.currentTime - 1) < 0.05")


def test_results_are_taken_away(player: Any) -> None:
    player.get_by_text("Download", exact=True).click()
    for name, ending in (("Every point", ".csv"), ("Annotated video", ".mp4")):
        with player.expect_download() as download:
            player.locator(".menu-item", has_text=name).first.click()
        assert download.value.suggested_filename.endswith(ending)
        assert Path(download.value.path()).stat().st_size > 100
        player.get_by_text("Download", exact=True).click()


def test_renaming_and_the_dialogs_of_a_video(player: Any) -> None:
    player.get_by_role("button", name="Run again").click()
    expect(player.locator("#rerun-dialog")).to_be_visible()
    expect(player.locator('#rerun-dialog input[value="motion"]')).to_be_checked()
    player.keyboard.press("Escape")
    player.get_by_role("button", name="Share").click()
    expect(player.locator("#share-dialog")).to_contain_text("Members see the video")
    player.keyboard.press("Escape")


def test_what_the_browser_cannot_play_is_shown_annotated(
    page: Any, make_video: Callable[..., str], tmp_path: Path, until: Any
) -> None:
    clip = tmp_path / "old.avi"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(20):
            container.mux(stream.encode(av.VideoFrame(160, 120, "yuv420p")))
        container.mux(stream.encode())
    address = make_video(clip, name="old.avi", annotated_clip=True)
    opened(page, address)
    expect(page.locator("#player-notice")).to_contain_text("annotated video")
    page.locator("[data-play]").click()
    until(page, f"{FILM}.currentTime > 0.3")
    assert page.evaluate(f"{FILM}.currentSrc").endswith("/annotated.mp4")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off_on_a_phone(
    new_page: Callable[..., Any], street: str, scheme: str
) -> None:
    phone = new_page(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme=scheme
    )
    for address in ("/videos/new/", "/sessions/", "/", street):
        phone.goto(address)
        phone.wait_for_load_state("networkidle")
        width = phone.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, address
    for tab in ("tracks", "events", "charts", "details"):
        phone.locator(f"#tab-{tab}").click()
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390, tab


@pytest.mark.slow
def test_an_hour_with_two_thousand_tracks_is_there_at_once_and_scrolls(
    page: Any, make_video: Callable[..., str]
) -> None:
    address = make_video(name="hour.mp4", tracks=2000, seconds=3600.0)
    opened(page, address)
    started = time.perf_counter()
    opened(page, address)
    assert time.perf_counter() - started < 5
    page.locator("#tab-tracks").click()
    rows = page.locator("#tracks tbody tr[data-n]")
    expect(rows.first).to_be_visible()
    assert rows.count() < 60
    page.locator("[data-track-scroll]").evaluate("(e) => { e.scrollTop = e.scrollHeight; }")
    expect(page.locator('#tracks tr[data-n="2000"]')).to_be_visible()


def settle(page: Any) -> None:
    """Wait until what was asked for is drawn."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
