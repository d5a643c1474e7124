"""Downloads that are made piece by piece while they are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header


class PieceStream(StreamingHttpResponse):
    """A file to download, its name encoded as RFC 5987 says.

    Under ASGI each piece is made in the request's thread; Django would collect an ordinary iterator
    into a list first. The test client and WSGI get an ordinary iterator.

    Args:
        pieces: The content; made while it is sent.
        media_type: E.g. "application/zip".
        filename: The name offered for saving.
    """

    def __init__(self, pieces: Iterator[bytes], *, media_type: str, filename: str) -> None:
        self.pieces = pieces
        super().__init__(iter(()), content_type=media_type)
        disposition = content_disposition_header(as_attachment=True, filename=filename)
        if disposition:
            self["Content-Disposition"] = disposition
        self["X-Content-Type-Options"] = "nosniff"
        self["Cache-Control"] = "private, no-store"

    def __iter__(self) -> Iterator[bytes]:
        return self.pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        following = sync_to_async(lambda: next(self.pieces, None), thread_sensitive=True)
        while (piece := await following()) is not None:
            yield piece
