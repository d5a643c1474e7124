"""Sessions over uploaded pictures and the objects found in them."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import pre_delete


class DetectorConfig(AppConfig):
    name = "detector"
    label = "detector"
    verbose_name = "Detection"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other layers look up: rules, job handlers, results, receivers."""
        import_module("detector.rules")
        import_module("detector.tasks")
        import_module("detector.analytics.tasks")
        import_module("detector.retention")
        pre_delete.connect(
            import_module("detector.services.sharing").hold_doomed_group,
            sender="auth.Group",
            dispatch_uid="detector.hold_doomed_group",
        )
