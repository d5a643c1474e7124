"""Environment variables with mistakes: an id and a hint at the start, and never a traceback."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import run_checks

from detection_project import checks
from detection_project.settings import env
from tests.processes import ROOT, environment

pytestmark = pytest.mark.once

NAMES = [
    ("SIGHTLINE_TREADS", ["SIGHTLINE_THREADS"]),
    ("SIGHTLINE_WORKER_TREADS", ["SIGHTLINE_WORKER_THREADS"]),
    ("SIGHTLINE_QUUX_FOO_BAR", []),
    ("REDIS_ULR", ["REDIS_URL"]),
    ("DATABASE_ULR", ["DATABASE_URL"]),
]


@pytest.mark.parametrize(("name", "close"), NAMES)
def test_a_variable_that_nobody_reads_is_named_with_the_likeliest(
    name: str, close: list[str]
) -> None:
    assert list(checks.find_unknown([name, "PATH", "HOME", "REDIS_URL"])) == [(name, close)]


def test_every_variable_that_the_code_reads_is_known_and_documented() -> None:
    read = set()
    for folder in ("detection_project", "common", "detector"):
        for path in (ROOT / folder).rglob("*.py"):
            read |= set(re.findall(r'env\.\w+\(\s*"(\w+)"', path.read_text()))
    assert read
    # The names of settings modules that are not loaded here are written down.
    assert not {name for name in read if name.startswith("SIGHTLINE_")} - env.KNOWN
    example = (ROOT / ".env.example").read_text()
    hidden = {"SIGHTLINE_TEST_DATA", "TZ"}
    assert not [name for name in read - hidden if f"#{name}=" not in example]


FINDINGS = [
    ({"INFERENCE": "worker", "REDIS_URL": ""}, ["sightline.E003"]),
    ({"INFERENCE": "worker", "REDIS_URL": "redis://x/0"}, []),
    ({"DATA_DIR": Path("/proc/nobody/writes/here")}, ["sightline.E004"]),
    ({"REDIS_URL": "redis://x/0", "SQLITE": True}, ["sightline.W002"]),
    ({"REDIS_URL": "", "SQLITE": True}, []),
    ({"SIGHTLINE_CAMERA_HOSTS": ["media.local", "10.0.0.0/8", "::1"]}, []),
    (
        {"SIGHTLINE_CAMERA_HOSTS": ["http://media.local", "::1", "10.0.0.0/99"]},
        ["sightline.W003"] * 2,
    ),
]


@pytest.mark.parametrize(("values", "expected"), FINDINGS)
def test_settings_that_do_not_fit_are_found(
    settings: Any, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], expected: list[str]
) -> None:
    for name in [name for name in os.environ if name.startswith(checks.PREFIX)]:
        monkeypatch.delenv(name)
    values = dict(values)
    vendor = "sqlite" if values.pop("SQLITE", False) else "postgresql"
    database = SimpleNamespace(vendor=vendor, settings_dict={"NAME": "x"})
    monkeypatch.setattr(checks, "connection", database)
    for name, value in values.items():
        setattr(settings, name, value)
    found = run_checks(tags=[checks.TAG])
    assert [message.id for message in found] == expected
    assert all(message.hint for message in found)


STARTS = [
    (
        {"SIGHTLINE_THREADS": "four"},
        "web",
        1,
        ["E001", "SIGHTLINE_THREADS", "HINT"],
    ),
    ({"SIGHTLINE_DEBUG": "maybe"}, "worker", 1, ["E001", "SIGHTLINE_DEBUG", "1 or to 0"]),
    ({"INFERENCE": "wroker"}, "serve", 1, ["E001", "INFERENCE", "local, worker"]),
    ({"REDIS_URL": "http://:secret@host"}, "beat", 1, ["E001", "REDIS_URL", "redis://"]),
    ({"DATABASE_URL": "mongo://:secret@host/x"}, "setup", 1, ["E001", "DATABASE_URL", "postgres"]),
    ({"SIGHTLINE_DATA_DIR": "/proc/nowhere"}, "serve", 1, ["E004", "/proc/nowhere", "HINT"]),
    ({"INFERENCE": "worker"}, "serve", 1, ["E003", "REDIS_URL", "HINT"]),
    ({}, "web", 1, ["REDIS_URL", "manage.py serve"]),
    ({}, "worker", 1, ["REDIS_URL", "manage.py serve"]),
    ({}, "beat", 1, ["REDIS_URL", "manage.py serve"]),
    ({"SIGHTLINE_TREADS": "4"}, "setup", 0, ["W001", "SIGHTLINE_TREADS", "SIGHTLINE_THREADS"]),
]


@pytest.mark.slow
@pytest.mark.parametrize(("variables", "command", "code", "words"), STARTS)
def test_a_start_with_a_mistake_is_one_clear_word(
    tmp_path: Path, variables: dict[str, str], command: str, code: int, words: list[str]
) -> None:
    given = {**environment(tmp_path), "REDIS_URL": "", "DATABASE_URL": "", **variables}
    arguments = ["--no-weights"] if command == "setup" else []
    answer = subprocess.run(
        [sys.executable, "manage.py", command, *arguments],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.returncode == code, answer.stderr
    assert "Traceback" not in answer.stderr
    assert "secret" not in answer.stderr
    for word in words:
        assert word in answer.stderr, answer.stderr
