"""What this app keeps about people: for erasing, counting and exporting it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.db.models import Min, Model, Q, QuerySet

from common.models import Upload
from common.people import ExportWriter, PersonData, register_person_data
from common.people.files import discard_files
from recognition.models import (
    Consent,
    FaceReview,
    FaceSample,
    NegativeEvidence,
    Profile,
    ProfileMerge,
)
from recognition.services.files import read_file
from recognition.services.gallery import note_change
from recognition.services.likeness import Likeness, named_in, reviews_about

PROFILE_FIELDS = (
    *("id", "kind", "name", "email", "preferences", "notes", "threshold", "visit_count"),
    *("last_visit_at", "created_at"),
)


# ---------------------------------------------------------------- reviews
def _review_files(person: UUID) -> list[str]:
    return _names(reviews_about(person), "crop")


def _erase_reviews(person: UUID) -> Mapping[str, int]:
    rows = reviews_about(person)
    discard_files(_names(rows, "crop"))
    return {"reviews": _delete(rows)}


def _export_reviews(person: UUID, writer: ExportWriter) -> Iterator[None]:
    rows = list(FaceReview.objects.filter(Q(candidate=person) | Q(answer=person)))
    fields = ("id", "state", "origin", "distance", "probability", "created_at", "answered_at")
    # Whose face it is, is known only where somebody has said so; it may be another person's.
    own = [row for row in rows if row.answer_id == person]
    told = {
        row.pk: _values(row, "place", "seen_at", "quality") | {"embedding": _numbers(row.embedding)}
        for row in own
    }
    writer.add_rows("reviews", [_values(row, *fields) | told.get(row.pk, {}) for row in rows])
    for row in own:
        if row.crop:
            writer.add_file(f"reviews/{row.pk}.jpg", read_file(row.crop))
            yield


# ---------------------------------------------------------------- samples
def _samples(person: UUID) -> QuerySet[FaceSample]:
    return FaceSample.objects.filter(profile=person)


def _erase_samples(person: UUID) -> Mapping[str, int]:
    rows = _samples(person)
    discard_files(_names(rows, "crop"))
    return {"samples": _delete(rows)}


def _export_samples(person: UUID, writer: ExportWriter) -> Iterator[None]:
    rows = list(_samples(person))
    fields = ("id", "model", "source", "quality", "picture_sha256", "created_at")
    writer.add_rows(
        "samples",
        [_values(row, *fields) | {"embedding": _numbers(row.embedding)} for row in rows],
    )
    for row in rows:
        if row.crop:
            writer.add_file(f"samples/{row.pk}.jpg", read_file(row.crop))
            yield


def _enrolment_uploads(person: UUID) -> list[UUID]:
    """Uploads of the same files as the person was enrolled with."""
    sums = _samples(person).exclude(picture_sha256="").values("picture_sha256")
    rows = Upload.objects.filter(sha256__in=sums, removed_at=None)
    return list(rows.order_by().values_list("pk", flat=True))


# ---------------------------------------------------------------- negatives
def _erase_negatives(person: UUID) -> Mapping[str, int]:
    others = NegativeEvidence.objects.exclude(profile=person)
    alike = NegativeEvidence.objects.filter(pk__in=Likeness.of(person).find(others))
    touched = list(alike.order_by().values_list("profile_id", flat=True).distinct())
    count = _delete(alike) + _delete(NegativeEvidence.objects.filter(profile=person))
    note_change(touched)
    return {"negative examples": count}


def _export_negatives(person: UUID, writer: ExportWriter) -> None:
    rows = NegativeEvidence.objects.filter(profile=person)
    # Of others' faces there is no more to be told than that there are some.
    writer.add_rows("negative examples", [_values(row, "id", "created_at") for row in rows])


# ---------------------------------------------------------------- consents
def _erase_consents(person: UUID) -> Mapping[str, int]:
    return {"consents": _delete(Consent.objects.filter(profile=person))}


def _export_consents(person: UUID, writer: ExportWriter) -> None:
    rows = Consent.objects.filter(profile=person).select_related("text")
    fields = ("given_at", "recorded_by_name", "withdrawn_at", "withdrawn_by_name")
    writer.add_rows(
        "consents",
        [
            _values(row, *fields) | {"version": row.text.version, "text": row.text.text}
            for row in rows
        ],
    )


# ---------------------------------------------------------------- merges
def _merges(person: UUID) -> QuerySet[ProfileMerge]:
    return ProfileMerge.objects.filter(Q(target=person) | Q(source_id=person))


def _erase_merges(person: UUID) -> Mapping[str, int]:
    return {"merges": _delete(_merges(person))}


def _export_merges(person: UUID, writer: ExportWriter) -> None:
    fields = ("id", "source_id", "merged_at", "undone_at")
    writer.add_rows(
        "merges",
        [
            _values(row, *fields, *(["source"] if _is_theirs(row, person) else []))
            for row in _merges(person)
        ],
    )


def _is_theirs(merge: ProfileMerge, person: UUID) -> bool:
    """Tell whether what was merged is the person; who was taken out again is somebody else."""
    return merge.undone_at is None or merge.source_id == person


# ---------------------------------------------------------------- the gallery
def _erase_from_gallery(person: UUID) -> Mapping[str, int]:
    # The log of changes keeps the id, which nothing points at any more: by it other processes
    # notice that the person is gone. Old lines of it go by themselves.
    note_change([person])
    return {}


def _left_in_gallery(person: UUID) -> Mapping[str, int]:
    return {}


def _export_nothing(person: UUID, writer: ExportWriter) -> None:
    return None


# ---------------------------------------------------------------- the profile
def _profiles(person: UUID) -> QuerySet[Profile]:
    return Profile.objects.filter(pk=person)


def _erase_profile(person: UUID) -> Mapping[str, int]:
    rows = _profiles(person)
    photos = _names(rows, "photo")
    discard_files(photos)
    return {"photos": len(photos), "profiles": _delete(rows)}


def _left_of_profile(person: UUID) -> Mapping[str, int]:
    rows = _profiles(person)
    return {"photos": rows.exclude(photo="").count(), "profiles": rows.count()}


def _export_profile(person: UUID, writer: ExportWriter) -> None:
    for row in _profiles(person):
        writer.add_rows("profile", [_values(row, *PROFILE_FIELDS)])
        if row.photo:
            suffix = PurePosixPath(str(row.photo.name)).suffix
            writer.add_file(f"photo{suffix}", read_file(row.photo))


# ---------------------------------------------------------------- what all need
def _names(rows: QuerySet[Any], column: str) -> list[str]:
    """Return the names of files, those that there are."""
    return list(rows.order_by().exclude(**{column: ""}).values_list(column, flat=True))


def _oldest(rows: QuerySet[Any], column: str) -> datetime | None:
    found: datetime | None = rows.aggregate(oldest=Min(column))["oldest"]
    return found


def _delete(rows: QuerySet[Any]) -> int:
    """Delete rows and return how many of them there were, without what went with them."""
    _, by_model = rows.delete()
    return by_model.get(rows.model._meta.label, 0)


def _values(row: Model, *fields: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in fields}


def _numbers(embedding: bytes | memoryview) -> str:
    """Return an embedding as it is stored, in hexadecimal digits."""
    return bytes(embedding).hex()


register_person_data(
    PersonData(
        name="reviews",
        models=("recognition.facereview",),
        erase=_erase_reviews,
        remaining=lambda person: {"reviews": FaceReview.objects.filter(named_in(person)).count()},
        export=_export_reviews,
        order=50,
        files=_review_files,
        since=lambda person: _oldest(FaceReview.objects.filter(answer=person), "created_at"),
    )
)
register_person_data(
    PersonData(
        name="negative examples",
        models=("recognition.negativeevidence",),
        erase=_erase_negatives,
        remaining=lambda person: {
            "negative examples": NegativeEvidence.objects.filter(profile=person).count()
        },
        export=_export_negatives,
        order=55,
    )
)
register_person_data(
    PersonData(
        name="samples",
        models=("recognition.facesample",),
        erase=_erase_samples,
        remaining=lambda person: {"samples": _samples(person).count()},
        export=_export_samples,
        order=60,  # after those who must know what the person looks like
        files=lambda person: _names(_samples(person), "crop"),
        uploads=_enrolment_uploads,
        since=lambda person: _oldest(_samples(person), "created_at"),
    )
)
register_person_data(
    PersonData(
        name="consents",
        models=("recognition.consent",),
        erase=_erase_consents,
        remaining=lambda person: {"consents": Consent.objects.filter(profile=person).count()},
        export=_export_consents,
        order=70,
    )
)
register_person_data(
    PersonData(
        name="merges",
        models=("recognition.profilemerge",),
        erase=_erase_merges,
        remaining=lambda person: {"merges": _merges(person).count()},
        export=_export_merges,
        order=75,
    )
)
register_person_data(
    PersonData(
        name="gallery",
        models=("recognition.gallerychange",),
        erase=_erase_from_gallery,
        remaining=_left_in_gallery,
        export=_export_nothing,
        order=99,
    )
)
register_person_data(
    PersonData(
        name="profiles",
        models=("recognition.profile",),
        erase=_erase_profile,
        remaining=_left_of_profile,
        export=_export_profile,
        order=100,
        files=lambda person: _names(_profiles(person), "photo"),
        since=lambda person: _oldest(_profiles(person), "created_at"),
    )
)
