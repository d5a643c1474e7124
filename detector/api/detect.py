"""``POST /api/detect/`` and ``/api/segment/``: a picture in, what is in it out, in one request.

This is the path that programs call in a loop, so it does each thing once: the file is read once,
decoded once, and the answer is written as JSON straight from the engine's arrays.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from rest_framework.exceptions import NotAcceptable
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from common.accounts.roles import LOOK_ONLY, may_create
from detector.api.base import read_options
from detector.api.renderers import JPEGRenderer, PNGRenderer
from detector.api.results import MASK_FORMS, answer_json, dump_json, entry_json
from detector.api.schema import detect_schema, segment_schema
from detector.errors import DetectorError, OptionsError
from detector.services.answers import Answer, Refusal, answer_files
from detector.services.options import parse_flag
from vision.drawing import annotate
from vision.encoding.images import encode_jpeg, encode_png


class MayDetect(BasePermission):
    """Whoever may create, and everyone where the installation is open for detection."""

    code = "not_allowed_to_create"
    message = LOOK_ONLY

    def has_permission(self, request: Any, view: Any) -> bool:
        """Say whether the request may go on."""
        return may_create(request.user) or bool(settings.SIGHTLINE_OPEN_DETECT)


class _AnswerView(APIView):
    task: str
    permission_classes = [MayDetect]
    parser_classes = [MultiPartParser]
    renderer_classes = [JSONRenderer, JPEGRenderer, PNGRenderer]

    def answer(self, request: Request) -> HttpResponseBase:
        """Read, detect, answer: in the form that the request accepts."""
        files = read_files(request)
        form = request.POST
        options = read_options(form, task=self.task)
        save = parse_flag("save", form.get("save"), default=True)
        masks = _mask_form(form.get("masks"))
        picture_wanted = request.accepted_renderer.format != "json"
        if picture_wanted and len(files) > 1:
            raise NotAcceptable("An annotated picture answers one image; ask for JSON instead.")

        # Who may only look, or is not signed in, leaves nothing behind.
        owner = request.user if save and may_create(request.user) else None
        # Closed whatever happens: the pictures that it holds count against others' until then.
        with closing(answer_files(files, options=options, owner=owner)) as answers:
            if len(files) > 1:
                # Not a loop: its variable would hold a picture while the next one is decoded.
                results = list(map(partial(entry_json, masks=masks), answers))
                return _json({"results": results})
            (answer,) = answers
        if isinstance(answer, Refusal):
            raise answer.error
        if picture_wanted:
            return _picture(answer, request.accepted_renderer.format)
        return _json(answer_json(answer, masks=masks))

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Errors are JSON, also to those who accept pictures only."""
        if getattr(response, "exception", False):
            request.accepted_renderer = JSONRenderer()
            request.accepted_media_type = JSONRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)


class DetectView(_AnswerView):
    """Find objects in pictures."""

    task = "detect"

    @detect_schema
    def post(self, request: Request) -> HttpResponseBase:
        """Find objects in one or many pictures."""
        return self.answer(request)


class SegmentView(_AnswerView):
    """Find objects in pictures, with their outlines."""

    task = "segment"

    @segment_schema
    def post(self, request: Request) -> HttpResponseBase:
        """Find objects in one or many pictures, with their outlines."""
        return self.answer(request)


def read_files(request: Request) -> list[Any]:
    """The files of the field ``image``.

    Raises:
        DetectorError: ``missing_image`` or ``too_many_files``.
    """
    files = request.FILES.getlist("image")
    if not files:
        message = "Send at least one picture as multipart field image."
        raise DetectorError("missing_image", message, fields={"image": message})
    limit = max_files()
    if len(files) > limit:
        message = f"At most {limit} pictures are answered in one request, not {len(files)}."
        raise DetectorError("too_many_files", message, fields={"image": message})
    return list(files)


def max_files() -> int:
    """How many files one request may carry."""
    return int(settings.SIGHTLINE_MAX_FILES_PER_REQUEST)


def _mask_form(value: str | None) -> str:
    form = (value or "polygons").strip().lower()
    if form not in MASK_FORMS:
        raise OptionsError({"masks": f"masks must be one of {', '.join(MASK_FORMS)}."})
    return form


def _picture(answer: Answer, form: str) -> HttpResponse:
    with answer.open_picture() as image:
        drawn = annotate(image, answer.detections)
    if form == "png":
        return HttpResponse(encode_png(drawn), content_type="image/png")
    return HttpResponse(encode_jpeg(drawn, quality=90), content_type="image/jpeg")


def _json(payload: dict[str, Any]) -> HttpResponse:
    return HttpResponse(dump_json(payload), content_type="application/json")
