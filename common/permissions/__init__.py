"""The one place that decides who may do what: `can(user, verb, obj)` and `visible(user, rows)`."""

from common.accounts.groups import group_ids_of
from common.permissions.rules import (
    VERBS,
    FollowRule,
    OwnerRule,
    Rule,
    SharedRule,
    Verb,
    can,
    get_visible_or_404,
    register_rule,
    verbs_of,
    visible,
)

__all__ = [
    "VERBS",
    "FollowRule",
    "OwnerRule",
    "Rule",
    "SharedRule",
    "Verb",
    "can",
    "get_visible_or_404",
    "group_ids_of",
    "register_rule",
    "verbs_of",
    "visible",
]
