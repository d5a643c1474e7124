"""Everything about one person as a file: complete, readable, harmless, written down."""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from common.media import PieceStream
from common.models import AuditEntry
from common.people import all_person_data
from integration.conftest import make_user
from recognition.models import FaceReview
from recognition.services.exporting import export_name, export_person
from recognition.services.merging import merge_profiles, undo_merge
from recognition.services.profiles import create_profile
from tests.integration.recognition.known_people import Known, make_doubt, make_face, make_known
from video_analysis.models import CameraEvent, Sighting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> None:
    """A data folder of this test's own."""
    settings.DATA_DIR = tmp_path / "data"


@pytest.fixture
def chief(db: None) -> Any:
    return make_user("grace", "administrator")


@pytest.fixture
def known(chief: Any, user: Any) -> Known:
    return make_known(chief, user)


def read(pieces: Any) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert archive.testzip() is None
    return archive


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(archive.read(f"{name}.json"))
    return found


def test_everything_about_a_person_is_in_it_and_nothing_about_others(
    known: Known, chief: Any
) -> None:
    archive = read(export_person(actor=chief, profile=known.person))
    [profile] = rows(archive, "profile")
    assert profile["name"] == "Erika Müller-Ödön"
    assert profile["email"] == "erika@example.org"
    faces = {row["embedding"] for row in rows(archive, "samples")}
    assert faces == {make_face(1, jitter=n).astype("<f4").tobytes().hex() for n in (1, 2)}
    [consent] = rows(archive, "consents")
    assert consent["text"] == "I agree to be recognised."
    assert len(rows(archive, "visits")) == 1
    assert {row["camera"] for row in rows(archive, "sightings")} == {"Door", None}
    assert len(rows(archive, "reviews")) == 2
    assert len(rows(archive, "negative-examples")) == 1
    folders = {name.split("/")[0] for name in archive.namelist() if "/" in name}
    assert folders == {"samples", "events", "videos", "reviews"}
    photo = next(name for name in archive.namelist() if name.startswith("photo"))
    assert archive.read(photo)
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"Otto" not in everything
    assert make_face(2, jitter=1).astype("<f4").tobytes().hex().encode() not in everything


def test_every_handler_says_something_of_somebody_who_has_everything(
    known: Known, chief: Any
) -> None:
    silent = {"gallery", "faces of visitors", "merges"}  # numbers of nobody; nobody was merged

    class Writer:
        said = 0

        def add_rows(self, name: str, rows: Any) -> None:
            self.said += len(list(rows))

        def add_file(self, name: str, data: bytes) -> None:
            assert data
            self.said += 1

    for data in all_person_data():
        writer = Writer()
        list(data.export(known.person.pk, writer) or ())
        assert bool(writer.said) is (data.name not in silent), data.name


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM", "'@SUM"),
        ("Ann", "Ann"),
        ('Ann "x", y', 'Ann "x", y'),
    ],
)
def test_cells_are_no_formulas(chief: Any, name: str, cell: str) -> None:
    person = create_profile(actor=chief, kind="customer", name=name)
    archive = read(export_person(actor=chief, profile=person))
    text = archive.read("profile.csv").decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert row["name"] == cell
    assert rows(archive, "profile")[0]["name"] == name


def test_somebody_of_whom_there_is_only_a_name(chief: Any) -> None:
    person = create_profile(actor=chief, kind="customer", name="Nobody")
    archive = read(export_person(actor=chief, profile=person))
    assert set(archive.namelist()) == {"README.txt", "profile.json", "profile.csv"}


def test_an_export_is_written_down_without_a_name_and_before_it_is_sent(
    known: Known, chief: Any
) -> None:
    pieces = export_person(actor=chief, profile=known.person)
    line = AuditEntry.objects.get(action=AuditEntry.Action.EXPORTED)
    assert line.object_name == f"Person {known.person.pk.hex[:8]}"
    assert (line.actor_name, line.details) == ("grace", {"format": "zip"})
    assert "Erika" not in export_name(known.person)
    assert sum(1 for _ in pieces) > 3  # not all of it at once


def test_faces_of_others_are_not_in_it(known: Known, chief: Any) -> None:
    doubt = make_doubt(known.person, 44, place="Back door")
    for state, answer in (
        (FaceReview.State.OPEN, None),
        (FaceReview.State.REJECTED, None),
        (FaceReview.State.REASSIGNED, known.other),
        (FaceReview.State.CONFIRMED, known.person),
    ):
        FaceReview.objects.filter(pk=doubt.pk).update(state=state, answer=answer)
        archive = read(export_person(actor=chief, profile=known.person))
        [row] = [row for row in rows(archive, "reviews") if row["id"] == str(doubt.pk)]
        theirs = answer == known.person
        assert ("embedding" in row, "place" in row, "seen_at" in row) == (theirs,) * 3, state
        assert (f"reviews/{doubt.pk}.jpg" in archive.namelist()) is theirs, state


def test_who_was_taken_out_again_is_somebody_else(known: Known, chief: Any) -> None:
    merge = merge_profiles(actor=chief, target=known.person, source=known.other)
    [row] = rows(read(export_person(actor=chief, profile=known.person)), "merges")
    assert row["source"]["name"] == "Otto Normal"
    undo_merge(actor=chief, merge=merge)
    archive = read(export_person(actor=chief, profile=known.person))
    assert "source" not in rows(archive, "merges")[0]
    assert all(b"Otto" not in archive.read(name) for name in archive.namelist())


def test_no_more_than_a_few_pictures_are_in_memory(known: Known, chief: Any) -> None:
    size = 200_000
    sighting = Sighting.objects.filter(profile=known.person).exclude(camera=None).get()
    for number in range(20):
        event = CameraEvent(
            camera=known.camera,
            sequence=300 + number,
            kind="entry",
            start=sighting.start,
            track=sighting.track,
        )
        event.picture.save("picture.jpg", ContentFile(os.urandom(size)))
    pieces = [len(piece) for piece in export_person(actor=chief, profile=known.person)]
    assert sum(pieces) > 20 * size
    assert max(pieces) < 2 * size


def test_a_lost_file_leaves_the_rest(known: Known, chief: Any) -> None:
    for sample in known.person.samples.all():
        sample.crop.storage.delete(sample.crop.name)
    archive = read(export_person(actor=chief, profile=known.person))
    assert len(rows(archive, "samples")) == 2
    assert not any(name.startswith("samples/") for name in archive.namelist())


async def test_it_is_sent_piece_by_piece() -> None:
    made: list[int] = []

    def pieces() -> Any:
        for number in range(3):
            made.append(number)
            yield bytes([number])

    answer = PieceStream(pieces(), media_type="application/zip", filename="a.zip")
    assert answer["Content-Disposition"] == 'attachment; filename="a.zip"'
    assert made == []
    assert [piece async for piece in answer] == [b"\0", b"\1", b"\2"]


@pytest.mark.parametrize("path", ["/people/{}/export/", "/api/people/{}/export.zip"])
def test_administrators_take_it_and_nobody_else(
    known: Known, chief: Any, user: Any, client: Client, path: str
) -> None:
    address, page = path.format(known.person.pk), f"/people/{known.person.pk}/"
    for other in (make_user("viewer", "viewer"), user):
        client.force_login(other)
        assert client.get(address).status_code == 403
    assert "/export/" not in client.get(page).content.decode()
    assert not AuditEntry.objects.filter(action=AuditEntry.Action.EXPORTED).exists()
    client.force_login(chief)
    assert "/export/" in client.get(page).content.decode()
    answer = client.get(address)
    assert answer.status_code == 200, path
    assert rows(read(answer), "profile")[0]["name"] == "Erika Müller-Ödön"
