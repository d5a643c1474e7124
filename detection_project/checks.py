"""Judging the environment before the start: each finding has an id and a hint.

Values that cannot be read at all stop the settings themselves (`sightline.E001`, `E004`); here is
what shows only when the settings are complete.
"""

import contextlib
import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connection

from detection_project.settings import env

TAG = "sightline"
PREFIX = "SIGHTLINE_"
ALIKE = 0.85


@register(TAG)
def check_names(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Look for variables that nobody reads: most are typing errors."""
    return [
        Warning(
            f"The environment variable {name} is not known, and has no effect.",
            hint=f"Do you mean {close[0]}?" if close else "All of them stand in .env.example.",
            id="sightline.W001",
        )
        for name, close in find_unknown(os.environ)
    ]


def find_unknown(names: Any) -> Iterator[tuple[str, list[str]]]:
    """Yield variables that are ours by their name but unknown, each with the likeliest others."""
    others = [name for name in env.KNOWN if not name.startswith(PREFIX)]
    for name in sorted(names):
        if name in env.KNOWN:
            continue
        if name.startswith(PREFIX):
            yield name, difflib.get_close_matches(name, env.KNOWN, n=1, cutoff=0.75)
        elif close := difflib.get_close_matches(name, others, n=1, cutoff=ALIKE):
            yield name, close


@register(TAG)
def check_inference(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Workers can be asked only through Redis."""
    if settings.INFERENCE != "worker" or settings.REDIS_URL:
        return []
    return [
        Error(
            "INFERENCE is worker, but there is no REDIS_URL over which to ask one.",
            hint="Set REDIS_URL, or leave INFERENCE out: this process answers itself then.",
            id="sightline.E003",
        )
    ]


@register(TAG)
def check_data_folder(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Pictures, models and the database need a place."""
    folder = Path(settings.DATA_DIR)
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return []
    return [
        Error(
            f"The data folder {settings.DATA_DIR} cannot be written.",
            hint="Give this user the right to write there, or set SIGHTLINE_DATA_DIR.",
            id="sightline.E004",
        )
    ]


@register(TAG)
def check_database(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Several processes may share SQLite, but only on one machine."""
    if not settings.REDIS_URL or connection.vendor != "sqlite":
        return []
    return [
        Warning(
            f"All processes share the SQLite file {connection.settings_dict['NAME']}.",
            hint="That works on one machine only; set DATABASE_URL to PostgreSQL for more.",
            id="sightline.W002",
        )
    ]
