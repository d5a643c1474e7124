from importlib import import_module

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """One Django app for the small packages of `common`."""

    name = "common"
    label = "common"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the permission rules and the API's schema extensions."""
        import_module("common.rules")
        import_module("common.api.schema")
