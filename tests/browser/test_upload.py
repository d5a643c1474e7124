"""Every way a picture comes in, and what the page says when it cannot."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

GIVE_FILES = """
async ([url, name, type, way]) => {
  const blob = await (await fetch(url)).blob();
  const transfer = new DataTransfer();
  transfer.items.add(new File([blob], name, { type }));
  const event = way === "paste"
    ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
    : new DragEvent(way, { dataTransfer: transfer, bubbles: true, cancelable: true });
  document.body.dispatchEvent(event);
}
"""


@pytest.fixture
def picture_url(page: Any, result: Any) -> str:
    """The address of a stored picture, which a script in the page can fetch."""
    address: str = page.evaluate("document.querySelector('#picture').src")
    return address


def test_one_picture_opens_its_result_without_another_click(result: Any) -> None:
    expect(result.locator("#panel [data-visible]")).to_contain_text("object")
    assert result.locator(".shape").count() == result.locator("#objects tbody tr").count() > 0


def test_many_pictures_are_worked_through_in_a_list(page: Any, bus: Path, zidane: Path) -> None:
    page.goto("/")
    page.set_input_files("#upload-input", [bus, zidane, bus, zidane, bus])
    expect(page.locator(".upload")).to_have_count(5)
    expect(page.locator("#queue-summary")).to_have_text("5 pictures done")
    expect(page.locator(".upload[data-state=done]")).to_have_count(5)
    expect(page.locator(".upload-note").first).to_contain_text("object")
    page.get_by_role("button", name="Clear finished").click()
    expect(page.locator("#queue")).to_be_hidden()


def test_a_picture_can_be_dropped_anywhere(page: Any, picture_url: str) -> None:
    page.goto("/")
    page.evaluate(GIVE_FILES, [picture_url, "dropped.jpg", "image/jpeg", "dragenter"])
    expect(page.locator("#drop-veil")).to_be_visible()
    page.evaluate(GIVE_FILES, [picture_url, "dropped.jpg", "image/jpeg", "drop"])
    page.wait_for_url("**/sessions/*-*/")
    expect(page.get_by_role("heading", name="dropped.jpg")).to_be_visible()


def test_a_picture_can_be_pasted(page: Any, picture_url: str) -> None:
    page.goto("/sessions/new/")
    page.evaluate(GIVE_FILES, [picture_url, "image.png", "image/png", "paste"])
    page.wait_for_url("**/sessions/*-*/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pasted")


def test_a_file_that_is_no_picture_says_so_in_its_row(
    page: Any, tmp_path: Path, bus: Path, complaints: Any
) -> None:
    complaints.expect("status of 4")
    fake = tmp_path / "fake.jpg"
    fake.write_text("this is not a picture")
    half = tmp_path / "half.jpg"
    half.write_bytes(bus.read_bytes()[:20_000])
    page.goto("/")
    page.set_input_files("#upload-input", [fake, half, bus])
    expect(page.locator("#queue-summary")).to_have_text("1 picture done · 2 failed")
    for row in page.locator(".upload[data-state=failed]").all():
        assert len(row.locator(".upload-note").inner_text()) > 10
        # The same bytes would be refused again.
        expect(row.locator("[data-act=retry]")).to_be_hidden()


def test_an_empty_file_is_refused_in_the_servers_words_without_asking_it(
    page: Any, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.jpg"
    empty.touch()
    page.goto("/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_input_files("#upload-input", empty)
    expect(page.locator(".upload-note")).to_have_text("The file is empty.")
    assert not [url for url in asked if url.endswith("/sessions/create/")]


def test_an_upload_can_be_cancelled_and_sent_again(page: Any, bus: Path, zidane: Path) -> None:
    page.goto("/")
    # Held back, so that there is something to cancel.
    page.route("**/sessions/create/", lambda route: None)
    page.set_input_files("#upload-input", [bus, zidane])
    rows = page.locator(".upload")
    expect(rows.first).to_have_attribute("data-state", "uploading")
    page.get_by_role("button", name="Cancel all").click()
    expect(page.locator(".upload[data-state=cancelled]")).to_have_count(2)
    page.unroute("**/sessions/create/")
    rows.first.locator("[data-act=retry]").click()
    expect(rows.first).to_have_attribute("data-state", "done")
    rows.last.locator("[data-act=cancel]").click()
    expect(rows).to_have_count(1)


def test_a_full_disk_is_named_and_the_file_can_be_sent_again(
    page: Any, bus: Path, zidane: Path, complaints: Any
) -> None:
    complaints.expect("status of 507")
    body = {"error": {"code": "disk_full", "message": "The disk is full.", "fields": {}}}
    page.goto("/")
    page.route("**/sessions/create/", lambda route: route.fulfill(status=507, json=body))
    page.set_input_files("#upload-input", [bus, zidane])
    expect(page.locator("#queue-summary")).to_have_text("2 pictures failed")
    expect(page.locator(".upload-note").first).to_have_text("The disk is full.")
    page.unroute("**/sessions/create/")
    page.get_by_role("button", name="Retry failed").click()
    expect(page.locator("#queue-summary")).to_have_text("2 pictures done")


def test_the_progress_arrives_without_the_socket_too(page: Any, bus: Path, zidane: Path) -> None:
    page.add_init_script("window.WebSocket = class extends EventTarget {};")
    page.goto("/")
    page.set_input_files("#upload-input", [bus, zidane])
    expect(page.locator("#queue-summary")).to_have_text("2 pictures done")


@pytest.mark.parametrize("form", ["TIFF", "GIF"])
def test_formats_that_browsers_do_not_show_are_shown_as_a_jpeg(
    page: Any, tmp_path: Path, bus: Path, form: str
) -> None:
    file = tmp_path / f"picture.{form.lower()}"
    with Image.open(bus) as picture:
        picture.save(file, form)
    page.goto("/sessions/new/")
    page.set_input_files("#upload-input", file)
    page.wait_for_selector("#panel[data-state=done]")
    # Its own size, not that of the thumbnail which stands in when all else fails.
    size = page.evaluate(
        "document.querySelector('#picture').decode().then(() => "
        "[document.querySelector('#picture').naturalWidth, document.querySelector('#picture').src])"
    )
    assert size[0] == 810
    assert page.request.get(size[1]).headers["content-type"] == "image/jpeg"


def test_options_narrow_what_is_found(page: Any, bus: Path) -> None:
    page.goto("/sessions/new/")
    picker = page.get_by_role("combobox", name="Only these classes")
    picker.fill("pers")
    picker.press("Enter")
    expect(page.get_by_role("button", name="Remove person")).to_be_visible()
    page.set_input_files("#upload-input", bus)
    page.wait_for_selector("#panel[data-state=done]")
    expect(page.locator(".facts").first).to_contain_text("person")
    names = page.locator("#objects .row-button").all_inner_texts()
    assert set(names) <= {"person"}


def test_two_hundred_files_keep_the_list_whole(page: Any, tmp_path: Path) -> None:
    files = []
    for number in range(200):
        file = tmp_path / f"empty-{number:03}.jpg"
        file.touch()
        files.append(file)
    page.goto("/")
    page.set_input_files("#upload-input", files)
    expect(page.locator(".upload[data-state=failed]")).to_have_count(200)
    expect(page.locator("#queue-summary")).to_have_text("200 pictures failed")
