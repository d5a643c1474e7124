"""Changing accounts and making tokens; each change is a line of the audit log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from knox.models import get_token_model

from common.accounts.limits import exceeds, key_of
from common.accounts.models import Account, TokenDetails
from common.audit.models import AuditEntry
from common.audit.services import record
from common.errors import ServiceError

LONGEST_TOKEN_DAYS = 365
SHOWN_CHARACTERS = 8


def create_token(
    *, owner: Any, name: str, scope: str, days: int, actor: Any = None
) -> tuple[Any, str]:
    """Make an API token; return its row and the token itself, which is stored nowhere.

    Args:
        owner: Whose programs will use it; they may never do more than the owner.
        name: What it is for.
        scope: One of `TokenDetails.Scope`.
        days: How long it lives, from 1 to 365.
        actor: Who makes it, where that is an administrator and not the owner.

    Raises:
        ServiceError: The owner has too many tokens, or has made too many within the hour.
        ValueError: Scope or days are none that there are.
    """
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        raise ValueError(f"a token lives from 1 to {LONGEST_TOKEN_DAYS} days, not {days}")
    _limit_new_tokens(owner)
    tokens = get_token_model().objects
    with transaction.atomic():
        get_user_model().objects.select_for_update().get(pk=owner.pk)  # one at a time per person
        tokens.filter(user=owner, expiry__lte=timezone.now()).delete()
        if tokens.filter(user=owner).count() >= settings.SIGHTLINE_TOKENS_PER_PERSON:
            sentence = f"You have {settings.SIGHTLINE_TOKENS_PER_PERSON} tokens; revoke one first."
            raise ServiceError("too_many_tokens", sentence, status=409)
        token, text = tokens.create(user=owner, expiry=timedelta(days=days))
        describe_token(token=token, name=name, scope=scope)
        record(
            action=AuditEntry.Action.TOKEN_CREATED,
            actor=actor or owner,
            owner=owner,
            details={**_in_the_log(token), "expires": token.expiry.isoformat()},
        )
    return token, text


def _limit_new_tokens(owner: Any) -> None:
    limit = settings.SIGHTLINE_NEW_TOKEN_LIMIT
    if exceeds(key_of("new-token", owner.pk), limit):
        raise ServiceError(
            "throttled",
            "You have made many tokens within the hour. Wait before you make another.",
            status=429,
            retry_after=limit[1],
        )


def describe_token(*, token: Any, name: str, scope: str) -> TokenDetails:
    """Say what a token is for and what it may do; without that it may only read."""
    details, _ = TokenDetails.objects.update_or_create(
        token=token, defaults={"name": name, "scope": TokenDetails.Scope(scope)}
    )
    return details


def revoke_token(*, actor: Any, token: Any) -> None:
    """Delete a token; programs that use it are refused within seconds everywhere."""
    with transaction.atomic():
        record(
            action=AuditEntry.Action.TOKEN_REVOKED,
            actor=actor,
            owner=token.user,
            details=_in_the_log(token),
        )
        token.delete()


def _in_the_log(token: Any) -> dict[str, str]:
    # The row's key is the token's digest: that stays out of the log.
    details: TokenDetails | None = getattr(token, "details", None)
    return {
        "token": details.name if details else "",
        "scope": details.scope if details else TokenDetails.Scope.READ,
        "begins": token.token_key[:SHOWN_CHARACTERS],
    }


def admit(*, user: Any) -> Account:
    """Give a role to somebody who has signed up: a viewer, of nothing as long as they are in no
    group."""
    account, made = Account.objects.get_or_create(user=user)
    if made:
        record(
            action=AuditEntry.Action.ACCOUNT,
            actor=user,
            owner=user,
            details={"change": "signed up", "role": account.role},
        )
    return account


def change_password(*, user: Any, password: str, how: str = "changed") -> None:
    """Set a password. Every other browser of the user is signed out by that; tokens stay."""
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        record(action=AuditEntry.Action.PASSWORD, actor=user, owner=user, details={"change": how})


def change_email(*, request: HttpRequest, user: Any, email: str) -> bool:
    """Change where mail goes; return whether the address must be confirmed first.

    With mail, a new address counts once its link was opened, so nobody can take somebody else's.
    Without mail there is nothing to confirm with; an address of another account is then refused.

    Raises:
        ServiceError: Another account has the address, and no mail can find out whose it is.
    """
    email = email.strip().lower()
    if email == user.email:
        return False
    if settings.SIGHTLINE_MAIL and email:
        _propose_email(user, email).send_confirmation(request)
        return True
    others = get_user_model().objects.exclude(pk=user.pk)
    if email and others.filter(email__iexact=email).exists():
        sentence = "This address cannot be used for your account."
        raise ServiceError("email_taken", sentence, fields={"email": sentence})
    with transaction.atomic():
        EmailAddress.objects.filter(user=user).delete()
        user.email = email
        user.save(update_fields=["email"])
        record_email(user=user)
    return False


def _propose_email(user: Any, email: str) -> Any:
    """Return the address to confirm; an earlier one that was not confirmed is forgotten."""
    proposed = EmailAddress.objects.filter(user=user, verified=False)
    with transaction.atomic():
        proposed.exclude(email__in=[email, user.email]).delete()
        address, _ = EmailAddress.objects.get_or_create(user=user, email=email)
    return address


def record_email(*, user: Any) -> None:
    """Write down that the address of an account has changed."""
    record(action=AuditEntry.Action.ACCOUNT, actor=user, owner=user, details={"change": "e-mail"})
