"""Real faces before a looping camera and in an uploaded video, found by the real networks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from detection_project.embedded import EmbeddedWorker
from recognition.models import FaceReview, PrivacySettings, Profile
from recognition.services.consent import publish_consent_text, record_consent
from recognition.services.erasing import erase_person
from recognition.services.profiles import create_profile
from recognition.services.samples import enrol_picture
from tests.integration.conftest import make_user, wait_until
from tests.integration.detector.conftest import real_engine  # noqa: F401
from tests.integration.video_analysis.face_films import make_face_film, photographs
from tests.integration.video_analysis.test_end_to_end import analyse
from video_analysis.cameras.models import Area, Camera
from video_analysis.models import Sighting
from video_analysis.services.live import CameraService
from video_analysis.services.recognising import cleared_tracks, news
from video_analysis.services.recognising.news import SightingNews
from video_analysis.services.recognising.watcher import FaceWatcher

pytestmark = [
    *(pytest.mark.slow, pytest.mark.data, pytest.mark.weights, pytest.mark.timeout(300)),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("real_engine"),
]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory, test_data: Path) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for person in ("obama", "kit"):
        make_face_film(folder / f"{person}.mp4", test_data, person)
    return folder


@pytest.fixture
def people(test_data: Path) -> dict[str, Profile]:
    """Three who are known, by other photographs than those in the films."""
    made = {}
    for person in ("obama", "kit", "alex"):
        made[person] = create_profile(actor=None, kind="customer", name=person.title())
        for data in photographs(test_data, person):
            enrol_picture(
                actor=None, profile=made[person], data=data, source="upload", confirm=True
            )
    return made


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[SightingNews]:
    told: list[SightingNews] = []
    monkeypatch.setattr(news, "_listeners", [told.append])
    return told


@pytest.fixture
def service(films: Path, settings: Any, transactional_db: None) -> Iterator[CameraService]:
    settings.SIGHTLINE_CAMERA_FILES = films
    made = CameraService(subscribers=[FaceWatcher()])
    made.start()
    yield made
    assert made.stop()


def test_a_camera_recognises_two_people_and_forgets_who_is_erased(
    service: CameraService, people: dict[str, Profile], heard: list[SightingNews]
) -> None:
    area = Area.objects.create(name="Shop", recognise=True, consent_required=False)
    cameras = {
        person: Camera.objects.create(
            name=person, address=f"loop:{person}.mp4", area=area, people_only=True
        )
        for person in ("obama", "kit")
    }

    def recognised() -> bool:
        return Sighting.objects.filter(state="known").values("camera").distinct().count() == 2

    wait_until(recognised, 120)  # the model is exported meanwhile
    for person, camera in cameras.items():
        found = Sighting.objects.filter(camera=camera, state="known").earliest("start")
        assert found.profile == people[person]
        assert found.probability is not None
        assert found.probability > 0.8
    wait_until(lambda: {told.profile_id for told in heard} >= {people["obama"].pk})
    gone = people["obama"].pk
    erase_person(actor=make_user("root", "administrator"), profile_id=gone, reason="request")
    until = time.monotonic() + 4
    while time.monotonic() < until:
        assert not Sighting.objects.filter(profile_id=gone).exists()
        time.sleep(0.1)
    assert service.stop()
    assert not Sighting.objects.filter(profile_id=gone).exists()
    assert Sighting.objects.filter(profile=people["kit"], state="known").exists()
    # One decision for each track.
    tracks = list(Sighting.objects.exclude(track=None).values_list("camera", "track"))
    assert len(tracks) == len(set(tracks))


def test_a_camera_clears_only_who_has_agreed(
    service: CameraService, people: dict[str, Profile]
) -> None:
    publish_consent_text(actor=None, text="You agree.")
    record_consent(actor=None, profile=people["kit"])
    shown, hidden = (
        Camera.objects.create(
            name=person, address=f"loop:{person}.mp4", people_only=True, faces="consented"
        )
        for person in ("kit", "obama")
    )
    wait_until(lambda: bool(cleared_tracks(shown.pk)), 120)
    assert not cleared_tracks(hidden.pk)
    assert not Sighting.objects.exclude(state="shown", profile=people["kit"]).exists()


def test_a_video_says_who_is_in_it(
    api: APIClient, worker: EmbeddedWorker, films: Path, people: dict[str, Profile]
) -> None:
    told = analyse(api, films / "kit.mp4", tasks="tracking,faces", classes="person")
    assert "faces" in told["options"]["tasks"]
    (row,) = Sighting.objects.filter(analysis_id=told["id"], state="known")
    assert row.profile == people["kit"]
    assert (row.camera, row.area, row.track) == (None, None, None)
    assert row.start_seconds is not None
    assert row.end_seconds is not None
    assert 0 <= row.start_seconds < 2
    assert 6 < row.end_seconds <= 8
    assert not FaceReview.objects.exists()
    found = api.get(f"/api/videos/{told['id']}/people/").json()["results"]
    assert [(one["person"]["name"], one["state"]) for one in found] == [("Kit", "known")]


def test_in_a_video_only_who_has_agreed_is_recognised_where_that_is_needed(
    api: APIClient, worker: EmbeddedWorker, films: Path, people: dict[str, Profile]
) -> None:
    PrivacySettings.objects.update_or_create(pk=1, defaults={"uploads_need_consent": True})
    told = analyse(api, films / "kit.mp4", tasks="faces")
    assert not Sighting.objects.filter(analysis_id=told["id"], state="known").exists()
