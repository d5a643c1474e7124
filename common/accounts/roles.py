"""What a person's role is, and what it lets them do."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from common.accounts.models import Account

Viewer = AbstractBaseUser | AnonymousUser


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
