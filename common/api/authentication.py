"""Token authentication."""

from typing import Any

from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework.exceptions import AuthenticationFailed


class TokenAuthentication(KnoxTokenAuthentication):  # type: ignore[misc]
    """knox's tokens: `Authorization: Token <token>`; bytes that are no text are a wrong token."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, Any]:
        """Return (user, token row).

        Raises:
            AuthenticationFailed: The token is unknown or expired, or its user is disabled.
        """
        try:
            result: tuple[Any, Any] = super().authenticate_credentials(token)
        except UnicodeDecodeError:
            raise AuthenticationFailed("Invalid token.") from None
        return result
