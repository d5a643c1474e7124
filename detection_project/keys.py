"""Secrets that the first run makes: one JSON file in the data folder, readable by its owner only.

Two processes that start at once get the same keys: the file is made under a lock.
"""

import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from filelock import FileLock

SECRETS_FILE = "secrets.json"


def load_keys(data_dir: Path) -> dict[str, Any]:
    """Return the secrets of this installation, making those that are missing.

    Returns:
        At least `secret_key` (Django's) and `field_key` (32 bytes, URL-safe base64).

    Raises:
        ImproperlyConfigured: The folder cannot be read or written.
    """
    try:
        return _load_or_make(data_dir)
    except OSError as error:
        raise ImproperlyConfigured(
            f"(sightline.E004) The data folder {data_dir} cannot be used: {error.strerror}\n"
            "\tHINT: Give this user the right to write there, or set SIGHTLINE_DATA_DIR."
        ) from error


def _load_or_make(data_dir: Path) -> dict[str, Any]:
    path = data_dir / SECRETS_FILE
    keys = _read(path)
    if "secret_key" in keys and "field_key" in keys:
        return keys
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _lock(path):
        keys = _read(path)
        keys.setdefault("secret_key", secrets.token_urlsafe(50))
        keys.setdefault("field_key", base64.urlsafe_b64encode(os.urandom(32)).decode())
        _write(path, keys)
    return keys


def save_key(data_dir: Path, name: str, value: str) -> None:
    """Store one more secret, such as the local API token."""
    path = data_dir / SECRETS_FILE
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _lock(path):
        _write(path, {**_read(path), name: value})


def read_key(data_dir: Path, name: str) -> str | None:
    """Return a stored secret, or None when there is none of that name."""
    value = _read(data_dir / SECRETS_FILE).get(name)
    return value if isinstance(value, str) else None


def _lock(path: Path) -> FileLock:
    return FileLock(f"{path}.lock", timeout=20, mode=0o600)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object")
    return content


def _write(path: Path, keys: dict[str, Any]) -> None:
    # A temporary file and a rename: a reader never sees half a file, and it is 0600 from birth.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(keys, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
