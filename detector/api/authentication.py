"""The token check of the path that programs call in a loop."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from common.api.authentication import TokenAuthentication


class OneQueryTokenAuthentication(TokenAuthentication):
    """knox's tokens in one query.

    knox looks through all tokens of the user at each request, to delete the expired ones; here an
    expired token is refused, and left for the other addresses to delete.
    """

    def _cleanup_token(self, auth_token: Any) -> bool:
        return auth_token.expiry is not None and auth_token.expiry < timezone.now()
