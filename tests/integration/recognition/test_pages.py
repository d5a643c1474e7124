"""The pages of people: who may, what they say, and what they refuse."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from common.models import AuditEntry, Job
from recognition.index import Match
from recognition.models import ConsentText, ErasureReport, FaceReview, NegativeEvidence, Profile
from recognition.services.consent import publish_consent_text
from recognition.services.importing import JOB_KIND
from recognition.services.privacy import change_privacy
from recognition.services.reviews import open_review
from tests.integration.conftest import make_user
from tests.made_faces import EMBEDDER, face_of
from video_analysis.cameras.models import Area
from video_analysis.cameras.services.cameras import create_camera
from video_analysis.models import Sighting
from video_analysis.retail.models import Visit

pytestmark = pytest.mark.django_db

JSON = {"HTTP_ACCEPT": "application/json"}
GOOD = "known/train/obama/obama.jpg"
OTHER = "known/train/obama/obama2.jpg"
TWO = "known/test/obama_and_biden.jpg"
SOMEBODY = str(uuid.UUID(int=7))
DETAILS = {"kind": "customer", "name": "Ada", "email": "", "preferences": "", "notes": ""}


@pytest.fixture
def admin(administrator: Any) -> Client:
    client = Client()
    client.force_login(administrator)
    return client


@pytest.fixture
def review(make_person: Callable[..., Profile]) -> FaceReview:
    """Somebody at the entrance who may be Ada."""
    ada = make_person("Ada", 1, samples=2)
    return ask_about(ada, 1, origin_id="1")


def ask_about(person: Profile, face: int, *, origin_id: str) -> FaceReview:
    return open_review(
        origin=FaceReview.Origin.PICTURE,
        origin_id=origin_id,
        place="Entrance",
        embedding=face_of(face, distance=0.5),
        model=EMBEDDER,
        crop=b"a face",
        quality={"size": 90.0, "sharpness": 0.7},
        match=Match("uncertain", person.pk, 0.5, 0.7),
    )


def a_picture(data: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/jpeg")


PAGES = [
    ("get", "/people/"),
    ("get", "/people/new/"),
    ("post", "/people/new/"),
    ("post", "/people/judge/"),
    ("get", "/people/suggest/"),
    ("get", "/people/recognise/"),
    ("post", "/people/recognise/"),
    ("post", "/people/recognise/not/"),
    ("post", "/people/recognise/name/"),
    ("get", "/people/reviews/"),
    ("post", "/people/reviews/{review}/"),
    ("get", "/people/import/"),
    ("post", "/people/import/"),
    ("get", "/people/import/{job}/"),
    ("post", "/people/import/{job}/cancel/"),
    ("get", "/people/{person}/"),
    ("get", "/people/{person}/edit/"),
    ("post", "/people/{person}/edit/"),
    ("post", "/people/{person}/consent/"),
    ("post", "/people/{person}/merge/"),
    ("post", f"/people/{{person}}/merges/{SOMEBODY}/undo/"),
    ("get", "/people/{person}/photos/"),
    ("post", "/people/{person}/samples/"),
    ("post", "/people/{person}/samples/delete/"),
    ("post", "/people/{person}/samples/move/"),
    ("post", "/people/{person}/samples/split/"),
]
ADMINISTRATORS = [
    ("get", "/people/{person}/export/"),
    ("get", "/people/{person}/erase/"),
    ("post", "/people/{person}/erase/"),
    ("get", "/people/privacy/"),
    ("post", "/people/privacy/"),
    ("post", "/people/privacy/text/"),
    ("get", "/people/erasures/{report}/"),
]
PICTURES = [
    "/people/{person}/photo.jpg",
    "/people/samples/{sample}/face.jpg",
    "/people/reviews/{review}/face.jpg",
]


def addresses(review: FaceReview, owner: Any) -> dict[str, Any]:
    report = ErasureReport.objects.create(subject=uuid.uuid4(), reason="request")
    job = Job.objects.create(kind=JOB_KIND, owner=owner, state="done")
    person = review.candidate
    sample = person.samples.get(crop__contains=str(person.samples.first().pk.hex))
    return {
        "review": review.pk,
        "person": person.pk,
        "sample": sample.pk,
        "report": report.pk,
        "job": job.pk,
    }


@pytest.mark.parametrize(("method", "address"), [*PAGES, *ADMINISTRATORS])
def test_viewers_see_nobody(
    review: FaceReview, user: Any, viewer: Any, method: str, address: str
) -> None:
    place = address.format(**addresses(review, user))
    client = Client()
    asked = getattr(client, method)(place)
    assert asked.status_code == 302
    assert asked["Location"].startswith("/accounts/login/")
    client.force_login(viewer)
    assert getattr(client, method)(place).status_code == 403
    assert getattr(client, method)(place, **JSON).json()["error"]["code"]
    assert Profile.objects.get().name == "Ada"


@pytest.mark.parametrize(("method", "address"), ADMINISTRATORS)
def test_what_only_administrators_may(
    review: FaceReview, user: Any, signed_in: Client, method: str, address: str
) -> None:
    place = address.format(**addresses(review, user))
    assert getattr(signed_in, method)(place).status_code == 403
    assert Profile.objects.exists()


@pytest.mark.parametrize("address", PICTURES)
def test_pictures_of_faces_are_shown_to_who_may_see_the_person(
    review: FaceReview, user: Any, viewer: Any, signed_in: Client, address: str
) -> None:
    place = address.format(**addresses(review, user))
    shown = signed_in.get(place)
    assert shown.status_code == 200
    assert shown["Content-Type"] == "image/jpeg"
    assert shown["Cache-Control"] == "private, no-cache"
    assert shown["X-Content-Type-Options"] == "nosniff"
    client = Client()
    assert client.get(place).status_code == 302
    client.force_login(viewer)
    assert client.get(place).status_code == 404


def test_an_empty_gallery_says_what_to_do_next(signed_in: Client) -> None:
    text = signed_in.get("/people/").content.decode()
    assert "Nobody is known yet" in text
    assert "/people/new/" in text
    assert "/people/import/" in text


def test_the_gallery_searches_filters_and_sorts(
    signed_in: Client, make_person: Callable[..., Profile]
) -> None:
    make_person("Ada Lovelace", 1, kind="staff")
    make_person("Alan Turing", 2)
    grace = make_person("Grace <Hopper>", 3)
    Profile.objects.filter(pk=grace.pk).update(visit_count=4)
    every = signed_in.get("/people/").content.decode()
    assert every.index("Ada Lovelace") < every.index("Alan Turing") < every.index("Grace &lt;")
    found = signed_in.get("/people/?q=turing", HTTP_HX_TARGET="people-list").content.decode()
    assert "Alan Turing" in found
    assert "Ada" not in found
    assert "<h1>" not in found
    assert "Alan" not in signed_in.get("/people/?kind=staff").content.decode()
    ordered = signed_in.get("/people/?order=visits").content.decode()
    assert ordered.index("Grace") < ordered.index("Ada")
    assert "Nobody matches" in signed_in.get("/people/?q=zz").content.decode()
    odd = signed_in.get("/people/?kind=robot&order=odd&page=x&q=%00")
    assert odd.status_code == 200


def test_a_list_and_a_person_that_were_looked_at_are_written_down_without_names(
    signed_in: Client, make_person: Callable[..., Profile]
) -> None:
    ada = make_person("Ada", 1)
    signed_in.get("/people/")
    signed_in.get(f"/people/{ada.pk}/")
    lines = AuditEntry.objects.filter(action=AuditEntry.Action.VIEWED)
    assert [line.details["what"] for line in lines.order_by("id")] == ["people", "profile"]
    assert not any("Ada" in f"{line.object_name}{line.details}" for line in lines)


def test_people_are_suggested_by_a_few_letters(
    signed_in: Client, make_person: Callable[..., Profile]
) -> None:
    ada, alan = make_person("Ada", 1), make_person("Alan", 2)
    found = signed_in.get("/people/suggest/", {"q": "a", "but": str(ada.pk)}).json()["people"]
    assert [card["name"] for card in found] == ["Alan"]
    assert found[0]["url"] == f"/people/{alan.pk}/"


def test_somebody_is_added_with_a_consent(signed_in: Client, user: Any) -> None:
    publish_consent_text(actor=user, text="I agree.")
    made = signed_in.post("/people/new/", {**DETAILS, "consent": "true"}, **JSON)
    assert made.status_code == 201
    person = Profile.objects.get()
    assert made.json()["samples"] == f"/people/{person.pk}/samples/"
    assert person.consents.get().recorded_by == user


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        pytest.param({"name": " "}, "name", id="no-name"),
        pytest.param({"name": "x" * 201}, "name", id="long-name"),
        pytest.param({"email": "ada at home"}, "email", id="no-address"),
        pytest.param({"kind": "robot"}, "kind", id="no-kind"),
    ],
)
def test_what_makes_no_person_is_said_beside_its_field(
    signed_in: Client, wrong: dict[str, str], field: str
) -> None:
    refused = signed_in.post("/people/new/", {**DETAILS, **wrong}, **JSON)
    assert refused.status_code == 400
    assert list(refused.json()["error"]["fields"]) == [field]
    assert not Profile.objects.exists()


def test_a_consent_without_a_text_leaves_no_half_person(signed_in: Client) -> None:
    refused = signed_in.post("/people/new/", {**DETAILS, "consent": "true"}, **JSON)
    assert refused.status_code == 409
    assert not Profile.objects.exists()


def test_the_page_of_a_person_says_what_is_known(
    signed_in: Client, user: Any, make_person: Callable[..., Profile]
) -> None:
    publish_consent_text(actor=user, text="I agree to <this>.")
    ada = make_person("Ada", 1, samples=2, preferences="Window\nNo nuts")
    text = signed_in.get(f"/people/{ada.pk}/").content.decode()
    for part in ("Ada", "No consent", "Window<br>No nuts", "100 px", "I agree to &lt;this&gt;."):
        assert part in text
    assert text.count('name="samples"') == 2
    assert "Erase" not in text


def test_only_who_may_erase_is_offered_it(
    admin: Client, make_person: Callable[..., Profile]
) -> None:
    ada = make_person("Ada", 1)
    assert f"/people/{ada.pk}/erase/" in admin.get(f"/people/{ada.pk}/").content.decode()
    asked = admin.get(f"/people/{ada.pk}/erase/").content.decode()
    assert "Erase Ada?" in asked
    assert "Samples" in asked


def test_details_are_changed_in_their_place(
    signed_in: Client, make_person: Callable[..., Profile]
) -> None:
    ada = make_person("Ada", 1)
    place = f"/people/{ada.pk}/edit/"
    assert "<form" not in signed_in.get(place).content.decode()
    assert 'value="Ada"' in signed_in.get(place + "?open").content.decode()
    changes = {**DETAILS, "name": "Ada L.", "threshold": "0.5", "revision": ada.revision}
    saved = signed_in.post(place, changes)
    assert saved["HX-Trigger"] == "person-saved"
    ada.refresh_from_db()
    assert (ada.name, ada.threshold) == ("Ada L.", 0.5)


def test_a_change_of_somebody_else_is_told_and_nothing_typed_is_lost(
    signed_in: Client, make_person: Callable[..., Profile]
) -> None:
    ada = make_person("Ada", 1)
    before = ada.revision
    signed_in.post(f"/people/{ada.pk}/edit/", {**DETAILS, "notes": "first", "revision": before})
    again = {**DETAILS, "notes": "second", "revision": before}
    told = signed_in.post(f"/people/{ada.pk}/edit/", again)
    text = told.content.decode()
    assert "Somebody else has changed" in text
    assert "second" in text
    ada.refresh_from_db()
    assert ada.notes == "first"
    assert f'name="revision" value="{ada.revision}"' in text
    signed_in.post(f"/people/{ada.pk}/edit/", {**again, "revision": ada.revision})
    ada.refresh_from_db()
    assert ada.notes == "second"


@pytest.mark.parametrize("threshold", ["0.1", "0.9", "close"])
def test_a_threshold_out_of_range_is_said(
    signed_in: Client, make_person: Callable[..., Profile], threshold: str
) -> None:
    ada = make_person("Ada", 1)
    changes = {**DETAILS, "threshold": threshold, "revision": ada.revision}
    text = signed_in.post(f"/people/{ada.pk}/edit/", changes).content.decode()
    assert 'aria-invalid="true"' in text


def test_a_consent_is_recorded_and_withdrawn(
    signed_in: Client, user: Any, make_person: Callable[..., Profile]
) -> None:
    publish_consent_text(actor=user, text="I agree.")
    ada = make_person("Ada", 1)
    signed_in.post(f"/people/{ada.pk}/consent/", {"given": "true"})
    assert "Agreed to version 1" in signed_in.get(f"/people/{ada.pk}/").content.decode()
    signed_in.post(f"/people/{ada.pk}/consent/", {})
    assert "withdrawn" in signed_in.get(f"/people/{ada.pk}/").content.decode()
    assert ada.consents.get().withdrawn_at is not None


def test_people_are_merged_and_taken_apart(
    signed_in: Client, make_person: Callable[..., Profile]
) -> None:
    ada, twin = make_person("Ada", 1), make_person("Ada again", 1, samples=2)
    signed_in.post(f"/people/{ada.pk}/merge/", {"source": str(twin.pk)})
    text = signed_in.get(f"/people/{ada.pk}/").content.decode()
    assert "Ada again" in text
    assert ada.samples.count() == 3
    merge = ada.merges.get()
    back = signed_in.post(f"/people/{ada.pk}/merges/{merge.pk}/undo/")
    assert back["Location"] == f"/people/{twin.pk}/"
    assert ada.samples.count() == 1
    gone = signed_in.post(f"/people/{twin.pk}/merges/{merge.pk}/undo/")
    assert gone.status_code == 404


@pytest.mark.parametrize("source", ["", "nobody", "{self}"])
def test_a_merge_with_nobody_or_oneself_is_refused(
    signed_in: Client, make_person: Callable[..., Profile], source: str
) -> None:
    ada = make_person("Ada", 1)
    place = f"/people/{ada.pk}/merge/"
    answer = signed_in.post(place, {"source": source.format(self=ada.pk)}, follow=True)
    assert answer.redirect_chain[0][0] == f"/people/{ada.pk}/"
    assert "toast is-error" in answer.content.decode()
    assert ada.samples.count() == 1


def test_samples_are_moved_split_off_and_deleted(
    signed_in: Client, make_person: Callable[..., Profile]
) -> None:
    ada, alan = make_person("Ada", 1, samples=4), make_person("Alan", 2)
    first, second, third, _ = ada.samples.order_by("created_at", "id")
    place = f"/people/{ada.pk}/samples/"
    signed_in.post(place + "move/", {"samples": str(first.pk), "target": str(alan.pk)})
    assert alan.samples.count() == 2
    made = signed_in.post(place + "split/", {"samples": str(second.pk), "name": "Eve"})
    eve = Profile.objects.get(name="Eve")
    assert made["Location"] == f"/people/{eve.pk}/"
    signed_in.post(place + "delete/", {"samples": [str(third.pk), "odd", SOMEBODY]})
    assert ada.samples.count() == 1
    # Somebody else's are not touched through her page.
    signed_in.post(place + "delete/", {"samples": str(alan.samples.first().pk)})  # type: ignore[union-attr]
    assert alan.samples.count() == 2


def test_a_face_in_doubt_is_answered_and_the_next_comes(
    signed_in: Client, review: FaceReview
) -> None:
    second = ask_about(review.candidate, 5, origin_id="2")
    text = signed_in.get("/people/reviews/").content.decode()
    assert "2 faces to decide on" in text
    assert "70%" in text
    following = signed_in.post(f"/people/reviews/{review.pk}/", {"answer": "yes"})
    assert f"/people/reviews/{second.pk}/" in following.content.decode()
    review.refresh_from_db()
    assert review.state == FaceReview.State.CONFIRMED
    assert review.candidate.samples.count() == 3
    last = signed_in.post(f"/people/reviews/{second.pk}/", {"answer": "no"}).content.decode()
    assert "That was the last one" in last
    assert NegativeEvidence.objects.filter(profile=review.candidate).count() == 1


@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
def test_a_face_in_doubt_is_somebody_else(
    signed_in: Client, review: FaceReview, make_person: Callable[..., Profile], known: bool
) -> None:
    answer = {"person": str(make_person("Eve", 9).pk)} if known else {"name": "Eve"}
    signed_in.post(f"/people/reviews/{review.pk}/", {"answer": "other", **answer})
    review.refresh_from_db()
    assert review.state == FaceReview.State.REASSIGNED
    assert review.answer is not None
    assert review.answer.name == "Eve"
    assert review.answer.samples.count() == (2 if known else 1)


@pytest.mark.parametrize(
    "answer",
    [
        {"answer": "maybe"},
        {"answer": "other"},
        {"answer": "other", "person": "x"},
        {"answer": "other", "person": "{candidate}"},
        {},
    ],
    ids=json.dumps,
)
def test_an_answer_that_is_none_changes_nothing(
    signed_in: Client, review: FaceReview, answer: dict[str, str]
) -> None:
    sent = {key: text.format(candidate=review.candidate_id) for key, text in answer.items()}
    text = signed_in.post(f"/people/reviews/{review.pk}/", sent).content.decode()
    assert 'role="alert"' in text
    review.refresh_from_db()
    assert review.state == FaceReview.State.OPEN
    assert Profile.objects.count() == 1


def test_two_people_who_review_at_once_see_different_faces(
    signed_in: Client, review: FaceReview
) -> None:
    second = ask_about(review.candidate, 5, origin_id="2")
    colleague = Client()
    colleague.force_login(make_user("grace"))
    mine = signed_in.get("/people/reviews/").content.decode()
    theirs = colleague.get("/people/reviews/").content.decode()
    assert f"/people/reviews/{review.pk}/" in mine
    assert f"/people/reviews/{second.pk}/" in theirs
    assert f"/people/reviews/{review.pk}/" in signed_in.get("/people/reviews/").content.decode()


def test_the_second_answer_is_told_that_there_was_a_first(
    signed_in: Client, review: FaceReview
) -> None:
    signed_in.post(f"/people/reviews/{review.pk}/", {"answer": "no"})
    text = signed_in.post(f"/people/reviews/{review.pk}/", {"answer": "yes"}).content.decode()
    assert "Somebody else has answered this already" in text
    review.refresh_from_db()
    assert review.state == FaceReview.State.REJECTED


def test_a_face_that_is_put_off_comes_last(signed_in: Client, review: FaceReview) -> None:
    second = ask_about(review.candidate, 5, origin_id="2")
    text = signed_in.post(f"/people/reviews/{review.pk}/", {"answer": "skip"}).content.decode()
    assert f"/people/reviews/{second.pk}/" in text
    text = signed_in.post(f"/people/reviews/{second.pk}/", {"answer": "no"}).content.decode()
    assert f"/people/reviews/{review.pk}/" in text


def test_an_empty_queue_says_what_it_is_for(signed_in: Client) -> None:
    assert "Nothing to decide" in signed_in.get("/people/reviews/").content.decode()


SETTINGS = {
    "recognise_uploads": "true",
    "customer_days": "",
    "staff_days": "365",
    "sighting_days": "14",
    "review_days": "3",
    "visitor_hours": "12",
}


def test_privacy_is_set(admin: Client) -> None:
    assert admin.get("/people/privacy/").status_code == 200
    assert admin.post("/people/privacy/", SETTINGS).status_code == 302
    text = admin.get("/people/privacy/").content.decode()
    assert 'value="365"' in text
    assert 'name="uploads_need_consent" id="id_uploads_need_consent" value="true" auto' in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("visitor_hours", "25"),
        ("visitor_hours", ""),
        ("review_days", "91"),
        ("sighting_days", "0"),
        ("customer_days", "soon"),
    ],
)
def test_settings_that_make_no_sense_are_told(admin: Client, name: str, value: str) -> None:
    answer = admin.post("/people/privacy/", {**SETTINGS, name: value})
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.content.decode()


def test_a_consent_text_is_published_and_never_changed(admin: Client) -> None:
    assert admin.post("/people/privacy/text/", {"text": "  "}).status_code == 400
    admin.post("/people/privacy/text/", {"text": "I agree.\r\nTruly."})
    admin.post("/people/privacy/text/", {"text": "I agree to more."})
    texts = list(ConsentText.objects.order_by("version").values_list("version", "text"))
    assert texts == [(1, "I agree.\nTruly."), (2, "I agree to more.")]


@pytest.mark.parametrize("found", [0, 3])
def test_the_report_of_an_erasure_says_what_is_left(admin: Client, found: int) -> None:
    report = ErasureReport.objects.create(
        subject=uuid.uuid4(),
        reason="request",
        finished_at="2026-01-02T03:04:05Z",
        erased={"samples": 5},
        checks=[
            {"code": "rows", "what": "Rows", "found": found, "must": True, "places": {"a": found}},
            {"code": "names", "what": "Names", "found": 1, "must": False, "places": {"b": 1}},
        ],
        backups=[{"file": "old.tar", "made_at": "2026-01-01T00:00:00+00:00", "is_here": True}],
    )
    text = admin.get(f"/people/erasures/{report.pk}/").content.decode()
    assert ("Something is left" in text) == bool(found)
    for part in ("Samples", "old.tar", "For you to judge"):
        assert part in text


def test_uploads_that_are_not_recognised_are_said(
    signed_in: Client, administrator: Any, jpeg: bytes
) -> None:
    change_privacy(actor=administrator, recognise_uploads=False)
    assert "are not recognised" in signed_in.get("/people/recognise/").content.decode()
    refused = signed_in.post("/people/recognise/", {"picture": a_picture(jpeg)}, **JSON)
    assert refused.json()["error"]["code"] == "recognition_off"


@pytest.mark.parametrize(
    "address", ["/people/judge/", "/people/recognise/", "/people/recognise/not/"]
)
def test_a_picture_that_is_none_is_refused(
    signed_in: Client, make_person: Callable[..., Profile], address: str
) -> None:
    person = {"person": str(make_person("Ada", 1).pk), "face": "0"}
    missing = signed_in.post(address, person, **JSON)
    assert missing.json()["error"]["code"] == "no_file"
    text = {"picture": SimpleUploadedFile("a.jpg", b"no picture at all"), **person}
    refused = signed_in.post(address, text, **JSON)
    assert refused.status_code == 415
    assert not NegativeEvidence.objects.exists()


def test_an_import_is_queued_and_its_page_tells_of_it(signed_in: Client, jpeg: bytes) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("Ada/1.jpg", jpeg)
    file = SimpleUploadedFile("people.zip", buffer.getvalue(), content_type="application/zip")
    made = signed_in.post("/people/import/", {"file": file, "kind": "staff"}, **JSON)
    assert made.status_code == 201, made.content
    text = signed_in.get(made.json()["url"]).content.decode()
    assert "Waiting for a worker" in text
    assert 'hx-trigger="every 1s"' in text
    signed_in.post(made.json()["url"] + "cancel/")
    assert Job.objects.get().state == Job.State.CANCELLED


def test_an_import_that_ended_shows_its_report(signed_in: Client, user: Any) -> None:
    report = {
        **{"people": 2, "done": 2, "pictures": 5, "added": 1, "known": 1, "samples": 3},
        **{"already": 1, "more": 4},
        "refused": [{"name": "<Ada>/2.jpg", "code": "no_face", "message": "There is no face."}],
    }
    job = Job.objects.create(
        kind=JOB_KIND, owner=user, state="done", progress=1.0, payload={"report": report}
    )
    text = signed_in.get(f"/people/import/{job.pk}/").content.decode()
    for part in ("2 of 2: 1 new, 1 known before", "&lt;Ada&gt;/2.jpg", "and 4 more"):
        assert part in text
    assert "hx-trigger" not in text


def test_other_jobs_are_no_imports(signed_in: Client, user: Any, other_user: Any) -> None:
    other = Job.objects.create(kind="detector.detect", owner=user)
    theirs = Job.objects.create(kind=JOB_KIND, owner=other_user)
    for job in (other, theirs):
        assert signed_in.get(f"/people/import/{job.pk}/").status_code == 404
        signed_in.post(f"/people/import/{job.pk}/cancel/")
        job.refresh_from_db()
        assert job.state == Job.State.QUEUED


@pytest.mark.parametrize("name", ["people.zip", "nothing"])
def test_what_is_no_zip_is_refused(signed_in: Client, name: str) -> None:
    file = {"file": SimpleUploadedFile(name, b"PK nothing")} if name != "nothing" else {}
    refused = signed_in.post("/people/import/", {**file, "kind": "customer"}, **JSON)
    assert 400 <= refused.status_code < 500
    assert refused.json()["error"]["message"]
    assert not Job.objects.exists()


def test_the_navigation_leads_to_people_and_privacy(
    admin: Client, signed_in: Client, viewer: Any
) -> None:
    looking = Client()
    looking.force_login(viewer)
    shown = [client.get("/").content.decode() for client in (admin, signed_in, looking)]
    assert ['href="/people/"' in text for text in shown] == [True, True, False]
    assert ['href="/people/privacy/"' in text for text in shown] == [True, False, False]


def test_a_panel_of_another_app_stays_away_when_it_has_nothing(
    signed_in: Client, make_person: Callable[..., Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    from recognition import profile_panels

    monkeypatch.setattr(profile_panels, "_panels", {})
    for name, found in (("none", None), ("some", {"what": "seen"})):
        profile_panels.register_profile_panel(
            profile_panels.ProfilePanel(name, "people/_face.html", lambda u, p, f=found: f)
        )
    ada = make_person("Ada", 1)
    page = signed_in.get(f"/people/{ada.pk}/")
    assert [part["name"] for part in page.context["panels"]] == ["some"]


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.usefixtures("real_faces")
class TestWithRealFaces:
    """What needs the real networks."""

    @pytest.mark.parametrize(
        ("name", "code"),
        [(GOOD, ""), (TWO, "several_faces"), ("known/train/nobody", "no_face")],
        ids=["good", "several", "nobody"],
    )
    def test_photos_are_judged_and_nothing_is_stored(
        self, signed_in: Client, photo: Callable[[str], bytes], jpeg: bytes, name: str, code: str
    ) -> None:
        data = photo(name) if code != "no_face" else jpeg
        for moment in ("", "true"):
            sent = {"picture": a_picture(data), "moment": moment}
            judged = signed_in.post("/people/judge/", sent, **JSON).json()
            assert judged["code"] == code
            assert judged["sentence"]
        assert not Profile.objects.exists()

    def test_a_photo_of_somebody_who_is_known_asks(
        self, signed_in: Client, user: Any, photo: Callable[[str], bytes]
    ) -> None:
        first = make_known(user, "Barack", photo(GOOD))
        judged = signed_in.post("/people/judge/", {"picture": a_picture(photo(OTHER))}, **JSON)
        assert judged.json()["looks_like"]["name"] == "Barack"
        second = Profile.objects.create(name="Somebody")
        place = f"/people/{second.pk}/samples/"
        refused = signed_in.post(place, {"picture": a_picture(photo(OTHER))}, **JSON)
        assert refused.status_code == 409
        assert refused.json()["error"]["code"] == "looks_like"
        assert refused.json()["error"]["person"]["id"] == str(first.pk)
        confirmed = {"picture": a_picture(photo(OTHER)), "confirm": "true", "source": "webcam"}
        assert signed_in.post(place, confirmed, **JSON).status_code == 201
        assert second.samples.get().source == "webcam"

    def test_a_picture_is_recognised_and_what_is_said_of_a_face_is_remembered(
        self, signed_in: Client, user: Any, photo: Callable[[str], bytes]
    ) -> None:
        barack = make_known(user, "Barack", photo(GOOD))
        found = recognise(signed_in, photo(TWO))
        known = next(at for at, face in enumerate(found) if face["state"] == "known")
        assert found[known]["match"]["name"] == "Barack"
        assert found[known]["crop"].startswith("data:image/jpeg;base64,")
        unknown = next(
            at for at, face in enumerate(found) if face["state"] == "unknown" and not face["flaw"]
        )
        named = signed_in.post(
            "/people/recognise/name/",
            {"picture": a_picture(photo(TWO)), "face": unknown, "kind": "customer", "name": "Joe"},
            **JSON,
        )
        assert named.json()["person"]["name"] == "Joe"
        again = recognise(signed_in, photo(TWO))
        assert again[unknown]["match"]["name"] == "Joe"
        denied = {
            "picture": a_picture(photo(TWO)),
            "face": str(known),
            "person": str(barack.pk),
        }
        assert signed_in.post("/people/recognise/not/", denied, **JSON).status_code == 200
        assert barack.negatives.count() == 1
        assert recognise(signed_in, photo(TWO))[known]["match"] is None

    @pytest.mark.parametrize("face", ["", "-1", "99", "x", "9" * 30])
    def test_a_face_that_is_not_there_is_refused(
        self, signed_in: Client, photo: Callable[[str], bytes], face: str
    ) -> None:
        sent = {"picture": a_picture(photo(GOOD)), "face": face, "kind": "staff", "name": "Joe"}
        refused = signed_in.post("/people/recognise/name/", sent, **JSON)
        assert refused.status_code == 422
        assert not Profile.objects.exists()


def make_known(user: Any, name: str, data: bytes) -> Profile:
    from recognition.services.profiles import create_profile
    from recognition.services.samples import enrol_picture

    profile = create_profile(actor=user, kind="customer", name=name)
    enrol_picture(actor=user, profile=profile, data=data, source="upload")
    return profile


def recognise(client: Client, data: bytes) -> list[dict[str, Any]]:
    answer = client.post("/people/recognise/", {"picture": a_picture(data)}, **JSON)
    assert answer.status_code == 200, answer.content
    faces: list[dict[str, Any]] = answer.json()["faces"]
    return faces


@pytest.mark.parametrize("role", ["operator", "administrator"])
def test_visits_and_cameras_are_shown_to_who_watches_them(
    make_person: Callable[..., Profile], administrator: Any, role: str
) -> None:
    ada = make_person("Ada", 1)
    shop = Area.objects.create(name="Shop")
    camera = create_camera(actor=administrator, name="Door", address="usb:0", area=shop)
    Visit.objects.create(area=shop, profile=ada, waiting_seconds=75.0)
    Sighting.objects.create(camera=camera, track=uuid.uuid4(), state="known", profile=ada)
    Sighting.objects.create(camera=camera, track=uuid.uuid4(), state="uncertain", profile=ada)
    client = Client()
    client.force_login(administrator if role == "administrator" else make_user("sam"))
    text = client.get(f"/people/{ada.pk}/").content.decode()
    # No group of theirs watches the camera: an operator sees nothing of it.
    for part in ("here now", "waited 1:15", "Seen by", "1 time,", "1 day in half a year"):
        assert (part in text) == (role == "administrator")
