"""Tokens belong to whose programs use them; nobody else sees them."""

from knox.models import get_token_model

from common.permissions import OwnerRule, register_rule

register_rule(get_token_model(), OwnerRule("user"))
