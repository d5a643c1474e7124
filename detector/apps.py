"""Sessions over uploaded pictures and the objects found in them."""

from importlib import import_module

from django.apps import AppConfig


class DetectorConfig(AppConfig):
    name = "detector"
    label = "detector"
    verbose_name = "Detection"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other layers look up by name: permission rules, job handlers, results."""
        import_module("detector.rules")
        import_module("detector.tasks")
        import_module("detector.analytics.tasks")
        import_module("detector.retention")
