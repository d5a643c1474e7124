"""Sharing sessions with groups: who may, what others then see and do, and what is written down."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import OperationalError, connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from common.models import AuditEntry, Job, Upload
from common.permissions import can, visible
from detector.errors import DetectorError
from detector.models import DetectionSession
from detector.selectors import get_session, list_objects, list_sessions
from detector.services import events
from detector.services.options import parse_options
from detector.services.sessions import delete_session, delete_sessions, rerun_session
from detector.services.sharing import share_session, share_sessions
from tests.integration.conftest import make_user
from tests.integration.detector.conftest import make_session

pytestmark = pytest.mark.django_db

SCRIPT = {"accept": "application/json"}


@pytest.fixture
def group(user: Any) -> Group:
    """A group with the owner (`user`), Carl the operator and Mona the viewer."""
    made = Group.objects.create(name="Night shift")
    made.user_set.add(user)
    return made


@pytest.fixture
def carl(group: Group) -> Any:
    made = make_user("carl")
    made.groups.add(group)
    return made


@pytest.fixture
def mona(group: Group) -> Any:
    made = make_user("mona", "viewer")
    made.groups.add(group)
    return made


@pytest.fixture
def shared(session: DetectionSession, group: Group, user: Any) -> DetectionSession:
    """`user`'s session, shared with the group."""
    return share_session(session=session, group=group, user=user)


def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def again(user: Any) -> Any:
    """The user as the next request reads them."""
    return type(user).objects.get(pk=user.pk)


def audit(*actions: str) -> list[tuple[Any, ...]]:
    rows = AuditEntry.objects.filter(action__in=actions).order_by("id")
    return list(rows.values_list("action", "actor_name", "object_name", "owner_name", "details"))


# ---------------------------------------------------------------- who may share with whom
def test_sharing_is_written_down_and_what_changes_nothing_is_not(
    session: DetectionSession, group: Group, user: Any
) -> None:
    for wish in (group, group.pk, None, None):
        share_session(session=session, group=wish, user=user)
    assert audit("shared") == [
        ("shared", "ada", "yard.jpg", "ada", {"group": "Night shift", "before": None}),
        ("shared", "ada", "yard.jpg", "ada", {"group": None, "before": "Night shift"}),
    ]
    session.refresh_from_db()
    assert session.shared_with is None


@pytest.mark.parametrize(
    ("role", "member", "code"),
    [
        ("operator", True, None),
        ("operator", False, "unknown_group"),
        ("administrator", False, None),
        ("viewer", True, "not_found"),
    ],
)
def test_one_shares_with_ones_own_groups_and_administrators_with_all(
    role: str, member: bool, code: str | None
) -> None:
    owner = make_user("eve", role)
    group = Group.objects.create(name="Day shift")
    if member:
        owner.groups.add(group)
    session = make_session(owner)
    if code is None:
        assert share_session(session=session, group=group.pk, user=owner).shared_with == group
        return
    with pytest.raises(DetectorError) as refused:
        share_session(session=session, group=group.pk, user=owner)
    assert refused.value.code == code
    assert not DetectionSession.objects.exclude(shared_with=None).exists()


def test_a_group_that_is_none_is_named(session: DetectionSession, signed_in: Client) -> None:
    for wish in ("9999", "x", "-1", "1.5", "9" * 30, "²"):
        address = f"/sessions/{session.pk}/share/"
        response = signed_in.post(address, {"group": wish}, headers=SCRIPT)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "unknown_group")


# ---------------------------------------------------------------- what others may then
def test_members_see_it_with_its_objects_picture_and_job(
    shared: DetectionSession, user: Any, carl: Any, mona: Any, other_user: Any
) -> None:
    job = Job.objects.create(kind="detector.detect", owner=user)
    DetectionSession.objects.filter(pk=shared.pk).update(job=job)
    for person, sees in ((user, 1), (carl, 1), (mona, 1), (other_user, 0)):
        assert list_sessions(person).count() == sees
        assert list_objects(person).count() == 3 * sees
        for model in (Upload, Job):
            assert visible(person, model.objects.all()).count() == sees, (person, model)
        for row in (shared, shared.upload, job):
            assert can(person, "view", row) is bool(sees)
        assert can(person, "delete", shared) is (person == user)
        assert can(person, "delete", job) is (person == user)
        assert can(person, "change", job) is (person in (user, carl))


def test_one_row_is_one_row_however_many_groups_one_is_in(
    shared: DetectionSession, carl: Any, user: Any
) -> None:
    for name in ("a", "b", "c"):
        Group.objects.create(name=name).user_set.add(carl, user)
    again_run = make_session(user, upload=shared.upload)
    share_session(session=again_run, group=Group.objects.get(name="a"), user=again(user))
    for person in (carl, user):
        assert list_sessions(again(person)).count() == 2
        assert visible(again(person), Upload.objects.all()).count() == 1


def test_mine_and_others(shared: DetectionSession, carl: Any, user: Any) -> None:
    own = make_session(carl, name="garden.jpg")
    page, api = browser(carl), APIClient()
    api.force_authenticate(carl)
    for query, names in (
        ({}, ["garden.jpg", "yard.jpg"]),
        ({"owner": "me"}, ["garden.jpg"]),
        ({"owner": "others"}, ["yard.jpg"]),
    ):
        found = api.get("/api/sessions/", query).json()["results"]
        assert [entry["name"] for entry in found] == names
        text = page.get("/sessions/", query).content.decode()
        assert [name in text for name in ("garden.jpg", "yard.jpg")] == [
            name in names for name in ("garden.jpg", "yard.jpg")
        ]
    assert api.get("/api/sessions/", {"owner": "nobody"}).status_code == 400
    assert own.pk


def test_the_api_says_whose_it_is_and_what_one_may(
    shared: DetectionSession, group: Group, user: Any, carl: Any, mona: Any
) -> None:
    for person, access in (
        (user, ["view", "change", "delete", "share"]),
        (carl, ["view", "change"]),
        (mona, ["view"]),
    ):
        api = APIClient()
        api.force_authenticate(person)
        body = api.get(f"/api/sessions/{shared.pk}/").json()
        assert (body["owner"], body["access"]) == ("ada", access)
        assert body["shared_with"] == {"id": group.pk, "name": "Night shift"}


def test_it_is_shared_over_the_api(
    api: APIClient, session: DetectionSession, group: Group, other_api: APIClient
) -> None:
    path = f"/api/sessions/{session.pk}/"
    body = api.patch(path, {"shared_with": group.pk, "name": "new"}).json()
    assert (body["shared_with"]["name"], body["name"]) == ("Night shift", "new")
    assert api.patch(path, {"name": "newer"}).json()["shared_with"] is not None
    # Both or neither.
    assert api.patch(path, {"shared_with": None, "name": "\x07"}).status_code == 400
    assert api.get(path).json()["shared_with"] is not None
    assert api.patch(path, {"shared_with": None}).json()["shared_with"] is None
    for wrong in ("x", 0, -1, 2**40, [1], 99999):
        response = api.patch(path, {"shared_with": wrong})
        assert response.status_code == 400
        assert set(response.json()["error"]["fields"]) == {"shared_with"}
    assert other_api.patch(path, {"shared_with": None}).status_code == 404


def test_a_colleague_cannot_share_on(
    shared: DetectionSession, carl: Any, django_user_model: Any
) -> None:
    api = APIClient()
    api.force_authenticate(carl)
    response = api.patch(f"/api/sessions/{shared.pk}/", {"shared_with": None, "name": "mine"})
    assert response.status_code == 403
    shared.refresh_from_db()
    assert (shared.name, shared.shared_with_id is None) == ("yard.jpg", False)


def test_groups_are_ones_own_and_for_administrators_all(
    api: APIClient, group: Group, user: Any
) -> None:
    other = Group.objects.create(name="Day shift")
    mine = {"id": group.pk, "name": "Night shift", "member": True}
    assert api.get("/api/groups/").json()["results"] == [mine]
    boss = APIClient()
    boss.force_authenticate(make_user("root", "administrator"))
    assert boss.get("/api/groups/").json()["results"] == [
        {"id": other.pk, "name": "Day shift", "member": False},
        {**mine, "member": False},
    ]


@pytest.mark.parametrize("address", ["/", "/sessions/", "/api/sessions/"])
def test_more_groups_and_sessions_need_no_more_queries(
    shared: DetectionSession, carl: Any, user: Any, address: str
) -> None:
    def count() -> int:
        page = browser(carl)
        page.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert page.get(address).status_code == 200
        return len(queries)

    few = count()
    for number in range(8):
        group = Group.objects.create(name=f"group {number}")
        group.user_set.add(user, carl)
        more = make_session(user, upload=shared.upload)
        share_session(session=more, group=group, user=again(user))
    assert count() == few


# ---------------------------------------------------------------- the pages
def test_a_page_offers_what_one_may_and_nothing_else(
    shared: DetectionSession, user: Any, carl: Any, mona: Any
) -> None:
    offers = ("data-rename", "share-dialog", "delete-dialog", "rerun-dialog")
    for person, expected in (
        (user, (True, True, True, True)),
        (carl, (True, False, False, True)),
        (mona, (False, False, False, False)),
    ):
        text = browser(person).get(f"/sessions/{shared.pk}/").content.decode()
        text = text.replace("data-rename-url", "")
        assert tuple(offer in text for offer in offers) == expected, person
        assert ("by ada" in text) is (person != user)
        assert "Night shift" in text


def test_a_viewer_is_told_why_there_is_nothing_and_what_to_do(mona: Any, group: Group) -> None:
    for address in ("/", "/sessions/"):
        text = browser(mona).get(address).content.decode()
        assert "Nothing has been shared with you yet" in text
        assert "Night shift" in text
        assert "dropzone" not in text
        assert "/sessions/new/" not in text
    mona.groups.clear()
    assert "You are in no group yet" in browser(mona).get("/").content.decode()


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("get", "/sessions/new/"),
        ("post", "/sessions/create/"),
        ("post", "/sessions/example/"),
        ("post", "/sessions/share/"),
        ("post", "/api/sessions/"),
        ("post", "/api/detect/"),
        ("post", "/api/segment/"),
    ],
)
def test_a_viewer_makes_nothing(mona: Any, method: str, address: str) -> None:
    viewer = browser(mona)
    refused = getattr(viewer, method)(address, headers=SCRIPT)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed_to_create")
    assert "An administrator can make you an operator" in refused.json()["error"]["message"]
    assert getattr(viewer, method)(address).status_code == 403


def test_a_former_operator_keeps_and_deletes_what_is_theirs_and_changes_nothing(
    session: DetectionSession, user: Any
) -> None:
    type(user.account).objects.update(role="viewer")
    viewer = browser(user)
    assert viewer.get(f"/sessions/{session.pk}/").status_code == 200
    for act in ("rename", "rerun", "share"):
        assert viewer.post(f"/sessions/{session.pk}/{act}/", {"name": "x"}).status_code == 403
    assert viewer.post(f"/sessions/{session.pk}/delete/", headers=SCRIPT).status_code == 204


# ---------------------------------------------------------------- what is written down
def test_views_of_others_pictures_are_written_down_once_in_ten_minutes(
    shared: DetectionSession, user: Any, mona: Any, carl: Any
) -> None:
    for person in (user, mona, carl):
        page = browser(person)
        for part in ("thumbnail", "card/", "picture", "picture"):
            assert page.get(f"/sessions/{shared.pk}/{part}").status_code == 200
        assert page.get(f"/api/sessions/{shared.pk}/picture/").status_code == 200
    viewed = [("viewed", name, "yard.jpg", "ada", {}) for name in ("mona", "carl")]
    assert audit("viewed") == viewed
    cache.clear()  # ten minutes later
    browser(mona).get(f"/sessions/{shared.pk}/picture")
    assert audit("viewed") == [*viewed, viewed[0]]


def test_exports_are_written_down_ones_own_too(
    shared: DetectionSession, user: Any, mona: Any
) -> None:
    browser(user).get(f"/sessions/{shared.pk}/export/csv")
    browser(mona).get(f"/api/sessions/{shared.pk}/export/")
    browser(mona).get(f"/sessions/{shared.pk}/picture?download=1")
    browser(mona).get(f"/sessions/{shared.pk}/export/nonsense")
    assert audit("exported", "viewed") == [
        ("exported", "ada", "yard.jpg", "ada", {"format": "csv"}),
        ("exported", "mona", "yard.jpg", "ada", {"format": "json"}),
        ("exported", "mona", "yard.jpg", "ada", {"format": "picture"}),
    ]


def test_deletions_are_written_down_one_by_one(
    signed_in: Client, api: APIClient, user: Any, other_user: Any
) -> None:
    made = [make_session(user, name=f"yard {number}") for number in range(4)]
    theirs = make_session(other_user, name="theirs")
    ids = [str(session.pk) for session in [*made[:2], theirs]]
    signed_in.post("/sessions/delete/", {"id": ids})
    signed_in.post(f"/sessions/{made[2].pk}/delete/")
    api.delete(f"/api/sessions/{made[3].pk}/")
    lines = audit("deleted")
    assert sorted(line[2] for line in lines) == ["yard 0", "yard 1", "yard 2", "yard 3"]
    assert {line[1] for line in lines} == {"ada"}


def test_the_line_and_the_deed_are_one(
    session: DetectionSession, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**what: Any) -> None:
        raise RuntimeError("the log is away")

    monkeypatch.setattr("detector.services.sharing.record", fail)
    monkeypatch.setattr("detector.services.sessions.record", fail)
    group = Group.objects.create(name="Night shift")
    user.groups.add(group)
    for act in (
        lambda: share_session(session=session, group=group, user=user),
        lambda: delete_session(session=session, user=user),
    ):
        with pytest.raises(RuntimeError):
            act()
    assert DetectionSession.objects.get().shared_with is None


def test_on_a_full_disk_one_still_reads_and_the_log_has_what_the_audit_log_has_not(
    shared: DetectionSession,
    mona: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(**what: Any) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr("common.audit.looks.record", fail)
    for part in ("picture", "export/csv"):
        assert browser(mona).get(f"/sessions/{shared.pk}/{part}").status_code == 200
    lines = [line for line in caplog.messages if "disk is full" in line]
    assert [line.split()[:2] for line in lines] == [["mona", "viewed"], ["mona", "exported"]]


# ---------------------------------------------------------------- what is told
def test_everybody_concerned_is_told_and_nobody_else(
    session: DetectionSession,
    user: Any,
    group: Group,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    told: list[tuple[str, str, Any]] = []

    def note(channel: str, news: Any) -> None:
        told.append((channel, news["type"], news.get("but")))

    monkeypatch.setattr(events, "publish", note)
    other = Group.objects.create(name="Day shift")
    other.user_set.add(user)
    mine, first = f"user.{user.pk}", f"members.{group.pk}"
    second = f"members.{other.pk}"

    def hears(act: Callable[[], Any]) -> list[tuple[str, str, Any]]:
        told.clear()
        with django_capture_on_commit_callbacks(execute=True):
            act()
        return told.copy()

    asked = "session.access"
    assert hears(lambda: share_session(session=session, group=group, user=user)) == [
        (mine, asked, None),
        (first, asked, user.pk),
    ]
    assert hears(lambda: share_session(session=session, group=other, user=again(user))) == [
        (mine, asked, None),
        (first, asked, user.pk),
        (second, asked, user.pk),
    ]
    assert hears(lambda: delete_session(session=session)) == [
        (mine, "session.deleted", None),
        (second, "session.deleted", user.pk),
    ]


# ---------------------------------------------------------------- nothing is lost
def run_again(session: DetectionSession, owner: Any) -> DetectionSession:
    return rerun_session(session=session, owner=owner, options=parse_options(task="detect"))


def test_a_colleagues_rerun_is_theirs_shared_alike_and_outlives_the_first(
    shared: DetectionSession, user: Any, carl: Any, group: Group
) -> None:
    rerun = run_again(shared, carl)
    assert (rerun.owner, rerun.shared_with_id, rerun.upload) == (carl, group.pk, shared.upload)
    assert can(user, "view", rerun)
    assert not can(user, "delete", rerun)
    delete_session(session=shared, user=user)
    kept = Upload.objects.get()
    assert kept.file.storage.exists(kept.file.name)
    assert kept.owner == carl  # whose sessions are on it alone
    assert get_session(carl, rerun.pk).upload == kept
    delete_session(session=rerun, user=carl)
    assert not Upload.objects.exists()


def test_the_picture_stays_the_owners_while_a_session_of_theirs_is_on_it(
    shared: DetectionSession, user: Any, carl: Any
) -> None:
    second = make_session(user, upload=shared.upload)
    run_again(shared, carl)
    delete_session(session=shared, user=user)
    assert Upload.objects.get().owner == user == second.owner


def test_leaving_a_group_and_losing_it_lose_nothing(
    shared: DetectionSession, user: Any, carl: Any, group: Group
) -> None:
    rerun = run_again(shared, carl)
    user.groups.clear()
    owner, colleague = again(user), again(carl)
    assert {row.pk for row in list_sessions(owner)} == {shared.pk}  # theirs, and still shared
    assert {row.pk for row in list_sessions(colleague)} == {shared.pk, rerun.pk}
    group.delete()
    for person, session in ((owner, shared), (colleague, rerun)):
        rows = list_sessions(again(person))
        assert [(row.pk, row.shared_with) for row in rows] == [(session.pk, None)]


# ---------------------------------------------------------------- at the same moment
def test_a_permission_that_went_between_the_page_and_the_act_is_gone(
    shared: DetectionSession, user: Any, carl: Any
) -> None:
    page = browser(carl)
    assert page.get(f"/sessions/{shared.pk}/").status_code == 200
    loaded = get_session(carl, shared.pk, "change")
    share_session(session=shared, group=None, user=user)
    for act in ("rename", "rerun", "cancel"):
        assert page.post(f"/sessions/{shared.pk}/{act}/", {"name": "x"}).status_code == 404
    with pytest.raises(DetectorError) as refused:  # even when the view had just let them in
        run_again(loaded, again(carl))
    assert refused.value.code == "not_found"
    with pytest.raises(Http404):
        get_session(again(carl), shared.pk)


def test_what_is_deleted_under_ones_hands_is_not_there(
    session: DetectionSession, user: Any, group: Group
) -> None:
    loaded = get_session(user, session.pk)
    assert delete_session(session=session, user=user)
    assert not delete_session(session=loaded, user=user)
    with pytest.raises(DetectorError) as refused:
        share_session(session=loaded, group=group, user=user)
    assert refused.value.status == 404
    assert len(audit("deleted")) == 1
    assert not audit("shared")


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Do these at the same moment, each in a thread; what each returned or raised."""
    start = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(number: int, act: Callable[[], Any]) -> None:
        start.wait(10)
        try:
            results[number] = act()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


@pytest.mark.django_db(transaction=True)
def test_two_who_delete_the_same_sessions_delete_each_once(user: Any) -> None:
    for _ in range(5):
        first = make_session(user)
        made = [first, *[make_session(user, upload=first.upload) for _ in range(3)]]
        ids = [session.pk for session in made]
        loaded = [get_session(user, pk) for pk in ids]
        counts = together(
            lambda ids=ids: delete_sessions(user=again(user), ids=ids),
            lambda ids=ids: delete_sessions(user=again(user), ids=reversed(ids)),
            lambda one=loaded[1]: delete_session(session=one, user=again(user)),
        )
        assert sum(counts) == 4, counts
    assert len(audit("deleted")) == 20
    assert not Upload.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_browsers_that_delete_at_once_are_both_answered(user: Any) -> None:
    for _ in range(5):
        path = f"/sessions/{make_session(user).pk}/delete/"
        pages = [browser(user), browser(user)]
        answers = together(*[partial(page.post, path, headers=SCRIPT) for page in pages])
        assert sorted(answer.status_code for answer in answers) == [204, 404]


@pytest.mark.django_db(transaction=True)
def test_sharing_running_again_and_deleting_at_once_leave_it_whole(
    user: Any, group: Group, carl: Any
) -> None:
    for _ in range(8):
        session = share_session(session=make_session(user), group=group, user=again(user))
        loaded = [get_session(user, session.pk) for _ in range(4)]
        results = together(
            lambda one=loaded[0]: share_session(session=one, group=None, user=again(user)),
            lambda one=loaded[1]: run_again(one, again(carl)),
            lambda one=loaded[2]: delete_session(session=one, user=again(user)),
            lambda one=loaded[3]: share_sessions(ids=[one.pk], group=group.pk, user=again(user)),
        )
        for result in results:
            assert not isinstance(result, Exception) or isinstance(result, DetectorError), result
        left = DetectionSession.objects.all()
        assert {row.owner for row in left} <= {carl}
        assert Upload.objects.count() == left.count()
        assert all(upload.owner == carl for upload in Upload.objects.all())
        delete_sessions(user=again(carl), ids=[row.pk for row in left])


@pytest.mark.django_db(transaction=True)
def test_a_group_that_goes_while_one_shares_with_it_leaves_a_private_session(
    user: Any, session: DetectionSession
) -> None:
    for number in range(8):
        group = Group.objects.create(name=f"group {number}")
        user.groups.add(group)
        shared, deleted = together(
            lambda pk=group.pk: share_session(session=session, group=pk, user=again(user)),
            lambda doomed=group: doomed.delete(),
        )
        assert not isinstance(shared, Exception) or isinstance(shared, DetectorError), shared
        assert not isinstance(deleted, Exception), deleted
        session.refresh_from_db()
        assert session.shared_with_id is None


@pytest.mark.django_db(transaction=True)
def test_a_group_that_goes_while_its_session_is_run_again_leaves_private_sessions(
    user: Any, carl: Any
) -> None:
    for number in range(8):
        group = Group.objects.create(name=f"group {number}")
        for one in (user, carl):
            one.groups.add(group)
        shared = share_session(session=make_session(user), group=group, user=again(user))
        made, deleted = together(
            lambda one=shared: run_again(one, again(carl)), lambda doomed=group: doomed.delete()
        )
        assert not isinstance(made, Exception) or isinstance(made, DetectorError), made
        assert not isinstance(deleted, Exception), deleted
        assert not DetectionSession.objects.exclude(shared_with=None).exists()


def test_several_are_shared_at_once_as_far_as_they_are_ones_own(
    user: Any, other_user: Any, group: Group, shared: DetectionSession, carl: Any
) -> None:
    mine, theirs = make_session(user, name="mine"), make_session(other_user, name="theirs")
    ids = [str(session.pk) for session in (mine, theirs, shared)]
    browser(user).post("/sessions/share/", {"id": [*ids, "nonsense"], "group": group.pk})
    assert set(DetectionSession.objects.filter(shared_with=group)) == {mine, shared}
    browser(carl).post("/sessions/share/", {"id": ids, "group": ""})
    assert set(DetectionSession.objects.filter(shared_with=group)) == {mine, shared}
    browser(user).post("/sessions/share/", {"id": ids, "group": ""})
    assert not DetectionSession.objects.filter(shared_with=group).exists()
