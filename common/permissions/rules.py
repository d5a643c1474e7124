"""Permission rules, one per model. Whatever has no rule is refused."""

from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404

Verb: TypeAlias = Literal["view", "change", "delete"]
Viewer: TypeAlias = AbstractBaseUser | AnonymousUser
ModelT = TypeVar("ModelT", bound=Model)

_rules: dict[type[Model], "Rule"] = {}


class Rule(Protocol):
    """Decides about the rows of one model. Both methods must agree for the verb "view"."""

    def allows(self, user: Viewer, verb: Verb, obj: Any) -> bool:
        """Tell whether `user` may do `verb` to `obj`."""
        ...

    def filter(self, user: Viewer, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows that `user` may view."""
        ...


class OwnerRule:
    """The owner may do everything, nobody else anything; superusers are nobody special.

    Args:
        path: Lookup from the model to its owner, e.g. "session__owner".
    """

    def __init__(self, path: str = "owner") -> None:
        self.path = path

    def allows(self, user: Viewer, verb: Verb, obj: Any) -> bool:
        """Tell whether `user` owns `obj`, whatever the verb."""
        *steps, last = self.path.split("__")
        for step in steps:
            obj = getattr(obj, step)
        return user.is_active and user.pk is not None and getattr(obj, f"{last}_id") == user.pk

    def filter(self, user: Viewer, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows that `user` owns."""
        if not user.is_active or user.pk is None:
            return rows.none()
        return rows.filter(**{self.path: user.pk})


def register_rule(model: type[Model], rule: Rule) -> None:
    """Set the rule of a model; a second one for the same model is a mistake.

    Raises:
        ValueError: The model has another rule already.
    """
    if _rules.setdefault(model, rule) is not rule:
        raise ValueError(f"{model.__name__} has a permission rule already")


def can(user: Viewer, verb: Verb, obj: Model) -> bool:
    """Tell whether `user` may view, change or delete `obj`.

    Raises:
        LookupError: The model has no rule: a mistake of ours, never an open door.
    """
    return _rule_of(type(obj)).allows(user, verb, obj)


def visible(user: Viewer, queryset: QuerySet[ModelT]) -> QuerySet[ModelT]:
    """Keep the rows of `queryset` that `user` may view.

    Raises:
        LookupError: The model has no rule.
    """
    return _rule_of(queryset.model).filter(user, queryset)


def get_visible_or_404(
    user: Viewer, queryset: QuerySet[ModelT], *, verb: Verb = "view", **lookup: Any
) -> ModelT:
    """Return the one visible row that fits, to do `verb` to it.

    Raises:
        Http404: There is none, or it is somebody else's: others' rows do not exist.
        PermissionDenied: The user may look at it, but not do that.
    """
    found = get_object_or_404(visible(user, queryset), **lookup)
    if verb != "view" and not can(user, verb, found):
        raise PermissionDenied
    return found


def _rule_of(model: type[Model]) -> Rule:
    try:
        return _rules[model._meta.concrete_model or model]
    except KeyError:
        raise LookupError(f"{model.__name__} has no permission rule") from None
