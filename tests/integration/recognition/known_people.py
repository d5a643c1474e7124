"""People for tests of privacy: known by made-up faces, seen by a camera and in a video."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from numpy.typing import NDArray

from common.storage.work import work_folder
from recognition.index import Match, match_faces
from recognition.models import ErasureReport, FaceReview, FaceSample, Profile
from recognition.services.consent import publish_consent_text, record_consent
from recognition.services.negatives import note_not_person
from recognition.services.profiles import create_profile
from recognition.services.reviews import open_review
from recognition.services.samples import add_sample
from tests.made_videos import make_clip, make_video_session
from video_analysis.cameras.models import Area, Camera
from video_analysis.models import CameraEvent, Sighting, Visitor, VisitorFace
from video_analysis.retail.models import Visit

MODEL = "made-up"

# Where the id of somebody who is gone may still stand: it leads to nobody.
ID_MAY_STAY = {
    "recognition_erasurereport.subject",
    "recognition_gallerychange.profile_id",
    "common_auditentry.object_id",
    "common_auditentry.details",
}


def make_face(seed: int, *, jitter: int = 0) -> NDArray[np.float32]:
    """Return an embedding of length 1; the same seed is the same person, jitter another photo."""
    face = np.random.default_rng(seed).normal(size=128)
    face /= np.linalg.norm(face)
    face += np.random.default_rng(1000 * seed + jitter).normal(size=128) * (0.01 * bool(jitter))
    return (face / np.linalg.norm(face)).astype(np.float32)


def make_person(
    actor: Any, seed: int, *, name: str, samples: int = 2, kind: str = "customer", **fields: Any
) -> Profile:
    """Return somebody with some samples, each with a crop of its own."""
    profile = create_profile(actor=actor, kind=kind, name=name, **fields)
    for number in range(1, samples + 1):
        add_sample(
            actor=actor,
            profile=profile,
            embedding=make_face(seed, jitter=number),
            model=MODEL,
            crop=f"crop {number} of {seed}".encode(),
            quality={"size": 150.0},
            source=FaceSample.Source.UPLOAD,
        )
    profile.refresh_from_db()
    return profile


def make_doubt(profile: Profile, seed: int, **changes: Any) -> FaceReview:
    """Return an open review of a face, of which somebody may be whose it is."""
    match = Match("uncertain", profile.pk, 0.55, 0.5, changes.pop("runner_up_id", None), 0.6)
    return open_review(
        **{
            "origin": "camera",
            "origin_id": "",
            "place": "Door",
            "embedding": make_face(seed),
            "model": MODEL,
            "crop": f"doubt {seed}".encode(),
            "quality": {},
            "match": match,
            **changes,
        }
    )


@dataclass
class Known:
    """Somebody about whom there is everything that there can be, and a bystander.

    Attributes:
        person: Who is going to be forgotten.
        other: Who stays.
        camera: Has seen both.
        session: A video of `owner` in which both were recognised.
        shown: Names of files that show the person.
        kept: Names of files that stay.
    """

    person: Profile
    other: Profile
    area: Area
    camera: Camera
    session: Any
    shown: list[str]
    kept: list[str]


def make_known(actor: Any, owner: Any) -> Known:
    """Fill an installation with two people."""
    person = make_person(actor, 1, name="Erika Müller-Ödön", email="erika@example.org")
    other = make_person(actor, 2, name="Otto Normal", email="otto@example.org")
    publish_consent_text(actor=actor, text="I agree to be recognised.")
    record_consent(actor=actor, profile=person)
    record_consent(actor=actor, profile=other)
    area = Area.objects.create(name="Shop", recognise=True, group_unknown=True)
    camera = Camera.objects.create(name="Door", address="loop:door.mp4", area=area)
    now = timezone.now()
    shown, kept = [], []
    for number, (profile, names) in enumerate(((person, shown), (other, kept))):
        begin = now - timedelta(hours=3 + 2 * number)
        sighting = see(camera, profile, begin)
        names.append(add_event(camera, sighting.track, begin, 100 + number))
        Visit.objects.create(area=area, profile=profile, entry=begin, exit=begin)
    # Somebody else's picture, taken while the person stood before the same camera.
    shown.append(add_event(camera, None, now - timedelta(hours=3) + timedelta(seconds=5), 200))
    with work_folder() as folder:
        clip = make_clip(folder / "clip.mp4", seconds=0.5)
        session = make_video_session(owner, clip=clip, annotated_clip=True)
    video = session.video
    Sighting.objects.create(
        analysis=video, track_number=1, state=Sighting.State.KNOWN, profile=person
    )
    Sighting.objects.create(
        analysis=video, track_number=2, state=Sighting.State.KNOWN, profile=other
    )
    shown += [video.annotated.file.name, video.snapshots.file.name]
    kept += [session.upload.file.name, session.upload.thumbnail.name, video.heat.file.name]
    add_doubts(person, other, camera)
    note_not_person(actor=actor, profile=person, embedding=make_face(30), model=MODEL)
    note_not_person(actor=actor, profile=other, embedding=make_face(1, jitter=9), model=MODEL)
    note_not_person(actor=actor, profile=other, embedding=make_face(31), model=MODEL)
    add_visitors(area)
    shown += [person.photo.name, *person.samples.values_list("crop", flat=True)]
    kept += [other.photo.name, *other.samples.values_list("crop", flat=True)]
    shown += FaceReview.objects.exclude(place="Elsewhere").values_list("crop", flat=True)
    kept += FaceReview.objects.filter(place="Elsewhere").values_list("crop", flat=True)
    return Known(person, other, area, camera, session, sorted(filter(None, shown)), kept)


def see(camera: Camera, profile: Profile | None, begin: Any, **fields: Any) -> Sighting:
    """Return a sighting of ten seconds."""
    return Sighting.objects.create(
        **{
            "camera": camera,
            "area": camera.area,
            "track": uuid.uuid4(),
            "state": Sighting.State.KNOWN,
            "profile": profile,
            "start": begin,
            "end": begin + timedelta(seconds=10),
            **fields,
        }
    )


def add_event(camera: Camera, track: Any, at: Any, sequence: int) -> str:
    """Store an event with a picture; return the name of its file."""
    event = CameraEvent(camera=camera, sequence=sequence, kind="entry", start=at, track=track)
    event.picture.save("picture.jpg", ContentFile(f"event {sequence}".encode()))
    return str(event.picture.name)


def add_doubts(person: Profile, other: Profile, camera: Camera) -> None:
    """Open reviews in which the person is everything that one can be, and one without them."""
    waiting = see(camera, None, timezone.now() - timedelta(days=2), state="uncertain")
    make_doubt(person, 40, origin_id=str(waiting.pk))
    make_doubt(other, 41, runner_up_id=person.pk)
    answered = make_doubt(other, 42)
    FaceReview.objects.filter(pk=answered.pk).update(
        answer=person, state=FaceReview.State.REASSIGNED, answered_at=timezone.now()
    )
    make_doubt(other, 1, place="Alike")
    make_doubt(other, 43, place="Elsewhere")


def add_visitors(area: Area) -> None:
    """Two visitors without a name; one of them has the person's face."""
    for number, seed in ((1, 1), (2, 50)):
        visitor = Visitor.objects.create(area=area, number=number)
        VisitorFace.objects.create(
            visitor=visitor,
            embedding=make_face(seed, jitter=7).astype("<f4").tobytes(),
            model=MODEL,
            expires_at=timezone.now() + timedelta(hours=12),
        )


def raw_values() -> Iterator[tuple[str, str, Any]]:
    """Yield every value of every table as the database holds it: table, column, value."""
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            columns = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                yield from ((table, name, value) for name, value in zip(columns, row, strict=True))


def places_with(*needles: str | bytes) -> set[str]:
    """Return "table.column" of all values of the database that hold one of these."""
    found = set()
    for table, column, value in raw_values():
        data = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        texts = [needle.encode() if isinstance(needle, str) else needle for needle in needles]
        if any(text in data for text in texts):
            found.add(f"{table}.{column}")
    return found


def stored_names() -> set[str]:
    """Return the names of all files that there are."""
    root = Path(default_storage.location)
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def sums(names: Any) -> set[str]:
    """Return the sha256 of stored files."""
    root = Path(default_storage.location)
    return {hashlib.sha256((root / name).read_bytes()).hexdigest() for name in names}


def found_by(report: ErasureReport) -> dict[str, int]:
    """Return how much each check of an erasure has found, by its code."""
    return {check["code"]: check["found"] for check in report.checks}


def who_is(seed: int) -> uuid.UUID | None:
    """Return who a made-up face is recognised as."""
    [match] = match_faces([make_face(seed)], model=MODEL)
    return match.profile_id if match.state == "known" else None
