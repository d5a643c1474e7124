"""An older installation is brought up to date: its database and its pictures still show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.once]

ROOT = Path(__file__).resolve().parents[2]
FIRST_MIGRATION_OF_TEAMS = "common/migrations/0002_accounts.py"

OLD_HANDS = """
from pathlib import Path
from django.contrib.auth import get_user_model
from knox.models import AuthToken
from common.uploads.services import store_picture
from detector.models import DetectedObject, DetectionSession

ada = get_user_model().objects.create_user("ada", password="correct horse")
data = Path("PICTURE").read_bytes()
upload = store_picture(owner=ada, data=data, name="yard.jpg")
session = DetectionSession.objects.create(
    owner=ada, upload=upload, name="yard.jpg", requested_model="yolov8n", model="yolov8n",
    object_count=1, class_counts={"dog": 1},
)
DetectedObject.objects.create(
    session=session, index=0, class_id=16, class_name="dog", confidence=0.75,
    x=4, y=5, width=20, height=16,
)
print("TOKEN", AuthToken.objects.create(ada)[1], session.pk)
"""

NEW_EYES = """
from django.test import Client
from django.contrib.auth import get_user_model

ada = get_user_model().objects.get(username="ada")
browser = Client(HTTP_HOST="localhost")
browser.force_login(ada)
for address in ("/", "/sessions/", "/sessions/SESSION/", "/sessions/SESSION/picture",
                "/sessions/SESSION/thumbnail", "/sessions/SESSION/export/csv", "/analytics/",
                "/account/"):
    answer = browser.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
program = Client(HTTP_HOST="localhost", HTTP_AUTHORIZATION="Token TOKEN")
found = program.get("/api/sessions/SESSION/")
assert found.status_code == 200 and found.json()["object_count"] == 1, found.content
objects = program.get("/api/objects/").json()["results"]
assert [item["class"] for item in objects] == ["dog"], objects
renamed = program.patch(
    "/api/sessions/SESSION/", {"name": "gate.jpg"}, content_type="application/json"
)
assert renamed.status_code == 200, renamed.content
assert ada.account.role == "operator"
print("SHOWN")
"""


def before_teams() -> str | None:
    """Return the last commit of an installation without roles, where the history has it."""
    added = _git("log", "--diff-filter=A", "--format=%H", "--", FIRST_MIGRATION_OF_TEAMS)
    return _git("rev-parse", "--verify", "--quiet", f"{added.split()[-1]}^") if added else None


def _git(*arguments: str) -> str | None:
    done = subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None if done.returncode == 0 else None


OLD = before_teams()


def run_django(checkout: Path, data: Path, *arguments: str) -> str:
    """Run a management command of a checkout, on this data folder and no other server."""
    ours = ("DJANGO_SETTINGS_MODULE", "REDIS_URL", "DATABASE_URL")
    keys = ("SIGHTLINE_SECRET_KEY", "SIGHTLINE_FIELD_KEY")
    environment = {
        **{name: value for name, value in os.environ.items() if name not in (*ours, *keys)},
        "SIGHTLINE_DATA_DIR": str(data),
        "SIGHTLINE_STATIC_ROOT": str(data / "static"),
        "SIGHTLINE_ALLOW_DOWNLOADS": "0",
        "PYTHONPATH": str(checkout),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def made_by(said: str) -> tuple[str, str]:
    """Return token and session that the old hands have printed."""
    line = next(line for line in said.splitlines() if line.startswith("TOKEN"))
    _, token, session = line.split()
    return token, session


def assert_shown(data: Path, token: str, session: str) -> None:
    """Bring the data up to date and look at all of it with the code of today."""
    run_django(ROOT, data, "setup")
    eyes = NEW_EYES.replace("SESSION", session).replace("TOKEN", token)
    assert "SHOWN" in run_django(ROOT, data, "shell", "-c", eyes)


@pytest.fixture
def picture(tmp_path: Path, jpeg: bytes) -> Path:
    """A picture as a file."""
    path = tmp_path / "yard.jpg"
    path.write_bytes(jpeg)
    return path


# A clone whose history is cut off has no older code to run; the second test needs none.
if OLD is not None:

    def test_an_installation_made_by_older_code_still_shows(tmp_path: Path, picture: Path) -> None:
        old, data = tmp_path / "old", tmp_path / "data"
        old.mkdir()
        archive = subprocess.run(
            ["git", "-C", str(ROOT), "archive", str(OLD)], capture_output=True, check=True
        ).stdout
        subprocess.run(["tar", "-x", "-C", str(old)], input=archive, check=True)

        run_django(old, data, "setup")
        said = run_django(old, data, "shell", "-c", OLD_HANDS.replace("PICTURE", str(picture)))

        assert_shown(data, *made_by(said))


def test_every_migration_goes_back_and_forth_over_a_full_database(
    tmp_path: Path, picture: Path
) -> None:
    data = tmp_path / "data"
    run_django(ROOT, data, "setup")
    said = run_django(ROOT, data, "shell", "-c", OLD_HANDS.replace("PICTURE", str(picture)))

    run_django(ROOT, data, "migrate", "detector", "0001", "-v0")
    run_django(ROOT, data, "migrate", "common", "0001", "-v0")

    assert_shown(data, *made_by(said))
