"""What the first start makes, and that the second one makes nothing."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from detection_project import banner, setup
from integration.conftest import make_user
from vision.errors import WeightsError
from vision.weights.store import WeightsStore

HASHED = "detection_project.static.HashedStaticStorage"


@pytest.fixture
def fresh(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder in which nothing was made yet."""
    settings.DATA_DIR = tmp_path / "data"
    settings.MODELS_DIR = settings.DATA_DIR / "models"
    for name in ("SIGHTLINE_ADMIN_PASSWORD", "SIGHTLINE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_first_start_makes_an_account_and_the_second_none(fresh: Path, db: None) -> None:
    first = setup.ensure_administrator()
    assert first.password
    assert authenticate(username="admin", password=first.password).is_superuser
    assert setup.ensure_administrator() == setup.Administrator("admin", None)


def test_the_environment_sets_the_password_at_any_start(
    fresh: Path, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.ensure_administrator()
    monkeypatch.setenv("SIGHTLINE_ADMIN_PASSWORD", "my own words")
    assert setup.ensure_administrator().password is None
    assert authenticate(username="admin", password="my own words")


def test_an_installation_with_another_superuser_gets_no_account(fresh: Path, db: None) -> None:
    get_user_model().objects.create_superuser("root", password="x")
    assert setup.ensure_administrator() == setup.Administrator("root", None)


def test_somebody_who_is_only_called_admin_gets_nothing(
    fresh: Path, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = make_user("admin", "viewer", password="a guest")
    monkeypatch.setenv("SIGHTLINE_ADMIN_PASSWORD", "my own words")
    made = setup.ensure_administrator()
    assert made.name != "admin"
    assert authenticate(username=made.name, password="my own words").is_superuser
    assert authenticate(username="admin", password="a guest") == guest
    assert setup.ensure_administrator() == made


def test_the_token_works_is_kept_and_is_renewed_before_it_expires(
    fresh: Path, user: Any, client: Client
) -> None:
    token = setup.ensure_api_token("ada")
    answer = client.get("/api/models/", headers={"Authorization": f"Token {token}"})
    assert answer.status_code == 200
    assert setup.ensure_api_token("ada") == token
    AuthToken.objects.update(expiry=timezone.now() + timedelta(days=1))
    assert setup.ensure_api_token("ada") != token
    AuthToken.objects.all().delete()
    assert setup.ensure_api_token("ada") != token


@pytest.mark.slow
def test_static_files_get_hashed_names_once(fresh: Path, settings: Any) -> None:
    settings.STATIC_ROOT = fresh / "static"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": HASHED}}
    assert setup.collect_static()
    assert not setup.collect_static()
    assert staticfiles_storage.url("js/app.js") != "/static/js/app.js"
    app = settings.STATIC_ROOT / staticfiles_storage.url("js/app.js").removeprefix("/static/")
    imports = [line for line in app.read_text().splitlines() if line.startswith("import ")]
    assert imports
    for line in imports:
        name = line.split('"')[1].removeprefix("./")
        assert name.count(".") == 2, f"{name} has no hash"
        assert (app.parent / name).is_file()


def test_an_unreachable_host_is_one_clear_line(
    fresh: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VISION_WEIGHTS_DIR = None

    def unreachable(*args: Any) -> Path:
        raise WeightsError("weights_unreachable", "The host does not answer.")

    monkeypatch.setattr(WeightsStore, "fetch", unreachable)
    lines: list[str] = []
    setup.fetch_weights(lines.append, setup.ProgressLines(lines.append))
    assert len(lines) == 2
    assert "The host does not answer." in lines[0]


def test_the_command_says_the_password_once(fresh: Path, db: None, capsys: Any) -> None:
    call_command("setup", no_weights=True)
    assert "password" in capsys.readouterr().out
    call_command("setup", no_weights=True)
    assert capsys.readouterr().out == ""


URLS = [
    ("127.0.0.1", "http://127.0.0.1:80"),
    ("0.0.0.0", "http://127.0.0.1:80"),
    ("::", "http://[::1]:80"),
    ("::1", "http://[::1]:80"),
    ("example.org", "http://example.org:80"),
]


@pytest.mark.parametrize(("host", "url"), URLS)
def test_the_banner_names_an_address_that_can_be_opened(host: str, url: str) -> None:
    assert banner.base_url(host, 80) == url


@pytest.mark.parametrize("password", ["quite secret", None])
def test_the_banner_has_a_command_to_paste(password: str | None) -> None:
    installation = setup.Installation(setup.Administrator("admin", password), "abc123")
    text = "\n".join(banner.start_lines("http://127.0.0.1:8000", installation))
    assert "Authorization: Token abc123" in text
    assert ("quite secret" in text) is (password is not None)
    path = text.partition("image=@")[2].partition('"')[0]
    assert Path(path).is_file()
