"""A real server with its embedded worker and engine, and a real Chromium that looks at it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.shell import Shell

playwright_api = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PASSWORD = "only-for-browser-tests"  # of a server that lives as long as these tests
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
# A cold start exports the network once; everything after that takes moments.
START_SECONDS = 150.0
PATIENCE_MS = 60_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives a browser, and shares one server also under xdist."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@dataclass(frozen=True)
class Server:
    """A running installation."""

    url: str
    environment: dict[str, str]
    shell: Shell


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory, shared_exports: Path) -> Iterator[Server]:
    """`manage.py serve` with a data folder of its own on a free port."""
    folder = tmp_path_factory.mktemp("browser-data")
    (folder / "models").mkdir()
    (folder / "models" / "exports").symlink_to(shared_exports)
    port = _free_port()
    environment = _environment(folder)
    log = (folder / "server.log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(url, process, folder / "server.log")
        with closing(Shell(environment)) as shell:
            yield Server(url, environment, shell)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(folder: Path) -> dict[str, str]:
    # The settings of the tests put their own keys into os.environ; a server makes its own.
    given = {k: v for k, v in os.environ.items() if k not in _NOT_PASSED_ON}
    return {
        **given,
        "DJANGO_SETTINGS_MODULE": "detection_project.settings.base",
        "SIGHTLINE_DATA_DIR": str(folder),
        "SIGHTLINE_STATIC_ROOT": str(folder / "static"),
        "SIGHTLINE_ADMIN_PASSWORD": PASSWORD,
    }


_NOT_PASSED_ON = {"SIGHTLINE_SECRET_KEY", "SIGHTLINE_FIELD_KEY", "DJANGO_SETTINGS_MODULE"}


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, f"The server stopped:\n{log.read_text()}"
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"The server is not ready after {START_SECONDS:.0f} s:\n{log.read_text()}")


@pytest.fixture(scope="package")
def browser(chromium_path: str) -> Iterator[Any]:
    """Chromium, closed with this package: its event loop must not outlive these tests."""
    # Its own five seconds are short on a busy machine.
    playwright_api.expect.set_options(timeout=PATIENCE_MS)
    with playwright_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def signed_in(browser: Any, server: Server) -> dict[str, Any]:
    """The cookies of the administrator, signed in once through the form."""
    context = browser.new_context(base_url=server.url)
    page = context.new_page()
    sign_in_with(page, "admin", PASSWORD)
    playwright_api.expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    state: dict[str, Any] = context.storage_state()
    context.close()
    return state


def sign_in_with(page: Any, name: str, password: str, address: str = "/accounts/login/") -> None:
    """Fill in and send the sign-in form."""
    page.goto(address)
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture(scope="session")
def sign_in() -> Callable[..., None]:
    """Signs a page in through the form; the password is the right one unless another is given."""

    def act(
        page: Any, name: str = "admin", password: str = PASSWORD, address: str = "/accounts/login/"
    ) -> None:
        sign_in_with(page, name, password, address)

    return act


@dataclass
class Complaints:
    """What the browser wrote to its console as an error; a refused policy is one too."""

    found: list[str]
    expected: tuple[str, ...] = ()

    def expect(self, *parts: str) -> None:
        """Errors that a test provokes, by a part of their text."""
        self.expected += parts

    @property
    def unexpected(self) -> list[str]:
        return [text for text in self.found if not any(part in text for part in self.expected)]


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    collected = Complaints([])
    yield collected
    assert collected.unexpected == []


@pytest.fixture
def new_page(
    browser: Any, server: Server, signed_in: dict[str, Any], complaints: Complaints
) -> Iterator[Callable[..., Any]]:
    """Makes pages; keywords go to the browser context (viewport, colour scheme, …)."""
    contexts = []

    def make(*, anonymous: bool = False, **options: Any) -> Any:
        state = None if anonymous else signed_in
        options = {"viewport": {"width": 1280, "height": 800}, **options}
        context = browser.new_context(base_url=server.url, storage_state=state, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("console", lambda m: complaints.found.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.found.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def until() -> Callable[[Any, str], None]:
    """Waits until an expression of a page is true; the policy forbids Playwright's own way."""

    def wait(page: Any, expression: str) -> None:
        page.evaluate(f"""async () => {{
          const end = performance.now() + {PATIENCE_MS};
          while (!({expression})) {{
            if (performance.now() > end) throw new Error("It never became true.");
            await new Promise(requestAnimationFrame);
          }}
        }}""")

    return wait


@pytest.fixture
def page(new_page: Callable[..., Any]) -> Any:
    """A signed-in page of 1280 x 800 that allows no error in the console."""
    return new_page()


@pytest.fixture(scope="session")
def bus() -> Path:
    """The street picture of the ultralytics package, found without importing it."""
    spec = find_spec("ultralytics")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations))) / "assets" / "bus.jpg"


@pytest.fixture(scope="session")
def zidane(bus: Path) -> Path:
    """The other picture of that package."""
    return bus.with_name("zidane.jpg")


MADE_SESSION = """
import json, pathlib
from django.contrib.auth import get_user_model
from common.uploads.services import store_picture
from detector.models import DetectedObject, DetectionSession
owner, _ = get_user_model().objects.get_or_create(username={owner!r})
for number in range({sessions}):
    upload = store_picture(owner=owner, data=pathlib.Path({picture!r}).read_bytes(), name="bus.jpg")
    names = ["person", "car", "dog", "kite", "chair"]
    session = DetectionSession.objects.create(
        owner=owner, upload=upload, name={name!r}.replace("#", str(number)),
        requested_model="yolov8n", model="yolov8n",
        backend="openvino", device="cpu", precision="fp32",
        object_count={objects}, timings_ms={{"total": 12.5}},
        class_counts={{name: len(range(at, {objects}, 5)) for at, name in enumerate(names)}},
    )
    DetectedObject.objects.bulk_create(
        DetectedObject(
            session=session, index=index, class_id=index % 5, class_name=names[index % 5],
            confidence=0.99 - 0.7 * index / max({objects}, 1), x=20 + (index % 20) * 38,
            y=20 + (index // 20) * 66, width=30, height=55,
        )
        for index in range({objects})
    )
    print(session.pk)
"""


@pytest.fixture(scope="package")
def make_sessions(server: Server, bus: Path) -> Callable[..., list[str]]:
    """Stores finished sessions without running a model; answers with their ids."""

    def make(*, name: str, owner: str = "admin", sessions: int = 1, objects: int = 5) -> list[str]:
        code = MADE_SESSION.format(
            owner=owner, sessions=sessions, objects=objects, name=name, picture=str(bus)
        )
        return server.shell(code).splitlines()

    return make


@pytest.fixture
def result(page: Any, bus: Path) -> Any:
    """A page that shows the finished result of a picture that was just uploaded."""
    page.goto("/sessions/new/")
    page.set_input_files("#upload-input", bus)
    page.wait_for_url("**/sessions/*-*/")
    page.wait_for_selector("#panel[data-state=done]")
    page.wait_for_selector("#overlay.is-ready .shape-box", state="attached")
    return page
