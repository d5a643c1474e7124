"""The small pictures of tracks and events, which lie one after the other in one file."""

from __future__ import annotations

import hashlib

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

from common.media import keep_private
from common.storage.files import open_part
from common.uploads.services import require_picture
from detector.models import DetectionSession
from video_analysis.models import Event, Track


def read_snapshot(session: DetectionSession, row: Track | Event) -> bytes:
    """Return the JPEG of a track or an event.

    Raises:
        Http404: It has none.
        PictureRemoved: It was older than files are kept.
    """
    require_picture(session.upload)
    stored = session.video.snapshots
    if stored is None or row.snapshot_offset is None:
        raise Http404("There is no picture of it.")
    begin, size = row.snapshot_offset, row.snapshot_size
    try:
        with open_part(stored.file.storage, str(stored.file.name), begin, begin + size) as file:
            jpeg: bytes = file.read(size)
    except FileNotFoundError:
        raise Http404("The file is gone.") from None
    return jpeg


def snapshot_response(
    request: HttpRequest, session: DetectionSession, row: Track | Event
) -> HttpResponse:
    """Answer with the JPEG of a track or an event; the browser may keep it for a while.

    Raises:
        Http404: It has none.
        PictureRemoved: It was older than files are kept.
    """
    response = HttpResponse(read_snapshot(session, row), content_type="image/jpeg")
    identity = f"{session.video.snapshots_id}:{row.snapshot_offset}".encode()
    etag = f'"{hashlib.sha256(identity).hexdigest()[:32]}"'
    keep_private(response, etag)
    answer = get_conditional_response(request, etag=etag, response=response)
    assert isinstance(answer, HttpResponse)
    return answer
