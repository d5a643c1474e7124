"""What the views of styles and results share: reading files, wishes, and the style to paint in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from django.core.files.uploadedfile import UploadedFile
from rest_framework import serializers
from rest_framework.request import Request

from common.filters import plain_text
from common.uploads.errors import UploadRejected
from common.uploads.services import picture_limits
from styletransfer.errors import ConflictError, InvalidError
from styletransfer.models import Restyling, Style
from styletransfer.selectors import find_style
from styletransfer.services.styles import style_on_trial

Body = TypeVar("Body", bound=serializers.BaseSerializer[Any])

OPTIONS = ("size", "steps", "style_weight", "keep_colours", "start", "start_network", "seed")
LONGEST_QUERY = 200
MIB = 1024 * 1024


def read_body(kind: type[Body], request: Request) -> dict[str, Any]:
    """Judge a body; what is wrong is told per field."""
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    values: dict[str, Any] = body.validated_data
    return values


def read_choice(request: Request, name: str, choices: list[str], default: str = "") -> str:
    """Return a filter of a list.

    Raises:
        InvalidError: It is none of these.
    """
    value = request.query_params.get(name, "").strip() or default
    if value and value not in choices:
        raise InvalidError({name: f"{name} must be one of {', '.join(choices)}."})
    return value


def read_query(request: Request) -> str:
    """Return the text that names are to contain."""
    return plain_text(request.query_params.get("q", ""), LONGEST_QUERY)


def read_file(request: Request, field: str) -> UploadedFile[Any] | None:
    """Return the file of a field; None where there is none.

    Raises:
        InvalidError: ``too_many_files``.
    """
    files = request.FILES.getlist(field)
    if len(files) > 1:
        raise InvalidError({field: f"Send one file as {field}."}, "too_many_files")
    return files[0] if files else None


def read_picture(file: UploadedFile[Any], field: str) -> bytes:
    """Return the bytes of a picture.

    Raises:
        UploadRejected: They are more than a picture may have; nothing of them was read, as where
            videos are taken, too, the body may be much larger.
    """
    limit = picture_limits().max_bytes
    if (file.size or 0) > limit:
        with naming(field):
            raise UploadRejected(
                "file_too_large",
                f"The file has {(file.size or 0) / MIB:.1f} MiB; at most {limit / MIB:.1f} MiB "
                "are accepted.",
            )
    return bytes(file.read())


@contextmanager
def naming(field: str) -> Iterator[None]:
    """Say of a file that is refused which field it came in."""
    try:
        yield
    except UploadRejected as error:
        error.field = field
        raise


@contextmanager
def wanted_style(request: Request) -> Iterator[Style]:
    """Find, or add, the style that a form names; what was added goes if the block fails.

    Raises:
        InvalidError: ``missing_style``, ``unknown_style``, ``two_styles``.
        UploadRejected: The file of ``style_image`` is refused.
    """
    text = plain_text(str(request.POST.get("style") or ""), LONGEST_QUERY)
    file = read_file(request, "style_image")
    if file is None:
        if not text:
            wrong = "Say which style, or send a picture to paint like as style_image."
            raise InvalidError({"style": wrong}, "missing_style")
        yield find_style(request.user, text)
        return
    if text:
        raise InvalidError({"style": "Send style or style_image, not both."}, "two_styles")
    data = read_picture(file, "style_image")
    with ExitStack() as stack:
        with naming("style_image"):
            trial = style_on_trial(owner=request.user, data=data, file_name=file.name or "")
            style = stack.enter_context(trial)
        yield style


def style_to_repeat(user: Any, data: Mapping[str, Any], restyling: Restyling) -> Style:
    """Return the style that a body names, else the one of before.

    Raises:
        InvalidError: ``unknown_style``.
        ConflictError: ``style_deleted``: that of before is gone, and no other is named.
    """
    text = plain_text(str(data.get("style") or ""), LONGEST_QUERY)
    if not text and restyling.style_id is None:
        message = "The style of this painting has been deleted; choose another one."
        raise ConflictError("style_deleted", message)
    return find_style(user, text or str(restyling.style_id))


def wishes_to_repeat(data: Mapping[str, Any], restyling: Restyling, style: Style) -> dict[str, Any]:
    """Return the wishes of a body over those of before, as far as these fit the style.

    From one way of painting to the other only the colours go over: what is a small size for the
    one is a large one for the other, and of steps a fast style knows nothing.
    """
    before: tuple[str, ...] = OPTIONS
    if style.is_fast != (restyling.way == Restyling.Way.FAST):
        before = ("keep_colours",)
    elif style.is_fast:
        before = ("size", "keep_colours")
    wishes = {name: getattr(restyling, name) for name in before}
    return wishes | {name: data.get(name) for name in OPTIONS if name in data}


def read_object(data: Any) -> Mapping[str, Any]:
    """Return a body that is to be an object.

    Raises:
        InvalidError: It is a list, or a text.
    """
    if not hasattr(data, "get"):
        raise InvalidError({"body": "The body must be an object."})
    found: Mapping[str, Any] = data
    return found
