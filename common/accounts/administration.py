"""What administrators do to the accounts of others.

Changes of accounts, roles and groups are written to the audit log by `common.audit.receivers`,
wherever they come from; here is written what leaves no trace in a row.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from allauth.account.forms import ResetPasswordForm
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet, RestrictedError
from django.http import HttpRequest
from django.utils import timezone
from knox.models import get_token_model

from common.accounts.models import Account
from common.audit.models import AuditEntry
from common.audit.services import record
from common.errors import ServiceError
from common.uploads.models import Upload


def set_role(*, user: Any, role: str) -> Account:
    """Give somebody a role. Administrators, and nobody else, may enter the admin.

    Role and Django's own flags say the same: whoever is an administrator is a superuser.

    Raises:
        ServiceError: `last_administrator`: nobody would be left to run the installation.
    """
    wanted = Account.Role(role)
    rules = wanted == Account.Role.ADMINISTRATOR
    with transaction.atomic():
        if not rules:
            require_another_administrator(user)
        account, _ = Account.objects.select_for_update().get_or_create(user=user)
        if account.role != wanted:
            account.role = wanted
            account.save(update_fields=["role"])
        if (user.is_staff, user.is_superuser) != (rules, rules):
            user.is_staff = user.is_superuser = rules
            user.save(update_fields=["is_staff", "is_superuser"])
    user.account = account
    return account


def switch_account(*, actor: Any, user: Any, on: bool) -> None:
    """Switch an account on, or off: then it may do nothing, and is signed out everywhere.

    Raises:
        ServiceError: `last_administrator`, or `own_account`: nobody switches themselves off.
    """
    with transaction.atomic():
        if not on:
            _require_other(actor, user)
            require_another_administrator(user)
            _end_browser_sessions(user)
        user.is_active = on
        user.save(update_fields=["is_active"])


def sign_out_everywhere(*, actor: Any, user: Any) -> None:
    """End every browser session of somebody and delete their tokens."""
    with transaction.atomic():
        browsers = _end_browser_sessions(user)
        tokens = get_token_model().objects.filter(user=user)
        details = {"change": "signed out everywhere", "browsers": browsers, "tokens": len(tokens)}
        tokens.delete()
        record(action=AuditEntry.Action.ACCOUNT, actor=actor, obj=user, owner=user, details=details)


def send_password_reset(*, request: HttpRequest, user: Any) -> None:
    """Send somebody the mail with which they choose a new password.

    Raises:
        ServiceError: `no_mail`: the installation sends none, or the account has no address.
    """
    if not settings.SIGHTLINE_MAIL:
        raise ServiceError("no_mail", "This installation sends no mail; set SIGHTLINE_MAIL_URL.")
    form = ResetPasswordForm(data={"email": user.email})
    if not user.email or not form.is_valid():
        raise ServiceError("no_mail", f"{user.get_username()} has no e-mail address.")
    form.save(request)
    details = {"change": "password reset sent"}
    record(
        action=AuditEntry.Action.PASSWORD,
        actor=request.user,
        obj=user,
        owner=user,
        details=details,
    )


def delete_account(*, actor: Any, user: Any) -> None:
    """Delete somebody with all their sessions and pictures.

    Raises:
        ServiceError: `own_account`, `last_administrator`, or `shared_pictures`: other people's
            sessions are over pictures of this account.
    """
    _require_other(actor, user)
    if others_sessions(user).exists():
        raise ServiceError("shared_pictures", keep_reason(user), status=409)
    try:
        with transaction.atomic():
            require_another_administrator(user)
            user.delete()
    except (RestrictedError, IntegrityError):  # somebody ran one of its pictures again meanwhile
        raise ServiceError("shared_pictures", keep_reason(user), status=409) from None


def others_sessions(user: Any) -> QuerySet[Any]:
    """Return the sessions of other people over pictures of this account."""
    # The sessions are an app's, which knows this package and not the other way round.
    relation: Any = Upload._meta.get_field("sessions")
    sessions: QuerySet[Any] = relation.related_model._default_manager
    return sessions.filter(upload__owner=user).exclude(owner=user)


def keep_reason(user: Any) -> str:
    """Return why an account that others depend on is better switched off."""
    return (
        f"Other people have sessions over pictures of {user.get_username()}. Switch the account "
        "off instead: it may do nothing then, and nobody loses a result."
    )


def _require_other(actor: Any, user: Any) -> None:
    if actor.pk == user.pk:
        sentence = "Nobody switches off or deletes their own account here; ask somebody else."
        raise ServiceError("own_account", sentence, status=409)


def require_another_administrator(user: Any) -> None:
    """Refuse what would leave the installation without anybody who runs it.

    Raises:
        ServiceError: `last_administrator`.
    """
    rules = Q(is_superuser=True) | Q(account__role=Account.Role.ADMINISTRATOR)
    active = get_user_model().objects.filter(rules, is_active=True)
    if connection.in_atomic_block:
        # One after the other: two who take the role from each other would both see a second one.
        list(active.select_for_update(of=("self",), no_key=True).order_by("pk"))
    if active.filter(pk=user.pk).exists() and not active.exclude(pk=user.pk).exists():
        sentence = "This is the last administrator; make somebody else one first."
        raise ServiceError("last_administrator", sentence, status=409)


def _end_browser_sessions(user: Any) -> int:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    rows = store.get_model_class().objects.filter(expire_date__gt=timezone.now())
    # Whose a session is stands inside of it; there are as many as browsers that are signed in.
    own = [
        row.pk
        for row in rows.iterator(chunk_size=500)
        if row.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    ended, _ = rows.filter(pk__in=own).delete()
    return int(ended)
