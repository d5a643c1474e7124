"""The answer that carries the picture of a style, for pages and REST."""

from __future__ import annotations

import hashlib

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags

from common.media import keep_private, serve_file
from styletransfer.models import Style
from styletransfer.services.pictures import style_jpeg


def serve_style_picture(request: HttpRequest, style: Style, *, small: bool) -> HttpResponseBase:
    """Answer with a JPEG; the caller has judged the permission.

    Raises:
        Http404: A fast style has none yet.
    """
    if not style.is_built_in:
        file = style.thumbnail if small else style.picture
        name = f"{style.name}.jpg"
        return serve_file(request, file=file, media_type="image/jpeg", filename=name)
    data = style_jpeg(style, small=small)
    if data is None:
        raise Http404("There is no picture of this style yet.")
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    known = etag in parse_etags(request.headers.get("If-None-Match", ""))
    response = HttpResponse(status=304) if known else HttpResponse(data, content_type="image/jpeg")
    keep_private(response, etag)
    return response
