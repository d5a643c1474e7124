"""All samples in memory, and who a face is by them.

Each process keeps the samples as arrays and asks the database for one number before each search:
the version of the gallery. When that has grown, it reads the people that the log of changes names;
when the log does not reach back to what it knows, it reads everything.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.db.models import QuerySet
from numpy.typing import ArrayLike, NDArray

from recognition.models import Consent, FaceSample, GalleryChange, NegativeEvidence, Profile
from recognition.models.samples import EMBEDDING_BYTES
from recognition.services.gallery import current_version
from vision.faces.matching import DEFAULT_RULES, FaceMatch, GalleryArrays, search
from vision.faces.structures import EMBEDDING_SIZE
from vision.faces.voting import TrackVotes

logger = logging.getLogger(__name__)

MANY: Final = 500
"""When so many people have changed, reading everything is cheaper."""

LONGEST: Final = 10.0
"""Of an embedding: far more than any network makes."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Match:
    """Who a face is.

    Attributes:
        state: "known", "uncertain" (a person should decide) or "unknown".
        profile_id: The best candidate; None for an unknown face.
        distance: To the nearest of their samples.
        probability: 0..1 that it is them, calibrated.
        runner_up_id: The best other candidate.
        runner_up_distance: To the nearest of theirs.
    """

    state: str
    profile_id: UUID | None = None
    distance: float | None = None
    probability: float | None = None
    runner_up_id: UUID | None = None
    runner_up_distance: float | None = None


def match_faces(
    embeddings: ArrayLike,
    *,
    model: str,
    consented_only: bool = False,
) -> list[Match]:
    """Return who each face is, by the samples as they are now.

    Args:
        embeddings: (N, 128); a row with NaN is unknown.
        model: Which network made them; only its samples are compared.
        consented_only: Look only among people who have agreed.

    Raises:
        VisionError: The embeddings have another size.
    """
    probes = np.asarray(embeddings, dtype=np.float32)
    if probes.size == 0:
        return []
    gallery = _index.gallery(model, consented_only=consented_only)
    if probes.ndim != 2:
        search(gallery.arrays, probes, DEFAULT_RULES)  # says what is wrong
    faces = np.asarray(np.isfinite(probes).all(axis=1))
    found = iter(search(gallery.arrays, probes[faces], DEFAULT_RULES))
    return [gallery.translate(next(found)) if face else Match("unknown") for face in faces.tolist()]


def decide_track(votes: TrackVotes, *, model: str, consented_only: bool = False) -> Match | None:
    """Return who somebody is who was seen several times; None while that is not enough.

    Args:
        votes: The best faces so far.
        model: Which network made their embeddings.
        consented_only: Look only among people who have agreed.
    """
    gallery = _index.gallery(model, consented_only=consented_only)
    match = votes.decide(gallery.arrays, DEFAULT_RULES)
    return None if match is None else gallery.translate(match)


def still_there(profile_ids: Iterable[UUID], *, consented_only: bool = False) -> set[UUID]:
    """Return which of these people may still be recognised: not erased, consent not withdrawn."""
    return _index.still_there(profile_ids, consented_only=consented_only)


def forget_index() -> None:
    """Have everything read again at the next search."""
    _index.forget()


@dataclass(slots=True)
class Person:
    """What is known of one person.

    Attributes:
        number: What the arrays call them; a new one each time they are read.
        samples: Embeddings by the network that made them, (N, 128).
        negatives: Faces that are not this person, likewise.
    """

    number: int
    threshold: float | None = None
    consented: bool = False
    samples: dict[str, Vectors] = field(default_factory=dict)
    negatives: dict[str, Vectors] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gallery:
    """Samples of one network as they were at one version; never changed."""

    arrays: GalleryArrays
    ids: dict[int, UUID]

    def translate(self, match: FaceMatch) -> Match:
        """Return a match with the ids of people."""
        return Match(
            state=match.state,
            profile_id=None if match.owner is None else self.ids[match.owner],
            distance=match.distance,
            probability=match.probability,
            runner_up_id=None if match.runner_up is None else self.ids[match.runner_up],
            runner_up_distance=match.runner_up_distance,
        )


class FaceIndex:
    """The samples of this process; from any thread.

    Who searches gets a `Gallery` that nobody changes, so that searches wait for nothing but the
    reading of what is new.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = -1
        self._people: dict[UUID, Person] = {}
        self._galleries: dict[tuple[str, bool], Gallery] = {}

    def gallery(self, model: str, *, consented_only: bool) -> Gallery:
        """Return the samples as they are now."""
        with self._lock:
            self._follow()
            known = self._galleries.get((model, consented_only))
            if known is None:
                known = _build(self._people, model, consented_only=consented_only)
                self._galleries[model, consented_only] = known
            return known

    def still_there(self, profile_ids: Iterable[UUID], *, consented_only: bool) -> set[UUID]:
        """Return which of these people may still be recognised."""
        with self._lock:
            self._follow()
            found = {key: self._people.get(key) for key in profile_ids}
        return {
            key
            for key, person in found.items()
            if person is not None and (person.consented or not consented_only)
        }

    def forget(self) -> None:
        """Have everything read again."""
        with self._lock:
            self._version = -1

    def _follow(self) -> None:
        """Read what has changed. The version is read first: what comes later is read again."""
        version = current_version()
        if version == self._version:
            return
        changed = self._changed_since(self._version) if version > self._version > 0 else None
        if changed is None or len(changed) > MANY:
            self._people = _read(None)
        else:
            for profile_id in changed:
                self._people.pop(profile_id, None)
            self._people |= _read(changed)
        self._galleries.clear()
        self._version = version

    def _changed_since(self, version: int) -> list[UUID] | None:
        """Return who has changed; None when the log does not reach back so far."""
        rows = GalleryChange.objects.filter(version__gte=version).values_list(
            "version", "profile_id"
        )
        log = list(rows)
        if not any(at == version for at, _ in log):
            return None
        return sorted({profile_id for at, profile_id in log if at > version})


_numbers = itertools.count()
_index = FaceIndex()


def _read(profile_ids: Sequence[UUID] | None) -> dict[UUID, Person]:
    """Read people with what is known of their faces; all of them, or these."""
    chosen = {} if profile_ids is None else {"profile__in": profile_ids}
    profiles = Profile.objects.order_by()
    if profile_ids is not None:
        profiles = profiles.filter(pk__in=profile_ids)
    people = {
        pk: Person(next(_numbers), threshold)
        for pk, threshold in profiles.values_list("pk", "threshold")
    }
    consents = Consent.objects.filter(withdrawn_at=None, **chosen).order_by()
    for profile_id in consents.values_list("profile_id", flat=True):
        if profile_id in people:
            people[profile_id].consented = True
    for rows, name in (
        (FaceSample.objects.filter(**chosen), "samples"),
        (NegativeEvidence.objects.filter(**chosen), "negatives"),
    ):
        for profile_id, vectors in _read_vectors(rows, name).items():
            if profile_id in people:
                setattr(people[profile_id], name, vectors)
    return people


def _read_vectors(rows: QuerySet[Any], name: str) -> dict[UUID, dict[str, Vectors]]:
    """Return embeddings by person and network; one that is none is logged and left out."""
    parts: dict[UUID, dict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    columns = rows.order_by().values_list("pk", "profile_id", "model", "embedding")
    for pk, profile_id, model, embedding in columns.iterator(chunk_size=5_000):
        data = bytes(embedding)
        if len(data) != EMBEDDING_BYTES:
            logger.error(
                "%s %s is left out: its embedding has %d bytes, not %d",
                *(name, pk, len(data), EMBEDDING_BYTES),
            )
            continue
        parts[profile_id][model].append(data)
    return {
        profile_id: {model: _vectors(found) for model, found in by_model.items()}
        for profile_id, by_model in parts.items()
    }


def _vectors(parts: list[bytes]) -> Vectors:
    whole: Vectors = np.frombuffer(b"".join(parts), dtype="<f4").reshape(-1, EMBEDDING_SIZE)
    sane = np.linalg.norm(whole, axis=1) <= LONGEST  # also false for what is not finite
    return np.asarray(whole[sane], np.float32)


def _build(people: dict[UUID, Person], model: str, *, consented_only: bool) -> Gallery:
    """Put the samples of one network into arrays, ordered by person."""
    chosen = [
        (person, person.samples[model])
        for person in people.values()
        if model in person.samples and (person.consented or not consented_only)
    ]
    chosen.sort(key=lambda pair: pair[0].number)
    against = [
        (person.number, person.negatives[model])
        for person, _ in chosen
        if model in person.negatives
    ]
    ids = {person.number: profile_id for profile_id, person in people.items()}
    owners, embeddings = _stack([(person.number, vectors) for person, vectors in chosen])
    negative_owners, negatives = _stack(against)
    return Gallery(
        GalleryArrays(
            owners=owners,
            embeddings=embeddings,
            thresholds={
                person.number: person.threshold
                for person, _ in chosen
                if person.threshold is not None
            },
            negatives=negatives,
            negative_owners=negative_owners,
        ),
        ids,
    )


def _stack(parts: list[tuple[int, Vectors]]) -> tuple[NDArray[np.int64], Vectors]:
    if not parts:
        return np.empty(0, np.int64), np.empty((0, EMBEDDING_SIZE), np.float32)
    owners = np.repeat(
        np.array([number for number, _ in parts], np.int64), [len(rows) for _, rows in parts]
    )
    return owners, np.concatenate([rows for _, rows in parts])
