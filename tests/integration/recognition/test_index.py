"""All samples in memory: in step with the database, other threads and other processes."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from recognition.errors import EnrolmentError
from recognition.index import FaceIndex, decide_track, forget_index, match_faces, still_there
from recognition.models import FaceSample, GalleryChange, NegativeEvidence, Profile
from recognition.services.consent import publish_consent_text, record_consent, withdraw_consent
from recognition.services.gallery import current_version, note_change
from recognition.services.negatives import note_not_person
from recognition.services.profiles import create_profile
from recognition.services.samples import delete_sample, move_samples
from tests.integration.recognition.conftest import give_sample
from tests.made_faces import EMBEDDER, face_of
from tests.processes import ROOT, Installation, installation
from vision.errors import VisionError
from vision.faces.structures import FaceQuality
from vision.faces.voting import TrackVotes

pytestmark = pytest.mark.django_db

MakePerson = Callable[..., Profile]


def who(face: int, **options: Any) -> UUID | str | None:
    probe = face_of(face, distance=0.02)
    [match] = match_faces([probe], **{"model": EMBEDDER, **options})
    return match.profile_id if match.state == "known" else match.state


def test_an_empty_gallery_knows_nobody() -> None:
    [match] = match_faces([face_of(1)], model=EMBEDDER)
    assert (match.state, match.profile_id, match.distance) == ("unknown", None, None)
    assert match_faces(np.empty((0, 128)), model=EMBEDDER) == []
    assert match_faces([], model=EMBEDDER) == []
    assert still_there([]) == set()
    assert current_version() == 0


def test_a_person_is_known_with_distance_probability_and_runner_up(
    make_person: MakePerson,
) -> None:
    ada, bob = make_person("Ada", 1, samples=2), make_person("Bob", 2)
    near, far = match_faces([face_of(1, distance=0.1), face_of(3)], model=EMBEDDER)
    assert (near.state, near.profile_id, near.runner_up_id) == ("known", ada.pk, bob.pk)
    assert near.distance is not None
    assert near.runner_up_distance is not None
    assert near.probability is not None
    assert near.distance < 0.2 < 1.0 < near.runner_up_distance
    assert near.probability > 0.9
    assert (far.state, far.profile_id, far.runner_up_id) == ("unknown", None, None)


@pytest.mark.parametrize(
    "probe", [np.zeros((1, 64)), np.zeros(64), np.zeros((1, 2, 128))], ids=["short", "flat", "deep"]
)
def test_a_probe_of_a_wrong_size_is_refused(probe: Any, make_person: MakePerson) -> None:
    make_person("Ada", 1)
    with pytest.raises(VisionError):
        match_faces(probe, model=EMBEDDER)


def test_a_probe_that_is_no_number_is_unknown(make_person: MakePerson) -> None:
    make_person("Ada", 1)
    [match] = match_faces(np.full((1, 128), np.nan), model=EMBEDDER)
    assert match.state == "unknown"


def test_only_samples_of_the_same_network_are_compared(make_person: MakePerson) -> None:
    ada, bob = make_person("Ada", 1), make_person("Bob", 2)
    give_sample(bob, 1, model="another")
    assert who(1) == ada.pk
    assert who(1, model="another") == bob.pk
    assert who(1, model="a third") == "unknown"


def test_every_change_is_known_at_once(make_person: MakePerson, user: Any) -> None:
    ada, bob = make_person("Ada", 1), make_person("Bob", 2)
    assert (who(1), who(2), who(3)) == (ada.pk, bob.pk, "unknown")
    sample = give_sample(ada, 3)
    assert who(3) == ada.pk
    move_samples(actor=user, samples=[sample], target=bob)
    assert who(3) == bob.pk
    delete_sample(actor=user, sample=sample)
    assert who(3) == "unknown"
    note_not_person(actor=user, profile=ada, embedding=face_of(1, distance=0.02), model=EMBEDDER)
    assert who(1) != ada.pk
    bob.delete()
    assert who(2) == "unknown"
    assert still_there([ada.pk, bob.pk]) == {ada.pk}


def test_who_withdraws_is_not_found_among_those_who_have_agreed(
    make_person: MakePerson, user: Any
) -> None:
    publish_consent_text(actor=user, text="I agree.")
    ada, bob = make_person("Ada", 1), make_person("Bob", 2)
    record_consent(actor=user, profile=ada)
    assert (who(1, consented_only=True), who(2, consented_only=True)) == (ada.pk, "unknown")
    assert still_there([ada.pk, bob.pk], consented_only=True) == {ada.pk}
    withdraw_consent(actor=user, profile=ada)
    assert who(1, consented_only=True) == "unknown"
    assert still_there([ada.pk], consented_only=True) == set()
    assert (who(1), who(2)) == (ada.pk, bob.pk)


@pytest.mark.parametrize("table", [FaceSample, NegativeEvidence])
def test_a_stored_embedding_of_a_wrong_size_is_logged_and_left_out(
    make_person: MakePerson, table: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ada = make_person("Ada Lovelace", 1)
    wrong = [b"", b"\x00" * 508, b"\x00" * 1024]
    rows = [table(profile=ada, model=EMBEDDER, embedding=data) for data in wrong]
    nothing = np.full(128, np.nan, "<f4").tobytes()
    table.objects.bulk_create([*rows, table(profile=ada, model=EMBEDDER, embedding=nothing)])
    note_change([ada.pk])
    with caplog.at_level(logging.ERROR, "recognition.index"):
        assert who(1) == ada.pk
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 3
    assert all(any(str(row.pk) in line for line in told) for row in rows)
    assert "Lovelace" not in str(told)


def test_a_search_costs_one_small_query(make_person: MakePerson) -> None:
    make_person("Ada", 1)
    who(1)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        for _ in range(3):
            who(1)
    assert len(seen) == 3
    assert all("gallerystate" in query["sql"] for query in seen.captured_queries)


def test_a_change_reads_only_who_has_changed(make_person: MakePerson) -> None:
    ada, bob = make_person("Ada", 1), make_person("Bob", 2)
    who(1)
    give_sample(bob, 3)
    with CaptureQueriesContext(connection) as seen:
        assert who(3) == bob.pk
    texts = [query["sql"] for query in seen.captured_queries]
    assert len(texts) == 6  # version, log, profiles, consents, samples, negatives
    assert not any(ada.pk.hex in text.replace("-", "") for text in texts)


def test_an_index_that_is_too_old_reads_everything(make_person: MakePerson) -> None:
    ada = make_person("Ada", 1)
    assert who(1) == ada.pk
    bob = make_person("Bob", 2)
    GalleryChange.objects.filter(version__lt=current_version()).delete()
    assert (who(1), who(2)) == (ada.pk, bob.pk)
    carl = make_person("Carl", 3)
    GalleryChange.objects.all().delete()
    assert who(3) == carl.pk


def test_what_was_rolled_back_is_forgotten_again(make_person: MakePerson) -> None:
    ada = make_person("Ada", 1)
    with transaction.atomic():
        give_sample(ada, 2)
        assert who(2) == ada.pk  # as the transaction sees it
        transaction.set_rollback(True)
    assert (who(1), who(2)) == (ada.pk, "unknown")
    bob = make_person("Bob", 3)
    assert (who(2), who(3)) == ("unknown", bob.pk)


def test_many_changes_at_once_are_read_as_one(user: Any) -> None:
    assert who(1) == "unknown"
    people = [Profile.objects.create(name=f"P{number}", kind="customer") for number in range(600)]
    FaceSample.objects.bulk_create(
        FaceSample(profile=person, model=EMBEDDER, embedding=face_of(number).tobytes())
        for number, person in enumerate(people)
    )
    note_change(person.pk for person in people)
    with CaptureQueriesContext(connection) as seen:
        assert who(599) == people[599].pk
    assert len(seen) <= 7
    assert who(0) == people[0].pk


def test_a_track_is_decided_by_its_votes(make_person: MakePerson, user: Any) -> None:
    ada = make_person("Ada", 1, samples=2)
    make_person("Bob", 2)
    votes = TrackVotes()
    assert decide_track(votes, model=EMBEDDER) is None
    good = FaceQuality(size=150.0, sharpness=0.9, yaw=0.0, pitch=0.0, roll=0.0)
    for number in range(5):
        votes.add(face_of(1, distance=0.02 * number), good, float(number), b"")
    match = decide_track(votes, model=EMBEDDER)
    assert match is not None
    assert (match.state, match.profile_id) == ("known", ada.pk)
    match = decide_track(votes, model=EMBEDDER, consented_only=True)
    assert match is None or match.state == "unknown"


@pytest.mark.django_db(transaction=True)
def test_workers_that_enrol_at_once_lose_nothing(user: Any) -> None:
    """Each thread enrols; one searches all the time and never sees less than before."""
    people = [create_profile(actor=user, kind="customer", name=f"P{n}") for n in range(4)]
    index, seen, over = FaceIndex(), [0], threading.Event()
    failures: list[BaseException] = []

    @contextmanager
    def watched() -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    def enrol(number: int) -> None:
        with watched():
            for count in range(8):
                person = people[(number + count % 2) % 4]  # now and then the same as another's
                give_sample(person, 100 * number + count, actor=user)

    def search() -> None:
        with watched():
            while not over.is_set():
                known = len(index.gallery(EMBEDDER, consented_only=False).arrays)
                assert known >= seen[-1]
                seen.append(known)
                time.sleep(0.002)

    workers = [threading.Thread(target=enrol, args=(number,)) for number in range(4)]
    searcher = threading.Thread(target=search)
    for thread in (*workers, searcher):
        thread.start()
    for thread in workers:
        thread.join(60)
    over.set()
    searcher.join(10)
    assert not failures
    assert FaceSample.objects.count() == 32
    assert len(index.gallery(EMBEDDER, consented_only=False).arrays) == 32
    versions = GalleryChange.objects.values_list("version", flat=True)
    assert len(set(versions)) == 32  # each change has one of its own
    assert max(versions) == current_version()
    for person in people:
        person.refresh_from_db()
        assert person.photo.name


@pytest.mark.django_db(transaction=True)
def test_only_one_of_two_who_enrol_the_same_photo_at_once_gets_it(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recognition.services import enrolling
    from recognition.services.keeping import NewSample

    people = [create_profile(actor=user, kind="customer", name=name) for name in ("Ada", "Bob")]
    start, outcomes = threading.Barrier(2), []

    def look(data: bytes, *, here: bool | None = None) -> NewSample:
        digest = enrolling.sha256_of(data)
        start.wait(5)  # both have looked before one writes
        return NewSample(embedding=face_of(1), model=EMBEDDER, sha256=digest)

    monkeypatch.setattr(enrolling, "sample_from", look)

    def enrol(profile: Profile) -> None:
        try:
            enrolling.enrol_picture(
                actor=user, profile=profile, data=b"photo", source="upload", confirm=True
            )
            outcomes.append("enrolled")
        except EnrolmentError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=enrol, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["enrolled", "same_photo"]
    assert FaceSample.objects.count() == 1


CHILD = """
import sys
import django
django.setup()
from recognition.index import match_faces
from recognition.models import FaceSample, Profile
from recognition.services import consent, profiles, samples
from tests.made_faces import EMBEDDER, face_of

def who(face, **options):
    [match] = match_faces([face_of(face, distance=0.02)], model=EMBEDDER, **options)
    return f"{match.state} {match.profile_id}"

print("ready", flush=True)
for line in sys.stdin:
    print(eval(line), flush=True)
"""


class Child:
    """Another process, which does what it is told to and says what came of it."""

    def __init__(self, made: Installation) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD],
            cwd=ROOT,
            env=made.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Child:
        assert self._line() == "ready"
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait(10)

    def tell(self, code: str) -> str:
        assert self.process.stdin is not None
        print(code, file=self.process.stdin, flush=True)
        return self._line()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_processes_have_one_index(tmp_path: Path) -> None:
    with installation(tmp_path, REDIS_URL="") as made:
        migrated = made.manage("migrate", "--verbosity", "0")
        assert migrated.returncode == 0, migrated.stderr
        with Child(made) as searcher, Child(made) as worker:
            assert searcher.tell("who(1)") == "unknown None"
            person = worker.tell(
                "profiles.create_profile(actor=None, kind='customer', name='Ada').pk"
            )
            worker.tell(
                "samples.add_sample(actor=None, profile=Profile.objects.get(), model=EMBEDDER, "
                "embedding=face_of(1), crop=b'', quality={}, source='upload')"
            )
            known = f"known {person}"
            assert searcher.tell("who(1)") == known
            assert searcher.tell("who(1, consented_only=True)") == "unknown None"
            worker.tell("consent.publish_consent_text(actor=None, text='I agree.')")
            worker.tell("consent.record_consent(actor=None, profile=Profile.objects.get())")
            assert searcher.tell("who(1, consented_only=True)") == known
            worker.tell("consent.withdraw_consent(actor=None, profile=Profile.objects.get())")
            assert searcher.tell("who(1, consented_only=True)") == "unknown None"
            assert searcher.tell("who(1)") == worker.tell("who(1)") == known
            worker.tell("samples.delete_sample(actor=None, sample=FaceSample.objects.get())")
            assert searcher.tell("who(1)") == "unknown None"


def test_an_index_that_is_told_to_forgets(make_person: MakePerson) -> None:
    ada = make_person("Ada", 1)
    assert who(1) == ada.pk
    FaceSample.objects.all().delete()  # behind its back
    assert who(1) == ada.pk
    forget_index()
    assert who(1) == "unknown"
