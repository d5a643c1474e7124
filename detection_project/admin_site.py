"""Who gets in."""

from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite

from common.accounts.roles import is_administrator


class SightlineAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """For administrators alone; `is_staff` without the role opens nothing."""

    index_title = "Overview"

    def has_permission(self, request: HttpRequest) -> bool:
        """Tell whether the caller runs this installation."""
        return bool(getattr(request.user, "is_staff", False)) and is_administrator(request.user)
