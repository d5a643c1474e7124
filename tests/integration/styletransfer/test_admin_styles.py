"""The admin finds styles and results, renames what people have added, and deletes as services."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from common.models import AuditEntry, DerivedFile, Job, Upload
from styletransfer.models import Restyling, Style
from tests.integration.styletransfer.made_styles import add, painted

pytestmark = pytest.mark.django_db

STYLES = "/admin/styletransfer/style/"
RESULTS = "/admin/styletransfer/restyling/"


@pytest.fixture
def boss(client: Client, django_user_model: Any) -> Client:
    client.force_login(django_user_model.objects.create_superuser("root", password="x"))
    return client


@pytest.fixture
def style(user: Any) -> Style:
    return add(user)


def rows(response: Any) -> list[str]:
    return [row.name for row in response.context["cl"].result_list]


def test_lists_are_searched_and_filtered(boss: Client, user: Any, style: Style) -> None:
    painted(user, style)
    assert rows(boss.get(STYLES, {"q": "peeling"})) == ["Peeling paint"]
    assert rows(boss.get(STYLES, {"q": "ada"})) == ["Peeling paint"]
    assert rows(boss.get(STYLES, {"q": "nothing of the kind"})) == []
    assert rows(boss.get(STYLES, {"origin": "added"})) == ["Peeling paint"]
    kinds = {
        origin: set(rows(boss.get(STYLES, {"origin": origin}))) for origin in ("pattern", "fast")
    }
    assert kinds["fast"] == set(Style.objects.exclude(network="").values_list("name", flat=True))
    assert kinds["pattern"]
    assert not kinds["pattern"] & kinds["fast"]
    assert rows(boss.get(STYLES, {"is_public__exact": "1"})) == []
    assert rows(boss.get(RESULTS, {"q": "harb"})) == ["Harbour"]
    assert rows(boss.get(RESULTS, {"job__state__exact": "failed"})) == []
    assert rows(boss.get(RESULTS, {"way__exact": "slow"})) == ["Harbour"]


def test_the_side_leads_to_both(boss: Client) -> None:
    text = boss.get("/admin/").content.decode()
    assert STYLES in text
    assert RESULTS in text


def test_a_style_is_renamed_and_opened_to_all(boss: Client, user: Any, style: Style) -> None:
    Style.objects.filter(pk=style.pk).update(shared_with=Group.objects.create(name="Studio"))
    form = {"name": "Old door", "description": "Blue", "is_public": "on"}
    assert boss.post(f"{STYLES}{style.pk}/change/", form).status_code == 302
    style.refresh_from_db()
    assert (style.name, style.description, style.is_public) == ("Old door", "Blue", True)
    assert style.shared_with is None
    assert style.owner == user
    assert style.picture


def test_what_comes_along_is_left_alone(boss: Client) -> None:
    built_in = Style.objects.exclude(key="").first()
    assert built_in is not None
    assert boss.get(f"{STYLES}{built_in.pk}/change/").status_code == 200
    assert boss.post(f"{STYLES}{built_in.pk}/change/", {"name": "x"}).status_code == 403
    assert boss.post(f"{STYLES}{built_in.pk}/delete/", {"post": "yes"}).status_code == 403
    assert boss.get(f"{STYLES}add/").status_code == 403


def test_a_deleted_style_leaves_its_results(boss: Client, user: Any, style: Style) -> None:
    result = painted(user, style)
    assert boss.post(f"{STYLES}{style.pk}/delete/", {"post": "yes"}).status_code == 302
    result.refresh_from_db()
    assert result.style is None
    assert result.style_name == "Peeling paint"
    assert AuditEntry.objects.filter(object_id=str(style.pk), action="deleted").count() == 1


def test_several_styles_are_deleted(boss: Client, user: Any) -> None:
    ids = [str(add(user, name).pk) for name in ("Rust", "Moss")]
    form = {"action": "delete_selected", "_selected_action": ids, "post": "yes"}
    assert boss.post(STYLES, form).status_code == 302
    assert not Style.objects.filter(key="").exists()


def test_a_result_is_looked_at_and_not_edited(boss: Client, user: Any, style: Style) -> None:
    result = painted(user, style)
    assert boss.get(f"{RESULTS}{result.pk}/change/").status_code == 200
    assert boss.post(f"{RESULTS}{result.pk}/change/", {"name": "x"}).status_code == 403
    assert boss.get(f"{RESULTS}add/").status_code == 403


@pytest.mark.parametrize("many", [False, True])
def test_deleting_a_result_takes_everything_along(
    boss: Client, user: Any, style: Style, many: bool, django_capture_on_commit_callbacks: Any
) -> None:
    result = painted(user, style)
    assert result.result is not None
    storage, name = result.result.file.storage, str(result.result.file.name)
    with django_capture_on_commit_callbacks(execute=True):
        if many:
            form = {"action": "delete_selected", "_selected_action": [result.pk], "post": "yes"}
            answer = boss.post(RESULTS, form)
        else:
            answer = boss.post(f"{RESULTS}{result.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    for model in (Restyling, Job, Upload, DerivedFile):
        assert not model.objects.exists(), model
    assert not storage.exists(name)
    assert AuditEntry.objects.filter(object_id=str(result.pk), action="deleted").count() == 1


def test_it_is_for_staff(signed_in: Client, style: Style) -> None:
    assert signed_in.get(STYLES).status_code == 302
    assert signed_in.get(RESULTS).status_code == 302
