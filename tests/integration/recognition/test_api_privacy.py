"""The privacy settings and the import over REST."""
# ruff: noqa: F811 - fixtures are imported, and named again where they are used

from __future__ import annotations

import io
import uuid
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from common.audit.models import AuditEntry
from common.jobs.runner import execute_job
from common.models import Job
from recognition.models import PrivacySettings, Profile
from tests.integration.detector.conftest import picture
from tests.integration.recognition.made_people import (  # noqa: F401
    administrator,
    check_refused,
    faces,
    lines,
    made,
    operator,
    viewer,
)
from tests.made_faces import FakeFaces

pytestmark = [pytest.mark.django_db]
PRIVACY = "/api/people/privacy/"
IMPORT = "/api/people/import/"


class TestPrivacy:
    def test_a_new_installation_has_settings(self, administrator: Any) -> None:
        shown = administrator.get(PRIVACY).json()
        shown.pop("changed_at")
        assert shown == {
            "recognise_uploads": True,
            "uploads_need_consent": False,
            "customer_days": None,
            "staff_days": None,
            "sighting_days": 30,
            "review_days": 7,
            "visitor_hours": 24,
        }

    def test_a_change_is_kept_and_written_down(self, administrator: Any) -> None:
        before = AuditEntry.objects.count()
        body = {"recognise_uploads": False, "customer_days": 90}
        shown = administrator.patch(PRIVACY, body)
        assert shown.status_code == 200, shown.content
        assert shown.json()["customer_days"] == 90
        row = PrivacySettings.objects.get()
        assert (row.recognise_uploads, row.customer_days, row.sighting_days) == (False, 90, 30)
        (line,) = lines()[before:]
        assert (line.action, line.actor_name) == ("settings", "anna")
        assert (
            line.details["before"]["customer_days"],
            line.details["after"]["customer_days"],
        ) == (
            None,
            90,
        )

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"recognise_uploads": "perhaps"}, "recognise_uploads"),
            ({"customer_days": 0}, "customer_days"),
            ({"customer_days": -1}, "customer_days"),
            ({"staff_days": 10**12}, "staff_days"),
            ({"sighting_days": None}, "sighting_days"),
            ({"sighting_days": 0}, "sighting_days"),
            ({"review_days": 91}, "review_days"),
            ({"visitor_hours": 25}, "visitor_hours"),
            ({"visitor_hours": "x"}, "visitor_hours"),
        ],
        ids=str,
    )
    def test_what_makes_no_sense_is_refused(
        self, administrator: Any, body: Any, field: str
    ) -> None:
        answer = administrator.patch(PRIVACY, body)
        check_refused(answer, 400, "invalid")
        assert field in answer.json()["error"]["fields"]

    @pytest.mark.parametrize("method", ["get", "patch"])
    def test_they_are_for_administrators(self, operator: Any, viewer: Any, method: str) -> None:
        for client in (operator, viewer):
            check_refused(getattr(client, method)(PRIVACY), 403, "permission_denied")


def archive(**people: bytes) -> SimpleUploadedFile:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, data in people.items():
            packed.writestr(f"{name}/1.jpg", data)
    return SimpleUploadedFile("people.zip", file.getvalue(), "application/zip")


class TestImport:
    def test_a_zip_becomes_people_and_a_report(self, operator: Any, faces: FakeFaces) -> None:
        faces.scene = [made(1)]
        file = archive(Ada=picture(640, 480), Grace=b"no picture")
        answer = operator.post(IMPORT, {"file": file, "kind": "staff"}, format="multipart")
        assert answer.status_code == 202, answer.content
        started = answer.json()
        assert (started["status"], answer["Location"]) == ("queued", started["link"])
        job = Job.objects.get(pk=started["job"])
        assert operator.get(started["link"]).json()["report"]["done"] == 0
        execute_job(str(job.pk))
        shown = operator.get(started["link"]).json()
        assert (shown["status"], shown["error"]) == ("done", None)
        assert Profile.objects.get(name="Ada").kind == "staff"
        assert (shown["report"]["added"], shown["report"]["samples"]) == (1, 1)
        assert "Grace" in shown["report"]["refused"][0]["name"]
        assert operator.get(f"/api/jobs/{job.pk}/").json()["kind"] == "recognition.import"

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({}, "missing_file"),
            ({"file": "text"}, "missing_file"),
            ({"kind": "cat"}, "invalid"),
            ({"consent": "perhaps"}, "invalid"),
        ],
        ids=["nothing", "text", "kind", "consent"],
    )
    def test_a_bad_request_starts_nothing(self, operator: Any, fields: Any, code: str) -> None:
        body = {"file": archive(Ada=picture()), **fields} if fields.keys() - {"file"} else fields
        check_refused(operator.post(IMPORT, body, format="multipart"), 400, code)
        assert not Job.objects.exists()

    def test_what_is_no_zip_is_refused(self, operator: Any) -> None:
        file = SimpleUploadedFile("people.zip", b"no archive")
        answer = operator.post(IMPORT, {"file": file}, format="multipart")
        assert answer.status_code in (400, 415, 422), answer.content

    def test_an_import_of_somebody_else_is_not_there(
        self, operator: Any, administrator: Any, faces: FakeFaces
    ) -> None:
        faces.scene = [made(1)]
        body = {"file": archive(Ada=picture(640, 480))}
        link = operator.post(IMPORT, body, format="multipart").json()["link"]
        assert operator.get(link).status_code == 200
        check_refused(administrator.get(link), 404, "not_found")
        check_refused(operator.get(f"{IMPORT}{uuid.UUID(int=7)}/"), 404, "not_found")

    def test_viewers_import_nobody(self, viewer: Any) -> None:
        answer = viewer.post(IMPORT, {"file": archive(Ada=picture())}, format="multipart")
        check_refused(answer, 403, "not_allowed_to_create")
