"""Headers, accounts, probes, limits: what stands between the network and the views."""

import asyncio
import contextlib
import inspect
import json
import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings as django_settings
from django.test import AsyncClient, Client
from django.utils.module_loading import import_string

from common.inference import set_engine_for_tests
from detection_project.body_limit import BodyLimit, body_limit
from detection_project.keys import load_keys, read_key, save_key
from detection_project.request_threads import IDLE_THREADS, RequestThreads
from detection_project.server import server_config
from detection_project.settings import env

ROOT = Path(__file__).resolve().parents[3]
LOGIN = "/accounts/login/"


# ---------------------------------------------------------------- headers
def test_pages_carry_a_strict_policy(client: Client, db: None) -> None:
    response = client.get(LOGIN)
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "img-src 'self' data: blob:" in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"


def test_the_admin_alone_may_evaluate_scripts(client: Client, django_user_model: Any) -> None:
    client.force_login(django_user_model.objects.create_superuser("root", password="x"))
    strict = client.get("/sessions/")["Content-Security-Policy"]
    assert "'unsafe-eval'" in client.get("/admin/")["Content-Security-Policy"]
    assert client.get("/sessions/")["Content-Security-Policy"] == strict
    assert "unsafe" not in strict
    docs = client.get("/api/docs/")["Content-Security-Policy"]
    assert "script-src 'self';" in docs + ";"
    assert "style-src 'self' 'unsafe-inline'" in docs


@pytest.mark.parametrize("dotted", django_settings.MIDDLEWARE)
def test_every_middleware_works_on_the_event_loop(dotted: str) -> None:
    assert import_string(dotted).async_capable


@pytest.mark.django_db(transaction=True)
async def test_a_probe_is_answered_without_a_single_thread_hop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hops: list[str] = []
    from asgiref.sync import SyncToAsync

    original = SyncToAsync.__call__

    async def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        hops.append(getattr(self.func, "__qualname__", repr(self.func)))
        return await original(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", counted)
    response = await AsyncClient().get("/healthz")
    assert response.json() == {"status": "ok"}
    assert not [name for name in hops if "process_" in name]


@pytest.mark.django_db(transaction=True)
async def test_signing_in_works_through_the_asynchronous_chain(user: Any) -> None:
    browser = AsyncClient(enforce_csrf_checks=True)
    assert (await browser.post(LOGIN, {"username": "ada"})).status_code == 403
    await browser.get(LOGIN)
    token = browser.cookies[django_settings.CSRF_COOKIE_NAME].value
    form = {"username": "ada", "password": "correct horse", "csrfmiddlewaretoken": token}
    response = await browser.post(LOGIN, form)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert django_settings.SESSION_COOKIE_NAME in browser.cookies


# ---------------------------------------------------------------- accounts
def test_wrong_passwords_are_limited_per_address_and_name(
    client: Client, user: Any, settings: Any
) -> None:
    attempts, _ = settings.SIGHTLINE_SIGN_IN_LIMIT
    wrong = {"username": "ada", "password": "guess"}
    for _ in range(attempts):
        assert client.post(LOGIN, wrong).status_code == 200
    right = {"username": "ADA", "password": "correct horse"}
    response = client.post(LOGIN, right)
    assert response.status_code == 429
    assert "Too many wrong passwords" in response.content.decode()
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    assert elsewhere.post(LOGIN, {**right, "username": "ada"}).status_code == 302


def test_one_address_cannot_try_all_names(client: Client, db: None, settings: Any) -> None:
    settings.SIGHTLINE_SIGN_IN_LIMIT_PER_ADDRESS = (3, 60)
    for name in ("a", "b", "c"):
        assert client.post(LOGIN, {"username": name, "password": "x"}).status_code == 200
    assert client.post(LOGIN, {"username": "d", "password": "x"}).status_code == 429


def test_the_right_password_forgives_the_wrong_ones(client: Client, user: Any) -> None:
    for _ in range(3):
        for _ in range(4):
            client.post(LOGIN, {"username": "ada", "password": "x"})
        right = {"username": "ada", "password": "correct horse"}
        assert client.post(LOGIN, right).status_code == 302
        client.logout()


def test_a_missing_password_forgives_nothing(client: Client, user: Any, settings: Any) -> None:
    attempts, _ = settings.SIGHTLINE_SIGN_IN_LIMIT
    for _ in range(attempts):
        client.post(LOGIN, {"username": "ada", "password": "guess"})
        status = client.post(LOGIN, {"username": "ada", "password": ""}).status_code
    assert status == 429


def test_wrong_passwords_at_once_are_all_counted(
    client: Client, user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SIGHTLINE_SIGN_IN_LIMIT = (2, 60)
    tried: list[str] = []

    def slow(request: Any, *, username: str, password: str) -> None:
        tried.append(password)
        if len(tried) < 10:  # the next one comes while this one is being looked at
            Client().post(LOGIN, {"username": "ada", "password": f"guess {len(tried)}"})

    monkeypatch.setattr("django.contrib.auth.forms.authenticate", slow)
    client.post(LOGIN, {"username": "ada", "password": "guess"})
    assert len(tried) == 2


def test_who_may_not_enter_the_admin_is_not_sent_round_in_circles(signed_in: Client) -> None:
    response = signed_in.get("/admin/", follow=True)
    assert response.status_code == 403


def test_the_admin_has_no_second_door(client: Client, db: None) -> None:
    response = client.get("/admin/login/?next=/admin/")
    assert (response.status_code, response["Location"]) == (302, f"{LOGIN}?next=/admin/")


# ---------------------------------------------------------------- probes
class FakeEngine:
    def describe(self, model: str) -> Any:
        return type("Info", (), {"model": model, "fallback": False})()

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("age", "ready"), [(None, False), (0.0, True), (30.0, True), (600.0, False)]
)
def test_readiness_needs_a_worker_that_gives_signs(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch, age: float | None, ready: bool
) -> None:
    set_engine_for_tests(FakeEngine())  # type: ignore[arg-type]
    monkeypatch.setattr("detection_project.readiness.is_warm", lambda: True)
    monkeypatch.setattr("detection_project.readiness.seconds_since_sign", lambda: age)
    try:
        response = client.get("/readyz")
    finally:
        set_engine_for_tests(None)
    assert response.status_code == (200 if ready else 503)
    checks = response.json()["checks"]
    assert checks["worker"]["ok"] is ready
    assert checks["database"]["ok"]
    assert checks["engine"]["ok"]


# ---------------------------------------------------------------- bodies
def test_paths_have_their_limits(settings: Any) -> None:
    settings.SIGHTLINE_BODY_LIMITS = [("/api/", 100), ("/", 10)]
    assert [body_limit(path) for path in ("/api/detect/", "/sessions/", "/")] == [100, 10, 10]


BODIES = [
    (b"12345", True, 200),
    (b"1234567890", True, 200),
    (b"12345678901", True, 413),
    (b"12345678901", False, 413),
    (b"1234567890", False, 200),
]


def test_only_addresses_that_take_pictures_take_large_bodies(settings: Any) -> None:
    picture = settings.SIGHTLINE_MAX_UPLOAD_BYTES + settings.MIB
    request = settings.SIGHTLINE_MAX_REQUEST_BYTES
    paths = ("/api/detect", "/api/segment", "/api/sessions", "/sessions/create")
    for slash in ("", "/"):
        limits = [body_limit(path + slash) for path in paths]
        assert limits == [request, request, picture, picture]
    for path in ("/", "/api/objects/", "/accounts/login/", "/sessions/delete/"):
        assert body_limit(path) == 5 * settings.MIB


@pytest.mark.parametrize(("body", "announced", "status"), BODIES)
def test_a_body_that_is_too_long_is_refused(
    settings: Any, body: bytes, announced: bool, status: int
) -> None:
    settings.SIGHTLINE_BODY_LIMITS = [("/", 10)]
    reached: list[bytes] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            reached.append(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    sent = asyncio.run(call(BodyLimit(application), body, announced))
    assert sent[0]["status"] == status
    if status == 413:
        content = b"".join(message.get("body", b"") for message in sent)
        assert json.loads(content)["error"]["code"] == "file_too_large"
        assert not announced or not reached


async def call(application: Any, body: bytes, announced: bool) -> list[dict[str, Any]]:
    pieces = [body[start : start + 4] for start in range(0, len(body), 4)]
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-length", str(len(body)).encode())] if announced else []
    scope = {"type": "http", "path": "/x", "headers": headers}
    await application(scope, receive, send)
    return sent


def test_a_missing_slash_keeps_method_and_body(client: Client, db: None) -> None:
    response = client.post("/accounts/login", {"username": "ada"})
    assert (response.status_code, response["Location"]) == (308, "/accounts/login/")


# ---------------------------------------------------------------- keys and settings
def test_keys_are_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: load_keys(folder), range(32)))
    assert all(answer == answers[0] for answer in answers)
    assert len(answers[0]["secret_key"]) >= 50
    assert stat.S_IMODE((folder / "secrets.json").stat().st_mode) == 0o600
    save_key(folder, "api_token", "abc")
    assert read_key(folder, "api_token") == "abc"
    assert load_keys(folder)["secret_key"] == answers[0]["secret_key"]


def test_two_processes_get_the_same_keys(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from detection_project.keys import load_keys;"
        f"sys.stdout.write(load_keys(Path({str(tmp_path)!r}))['secret_key'])"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT)
        for _ in range(4)
    ]
    assert len({process.communicate(timeout=60)[0] for process in processes}) == 1


VALUES = [
    (env.flag, "1", True),
    (env.flag, "off", False),
    (env.flag, "maybe", None),
    (env.whole, "12", 12),
    (env.whole, "twelve", None),
    (env.whole, "-1", None),
]


@pytest.mark.parametrize(("reader", "value", "expected"), VALUES)
def test_wrong_settings_stop_the_start_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, reader: Any, value: str, expected: Any
) -> None:
    monkeypatch.setenv("SIGHTLINE_SOMETHING", value)
    arguments = (5,) if reader is env.whole else ()
    if expected is None:
        with pytest.raises(Exception, match=r"E001. SIGHTLINE_SOMETHING is .*\n\tHINT: Set it to"):
            reader("SIGHTLINE_SOMETHING", *arguments)
    else:
        assert reader("SIGHTLINE_SOMETHING", *arguments) == expected


@pytest.mark.slow
def test_production_settings_need_hosts_and_pass_the_deployment_check(tmp_path: Path) -> None:
    given = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "detection_project.settings.production",
        "SIGHTLINE_DATA_DIR": str(tmp_path),
    }
    for name in ("SIGHTLINE_SECRET_KEY", "SIGHTLINE_FIELD_KEY", "SIGHTLINE_ALLOWED_HOSTS"):
        given.pop(name, None)
    assert "SIGHTLINE_ALLOWED_HOSTS must name" in manage(given, "check").stderr
    given["SIGHTLINE_ALLOWED_HOSTS"] = "sightline.example,.example.org"
    answer = manage(given, "check", "--deploy", "--fail-level", "WARNING")
    assert answer.returncode == 0, answer.stderr


def manage(environment: dict[str, str], *arguments: str) -> Any:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )


def test_the_probe_of_the_process_is_a_coroutine() -> None:
    from detection_project import health

    assert inspect.iscoroutinefunction(health.healthz)


def test_forwarded_addresses_are_believed_only_behind_a_proxy(settings: Any) -> None:
    assert not server_config().proxy_headers
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert server_config().proxy_headers


# ---------------------------------------------------------------- threads
async def test_requests_have_threads_of_their_own_which_are_used_again() -> None:
    used: dict[str, set[int]] = {"one by one": set(), "at once": set()}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        async with ThreadSensitiveContext():  # as Django does inside
            first = await sync_to_async(threading.get_ident)()
            await asyncio.sleep(0.01)
            assert await sync_to_async(threading.get_ident)() == first
            assert first not in used["at once"] or scope["path"] == "one by one"
            used[scope["path"]].add(first)

    threads = RequestThreads(application)
    for _ in range(5):
        await threads({"path": "one by one"}, None, None)
    await asyncio.gather(*[threads({"path": "at once"}, None, None) for _ in range(20)])
    assert len(used["one by one"]) == 1
    assert len(used["at once"]) == 20
    assert len(threads.idle) == IDLE_THREADS


async def test_a_thread_that_is_still_at_work_is_not_lent_to_the_next_request() -> None:
    begun, release = threading.Event(), threading.Event()

    def view() -> None:
        begun.set()
        release.wait(20)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await sync_to_async(view if scope["path"] == "slow" else threading.get_ident)()

    threads = RequestThreads(application)
    slow = asyncio.create_task(threads({"path": "slow"}, None, None))
    assert await asyncio.to_thread(begun.wait, 10)
    slow.cancel()  # the caller is gone; the view does not know
    with contextlib.suppress(asyncio.CancelledError):
        await slow
    try:
        await asyncio.wait_for(threads({"path": "fast"}, None, None), 5)
    finally:
        release.set()
    assert len(threads.idle) == 1


def test_a_file_sets_what_the_shell_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_A", "from the shell")
    for name in ("SIGHTLINE_B", "SIGHTLINE_C", "SIGHTLINE_D"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    file = tmp_path / ".env"
    file.write_text(
        "# a comment=1\n\nSIGHTLINE_A=x\nSIGHTLINE_B = p$ss#w=rd \n"
        "export SIGHTLINE_C='a b'\nnonsense\n"
    )
    env.read_file(file)
    env.read_file(tmp_path / "missing")
    found = [os.environ.get(f"SIGHTLINE_{name}") for name in "ABCD"]
    assert found == ["from the shell", "p$ss#w=rd", "a b", None]
