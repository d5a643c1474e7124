"""The webcam page, with Chromium's fake camera that films a street picture."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import FLAGS, PATIENCE_MS


@pytest.fixture(scope="module")
def film(bus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The street as a file of JPEGs, which Chromium plays as its camera."""
    buffer = io.BytesIO()
    Image.open(bus).convert("RGB").resize((640, 480)).save(buffer, "JPEG", quality=90)
    path = tmp_path_factory.mktemp("camera") / "street.mjpeg"
    path.write_bytes(buffer.getvalue() * 30)
    return path


@pytest.fixture
def with_camera(
    browser: Any, chromium_path: str, film: Path, server: Any, signed_in: dict[str, Any]
) -> Iterator[Callable[..., Any]]:
    """Makes pages of a browser that has a camera."""
    fake = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    launched = browser.browser_type.launch(executable_path=chromium_path, args=[*FLAGS, *fake])

    def make(**options: Any) -> Any:
        context = launched.new_context(base_url=server.url, storage_state=signed_in, **options)
        context.set_default_timeout(PATIENCE_MS)
        return context.new_page()

    yield make
    launched.close()


def figure(page: Any, name: str) -> Any:
    return page.locator(f"[data-figure={name}]")


@pytest.mark.weights
def test_the_camera_is_looked_through_and_a_moment_kept(
    with_camera: Callable[..., Any], complaints: Any
) -> None:
    page = with_camera()
    page.on("console", lambda m: complaints.found.append(m.text) if m.type == "error" else None)
    page.goto("/webcam/")
    page.get_by_role("button", name="Start the camera").click()
    expect(figure(page, "objects")).to_have_text("5")
    expect(figure(page, "trip")).to_contain_text("ms")
    # The boxes are drawn over the film, not beside it.
    drawn = page.evaluate(
        """() => {
          const canvas = document.querySelector("#webcam-boxes");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return data.some((value, at) => at % 4 === 3 && value > 0);
        }"""
    )
    assert drawn
    page.get_by_label("Only these classes").fill("bus")
    page.get_by_role("option", name="bus", exact=True).click()
    expect(figure(page, "objects")).to_have_text("1")
    page.get_by_role("button", name="Save this moment").click()
    page.get_by_role("link", name="Open it").click()
    page.wait_for_url("**/sessions/*-*/")
    expect(page.get_by_role("heading", name="Webcam")).to_be_visible()


def test_it_stops_and_lets_go_of_the_camera(with_camera: Callable[..., Any]) -> None:
    page = with_camera()
    page.goto("/webcam/")
    page.get_by_role("button", name="Start the camera").click()
    expect(figure(page, "objects")).to_have_text(re.compile(r"\d"))
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Start the camera")).to_be_visible()
    assert page.evaluate("() => document.querySelector('#webcam-video').srcObject === null")


def test_without_a_camera_it_says_so(page: Any) -> None:
    page.goto("/webcam/")
    page.get_by_role("button", name="Start the camera").click()
    alert = page.get_by_role("alert").filter(visible=True)
    expect(alert).to_contain_text("camera")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_without_https_it_explains_itself(page: Any) -> None:
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    page.goto("/webcam/")
    expect(page.get_by_text("make run TLS=1")).to_be_visible()
    expect(page.get_by_role("button", name="Start the camera")).to_be_hidden()


def test_a_phone_shows_it_without_scrolling_sideways(new_page: Callable[..., Any]) -> None:
    page = new_page(viewport={"width": 390, "height": 844})
    page.goto("/webcam/")
    width = page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= 390


def test_a_role_that_has_changed_connects_anew_and_one_that_may_not_is_told(
    with_camera: Callable[..., Any],
) -> None:
    page = with_camera()
    codes = [4403, 4405]
    page.route_web_socket("**/ws/webcam/", lambda socket: socket.close(code=codes.pop(0)))
    page.goto("/webcam/")
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("[data-reason]")).to_have_text("Your account may not use the webcam.")
    assert codes == []
