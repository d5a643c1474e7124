"""Log lines: what they carry, and what never gets into them."""

import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.test import AsyncClient, Client
from hypothesis import given, settings
from hypothesis import strategies as st
from knox.crypto import create_token_string

from common.jobs.runner import execute_job
from common.jobs.services import enqueue_job
from common.logs.context import WELL_FORMED, choose_request_id, current_via, job_logged
from common.logs.formatters import JSONFormatter, LineFormatter
from common.logs.redaction import HIDDEN, Redactor, configured_secrets
from common.models import Job
from detection_project.settings import env

FORMATTERS = {"line": LineFormatter(), "json": JSONFormatter()}


class Lines(logging.Handler):
    """Keeps what would have been written."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.setFormatter(FORMATTERS[form])
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def written() -> Iterator[list[str]]:
    """What is written as JSON while the test runs, from INFO on."""
    handler = Lines("json")
    root = logging.getLogger()
    root.addHandler(handler)
    yield handler.lines
    root.removeHandler(handler)


def access_lines(written: list[str]) -> list[dict[str, Any]]:
    """Return the access lines among what was written."""
    return [line for text in written if (line := json.loads(text))["logger"] == "sightline.access"]


def write(form: str, message: Any, *args: Any, extra: Any = None, error: Any = None) -> str:
    """Return how a record is written."""
    info = (type(error), error, error.__traceback__) if error is not None else None
    record = logging.getLogger("test").makeRecord(
        "test", logging.ERROR, __file__, 1, message, args, info, extra=extra
    )
    return FORMATTERS[form].format(record)


# ---------------------------------------------------------------- secrets
# No blanks, quotes or backslashes, as no program's secret has any; with a mark that nothing else
# in a line contains.
PLAIN = st.text(st.sampled_from("abcXYZ0189-._~!$*+/@:%^|<>{}[]()"), min_size=6, max_size=40).map(
    lambda text: f"q{text}7Zq"
)
QUOTABLE = st.text(st.characters(codec="utf-8"), min_size=6, max_size=40).map(
    lambda text: f"q{text}7Zq"
)
SURROUNDED = [
    "Authorization: Token {}",
    "authorization: Bearer {} and more",
    "Authorization: Basic {}",
    "{{'Authorization': 'Token {}', 'Accept': '*/*'}}",
    "[(b'authorization', b'Token {}'), (b'host', b'x')]",
    "Cookie: theme=dark; sightline_session={}; csrf=1",
    "Set-Cookie: __Host-sightline_session={}; Secure",
    "redis://:{}@10.0.0.1:6379/0 does not answer",
    "postgres://sightline:{}@db:5432/sightline",
    "rtsp://admin:{}@camera/stream1?channel=1",
    "https://cam.example.org/x?token={}",
    "GET /x?a=1&password={}&b=2",
    "password={}",
    "Password: {}",
    "DB_PASSWORD={} was set",
    "AWS_SECRET_ACCESS_KEY={}",
    "api_key={}, user=ada",
    "connect(host='x', password={})",
]
QUOTED = [
    {"password": ...},
    {"csrf_token": ..., "page": 3},
    {"a": {"SECRET_KEY": ...}},
    ["x", ("password", ...)],
    {"headers": {"Cookie": ...}},
]


@pytest.mark.parametrize("form", FORMATTERS)
@pytest.mark.parametrize("surroundings", SURROUNDED)
@settings(max_examples=20, deadline=None)
@given(secret=PLAIN)
def test_no_secret_survives_its_surroundings(form: str, surroundings: str, secret: str) -> None:
    text = surroundings.format(secret)
    hidden = [secret, secret[-8:]]
    for line in everywhere(form, text):
        assert not [part for part in hidden if part in plain(line)], line


@pytest.mark.parametrize("form", FORMATTERS)
@pytest.mark.parametrize("shape", QUOTED, ids=str)
@settings(max_examples=40, deadline=None)
@given(secret=QUOTABLE)
def test_no_secret_survives_in_printed_data(form: str, shape: Any, secret: str) -> None:
    data = fill(shape, secret)
    texts = [str(data), repr([str(data)])[2:-2]]
    if isinstance(data, dict):
        texts += [json.dumps(data), json.dumps(data, ensure_ascii=False)]
    for text in texts:
        for line in everywhere(form, text):
            assert "7Zq" not in plain(line), line


def everywhere(form: str, text: str) -> Iterator[str]:
    """Write a text as message, argument, extra and exception, and in a traceback's chain."""
    yield write(form, text.replace("%", "%%") if form == "line" else text)
    yield write(form, "It failed: %s", text)
    yield write(form, "It failed: %r and %s", [text], {"note": text})
    yield write(form, "It failed", extra={"note": text, "notes": [{"deep": text}]})
    try:
        try:
            raise ValueError(text)
        except ValueError as error:
            raise RuntimeError("and then") from error
    except RuntimeError as error:
        yield write(form, "It failed", error=error)


def fill(shape: Any, secret: str) -> Any:
    if shape is ...:
        return secret
    if isinstance(shape, dict):
        return {key: fill(value, secret) for key, value in shape.items()}
    return (
        type(shape)(fill(value, secret) for value in shape)
        if isinstance(shape, list | tuple)
        else shape
    )


def plain(line: str) -> str:
    """Return a line as somebody reads it: without JSON's escapes."""
    return line if not line.startswith("{") else " ".join(texts_of(json.loads(line)))


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    else:
        yield str(value)


@pytest.mark.parametrize("form", FORMATTERS)
@pytest.mark.parametrize("around", ["{}", "token {} was used", "[{}]", "sl_{}", "Token {}"])
def test_a_token_is_known_by_its_form(form: str, around: str) -> None:
    token = create_token_string()
    for line in everywhere(form, around.format(token)):
        assert token not in line
        assert token[8:] not in line


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        (
            "/accounts/password/reset/key/1-c3xyz-0123abc/",
            f"/accounts/password/reset/key/{HIDDEN}/",
        ),
        ("/accounts/reset/MQ/c3xyz-0123abc/", f"/accounts/reset/{HIDDEN}/"),
        ("/accounts/confirm-email/MQ:1abc:x-y/", f"/accounts/confirm-email/{HIDDEN}/"),
        ("/accounts/password/reset/done/", "/accounts/password/reset/done/"),
        ("/accounts/password/reset/", "/accounts/password/reset/"),
    ],
)
def test_links_from_mails_are_no_use_to_readers(link: str, shown: str) -> None:
    assert Redactor().redact(f"GET {link} 200") == f"GET {shown} 200"


@pytest.mark.parametrize(
    "text",
    [
        "GET /sessions/7f0c/ 200 12.3 ms",
        "yolov8n loaded in 1.2 s",
        "sha256 " + "a" * 64,
        "http://127.0.0.1:8000/api/detect/ answered",
        "job 5d0f2d7e-0b1e-4a55-9e0f-5a4a3f6b1d11 failed",
        "The token nightly was revoked",
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor().redact(text) == text


def test_configured_secrets_are_known_by_value(settings: Any) -> None:
    settings.REDIS_URL = "redis://:p%40ssw0rd-of-redis@10.0.0.1/0"
    secrets = configured_secrets(django_settings)
    assert settings.SECRET_KEY in secrets
    redact = Redactor(secrets).redact
    for secret in (settings.SECRET_KEY, settings.SIGHTLINE_FIELD_KEY, "p@ssw0rd-of-redis"):
        assert redact(f"oh {secret} no") == f"oh {HIDDEN} no"


def test_a_long_line_costs_no_time() -> None:
    for text in ("a" * 200_000, "://a:" * 20_000, "token" * 20_000, "'" * 100_000, "\\" * 100_000):
        Redactor().redact(text)


# ---------------------------------------------------------------- shape
def test_a_json_line_has_the_fields_that_programs_look_for() -> None:
    error = ValueError("broken")
    with job_logged("5d0f"):
        line = json.loads(write("json", "It %s", "failed", extra={"code": 3}, error=error))
    assert line["message"] == "It failed"
    assert (line["level"], line["logger"], line["job_id"]) == ("ERROR", "test", "5d0f")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])
    assert "ValueError: broken" in line["exception"]
    assert line["code"] == 3
    assert ":" in line["worker"]


@pytest.mark.parametrize("form", FORMATTERS)
@pytest.mark.parametrize("message", ["", "a\nERROR forged: line", {"a": 1}, "50 % done", "\x1b[2J"])
def test_a_message_is_one_line(form: str, message: Any) -> None:
    line = write(form, message)
    assert "\n" not in line
    assert "\x1b" not in line


def test_a_line_ends_with_what_it_is_about() -> None:
    with job_logged("5d0f"):
        assert write("line", "It failed").endswith("ERROR   test: It failed [job_id=5d0f]")


# ---------------------------------------------------------------- context
def test_every_answer_carries_an_id_of_its_own(client: Client, db: None) -> None:
    first, second = (client.get("/healthz")["X-Request-ID"] for _ in range(2))
    assert first != second
    assert WELL_FORMED.fullmatch(first)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("0af7651916cd43dd8448eb211c80319c", True),
        ("req-2026.11_21", True),
        ("short", False),
        ("x" * 65, False),
        ("abc\nERROR forged", False),
        ("äöüäöüäöü", False),
        ("", False),
        (None, False),
    ],
)
def test_only_a_well_formed_id_is_taken(given: str | None, taken: bool) -> None:
    assert (choose_request_id(given) == given) is taken


@pytest.mark.parametrize(
    ("proxy", "taken"), [(None, False), (("HTTP_X_FORWARDED_PROTO", "https"), True)]
)
def test_an_id_is_taken_from_a_trusted_proxy_alone(
    client: Client, settings: Any, proxy: Any, taken: bool
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = proxy
    answer = client.get("/healthz", HTTP_X_REQUEST_ID="from-the-proxy")
    assert (answer["X-Request-ID"] == "from-the-proxy") is taken


def test_an_access_line_tells_all_but_the_query(
    signed_in: Client, settings: Any, written: list[str], user: Any
) -> None:
    settings.SIGHTLINE_ACCESS_LOG = True
    answer = signed_in.get("/sessions/?q=private")
    (line,) = access_lines(written)
    assert (line["method"], line["path"], line["status"]) == ("GET", "/sessions/", 200)
    assert line["route"] == "detector:sessions"
    assert line["request_id"] == answer["X-Request-ID"]
    assert line["user_id"] == user.pk
    assert line["ms"] > 0
    assert "private" not in "".join(written)


def test_by_default_requests_write_nothing(client: Client, db: None, written: list[str]) -> None:
    client.get("/healthz")
    assert access_lines(written) == []
    assert django_settings.SIGHTLINE_ACCESS_LOG is False


async def test_requests_at_once_keep_their_ids_apart(
    async_client: AsyncClient, settings: Any, written: list[str]
) -> None:
    import asyncio

    settings.SIGHTLINE_ACCESS_LOG = True
    answers = await asyncio.gather(*(async_client.get("/healthz") for _ in range(20)))
    ids = {answer["X-Request-ID"] for answer in answers}
    assert len(ids) == 20
    assert {line["request_id"] for line in access_lines(written)} == ids


def test_what_a_job_logs_carries_its_id(user: Any, written: list[str]) -> None:
    from common.jobs.registry import job_handler

    kind = f"test.{uuid4()}"
    seen = []

    @job_handler(kind)
    def work(context: Any) -> None:
        seen.append(current_via())
        raise ValueError("broken on purpose")

    job = enqueue_job(kind=kind, owner=user, payload={})
    execute_job(job.pk)
    assert Job.objects.get().state == Job.State.FAILED
    failures = [
        line
        for text in written
        if "broken on purpose" in (line := json.loads(text)).get("exception", "")
    ]
    assert [line["job_id"] for line in failures] == [str(job.pk)]
    assert seen == ["worker"]
    assert current_via() != "worker"


@pytest.mark.slow
def test_a_process_writes_in_the_form_that_is_chosen(tmp_path: Any) -> None:
    import subprocess

    code = (
        "import django, logging; django.setup();"
        "logging.getLogger('x').warning('redis://:hunter2@h lost')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            "PATH": "",
            "DJANGO_SETTINGS_MODULE": "detection_project.settings.base",
            "SIGHTLINE_DATA_DIR": str(tmp_path),
            "SIGHTLINE_LOG_FORMAT": "json",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    line = done.stderr.strip().splitlines()[-1]
    assert "hunter2" not in done.stderr
    assert f"redis://:{HIDDEN}@h lost" in json.loads(line)["message"]


def test_another_form_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.exceptions import ImproperlyConfigured

    monkeypatch.setenv("SIGHTLINE_LOG_FORMAT", "xml")
    with pytest.raises(ImproperlyConfigured, match="line, json"):
        env.choice("SIGHTLINE_LOG_FORMAT", "line", ("line", "json"))
