"""The entrance: sign in, sign up, forgotten passwords, and what strangers learn there."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from allauth.account.models import EmailAddress
from django.conf import settings as django_settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import NoReverseMatch, reverse

from common.accounts.checks import check_links_in_mail
from common.accounts.entrance import mail as post_office
from common.models import Account, AuditEntry
from detection_project.settings.mail import read_mail_url, read_sender
from integration.conftest import wait_until

LOGIN = "/accounts/login/"
RESET = "/accounts/password/reset/"
SIGN_UP = "/accounts/signup/"
RIGHT = {"username": "ada", "password": "correct horse"}
NEW = "battery staple 9"
SEEN_BY_THREADS = pytest.mark.django_db(transaction=True)  # links are made in the background


@pytest.fixture
def with_mail(settings: Any) -> Iterator[None]:
    """An installation that sends mail; pytest-django keeps it in memory."""
    settings.SIGHTLINE_MAIL = True
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True
    settings.DEFAULT_FROM_EMAIL = "sightline@example.org"
    yield
    wait_until_nothing_is_on_its_way()


@pytest.fixture
def open_door(settings: Any) -> None:
    """An installation where people may sign up."""
    settings.SIGHTLINE_SIGN_UP = True


@pytest.fixture
def proof_wanted(settings: Any, with_mail: None, open_door: None) -> None:
    """One where they must confirm their e-mail, as the settings ask with mail."""
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]


@pytest.fixture
def ada(user: Any) -> Any:
    user.email = "Ada@Example.org"
    user.save()
    return user


def wait_for_mail(number: int = 1) -> Any:
    wait_until(lambda: len(mail.outbox) >= number)
    return mail.outbox[-1]


def wait_until_nothing_is_on_its_way() -> None:
    wait_until(lambda: post_office._room._value == post_office.WAITING)


def link_in(text: str) -> str:
    found = re.search(r"https?://\S+", text)
    assert found is not None, text
    return found.group()


def is_signed_in(browser: Client) -> bool:
    return browser.get("/account/").status_code == 200


# ---------------------------------------------------------------- names and passwords
NAMES = [
    ("ada", True),
    ("ADA", True),
    (" ada ", True),
    ("ada@example.org", True),
    ("ADA@example.ORG", True),
    ("ad", False),
    ("ada@example", False),
    ("", False),
    ("a" * 5000, False),
    ("ada\0", False),
    ("ада", False),
]


@pytest.mark.parametrize(("name", "enters"), NAMES)
def test_a_user_name_or_an_e_mail_opens_the_door(
    client: Client, ada: Any, name: str, enters: bool
) -> None:
    response = client.post(LOGIN, {**RIGHT, "username": name})
    assert response.status_code == (302 if enters else 200)
    assert is_signed_in(client) is enters


@pytest.mark.parametrize("name", ["ada", "ada@example.org", "nobody", "nobody@example.org"])
def test_nobody_learns_which_names_exist(
    client: Client, ada: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    original = MD5PasswordHasher.encode

    def counted(self: Any, password: str, *args: Any, **kwargs: Any) -> str:
        hashed.append(password)
        return original(self, password, *args, **kwargs)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    page = client.post(LOGIN, {"username": name, "password": "guess"}).content.decode()
    assert hashed == ["guess"], "as much work for everybody"
    assert "The name or the password is wrong." in page
    assert page.count("error-text") == 0


def test_an_account_that_is_switched_off_says_so_to_its_owner_alone(
    client: Client, user: Any
) -> None:
    user.is_active = False
    user.save()
    assert "switched off" in client.post(LOGIN, RIGHT).content.decode()
    wrong = client.post(LOGIN, {**RIGHT, "password": "guess"}).content.decode()
    assert "switched off" not in wrong
    assert "The name or the password is wrong." in wrong
    assert not is_signed_in(client)


NEXT = [
    ("/sessions/", "/sessions/"),
    ("", "/"),
    ("https://evil.example/", "/"),
    ("//evil.example/", "/"),
    ("javascript:alert(1)", "/"),
]


@pytest.mark.parametrize(("wanted", "led_to"), NEXT)
def test_signing_in_leads_to_a_page_of_ours(
    client: Client, user: Any, wanted: str, led_to: str
) -> None:
    response = client.post(LOGIN, {**RIGHT, "next": wanted})
    assert (response.status_code, response["Location"]) == (302, led_to)


def test_the_session_gets_a_new_key_when_somebody_signs_in(client: Client, user: Any) -> None:
    session = client.session
    session["before"] = 1
    session.save()
    before = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    client.post(LOGIN, RIGHT)
    assert client.cookies[django_settings.SESSION_COOKIE_NAME].value != before


def test_signing_out_needs_a_post(signed_in: Client) -> None:
    assert "Sign out?" in signed_in.get("/accounts/logout/").content.decode()
    assert is_signed_in(signed_in)
    assert signed_in.post("/accounts/logout/")["Location"] == LOGIN
    assert not is_signed_in(signed_in)


# ---------------------------------------------------------------- limits
@pytest.mark.slow
@pytest.mark.once
def test_a_thousand_wrong_passwords_are_refused_and_the_owner_still_gets_in(
    user: Any, settings: Any
) -> None:
    attempts, _ = settings.SIGHTLINE_SIGN_IN_LIMIT
    many, _ = settings.SIGHTLINE_SIGN_IN_LIMIT_PER_ADDRESS
    stranger = Client(REMOTE_ADDR="198.51.100.7")
    statuses = [
        stranger.post(LOGIN, {"username": f"name {number}", "password": "x"}).status_code
        for number in range(500)
    ]
    assert statuses == [200] * many + [429] * (500 - many)
    for address in range(50):
        crowd = Client(REMOTE_ADDR=f"203.0.113.{address}")
        answers = [crowd.post(LOGIN, {**RIGHT, "password": str(n)}) for n in range(10)]
        assert [a.status_code for a in answers] == [200] * attempts + [429] * (10 - attempts)
        assert answers[-1]["Retry-After"] == "300"
    owner = Client(REMOTE_ADDR="192.0.2.1")
    assert owner.post(LOGIN, RIGHT).status_code == 302
    entries = getattr(cache, "_cache", None)  # of the cache in memory; Redis forgets by itself
    if isinstance(entries, dict):
        kept = [key for key in entries if ":sign-in." in key]
        assert len(kept) == (1 + many) + 50 * 2 + 1, "names beyond the limit cost no memory"


NEIGHBOURS = [
    ("2001:db8::1", "2001:db8::ffff", True),
    ("2001:db8::1", "2001:db8:0:1::1", False),
    ("::ffff:192.0.2.1", "192.0.2.1", True),
    ("192.0.2.1", "192.0.2.2", False),
    ("", "", True),
]


@pytest.mark.parametrize(("first", "second", "counted_together"), NEIGHBOURS)
def test_a_household_counts_as_one(
    user: Any, settings: Any, first: str, second: str, counted_together: bool
) -> None:
    settings.SIGHTLINE_SIGN_IN_LIMIT_PER_ADDRESS = (1, 60)
    Client(REMOTE_ADDR=first).post(LOGIN, {**RIGHT, "password": "x"})
    status = Client(REMOTE_ADDR=second).post(LOGIN, RIGHT).status_code
    assert status == (429 if counted_together else 302)


@SEEN_BY_THREADS
def test_reset_mails_are_limited_per_mailbox_and_per_address(ada: Any, with_mail: None) -> None:
    per_mailbox = [
        Client(REMOTE_ADDR=f"203.0.113.{n}").post(RESET, {"email": "ada@example.org"}).status_code
        for n in range(6)
    ]
    assert per_mailbox == [302] * 5 + [429]
    stranger = Client(REMOTE_ADDR="198.51.100.7")
    answers = [stranger.post(RESET, {"email": f"n{n}@example.org"}) for n in range(11)]
    assert [a.status_code for a in answers] == [302] * 10 + [429]
    assert answers[-1]["Retry-After"] == "60"
    assert "That was tried too often" in answers[-1].content.decode()


# ---------------------------------------------------------------- forgotten passwords
def test_without_mail_there_is_an_administrator_to_ask(client: Client, ada: Any) -> None:
    assert "Ask an administrator" in client.get(LOGIN).content.decode()
    for response in (client.get(RESET), client.post(RESET, {"email": "ada@example.org"})):
        assert response.status_code == 200
        assert "This installation sends no mail" in response.content.decode()
    assert not mail.outbox


@SEEN_BY_THREADS
def test_the_answer_to_a_forgotten_password_is_the_same_for_all(
    client: Client, ada: Any, with_mail: None
) -> None:
    pages = set()
    for address in ("ada@example.org", "nobody@example.org"):
        response = client.post(RESET, {"email": address}, follow=True)
        assert response.redirect_chain == [(f"{RESET}done/", 302)]
        pages.add(response.content)
    assert len(pages) == 1
    assert wait_for_mail().to == ["ada@example.org"]
    wait_until_nothing_is_on_its_way()
    assert len(mail.outbox) == 1, "nobody sends mail to strangers through us"


@SEEN_BY_THREADS
def test_an_account_that_is_switched_off_gets_no_link(
    client: Client, ada: Any, with_mail: None
) -> None:
    ada.is_active = False
    ada.save()
    client.post(RESET, {"email": "ada@example.org"})
    wait_until_nothing_is_on_its_way()
    assert not mail.outbox


@SEEN_BY_THREADS
def test_a_link_works_once_and_signs_other_browsers_out(
    ada: Any, with_mail: None, client: Client
) -> None:
    elsewhere = Client()
    elsewhere.force_login(ada)
    client.post(RESET, {"email": "ADA@example.org"})
    link = link_in(wait_for_mail().body)
    form = client.get(link, follow=True)
    assert link.rstrip("/").rpartition("-")[2] not in form.redirect_chain[-1][0], "kept out of logs"
    address = form.request["PATH_INFO"]
    weak = client.post(address, {"password1": "12345678", "password2": "12345678"})
    assert "too common" in weak.content.decode()
    answer = client.post(address, {"password1": NEW, "password2": NEW}, follow=True)
    assert "Your new password is saved" in answer.content.decode()
    assert client.post(LOGIN, {**RIGHT, "password": NEW}).status_code == 302
    assert not is_signed_in(elsewhere)
    again = Client().get(link, follow=True).content.decode()
    assert "This link no longer works" in again
    assert AuditEntry.objects.filter(action="password", actor_name="ada").count() == 1
    wait_until(lambda: any("was changed" in message.subject for message in mail.outbox))


BAD_LINKS = ["1-x-y", "zzz-set-password", "0-set-password", "99999999999999-abc-def"]


@pytest.mark.parametrize("key", BAD_LINKS)
def test_a_link_that_nobody_sent_is_told_so(client: Client, ada: Any, key: str) -> None:
    for response in (client.get(f"{RESET}key/{key}/"), client.post(f"{RESET}key/{key}/")):
        assert response.status_code == 200
        assert "This link no longer works" in response.content.decode()


@SEEN_BY_THREADS
def test_a_forged_host_gets_no_link(client: Client, ada: Any, with_mail: None) -> None:
    forged = client.post(RESET, {"email": "ada@example.org"}, headers={"host": "evil.example"})
    assert forged.status_code == 400
    client.post(RESET, {"email": "ada@example.org"}, headers={"x-forwarded-host": "evil.example"})
    body = wait_for_mail().body
    assert "evil.example" not in body
    assert link_in(body).startswith("http://testserver/")


@pytest.mark.parametrize(("hosts", "errors"), [(["*"], 1), ([".example.org"], 0)])
def test_mail_is_not_sent_where_every_host_is_answered(
    settings: Any, with_mail: None, hosts: list[str], errors: int
) -> None:
    settings.ALLOWED_HOSTS = hosts
    assert len(check_links_in_mail(None)) == errors
    settings.SIGHTLINE_MAIL = False
    assert check_links_in_mail(None) == []


class Mailbox:
    """An SMTP server's handler that keeps what it is given."""

    def __init__(self) -> None:
        self.received: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.received.append(envelope.content.decode())
        return "250 OK"


@pytest.fixture
def smtp(settings: Any, with_mail: None) -> Iterator[Mailbox]:
    """A real mail server on a free port, and an installation that sends with it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mailbox = Mailbox()
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    for name, value in read_mail_url(f"smtp://127.0.0.1:{server.port}").items():
        setattr(settings, name, value)
    yield mailbox
    server.stop()


@SEEN_BY_THREADS
def test_a_forgotten_password_through_a_real_mail_server(
    client: Client, ada: Any, smtp: Mailbox
) -> None:
    client.post(RESET, {"email": "ada@example.org"})
    wait_until(lambda: bool(smtp.received))
    message = smtp.received[0]
    assert "From: sightline@example.org" in message
    assert "To: ada@example.org" in message
    form = client.get(link_in(message), follow=True)
    client.post(form.request["PATH_INFO"], {"password1": NEW, "password2": NEW})
    assert client.post(LOGIN, {"username": "ada@example.org", "password": NEW}).status_code == 302


@SEEN_BY_THREADS
def test_a_mail_server_that_is_away_is_no_error_page(
    client: Client, ada: Any, with_mail: None, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in read_mail_url("smtp://127.0.0.1:1").items():
        setattr(settings, name, value)
    began = time.monotonic()
    assert client.post(RESET, {"email": "ada@example.org"}).status_code == 302
    assert time.monotonic() - began < 5
    wait_until(lambda: "could not be sent" in caplog.text)
    assert "/key/" not in caplog.text


def test_mail_that_piles_up_is_dropped(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(post_office, "_room", threading.BoundedSemaphore(1))
    post_office._room.acquire()
    post_office.post(mail.EmailMessage("a", "b", to=["c@example.org"]))
    assert "A mail was dropped" in caplog.text


# ---------------------------------------------------------------- signing up
FORM = {"username": "eve", "email": "eve@example.org", "password1": NEW, "password2": NEW}


def test_sign_up_is_closed_unless_it_is_opened(client: Client, db: None) -> None:
    assert "Make an account" not in client.get(LOGIN).content.decode()
    for response in (client.get(SIGN_UP), client.post(SIGN_UP, FORM)):
        assert response.status_code == 403
        assert "Sign-up is closed" in response.content.decode()
    assert not Account.objects.exists()


def test_a_new_account_is_a_viewer_of_nothing(client: Client, open_door: None, db: None) -> None:
    assert "Make an account" in client.get(LOGIN).content.decode()
    assert client.get(SIGN_UP).status_code == 200
    assert client.post(SIGN_UP, FORM)["Location"] == "/"
    account = Account.objects.get(user__username="eve")
    assert account.role == Account.Role.VIEWER
    assert not account.user.is_staff
    assert not account.user.groups.exists()
    assert client.get("/api/me/").json()["role"] == "viewer"


def test_signing_up_all_day_is_refused(client: Client, open_door: None, db: None) -> None:
    statuses = [client.post(SIGN_UP, {**FORM, "username": ""}).status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]


BAD_FORMS = [
    ({"username": ""}, "required"),
    ({"username": "ADA"}, "already exists"),
    ({"username": "x y"}, "valid username"),
    ({"email": "no address"}, "valid email"),
    ({"password2": "another"}, "same password"),
    ({"username": "evelyn99", "password1": "evelyn99", "password2": "evelyn99"}, "too similar"),
    ({"password1": "1", "password2": "1"}, "too short"),
]


@pytest.mark.parametrize(("change", "complaint"), BAD_FORMS)
def test_a_form_with_a_mistake_makes_no_account(
    client: Client, user: Any, open_door: None, change: dict[str, str], complaint: str
) -> None:
    response = client.post(SIGN_UP, {**FORM, **change})
    assert response.status_code == 200
    assert complaint in response.content.decode()
    assert Account.objects.count() == 1


def test_with_mail_an_address_is_confirmed_before_the_first_sign_in(
    client: Client, proof_wanted: None, db: None
) -> None:
    response = client.post(SIGN_UP, FORM, follow=True)
    assert "Confirm your e-mail" in response.content.decode()
    assert not is_signed_in(client)
    link = link_in(wait_for_mail().body)
    me = {"username": "eve", "password": NEW}
    assert client.post(LOGIN, me)["Location"] == "/accounts/confirm-email/"
    assert "Yes, confirm it" in client.get(link).content.decode()
    assert "Your e-mail is confirmed" in client.post(link).content.decode()
    assert client.post(LOGIN, me)["Location"] == "/"
    assert "This link no longer works" in Client().get(link).content.decode()


def test_signing_up_with_a_known_address_tells_its_owner_and_nobody_else(
    client: Client, ada: Any, proof_wanted: None
) -> None:
    response = client.post(SIGN_UP, {**FORM, "email": "ada@example.org"}, follow=True)
    assert "Confirm your e-mail" in response.content.decode()
    assert "You have an account already" in wait_for_mail().subject
    assert Account.objects.count() == 1


def test_accounts_that_an_administrator_made_need_no_e_mail(
    client: Client, user: Any, proof_wanted: None
) -> None:
    assert client.post(LOGIN, RIGHT)["Location"] == "/"


@SEEN_BY_THREADS
def test_who_asked_for_a_new_password_is_not_asked_to_confirm_as_well(
    client: Client, ada: Any, proof_wanted: None
) -> None:
    client.post(LOGIN, RIGHT)
    client.post("/accounts/logout/")
    client.post(RESET, {"email": "ada@example.org"})
    wait_until_nothing_is_on_its_way()
    assert EmailAddress.objects.filter(user=ada, verified=False).exists()
    assert client.post(LOGIN, RIGHT)["Location"] == "/"


# ---------------------------------------------------------------- pages and settings
NOT_OFFERED = [
    "account_email",
    "account_change_password",
    "account_set_password",
    "account_reauthenticate",
    "account_confirm_login_code",
    "account_request_login_code",
]


@pytest.mark.parametrize("name", NOT_OFFERED)
def test_what_is_not_offered_has_no_address(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


PAGES = [
    LOGIN,
    RESET,
    f"{RESET}done/",
    f"{RESET}key/done/",
    f"{RESET}key/1-abc/",
    "/accounts/inactive/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/abc/",
    SIGN_UP,
]


@pytest.mark.parametrize("address", PAGES)
def test_every_page_of_the_entrance_has_our_look(
    client: Client, with_mail: None, open_door: None, db: None, address: str
) -> None:
    response = client.get(address)
    page = response.content.decode()
    assert response.status_code == 200
    assert 'class="sign-in"' in page
    assert "<style" not in page
    assert "style=" not in page
    assert not re.search(r"<script(?! src)", page)
    assert "unsafe" not in response["Content-Security-Policy"]


MAIL_URLS: list[tuple[str, dict[str, Any]]] = [
    ("", {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}),
    (
        "smtp://user%40example.org:p%40ss@mail.example.org",
        {
            "EMAIL_HOST": "mail.example.org",
            "EMAIL_PORT": 587,
            "EMAIL_HOST_USER": "user@example.org",
            "EMAIL_HOST_PASSWORD": "p@ss",
            "EMAIL_USE_TLS": True,
            "EMAIL_USE_SSL": False,
        },
    ),
    ("smtps://u:p@h", {"EMAIL_PORT": 465, "EMAIL_USE_SSL": True, "EMAIL_USE_TLS": False}),
    ("smtp://h:25", {"EMAIL_PORT": 25, "EMAIL_USE_TLS": False}),
    ("smtp://h?starttls=1", {"EMAIL_USE_TLS": True}),
    ("smtp://u:p@h?starttls=0", {"EMAIL_USE_TLS": False}),
]


@pytest.mark.parametrize(("url", "expected"), MAIL_URLS)
def test_one_address_says_how_mail_is_sent(url: str, expected: dict[str, Any]) -> None:
    found = read_mail_url(url)
    assert {name: found.get(name) for name in expected} == expected


BAD_MAIL_URLS = [
    "mail.example.org",
    "http://mail.example.org",
    "smtp://",
    "smtp://h:port",
    "smtp://h:99999",
    "smtp://h/folder",
    "smtp://h?tls=1",
    "smtp://h?starttls=yes",
    "smtps://h?starttls=1",
]


@pytest.mark.parametrize("url", BAD_MAIL_URLS)
def test_a_wrong_mail_address_stops_the_start_without_telling_the_password(url: str) -> None:
    url = url.replace("://", "://user:geheim@", 1) if url != "smtp://" else url
    with pytest.raises(ImproperlyConfigured, match="SIGHTLINE_MAIL_URL") as raised:
        read_mail_url(url)
    assert "geheim" not in str(raised.value)


def test_mail_has_a_sender() -> None:
    mail_settings = read_mail_url("smtp://u:p@h")
    assert read_sender("Sightline <a@b.c>", mail_settings) == "Sightline <a@b.c>"
    assert read_sender("", read_mail_url("smtp://u%40x.org:p@h")) == "u@x.org"
    assert read_sender("", read_mail_url("")) == ""
    with pytest.raises(ImproperlyConfigured, match="SIGHTLINE_MAIL_FROM"):
        read_sender("", mail_settings)
