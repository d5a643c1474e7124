"""Pictures as answers: named in ``Accept``, made by the view."""

from __future__ import annotations

from typing import Any

from rest_framework.renderers import BaseRenderer


class _PictureRenderer(BaseRenderer):
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None
    ) -> Any:
        """Pass the encoded picture on."""
        return data


class JPEGRenderer(_PictureRenderer):
    """The annotated picture as JPEG."""

    media_type = "image/jpeg"
    format = "jpeg"


class PNGRenderer(_PictureRenderer):
    """The annotated picture as PNG."""

    media_type = "image/png"
    format = "png"
