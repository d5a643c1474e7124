"""The example clients do what they show, against a real server: they cannot rot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from knox.models import AuthToken

from common.api import throttles
from common.inference import set_engine_for_tests
from common.models import TokenDetails
from detector.models import DetectionSession
from integration.conftest import make_user
from integration.detector.conftest import FakeEngine, make_session, picture
from vision.errors import ModelError

ROOT = Path(__file__).resolve().parents[3]
CLIENTS = {
    "client.py": [sys.executable],
    "client.sh": ["sh"],
    "client.mjs": ["node"],
}
TOOLS = {"client.sh": ("curl", "jq"), "client.mjs": ("node",)}
Run = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(params=list(CLIENTS))
def run(request: pytest.FixtureRequest, live_server: Any, token: str) -> Run:
    """Run one of the clients with these arguments."""
    for tool in TOOLS.get(request.param, ()):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")

    def act(*arguments: Any, token: str = token) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*CLIENTS[request.param], ROOT / "examples" / request.param, *arguments],
            env={**os.environ, "SIGHTLINE_URL": live_server.url, "SIGHTLINE_TOKEN": token},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return act


@pytest.fixture
def owner(db: None) -> Any:
    """Who runs the clients, with three sessions: two pages of two, with the one they make."""
    made = make_user("eve")
    for number in range(3):
        make_session(made, name=f"yard {number}.jpg")
    return made


@pytest.fixture
def token(owner: Any) -> str:
    row, token = AuthToken.objects.create(owner)
    TokenDetails.objects.create(token=row, name="client", scope=TokenDetails.Scope.WRITE)
    return str(token)


@pytest.fixture(autouse=True)
def engine() -> Iterator[FakeEngine]:
    """Answers at once, and fails when told to."""
    fake = FakeEngine()
    set_engine_for_tests(fake)
    yield fake
    set_engine_for_tests(None)


@pytest.fixture
def street(tmp_path: Path) -> Path:
    file = tmp_path / "street.jpg"
    file.write_bytes(picture())
    return file


def check(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(" at ")[0] for line in lines[:2]] == ["person 92%", "dog 71%"]
    names = [line.split(" ", 1)[1] for line in lines[3:]]
    assert [name.split(":")[0] for name in names] == ["street.jpg"] + [
        f"yard {number}.jpg" for number in (2, 1, 0)
    ]
    assert names[1] == "yard 2.jpg: 3 objects"


def test_it_detects_and_lists_page_by_page(run: Run, street: Path, engine: FakeEngine) -> None:
    check(run(street))
    assert engine.calls[0]["confidence"] == 0.4
    assert DetectionSession.objects.count() == 4


def test_it_waits_when_it_asks_too_often(
    run: Run, street: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []
    allow = throttles.CallerThrottle.allow_request

    def listen(self: Any, request: Any, view: Any) -> bool:
        told.append(allow(self, request, view))
        return told[-1]

    monkeypatch.setattr(throttles.CallerThrottle, "allow_request", listen)
    monkeypatch.setattr(throttles.CallerThrottle, "THROTTLE_RATES", {"token": "1/s"})
    check(run(street))
    assert told.count(True) == 3
    assert False in told


def test_it_waits_when_the_engine_cannot_answer(run: Run, street: Path, engine: FakeEngine) -> None:
    failures = [ModelError("engine_closed", "The engine is closed.")]

    def fail_once() -> None:
        if failures:
            raise failures.pop()

    engine.before = fail_once
    check(run(street))
    assert len(engine.calls) == 2


REFUSED = [("token", "401 authentication_failed"), ("picture", "415 not_a_picture")]


@pytest.mark.parametrize(("wrong", "reason"), REFUSED)
def test_it_says_what_is_wrong(run: Run, street: Path, token: str, wrong: str, reason: str) -> None:
    if wrong == "picture":
        street.write_text("these are words")
    done = run(street, token="x" * 64 if wrong == "token" else token)
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"({reason})" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_python_client_is_typed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "client.py"],
        cwd=ROOT / "examples",
        env={**os.environ, "MYPY_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
