"""Writes down what happens to accounts, wherever it is done: pages, admin, commands."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.http import HttpRequest

from common.accounts.models import Account
from common.audit.failures import note_failed_sign_in
from common.audit.models import AuditEntry
from common.audit.services import record, write
from common.logs.context import current_user

Action = AuditEntry.Action
WATCHED = ("username", "is_active", "is_staff", "is_superuser")
BEFORE = "_audit_before"


def connect() -> None:
    """Begin to listen."""
    user_logged_in.connect(note_sign_in, dispatch_uid="audit.sign_in")
    user_logged_out.connect(note_sign_out, dispatch_uid="audit.sign_out")
    user_login_failed.connect(note_failure, dispatch_uid="audit.sign_in_failed")
    users = get_user_model()
    pre_save.connect(remember_user, sender=users, dispatch_uid="audit.user_before")
    post_save.connect(note_user, sender=users, dispatch_uid="audit.user")
    post_delete.connect(note_user_deleted, sender=users, dispatch_uid="audit.user_deleted")
    pre_save.connect(remember_role, sender=Account, dispatch_uid="audit.role_before")
    post_save.connect(note_role, sender=Account, dispatch_uid="audit.role")
    m2m_changed.connect(note_groups, sender=users.groups.through, dispatch_uid="audit.groups")
    post_save.connect(note_admin_action, sender=LogEntry, dispatch_uid="audit.admin")


def note_sign_in(sender: Any, user: Any, **kwargs: Any) -> None:
    """Somebody has signed in."""
    record(action=Action.SIGN_IN, actor=user)


def note_sign_out(sender: Any, user: Any, **kwargs: Any) -> None:
    """Somebody has signed out; nobody, when the session was over already."""
    if user is not None:
        record(action=Action.SIGN_OUT, actor=user)


def note_failure(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Somebody was not let in. The password is not looked at: Django has starred it out, too."""
    field = get_user_model().USERNAME_FIELD
    name = credentials.get(field) or credentials.get("email") or ""
    note_failed_sign_in(request=request, name=str(name))


def remember_user(
    sender: Any, instance: Any, update_fields: Any = None, raw: bool = False, **kwargs: Any
) -> None:
    """Read what an account was like; not when only its last sign-in is written."""
    touched = update_fields is None or not set(WATCHED).isdisjoint(update_fields)
    before = None
    if instance.pk is not None and touched and not raw:
        before = sender.objects.filter(pk=instance.pk).values(*WATCHED).first()
    setattr(instance, BEFORE, before)


def note_user(sender: Any, instance: Any, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """An account was made, or something that matters has changed."""
    if raw:
        return
    if created:
        details: dict[str, Any] = {"change": "created"}
        details |= {name: True for name in ("is_staff", "is_superuser") if getattr(instance, name)}
        _note_account(instance, details)
        return
    before = instance.__dict__.pop(BEFORE, None) or {}
    changed = [name for name, value in before.items() if getattr(instance, name) != value]
    if changed:
        after = {name: getattr(instance, name) for name in changed}
        _note_account(
            instance, {"before": {name: before[name] for name in changed}, "after": after}
        )


def note_user_deleted(sender: Any, instance: Any, **kwargs: Any) -> None:
    """An account is gone, with everything that belonged to it."""
    _note_account(instance, {"change": "deleted"})


def remember_role(sender: Any, instance: Account, raw: bool = False, **kwargs: Any) -> None:
    """Read which role an account had; without a row it is that of a viewer."""
    stored = None if raw else Account.objects.filter(pk=instance.pk).values_list("role", flat=True)
    setattr(instance, BEFORE, (stored.first() if stored is not None else None))


def note_role(sender: Any, instance: Account, raw: bool = False, **kwargs: Any) -> None:
    """A role was given or taken."""
    before = instance.__dict__.pop(BEFORE, None) or Account.Role.VIEWER.value
    after = str(instance.role)
    if not raw and before != after:
        details = {"change": "role", "before": str(before), "after": after}
        _note_account(instance.user, details)


def note_groups(
    sender: Any, instance: Any, action: str, reverse: bool, pk_set: set[int] | None, **kwargs: Any
) -> None:
    """Somebody has entered or left groups: what is shared with them is seen by others now."""
    verb = {"post_add": "joined", "post_remove": "left", "pre_clear": "left"}.get(action)
    if verb is None:
        return
    if reverse:  # a group's members were changed
        members = get_user_model().objects.filter(groups=instance)
        if pk_set is not None:
            members = get_user_model().objects.filter(pk__in=pk_set)
        for member in members:
            _note_account(member, {"change": verb, "groups": [instance.name]})
        return
    groups = instance.groups.all() if pk_set is None else Group.objects.filter(pk__in=pk_set)
    names = sorted(groups.values_list("name", flat=True))
    if names:
        _note_account(instance, {"change": verb, "groups": names})


def note_admin_action(sender: Any, instance: LogEntry, created: bool, **kwargs: Any) -> None:
    """Something was changed or deleted in the administration."""
    if not created:
        return
    model = instance.content_type.model_class() if instance.content_type else None
    if model in (get_user_model(), Account):  # the receivers above tell more
        if instance.action_flag == CHANGE and "password" in _changed_fields(instance):
            _note_password(instance)
        return
    deleted = instance.action_flag == DELETION
    write(
        action=Action.DELETED if deleted else Action.SETTINGS,
        actor=instance.user,
        object_type=model._meta.label_lower if model is not None else "",
        object_id=str(instance.object_id or ""),
        object_name=instance.object_repr,
        details={"in": "administration", "change": instance.get_change_message()[:500]},
    )


def _note_password(entry: LogEntry) -> None:
    user = get_user_model().objects.filter(pk=entry.object_id or 0).first()
    details = {"change": "set in the administration"}
    record(action=Action.PASSWORD, actor=entry.user, obj=user, owner=user, details=details)


def _note_account(user: Any, details: dict[str, Any]) -> None:
    record(action=Action.ACCOUNT, actor=current_user(), obj=user, owner=user, details=details)


def _changed_fields(entry: LogEntry) -> set[str]:
    try:
        changes = json.loads(entry.change_message or "[]")
    except ValueError:  # a plain sentence
        return set()
    fields = [change.get("changed", {}).get("fields", []) for change in changes]
    return {str(name).lower() for names in fields for name in names}
