"""Every file that is downloaded can be read back."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from rest_framework.test import APIClient

from detector.errors import DetectorError, SessionConflictError
from detector.models import DetectionSession
from detector.selectors import session_overlay, session_records
from detector.services.exports import EXPORTS, export_session, records_to_detections
from detector.services.options import parse_options
from detector.services.sessions import rerun_session
from tests.integration.detector.conftest import FakeEngine, make_session
from vision.encoding.records import records_from_detections
from vision.weights.cards import COCO_CLASSES

pytestmark = pytest.mark.django_db


def test_json_has_everything(session: DetectionSession) -> None:
    file = export_session(session=session, form="json")
    document = json.loads(file.content)
    assert document["detections"] == 3
    assert document["model"] == "yolov8n-seg"
    assert document["image"] == {"name": "yard.jpg", "width": 160, "height": 120}
    assert document["objects"][1]["bbox"] == [60.5, 30.25, 59.5, 59.75]
    assert document["objects"][0]["polygons"]
    assert file.name == "yard.json"


def test_coco_is_read_by_pycocotools(session: DetectionSession, tmp_path: Any) -> None:
    path = tmp_path / "coco.json"
    path.write_bytes(export_session(session=session, form="coco").content)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
    annotations = coco.loadAnns(coco.getAnnIds())
    names = {entry["id"]: entry["name"] for entry in coco.loadCats(coco.getCatIds())}
    assert [names[entry["category_id"]] for entry in annotations] == ["person", "dog", "person"]
    assert annotations[0]["bbox"] == [10, 20, 40, 80]
    assert coco.annToMask(annotations[0]).sum() == pytest.approx(40 * 80, rel=0.05)


@pytest.mark.parametrize("task", ["detect", "segment"])
def test_yolo_is_a_zip_with_labels_and_classes(user: Any, task: str) -> None:
    session = make_session(user, task=task)
    file = export_session(session=session, form="yolo")
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["classes.txt", "labels/yard.txt"]
        classes = archive.read("classes.txt").decode().splitlines()
        rows = archive.read("labels/yard.txt").decode().splitlines()
    assert classes == list(COCO_CLASSES)
    assert [classes[int(row.split()[0])] for row in rows] == ["person", "dog", "person"]
    numbers = np.array([float(value) for value in rows[0].split()[1:]])
    assert ((numbers >= 0) & (numbers <= 1)).all()
    if task == "detect":
        expected = [30 / 160, 60 / 120, 40 / 160, 80 / 120]
        np.testing.assert_allclose(numbers, expected, atol=1e-6)


def test_csv_has_a_row_per_object_and_no_formulas(user: Any) -> None:
    session = make_session(user, name="=cmd|' '!A0.jpg")
    text = export_session(session=session, form="csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["class"] for row in rows] == ["person", "dog", "person"]
    assert float(rows[1]["x"]) == 60.5
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


@pytest.mark.parametrize("task", ["detect", "segment"])
def test_png_is_the_picture_with_something_drawn_in(user: Any, task: str) -> None:
    session = make_session(user, task=task)
    file = export_session(session=session, form="png")
    drawn = Image.open(io.BytesIO(file.content))
    assert (drawn.format, drawn.size) == ("PNG", (160, 120))
    before = np.asarray(Image.open(session.upload.file.open()).convert("RGB"))
    assert (np.asarray(drawn.convert("RGB")) != before).any()
    assert file.name == "yard-annotated.png"


@pytest.mark.parametrize("form", EXPORTS)
@pytest.mark.parametrize("task", ["detect", "segment"])
def test_a_session_without_objects_is_exported_too(
    user: Any, form: str, task: str, session: DetectionSession
) -> None:
    session.detected_objects.all().delete()
    assert export_session(session=session, form=form).content


def test_the_fallbacks_classes_are_its_own(session: DetectionSession) -> None:
    session.model = "opencv-fallback"
    session.detected_objects.filter(class_name="dog").update(class_name="face", class_id=1)
    document = json.loads(export_session(session=session, form="coco").content)
    assert [entry["name"] for entry in document["categories"]] == ["person", "face"]


def test_what_is_stored_is_what_was_found(session: DetectionSession) -> None:
    records = session_records(session)
    again = records_from_detections(records_to_detections(records, width=160, height=120))
    assert [record.mask for record in again] == [record.mask for record in records]
    for record, other in zip(records, again, strict=True):
        assert (other.x, other.width) == pytest.approx((record.x, record.width), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("yard.jpg", 'attachment; filename="yard.json"'),
        ("Hof am Fluß", "attachment; filename*=utf-8''Hof%20am%20Flu%C3%9F.json"),
        ('a"b/../c\r\nX: y', "a_b_.._cX_ y.json"),
        ("version 1.5", "version 1.5.json"),
        (".", "picture.json"),
    ],
)
def test_file_names_are_harmless(api: APIClient, user: Any, name: str, expected: str) -> None:
    session = make_session(user)
    DetectionSession.objects.filter(pk=session.pk).update(name=name)
    response = api.get(f"/api/sessions/{session.pk}/export/")
    header = response["Content-Disposition"]
    assert expected in header
    assert "\r" not in header
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("form", EXPORTS)
def test_rest_serves_each_form(api: APIClient, session: DetectionSession, form: str) -> None:
    response = api.get(f"/api/sessions/{session.pk}/export/?format={form}")
    assert response.status_code == 200
    session.refresh_from_db()  # PostgreSQL orders the keys of what it stores
    assert response.content == export_session(session=session, form=form).content


def test_an_unknown_form_and_an_unfinished_session_are_refused(
    api: APIClient, user: Any, session: DetectionSession
) -> None:
    with pytest.raises(DetectorError):
        export_session(session=session, form="xml")
    response = api.get(f"/api/sessions/{session.pk}/export/?format=xml")
    assert response.status_code == 400
    assert "format" in response.json()["error"]["fields"]
    queued = rerun_session(session=session, owner=user, options=parse_options(task="detect"))
    with pytest.raises(SessionConflictError):
        export_session(session=queued, form="json")
    assert api.get(f"/api/sessions/{queued.pk}/export/").status_code == 409


def test_a_picture_that_is_gone_is_told(api: APIClient, session: DetectionSession) -> None:
    session.upload.file.storage.delete(session.upload.file.name)
    response = api.get(f"/api/sessions/{session.pk}/export/?format=png")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "picture_missing"
    assert api.get(f"/api/sessions/{session.pk}/picture/").status_code == 404


def test_the_overlay_has_all_that_the_page_draws(
    session: DetectionSession, engine: FakeEngine
) -> None:
    overlay = session_overlay(session)
    json.dumps(overlay)
    assert (overlay["width"], overlay["height"]) == (160, 120)
    assert overlay["objects"][1]["box"] == [60.5, 30.25, 59.5, 59.75]
    assert overlay["objects"][0]["polygons"]
    assert [(entry["name"], entry["count"]) for entry in overlay["classes"]] == [
        ("person", 2),
        ("dog", 1),
    ]
    assert overlay["objects"][0]["color"] == overlay["classes"][0]["color"]
