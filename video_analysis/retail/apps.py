"""Visits: who came to which area, from when to when."""

from importlib import import_module

from django.apps import AppConfig


class RetailConfig(AppConfig):
    name = "video_analysis.retail"
    label = "retail"
    verbose_name = "Visits"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the rules and panels, and listen to sightings and to changes of people."""
        import_module("video_analysis.retail.rules")
        import_module("video_analysis.retail.people_data")
        import_module("video_analysis.retail.listening")
        import_module("video_analysis.retail.person_panels")
