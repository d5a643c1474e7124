"""One line of the audit log."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils import timezone


class AppendOnlyError(Exception):
    """Somebody tried to change or delete a line of the log."""


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Lines can be added and read, nothing else; triggers in the database hold that too."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("The audit log is append-only.")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("The audit log is append-only.")

    def bulk_update(self, objs: Any, fields: Any, batch_size: int | None = None) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("The audit log is append-only.")


class AuditEntry(models.Model):
    """Who did what to whose object, when, and from where.

    Names and numbers are copied, not linked: a line outlives the account and the object.
    """

    class Action(models.TextChoices):
        """What is written down."""

        SIGN_IN = "sign_in", "Signed in"
        SIGN_IN_FAILED = "sign_in_failed", "Failed to sign in"
        SIGN_OUT = "sign_out", "Signed out"
        PASSWORD = "password", "Changed a password"
        ACCOUNT = "account", "Changed an account"
        TOKEN_CREATED = "token_created", "Made a token"
        TOKEN_REVOKED = "token_revoked", "Revoked a token"
        SHARED = "shared", "Changed who may see"
        VIEWED = "viewed", "Viewed somebody else's media"
        EXPORTED = "exported", "Exported"
        DELETED = "deleted", "Deleted"
        SETTINGS = "settings", "Changed settings"
        MAINTENANCE = "maintenance", "Maintenance"

    at = models.DateTimeField(default=timezone.now, editable=False)
    action = models.CharField(max_length=32, choices=Action.choices)
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor_name = models.CharField(max_length=150, blank=True, help_text="Empty: the system.")
    object_type = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_name = models.CharField(max_length=200, blank=True)
    owner_name = models.CharField(max_length=150, blank=True, help_text="Whose object it was.")
    address = models.CharField(max_length=45, blank=True)
    via = models.CharField(
        max_length=120, blank=True, help_text="browser, the token's name, or a command"
    )
    details = models.JSONField(default=dict, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit log"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["action", "-at", "-id"], name="audit_action_newest"),
            models.Index(fields=["actor_name", "-at", "-id"], name="audit_actor_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name or 'system'} {self.get_action_display().lower()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the line; one that exists is not changed.

        Raises:
            AppendOnlyError: It exists.
        """
        if not self._state.adding:
            raise AppendOnlyError("The audit log is append-only.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnlyError("The audit log is append-only.")
