"""Kinds of sessions: which page shows one, where REST has it, and which row has more of it.

Apps that bring a kind of session say so when they are ready.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.urls import reverse

from detector.models import DetectionSession

_PICTURE_LINKS = {
    "self": "detector-api:session-detail",
    "objects": "detector-api:session-objects",
    "picture": "detector-api:session-picture",
    "thumbnail": "detector-api:session-thumbnail",
    "export": "detector-api:session-export",
}
_pages: dict[str, str] = {kind.value: "detector:session" for kind in DetectionSession.PICTURES}
_details: list[str] = []
_links: dict[str, Mapping[str, str]] = {
    kind.value: _PICTURE_LINKS for kind in DetectionSession.PICTURES
}


def register_page(kind: str, url_name: str, *, links: Mapping[str, str], detail: str = "") -> None:
    """Set the page of sessions of a kind.

    Args:
        kind: A value of ``DetectionSession.Kind``.
        url_name: The name of an address that takes a session's id.
        links: Addresses in REST, which take the id too, for ``self``, ``objects``, ``picture``,
            ``thumbnail`` and ``export``.
        detail: The one-to-one relation with what only this kind has; lists read it with the
            sessions, so that a card may show of it without a query of its own.
    """
    _pages[kind] = url_name
    _links[kind] = links
    if detail and detail not in _details:
        _details.append(detail)


def page_of(session: DetectionSession) -> str:
    """The address of a session's page."""
    return reverse(_pages[session.kind], args=[session.pk])


def links_of(session: DetectionSession) -> dict[str, str]:
    """Where the parts of a session are in REST."""
    return {name: reverse(route, args=[session.pk]) for name, route in _links[session.kind].items()}


def detail_names() -> tuple[str, ...]:
    """Relations to read together with sessions."""
    return tuple(_details)
