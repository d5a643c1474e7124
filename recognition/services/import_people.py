"""The people of a file, one after the other: looked at, judged, written.

Each is written in one transaction together with how far the work is. So a job that was killed goes
on behind the last person, and enrols nobody twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
from django.db import transaction
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from common.uploads.errors import UploadRejected
from recognition.errors import EnrolmentError, GoneError
from recognition.index import match_faces
from recognition.models import FaceSample, Profile
from recognition.services.archives import EntryError, PictureSource, Refusal
from recognition.services.consent import has_withdrawn, record_consent
from recognition.services.enrolling import (
    looks_like_own,
    own_faces,
    refuse_resemblance,
    refuse_same_photo,
    sample_from,
    sha256_of,
)
from recognition.services.files import NewFiles, new_files
from recognition.services.gallery import note_change
from recognition.services.holding import hold_profile
from recognition.services.import_reports import ImportReport, without_name
from recognition.services.keeping import NewSample, keep_samples
from recognition.services.noting import note
from vision.faces.matching import DEFAULT_RULES

WITHDRAWN: Final = (
    "They have withdrawn their agreement, and an import does not give it back; record it on their "
    "page if they agree again."
)
DIFFERS: Final = (
    "This face does not look like the other photos of this person. If it is them, add it on their "
    "page."
)
NOT_ONE_PERSON: Final = (
    "The photos in this folder show people who do not look like each other, and it is not clear "
    "who is meant. Leave only one person in it."
)
GONE_MEANWHILE: Final = (
    "Somebody was erased or renamed while their photos were being read; they were not enrolled "
    "anew."
)

Progress: TypeAlias = Callable[[float, str], None]


def import_people(
    *,
    actor: Any,
    source: PictureSource,
    kind: str,
    consent: bool,
    progress: Progress,
    begun: ImportReport | None = None,
    commit: Callable[[ImportReport], None] = lambda report: None,
) -> ImportReport:
    """Enrol the people of a source.

    Args:
        actor: Who imports; None for the system.
        source: Where the pictures are.
        kind: What new people are.
        consent: Whether all of them have agreed.
        progress: Called before each picture with a share and a message; may raise.
        begun: What an earlier attempt has reached; the work goes on there.
        commit: Called in the transaction of each person with what is reached then.

    Raises:
        VisionError: The engine cannot answer.
    """
    report = begun or ImportReport(
        people=len(source.people),
        pictures=sum(map(len, source.people.values())),
    )
    if begun is None:
        for refusal in source.refused:
            report.refuse(refusal)
    worker = _Importer(actor, source, kind, consent, progress)
    for person in list(source.people)[report.done :]:
        report = worker.add_person(person, report, commit)
    return report


class _AgainError(Exception):
    """Somebody else has just made a person of the same name, or deleted them."""


def _held(profile: Profile) -> Profile:
    try:
        return hold_profile(profile.pk)
    except GoneError:
        raise _AgainError from None


@dataclass(frozen=True, eq=False)
class _Picked:
    """A picture that may be enrolled, and its name."""

    name: str
    sample: NewSample


def _as_refusal(one: _Picked, error: EnrolmentError) -> Refusal:
    return Refusal(one.name, error.code, error.message, str(error.profile_id or ""))


class _Importer:
    """Works on one person after the other."""

    def __init__(
        self, actor: Any, source: PictureSource, kind: str, consent: bool, progress: Progress
    ) -> None:
        self._actor = actor
        self._source = source
        self._kind = kind
        self._consent = consent
        self._progress = progress

    def add_person(
        self, person: str, report: ImportReport, commit: Callable[[ImportReport], None]
    ) -> ImportReport:
        """Enrol one person and return the report with it; all of that, or nothing."""
        report = replace(report, refused=list(report.refused))
        known = set(Profile.objects.filter(name=person).values_list("pk", flat=True))
        picked = self._look(person, report, known)
        while True:
            reached = replace(report, refused=list(report.refused), done=report.done + 1)
            try:
                with new_files() as files, transaction.atomic():
                    self._write(person, known, picked, reached, files)
                    commit(reached)
            except _AgainError:
                continue
            return reached

    def _look(self, person: str, report: ImportReport, known: set[uuid.UUID]) -> list[_Picked]:
        """Return the pictures of a person that may be enrolled.

        Args:
            person: Name of the folder.
            report: Gets what is refused.
            known: Whom that name is of already.
        """
        picked: dict[str, _Picked] = {}
        rows = FaceSample.objects.filter(profile__in=known)
        there = set(rows.values_list("picture_sha256", flat=True))
        for name in self._source.people[person]:
            self._progress(self._share(report), self._message(report))
            try:
                data = self._source.read(name)
                digest = sha256_of(data)
                if digest in there or digest in picked:
                    report.already += 1
                    continue
                picked[digest] = _Picked(name, sample_from(data, here=True))
            except (EntryError, EnrolmentError, UploadRejected) as error:
                report.refuse(Refusal(name, error.code, error.message))
        kept = _without_doubles(list(picked.values()), known, report)
        return _without_strangers(person, kept, known, report)

    def _write(
        self,
        person: str,
        known: set[uuid.UUID],
        picked: list[_Picked],
        report: ImportReport,
        files: NewFiles,
    ) -> None:
        """Write a person, new or not, in the caller's transaction."""
        found = list(Profile.objects.filter(name=person)[:2])
        if known and not found:
            _forget_person(person, report)
            return
        if len(found) > 1:
            message = "There are several people of this name; add these pictures on their pages."
            report.refuse(Refusal(person, "ambiguous", message))
            return
        if not picked:
            return
        profile = _held(found[0]) if found else Profile(name=person, kind=self._kind)
        note_change([profile.pk])
        if not found and Profile.objects.filter(name=person).exists():
            raise _AgainError
        samples = self._unused(profile, picked, report)
        if not samples:
            return
        if not found:
            profile.created_by = self._actor
            profile.save(force_insert=True)
        source = FaceSample.Source.BULK
        keep_samples(
            actor=self._actor, profile=profile, samples=samples, source=source, files=files
        )
        report.samples += len(samples)
        report.known += bool(found)
        report.added += not found
        details: Mapping[str, Any] = {"source": str(source), "count": len(samples)}
        change = "enrolled" if found else "created and enrolled"
        note(actor=self._actor, profile_id=profile.pk, change=change, **details)
        if self._consent and has_withdrawn(profile.pk):
            report.refuse(Refusal(person, "consent_withdrawn", WITHDRAWN))
        elif self._consent:
            record_consent(actor=self._actor, profile=profile)

    def _unused(
        self, profile: Profile, picked: list[_Picked], report: ImportReport
    ) -> list[NewSample]:
        """Leave out pictures that were enrolled for somebody meanwhile."""
        samples = []
        for one in picked:
            try:
                refuse_same_photo(profile.pk, one.sample.sha256)
                samples.append(one.sample)
            except EnrolmentError as error:
                if error.profile_id == profile.pk:
                    report.already += 1
                else:
                    report.refuse(_as_refusal(one, error))
        return samples

    def _share(self, report: ImportReport) -> float:
        return report.done / max(report.people, 1)

    def _message(self, report: ImportReport) -> str:
        return f"Person {report.done + 1:,} of {report.people:,}"


def _without_doubles(
    picked: list[_Picked], known: set[uuid.UUID], report: ImportReport
) -> list[_Picked]:
    """Leave out what is surely somebody else who is known."""
    kept = []
    for one in picked:
        [match] = match_faces(one.sample.as_probe(), model=one.sample.model)
        mine = match.profile_id if match.profile_id in known else uuid.UUID(int=0)
        try:
            refuse_resemblance(mine, match, states=("known",))
            kept.append(one)
        except EnrolmentError as error:
            report.refuse(_as_refusal(one, error))
    return kept


def _without_strangers(
    person: str, picked: list[_Picked], known: set[uuid.UUID], report: ImportReport
) -> list[_Picked]:
    """Leave out faces unlike those that the person has, or unlike most in a new person's folder.

    Nobody is there to be asked, and one wrong photo would make two people one.
    """
    if not picked or len(known) > 1:  # nobody gets them where several have the name
        return picked
    profile = Profile.objects.filter(pk__in=known).first()
    own = own_faces(profile, picked[0].sample.model) if profile is not None else []
    groups = _group_alike(picked)
    if profile is not None and own:
        kept = [
            one
            for group in groups
            if any(looks_like_own(profile, own, face.sample) for face in group)
            for one in group
        ]
    else:
        groups.sort(key=len, reverse=True)
        if len(groups) > 1 and len(groups[0]) == len(groups[1]):
            report.refuse(Refusal(person, "not_one_person", NOT_ONE_PERSON))
            return []
        kept = groups[0]
    for one in picked:
        if one not in kept:
            report.refuse(Refusal(one.name, "differs", DIFFERS))
    return kept


def _group_alike(picked: list[_Picked]) -> list[list[_Picked]]:
    """Put together what is joined by faces each as like the next as may be one person."""
    faces = np.concatenate([one.sample.as_probe() for one in picked])
    apart = np.linalg.norm(faces[:, None] - faces[None], axis=2)
    count, labels = connected_components(csr_array(apart <= DEFAULT_RULES.uncertain), False)
    return [
        [one for one, label in zip(picked, labels.tolist(), strict=True) if label == group]
        for group in range(count)
    ]


def _forget_person(person: str, report: ImportReport) -> None:
    """Take what was noted about somebody who is gone out of a report, and say so without a name."""
    left = without_name(report, person)
    if left is not None:
        report.refused, report.more = left.refused, left.more
    report.refuse(Refusal("", "gone", GONE_MEANWHILE))
