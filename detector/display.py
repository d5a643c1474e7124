"""A picture as browsers can show it, and as the boxes fit it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from common.media.responses import MAX_AGE
from common.models import Upload
from common.uploads.services import picture_limits, read_upload
from vision.encoding.images import encode_jpeg
from vision.errors import PictureError
from vision.sources.pictures import decode_picture

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
            image = decode_picture(read_upload(upload=upload), picture_limits())
        except (PictureError, OSError):
            return None
        response = HttpResponse(encode_jpeg(image, quality=92), content_type="image/jpeg")
    response["ETag"] = etag
    response["Cache-Control"] = f"private, max-age={MAX_AGE}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    patch_vary_headers(response, ["Cookie"])
    return response
