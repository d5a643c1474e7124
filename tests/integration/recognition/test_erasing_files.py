"""Files of who is forgotten: of videos, of uploads, and those that no row knows."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from common.models import Upload
from common.storage.services import run_cleanup
from recognition.models import FaceSample, Profile
from recognition.services.erasing import erase_person
from tests.integration.recognition.known_people import (
    Known,
    found_by,
    stored_names,
)
from video_analysis.models import Sighting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data_dir")]


def test_the_page_of_a_video_goes_on_without_its_pictures(
    known: Known, chief: Any, user: Any, client: Client
) -> None:
    client.force_login(user)
    erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    page = client.get(f"/videos/{known.session.pk}/")
    assert page.status_code == 200
    assert "somebody in it was to be forgotten" in page.content.decode()
    for name, more, status in (
        ("annotated", (), 404),
        ("snapshot", (1,), 404),
        ("moment", (0,), 404),
        ("tracks", (), 200),
        ("heat", (), 200),
        ("original", (), 200),
    ):
        address = reverse(f"videos:{name}", args=[known.session.pk, *more])
        assert client.get(address).status_code == status, name
    known.session.video.refresh_from_db()
    assert known.session.video.heat is not None  # shows where, not who


def test_originals_are_listed_and_stay_unless_asked_for(known: Known, chief: Any) -> None:
    report = erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    check = next(check for check in report.checks if check["code"] == "originals")
    upload = known.session.upload
    assert check["sessions"] == {str(upload.pk): [str(known.session.pk)]}
    assert default_storage.exists(upload.file.name)


def test_originals_go_when_asked_for(known: Known, chief: Any, user: Any, client: Client) -> None:
    name = known.session.upload.file.name
    report = erase_person(actor=chief, profile_id=known.person.pk, reason="request", originals=True)
    assert found_by(report)["originals"] == 0
    assert not default_storage.exists(name)
    client.force_login(user)
    assert client.get(f"/videos/{known.session.pk}/").status_code == 200
    assert Upload.objects.get(pk=known.session.upload_id).removed_at is not None


def test_an_upload_of_the_enrolment_photo_is_listed(known: Known, chief: Any) -> None:
    other = Upload.objects.get(pk=known.session.upload_id)
    Sighting.objects.filter(analysis__isnull=False).delete()
    FaceSample.objects.filter(profile=known.person).update(picture_sha256=other.sha256)
    report = erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    check = next(check for check in report.checks if check["code"] == "originals")
    assert list(check["sessions"]) == [str(other.pk)]


FOLDERS = ("people", "faces", "reviews")


def test_files_of_people_that_no_row_knows_are_swept(known: Known, chief: Any) -> None:
    import time

    lost = [default_storage.save(f"{folder}/aa/lost.jpg", ContentFile(b"x")) for folder in FOLDERS]
    fresh = default_storage.save("faces/aa/fresh.jpg", ContentFile(b"x"))
    old = time.time() - 7200
    for name in set(stored_names()) - {fresh}:
        os.utime(default_storage.path(name), (old, old))
    before = stored_names()
    run_cleanup()
    assert stored_names() == before - set(lost)


def test_the_command_line_can_clean_up_beside_it(known: Known, chief: Any) -> None:
    erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    call_command("cleanup")
    assert Profile.objects.get() == known.other
