"""What the templates need beyond Django: icons, sizes in words, and links that keep the filters."""

from django import template
from django.db.models import Model
from django.http import QueryDict
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.accounts import roles
from common.permissions import VERBS, verbs_of
from detector.kinds import page_of
from detector.models import DetectionSession

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the sprite, hidden from screen readers: the text beside it says what it means."""
    href = f"{static('img/icons.svg')}#{name}"
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"></use></svg>', href
    )


@register.simple_tag
def query_with(query: QueryDict, **changes: object) -> str:
    """``?…`` of this query with some keys replaced; a key set to None or "" is dropped."""
    copy = query.copy()
    for key, value in changes.items():
        copy.pop(key, None)
        if value not in (None, ""):
            copy[key] = str(value)
    return f"?{copy.urlencode()}" if copy else "?"


@register.simple_tag
def access(user: roles.Viewer, obj: Model) -> dict[str, bool]:
    """What the user may do, by verb: ``{% access user session as may %}``, then ``may.change``."""
    allowed = verbs_of(user, obj)
    return {verb: verb in allowed for verb in VERBS}


@register.filter
def page_url(session: DetectionSession) -> str:
    """The address of a session's page, whatever kind of session it is."""
    return page_of(session)


@register.filter
def file_size(size: int | None) -> str:
    """1234567 → "1.2 MB" (decimal, as file managers count)."""
    value = float(size or 0)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


@register.filter
def clock(seconds: float | None) -> str:
    """3909.4 → "1:05:09", 9.6 → "0:09": a time of a video, as players write it."""
    minutes, rest = divmod(int(max(0.0, seconds or 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def grouped(value: int | None) -> str:
    """1234567 → "1,234,567"."""
    return f"{value or 0:,}"


@register.filter
def percent(value: float | None) -> str:
    """0.254 → "25%"."""
    return f"{round((value or 0) * 100)}%"


@register.filter
def top_counts(counts: dict[str, int] | None, limit: int = 4) -> list[tuple[str, int]]:
    """The most frequent classes first, at most ``limit`` of them."""
    ordered = sorted((counts or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    return ordered[:limit]


@register.filter
def rest_count(counts: dict[str, int] | None, limit: int = 4) -> int:
    """How many classes ``top_counts`` leaves out."""
    return max(0, len(counts or {}) - limit)


@register.filter
def is_administrator(user: roles.Viewer) -> bool:
    """Whether the user runs the installation."""
    return roles.is_administrator(user)


@register.filter
def may_create(user: roles.Viewer) -> bool:
    """Whether the user may upload and run, and not only look."""
    return roles.may_create(user)
