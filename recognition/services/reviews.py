"""Matches that nobody should guess at: asked, answered, learned from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

import numpy as np
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from numpy.typing import ArrayLike

from recognition.errors import ConflictError, GoneError, InvalidError
from recognition.index import Match
from recognition.models import FaceReview, FaceSample, Profile
from recognition.services.files import NewFiles, new_files, read_file
from recognition.services.gallery import note_change
from recognition.services.holding import hold_profiles
from recognition.services.keeping import NewSample, keep_samples, pack, unpack
from recognition.services.negatives import note_not_person
from recognition.services.noting import note
from vision.faces.matching import DEFAULT_RULES

Listener: TypeAlias = "Callable[[FaceReview], None]"

ANSWERS: Final = ("yes", "no", "other")

_listeners: dict[str, list[Listener]] = defaultdict(list)


def register_review_listener(origin: str, listener: Listener) -> None:
    """Have a function called with each review of an origin that is answered.

    It is called in the transaction of the answer, with the review as it is then.
    """
    if listener not in _listeners[origin]:
        _listeners[origin].append(listener)


def open_review(
    *,
    origin: str,
    origin_id: str,
    place: str,
    embedding: ArrayLike,
    model: str,
    crop: bytes,
    quality: Mapping[str, float],
    match: Match,
    asked_by: Any = None,
    seen_at: datetime | None = None,
    among: QuerySet[FaceReview] | None = None,
) -> FaceReview:
    """Ask people whether a face is somebody's; what is asked already is not asked again.

    Args:
        origin: Of `FaceReview.Origin`.
        origin_id: Of what waits for the answer, e.g. a sighting; empty for nothing. At most one
            review of it is open.
        place: For people: where it was.
        embedding: 128 numbers.
        model: Which network made them.
        crop: JPEG of the face, 150x150.
        quality: As `FaceQuality.as_data` tells it.
        match: Who it may be.
        asked_by: Whose picture it is from; None for what cameras and videos have seen.
        seen_at: When; None for now.
        among: Reviews that whoever sees this one sees, too; by default all of the origin and of
            who asks.

    Returns:
        The new review, or the open one that asks the same: of the same origin id, or of those in
        ``among`` about a face as like this one as two of one person are, with the same candidate.

    Raises:
        InvalidError: ``bad_embedding``.
        GoneError: The candidate was deleted.
    """
    data = pack(embedding)
    if match.profile_id is None:
        raise ValueError("nobody is in doubt")
    wanted = {match.profile_id, match.runner_up_id} - {None}
    with new_files() as files, transaction.atomic():
        held = hold_profiles(key for key in wanted if key is not None)
        candidate = held.get(match.profile_id)
        if candidate is None:
            raise GoneError("person")
        if among is None:
            among = FaceReview.objects.filter(origin=origin, asked_by=asked_by)
        asked = _already_asked(origin, origin_id) or _same_doubt(among, candidate, data, model)
        if asked is not None:
            return asked
        review = FaceReview(
            origin=origin,
            origin_id=origin_id,
            asked_by=asked_by,
            place=place[:200],
            seen_at=seen_at or timezone.now(),
            embedding=data,
            model=model,
            quality=dict(quality),
            candidate=candidate,
            distance=match.distance or 0.0,
            probability=match.probability or 0.0,
            runner_up=held.get(match.runner_up_id) if match.runner_up_id else None,
            runner_up_distance=match.runner_up_distance,
        )
        if crop:
            files.save(review.crop, crop)
        review.save(force_insert=True)
    return review


def answer_review(
    *, actor: Any, review: FaceReview, answer: str, profile: Profile | None = None
) -> FaceReview:
    """Write down what a person says, and learn from it.

    "yes" makes the face a sample of the candidate; "no" remembers that it is not them; "other"
    does both for the two people.

    Args:
        actor: Who answers.
        review: To what.
        answer: "yes", "no" or "other".
        profile: Who it is, for "other".

    Raises:
        InvalidError: The answer is none, or names nobody, or the candidate.
        ConflictError: ``already_answered``.
        GoneError: The review or a person was deleted.
    """
    _judge_answer(review, answer, profile)
    with new_files() as files, transaction.atomic():
        about = FaceReview.objects.filter(pk=review.pk).values_list("candidate_id", flat=True)
        people = hold_profiles({*about, *([profile.pk] if profile else [])})
        note_change(people)  # before the review, as merging and erasing do
        held = FaceReview.objects.select_for_update().filter(pk=review.pk).first()
        if held is None or held.candidate_id not in people:
            raise GoneError("question")
        if held.state != FaceReview.State.OPEN:
            raise ConflictError("already_answered", "Somebody else has answered this already.")
        if profile is not None and profile.pk not in people:
            raise GoneError("person")
        candidate = people[held.candidate_id]
        found = {"yes": candidate, "no": None}.get(answer, profile)
        if answer != "yes":
            note_not_person(
                actor=actor,
                profile=candidate,
                embedding=unpack(held.embedding),
                model=held.model,
            )
        if found is not None:
            _learn(actor, found, held, files)
        held.state = _STATES[answer]
        held.answer = found
        held.answered_by = actor
        held.answered_at = timezone.now()
        held.save(update_fields=["state", "answer", "answered_by", "answered_at"])
        note(actor=actor, profile_id=candidate.pk, change="match answered", answer=answer)
        for listener in _listeners[held.origin]:
            listener(held)
    return held


def _learn(actor: Any, profile: Profile, review: FaceReview, files: NewFiles) -> None:
    """Make the face of a review a sample of a person who is held."""
    sample = NewSample(
        embedding=unpack(review.embedding),
        model=review.model,
        crop=read_file(review.crop),
        quality=review.quality,
    )
    source = FaceSample.Source.REVIEW
    keep_samples(actor=actor, profile=profile, samples=[sample], source=source, files=files)
    note(actor=actor, profile_id=profile.pk, change="sample added", source=str(source))


_STATES: Final = {
    "yes": FaceReview.State.CONFIRMED,
    "no": FaceReview.State.REJECTED,
    "other": FaceReview.State.REASSIGNED,
}


def _judge_answer(review: FaceReview, answer: str, profile: Profile | None) -> None:
    if answer not in ANSWERS:
        raise InvalidError({"answer": f"Answer {', '.join(ANSWERS[:-1])} or {ANSWERS[-1]}."})
    if answer == "other" and profile is None:
        raise InvalidError({"profile": "Say who it is."})
    if answer == "other" and profile is not None and profile.pk == review.candidate_id:
        raise InvalidError({"profile": "That is who was asked about: answer yes."})


def _already_asked(origin: str, origin_id: str) -> FaceReview | None:
    """Return the open review of what waits for the answer."""
    if not origin_id:
        return None
    waiting = FaceReview.objects.filter(state=FaceReview.State.OPEN)
    return waiting.filter(origin=origin, origin_id=origin_id).first()


def _same_doubt(
    among: QuerySet[FaceReview], candidate: Profile, data: bytes, model: str
) -> FaceReview | None:
    """Return the open review that asks the same of a face like this one."""
    probe = unpack(data)
    for review in among.filter(state=FaceReview.State.OPEN, candidate=candidate, model=model):
        if np.linalg.norm(unpack(review.embedding) - probe) <= DEFAULT_RULES.threshold:
            return review
    return None
