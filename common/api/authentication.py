"""Token authentication."""

import copy
import threading
import time
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.signals import post_delete, post_save
from django.utils import timezone
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.crypto import hash_token
from knox.models import get_token_model
from rest_framework.exceptions import AuthenticationFailed

REMEMBER_SECONDS = 10.0
REMEMBER_TOKENS = 1000


class TokenMemory:
    """Tokens that were good a moment ago, so that a program's next request needs no database.

    Holds digests, never tokens. Every change of a token or a user in this process empties it; a
    change made by another process counts after ten seconds at the latest.
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
        if entry is None or entry[0] < time.monotonic():
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
    """Have the memory emptied when a token or a user is saved or deleted."""
    for model in (get_token_model(), get_user_model()):
        for signal in (post_save, post_delete):
            signal.connect(memory.forget, sender=model, dispatch_uid=f"forget.{model.__name__}")


class TokenAuthentication(KnoxTokenAuthentication):  # type: ignore[misc]
    """knox's tokens: `Authorization: Token <token>`; bytes that are no text are a wrong token."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, Any]:
        """Return (user, token row).

        Raises:
            AuthenticationFailed: The token is unknown or expired, or its user is disabled.
        """
        try:
            digest = hash_token(token.decode())
        except UnicodeDecodeError:
            raise AuthenticationFailed("Invalid token.") from None
        known = memory.get(digest)
        if known is not None:
            return known
        changes = memory.changes
        user, row = super().authenticate_credentials(token)
        memory.put(digest, user, row, changes=changes)
        return user, row

    def _cleanup_token(self, auth_token: Any) -> bool:
        # knox looks through all tokens of the user at each request, to delete the expired ones.
        # Refusing one needs no second query; it stays until somebody deletes it.
        return auth_token.expiry is not None and auth_token.expiry < timezone.now()
