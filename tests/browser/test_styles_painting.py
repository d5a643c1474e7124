"""Asking for a painting, watching it grow, and moving the bar between before and after."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

PAGE = "/styles/create/"
NO_OVERFLOW = "document.documentElement.scrollWidth <= window.innerWidth"

# Two that wait, and for which nobody rings.
WAITING = """
import datetime as dt
from django.contrib.auth import get_user_model
from django.utils import timezone
from common.models import Job
from styletransfer.models import Style
from tests.integration.styletransfer.made_styles import painted
admin = get_user_model().objects.get(username="admin")
style = Style.objects.get(key="stained-glass")
for number in (1, 2):
    row = painted(admin, style, name=f"Waiting {number}", state="queued", size=96)
    later = timezone.now() + dt.timedelta(hours=1)
    Job.objects.filter(pk=row.job_id).update(lease_expires_at=later, progress=0)
    print(row.pk)
"""

MANY = """
from django.contrib.auth import get_user_model
from tests.integration.styletransfer.made_styles import add
admin = get_user_model().objects.get(username="admin")
for number in range(5):
    add(admin, name=f"Wallpaper {number}")
"""
NO_MORE = """
from styletransfer.models import Style
Style.objects.filter(name__startswith="Wallpaper").delete()
"""


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture so small that a step takes a moment."""
    path = tmp_path_factory.mktemp("photos") / "harbour.png"
    path.write_bytes(encoded("PNG", seed=0))
    return path


def encoded(form: str, seed: int) -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((96, 72), Image.Resampling.BICUBIC).save(buffer, form)
    return buffer.getvalue()


def choose(page: Any, picture: Path, style: str) -> None:
    """Open the form, and choose what to paint and how."""
    page.goto(PAGE)
    page.set_input_files("#picture-input", picture)
    expect(page.locator(".compare-before")).to_be_visible()
    page.locator(".style-pick", has_text=style).click()


def paint(page: Any) -> None:
    page.get_by_role("button", name="Paint it").click()
    page.wait_for_url("**/styles/results/*-*/")


def wait_for(page: Any, state: str) -> None:
    page.wait_for_selector(f"#panel[data-state={state}]")


@pytest.fixture(scope="module")
def finished(browser: Any, server: Any, signed_in: Any, photo: Path) -> str:
    """The address of a painting that is done, made in a real browser."""
    context = browser.new_context(base_url=server.url, storage_state=signed_in)
    context.set_default_timeout(120_000)
    page = context.new_page()
    choose(page, photo, "Stained glass")
    page.locator("#steps").fill("8")
    paint(page)
    wait_for(page, "done")
    address = str(page.url)
    context.close()
    return address


def test_a_picture_is_painted_step_by_step_and_slid_over(
    page: Any, photo: Path, until: Callable[[Any, str], None]
) -> None:
    choose(page, photo, "Great waves")
    expect(page.locator("[data-preview-say]")).to_contain_text("step by step")
    expect(page.locator("[data-estimate]")).not_to_be_empty()
    page.locator("#steps").fill("12")
    page.locator("#weight").fill("3")
    expect(page.locator("[data-value=weight]")).to_have_text("more painting")
    expect(page.locator("[data-value=size]")).to_have_text("96 px, all it has")
    paint(page)
    expect(page.locator("#panel .painting-step")).to_have_text(re.compile(r"^Step \d+ of 12$"))
    wait_for(page, "done")
    expect(page.locator(".result-meta .status")).to_have_text("Done")
    expect(page.locator(".sums")).to_contain_text("96 \u00d7 72")
    expect(page.locator(".curve-line")).to_be_visible()
    expect(page.locator(".curve")).to_have_attribute(
        "aria-label", re.compile(r"^The loss fell from .* at step \d+$")
    )
    expect(page.get_by_text("VGG19 could not be fetched")).to_be_visible()
    until(page, "document.querySelector('.compare-after').naturalWidth === 96")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download", exact=True).click()
    assert saved.value.suggested_filename == "harbour - Great waves.jpg"
    assert Image.open(saved.value.path()).size == (96, 72)


def test_the_bar_follows_keys_and_pointer(page: Any, finished: str) -> None:
    page.goto(finished)
    bar = page.get_by_role("slider", name="Between before and painted")
    bar.focus()
    for key, at in (
        *(("ArrowRight", 52), ("ArrowLeft", 50), ("PageUp", 60), ("Shift+ArrowLeft", 50)),
        *(("Home", 0), ("ArrowLeft", 0), ("End", 100)),
    ):
        page.keyboard.press(key)
        expect(bar).to_have_attribute("aria-valuenow", str(at))
    expect(bar).to_have_attribute("aria-valuetext", "100% before, 0% painted")
    frame = page.locator(".compare-frame").bounding_box()
    middle = frame["y"] + frame["height"] / 2
    page.mouse.move(frame["x"] + frame["width"] * 0.8, middle)
    page.mouse.down()
    expect(bar).to_have_attribute("aria-valuenow", "80")
    page.mouse.move(frame["x"] + frame["width"] * 0.25, middle, steps=3)
    page.mouse.up()
    expect(bar).to_have_attribute("aria-valuenow", "25")
    page.mouse.move(frame["x"] + frame["width"] * 0.9, middle)
    expect(bar).to_have_attribute("aria-valuenow", "25")


def test_stopping_keeps_the_best_so_far_and_it_can_be_painted_again(page: Any, bus: Path) -> None:
    choose(page, bus, "Woodcut")
    page.locator("#size").fill("160")
    page.locator("#steps").fill("500")
    paint(page)
    expect(page.locator("#panel .painting-step")).to_have_text(re.compile(r"^Step \d+ of 500$"))
    expect(page.locator("[data-live-tag]")).to_be_visible()
    expect(page.locator(".compare")).not_to_have_class(re.compile("is-plain"))
    page.get_by_role("button", name="Stop and keep the best so far").click()
    expect(page.get_by_text(re.compile(r"Stopped after \d+ of 500 steps"))).to_be_visible()
    expect(page.locator(".result-meta .status")).to_have_text("Stopped")
    expect(page.locator(".compare-after")).to_be_visible()
    page.get_by_role("link", name="Paint again").click()
    expect(page.get_by_role("heading", name="Paint it again")).to_be_visible()
    expect(page.locator("#steps")).to_have_value("500")
    expect(page.locator("#size")).to_have_value("160")
    expect(page.locator(".style-pick", has_text="Woodcut").locator("input")).to_be_checked()
    expect(page.locator(".compare-before")).to_be_visible()
    page.locator("#steps").fill("2")
    paint(page)
    wait_for(page, "done")


def test_who_waits_is_told_the_place_and_moves_up(page: Any, server: Any, finished: str) -> None:
    first, second = server.shell(WAITING).split()
    page.goto(f"/styles/results/{second}/")
    expect(page.locator("#panel .painting-step")).to_have_text("1 before it")
    expect(page.locator("[data-progress-text]")).to_contain_text("it begins in")
    other = page.context.new_page()
    other.goto(f"/styles/results/{first}/")
    expect(other.locator("#panel .painting-step")).to_have_text("Next")
    other.get_by_role("button", name="Cancel", exact=True).click()
    expect(other.get_by_text("before there was anything to keep")).to_be_visible()
    other.close()
    expect(page.locator("#panel .painting-step")).to_have_text("Next")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator(".result-meta .status")).to_have_text("Stopped")


def test_a_fast_style_is_tried_out_at_once_and_the_newest_answer_wins(
    page: Any, photo: Path
) -> None:
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(str(route.request.post_data_buffer.count(b"keep_colours")))
        picture = encoded("JPEG", seed=len(asked))
        route.fulfill(body=picture, content_type="image/jpeg", headers={"X-Worked-Ms": "140"})

    page.route("**/styles/preview/", answer)
    choose(page, photo, "Candy")
    expect(page.locator("[data-preview-say]")).to_contain_text("A small look, painted in")
    expect(page.locator(".compare-after")).to_be_visible()
    first = page.locator(".compare-after").get_attribute("src")
    page.get_by_label("Keep the colours of the picture").check()
    expect(page.locator(".compare-after")).not_to_have_attribute("src", str(first))
    assert asked == ["0", "1"]
    # Who looks through the styles asks for the last of them only.
    page.locator(".style-pick", has_text="Mosaic").last.click()
    page.locator(".style-pick", has_text="Udnie").click()
    expect(page.locator(".compare-after")).to_be_visible()
    expect(page.locator("[data-preview-say]")).to_contain_text("A small look")
    assert len(asked) <= 4
    expect(page.get_by_label("As large as the file")).to_be_checked()
    expect(page.locator("#size")).to_be_hidden()
    expect(page.locator("#steps")).to_be_hidden()
    page.locator(".style-pick", has_text="Watercolour").click()
    expect(page.locator(".compare-after")).to_be_hidden()
    expect(page.locator("#steps")).to_be_visible()
    expect(page.locator("[data-preview-say]")).to_contain_text("step by step")


def test_a_network_that_is_not_there_is_said_so(page: Any, complaints: Any, photo: Path) -> None:
    complaints.expect("503")
    choose(page, photo, "Candy")
    expect(page.locator("[data-preview-say]")).to_contain_text("candy-9.onnx")
    expect(page.locator(".compare-after")).to_be_hidden()


def test_what_is_missing_or_refused_is_said_beside_its_field(
    page: Any, complaints: Any, tmp_path: Path, photo: Path
) -> None:
    complaints.expect("415", "422")
    page.goto(PAGE)
    page.get_by_role("button", name="Paint it").click()
    expect(page.locator("[data-error=image]")).to_have_text("Choose a picture first.")
    expect(page.locator("[data-error=style]")).to_have_text("Choose a style.")
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear all, this is no picture. " * 20)
    page.set_input_files("#picture-input", letter)
    expect(page.locator("[data-no-look]")).to_be_visible()
    page.locator(".style-pick", has_text="Stained glass").click()
    expect(page.locator("[data-error=style]")).to_be_hidden()
    page.get_by_role("button", name="Paint it").click()
    expect(page.locator("[data-error=image]")).to_contain_text("not a picture")
    page.set_input_files("#picture-input", photo)
    expect(page.locator(".compare-before")).to_be_visible()
    expect(page.locator("[data-error=image]")).to_be_hidden()
    page.set_input_files("#style-image", letter)
    expect(page.locator("[data-own-style]")).to_contain_text("letter.jpg")
    page.get_by_role("button", name="Paint it").click()
    expect(page.locator("[data-error=style]")).to_contain_text("not a picture")
    page.get_by_role("button", name="Choose another style").click()
    expect(page.locator("#style-choices")).to_be_visible()


def test_a_picture_becomes_a_style_on_the_way(page: Any, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "autumn_leaves.jpg").write_bytes(encoded("JPEG", seed=5))
    page.goto(PAGE)
    page.set_input_files("#picture-input", photo)
    page.set_input_files("#style-image", tmp_path / "autumn_leaves.jpg")
    page.locator("#steps").fill("2")
    paint(page)
    wait_for(page, "done")
    page.locator(".result-meta").get_by_role("link", name="autumn leaves").click()
    expect(page.get_by_role("heading", name="autumn leaves")).to_be_visible()


def test_many_styles_are_searched_and_the_chosen_one_stays(page: Any, server: Any) -> None:
    server.shell(MANY)
    page.goto(PAGE)
    page.locator(".style-pick", has_text="Watercolour").click()
    page.get_by_role("searchbox", name="Search styles").fill("wallpaper 3")
    expect(page.locator(".style-pick")).to_have_count(2)
    page.keyboard.press("Enter")
    assert page.url.endswith(PAGE)
    expect(page.locator(".style-pick", has_text="Watercolour").locator("input")).to_be_checked()
    page.locator(".style-pick", has_text="Wallpaper 3").click()
    page.get_by_role("searchbox", name="Search styles").fill("glass")
    expect(page.locator(".style-pick", has_text="Stained glass")).to_be_visible()
    expect(page.locator(".style-pick", has_text="Wallpaper 3").locator("input")).to_be_checked()
    page.get_by_role("searchbox", name="Search styles").fill("zebra")
    expect(page.get_by_text("No style is called so.")).to_be_visible()
    server.shell(NO_MORE)


def test_a_session_brings_its_picture(page: Any, make_sessions: Callable[..., list[str]]) -> None:
    (session,) = make_sessions(name="To be painted")
    page.goto(f"{PAGE}?session={session}")
    expect(page.locator(".compare-before")).to_be_visible()
    expect(page.locator("[data-chosen-name]")).to_contain_text(".jpg")


def test_the_example_is_there_for_who_has_no_picture(page: Any) -> None:
    page.goto(PAGE)
    page.get_by_role("button", name="Use the example").click()
    expect(page.locator(".compare-before")).to_be_visible()
    expect(page.locator("[data-chosen-name]")).to_contain_text("a street in Madrid")


def test_a_video_needs_a_fast_style(page: Any, tmp_path: Path) -> None:
    from tests.made_videos import make_clip

    page.goto(PAGE)
    page.set_input_files("#picture-input", make_clip(tmp_path / "clip.mp4", seconds=2.0))
    page.locator(".style-pick", has_text="Night strokes").click()
    expect(page.locator("[data-error=style]")).to_contain_text("in a fast style only")
    page.get_by_role("button", name="Paint it").click()
    expect(page.locator("[data-error=style]")).to_be_visible()
    assert page.url.endswith(PAGE)


def test_it_is_renamed_and_deleted(page: Any, photo: Path) -> None:
    choose(page, photo, "Stained glass")
    page.locator("#steps").fill("1")
    paint(page)
    wait_for(page, "done")
    page.get_by_role("heading", name="harbour").hover()
    page.get_by_role("button", name="Rename").first.click()
    page.get_by_role("textbox", name="Name").fill("Evening light")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Evening light")).to_be_visible()
    page.locator("#result-head summary").click()
    page.get_by_role("button", name="Delete").first.click()
    page.locator("#delete-dialog .is-danger").click()
    page.wait_for_url("**/styles/results/")
    expect(page.get_by_text("“Evening light” is deleted.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_pages_fit_a_phone(new_page: Callable[..., Any], finished: str, scheme: str) -> None:
    page = new_page(
        viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True, is_mobile=True
    )
    page.goto(PAGE)
    expect(page.locator(".style-pick").first).to_be_visible()
    assert page.evaluate(NO_OVERFLOW)
    page.goto(finished)
    expect(page.locator(".compare-bar")).to_be_visible()
    assert page.evaluate(NO_OVERFLOW)
    stage = page.locator("#stage").bounding_box()
    bar = page.get_by_role("slider", name="Between before and painted")
    page.touchscreen.tap(stage["x"] + stage["width"] * 0.75, stage["y"] + stage["height"] / 2)
    expect(bar).not_to_have_attribute("aria-valuenow", "50")
