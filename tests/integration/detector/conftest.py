"""An engine that answers at once, pictures, and sessions to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import pytest
import supervision as sv
from knox.models import get_token_model
from rest_framework.test import APIClient

from common.inference import close_engine, set_engine_for_tests
from common.jobs.runner import execute_job
from common.models import TokenDetails
from common.uploads.services import store_picture
from detector.models import DetectionSession
from detector.services.detection import record_session
from detector.services.options import parse_options
from tests.made_faces import FakeFaces
from vision.weights.cards import COCO_CLASSES

WIDTH, HEIGHT = 160, 120
# class, confidence, x1, y1, x2, y2
SCENE = (
    ("person", 0.92, 10.0, 20.0, 50.0, 100.0),
    ("dog", 0.71, 60.5, 30.25, 120.0, 90.0),
    ("person", 0.44, 100.0, 5.0, 140.0, 60.0),
)


class FakeEngine:
    """Finds the same three objects in every picture, as the real engine reports them."""

    is_asked = False

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self.model: str | None = None
        self.reason = ""
        self.before: Callable[[], None] = lambda: None
        self.faces = FakeFaces()

    def detect(self, images: Sequence[Any], **options: Any) -> list[sv.Detections]:
        self.calls.append({"pictures": len(images), **options})
        self.before()
        if self.error is not None:
            raise self.error
        return [self._find(image, options) for image in images]

    def describe(self, model: str) -> Any:
        noted = {"model": self.model or model, "reason": self.reason, "fallback": bool(self.model)}
        return type("Info", (), noted)()

    def loaded(self) -> list[Any]:
        return []

    def close(self) -> None:
        return None

    def _find(self, image: Any, options: dict[str, Any]) -> sv.Detections:
        height, width = image.shape[:2]
        scene = [
            entry
            for entry in SCENE
            if entry[1] > options["confidence"]
            and (options["classes"] is None or COCO_CLASSES.index(entry[0]) in options["classes"])
        ]
        found = sv.Detections.empty()
        if scene:
            boxes = np.array([entry[2:] for entry in scene], dtype=np.float32)
            mask = None
            if options["model"].endswith("-seg"):
                mask = np.zeros((len(scene), height, width), dtype=bool)
                for layer, (x1, y1, x2, y2) in zip(mask, boxes.astype(int), strict=True):
                    layer[y1:y2, x1:x2] = True
            found = sv.Detections(
                xyxy=boxes,
                mask=mask,
                confidence=np.array([entry[1] for entry in scene], dtype=np.float32),
                class_id=np.array([COCO_CLASSES.index(entry[0]) for entry in scene]),
                data={"class_name": np.array([entry[0] for entry in scene])},
            )
        found.metadata = {
            "model": self.model or options["model"],
            "backend": "fake",
            "device": "cpu",
            "precision": "fp32",
            "timings_ms": {"preprocess": 0.5, "queue": 0.0, "inference": 2.0, "total": 2.5},
            "width": width,
            "height": height,
        }
        return found


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    """The fake engine, in place of the process's."""
    fake = FakeEngine()
    set_engine_for_tests(fake)  # type: ignore[arg-type]
    yield fake
    set_engine_for_tests(None)


@pytest.fixture
def real_engine() -> Iterator[None]:
    """The process's own engine: real weights where there are any, else the fallback."""
    set_engine_for_tests(None)
    yield
    close_engine()


def picture(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """A JPEG of random pixels, so that cutting it anywhere hurts."""
    pixels = np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)
    return bytes(cv2.imencode(".jpg", pixels)[1])


@pytest.fixture
def photo() -> bytes:
    """A JPEG of 160 x 120 pixels."""
    return picture()


@pytest.fixture
def token_api(user: Any) -> APIClient:
    """A REST client that sends the user's token."""
    client = APIClient()
    row, token = get_token_model().objects.create(user)
    TokenDetails.objects.create(token=row, name="tests", scope="write")
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


@pytest.fixture
def other_api(other_user: Any) -> APIClient:
    """A REST client of somebody else."""
    client = APIClient()
    client.force_authenticate(other_user)
    return client


def make_session(
    owner: Any, *, task: str = "segment", name: str = "yard.jpg", upload: Any = None
) -> DetectionSession:
    """A finished session with three objects; needs the fake engine's scene only."""
    options = parse_options(task=task)
    found = FakeEngine().detect(
        [np.zeros((HEIGHT, WIDTH, 3), np.uint8)],
        model=options.model,
        confidence=options.confidence,
        classes=None,
    )[0]
    upload = upload or store_picture(owner=owner, data=picture(), name=name)
    return record_session(owner=owner, upload=upload, options=options, detections=found, name=name)


@pytest.fixture
def session(user: Any) -> DetectionSession:
    """A finished segmentation session of ``user``."""
    return make_session(user)


def run_job(session: DetectionSession) -> DetectionSession:
    """Do the session's job here and now, as a worker would."""
    execute_job(session.job_id)
    return DetectionSession.objects.select_related("job", "upload").get(pk=session.pk)
