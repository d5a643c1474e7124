"""What a person's role is, and what it lets them do."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from common.accounts.models import Account
from common.errors import ServiceError

Viewer = AbstractBaseUser | AnonymousUser

LOOK_ONLY = (
    "Your account may look at what is shared with it, but not add, run or share anything. "
    "An administrator can make you an operator."
)


def role_of(user: Viewer) -> Account.Role | None:
    """Return the role of a user; None for nobody and for an account that is switched off.

    One query per user object; the answer is kept on it. Superusers are administrators, and who
    has no role is a viewer.
    """
    if not user.is_authenticated or not user.is_active:
        return None
    if getattr(user, "is_superuser", False):
        return Account.Role.ADMINISTRATOR
    account: Account | None = getattr(user, "account", None)
    return Account.Role(account.role) if account is not None else Account.Role.VIEWER


def is_administrator(user: Viewer) -> bool:
    """Tell whether the user runs the installation."""
    return role_of(user) == Account.Role.ADMINISTRATOR


def may_create(user: Viewer) -> bool:
    """Tell whether the user may upload, detect and run; viewers only look."""
    return role_of(user) in (Account.Role.ADMINISTRATOR, Account.Role.OPERATOR)


def require_may_create(user: Viewer) -> None:
    """Let only those pass who may upload, detect and run.

    Raises:
        ServiceError: ``not_allowed_to_create`` (403).
    """
    if not may_create(user):
        raise ServiceError("not_allowed_to_create", LOOK_ONLY, status=403)
