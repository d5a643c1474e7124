"""Faces that are hidden are in no picture that leaves, of cameras or of videos."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from django.test import Client
from numpy.typing import NDArray
from rest_framework.test import APIClient

from common.inference import get_engine
from common.previews import read_preview
from detection_project.embedded import EmbeddedWorker
from detector.errors import DetectorError
from detector.models import DetectionSession
from recognition.services.consent import publish_consent_text, record_consent
from recognition.services.profiles import create_profile
from recognition.services.samples import enrol_picture
from tests.integration.conftest import make_user, wait_until
from tests.integration.detector.conftest import real_engine  # noqa: F401
from tests.integration.video_analysis.face_films import make_face_film, photographs
from tests.integration.video_analysis.test_end_to_end import analyse
from video_analysis.cameras.models import Camera
from video_analysis.models import CameraEvent
from video_analysis.services.hiding import hides, refuse_unhiding
from video_analysis.services.live import CameraService
from video_analysis.services.options import parse_video_options
from video_analysis.services.recognising.watcher import FaceWatcher

real = [
    *(pytest.mark.slow, pytest.mark.data, pytest.mark.weights, pytest.mark.timeout(300)),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("real_engine"),
]
STRANGER = 0.6  # of two faces of different people the distance is larger


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory, test_data: Path) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for person in ("obama", "kit"):
        make_face_film(folder / f"{person}.mp4", test_data, person, seconds=4.0)
    return folder


@pytest.fixture
def service(films: Path, settings: Any, transactional_db: None) -> Iterator[CameraService]:
    settings.SIGHTLINE_CAMERA_FILES = films
    made = CameraService(subscribers=[FaceWatcher()])
    made.start()
    yield made
    assert made.stop()


def shows(data: Path, person: str, *images: NDArray[np.uint8]) -> int:
    """Count the pictures in which a person is recognised by their photographs."""
    engine = get_engine().faces
    known = []
    for photograph in photographs(data, person):
        picture = _decoded(photograph)
        (faces,) = engine.detect([picture])
        known.append(engine.embed(picture, faces[:1]))
    count = 0
    for image in images:
        (faces,) = engine.detect([image], minimum_size=12)
        distances = [
            np.linalg.norm(engine.embed(image, faces) - of, axis=1).min(initial=9.0) for of in known
        ]
        count += min(distances) < STRANGER
    return count


def _decoded(jpeg: bytes) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(image, np.uint8)


def _frames(video: bytes) -> list[NDArray[np.uint8]]:
    with av.open(io.BytesIO(video)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def newest(camera: Camera, count: int) -> list[NDArray[np.uint8]]:
    """Watch a camera until it has shown so many pictures."""
    name, found = f"camera:{camera.pk}:large", {}

    def enough() -> bool:
        preview = read_preview(name)
        if preview is not None:
            found[preview.number] = preview.jpeg
        return len(found) >= count

    wait_until(enough, 120)
    return [_decoded(jpeg) for jpeg in found.values()]


class TestCameras:
    pytestmark = real

    def test_whose_faces_are_hidden_is_recognised_in_no_picture(
        self, service: CameraService, test_data: Path
    ) -> None:
        hidden, open_one = (
            Camera.objects.create(
                name=faces, address="loop:obama.mp4", people_only=True, faces=faces,
                tracker_min_hits=2,
            )
            for faces in ("hidden", "")
        )  # fmt: skip
        assert shows(test_data, "obama", *newest(open_one, 3)) > 0
        assert shows(test_data, "obama", *newest(hidden, 12)) == 0
        events = CameraEvent.objects.filter(camera=hidden).exclude(picture="")
        wait_until(events.exists, 60)
        for event in events:
            with event.picture.open() as file:
                assert shows(test_data, "obama", _decoded(file.read())) == 0

    def test_who_has_agreed_is_shown_and_nobody_else(
        self, service: CameraService, test_data: Path
    ) -> None:
        publish_consent_text(actor=None, text="You agree.")
        for person in ("kit", "obama"):
            profile = create_profile(actor=None, kind="customer", name=person.title())
            for data in photographs(test_data, person):
                enrol_picture(actor=None, profile=profile, data=data, source="upload", confirm=True)
            if person == "kit":
                record_consent(actor=None, profile=profile)
        cameras = {
            person: Camera.objects.create(
                name=person, address=f"loop:{person}.mp4", people_only=True, faces="consented"
            )
            for person in ("kit", "obama")
        }
        wait_until(lambda: shows(test_data, "kit", *newest(cameras["kit"], 2)) > 0, 120)
        assert shows(test_data, "obama", *newest(cameras["obama"], 12)) == 0


class TestVideos:
    pytestmark = real

    @pytest.mark.parametrize(
        ("styles", "shown"),
        [("boxes", True), ("faces", False), ("boxes,faces-consented", False)],
        ids=["boxes", "faces", "consented"],
    )
    def test_whose_faces_are_hidden_is_recognised_nowhere(
        self,
        api: APIClient,
        worker: EmbeddedWorker,
        films: Path,
        test_data: Path,
        styles: str,
        shown: bool,
    ) -> None:
        told = analyse(api, films / "obama.mp4", styles=styles, tasks="tracking,motion")
        links = told["links"]
        annotated = _frames(b"".join(api.get(links["annotated"])))
        assert (shows(test_data, "obama", *annotated[::4]) > 0) == shown
        pictures = [_decoded(b"".join(api.get(links["thumbnail"])))]
        for rows in (links["tracks"], links["motion"]):
            addresses = [row.get("snapshot") for row in api.get(rows).json()["results"]]
            pictures += [_decoded(api.get(address).content) for address in addresses if address]
        assert len(pictures) > 1
        if not shown:
            assert shows(test_data, "obama", *pictures) == 0
            assert "faces_unseen" not in told["statistics"]


# ------------------------------------------------------------------- who may have the original
HIDDEN_BY = {
    (): "",
    ("boxes", "trails"): "",
    ("boxes", "faces-consented"): "faces-consented",
    ("faces", "faces-consented"): "faces",
    ("faces", "blur"): "blur",
}


@pytest.mark.parametrize("styles", list(HIDDEN_BY), ids=lambda styles: "+".join(styles) or "none")
def test_the_first_style_that_hides_is_told(styles: tuple[str, ...]) -> None:
    assert hides(styles) == HIDDEN_BY[styles]


# Before, asked, whether somebody else than the owner may.
AGAIN = [
    ("boxes", "boxes", True),
    ("boxes", "faces", True),
    ("faces-consented", "faces-consented", True),
    ("faces-consented", "faces", True),
    ("faces-consented", "boxes", False),
    ("faces", "faces-consented", False),
    ("faces", "blur", False),
    ("faces", "blur,faces", True),
    ("blur", "faces", False),
    ("blur", "blur,faces-consented", True),
    ("blur,faces", "faces", False),
    ("blur,faces", "blur,faces-consented", False),
    ("blur,faces", "blur,faces", True),
    ("blur,faces-consented", "blur,faces", True),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "asked", "allowed"), AGAIN)
def test_nobody_else_has_a_video_analysed_again_to_see_more(
    make_video_session: Callable[..., Any], user: Any, before: str, asked: str, allowed: bool
) -> None:
    session = _session(make_video_session, before)
    options = parse_video_options({"styles": asked})
    refuse_unhiding(session, user, options)  # the owner may
    if allowed:
        refuse_unhiding(session, make_user("colleague"), options)
        return
    with pytest.raises(DetectorError) as refused:
        refuse_unhiding(session, make_user("colleague"), options)
    assert refused.value.code == "people_hidden"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("style", "words"),
    [("faces", "Faces are unrecognisable"), ("faces-consented", "Faces of people who have not")],
)
def test_the_page_shows_the_annotated_video_and_says_why(
    make_video_session: Callable[..., Any], user: Any, client: Client, style: str, words: str
) -> None:
    session = _session(make_video_session, style)
    session.video.statistics = {**session.video.statistics, "faces_unseen": 3}
    session.video.save()
    client.force_login(user)
    page = client.get(f"/videos/{session.pk}/").content.decode()
    assert words in page
    assert "upper third of every person is blurred there instead" in page
    assert f'src="/videos/{session.pk}/annotated.mp4"' in page


def _session(make: Callable[..., Any], style: str) -> Any:
    session = make()
    session.video.styles = ["boxes", *style.split(",")]
    session.video.save()
    return DetectionSession.objects.select_related("video", "upload").get(pk=session.pk)
