"""Who is told whom a photo shows already, and what is asked before it is enrolled."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from common.jobs import runner, services
from common.models import Job
from recognition.errors import EnrolmentError, GoneError
from recognition.models import PrivacySettings, Profile
from recognition.services import import_people
from recognition.services.consent import publish_consent_text, record_consent
from recognition.services.erasing import erase_person
from recognition.services.import_reports import forget_in_reports, report_for, report_of
from recognition.services.importing import start_import
from recognition.services.samples import add_sample, enrol_picture
from tests.integration.detector.conftest import picture
from tests.integration.recognition.known_people import places_with
from tests.integration.recognition.made_people import (  # noqa: F401
    add_face,
    check_refused,
    client_of,
    faces,
    lines,
    made,
    make_person,
    operator,
    post_picture,
)
from tests.made_faces import EMBEDDER, FakeFaces, face_of

pytestmark = pytest.mark.django_db

RULES = [
    ("at first", {}, False, True),
    ("not in uploads", {"recognise_uploads": False}, True, False),
    ("only with consent", {"uploads_need_consent": True}, False, False),
    ("agreed", {"uploads_need_consent": True}, True, True),
]


@pytest.fixture
def quiet_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bells of jobs that the tests work on themselves would wait for the next worker."""
    monkeypatch.setattr(services, "ring", lambda job: True)


def set_privacy(**fields: bool) -> None:
    PrivacySettings.objects.update_or_create(pk=1, defaults=fields)


def person_who(*, agrees: bool) -> Profile:
    publish_consent_text(actor=None, text="I agree.")
    person = make_person("Barack", 1)
    if agrees:
        record_consent(actor=None, profile=person)
    return person


@pytest.mark.parametrize(
    ("fields", "agrees", "named"), [row[1:] for row in RULES], ids=[row[0] for row in RULES]
)
def test_whom_a_photo_looks_like_is_said_where_uploads_may_be_recognised(
    faces: FakeFaces,  # noqa: F811
    user: Any,
    fields: dict[str, bool],
    agrees: bool,
    named: bool,
) -> None:
    person, other = person_who(agrees=agrees), make_person("Somebody")
    set_privacy(**fields)
    faces.scene = [made(1, distance=0.1)]
    client = Client()
    client.force_login(user)
    for address in ("/people/judge/", f"/people/{other.pk}/samples/"):
        file = SimpleUploadedFile("photo.jpg", picture(640, 480), "image/jpeg")
        answer = client.post(address, {"picture": file}, headers={"accept": "application/json"})
        text = answer.content.decode()
        assert ("Barack" in text, str(person.pk) in text) == (named, named)
        assert named or "ooks like somebody" in text  # that somebody does is said in any case
    assert answer.json()["error"]["code"] == "looks_like"
    told = lines(action="viewed", details__what="looks_like")
    assert [line.object_id for line in told] == [str(person.pk)] * (2 if named else 0)
    assert not other.samples.exists()


def test_a_photo_that_looks_like_nobody_is_a_good_one(faces: FakeFaces, user: Any) -> None:  # noqa: F811
    faces.scene = [made(1)]
    client = Client()
    client.force_login(user)
    for _ in range(2):
        file = SimpleUploadedFile("photo.jpg", picture(640, 480), "image/jpeg")
        judged = client.post("/people/judge/", {"picture": file}).json()
        assert judged == {"code": "", "sentence": "A good photo.", "looks_like": None}
        make_person("Far", 2)
    assert not lines(action="viewed")


@pytest.mark.parametrize("confirm", [False, True])
def test_a_face_unlike_the_others_of_a_person_is_asked_about(
    faces: FakeFaces,  # noqa: F811
    operator: Any,  # noqa: F811
    confirm: bool,
) -> None:
    person = make_person("Ada")
    faces.scene = [made(1)]
    path = f"/api/people/{person.pk}/samples/"
    assert post_picture(operator, path).status_code == 201  # of the first one nobody can say that
    faces.scene = [made(2)]
    flag = {"confirm": "true"} if confirm else {}
    answer = post_picture(operator, path, picture(320, 240), **flag)
    if confirm:
        assert answer.status_code == 201, answer.content
    else:
        check_refused(answer, 409, "differs")
    assert person.samples.count() == 1 + confirm


@pytest.mark.parametrize(
    ("distance", "threshold", "model", "taken"),
    [
        (0.1, None, EMBEDDER, True),
        (0.58, None, EMBEDDER, True),
        (0.62, None, EMBEDDER, False),
        (0.62, 0.7, EMBEDDER, True),
        (0.62, 0.3, EMBEDDER, False),
        (0.62, None, "another-network", True),
    ],
    ids=["like", "perhaps", "unlike", "wide", "narrow", "other network"],
)
def test_unlike_is_what_nobody_would_be_asked_about(
    faces: FakeFaces,  # noqa: F811
    user: Any,
    distance: float,
    threshold: float | None,
    model: str,
    taken: bool,
) -> None:
    person = make_person("Ada", threshold=threshold)
    for number, face in enumerate((face_of(1), face_of(3))):  # the nearest one counts
        add_sample(
            actor=None,
            profile=person,
            embedding=face,
            model=model,
            crop=b"",
            quality={"size": 100.0 + number},
            source="upload",
        )
    faces.scene = [made(1, distance=distance)]
    given = {"actor": user, "profile": person, "data": picture(640, 480), "source": "upload"}
    if taken:
        assert enrol_picture(**given).profile == person
        return
    with pytest.raises(EnrolmentError) as caught:
        enrol_picture(**given)
    assert (caught.value.code, caught.value.status) == ("differs", 409)


def archive(**entries: bytes) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, data in entries.items():
            packed.writestr(f"{name}/1.jpg", data)
    return file


def run(job: Job) -> Job:
    runner.execute_job(job.pk)
    job.refresh_from_db()
    return job


@pytest.mark.django_db(transaction=True)
def test_the_report_of_an_import_names_others_only_while_it_is_looked_at(
    faces: FakeFaces,  # noqa: F811
    user: Any,
    quiet_bells: None,
) -> None:
    person, photo = make_person("Barack", 1), picture(640, 480)
    faces.scene = [made(1)]
    file = archive(Eve=photo)
    job = run(start_import(actor=user, file=file, kind="customer", consent=False))
    [refused] = report_of(job).refused
    assert (refused.code, refused.profile) == ("looks_like", str(person.pk))
    assert places_with("Barack") == {"recognition_profile.name"}
    client = client_of(user)
    [shown] = client.get(f"/api/people/import/{job.pk}/").json()["report"]["refused"]
    assert (shown["message"], shown["profile"]) == ("This face looks like Barack.", str(person.pk))
    page = Client()
    page.force_login(user)
    assert "looks like Barack" in page.get(f"/people/import/{job.pk}/").content.decode()
    assert len(lines(details__what="people in an import's report")) == 2
    Job.objects.filter(pk=job.pk).update(state="running")
    [at_work] = client.get(f"/api/people/import/{job.pk}/").json()["report"]["refused"]
    assert (at_work["message"], at_work["profile"]) == (
        "This face looks like somebody else already.",
        "",
    )
    Job.objects.filter(pk=job.pk).update(state="done")
    set_privacy(recognise_uploads=False)
    assert "Barack" not in str(report_for(user, job))
    set_privacy(recognise_uploads=True)
    erase_person(actor=None, profile_id=person.pk, reason="request")
    assert [row.message for row in report_for(user, job).refused] == [at_work["message"]]
    assert places_with("Barack") == set()


@pytest.mark.django_db(transaction=True)
def test_a_name_that_is_forgotten_while_an_import_works_stays_forgotten(
    faces: FakeFaces,  # noqa: F811
    user: Any,
    quiet_bells: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add, forgotten = import_people._Importer.add_person, []

    def forget(self: Any, person: str, *args: Any) -> Any:
        if person == "Cleo":
            forgotten.append(forget_in_reports("Amy"))
        return add(self, person, *args)

    monkeypatch.setattr(import_people._Importer, "add_person", forget)
    file = archive(Amy=b"words", Bea=b"words", Cleo=b"words")
    job = run(start_import(actor=user, file=file, kind="customer", consent=False))
    assert (job.state, forgotten) == ("done", [1])
    report = report_of(job)
    assert [row.name for row in report.refused] == ["Bea/1.jpg", "Cleo/1.jpg"]
    assert (report.done, report.more) == (3, 1)
    assert "Amy" not in str(job.payload)


@pytest.mark.django_db(transaction=True)
def test_an_import_outlives_somebody_who_is_erased_at_the_wrong_moment(
    faces: FakeFaces,  # noqa: F811
    user: Any,
    quiet_bells: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_person("Amy")
    hold, gone = import_people.hold_profile, [GoneError("person")]

    def hold_late(profile_id: Any) -> Profile:
        if gone:
            raise gone.pop()
        return hold(profile_id)

    monkeypatch.setattr(import_people, "hold_profile", hold_late)
    faces.scene = [made(1)]
    file = archive(Amy=picture(640, 480))
    job = run(start_import(actor=user, file=file, kind="customer", consent=False))
    report = report_of(job)
    assert (job.state, report.done, report.known, gone) == ("done", 1, 1, [])
