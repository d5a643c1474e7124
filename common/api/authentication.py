"""Token authentication: who a program acts for, and what its token lets it do."""

import copy
import logging
import threading
import time
from datetime import timedelta
from hmac import compare_digest
from typing import Any

from django.contrib.auth import get_user_model
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.utils import timezone
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.crypto import hash_token
from knox.models import get_token_model
from knox.settings import CONSTANTS
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS

from common.accounts.models import Account, TokenDetails

logger = logging.getLogger(__name__)

# A token that was revoked by another process is refused after this, plus the time of one query.
REMEMBER_SECONDS = 4.0
REMEMBER_TOKENS = 1000
USE_IS_NOTED_EVERY = timedelta(minutes=1)
READ_ONLY = "This token may only read. Make one that may also write on your account page."


class TokenMemory:
    """Tokens that were good a moment ago, so that a program's next request needs no database.

    Holds digests, never tokens. Every change of a token, a role or a user in this process empties
    it; a change made by another process counts within five seconds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Any, Any]] = {}
        self._changes = 0

    @property
    def changes(self) -> int:
        """A number that grows with every `forget`."""
        return self._changes

    def get(self, digest: str) -> tuple[Any, Any] | None:
        """Return (user, token row) if the token was good within the last seconds."""
        entry = self._known.get(digest)
        if entry is None or entry[0] < time.monotonic() or _has_expired(entry[2]):
            return None
        # A copy: what a request does to its user is no other request's business.
        return copy.copy(entry[1]), entry[2]

    def put(self, digest: str, user: Any, token: Any, *, changes: int) -> None:
        """Remember a token, unless something has changed since `changes` was read."""
        with self._lock:
            if changes != self._changes:
                return
            if len(self._known) >= REMEMBER_TOKENS:
                self._known.clear()
            self._known[digest] = (time.monotonic() + REMEMBER_SECONDS, copy.copy(user), token)

    def forget(self, **kwargs: Any) -> None:
        """Forget everything; a signal receiver."""
        with self._lock:
            self._changes += 1
            self._known.clear()


memory = TokenMemory()


def forget_on_changes() -> None:
    """Have the memory emptied when a token, a role or a user is saved or deleted."""
    for model in (get_token_model(), get_user_model(), TokenDetails, Account):
        for signal in (post_save, post_delete):
            signal.connect(memory.forget, sender=model, dispatch_uid=f"forget.{model.__name__}")


def scope_of(token: Any) -> TokenDetails.Scope:
    """Return what a token may do; one that nobody has described may only read."""
    details: TokenDetails | None = getattr(token, "details", None)
    return TokenDetails.Scope(details.scope) if details is not None else TokenDetails.Scope.READ


class TokenAuthentication(KnoxTokenAuthentication):  # type: ignore[misc]
    """knox's tokens: `Authorization: Token <token>`; bytes that are no text are a wrong token."""

    def authenticate(self, request: Any) -> tuple[Any, Any] | None:
        """Return (user, token row), or None when the request carries no token.

        Raises:
            AuthenticationFailed: The token is unknown or expired, or its user is disabled.
            PermissionDenied: The token may only read, and this is no reading.
        """
        found: tuple[Any, Any] | None = super().authenticate(request)
        if found is None or request.method in SAFE_METHODS:
            return found
        if scope_of(found[1]) != TokenDetails.Scope.WRITE:
            raise PermissionDenied(READ_ONLY, code="scope_read_only")
        return found

    def authenticate_credentials(self, token: bytes) -> tuple[Any, Any]:
        """Return (user, token row).

        Raises:
            AuthenticationFailed: The token is unknown or expired, or its user is disabled.
        """
        try:
            text = token.decode()
        except UnicodeDecodeError:
            raise AuthenticationFailed("Invalid token.") from None
        digest = hash_token(text)
        known = memory.get(digest)
        if known is not None:
            return known
        changes = memory.changes
        row = _find(text[: CONSTANTS.TOKEN_KEY_LENGTH], digest)
        user, row = self.validate_user(row)
        _note_use(row)
        memory.put(digest, user, row, changes=changes)
        return user, row


def _find(key: str, digest: str) -> Any:
    """Return the row of a token with all that a request asks about it, in one query."""
    rows = get_token_model().objects.select_related("user__account", "details")
    for row in rows.filter(token_key=key):
        if compare_digest(row.digest, digest) and not _has_expired(row):
            return row
    raise AuthenticationFailed("Invalid token.")


def _has_expired(token: Any) -> bool:
    return token is not None and token.expiry is not None and token.expiry < timezone.now()


def _note_use(token: Any) -> None:
    """Keep when a token was last used, to the minute; a request never fails because of it."""
    details: TokenDetails | None = getattr(token, "details", None)
    now = timezone.now()
    before = now - USE_IS_NOTED_EVERY
    if details is None or (details.last_used_at is not None and details.last_used_at > before):
        return
    # A condition, not a save: of many processes one writes, and no memory is emptied.
    stale = Q(last_used_at=None) | Q(last_used_at__lte=before)
    try:
        with transaction.atomic():
            TokenDetails.objects.filter(stale, pk=details.pk).update(last_used_at=now)
    except DatabaseError as error:  # a full disk, a lock
        logger.warning("The last use of a token could not be noted: %s", error)
    details.last_used_at = now
