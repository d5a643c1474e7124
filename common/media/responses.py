"""Answers that carry a stored file."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import content_disposition_header, parse_etags

from common.media.ranges import ByteRange, parse_range
from common.storage.files import open_part, stat_file

CHUNK = 256 * 1024
AT_ONCE = 1024 * 1024  # up to here one read is cheaper than a stream
MAX_AGE = 600


def serve_file(
    request: HttpRequest,
    *,
    file: FieldFile,
    media_type: str,
    filename: str,
    download: bool = False,
) -> HttpResponseBase:
    """Answer with a stored file, or the part of it that a Range header asks for.

    The caller has judged the permission. The browser may keep the file for ten minutes for this
    user alone, is told not to guess its type, and runs nothing in it.

    Args:
        request: GET or HEAD; Range, If-Range and If-None-Match are honoured.
        file: The file; it never changes under its name.
        media_type: The type that was found in its content.
        filename: The name offered for saving.
        download: Offer it for saving rather than show it.

    Raises:
        Http404: There is no such file.
    """
    try:
        size, changed = stat_file(file.storage, file.name or "")
    except FileNotFoundError:
        raise Http404("The file is gone.") from None
    etag = _etag(file, size, changed)
    response = _answer(request, file, size, etag)
    keep_private(response, etag)
    response["Accept-Ranges"] = "bytes"
    if response.status_code in (200, 206):
        response["Content-Type"] = media_type
        disposition = content_disposition_header(download, filename)
        if disposition:
            response["Content-Disposition"] = disposition
    return response


def keep_private(response: HttpResponseBase, etag: str) -> None:
    """Set the headers of a file that one user may keep for ten minutes and nobody may run."""
    response["ETag"] = etag
    response["Cache-Control"] = f"private, max-age={MAX_AGE}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    patch_vary_headers(response, ["Cookie", "Authorization"])


def _answer(request: HttpRequest, file: FieldFile, size: int, etag: str) -> HttpResponseBase:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if known and ("*" in known or etag in [tag.removeprefix("W/") for tag in known]):
        return HttpResponse(status=304)
    wanted = None
    # If-Range: a part only fits to the version that the caller has begun with.
    if request.headers.get("If-Range", etag) == etag:
        wanted = parse_range(request.headers.get("Range", ""), size)
    if wanted == "unsatisfiable":
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    part = wanted or ByteRange(0, size)
    response = _body(request, file, part)
    response["Content-Length"] = str(part.length)
    if wanted is not None:
        response.status_code = 206
        response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    return response


def _body(request: HttpRequest, file: FieldFile, part: ByteRange) -> HttpResponseBase:
    if request.method == "HEAD":
        return HttpResponse()
    try:
        opened = open_part(file.storage, str(file.name), part.start, part.stop)
    except FileNotFoundError:
        raise Http404("The file is gone.") from None
    if part.length <= AT_ONCE:
        with opened:
            return HttpResponse(opened.read(part.length))
    return FileStream(opened, part.length)


def _etag(file: FieldFile, size: int, changed: datetime) -> str:
    identity = f"{file.name}:{size}:{changed.timestamp()}".encode()
    return f'"{hashlib.sha256(identity).hexdigest()[:32]}"'


class FileStream(StreamingHttpResponse):
    """A part of an open file, in pieces.

    Under ASGI each piece is read in a thread; Django would collect an ordinary iterator into a
    list first. The test client and WSGI get an ordinary iterator.
    """

    def __init__(self, opened: IO[bytes] | Any, length: int) -> None:
        self.opened = opened
        self.length = length
        super().__init__(iter(()))
        self._resource_closers.append(opened.close)  # type: ignore[attr-defined]

    def __iter__(self) -> Iterator[bytes]:
        left = self.length
        while left > 0 and (piece := self.opened.read(min(CHUNK, left))):
            left -= len(piece)
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = sync_to_async(self.opened.read, thread_sensitive=False)
        left = self.length
        while left > 0 and (piece := await read(min(CHUNK, left))):
            left -= len(piece)
            yield piece
