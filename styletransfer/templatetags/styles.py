"""What the templates of styles need beyond Django: who made one, and times in words."""

from __future__ import annotations

import math
from typing import Any

from django import template

from styletransfer.models import Restyling, Style
from styletransfer.services.pictures import style_jpeg
from styletransfer.services.queueing import Place

register = template.Library()


@register.filter
def made_by(style: Style, user: Any) -> str:
    """Who has added a style, as ``user`` would say it."""
    if style.owner is None:
        return "Sightline"
    return "You" if style.owner_id == user.pk else style.owner.get_username()


@register.filter
def has_picture(style: Style) -> bool:
    """Whether there is something to show: a network has no picture before its first use."""
    return not style.is_fast or style_jpeg(style, small=True) is not None


@register.filter
def took(seconds: float | None) -> str:
    """0.42 → "0.4 s", 75.0 → "1 min 15 s", 3700 → "1 h 2 min"."""
    value = max(0.0, seconds or 0.0)
    if value < 9.95:
        return f"{max(value, 0.1):.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{rest} s"


@register.filter
def in_words(place: Place) -> str:
    """Place(3, 110.0) → "Number 3 · 2 min"; short, for there is little room on a card."""
    number = "Next" if place.place == 1 else f"Number {place.place}"
    if not place.seconds:
        return f"{number} in the queue"
    if place.seconds < 55:
        return f"{number} · {max(5, math.ceil(place.seconds / 5) * 5)} s"
    if place.seconds < 3600:
        return f"{number} · {round(place.seconds / 60)} min"
    return f"{number} · {place.seconds / 3600:.1f} h"


@register.filter
def status_label(restyling: Restyling) -> str:
    """The state in one word: somebody stops a painting, rather than cancels it."""
    return Restyling.Status(restyling.status).label
