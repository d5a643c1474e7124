"""A picture as browsers can show it, and as the boxes fit it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from common.media import keep_private
from common.models import Upload
from common.uploads.services import decoded_picture, read_upload
from vision.encoding.images import encode_jpeg
from vision.errors import PictureError

# What browsers show as the decoder sees it. Animations would run under boxes that stand still,
# and TIFF and HEIC are shown by hardly any browser.
SHOWN_AS_IT_IS = {"image/jpeg", "image/png", "image/webp", "image/bmp", "image/avif"}


def shown_picture(request: HttpRequest, *, upload: Upload) -> HttpResponse | None:
    """A JPEG of a picture that browsers do not show as it is; None where the file itself will do.

    Also None when the file cannot be read: whoever serves it says what is wrong.
    """
    if upload.media_type in SHOWN_AS_IT_IS:
        return None
    etag = f'"{upload.sha256[:32]}-jpeg"'
    if etag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
    else:
        try:
            with decoded_picture(read_upload(upload=upload)) as image:
                content = encode_jpeg(image, quality=92)
        except (PictureError, OSError):
            return None
        response = HttpResponse(content, content_type="image/jpeg")
    keep_private(response, etag)
    return response
