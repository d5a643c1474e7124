"""Many people at once, from a ZIP or a folder: the name of a folder is that of the person in it.

One person after the other is written, each in one transaction together with how far the work is.
So a job that was killed goes on behind the last person, and enrols nobody twice.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import IO, Any, Final, TypeAlias

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from common.jobs.context import JobContext
from common.jobs.errors import JobFailed, JobLost
from common.jobs.queues import LONG_QUEUE
from common.jobs.services import enqueue_job
from common.models import Job
from common.storage.disk import require_room
from common.uploads.errors import UploadRejected
from common.uploads.services import refused_storage
from recognition.errors import (
    ConflictError,
    EnrolmentError,
    GoneError,
    ImportRefused,
    InvalidError,
)
from recognition.index import match_faces
from recognition.models import FaceSample, Profile
from recognition.services.archives import EntryError, PictureSource, Refusal, ZipPictures
from recognition.services.consent import (
    NO_TEXT,
    current_text,
    has_withdrawn,
    record_consent,
)
from recognition.services.enrolling import (
    refuse_resemblance,
    refuse_same_photo,
    sample_from,
    sha256_of,
)
from recognition.services.files import NewFiles, new_files
from recognition.services.gallery import note_change
from recognition.services.holding import hold_profile
from recognition.services.keeping import NewSample, keep_samples
from recognition.services.naming import name_in_refusals
from recognition.services.noting import note

logger = logging.getLogger(__name__)

JOB_KIND: Final = "recognition.import"
AT_WORK: Final = (Job.State.QUEUED, Job.State.RUNNING)
FOLDER: Final = "imports"
REPORTED: Final = 1_000
"""Refusals that a report names; the others are counted."""
KEPT_DAYS: Final = 7
"""After so many days a report forgets names."""

WITHDRAWN: Final = (
    "They have withdrawn their agreement, and an import does not give it back; record it on their "
    "page if they agree again."
)

Progress: TypeAlias = Callable[[float, str], None]


@dataclass
class ImportReport:
    """What has become of the people in a file.

    Attributes:
        people: How many folders there are.
        done: How many of them are done.
        pictures: How many pictures there are in all.
        added: How many people are new.
        known: How many were there already and have got samples.
        samples: How many samples were added.
        already: Pictures that the same person had already.
        refused: What was not taken, and why; at most `REPORTED`.
        more: How many refusals are not named.
    """

    people: int = 0
    done: int = 0
    pictures: int = 0
    added: int = 0
    known: int = 0
    samples: int = 0
    already: int = 0
    refused: list[Refusal] = field(default_factory=list)
    more: int = 0

    def refuse(self, refusal: Refusal) -> None:
        """Note what was not taken."""
        if len(self.refused) < REPORTED:
            self.refused.append(refusal)
        else:
            self.more += 1

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def start_import(*, actor: Any, file: IO[bytes], kind: str, consent: bool) -> Job:
    """Judge a ZIP by its list of contents, keep it, and queue the work.

    Args:
        actor: Who imports.
        file: Open and seekable.
        kind: What new people are: "customer" or "staff".
        consent: Whether all of them have agreed to the current text.

    Raises:
        ImportRefused: ``not_a_zip``, ``file_too_large``, ``too_many_entries``, ``zip_bomb``,
            ``no_pictures``.
        InvalidError: There is no such kind.
        ConflictError: ``no_consent_text``.
        UploadRejected: The disk is full.
    """
    judge_options(kind, consent=consent)
    require_room()
    limit = settings.SIGHTLINE_MAX_IMPORT_BYTES
    if file.seek(0, 2) > limit:
        message = f"A ZIP may have up to {limit // 1024 // 1024:,} MiB."
        raise ImportRefused("file_too_large", message, status=413)
    file.seek(0)
    ZipPictures(file)
    file.seek(0)
    forget_old_imports()
    name = f"{FOLDER}/{uuid.uuid4().hex}.zip"
    with refused_storage():
        stored = default_storage.save(name, File(file))
    payload = {"file": stored, "kind": str(kind), "consent": bool(consent)}
    try:
        return enqueue_job(kind=JOB_KIND, owner=actor, payload=payload, queue=LONG_QUEUE)
    except BaseException:
        default_storage.delete(stored)
        raise


def judge_options(kind: str, *, consent: bool) -> None:
    """Judge what is asked of an import.

    Raises:
        InvalidError: There is no such kind.
        ConflictError: ``no_consent_text``.
    """
    if kind not in Profile.Kind.values:
        raise InvalidError({"kind": f"Choose one of {', '.join(Profile.Kind.values)}."})
    if consent and current_text() is None:
        raise ConflictError("no_consent_text", NO_TEXT)


def report_of(job: Job) -> ImportReport:
    """Return what has become of an import so far; nobody is named but by the names of folders."""
    data = dict(job.payload.get("report") or {})
    refused = [Refusal(**row) for row in data.pop("refused", [])]
    return ImportReport(**data, refused=refused)


def report_for(actor: Any, job: Job) -> ImportReport:
    """Return what has become of an import, and once it has ended whom refused photos show."""
    report = report_of(job)
    if job.state in AT_WORK:  # its page asks every second
        actor = None
    return replace(report, refused=name_in_refusals(actor, report.refused))


def run_import_job(context: JobContext) -> None:
    """Enrol the people of a stored ZIP.

    Raises:
        JobFailed: ``file_gone``, or as `ImportRefused` says.
        JobStopped: At a checkpoint.
    """
    job = context.job
    try:
        opened = default_storage.open(job.payload["file"], "rb")
    except FileNotFoundError:
        raise JobFailed("file_gone", "The file is gone; import it again.") from None
    with opened as file:
        try:
            source = ZipPictures(file)
        except ImportRefused as error:
            raise JobFailed(error.code, error.message) from error

        written = len(report_of(job).refused)

        def commit(report: ImportReport) -> None:
            nonlocal written
            held = Job.objects.select_for_update().filter(pk=job.pk, **context.claim).first()
            if held is None:
                raise JobLost
            # What was taken out of the report meanwhile, because of somebody's name, stays out.
            kept = report_of(held).refused
            report.more += written - len(kept)
            report.refused[:written] = kept
            _write_report(held, report)
            written = len(report.refused)

        import_people(
            actor=job.owner,
            source=source,
            kind=job.payload["kind"],
            consent=bool(job.payload["consent"]),
            progress=context.checkpoint,
            begun=report_of(job) if "report" in job.payload else None,
            commit=commit,
        )


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


def drop_file_of(job: Job) -> None:
    """Delete the ZIP of an import that has ended; nobody's face stays longer than needed."""
    name = str(job.payload.get("file", ""))
    if name.startswith(f"{FOLDER}/"):
        try:
            default_storage.delete(name)
        except OSError as error:
            logger.warning("%s could not be deleted: %s", name, error)


def forget_in_reports(name: str) -> int:
    """Take a person's name out of the reports of imports; return of how many."""
    return _forget(Job.objects.filter(kind=JOB_KIND), name)


def forget_old_imports() -> int:
    """Take all names out of old reports, and delete what jobs that are gone left; return how many.

    The report keeps its numbers.
    """
    before = timezone.now() - timedelta(days=KEPT_DAYS)
    old = Job.objects.filter(kind=JOB_KIND, created_at__lt=before)
    return _forget(old, "") + _drop_strays()


def _drop_strays() -> int:
    """Delete stored ZIPs of jobs that are not there any more."""
    try:
        _, names = default_storage.listdir(FOLDER)
    except FileNotFoundError:
        return 0
    working = Job.objects.filter(kind=JOB_KIND, state__in=AT_WORK).values_list("payload", flat=True)
    wanted = {payload.get("file") for payload in working}
    gone = 0
    for name in names:
        path = f"{FOLDER}/{name}"
        try:
            age = timezone.now() - default_storage.get_modified_time(path)
        except FileNotFoundError:  # its job has ended meanwhile
            continue
        if path not in wanted and age > timedelta(hours=1):  # a file is written before its job
            default_storage.delete(path)
            gone += 1
    return gone


def _forget(jobs: QuerySet[Job], name: str) -> int:
    """Take the refusals with a name in them out of reports, also of jobs that write theirs now."""
    changed = 0
    for job in jobs.order_by("pk"):
        if _without(report_of(job), name) is None:
            continue
        with transaction.atomic():
            held = Job.objects.select_for_update().filter(pk=job.pk).first()
            report = None if held is None else _without(report_of(held), name)
            if held is not None and report is not None:
                _write_report(held, report)
                changed += 1
    return changed


def _without(report: ImportReport, name: str) -> ImportReport | None:
    """Return a report without the refusals that have a name in them; None when there are none."""
    kept = [row for row in report.refused if name not in f"{row.name} {row.message}"]
    left_out = len(report.refused) - len(kept)
    return replace(report, refused=kept, more=report.more + left_out) if left_out else None


def _write_report(job: Job, report: ImportReport) -> None:
    payload = {**job.payload, "report": report.as_data()}
    Job.objects.filter(pk=job.pk).update(payload=payload)


class _AgainError(Exception):
    """Somebody else has just made a person of the same name, or deleted them."""


def _held(profile: Profile) -> Profile:
    try:
        return hold_profile(profile.pk)
    except GoneError:
        raise _AgainError from None


@dataclass(frozen=True)
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
        picked = self._look(person, report)
        while True:
            reached = replace(report, refused=list(report.refused), done=report.done + 1)
            try:
                with new_files() as files, transaction.atomic():
                    self._write(person, picked, reached, files)
                    commit(reached)
            except _AgainError:
                continue
            return reached

    def _look(self, person: str, report: ImportReport) -> list[_Picked]:
        """Return the pictures of a person that may be enrolled."""
        picked: dict[str, _Picked] = {}
        known = set(
            FaceSample.objects.filter(profile__name=person).values_list("picture_sha256", flat=True)
        )
        for name in self._source.people[person]:
            self._progress(self._share(report), self._message(report))
            try:
                data = self._source.read(name)
                digest = sha256_of(data)
                if digest in known or digest in picked:
                    report.already += 1
                    continue
                picked[digest] = _Picked(name, sample_from(data, here=True))
            except (EntryError, EnrolmentError, UploadRejected) as error:
                report.refuse(Refusal(name, error.code, error.message))
        return self._without_doubles(person, list(picked.values()), report)

    def _without_doubles(
        self, person: str, picked: list[_Picked], report: ImportReport
    ) -> list[_Picked]:
        """Leave out what is surely somebody else who is known."""
        own = set(Profile.objects.filter(name=person).values_list("pk", flat=True))
        kept = []
        for one in picked:
            [match] = match_faces(one.sample.as_probe(), model=one.sample.model)
            mine = match.profile_id if match.profile_id in own else uuid.UUID(int=0)
            try:
                refuse_resemblance(mine, match, states=("known",))
                kept.append(one)
            except EnrolmentError as error:
                report.refuse(_as_refusal(one, error))
        return kept

    def _write(
        self, person: str, picked: list[_Picked], report: ImportReport, files: NewFiles
    ) -> None:
        """Write a person, new or not, in the caller's transaction."""
        found = list(Profile.objects.filter(name=person)[:2])
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
