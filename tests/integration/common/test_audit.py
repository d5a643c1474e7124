"""The audit log: what is written down, who reads it, and that nobody changes it."""

import csv
import datetime as dt
import io
import json
from importlib import import_module
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, connections, transaction
from django.test import AsyncClient, Client, RequestFactory
from django.utils import timezone
from rest_framework.test import APIClient

from common.accounts.services import create_token
from common.audit import sentences
from common.audit.admin import AuditedDeletions
from common.audit.failures import LINES_PER_NETWORK, is_milestone, note_failed_sign_in
from common.audit.models import AppendOnlyError
from common.audit.selectors import iterate, parse_filters, position_of, read_page
from common.audit.services import record
from common.models import Account, AuditEntry
from tests.integration.conftest import make_user

Action = AuditEntry.Action


@pytest.fixture
def root(db: None) -> Any:
    """An administrator."""
    return make_user("root", "administrator", password="only for tests")


@pytest.fixture
def browser(root: Any, client: Client) -> Client:
    """A browser in which the administrator is signed in."""
    client.force_login(root)
    return client


def lines(*actions: str) -> list[AuditEntry]:
    """Return the lines with these actions, the oldest first."""
    return list(AuditEntry.objects.filter(action__in=actions).order_by("id"))


def newest(*actions: str) -> AuditEntry:
    """Return the newest line with one of these actions."""
    return lines(*actions)[-1]


def add_lines(number: int, **fields: Any) -> None:
    """Add lines, the last of them the newest."""
    now = timezone.now() - dt.timedelta(days=1)
    fields = {"action": Action.VIEWED, "actor_name": "ada", **fields}
    AuditEntry.objects.bulk_create(
        AuditEntry(at=now + dt.timedelta(seconds=i // 2), object_id=str(i), **fields)
        for i in range(number)
    )


# ---------------------------------------------------------------- what is written down
def test_signing_in_and_out_is_noted_with_the_address(root: Any, client: Client) -> None:
    form = {"username": "root", "login": "root", "password": "only for tests"}
    client.post("/accounts/login/", form, REMOTE_ADDR="10.0.0.3")
    client.post("/accounts/logout/", REMOTE_ADDR="10.0.0.3")
    entered, left = lines(Action.SIGN_IN, Action.SIGN_OUT)
    assert (entered.actor_name, left.actor_name) == ("root", "root")
    assert (entered.address, entered.via) == ("10.0.0.3", "browser")
    assert sentences.sentence_of(entered) == "root signed in"
    assert sentences.origin_of(entered) == "from 10.0.0.3 · browser"


@pytest.mark.slow
def test_a_thousand_failures_are_four_lines_and_no_password(root: Any) -> None:
    request = RequestFactory().post("/accounts/login/", REMOTE_ADDR="10.0.0.3")
    for _ in range(1000):
        authenticate(request, username="root", password="hunter2-the-secret")
    noted = lines(Action.SIGN_IN_FAILED)
    assert [line.details["tries"] for line in noted] == [1, 10, 100, 1000]
    assert "hunter2" not in json.dumps([str(vars(line)) for line in noted])
    assert sentences.sentence_of(noted[1]) == (
        "Somebody failed to sign in as “root” (10 times within an hour)"
    )


@pytest.mark.slow
def test_a_thousand_names_are_few_lines_too(db: None) -> None:
    request = RequestFactory().post("/accounts/login/", REMOTE_ADDR="10.0.0.3")
    for number in range(1000):
        authenticate(request, username=f"nobody{number}", password="x")
    noted = lines(Action.SIGN_IN_FAILED)
    assert len(noted) == LINES_PER_NETWORK + 2
    assert noted[-1].details == {"tries": 1000, "names": "many"}


@pytest.mark.parametrize(
    ("typed", "noted"),
    [
        ("", ""),
        ("root", "root"),
        ("  ro\x00ot\r\nadmin signed in\u202e ", "ro ot admin signed in"),
        ("x" * 500, "x" * 150),
    ],
)
def test_a_typed_name_is_noted_as_one_short_line(db: None, typed: str, noted: str) -> None:
    note_failed_sign_in(request=RequestFactory().post("/"), name=typed)
    assert newest(Action.SIGN_IN_FAILED).object_name == noted


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, False), (1, True), (2, False), (10, True), (20, False), (101, False), (1000, True)],
)
def test_milestones_are_powers_of_ten(number: int, expected: bool) -> None:
    assert is_milestone(number) is expected


def test_what_matters_about_an_account_is_noted_when_it_changes(user: Any) -> None:
    group = Group.objects.create(name="hall")
    Account.objects.get(pk=user.pk).delete()
    Account.objects.create(user=user, role="viewer")
    Account.objects.filter(pk=user.pk).get().save()  # nothing has changed
    account = Account.objects.get(pk=user.pk)
    account.role = Account.Role.ADMINISTRATOR
    account.save()
    user.is_active, user.is_staff = False, True
    user.save()
    user.groups.add(group)
    group.user_set.remove(user)
    user.groups.set([group])
    user.groups.clear()
    user.groups.clear()  # nothing is left to leave
    user.save(update_fields=["last_login"])
    user.delete()
    assert [sentences.sentence_of(line) for line in lines(Action.ACCOUNT)] == [
        "The system made the account ada",
        "The system changed ada's role from viewer to operator",
        "The system changed ada's role from viewer to administrator",
        "The system changed ada's account: is active yes → no, is staff no → yes",
        "The system added ada to “hall”",
        "The system took ada out of “hall”",
        "The system added ada to “hall”",
        "The system took ada out of “hall”",
        "The system deleted the account ada",
    ]


def test_a_line_knows_the_token_that_was_used(root: Any, user: Any) -> None:
    _, text = create_token(owner=root, name="nightly", scope="read", days=1)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    client.get("/audit/export.csv")  # pages take no tokens: nothing is noted
    assert not lines(Action.EXPORTED)
    factory_line = _record_within_a_request(client)
    assert (factory_line.via, factory_line.address) == ("token nightly", "127.0.0.1")
    assert text not in json.dumps(list(AuditEntry.objects.values()), default=str)


def _record_within_a_request(client: APIClient) -> AuditEntry:
    from common.audit.api import views

    def get(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        record(action=Action.MAINTENANCE, actor=request.user)
        return generic(self, request, *args, **kwargs)

    generic = views.AuditView.get
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views.AuditView, "get", get)
        assert client.get("/api/audit/").status_code == 200
    return newest(Action.MAINTENANCE)


def test_outside_of_requests_a_line_names_the_command(db: None, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.argv", ["manage.py", "backup", "--password=hunter2"])
    assert record(action=Action.MAINTENANCE).via == "command manage.py backup"


def test_changes_in_the_administration_are_noted(db: None, client: Client, user: Any) -> None:
    client.force_login(make_superuser())
    password = {"password1": "a-long-passw0rd", "password2": "a-long-passw0rd"}
    client.post(f"/admin/auth/user/{user.pk}/password/", password)
    line = newest(Action.PASSWORD)
    assert sentences.sentence_of(line) == (
        "boss changed ada's password (set in the administration)"
    )
    first, second = (Group.objects.create(name=name) for name in ("hall", "yard"))
    client.post(f"/admin/auth/group/{first.pk}/change/", {"name": "lobby"})
    assert sentences.sentence_of(newest(Action.SETTINGS)).startswith(
        "boss changed “lobby” in the administration: Changed"
    )
    chosen = {"action": "delete_selected", "_selected_action": [first.pk, second.pk], "post": "yes"}
    client.post("/admin/auth/group/", chosen)
    assert sorted(sentences.sentence_of(line) for line in lines(Action.DELETED)) == [
        "boss deleted “lobby” in the administration",
        "boss deleted “yard” in the administration",
    ]


def make_superuser() -> Any:
    boss = make_user("boss", "administrator")
    boss.is_staff = boss.is_superuser = True
    boss.save()
    return boss


def test_every_admin_that_can_delete_notes_it() -> None:
    request = RequestFactory().get("/admin/")
    request.user = type("Superuser", (), {"has_perm": lambda self, name: True, "pk": 1})()
    silent = [
        model._meta.label
        for model, model_admin in admin.site._registry.items()
        if model_admin.has_delete_permission(request)
        and not isinstance(model_admin, AuditedDeletions)
        and model is not get_user_model()  # whose end is noted however it comes
    ]
    assert silent == []


# ---------------------------------------------------------------- append-only
@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.save(),
        lambda line: line.delete(),
        lambda line: AuditEntry.objects.update(actor_name="eve"),
        lambda line: AuditEntry.objects.all().delete(),
        lambda line: AuditEntry.objects.bulk_update([line], ["actor_name"]),
        lambda line: AuditEntry.objects.update_or_create(
            pk=line.pk, defaults={"actor_name": "eve"}
        ),
    ],
)
def test_the_models_refuse_changes(db: None, change: Any) -> None:
    line = record(action=Action.MAINTENANCE)
    with transaction.atomic(), pytest.raises(AppendOnlyError):
        change(line)
    assert AuditEntry.objects.get().actor_name == ""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE common_auditentry SET actor_name = 'eve'",
        "DELETE FROM common_auditentry",
        "TRUNCATE common_auditentry",
        "INSERT INTO common_auditentry SELECT * FROM common_auditentry WHERE true "
        "ON CONFLICT (id) DO UPDATE SET actor_name = 'eve'",
    ],
)
def test_the_database_refuses_changes(db: None, statement: str) -> None:
    if "TRUNCATE" in statement and connection.vendor == "sqlite":
        return  # SQLite has no such statement
    record(action=Action.MAINTENANCE)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AuditEntry.objects.get().actor_name == ""


def test_the_triggers_are_those_of_the_migration() -> None:
    migration = import_module("common.migrations.0003_audit_log")
    assert set(migration.FORBID) == set(migration.ALLOW) == {"postgresql", "sqlite"}


# ---------------------------------------------------------------- who reads it
@pytest.mark.parametrize("path", ["/audit/", "/audit/export.csv", "/api/audit/"])
@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("operator", 403), ("administrator", 200)]
)
def test_only_administrators_read_the_log(
    client: Client, db: None, path: str, role: str, status: int
) -> None:
    client.force_login(make_user("eve", role))
    assert client.get(path).status_code == status


def test_strangers_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/audit/").status_code == 302
    assert client.get("/api/audit/").status_code == 401


# ---------------------------------------------------------------- page, CSV, REST
def test_an_empty_log_says_what_will_appear(browser: Client) -> None:
    page = browser.get("/audit/", {"action": Action.TOKEN_REVOKED})
    assert "No line matches" in page.text


def test_the_pages_show_every_line_once(browser: Client) -> None:
    add_lines(120)
    address, seen = "/audit/", []
    while address:
        context = browser.get(address).context
        seen += [row["entry"].pk for row in context["rows"]]
        following = context["following"]
        address = f"/audit/?after={following}" if following else ""
    assert len(seen) == len(set(seen)) == AuditEntry.objects.count()
    assert seen == [line.pk for line in AuditEntry.objects.all()]


@pytest.mark.parametrize(
    "after", ["x", "1_", "_1", "1e400_1", "99999999999999999_1", "1.5_٣", "-1_1"]
)
def test_a_position_that_was_made_up_does_no_harm(browser: Client, after: str) -> None:
    assert browser.get("/audit/", {"after": after}).status_code == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 6),
        ({"action": "viewed"}, 3),
        ({"person": "ada"}, 3),
        ({"person": "ad"}, 0),
        ({"q": "STREET"}, 3),
        ({"q": "2"}, 2),
        ({"action": "viewed", "person": "bob"}, 0),
        ({"from": "2000-01-01"}, 6),
        ({"to": "2000-01-01"}, 0),
        ({"q": "\x00"}, 6),
    ],
)
def test_filters_narrow(db: None, query: dict[str, str], expected: int) -> None:
    add_lines(3, object_name="street.jpg")
    add_lines(3, action=Action.DELETED, actor_name="bob", object_name="yard.jpg")
    filters, wrong = parse_filters(query)
    assert not wrong
    assert sum(len(page) for page in iterate(filters, size=2)) == expected


@pytest.mark.parametrize("query", [{"action": "flew"}, {"from": "yesterday"}, {"to": "9999-12-31"}])
def test_wrong_filters_are_said(browser: Client, query: dict[str, str]) -> None:
    (name,) = query
    assert f"{name} must be" in browser.get("/audit/", query).text
    answer = browser.get("/api/audit/", query)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [name]


def test_a_page_costs_the_same_queries_whatever_it_shows(
    browser: Client, django_assert_max_num_queries: Any
) -> None:
    add_lines(60)
    with django_assert_max_num_queries(5):
        browser.get("/audit/", {"q": "street"})


def test_the_file_holds_what_matches_and_no_formula(browser: Client) -> None:
    add_lines(3, object_name="=HYPERLINK(1)")
    add_lines(2, actor_name="bob")
    answer = browser.get("/audit/export.csv", {"person": "ada"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert [row["object"] for row in rows] == ["'=HYPERLINK(1)"] * 3
    assert answer["Content-Disposition"] == 'attachment; filename="audit-log.csv"'
    line = newest(Action.EXPORTED)
    assert line.details["filters"] == {"person": "ada"}
    assert sentences.sentence_of(line) == "root exported the audit log as CSV"


@pytest.mark.django_db(transaction=True)
async def test_the_file_comes_in_pieces_on_the_event_loop(async_client: AsyncClient) -> None:
    from asgiref.sync import sync_to_async

    root = await sync_to_async(make_user)("root", "administrator")
    await sync_to_async(add_lines)(2500)
    await async_client.aforce_login(root)
    answer = await async_client.get("/audit/export.csv", {"person": "ada"})
    pieces = [piece async for piece in answer]
    await sync_to_async(answer.close)()
    await sync_to_async(connections.close_all)()
    assert len(pieces) == 4  # the header, and three of a thousand lines at most
    assert b"".join(pieces).count(b"\r\n") == 2501


def test_the_api_pages_by_cursor(browser: Client) -> None:
    add_lines(5)
    seen, address = [], "/api/audit/?page_size=2&person=ada"
    while address:
        page = browser.get(address).json()
        seen += [line["object_id"] for line in page["results"]]
        address = page["next"]
    assert seen == ["4", "3", "2", "1", "0"]
    assert page["results"][0]["sentence"] == "ada viewed something"


def test_a_line_written_meanwhile_moves_no_page(db: None) -> None:
    add_lines(4)
    entries = AuditEntry.objects.all()
    page, following = read_page(entries, size=2)
    record(action=Action.MAINTENANCE)
    rest, end = read_page(entries, size=2, after=following)
    assert [line.object_id for line in page + rest] == ["3", "2", "1", "0"]
    assert end == ""
    assert following == position_of(page[-1])


# ---------------------------------------------------------------- sentences
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"action": "exported", "object_name": "street.jpg", "owner_name": "bob",
             "details": {"format": "csv"}},
            "ada exported “street.jpg” of bob as CSV",
        ),
        (
            {"action": "exported", "object_name": "a", "owner_name": "ada",
             "details": {"format": "original"}},
            "ada exported “a” as it came",
        ),
        ({"action": "viewed", "object_name": "a", "owner_name": "bob"}, "ada viewed “a” of bob"),
        ({"action": "deleted", "object_type": "auth.group"}, "ada deleted a group"),
        (
            {"action": "shared", "object_name": "a", "details": {"group": "hall", "before": None}},
            "ada shared “a” with hall",
        ),
        (
            {"action": "shared", "object_name": "a", "details": {"group": None, "before": "hall"}},
            "ada stopped sharing “a” with hall",
        ),
        (
            {"action": "token_created", "details": {"token": "nightly", "scope": "read"}},
            "ada made the token “nightly” that may read",
        ),
        (
            {"action": "token_revoked", "owner_name": "bob", "details": {"token": "nightly"}},
            "ada revoked the token “nightly” of bob",
        ),
        ({"action": "password", "owner_name": "ada"}, "ada changed their own password"),
        (
            {"action": "settings", "object_type": "common.retentionpolicy",
             "details": {"before": {"picture_days": None}, "after": {"picture_days": 30}}},
            "ada changed how long things are kept: picture days none → 30",
        ),
        (
            {"action": "maintenance", "details": {"what": "cleanup", "pictures": 3, "orphans": 0}},
            "ada ran cleanup (pictures 3)",
        ),
        ({"action": "flew", "object_name": "a"}, "ada flew “a”"),
    ],
)  # fmt: skip
def test_lines_read_as_sentences(fields: dict[str, Any], expected: str) -> None:
    assert sentences.sentence_of(AuditEntry(actor_name="ada", **fields)) == expected


@pytest.mark.parametrize("action", Action.values)
@pytest.mark.parametrize("details", [{}, {"before": 1, "after": [], "groups": 3, "tries": "x"}])
def test_every_action_has_a_sentence_whatever_the_details(action: str, details: Any) -> None:
    assert sentences.sentence_of(AuditEntry(action=action, details=details)).strip()
