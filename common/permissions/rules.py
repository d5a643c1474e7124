"""Permission rules, one per model. Whatever has no rule is refused."""

from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.shortcuts import get_object_or_404

from common.accounts.groups import group_ids_of
from common.accounts.roles import may_create

Verb: TypeAlias = Literal["view", "change", "delete", "share"]
Viewer: TypeAlias = AbstractBaseUser | AnonymousUser
ModelT = TypeVar("ModelT", bound=Model)

VERBS: tuple[Verb, ...] = ("view", "change", "delete", "share")

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


class SharedRule:
    """Rows with an owner, who may share them with a group (`owner`, `shared_with`).

    Owner and members may view; those of them who may create may change. Deleting is the owner's
    alone, whatever their role has become; sharing is the owner's who may create.
    """

    def allows(self, user: Viewer, verb: Verb, obj: Any) -> bool:
        """Tell whether `user` may do `verb` to `obj`."""
        if not user.is_active or user.pk is None:
            return False
        owns: bool = obj.owner_id == user.pk
        if verb == "delete":
            return owns
        if verb == "share":
            return owns and may_create(user)
        # The group last: only for what others have shared is it worth a query.
        reached = owns or (
            obj.shared_with_id is not None and obj.shared_with_id in group_ids_of(user)
        )
        return reached and (verb == "view" or may_create(user))

    def filter(self, user: Viewer, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows that `user` owns or that are shared with a group of theirs.

        The ids of the groups go into the query as numbers: the database knows how many rows they
        stand for, and chooses between its indexes accordingly; of a subquery it would not know.
        """
        if not user.is_active or user.pk is None:
            return rows.none()
        own = Q(owner=user.pk)
        groups = group_ids_of(user)
        return rows.filter(own | Q(shared_with__in=groups) if groups else own)


class FollowRule:
    """Rows of an owner, which others reach through a shared row that points at them.

    Args:
        related: Name of the relation from the pointing model, e.g. "sessions".
        verbs: What reaching the pointing row allows; everything else is the owner's alone.
    """

    def __init__(self, related: str, verbs: tuple[Verb, ...] = ("view",)) -> None:
        self.related = related
        self.verbs = verbs
        self.own = OwnerRule()

    def allows(self, user: Viewer, verb: Verb, obj: Any) -> bool:
        """Tell whether `user` owns `obj`, or may do `verb` to a row that points at it."""
        if self.own.allows(user, verb, obj):
            return verb in ("view", "delete") or may_create(user)
        if verb not in self.verbs:
            return False
        relation = obj._meta.get_field(self.related)
        pointing = relation.related_model._default_manager.filter(**{relation.field.name: obj.pk})
        return any(can(user, verb, row) for row in visible(user, pointing))

    def filter(self, user: Viewer, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows that `user` owns, and those that a row shared with them points at."""
        if not user.is_active or user.pk is None:
            return rows.none()
        groups = group_ids_of(user)
        if not groups:
            return self.own.filter(user, rows)
        relation: Any = rows.model._meta.get_field(self.related)
        pointing = relation.related_model._default_manager.filter(shared_with__in=groups)
        followed = pointing.order_by().values(relation.field.attname)
        return rows.filter(Q(owner=user.pk) | Q(pk__in=followed))


def register_rule(model: type[Model], rule: Rule) -> None:
    """Set the rule of a model; a second one for the same model is a mistake.

    Raises:
        ValueError: The model has another rule already.
    """
    if _rules.setdefault(model, rule) is not rule:
        raise ValueError(f"{model.__name__} has a permission rule already")


def can(user: Viewer, verb: Verb, obj: Model) -> bool:
    """Tell whether `user` may view, change, delete or share `obj`.

    Raises:
        LookupError: The model has no rule: a mistake of ours, never an open door.
    """
    return _rule_of(type(obj)).allows(user, verb, obj)


def verbs_of(user: Viewer, obj: Model) -> list[Verb]:
    """List what `user` may do to `obj`."""
    return [verb for verb in VERBS if can(user, verb, obj)]


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
