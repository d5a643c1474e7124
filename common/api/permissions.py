"""Who may use an address at all."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from common.accounts.roles import is_administrator


class IsAdministrator(BasePermission):
    """For those who run the installation."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Say whether the request may go on."""
        return is_administrator(request.user)
