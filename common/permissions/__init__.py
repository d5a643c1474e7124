"""The one place that decides who may do what: `can(user, verb, obj)` and `visible(user, rows)`."""

from common.permissions.rules import (
    OwnerRule,
    Rule,
    Verb,
    can,
    get_visible_or_404,
    register_rule,
    visible,
)

__all__ = ["OwnerRule", "Rule", "Verb", "can", "get_visible_or_404", "register_rule", "visible"]
