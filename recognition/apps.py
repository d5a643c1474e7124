"""People who are known by their faces: profiles, samples, consent, matching."""

from importlib import import_module

from django.apps import AppConfig


class RecognitionConfig(AppConfig):
    name = "recognition"
    label = "recognition"
    verbose_name = "People"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the permission rules."""
        import_module("recognition.rules")
