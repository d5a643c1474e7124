"""Real faces, the real engine, and people who are known by made-up faces."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from common.inference import set_engine_for_tests
from recognition.index import Match
from recognition.models import FaceReview, FaceSample, Profile
from recognition.services.profiles import create_profile
from recognition.services.reviews import open_review
from recognition.services.samples import add_sample
from tests.integration.conftest import make_user
from tests.integration.recognition.known_people import Known, make_known
from tests.made_faces import EMBEDDER, face_of
from vision.engine import Engine, EngineConfig
from vision.weights.store import WeightsStore

JSON = {"HTTP_ACCEPT": "application/json"}
SOMEBODY = str(uuid.UUID(int=7))


@pytest.fixture(scope="session")
def shared_engine(weights_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine with the real weights, for all tests of this process."""
    folder = tmp_path_factory.mktemp("models")
    weights = WeightsStore(folder, search_dirs=[weights_dir], allow_download=False)
    made = Engine(EngineConfig(cache_dir=folder, weights=weights))
    yield made
    made.close()


@pytest.fixture
def real_faces(shared_engine: Engine) -> Iterator[Engine]:
    """The process's engine has the real weights."""
    set_engine_for_tests(shared_engine)
    yield shared_engine
    set_engine_for_tests(None)


@pytest.fixture
def photo(test_data: Path) -> Callable[[str], bytes]:
    """Returns a photo below the folder of faces, e.g. ``bbt/amy/amy1.png``."""

    def read(name: str) -> bytes:
        return (test_data / "faces" / name).read_bytes()

    return read


@pytest.fixture
def administrator(db: None) -> Any:
    """Who runs the installation."""
    return make_user("root", "administrator")


@pytest.fixture
def viewer(db: None) -> Any:
    """Who may see no people."""
    return make_user("eve", "viewer")


@pytest.fixture
def admin(administrator: Any) -> Client:
    """A browser in which `administrator` is signed in."""
    client = Client()
    client.force_login(administrator)
    return client


@pytest.fixture
def data_dir(settings: Any, tmp_path: Path) -> Path:
    """A data folder of this test's own, with the media in it."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    settings.MEDIA_ROOT = settings.DATA_DIR / "media"
    settings.SIGHTLINE_MIN_FREE_BYTES = 0
    return Path(settings.DATA_DIR)


@pytest.fixture
def chief(db: None) -> Any:
    """An administrator who forgets people."""
    return make_user("grace", "administrator")


@pytest.fixture
def known(chief: Any, user: Any) -> Known:
    """Somebody of whom there is everything that there can be, and a bystander."""
    return make_known(chief, user)


@pytest.fixture
def make_person(user: Any) -> Callable[..., Profile]:
    """Makes people with made-up faces: ``make_person("Ada", 1, samples=2)``."""

    def make(name: str, face: int, *, samples: int = 1, **fields: Any) -> Profile:
        profile = create_profile(
            actor=user, **{"kind": Profile.Kind.CUSTOMER, "name": name, **fields}
        )
        for number in range(samples):
            give_sample(profile, face, distance=0.05 * number, actor=user)
        profile.refresh_from_db()
        return profile

    return make


def give_sample(
    profile: Profile, face: int, *, distance: float = 0.0, actor: Any = None, **fields: Any
) -> FaceSample:
    """Add a made-up face to a person."""
    values = {
        "embedding": face_of(face, distance=distance),
        "model": EMBEDDER,
        "crop": f"face {face} at {distance}".encode(),
        "quality": {"size": 100.0, "sharpness": 0.8 - distance, "yaw": 0, "pitch": 0, "roll": 0},
        "source": FaceSample.Source.UPLOAD,
        **fields,
    }
    return add_sample(actor=actor, profile=profile, **values)


@pytest.fixture
def review(make_person: Callable[..., Profile]) -> FaceReview:
    """Somebody at the entrance who may be Ada."""
    ada = make_person("Ada", 1, samples=2)
    return ask_about(ada, 1, origin_id="1")


def ask_about(person: Profile, face: int, *, origin_id: str) -> FaceReview:
    """Open a review of a made-up face that may be somebody's, for who has enrolled them."""
    return open_review(
        origin=FaceReview.Origin.PICTURE,
        origin_id=origin_id,
        asked_by=person.created_by,
        place="Entrance",
        embedding=face_of(face, distance=0.5),
        model=EMBEDDER,
        crop=b"a face",
        quality={"size": 90.0, "sharpness": 0.7},
        match=Match("uncertain", person.pk, 0.5, 0.7),
    )


def a_picture(data: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    """Return a picture as a form sends it."""
    return SimpleUploadedFile(name, data, content_type="image/jpeg")
