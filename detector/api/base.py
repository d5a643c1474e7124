"""What all views of this app's API share."""

from __future__ import annotations

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.response import Response

from common.api.errors import error_response
from common.uploads.errors import UploadRejected
from detector.errors import DetectorError, OptionsError
from detector.services.options import DetectionOptions, parse_options
from vision.errors import VisionError


class ErrorsMixin:
    """Turns what the services raise into the API's error shape."""

    def handle_exception(self, exc: Exception) -> Response:
        """Answer the app's own errors; all others go the way of the whole API."""
        response: Response
        if isinstance(exc, DetectorError):
            response = error_response(exc.status, exc.code, exc.message, fields=exc.fields)
        elif isinstance(exc, UploadRejected):
            response = error_response(
                exc.status, exc.code, exc.message, fields={"image": exc.message}
            )
        elif isinstance(exc, VisionError):
            response = error_response(503, exc.code, exc.message)
        else:
            response = super().handle_exception(exc)  # type: ignore[misc]
        response.exception = True
        return response


class AnyNegotiation(BaseContentNegotiation):
    """For answers that are files: whatever is accepted, the file is what there is."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        """Take the first parser."""
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        """Take the first renderer; it only renders errors."""
        return renderers[0], renderers[0].media_type


def read_options(data: Any, *, task: str, defaults: DetectionOptions | None = None) -> Any:
    """Judge the options in a request's body, which is a form or JSON.

    Args:
        data: The body.
        task: What to do, when the body does not say.
        defaults: Options that stand where the body names none.

    Raises:
        OptionsError: With a sentence for every field that is wrong.
    """
    if not hasattr(data, "get"):
        raise OptionsError({"body": "The body must be an object."})
    same_task = defaults is not None and defaults.task == task
    return parse_options(
        task=task,
        model=_given(data, "model") or (defaults.model if defaults and same_task else None),
        confidence=_given(data, "confidence", defaults.confidence if defaults else None),
        iou=_given(data, "iou", defaults.iou if defaults else None),
        classes=_list(data, "classes", list(defaults.classes) if defaults else None),
    )


def _given(data: Any, name: str, default: Any = None) -> Any:
    value = data.get(name)
    return default if value is None or value == "" else value


def _list(data: Any, name: str, default: Any) -> Any:
    if name not in data:
        return default
    return data.getlist(name) if hasattr(data, "getlist") else data.get(name)
