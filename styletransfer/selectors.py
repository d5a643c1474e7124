"""Reads: the gallery, what was painted, and who may see which."""

from __future__ import annotations

import contextlib
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q, QuerySet

from common.permissions import Verb, get_visible_or_404, visible
from styletransfer.errors import InvalidError
from styletransfer.models import Restyling, Style

User = AbstractBaseUser | AnonymousUser

STYLE_ORDERS: Final = {
    "popular": ("-use_count", "-created_at", "-id"),
    "newest": ("-created_at", "-id"),
    "name": ("name", "id"),
}
STYLE_FILTERS: Final = ("fast", "mine", "shared")
# What is shown of them wherever they are shown.
STYLE_SHOWN: Final = ("owner", "shared_with")
RESTYLING_SHOWN: Final = (
    *("upload", "job", "owner", "shared_with", "style", "result", "thumbnail"),
)


def list_styles(
    user: User, *, query: str = "", only: str = "", order: str = "popular"
) -> QuerySet[Style]:
    """Styles that ``user`` may use.

    Args:
        user: Who asks.
        query: Words that name or description contain.
        only: Empty for all, or one of ``STYLE_FILTERS``.
        order: One of ``STYLE_ORDERS``.
    """
    rows = visible(user, Style.objects.select_related(*STYLE_SHOWN))
    for word in query.split():
        rows = rows.filter(Q(name__icontains=word) | Q(description__icontains=word))
    if only == "fast":
        rows = rows.exclude(network="")
    elif only == "mine":
        rows = rows.filter(owner=user.pk)
    elif only == "shared":
        rows = rows.filter(owner__isnull=False).exclude(owner=user.pk)
    return rows.order_by(*STYLE_ORDERS[order])


def get_style(user: User, style_id: Any, verb: Verb = "view") -> Style:
    """One style, to do ``verb`` to it.

    Raises:
        Http404: There is none, or ``user`` may not see it.
        PermissionDenied: ``user`` may see it, but not do that.
    """
    rows = Style.objects.select_related(*STYLE_SHOWN)
    found: Style = get_visible_or_404(user, rows, verb=verb, pk=style_id)
    return found


def find_style(user: User, text: str) -> Style:
    """The style that a person or a program names: by its id, its key, or its name.

    A key goes before a name; of several with one name it is the caller's own, then the one that is
    used most.

    Raises:
        InvalidError: ``unknown_style``.
    """
    text = text.replace("\0", "").strip()[:100]
    rows = visible(user, Style.objects.select_related(*STYLE_SHOWN))
    named = rows.filter(Q(key=text) | Q(name__iexact=text)) if text else rows.none()
    with contextlib.suppress(ValueError):
        named = rows.filter(pk=UUID(text))
    found = sorted(
        named.order_by("-use_count")[:50],
        key=lambda style: (style.key != text, style.owner_id != user.pk, -style.use_count),
    )
    if not found:
        raise InvalidError({"style": "There is no such style."}, "unknown_style")
    return found[0]


def style_examples(user: User, style: Style) -> QuerySet[Restyling]:
    """What was painted in a style and ``user`` may see, newest first."""
    return list_restylings(user, style=style).filter(result__isnull=False)


def list_restylings(
    user: User, *, query: str = "", status: str = "", style: Style | None = None, kind: str = ""
) -> QuerySet[Restyling]:
    """What was painted, or is about to be, and ``user`` may see, newest first.

    Args:
        user: Who asks.
        query: Words that its name, or that of its style, contains.
        status: A value of ``Restyling.Status``, or empty.
        style: In this style only.
        kind: A value of ``Restyling.Kind``, or empty.
    """
    rows = visible(user, Restyling.objects.select_related(*RESTYLING_SHOWN))
    for word in query.split():
        rows = rows.filter(Q(name__icontains=word) | Q(style_name__icontains=word))
    if status:
        rows = rows.filter(job__state=status)
    if style is not None:
        rows = rows.filter(style=style)
    if kind:
        rows = rows.filter(kind=kind)
    return rows.order_by("-created_at", "-id")


def get_restyling(user: User, restyling_id: Any, verb: Verb = "view") -> Restyling:
    """One painting with all that is shown of it, to do ``verb`` to it.

    Raises:
        Http404: There is none, or ``user`` may not see it.
        PermissionDenied: ``user`` may see it, but not do that.
    """
    rows = Restyling.objects.select_related(*RESTYLING_SHOWN)
    found: Restyling = get_visible_or_404(user, rows, verb=verb, pk=restyling_id)
    return found
