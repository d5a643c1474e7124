"""Visits: who came to which area, from when to when."""

from importlib import import_module

from django.apps import AppConfig


class RetailConfig(AppConfig):
    name = "video_analysis.retail"
    label = "retail"
    verbose_name = "Visits"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the permission rules."""
        import_module("video_analysis.retail.rules")
