"""The life of a style: added, described, shared, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.contrib.auth.models import Group
from django.db import transaction

from common.accounts.groups import hold_group_to_share_with
from common.audit.services import record
from common.models import AuditEntry
from common.permissions import can
from common.storage.disk import require_room
from common.uploads.errors import UploadRejected
from common.uploads.services import decoded_picture
from styletransfer.errors import InvalidError, gone
from styletransfer.models import Style
from styletransfer.services.pictures import kept_pictures
from styletransfer.services.texts import one_line, stem_of
from vision.errors import PictureError
from vision.style.framing import reduce_picture

EVERYBODY: Final = "everybody"
LEAST_SIDE: Final = 64
MOST_SIDE: Final = 1536  # a painting has the texture of its style at its own size at most
MOST_NAME: Final = 80
MOST_DESCRIPTION: Final = 500


def add_style(
    *, owner: Any, data: bytes, file_name: str, name: str = "", description: str = ""
) -> Style:
    """Keep a picture as a style; it is its owner's alone until they share it.

    Args:
        owner: Who adds it.
        data: The file as it came.
        file_name: What it was called: the style's name where there is no other.
        name: At most 80 characters.
        description: At most 500 characters.

    Raises:
        UploadRejected: The file is no picture, damaged, too large or too small, or the disk is
            full; nothing is kept.
        InvalidError: Name or description are too long.
    """
    require_room()
    style = Style(owner=owner, **_texts(name or stem_of(file_name), description))
    try:
        with decoded_picture(data) as picture:
            if min(picture.shape[:2]) < LEAST_SIDE:
                raise _too_small(*picture.shape[:2])
            image = reduce_picture(picture, MOST_SIDE)
    except PictureError as error:
        raise UploadRejected(error.code, error.message) from error
    with kept_pictures(style, image):
        style.save(force_insert=True)
    return style


@contextmanager
def style_on_trial(*, owner: Any, data: bytes, file_name: str) -> Iterator[Style]:
    """Keep a picture as a style for a painting; it goes again if the block fails.

    Nobody is to read that it was deleted: it has been nobody's before.

    Raises:
        UploadRejected: As `add_style`.
        InvalidError: As `add_style`.
    """
    style = add_style(owner=owner, data=data, file_name=file_name)
    try:
        yield style
    except BaseException:
        style.delete()
        raise


def update_style(*, style: Style, name: str | None = None, description: str | None = None) -> Style:
    """Rename or describe a style; what is None stays.

    Raises:
        InvalidError: They are too long, or nothing printable is left of the name.
        StyleError: ``not_found``: it was deleted meanwhile.
    """
    texts = _texts(
        style.name if name is None else name,
        style.description if description is None else description,
    )
    if not Style.objects.filter(pk=style.pk).update(**texts):
        raise gone("style")
    style.name, style.description = texts["name"], texts["description"]
    return style


def share_style(*, style: Style, user: Any, audience: str) -> Style:
    """Say who may use a style beside its owner.

    Args:
        style: One that ``user`` may share.
        user: Who shares it.
        audience: Empty for nobody, "everybody", or the id of a group.

    Raises:
        InvalidError: ``unknown_group``.
        StyleError: ``not_found``: it was deleted, or taken from the user, meanwhile.
    """
    with transaction.atomic():
        group = None if audience in ("", EVERYBODY) else _find_group(audience, user)
        held = Style.objects.select_for_update(no_key=True).filter(pk=style.pk).first()
        if held is None or not can(user, "share", held):
            raise gone("style")
        before = _audience_of(held)
        held.shared_with, held.is_public = group, audience == EVERYBODY
        held.save(update_fields=["shared_with", "is_public"])
        if _audience_of(held) != before:
            record(
                action=AuditEntry.Action.SHARED,
                actor=user,
                obj=held,
                owner=held.owner,
                details={"group": _audience_of(held), "before": before},
            )
    style.shared_with, style.is_public = held.shared_with, held.is_public
    return style


def delete_style(*, style: Style, user: Any) -> bool:
    """Delete a style; what was painted in it stays, with its name.

    Returns:
        Whether it was still there.
    """
    with transaction.atomic():
        held = Style.objects.select_for_update().filter(pk=style.pk).first()
        if held is None:
            return False
        record(action=AuditEntry.Action.DELETED, actor=user, obj=held, owner=held.owner)
        held.delete()
    return True


def _texts(name: str, description: str) -> dict[str, str]:
    wrong = {}
    clean = {"name": one_line(name), "description": one_line(description)}
    if not clean["name"]:
        wrong["name"] = "A style needs a name."
    if len(clean["name"]) > MOST_NAME:
        wrong["name"] = f"A name has at most {MOST_NAME} characters."
    if len(clean["description"]) > MOST_DESCRIPTION:
        wrong["description"] = f"A description has at most {MOST_DESCRIPTION} characters."
    if wrong:
        raise InvalidError(wrong)
    return clean


def _too_small(height: int, width: int) -> UploadRejected:
    return UploadRejected(
        "too_small",
        f"A style needs at least {LEAST_SIDE} pixels each way to be painted like; this picture has "
        f"{width} x {height}.",
    )


def _find_group(text: str, user: Any) -> Group:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    found = hold_group_to_share_with(user, number)
    if found is None:
        raise InvalidError({"audience": "Choose a group that you are in."}, "unknown_group")
    return found


def _audience_of(style: Style) -> str | None:
    if style.is_public:
        return EVERYBODY
    return style.shared_with.name if style.shared_with is not None else None
