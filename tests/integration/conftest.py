"""Users, clients, pictures and the real embedded worker."""

import gc
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from PIL import Image
from rest_framework.test import APIClient

from common.jobs import runner
from common.models import Account, Job
from detection_project.embedded import EmbeddedWorker
from tests.integration.flushing import quick_flushes


@pytest.fixture(scope="session", autouse=True)
def flushed_quickly() -> Iterator[None]:
    """Transactional tests end with a flush."""
    with quick_flushes():
        yield


@pytest.fixture(scope="session", autouse=True)
def exported_once(shared_exports: Path) -> None:
    """The engine of a test's process finds what another one has exported."""
    models = Path(project.MODELS_DIR)
    models.mkdir(parents=True, exist_ok=True)
    (models / "exports").symlink_to(shared_exports)


@pytest.fixture(autouse=True)
def own_media(settings: Any, tmp_path: Any) -> None:
    """Give each test an empty media folder and an empty cache."""
    settings.MEDIA_ROOT = tmp_path / "media"
    cache.clear()


@pytest.fixture
def no_other_connections() -> None:
    """Close what threads of earlier tests still hold: a restore wants the database for itself."""
    for held in gc.get_objects():
        # Not isinstance: lazy objects would wake up to be asked.
        if issubclass(type(held), BaseDatabaseWrapper) and held is not connections[held.alias]:
            held.inc_thread_sharing()
            held.close()
            held.dec_thread_sharing()


@pytest.fixture
def user(db: None) -> Any:
    """Somebody."""
    return make_user("ada", password="correct horse")


@pytest.fixture
def other_user(db: None) -> Any:
    """Somebody else."""
    return make_user("bob", password="battery staple")


def make_user(name: str, role: str = "operator", *, password: str | None = None) -> Any:
    """Return a new user with this role."""
    made = get_user_model().objects.create_user(name, password=password)
    Account.objects.create(user=made, role=role)
    return made


@pytest.fixture
def signed_in(user: Any, client: Client) -> Client:
    """A browser in which `user` is signed in."""
    client.force_login(user)
    return client


@pytest.fixture
def api(user: Any) -> APIClient:
    """A REST client of `user`."""
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def jpeg() -> bytes:
    """A small JPEG, 64 x 48."""
    return make_picture("JPEG", (64, 48))


def make_picture(format: str, size: tuple[int, int]) -> bytes:
    """Return a picture file of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", size, (40, 90, 160)).save(buffer, format)
    return buffer.getvalue()


@pytest.fixture
def worker(transactional_db: None) -> Iterator[EmbeddedWorker]:
    """The worker that `manage.py serve` runs, in a thread of the test's process."""
    embedded = EmbeddedWorker(threads=2)
    embedded.start()
    assert embedded.ready.wait(10)
    yield embedded
    embedded.stop()
    runner.allow_start()


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that other threads bring about."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.01)


def wait_for_job(job: Job, *states: str) -> Job:
    """Wait until a job is in one of these states; by default until it has ended."""
    wanted = states or (Job.State.DONE, Job.State.FAILED, Job.State.CANCELLED)

    def there() -> bool:
        job.refresh_from_db()
        return job.state in wanted

    wait_until(there)
    return job
