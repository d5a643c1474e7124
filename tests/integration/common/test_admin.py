"""The admin: who gets in, what an administrator can do there, and that it stays quick."""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from common.accounts.administration import set_role
from common.audit.services import record
from common.errors import ServiceError
from common.jobs.services import enqueue_job
from common.models import Account, AuditEntry, Job, RetentionPolicy, TokenDetails, Upload, Worker
from detector.models import DetectedObject, DetectionSession
from integration.conftest import make_user
from integration.detector.conftest import make_session
from recognition.models import (
    Consent,
    ConsentText,
    ErasureReport,
    FaceReview,
    FaceSample,
    PrivacySettings,
    Profile,
    ProfileMerge,
)
from styletransfer.models import Restyling
from tests.made_videos import make_video_session
from video_analysis.cameras.models import Area, Camera, CountingLine, Zone

pytestmark = pytest.mark.django_db

LISTS = [f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry]
READ_ONLY = [
    *("common/job", "common/upload", "common/worker", "common/auditentry"),
    *("common/retentionpolicy", "detector/detectedobject", "video_analysis/videoanalysis"),
    *("cameras/area", "cameras/camera", "cameras/zone", "cameras/countingline"),
    *("recognition/profile", "recognition/facesample", "recognition/facereview"),
    *("recognition/consent", "recognition/consenttext", "recognition/profilemerge"),
    *("recognition/erasurereport", "recognition/privacysettings"),
]
QUERIES = 12


@pytest.fixture
def boss(client: Client) -> Client:
    """A browser of an administrator."""
    client.force_login(make_boss("root"))
    return client


def make_boss(name: str) -> User:
    made: User = make_user(name, "viewer")
    set_role(user=made, role="administrator")
    return made


def do(boss: Client, where: str, action: str, *rows: Any) -> str:
    """Choose an action over rows of a list; the page that follows."""
    data = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    response = boss.post(f"/admin/{where}/", data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


DOORS = [
    ("viewer", {}, False),
    ("operator", {}, False),
    ("operator", {"is_staff": True}, False),
    ("administrator", {}, False),  # the role alone, which set_role never leaves alone
    ("administrator", {"is_staff": True}, True),
    ("viewer", {"is_staff": True, "is_superuser": True}, True),
    ("viewer", {"is_staff": True, "is_superuser": True, "is_active": False}, False),
]


@pytest.mark.parametrize(("role", "flags", "enters"), DOORS)
def test_administrators_alone_get_in(
    client: Client, role: str, flags: dict[str, bool], enters: bool
) -> None:
    someone = make_user("eve", role)
    client.force_login(someone)
    User.objects.filter(pk=someone.pk).update(**flags)
    assert (client.get("/admin/").status_code == 200) is enters
    assert (client.get("/admin/common/job/").status_code == 200) is (
        enters and flags.get("is_superuser", False)
    )


def test_the_role_and_djangos_flags_say_the_same() -> None:
    make_boss("other")
    eve = make_user("eve")
    for role, rules in (("administrator", True), ("viewer", False), ("operator", False)):
        set_role(user=eve, role=role)
        eve = User.objects.select_related("account").get(pk=eve.pk)
        assert (eve.account.role, eve.is_staff, eve.is_superuser) == (role, rules, rules)


def test_the_last_administrator_stays_one(boss: Client) -> None:
    root = User.objects.get(username="root")
    with pytest.raises(ServiceError, match="last administrator"):
        set_role(user=root, role="viewer")
    form = {"username": "root", "role": "viewer", "email": ""}
    page = boss.post(f"/admin/auth/user/{root.pk}/change/", form).content.decode()
    assert "last administrator" in page
    assert User.objects.get(pk=root.pk).is_superuser


@pytest.mark.parametrize("where", LISTS)
def test_every_list_opens_also_when_it_is_empty(boss: Client, where: str) -> None:
    for query in ({}, {"q": "nothing of the kind"}):
        assert boss.get(f"/admin/{where}/", query).status_code == 200


@pytest.mark.parametrize("where", LISTS)
def test_every_row_opens(boss: Client, user: Any, where: str) -> None:
    fill(user)
    model = next(
        m for m in admin.site._registry if f"{m._meta.app_label}/{m._meta.model_name}" == where
    )
    row = model._default_manager.first()
    assert row is not None
    assert boss.get(f"/admin/{where}/").status_code == 200
    assert boss.get(f"/admin/{where}/{row.pk}/change/").status_code == 200


@pytest.mark.parametrize("where", READ_ONLY)
def test_what_the_machine_writes_nobody_adds_changes_or_deletes(
    boss: Client, user: Any, where: str
) -> None:
    fill(user)
    model = next(
        m for m in admin.site._registry if f"{m._meta.app_label}/{m._meta.model_name}" == where
    )
    row = model._default_manager.first()
    assert row is not None
    assert boss.get(f"/admin/{where}/add/").status_code == 403
    assert boss.post(f"/admin/{where}/{row.pk}/change/", {}).status_code == 403
    assert boss.post(f"/admin/{where}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    do(boss, where, "delete_selected", row)
    assert model._default_manager.filter(pk=row.pk).exists()


def fill_people() -> None:
    """Store somebody with a face, consent, a question and what was merged into them."""
    person = Profile.objects.create(name="Erika", kind="customer")
    FaceSample.objects.create(profile=person, embedding=bytes(512), model="m")
    text = ConsentText.objects.create(version=1, text="I agree.")
    Consent.objects.create(profile=person, text=text)
    asked = {"origin": "picture", "asked_by": User.objects.get(username="root")}
    doubt = {"distance": 0.55, "probability": 0.5, **asked}
    FaceReview.objects.create(candidate=person, embedding=bytes(512), model="m", **doubt)
    ProfileMerge.objects.create(target=person, source_id=uuid.uuid4(), source={"name": "Eri"})
    ErasureReport.objects.create(subject=uuid.uuid4(), reason="request")
    PrivacySettings.objects.get_or_create(pk=1)


def fill(owner: User) -> DetectionSession:
    """One row of everything."""
    session = make_session(owner)
    make_video_session(owner)
    _, _ = AuthToken.objects.create(owner)
    Group.objects.create(name="night shift")
    enqueue_job(kind="detector.detect", owner=owner, payload={})
    Worker.objects.create(name="host:1:x", host="host", queues=["inference"])
    RetentionPolicy.objects.get_or_create(pk=1)
    record(action=AuditEntry.Action.SIGN_IN, actor=owner)
    area = Area.objects.create(name="Yard")
    camera = Camera.objects.create(name="Gate", area=area, address="loop:gate.mp4")
    Zone.objects.create(camera=camera, name="Door", polygon=[[0, 0], [1, 0], [1, 1]])
    CountingLine.objects.create(camera=camera, name="Sill", points=[[0, 0.5], [1, 0.5]])
    fill_people()
    # Of the same picture and job: what goes with somebody is counted elsewhere.
    kept = {"upload": session.upload, "job": Job.objects.filter(owner=owner).latest("created_at")}
    Restyling.objects.create(owner=owner, name="Harbour", style_name="Candy", way="fast", **kept)
    return session


def test_no_page_shows_a_picture_of_somebody_else(boss: Client, user: Any) -> None:
    session = fill(user)
    for page in (
        "/admin/common/upload/",
        f"/admin/common/upload/{session.upload_id}/change/",
        f"/admin/detector/detectionsession/{session.pk}/change/",
    ):
        text = boss.get(page).content.decode()
        assert session.upload.file.name not in text
        assert f"/sessions/{session.pk}/picture" not in text


@pytest.mark.parametrize(
    ("where", "listed", "viewed"),
    [
        ("profile", "people", "profile"),
        ("facesample", "samples", "face sample"),
        ("consent", "consents", "consent"),
        ("facereview", "reviews", "face review"),
        ("profilemerge", "merges", "profile merge"),
    ],
)
def test_looking_at_people_is_written_down(
    boss: Client, where: str, listed: str, viewed: str
) -> None:
    fill_people()
    person = Profile.objects.get()
    model = admin.site._registry
    row = next(m for m in model if m._meta.label_lower == f"recognition.{where}").objects.get()
    page = f"/admin/recognition/{where}/"
    for address in (page, f"{page}?q=nothing", f"{page}{row.pk}/change/", f"{page}7/change/"):
        boss.get(address)
    lines = AuditEntry.objects.filter(action=AuditEntry.Action.VIEWED).order_by("pk")
    what = f"{listed} in the administration"
    assert [(line.object_id, line.details) for line in lines] == [
        ("", {"what": what, "count": 1}),
        ("", {"what": what, "count": 0}),
        (str(person.pk), {"what": viewed}),
    ]
    assert {line.actor_name for line in lines} == {"root"}


def test_people_are_made_with_a_role(boss: Client) -> None:
    page = boss.get("/admin/auth/user/add/").content.decode()
    assert page.count('name="role"') == 1
    secret = "correct horse battery"
    form = {
        "username": "eve", "email": "eve@example.org", "role": "operator",
        "usable_password": "true", "password1": secret, "password2": secret,
    }  # fmt: skip
    assert boss.post("/admin/auth/user/add/", form).status_code == 302
    eve = User.objects.get(username="eve")
    assert (eve.account.role, eve.is_staff, eve.email) == ("operator", False, "eve@example.org")


def test_a_role_is_changed_in_the_form(boss: Client, user: Any) -> None:
    where = f"/admin/auth/user/{user.pk}/change/"
    assert '<option value="operator" selected' in boss.get(where).content.decode()
    form = {"username": user.username, "role": "administrator", "email": ""}
    assert boss.post(where, form).status_code == 302
    assert User.objects.get(pk=user.pk).is_superuser


def test_switching_off_signs_out_and_on_lets_in_again(boss: Client, user: Any) -> None:
    browser = Client()
    browser.force_login(user)
    assert "1 switched off" in do(boss, "auth/user", "switch_off", user)
    assert not User.objects.get(pk=user.pk).is_active
    assert browser.get("/").status_code == 302
    assert "1 switched on" in do(boss, "auth/user", "switch_on", user)
    assert User.objects.get(pk=user.pk).is_active
    assert browser.get("/").status_code == 302  # that session is over


def test_nobody_switches_themselves_off(boss: Client) -> None:
    make_boss("other")
    root = User.objects.get(username="root")
    assert "1 not switched off" in do(boss, "auth/user", "switch_off", root)
    assert User.objects.get(pk=root.pk).is_active


def test_signing_out_everywhere_ends_browsers_and_tokens(
    boss: Client, user: Any, other_user: Any
) -> None:
    browsers = [Client(), Client()]
    for browser, owner in zip(browsers, (user, other_user), strict=True):
        browser.force_login(owner)
        AuthToken.objects.create(owner)
    do(boss, "auth/user", "sign_out", user)
    assert [browser.get("/").status_code for browser in browsers] == [302, 200]
    assert [row.user for row in AuthToken.objects.all()] == [other_user]
    entry = AuditEntry.objects.filter(action="account").first()
    assert entry is not None
    assert entry.details == {"change": "signed out everywhere", "browsers": 1, "tokens": 1}


def test_a_password_reset_is_sent_where_there_is_mail(
    boss: Client, user: Any, settings: Any
) -> None:
    assert "reset_password" not in boss.get("/admin/auth/user/").content.decode()
    settings.SIGHTLINE_MAIL = True
    assert "has no e-mail address" in do(boss, "auth/user", "reset_password", user)
    User.objects.filter(pk=user.pk).update(email="ada@example.org")
    assert "1 sent" in do(boss, "auth/user", "reset_password", user)
    assert [message.to for message in mail.outbox] == [["ada@example.org"]]


def test_deleting_somebody_takes_all_that_is_theirs(boss: Client, user: Any) -> None:
    fill(user)
    page = boss.get(f"/admin/auth/user/{user.pk}/delete/").content.decode()
    assert "2 sessions, 2 pictures, 2 jobs" in page
    assert boss.post(f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"}).status_code == 302
    for model in (DetectionSession, DetectedObject, Upload, Job, AuthToken):
        assert not model._default_manager.exists()


def test_who_others_depend_on_is_switched_off_instead(
    boss: Client, user: Any, other_user: Any
) -> None:
    upload = make_session(user).upload
    make_session(other_user, upload=upload)
    page = boss.get(f"/admin/auth/user/{user.pk}/delete/").content.decode()
    assert "Switch the account off instead" in page
    response = boss.post(f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"}, follow=True)
    assert "Switch the account off instead" in response.content.decode()
    assert User.objects.filter(pk=user.pk).exists()


def test_nobody_deletes_themselves(boss: Client) -> None:
    make_boss("other")
    root = User.objects.get(username="root")
    where = f"/admin/auth/user/{root.pk}/delete/"
    assert "their own account" in boss.post(where, {"post": "yes"}, follow=True).content.decode()
    assert User.objects.filter(pk=root.pk).exists()


def test_a_picture_that_is_run_again_while_its_owner_is_deleted_is_a_reason_not_a_crash(
    boss: Client, user: Any, other_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_session(other_user, upload=make_session(user).upload)
    # What happens between the look and the deletion.
    none = DetectionSession.objects.none()
    for module in ("common.accounts.administration", "detection_project.admin.people"):
        monkeypatch.setattr(f"{module}.others_sessions", lambda user: none)
    where = f"/admin/auth/user/{user.pk}/delete/"
    page = boss.post(where, {"post": "yes"}, follow=True).content.decode()
    assert "Switch the account off instead" in page
    assert User.objects.filter(pk=user.pk).exists()


def test_a_group_goes_and_what_was_shared_with_it_is_private_again(boss: Client, user: Any) -> None:
    one, two, three = (Group.objects.create(name=name) for name in ("one", "two", "three"))
    assert boss.post(f"/admin/auth/group/{one.pk}/delete/", {"post": "yes"}).status_code == 302
    many = {"action": "delete_selected", "_selected_action": [two.pk], "post": "yes"}
    assert boss.post("/admin/auth/group/", many).status_code == 302
    assert list(Group.objects.all()) == [three]


def test_the_members_of_a_group_are_chosen(boss: Client, user: Any, other_user: Any) -> None:
    group = Group.objects.create(name="night shift")
    user.groups.add(group)
    where = f"/admin/auth/group/{group.pk}/change/"
    page = boss.get(where).content.decode()
    assert user.username in page
    assert f">{other_user.username}<" not in page  # looked up, not listed
    form = {"name": "day shift", "members": [other_user.pk]}
    assert boss.post(where, form).status_code == 302
    group.refresh_from_db()
    assert (group.name, list(group.user_set.all())) == ("day shift", [other_user])
    found = boss.get(
        "/admin/autocomplete/",
        {"app_label": "auth", "model_name": "user_groups", "field_name": "user", "term": "ad"},
    )
    assert [entry["text"] for entry in found.json()["results"]] == ["ada"]


def test_a_token_is_made_shown_once_and_revoked(boss: Client, user: Any) -> None:
    form = {"user": user.pk, "name": "nightly", "scope": "read", "days": "7"}
    response = boss.post("/admin/knox/authtoken/add/", form, follow=True)
    (message,) = [str(m) for m in response.context["messages"] if "<code>" in str(m)]
    text = message.partition("<code>")[2].partition("</code>")[0]
    (token,) = AuthToken.objects.select_related("details")
    assert (token.details.name, token.details.scope, token.user) == ("nightly", "read", user)
    assert dt.timedelta(days=6) < token.expiry - timezone.now() < dt.timedelta(days=7)
    program = {"Authorization": f"Token {text}"}
    assert Client().get("/api/models/", headers=program).status_code == 200
    page = boss.get("/admin/knox/authtoken/").content.decode()
    assert text not in page
    assert not any(token.digest in str(m) for m in response.context["messages"])
    assert token.digest not in AuditEntry.objects.values_list("object_id", flat=True)
    assert "1 revoked" in do(boss, "knox/authtoken", "revoke", token)
    assert Client().get("/api/models/", headers=program).status_code == 401
    who = AuditEntry.objects.filter(action="token_revoked").values_list("actor_name", "owner_name")
    assert list(who) == [("root", user.username)]


def test_too_many_tokens_are_a_message(boss: Client, user: Any, settings: Any) -> None:
    settings.SIGHTLINE_TOKENS_PER_PERSON = 1
    form = {"user": user.pk, "name": "nightly", "scope": "read", "days": "7"}
    boss.post("/admin/knox/authtoken/add/", form)
    page = boss.post("/admin/knox/authtoken/add/", form, follow=True).content.decode()
    assert "revoke one first" in page
    assert AuthToken.objects.count() == 1


ACTIONS = [
    ("cancel_jobs", Job.State.QUEUED, Job.State.CANCELLED),
    ("cancel_jobs", Job.State.DONE, Job.State.DONE),
    ("retry_jobs", Job.State.FAILED, Job.State.QUEUED),
    ("retry_jobs", Job.State.DONE, Job.State.DONE),
]


@pytest.mark.parametrize(("action", "before", "after"), ACTIONS)
def test_jobs_are_cancelled_and_retried(
    boss: Client, user: Any, action: str, before: str, after: str
) -> None:
    job = enqueue_job(kind="detector.detect", owner=user, payload={})
    Job.objects.filter(pk=job.pk).update(state=before)
    do(boss, "common/job", action, job)
    job.refresh_from_db()
    assert job.state == after


def test_the_list_of_retention_leads_to_the_storage_page(boss: Client) -> None:
    RetentionPolicy.objects.get_or_create(pk=1)
    assert 'href="/storage/"' in boss.get("/admin/common/retentionpolicy/").content.decode()


def test_the_overview_is_fine_when_there_is_nothing(boss: Client) -> None:
    text = boss.get("/admin/").content.decode()
    assert "Nothing has been looked at since yesterday." in text
    assert "Nothing works on jobs; start a worker." in text


def test_the_overview_says_what_is_wrong(boss: Client, user: Any) -> None:
    now = timezone.now()
    make_session(user)
    enqueue_job(kind="detector.detect", owner=user, payload={})
    job = enqueue_job(kind="detector.detect", owner=user, payload={})
    Job.objects.filter(pk=job.pk).update(
        state="failed", error_code="worker_lost", error_message="Short of memory.", finished_at=now
    )
    token, _ = AuthToken.objects.create(user, expiry=dt.timedelta(days=3))
    TokenDetails.objects.create(token=token, name="nightly")
    for _ in range(12):
        record(action=AuditEntry.Action.SIGN_IN_FAILED)
    Worker.objects.create(
        name="gpu:1:x", host="gpu", started_at=now, last_sign_at=now - dt.timedelta(minutes=3)
    )
    response = boss.get("/admin/")
    tiles = {tile.title: tile for tile in response.context["tiles"]}
    assert tiles["Jobs failed in 24 hours"].rows[0][:2] == ("1 worker_lost", "Short of memory.")
    assert tiles["Jobs waiting"].value == "1"
    assert tiles["Workers alive"].tone == "bad"
    assert "1 up but silent" in tiles["Workers alive"].note
    assert tiles["Failed sign-ins in 24 hours"].value == "12"
    assert tiles["Tokens that end within 7 days"].rows[0][0] == "nightly"
    assert response.context["hours"]["total"] == 1
    links = [tile.link for tile in tiles.values()] + [
        link for tile in tiles.values() for _, _, link in tile.rows
    ]
    for link in filter(None, links):
        assert boss.get(link).status_code == 200, link


def test_a_fallback_is_loud(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    answering = {"yolov8n": {"fallback": True, "reason": "The weights are damaged."}}
    monkeypatch.setattr("detection_project.admin.dashboard.loaded_models", lambda: answering)
    text = boss.get("/admin/").content.decode()
    assert "Fallback in use" in text
    assert "The weights are damaged." in text
    assert 'role="alert"' in text


@pytest.fixture
def many(user: Any) -> Callable[[int], None]:
    """Makes so many rows of everything that grows."""
    upload = make_session(user).upload

    def make(number: int) -> None:
        now = timezone.now()
        people = User.objects.bulk_create(
            User(username=f"p{row}.{number}", is_active=True) for row in range(number // 10)
        )
        Account.objects.bulk_create(Account(user=person, role="operator") for person in people)
        jobs = Job.objects.bulk_create(
            Job(kind="k", owner=user, state="failed", finished_at=now) for _ in range(number)
        )
        sessions = DetectionSession.objects.bulk_create(
            DetectionSession(owner=user, upload=upload, job=job, name="yard", model="yolov8n")
            for job in jobs
        )
        DetectedObject.objects.bulk_create(
            DetectedObject(
                session=session, index=0, class_id=0, class_name="person",
                confidence=0.9, x=0, y=0, width=1, height=1,
            )
            for session in sessions
        )  # fmt: skip
        AuditEntry.objects.bulk_create(
            AuditEntry(action="sign_in_failed", actor_name="x") for _ in range(number)
        )

    return make


GROWING = [
    *("", "auth/user/", "common/job/", "common/auditentry/"),
    *("detector/detectionsession/", "detector/detectedobject/"),
]


@pytest.mark.slow
def test_pages_cost_the_same_with_ten_thousand_rows(
    boss: Client, many: Callable[[int], None], django_assert_max_num_queries: Any
) -> None:
    many(10_000)
    for where in GROWING:
        boss.get(f"/admin/{where}")  # templates are compiled once
        with django_assert_max_num_queries(QUERIES + (8 if not where else 0)):
            started = time.process_time()
            response = boss.get(f"/admin/{where}")
            spent = time.process_time() - started
        assert response.status_code == 200
        assert len(response.content) < 1_000_000, where
        assert spent < 2.0, f"/admin/{where} took {spent:.2f} s of processor time"


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_take_the_role_from_each_other_leave_one() -> None:
    bosses = [make_boss("one"), make_boss("two")]
    both_began = threading.Barrier(2, timeout=10)
    reasons: list[str] = []

    def demote(boss: User) -> None:
        both_began.wait()
        try:
            set_role(user=boss, role="viewer")
        except ServiceError as error:
            reasons.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=demote, args=(boss,)) for boss in bosses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert reasons == ["last_administrator"]
    assert User.objects.filter(is_superuser=True).count() == 1
