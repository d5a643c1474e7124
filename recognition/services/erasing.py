"""Forgetting a person: everything that is kept about them, and a report that says so.

All rows go in one transaction; files when it is committed. What the second half needs, names of
files above all, lies encrypted in the report until that is finished, so that whoever is interrupted
is continued by the next call or by the sweeper.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from common.backup.listing import backups_since
from common.errors import ServiceError
from common.models import Upload
from common.people import all_person_data
from common.people.caches import forget_in_cache
from common.people.files import StoredFile, delete_files, describe_files
from common.people.journal import Erasure, note_erasure, read_erasures
from common.secrets import UnreadableSecretError, decrypt, encrypt
from common.uploads.services import remove_pictures
from recognition.models import ErasureReport, Profile, ProfileMerge
from recognition.services.checking import Traces, check_traces, rows_left
from recognition.services.gallery import note_change
from recognition.services.import_reports import forget_in_reports
from recognition.services.likeness import reviews_about
from recognition.services.noting import note_deleted, person_label

logger = logging.getLogger(__name__)

REASONS = ("request", "retention", "consent", "restore")
ROUNDS = 5
TRIES = 3
PIECE = 200
UNFINISHED_AFTER = timedelta(minutes=2)
PENDING = "pending"


@dataclass
class Plan:
    """What is left to do when the rows are gone.

    Attributes:
        aliases: Ids of profiles that had become part of this one.
        texts: Names and e-mail addresses.
        files: What was deleted.
        uploads: Others' uploads that show the person.
        since: When the oldest of what was known of the person was made.
        originals: Whether those uploads are to be removed, too.
    """

    aliases: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    since: str = ""
    originals: bool = False

    def seal(self) -> str:
        """Return it as text that only this installation can read."""
        return encrypt(json.dumps(asdict(self))).decode("ascii")

    @classmethod
    def unseal(cls, sealed: str) -> Plan:
        """Read what `seal` has made; an empty plan when the key has changed."""
        try:
            return cls(**json.loads(decrypt(sealed.encode("ascii"))))
        except (UnreadableSecretError, TypeError, ValueError):
            logger.error("The plan of an erasure cannot be read; its files are swept as orphans")
            return cls()

    def add(self, other: Plan) -> None:
        """Take over what another round has found."""
        self.aliases = _union(self.aliases, other.aliases)
        self.texts = _union(self.texts, other.texts)
        self.uploads = _union(self.uploads, other.uploads)
        known = {file["name"] for file in self.files}
        self.files += [file for file in other.files if file["name"] not in known]
        self.since = min(filter(None, (self.since, other.since)), default="")
        self.originals = self.originals or other.originals


def erase_person(
    *, actor: Any, profile_id: UUID, reason: str = "request", originals: bool = False
) -> ErasureReport:
    """Forget a person; called again, or by two at once, it does what is left and nothing twice.

    Args:
        actor: Who asked for it; None for the system.
        profile_id: Who is to be forgotten.
        reason: Of `REASONS`.
        originals: Whether uploads that show the person are removed, too. They are somebody's; the
            report names their sessions in either case.

    Returns:
        The finished report; the one that there is, of somebody who is forgotten already.

    Raises:
        ServiceError: ``not_found`` (404), nothing is known of such a person; ``invalid``.
    """
    if reason not in REASONS:
        raise ServiceError("invalid", "There is no such reason.", fields={"reason": reason})
    report = _try_to_erase(actor, profile_id, reason, originals)
    return report if report.finished_at else _finish(report)


def finish_erasures() -> int:
    """Continue what was interrupted some minutes ago; return how many reports were finished."""
    before = timezone.now() - UNFINISHED_AFTER
    left = ErasureReport.objects.filter(finished_at=None, started_at__lt=before)
    finished = 0
    for report in left.order_by("started_at"):
        try:
            _finish(report)
        except Exception:  # it does not hold up the others, and is tried again in a minute
            logger.exception("Erasure %s could not be finished", report.pk)
        else:
            finished += 1
    return finished


def erase_again(people: Sequence[UUID]) -> int:
    """Forget those of these people whom a backup has brought back; return how many.

    Raises:
        Exception: One could not be erased; the others were.
    """
    back = 0
    failed: Exception | None = None
    for start in range(0, len(people), PIECE):
        part = people[start : start + PIECE]
        if not any(rows_left(part).values()):
            continue
        for person in part:
            if not any(rows_left([person]).values()):
                continue
            try:
                erase_person(actor=None, profile_id=person, reason="restore")
            except Exception as error:  # it does not hold up the others
                logger.exception("%s is back and was not erased again", person_label(person))
                failed = error
            else:
                back += 1
    if failed is not None:
        raise failed
    return back


def complete_journal() -> int:
    """Add to the list beside the database who was erased by the reports in it; return how many.

    The list may have stayed on another machine when a backup was taken here.
    """
    listed = {erasure.person for erasure in read_erasures()}
    reports = ErasureReport.objects.exclude(finished_at=None).order_by("finished_at")
    missing = [
        Erasure(person, (), at)
        for person, at in reports.values_list("subject", "finished_at")
        if person not in listed and at is not None
    ]
    for erasure in missing:
        note_erasure(erasure)
    return len(missing)


def _try_to_erase(actor: Any, person: UUID, reason: str, originals: bool) -> ErasureReport:
    """Erase the rows; again, where somebody at work on some of them was faster (a deadlock)."""
    for left in reversed(range(TRIES)):
        try:
            return _erase_rows(actor, person, reason, originals)
        except OperationalError:
            if not left or connection.in_atomic_block:
                raise
    raise AssertionError("unreachable")


def _erase_rows(actor: Any, person: UUID, reason: str, originals: bool) -> ErasureReport:
    """Delete all rows and note in the report what is left to do."""
    # Reading files takes a while: before the transaction, and again in it only for new ones.
    described = {file.name: file for file in describe_files(_file_names(person))}
    with transaction.atomic():
        profile = Profile.objects.select_for_update().filter(pk=person).first()
        reports = ErasureReport.objects.filter(subject=person)
        report = reports.select_for_update().filter(finished_at=None).first()
        if profile is None and report is None:
            earlier = reports.order_by("-finished_at").first()
            if not any(rows_left([person]).values()):
                return _told(earlier)
        if report is None:
            report = ErasureReport(
                subject=person, reason=reason, erased_by_name=_name_of(actor), checks=[]
            )
        plan = _make_plan(person, profile, described)
        plan.originals = originals
        plan.add(_pending(report))
        erased = Counter(report.erased)
        erased.update(_run_handlers(person))
        erased.update(_forget_in_imports(plan.texts))
        report.erased = dict(sorted(erased.items()))
        report.checks = [{"code": PENDING, "sealed": plan.seal()}]
        report.save()
        if profile is not None:
            note_deleted(actor=actor, profile_id=person, reason=reason, report=str(report.pk))
    return report


def _finish(report: ErasureReport) -> ErasureReport:
    """Delete what is left, look whether anything is, and close the report."""
    person, plan = report.subject, _pending(report)
    people = [person, *(UUID(alias) for alias in plan.aliases)]
    files = [StoredFile(**file) for file in plan.files]
    for _ in range(ROUNDS):
        # A camera may have written a row in the very moment; whoever comes later is refused.
        if not any(rows_left(people).values()):
            break
        with transaction.atomic():
            for one in people:
                _run_handlers(one)
    delete_files(file.name for file in files)
    marks = [mark for one in people for mark in (str(one), one.hex)]
    forget_in_cache(marks)
    if plan.originals:
        _remove_originals(plan.uploads)
    note_erasure(Erasure(person, tuple(people[1:]), timezone.now()))
    traces = Traces(
        people=people,
        texts=plan.texts,
        files=files,
        marks=marks,
        uploads=[UUID(upload) for upload in plan.uploads],
    )
    checks, backups = check_traces(traces), _backups(plan, report)
    with transaction.atomic():
        held = ErasureReport.objects.select_for_update().get(pk=report.pk)
        if held.finished_at is None:  # of two at once, one writes the end
            held.checks, held.backups = checks, backups
            held.finished_at = timezone.now()
            held.save(update_fields=["checks", "backups", "finished_at"])
    bad = [check["code"] for check in checks if check["must"] and check["found"]]
    if bad:
        logger.error("Erasure %s has left something: %s", report.pk, ", ".join(bad))
    return held


def _run_handlers(person: UUID) -> Counter[str]:
    # After the profile, in the order of all who work on people: the gallery, reviews, the rest.
    note_change([person])
    reviews = reviews_about(person).select_for_update().order_by("pk")
    list(reviews.values_list("pk", flat=True))
    erased: Counter[str] = Counter()
    for data in all_person_data():
        erased.update({name: count for name, count in data.erase(person).items() if count})
    return erased


def _forget_in_imports(texts: Sequence[str]) -> Counter[str]:
    """Take names out of what imports have refused: folders are called like people."""
    changed = sum(forget_in_reports(text) for text in texts)
    return Counter({"reports of imports": changed} if changed else {})


def _make_plan(person: UUID, profile: Profile | None, known: Mapping[str, StoredFile]) -> Plan:
    merges = list(ProfileMerge.objects.filter(target=person))
    names = _file_names(person)
    new = {file.name: file for file in describe_files(name for name in names if name not in known)}
    missing = StoredFile("", 0, "")
    files = [{**(known.get(n) or new.get(n) or missing).as_data(), "name": n} for n in names]
    texts = [profile.name, profile.email] if profile is not None else []
    joined = [merge for merge in merges if merge.undone_at is None]  # others are somebody else
    for merge in joined:
        texts += [str(merge.source.get(name) or "") for name in ("name", "email")]
    moments = [data.since(person) for data in all_person_data()]
    begins = [moment.astimezone(UTC).isoformat() for moment in moments if moment is not None]
    begins += [str(one.source["created_at"]) for one in joined if one.source.get("created_at")]
    return Plan(
        aliases=[str(merge.source_id) for merge in joined],
        texts=[text for text in dict.fromkeys(texts) if text],
        files=files,
        uploads=_union([], [str(pk) for data in all_person_data() for pk in data.uploads(person)]),
        since=min(begins, default=""),
    )


def _file_names(person: UUID) -> list[str]:
    names = (str(name) for data in all_person_data() for name in data.files(person))
    return list(dict.fromkeys(name for name in names if name))


def _pending(report: ErasureReport) -> Plan:
    for check in report.checks:
        if check.get("code") == PENDING:
            return Plan.unseal(check["sealed"])
    return Plan()


def _remove_originals(ids: list[str]) -> None:
    with transaction.atomic():
        rows = Upload.objects.select_for_update().filter(pk__in=ids, removed_at=None)
        remove_pictures(uploads=list(rows))


def _backups(plan: Plan, report: ErasureReport) -> list[dict[str, Any]]:
    """Name the backups that may hold the person: those made since the oldest of what was known."""
    since = datetime.fromisoformat(plan.since) if plan.since else report.started_at
    return [
        {"file": one.file, "made_at": one.made_at.isoformat(), "is_here": one.is_here}
        for one in backups_since(since)
    ]


def _told(earlier: ErasureReport | None) -> ErasureReport:
    if earlier is None:
        raise ServiceError("not_found", "Nothing is known of such a person.", status=404)
    return earlier


def _name_of(actor: Any) -> str:
    return actor.get_username()[:150] if actor is not None else ""


def _union(first: list[str], second: list[str]) -> list[str]:
    return list(dict.fromkeys([*first, *second]))
