"""Backups that hold somebody are named, and a restore brings nobody back."""

from __future__ import annotations

import os
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from common.backup.services import make_backup, restore_backup
from common.people.journal import Erasure, journal_path, note_erasure, read_erasures
from recognition.models import ErasureReport, FaceSample, Profile
from recognition.services import erasing
from recognition.services.erasing import erase_person
from recognition.services.profiles import create_profile, split_profile
from recognition.services.retaining import forget_in_time_if_due
from recognition.services.samples import move_samples
from tests.integration.recognition.known_people import (
    MODEL,
    Known,
    make_face,
    make_person,
    stored_names,
    who_is,
)
from video_analysis.models import Sighting, Visitor, VisitorFace
from video_analysis.services.recognising.visitors import name_visitor

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("data_dir", "no_other_connections"),
]


def test_backups_that_hold_the_person_are_named(known: Known, chief: Any, data_dir: Path) -> None:
    here = make_backup()
    elsewhere = make_backup(target=data_dir.parent / "elsewhere.tar")
    report = erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    named = {row["file"]: row["is_here"] for row in report.backups}
    assert named == {here.path.name: True, elsewhere.path.name: False}


def test_older_backups_are_not_named(chief: Any, user: Any) -> None:
    make_person(chief, 8, name="Somebody else")
    make_backup()
    person = make_person(chief, 9, name="Came later")
    assert erase_person(actor=chief, profile_id=person.pk, reason="request").backups == []


@pytest.mark.parametrize("change", ["split", "moved", "named"])
def test_backups_of_before_somebody_had_a_profile_are_named(
    known: Known, chief: Any, change: str
) -> None:
    person = known.person
    VisitorFace.objects.all().delete()
    visitor = Visitor.objects.create(area=known.area, number=9)
    face = make_face(70).astype("<f4").tobytes()
    ends = timezone.now() + timedelta(hours=1)
    VisitorFace.objects.create(visitor=visitor, embedding=face, model=MODEL, expires_at=ends)
    Sighting.objects.create(camera=known.camera, visitor=visitor, state="visitor")
    backup = make_backup()
    samples = [person.samples.latest("created_at")]
    if change == "named":
        late = name_visitor(actor=chief, visitor=visitor, name="Late", kind="customer")
    elif change == "split":
        late = split_profile(actor=chief, profile=person, samples=samples, name="Late")
    else:
        late = create_profile(actor=chief, kind="customer", name="Late")
        move_samples(actor=chief, samples=samples, target=late)
    report = erase_person(actor=chief, profile_id=late.pk, reason="request")
    assert [row["file"] for row in report.backups] == [backup.path.name]


def test_a_restore_brings_nobody_back(known: Known, chief: Any, tmp_path: Path) -> None:
    backup = make_backup(target=tmp_path / "with.tar")
    assert backup.missing == 0
    person, other = known.person.pk, known.other.pk
    erase_person(actor=chief, profile_id=person, reason="request")
    erase_person(actor=chief, profile_id=other, reason="request")
    journal_path().write_text(
        "".join(line for line in journal_path().open() if str(other) not in line) + "not a line\n"
    )
    connection.close()
    restore_backup(path=backup.path, replace=True)
    assert list(Profile.objects.values_list("pk", flat=True)) == [other]
    assert default_storage.exists(known.other.photo.name)  # people/ is in backups
    assert all(default_storage.exists(row.crop.name) for row in FaceSample.objects.all())
    assert not set(known.shown) & stored_names()
    report = ErasureReport.objects.get()
    assert (report.subject, report.reason) == (person, "restore")
    assert who_is(1) is None
    assert who_is(2) == other


def test_a_server_that_starts_looks_whether_anybody_is_back(
    known: Known, chief: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = known.person
    erase_person(actor=chief, profile_id=person.pk, reason="request")
    Profile(pk=person.pk, kind="customer", name="Back again").save(force_insert=True)
    monkeypatch.setattr("recognition.services.retaining._state", {"journal_read": False})
    forget_in_time_if_due()
    assert not Profile.objects.filter(pk=person.pk).exists()


def test_a_list_that_stayed_elsewhere_is_made_again(
    known: Known, chief: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    journal_path().unlink()
    for _ in range(2):
        monkeypatch.setattr("recognition.services.retaining._state", {"journal_read": False})
        forget_in_time_if_due()
        assert [line.person for line in read_erasures()] == [known.person.pk]


@pytest.mark.parametrize(
    "torn", [b'{"person": "1', b"\xff\xfe", b"[]\n", b'{"person": 5}\n', b"\n"]
)
def test_a_line_that_broke_off_swallows_no_other(torn: bytes) -> None:
    first, second = (Erasure(uuid.UUID(int=n), (), timezone.now()) for n in (1, 2))
    note_erasure(first)
    with journal_path().open("ab") as file:
        file.write(torn)
    note_erasure(second)
    assert read_erasures() == [first, second]


def test_a_line_that_is_not_written_to_its_end_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [Erasure(uuid.UUID(int=n), (), timezone.now()) for n in range(3)]
    note_erasure(lines[0])
    with monkeypatch.context() as patched:
        write = os.write
        patched.setattr(os, "write", lambda where, data: write(where, data[:20]))
        with pytest.raises(OSError, match="not written"):
            note_erasure(lines[1])
    note_erasure(lines[2])
    assert read_erasures() == [lines[0], lines[2]]


def test_a_bad_start_does_not_stop_forgetting(
    known: Known, chief: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    state: dict[str, Any] = {"journal_read": False}
    monkeypatch.setattr("recognition.services.retaining._state", state)
    for person in (known.person, known.other):
        erase_person(actor=chief, profile_id=person.pk, reason="request")
        Profile(pk=person.pk, kind="customer", name="Back again").save(force_insert=True)
    journal_path().open("ab").write(b"\xff\n")
    stuck = min(known.person.pk, known.other.pk)
    erase = erasing.erase_person

    def fail(**arguments: Any) -> Any:
        if arguments["profile_id"] == stuck:
            raise OSError("the folder cannot be written to")
        return erase(**arguments)

    VisitorFace.objects.update(expires_at=timezone.now())
    cache.clear()
    with monkeypatch.context() as patched:
        patched.setattr(erasing, "erase_person", fail)
        assert forget_in_time_if_due() == 1
    assert not VisitorFace.objects.exists()
    assert Profile.objects.get().pk == stuck
    forget_in_time_if_due()
    assert Profile.objects.exists()  # not in each sweep
    state["due"] = 0.0
    forget_in_time_if_due()
    assert not Profile.objects.exists()
    assert state["journal_read"]
