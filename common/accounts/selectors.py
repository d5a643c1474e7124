"""What is known about a person and the tokens of their programs."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.utils import timezone
from knox.models import get_token_model

from common.permissions import visible


def list_tokens(user: Any) -> QuerySet[Any]:
    """Return the tokens of a person, the newest first, with their details and `has_expired`."""
    over = ExpressionWrapper(Q(expiry__lte=timezone.now()), output_field=BooleanField())
    tokens = get_token_model().objects.select_related("details").annotate(has_expired=over)
    found: QuerySet[Any] = visible(user, tokens)
    return found.order_by("-created", "-token_key")


def list_groups(user: Any) -> QuerySet[Group]:
    """Return the groups that a person is in."""
    groups: QuerySet[Group] = user.groups.order_by("name")
    return groups
