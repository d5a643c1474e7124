"""How long things are kept."""

from django.db import models
from django.utils import timezone


class RetentionPolicy(models.Model):
    """Days after which pictures and results go; empty keeps them. One row, with the key 1.

    Pictures may go earlier than what was found in them: counts stay, faces do not.
    """

    picture_days = models.PositiveIntegerField(null=True, blank=True)
    result_days = models.PositiveIntegerField(null=True, blank=True)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    last_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_run = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        verbose_name = "retention policy"
        verbose_name_plural = "retention policy"
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="retention_policy_single")
        ]

    def __str__(self) -> str:
        return "Retention policy"
