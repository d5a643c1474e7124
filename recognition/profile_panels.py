"""What other apps show on the page of a person: visits, cameras. Recognition knows none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from recognition.models import Profile

Viewer: TypeAlias = AbstractBaseUser | AnonymousUser
Loader: TypeAlias = Callable[[Viewer, Profile], Mapping[str, Any] | None]


@dataclass(frozen=True)
class ProfilePanel:
    """A part of the page of a person.

    Attributes:
        name: Unique.
        template: Rendered with what `load` returns, as ``panel``.
        load: Returns what the viewer may see of the person; None leaves the part out.
        order: Smaller comes first.
    """

    name: str
    template: str
    load: Loader
    order: int = 50


_panels: dict[str, ProfilePanel] = {}


def register_profile_panel(panel: ProfilePanel) -> None:
    """Show a part on the page of every person; the same name again replaces it."""
    _panels[panel.name] = panel


def panels_of(user: Viewer, profile: Profile) -> list[dict[str, Any]]:
    """Return the parts that have something to show, in order."""
    shown = []
    for panel in sorted(_panels.values(), key=lambda panel: (panel.order, panel.name)):
        data = panel.load(user, profile)
        if data is not None:
            shown.append({"name": panel.name, "template": panel.template, "panel": data})
    return shown
