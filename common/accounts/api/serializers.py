"""People and tokens as JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.accounts.models import Account, TokenDetails
from common.accounts.roles import role_of
from common.accounts.selectors import list_groups
from common.accounts.services import LONGEST_TOKEN_DAYS
from common.api.authentication import scope_of


class TokenSerializer(serializers.Serializer[Any]):
    """A token, without the token itself."""

    id = serializers.CharField(
        source="token_key", help_text="The first characters of the token: no secret."
    )
    name = serializers.CharField(source="details.name", default="")
    scope = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(source="created")
    expires_at = serializers.DateTimeField(source="expiry", allow_null=True)
    last_used_at = serializers.DateTimeField(
        source="details.last_used_at",
        default=None,
        allow_null=True,
        help_text="To the minute; null when it was never used.",
    )

    def get_scope(self, token: Any) -> TokenDetails.Scope:
        """What the token may do."""
        return scope_of(token)


class NewTokenSerializer(serializers.Serializer[Any]):
    """What a new token shall be."""

    name = serializers.CharField(max_length=100, help_text="What it is for.")
    scope = serializers.ChoiceField(
        choices=TokenDetails.Scope.choices, default=TokenDetails.Scope.READ
    )
    expires_in_days = serializers.IntegerField(
        min_value=1, max_value=LONGEST_TOKEN_DAYS, default=90
    )


class MadeTokenSerializer(TokenSerializer):
    """A token that was just made."""

    token = serializers.CharField(help_text="The token. It is shown this once.")


class OwnGroupSerializer(serializers.Serializer[Any]):
    """A group that the caller is in."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class MeSerializer(serializers.Serializer[Any]):
    """Who asks, and by what."""

    name = serializers.CharField(source="username")
    email = serializers.CharField(help_text="Empty when none is known.")
    role = serializers.SerializerMethodField()
    groups = serializers.SerializerMethodField()
    token = serializers.SerializerMethodField(help_text="Null in a browser's session.")

    def get_role(self, user: Any) -> Account.Role:
        """Administrators run the installation, operators work, viewers look."""
        return role_of(user) or Account.Role.VIEWER

    @extend_schema_field(OwnGroupSerializer(many=True))
    def get_groups(self, user: Any) -> Any:
        """What is shared with these groups may be looked at."""
        return OwnGroupSerializer(list_groups(user), many=True).data

    @extend_schema_field(TokenSerializer(allow_null=True))
    def get_token(self, user: Any) -> Any:
        """The token that this request carries."""
        token = self.context["token"]
        return TokenSerializer(token).data if token is not None else None
