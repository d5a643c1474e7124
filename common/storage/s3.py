"""Pictures in a bucket. Objects are private: they are read here and sent by our own views."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.base import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

from common.storage.files import StorageUnavailable

GONE = 404


class PrivateS3Storage(S3Storage):  # type: ignore[misc]
    """A bucket, or a part of one, that speaks the errors of files.

    What is missing raises FileNotFoundError, and everything else that goes wrong
    StorageUnavailable, which is an OSError: callers need not know where files lie.
    """

    def get_default_settings(self) -> dict[str, Any]:
        """Give up on a silent server, and address buckets as every server understands."""
        return {
            **super().get_default_settings(),
            "querystring_auth": True,
            "default_acl": None,
            "client_config": Config(
                connect_timeout=5,
                read_timeout=20,
                retries={"max_attempts": 3, "mode": "standard"},
                signature_version="s3v4",
                s3={"addressing_style": "auto"},
            ),
        }

    def url(self, name: str, *args: Any, **kwargs: Any) -> str:
        """Return an address that leads nowhere: there are no public ones."""
        return f"{settings.MEDIA_URL}{name}"

    def stat(self, name: str) -> tuple[int, datetime]:
        """Return size and time of change with one question to the server."""
        with as_file_errors(name):
            found = self._object(name)
            return int(found.content_length), found.last_modified

    def open_part(self, name: str, start: int, stop: int) -> IO[bytes]:
        """Open the bytes from `start` to `stop` and fetch nothing else; read once, forwards."""
        with as_file_errors(name):
            part = {"Range": f"bytes={start}-{stop - 1}"} if stop > start else {}
            body: IO[bytes] = self._object(name).get(**part)["Body"]
            return body

    def size(self, name: str) -> int:
        """Return the size in bytes."""
        return self.stat(name)[0]

    def get_modified_time(self, name: str) -> datetime:
        """Return when the file was written."""
        return self.stat(name)[1]

    def exists(self, name: str) -> bool:
        """Tell whether there is such a file."""
        with as_file_errors(name):
            return bool(super().exists(name))

    def delete(self, name: str) -> None:
        """Delete a file; one that is not there is no error."""
        with as_file_errors(name):
            super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the folders and files of a folder."""
        with as_file_errors(path):
            folders, files = super().listdir(path)
            return folders, files

    def _open(self, name: str, mode: str = "rb") -> Any:
        with as_file_errors(name):
            if mode != "rb":
                return super()._open(name, mode)
            # Read at once: what goes wrong does so here, as with a file, and not at some read().
            return File(io.BytesIO(self._object(name).get()["Body"].read()), name)

    def _save(self, name: str, content: Any) -> str:
        with as_file_errors(name):
            return str(super()._save(name, content))

    def _object(self, name: str) -> Any:
        return self.bucket.Object(self._normalize_name(clean_name(name)))


@contextmanager
def as_file_errors(name: str) -> Iterator[None]:
    """Turn what the client library raises into what files raise."""
    try:
        yield
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == GONE:
            raise FileNotFoundError(f"There is no file {name} in the bucket.") from error
        raise StorageUnavailable(f"The bucket refused {name}: {error}") from error
    except BotoCoreError as error:
        raise StorageUnavailable(f"The bucket does not answer: {error}") from error
