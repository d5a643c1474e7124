"""What is known about an account beyond Django's user."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Account(models.Model):
    """The role of a user. A user without this row is a viewer."""

    class Role(models.TextChoices):
        """Administrators run the installation, operators work, viewers look."""

        ADMINISTRATOR = "administrator", "Administrator"
        OPERATOR = "operator", "Operator"
        VIEWER = "viewer", "Viewer"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="account"
    )
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"


class TokenDetails(models.Model):
    """What a token is for and what it may do; the token itself is knox's, which keeps a hash."""

    class Scope(models.TextChoices):
        """What programs may do with a token."""

        READ = "read", "Read"
        WRITE = "write", "Read and write"

    token = models.OneToOneField(
        settings.KNOX_TOKEN_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="details",
    )
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.READ)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "token details"
        verbose_name_plural = "token details"

    def __str__(self) -> str:
        return self.name
