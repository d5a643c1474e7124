"""Judging the settings of accounts before the start."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register("sightline")
def check_links_in_mail(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Links in mails carry the host that the request names, so it must be one of ours."""
    if not settings.SIGHTLINE_MAIL or "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Error(
            "Mail is sent while every host name is answered: whoever forges one sends people "
            "links, in our name, that give their passwords away.",
            hint="Name the hosts in SIGHTLINE_ALLOWED_HOSTS instead of *.",
            id="sightline.E010",
        )
    ]
