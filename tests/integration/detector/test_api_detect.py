"""A picture in, JSON out."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image
from rest_framework.test import APIClient

from common.inference import get_engine
from common.models import Job, Upload
from common.uploads.memory import budget
from detector.models import DetectedObject, DetectionSession
from detector.services import finding
from tests.integration.detector.conftest import FakeEngine, picture
from vision.encoding.masks import rle_area
from vision.errors import VisionError
from vision.sources.pictures import decode_picture
from vision.structures import Priority

pytestmark = pytest.mark.django_db


def post(api: APIClient, path: str = "/api/detect/", accept: str = "", **fields: Any) -> Any:
    images = fields.pop("image", None) or [picture()]
    files = [
        SimpleUploadedFile(f"yard{n or ''}.jpg", data, "image/jpeg")
        for n, data in enumerate(images)
    ]
    headers = {"accept": accept} if accept else {}
    return api.post(path, {"image": files, **fields}, format="multipart", headers=headers)


def test_one_picture_is_answered_with_its_objects(token_api: APIClient, engine: FakeEngine) -> None:
    response = post(token_api)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    answer = json.loads(response.content)
    assert answer["detections"] == 3
    assert answer["objects"][1] == {
        "class": "dog",
        "class_id": 16,
        "confidence": 0.71,
        "bbox": [60.5, 30.25, 59.5, 59.75],
    }
    assert answer["image"] == {"name": "yard.jpg", "width": 160, "height": 120}
    assert (answer["model"], answer["backend"]) == ("yolov8n", "fake")
    assert set(answer["timings_ms"]) == {"decode", "preprocess", "queue", "inference", "total"}
    assert "notice" not in answer
    assert engine.calls[0]["priority"] == Priority.INTERACTIVE


def test_it_is_kept_as_a_finished_session(
    token_api: APIClient, user: Any, engine: FakeEngine
) -> None:
    answer = json.loads(post(token_api).content)
    session = DetectionSession.objects.get(pk=answer["session"])
    assert (session.owner, session.source, session.status) == (user, "api", "done")
    assert session.object_count == session.detected_objects.count() == 3
    assert session.upload.name == session.name == "yard.jpg"
    assert session.upload.file.read() == picture()
    assert not Job.objects.exists()


def test_with_save_off_nothing_is_kept(token_api: APIClient, engine: FakeEngine) -> None:
    assert json.loads(post(token_api, save="false").content)["session"] is None
    assert not Upload.objects.exists()
    assert not DetectionSession.objects.exists()


def test_with_save_off_a_token_that_is_known_costs_no_query(
    token_api: APIClient, engine: FakeEngine
) -> None:
    with CaptureQueriesContext(connection) as first:
        assert post(token_api, save="0").status_code == 200
    asked = [query["sql"] for query in first if query["sql"].startswith("SELECT")]
    assert len(asked) == 1, asked  # the token with its person and their role
    with CaptureQueriesContext(connection) as again:
        assert post(token_api, save="0").status_code == 200
    assert len(again) == 0, [query["sql"] for query in again]


def test_the_picture_is_decoded_once(
    token_api: APIClient, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []

    def counted(*args: Any) -> Any:
        decoded.append(1)
        return decode_picture(*args)

    for place in ("detector.services.finding", "common.uploads.services"):
        monkeypatch.setattr(f"{place}.decode_picture", counted)
    assert post(token_api, save="true").status_code == 200
    assert len(decoded) == 1


def test_options_reach_the_engine(token_api: APIClient, engine: FakeEngine) -> None:
    response = post(
        token_api, confidence="0.5", iou="0.6", classes=["dog", "0"], model="yolov8s", save="no"
    )
    assert [item["class"] for item in json.loads(response.content)["objects"]] == ["person", "dog"]
    call = engine.calls[0]
    assert (call["confidence"], call["iou"], call["model"]) == (0.5, 0.6, "yolov8s")
    assert list(call["classes"]) == [0, 16]


def test_many_pictures_are_answered_in_order_each_for_itself(
    token_api: APIClient, engine: FakeEngine
) -> None:
    images = [picture(100 + n, 80) for n in range(10)]
    images[3] = b"no picture"
    results = json.loads(post(token_api, image=images).content)["results"]
    assert len(results) == 10
    assert results[3]["image"] == {"name": "yard3.jpg"}
    assert results[3]["error"]["code"] == "not_a_picture"
    good = [n for n in range(10) if n != 3]
    assert [results[n]["image"]["width"] for n in good] == [100 + n for n in good]
    assert DetectionSession.objects.count() == 9
    assert sum(call["pictures"] for call in engine.calls) == 9


def test_large_pictures_of_one_request_are_not_decoded_all_at_once(
    token_api: APIClient, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "CHUNK_PIXELS", 2 * 160 * 120)
    held: list[int] = []
    engine.before = lambda: held.append(budget.held)
    images = [picture() for _ in range(5)] + [picture(640, 480), b"no picture", picture()]
    results = json.loads(post(token_api, image=images, save="0").content)["results"]
    assert [len(entry["error"]) if "error" in entry else 0 for entry in results].count(3) == 1
    assert [call["pictures"] for call in engine.calls] == [2, 2, 1, 1, 1]
    assert held == [pixels * 160 * 120 for pixels in (2, 2, 1, 16, 1)]
    assert budget.held == 0


def test_the_budget_is_given_back_when_the_engine_fails(
    token_api: APIClient, engine: FakeEngine
) -> None:
    engine.error = VisionError("export_failed", "The network could not be exported.")
    assert post(token_api, save="0").status_code == 503
    assert budget.held == 0


def test_segmentation_gives_polygons_codes_or_neither(
    token_api: APIClient, engine: FakeEngine
) -> None:
    def first(**fields: Any) -> dict[str, Any]:
        answer = json.loads(post(token_api, "/api/segment/", save="0", **fields).content)
        return dict(answer["objects"][0])

    ring = first()["polygons"][0]
    assert (min(ring[::2]), max(ring[::2]), min(ring[1::2]), max(ring[1::2])) == (10, 50, 20, 100)
    coded = first(masks="rle")
    assert "polygons" not in coded
    assert rle_area(coded["mask"]) == 40 * 80
    assert set(first(masks="none")) == {"class", "class_id", "confidence", "bbox"}


def test_segmentation_keeps_its_masks(token_api: APIClient, engine: FakeEngine) -> None:
    post(token_api, "/api/segment/", masks="none")
    stored = DetectedObject.objects.order_by("index").first()
    assert stored is not None
    assert rle_area(stored.mask) == 40 * 80


def test_a_segmentation_model_that_only_detects_gives_and_keeps_no_masks(
    token_api: APIClient, engine: FakeEngine
) -> None:
    answer = json.loads(post(token_api, model="yolov8n-seg").content)
    assert "polygons" not in answer["objects"][0]
    assert not DetectedObject.objects.exclude(mask=None).exists()


@pytest.mark.parametrize(("accept", "form"), [("image/jpeg", "JPEG"), ("image/png", "PNG")])
def test_the_annotated_picture_is_answered_where_it_is_accepted(
    token_api: APIClient, engine: FakeEngine, accept: str, form: str
) -> None:
    response = post(token_api, accept=accept, save="0")
    assert response.status_code == 200
    assert response["Content-Type"] == accept
    shown = Image.open(BytesIO(response.content))
    assert (shown.format, shown.size) == (form, (160, 120))


@pytest.mark.parametrize("accept", ["*/*", "application/json, image/png;q=0.5", "image/png, */*"])
def test_json_is_the_default(token_api: APIClient, engine: FakeEngine, accept: str) -> None:
    response = post(token_api, accept=accept, save="0")
    if accept.startswith("image/png"):
        assert response["Content-Type"] == "image/png"
    else:
        assert response["Content-Type"] == "application/json"


def test_a_fallback_says_so(token_api: APIClient, engine: FakeEngine) -> None:
    engine.model, engine.reason = "opencv-fallback", "The weights could not be reached."
    answer = json.loads(post(token_api).content)
    assert answer["model"] == "opencv-fallback"
    assert "The weights could not be reached." in answer["notice"]
    stored = DetectionSession.objects.get(pk=answer["session"])
    assert stored.notice == answer["notice"]


def test_anonymous_callers_are_turned_away(engine: FakeEngine) -> None:
    response = post(APIClient())
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    assert response.json()["error"]["code"] == "not_authenticated"


def test_an_open_installation_answers_everyone_and_keeps_nothing(
    engine: FakeEngine, settings: Any
) -> None:
    settings.SIGHTLINE_OPEN_DETECT = True
    answer = json.loads(post(APIClient(), save="true").content)
    assert answer["detections"] == 3
    assert answer["session"] is None
    assert not Upload.objects.exists()
    assert post(APIClient(headers={"Authorization": "Token wrong"})).status_code == 401
    assert APIClient().get("/api/sessions/").status_code == 401


def test_a_browser_session_needs_its_csrf_token(user: Any, engine: FakeEngine) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user)
    response = post(client)
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "permission_denied"


@pytest.mark.slow
def test_what_was_found_equals_the_engine(
    token_api: APIClient, real_engine: None, weights_dir: Any, test_data: Any
) -> None:
    path = sorted((test_data / "images" / "coco").rglob("*.jpg"))[0]
    data = path.read_bytes()
    answer = json.loads(post(token_api, image=[data], save="0").content)
    expected = get_engine().detect([decode_picture(data)])[0]
    boxes = np.array([item["bbox"] for item in answer["objects"]]).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    assert answer["detections"] == len(expected)
    np.testing.assert_allclose(boxes, expected.xyxy, atol=0.02)
    assert answer["model"] == "yolov8n"
