"""``/api/styles/``: the gallery, one's own, and who may use and change which."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from styletransfer.models import Style
from tests.integration.conftest import make_user
from tests.integration.styletransfer.asking import (
    FAST,
    PATTERN,
    content_of,
    decoded,
    file_of,
    photo,
    refusal,
    rows,
    stored_files,
)

pytestmark = pytest.mark.django_db

NOBODYS = uuid.UUID(int=1)


def client_of(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(type(user).objects.get(pk=user.pk))
    return client


def add(api: APIClient, **fields: Any) -> Any:
    form = {"image": file_of(photo(80, 72), "my_waves.png"), **fields}
    return api.post("/api/styles/", form, format="multipart")


def names(api: APIClient, **query: Any) -> list[str]:
    response = api.get("/api/styles/", query)
    assert response.status_code == 200, response.content
    return [entry["name"] for entry in response.json()["results"]]


def test_what_comes_along_is_listed(api: APIClient) -> None:
    found = {entry["key"]: entry for entry in api.get("/api/styles/").json()["results"]}
    pattern, fast = found[PATTERN], found[FAST]
    assert (pattern["owner"], pattern["fast"], pattern["network"]) == (None, False, "")
    assert (fast["owner"], fast["fast"], fast["network"]) == (None, True, "candy")
    assert pattern["description"]
    assert fast["description"]
    assert api.get(f"/api/styles/{pattern['id']}/").json() == pattern
    picture = api.get(pattern["picture"])
    assert picture["Content-Type"] == "image/jpeg"
    assert min(decoded(content_of(picture)).shape[:2]) >= 256
    refusal(api.get(fast["picture"]), 404, "not_found")  # none was painted yet


def test_a_picture_becomes_a_style(api: APIClient, user: Any) -> None:
    response = add(api, description="Seen at the sea.")
    body = response.json()
    assert response.status_code == 201, body
    assert response["Location"] == f"/api/styles/{body['id']}/"
    assert (body["name"], body["description"]) == ("my waves", "Seen at the sea.")
    assert (body["owner"], body["public"], body["shared_with"]) == (user.username, False, None)
    assert (body["key"], body["fast"], body["use_count"]) == ("", False, 0)
    assert (body["width"], body["height"]) == (80, 72)
    assert decoded(content_of(api.get(body["picture"]))).shape == (72, 80, 3)
    assert add(api, name="Waves II").json()["name"] == "Waves II"


def test_the_list_has_pages_orders_and_filters(api: APIClient, other_user: Any) -> None:
    for name in ("Aa storm", "Zz calm"):
        add(api, name=name)
    Style.objects.filter(name="Zz calm").update(use_count=5)
    add(client_of(other_user), name="Not mine")
    Style.objects.create(owner=other_user, name="Everybody's", is_public=True)
    assert names(api, only="mine") == ["Zz calm", "Aa storm"]
    assert names(api, only="mine", order="name") == ["Aa storm", "Zz calm"]
    assert names(api, only="shared") == ["Everybody's"]
    assert names(api, q="STORM aa") == ["Aa storm"]
    assert names(api)[0] == "Zz calm"
    assert names(api, order="newest")[0] == "Everybody's"
    assert len(names(api, only="fast")) == 5
    everything = names(api, order="name")
    assert "Not mine" not in everything
    seen, path = [], "/api/styles/?order=name&page_size=4"
    while path:
        page = api.get(path).json()
        seen += [entry["name"] for entry in page["results"]]
        path = page["next"]
    assert seen == everything
    for wrong in ({"order": "random"}, {"only": "best"}):
        refused = api.get("/api/styles/", wrong)
        assert set(refusal(refused, 400, "invalid")["fields"]) == set(wrong)


def test_a_longer_list_asks_the_database_no_more_often(api: APIClient, user: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.get("/api/styles/").status_code == 200
        return len(captured)

    add(api)
    one = queries()
    for _ in range(3):
        add(api)
    assert queries() <= one


def test_a_style_is_renamed_and_described(api: APIClient) -> None:
    path = f"/api/styles/{add(api).json()['id']}/"
    changed = api.patch(path, {"name": " new\nname ", "description": "of the sea"}).json()
    assert (changed["name"], changed["description"]) == ("new name", "of the sea")
    assert api.patch(path, {"description": ""}).json()["name"] == "new name"
    for field, wrong in (("name", ""), ("name", "x" * 81), ("description", "x" * 501)):
        refused = api.patch(path, {field: wrong})
        assert set(refusal(refused, 400, "invalid")["fields"]) == {field}
    assert api.patch(path, {}).status_code == api.patch(path, ["x"]).status_code == 400
    assert api.put(path, {"name": "x"}).status_code == 405


def test_a_style_is_shared_with_a_group_and_with_everybody(
    api: APIClient, user: Any, other_user: Any
) -> None:
    body = add(api).json()
    path = f"/api/styles/{body['id']}/"
    group = Group.objects.create(name="Night shift")
    refusal(api.patch(path, {"audience": str(group.pk)}), 400, "unknown_group")
    for wrong in ("nobody", "-1", "9" * 19, "1.5", "²"):
        refusal(api.patch(path, {"audience": wrong}), 400, "unknown_group")
    user.groups.add(group)
    other_user.groups.add(group)
    api = client_of(user)
    assert client_of(other_user).get(path).status_code == 404
    shared = api.patch(path, {"audience": group.pk}).json()
    assert (shared["shared_with"], shared["public"]) == (
        {"id": group.pk, "name": "Night shift"},
        False,
    )
    other = client_of(other_user)
    assert other.get(path).status_code == 200
    assert decoded(content_of(other.get(body["picture"]))).shape == (72, 80, 3)
    assert other.patch(path, {"name": "mine"}).status_code == 403
    assert other.delete(path).status_code == 403
    public = api.patch(path, {"audience": "everybody"}).json()
    assert (public["shared_with"], public["public"]) == (None, True)
    assert client_of(make_user("vera", "viewer")).get(path).status_code == 200
    private = api.patch(path, {"audience": ""}).json()
    assert (private["shared_with"], private["public"]) == (None, False)
    assert client_of(other_user).get(path).status_code == 404


def test_a_change_is_made_as_a_whole_or_not_at_all(api: APIClient) -> None:
    body = add(api).json()
    path = f"/api/styles/{body['id']}/"
    refusal(api.patch(path, {"audience": "everybody", "name": "\u200b"}), 400, "invalid")
    assert api.get(path).json()["public"] is False


def test_what_comes_along_is_nobodys_to_change(api: APIClient) -> None:
    administrator = client_of(make_user("anna", "administrator"))
    path = f"/api/styles/{Style.objects.get(key=PATTERN).pk}/"
    for client in (api, administrator):
        for answer in (
            client.patch(path, {"name": "mine"}),
            client.patch(path, {"audience": ""}),
            client.delete(path),
        ):
            refusal(answer, 403, "permission_denied")


def test_what_is_everybodys_administrators_may_delete(api: APIClient) -> None:
    path = f"/api/styles/{add(api).json()['id']}/"
    administrator = client_of(make_user("anna", "administrator"))
    assert administrator.delete(path).status_code == 404
    api.patch(path, {"audience": "everybody"})
    assert administrator.patch(path, {"name": "x"}).status_code == 403
    assert administrator.delete(path).status_code == 204


def test_a_style_is_deleted_with_its_files(
    api: APIClient, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    path = f"/api/styles/{add(api).json()['id']}/"
    assert stored_files(settings.MEDIA_ROOT)
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(path).status_code == 204
    assert not stored_files(settings.MEDIA_ROOT)
    assert api.delete(path).status_code == api.get(path).status_code == 404
    assert api.get(f"/api/styles/{NOBODYS}/picture/").status_code == 404


def test_who_may_only_look_adds_nothing() -> None:
    before = rows()
    viewer = client_of(make_user("vera", "viewer"))
    assert PATTERN in [entry["key"] for entry in viewer.get("/api/styles/").json()["results"]]
    refusal(add(viewer), 403, "not_allowed_to_create")
    refusal(add(APIClient()), 401, "not_authenticated")
    assert APIClient().get("/api/styles/").status_code == 401
    assert rows() == before
