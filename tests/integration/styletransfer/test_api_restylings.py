"""``/api/style/``: asked for, followed, fetched, stopped, asked again, shared, deleted."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from common.models import Upload
from common.previews import Preview, write_preview
from styletransfer.models import Style
from tests.integration.conftest import make_user
from tests.integration.styletransfer.asking import (
    FAST,
    PATTERN,
    ask,
    asked,
    file_of,
    look,
    photo,
    refusal,
    rows,
    stored_files,
)

pytestmark = pytest.mark.django_db

NOBODYS = uuid.UUID(int=1)


def client_of(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def group(user: Any) -> Group:
    made = Group.objects.create(name="Night shift")
    user.groups.add(made)
    return made


def test_a_style_can_be_sent_along(api: APIClient, user: Any) -> None:
    sent = file_of(photo(80, 80, seed=1), "my_waves.jpg")
    body = asked(api, style=None, style_image=sent)
    style = Style.objects.get(owner=user)
    assert body["style"] == {"id": str(style.pk), "name": "my waves"}
    assert (style.is_public, style.shared_with, style.use_count) == (False, None, 1)
    again = asked(api, style="My Waves")
    assert again["style"]["id"] == str(style.pk)


def test_a_style_that_was_sent_along_goes_when_nothing_is_painted(
    api: APIClient, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    before = rows()
    sent = {"style": None, "style_image": file_of(photo(80, 80))}
    with django_capture_on_commit_callbacks(execute=True):
        refusal(ask(api, **sent, image=file_of(b"hello" * 99)), 415, "not_a_picture")
        sent["style_image"].seek(0)
        refusal(ask(api, **sent, steps=0), 400, "invalid")
    assert rows() == before
    assert not stored_files(settings.MEDIA_ROOT)


def test_a_style_has_names(api: APIClient) -> None:
    style = Style.objects.get(key=PATTERN)
    for name in (str(style.pk), style.key, style.name, style.name.upper(), f" {style.key} "):
        assert asked(api, style=name)["style"]["id"] == str(style.pk)
    assert Style.objects.get(key=PATTERN).use_count == style.use_count + 5


def test_what_is_left_out_stays_when_it_is_painted_again(api: APIClient, fast: None) -> None:
    first = asked(api, steps=7, seed=3, keep_colours="true", start="noise", name="Harbour")
    same = api.post(f"/api/style/{first['id']}/again/", {})
    assert same.status_code == 201, same.content
    assert same["Location"] == same.json()["urls"]["self"] != first["urls"]["self"]
    assert same.json()["options"] == first["options"]
    assert same.json()["name"] == "Harbour"
    assert Upload.objects.count() == 1

    more = api.post(f"/api/style/{first['id']}/again/", {"steps": 9, "keep_colours": False})
    assert more.json()["options"] == first["options"] | {"steps": 9, "keep_colours": False}

    quick = api.post(f"/api/style/{first['id']}/again/", {"style": FAST}).json()
    assert (quick["way"], quick["options"]["size"]) == ("fast", None)
    assert quick["options"]["keep_colours"] is True
    slow = api.post(f"/api/style/{quick['id']}/again/", {"style": PATTERN}).json()
    assert (slow["way"], slow["options"]["steps"], slow["options"]["size"]) == ("slow", 100, 384)

    for wrong in ({"steps": 0}, {"style": "no such"}, {"start": "dream"}):
        refusal_of = api.post(f"/api/style/{first['id']}/again/", wrong)
        assert refusal_of.status_code == 400, refusal_of.content
        assert set(refusal_of.json()["error"]["fields"]) == set(wrong)
    refusal(api.post(f"/api/style/{first['id']}/again/", ["a"]), 400, "invalid")


def test_one_that_waits_is_stopped(api: APIClient) -> None:
    body = asked(api)
    stopped = api.post(f"/api/style/{body['id']}/cancel/").json()
    assert (stopped["status"], stopped["queue"]) == ("cancelled", None)
    refusal(api.post(f"/api/style/{body['id']}/cancel/"), 409, "not_running")
    refusal(api.get(f"/api/style/{body['id']}/result/"), 409, "no_result")
    refusal(api.get(f"/api/style/{body['id']}/thumbnail/"), 409, "no_result")
    assert api.post(f"/api/style/{body['id']}/retry/").json()["status"] == "queued"
    refusal(api.post(f"/api/style/{body['id']}/retry/"), 409, "not_failed")


def test_places_in_the_queue_are_told(api: APIClient, other_user: Any) -> None:
    mine = [asked(api) for _ in range(2)]
    theirs = asked(client_of(other_user))
    # Fair between people: the other's first comes before the second of one's own.
    assert [look(api, body)["queue"]["place"] for body in mine] == [1, 3]
    assert theirs["queue"]["place"] == 2
    api.post(f"/api/style/{mine[0]['id']}/cancel/")
    assert look(api, mine[1])["queue"]["place"] in (1, 2)


def test_the_newest_picture_is_shown_while_it_is_painted(api: APIClient) -> None:
    body = asked(api)
    assert api.get(body["urls"]["preview"]).status_code == 204
    write_preview(f"restyling-{body['id']}", Preview(4, photo()))
    shown = api.get(body["urls"]["preview"])
    assert (shown.content, shown["X-Preview"]) == (photo(), "4")
    assert shown["Cache-Control"] == "private, no-store"


def test_a_result_outlives_its_style(api: APIClient, user: Any) -> None:
    body = asked(api, style=None, style_image=file_of(photo(80, 80), "waves.png"))
    assert api.delete(f"/api/styles/{body['style']['id']}/").status_code == 204
    left = look(api, body)
    assert (left["style"], left["style_name"]) == (None, "waves")
    refusal(api.post(f"/api/style/{body['id']}/again/", {}), 409, "style_deleted")
    other = api.post(f"/api/style/{body['id']}/again/", {"style": PATTERN})
    assert other.status_code == 201
    api.post(f"/api/style/{body['id']}/cancel/")
    refusal(api.post(f"/api/style/{body['id']}/retry/"), 409, "style_deleted")
    assert api.delete(f"/api/style/{body['id']}/").status_code == 204


def test_the_list_has_pages_and_filters(api: APIClient, other_user: Any, fast: None) -> None:
    for number in range(4):
        asked(api, name=f"yard {number}")
    asked(api, name="quay", style=FAST)
    asked(client_of(other_user), name="yard of somebody else")
    page = api.get("/api/style/", {"page_size": 3}).json()
    assert [entry["name"] for entry in page["results"]] == ["quay", "yard 3", "yard 2"]
    rest = api.get(page["next"]).json()
    assert [entry["name"] for entry in rest["results"]] == ["yard 1", "yard 0"]

    def names(**query: str) -> list[str]:
        return [entry["name"] for entry in api.get("/api/style/", query).json()["results"]]

    assert names(q="YARD 3") == ["yard 3"]
    assert names(style=FAST) == ["quay"]
    assert len(names(status="queued", kind="image")) == 5
    assert names(status="done") == names(kind="video") == []
    for wrong in ({"status": "asleep"}, {"kind": "song"}, {"style": "no such"}):
        response = api.get("/api/style/", wrong)
        assert (response.status_code, set(response.json()["error"]["fields"])) == (400, set(wrong))


def test_a_longer_list_asks_the_database_no_more_often(api: APIClient, fast: None) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert api.get("/api/style/").status_code == 200
        return len(captured)

    asked(api, style=FAST)
    one = queries()
    for _ in range(4):
        asked(api, style=FAST)
    assert queries() <= one


def test_it_is_renamed_and_shared(api: APIClient, group: Group) -> None:
    body = asked(api)
    path = f"/api/style/{body['id']}/"
    changed = api.patch(path, {"name": " new\nname ", "shared_with": group.pk}).json()
    assert (changed["name"], changed["shared_with"]["name"]) == ("new name", "Night shift")
    assert api.patch(path, {"shared_with": None}).json()["shared_with"] is None
    for wrong in ({}, {"name": ""}, {"name": "x" * 201}, {"name": None}):
        refused = api.patch(path, wrong)
        assert (refused.status_code, set(refused.json()["error"]["fields"])) == (400, {"name"})
    foreign = Group.objects.create(name="Others")
    refusal(api.patch(path, {"shared_with": foreign.pk, "name": "x"}), 400, "unknown_group")
    assert look(api, body)["name"] == "new name"
    assert api.put(path, {"name": "x"}).status_code == 405


def test_others_see_what_is_shared_with_them(api: APIClient, group: Group) -> None:
    body = asked(api)
    path = f"/api/style/{body['id']}/"
    viewer, colleague = make_user("vera", "viewer"), make_user("carl")
    clients = [client_of(viewer), client_of(colleague)]
    for client in clients:
        assert client.get(path).status_code == 404
        assert client.get("/api/style/").json()["results"] == []
        assert client.delete(path).status_code == 404
        for action in ("cancel", "retry", "again"):
            assert client.post(f"{path}{action}/").status_code == 404
    group.user_set.add(viewer, colleague)
    api.patch(path, {"shared_with": group.pk})
    looking, working = client_of(viewer), client_of(make_user_again(colleague))
    looking = client_of(make_user_again(viewer))
    assert looking.get(path).json()["id"] == body["id"]
    assert len(looking.get("/api/style/").json()["results"]) == 1
    assert looking.get(f"{path}preview/").status_code == 204
    for action in ("cancel", "retry", "again"):
        assert looking.post(f"{path}{action}/").status_code == 403
    assert looking.patch(path, {"name": "mine"}).status_code == 403
    assert looking.delete(path).status_code == working.delete(path).status_code == 403
    assert working.patch(path, {"shared_with": None}).status_code == 403
    again = working.post(f"{path}again/", {"steps": 4})
    assert (again.status_code, again.json()["owner"]) == (201, "carl")
    assert Upload.objects.count() == 1
    assert api.delete(path).status_code == 204
    assert working.get(again.json()["urls"]["self"]).status_code == 200


def make_user_again(user: Any) -> Any:
    """As the next request reads them: groups are remembered on the object."""
    return type(user).objects.get(pk=user.pk)


def test_who_may_only_look_paints_nothing(user: Any) -> None:
    before = rows()
    viewer = client_of(make_user("vera", "viewer"))
    refusal(ask(viewer), 403, "not_allowed_to_create")
    refusal(ask(APIClient()), 401, "not_authenticated")
    assert APIClient().get("/api/style/").status_code == 401
    assert rows() == before


def test_it_is_deleted_with_all_that_is_its(
    api: APIClient, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    body = asked(api)
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(f"/api/style/{body['id']}/").status_code == 204
    assert rows() == (0, 0, 0, 0)
    assert not stored_files(settings.MEDIA_ROOT)
    for path in (f"/api/style/{body['id']}/", f"/api/style/{NOBODYS}/"):
        assert api.get(path).status_code == api.delete(path).status_code == 404


def test_after_twenty_one_has_to_wait(api: APIClient, other_user: Any) -> None:
    bodies = [asked(api) for _ in range(20)]
    before = rows()
    refused = ask(api)
    refusal(refused, 429, "too_many_waiting")
    assert int(refused["Retry-After"]) > 0
    again = api.post(f"/api/style/{bodies[0]['id']}/again/", {})
    refusal(again, 429, "too_many_waiting")
    sent = file_of(photo(80, 80))
    refusal(ask(api, style=None, style_image=sent), 429, "too_many_waiting")
    assert rows() == before
    asked(client_of(other_user))
    api.post(f"/api/style/{bodies[0]['id']}/cancel/")
    asked(api)
