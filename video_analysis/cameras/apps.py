"""The configuration of cameras."""

from importlib import import_module

from django.apps import AppConfig


class CamerasConfig(AppConfig):
    name = "video_analysis.cameras"
    label = "cameras"
    verbose_name = "Cameras"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register who may see and change cameras, and what is checked before the start."""
        import_module("video_analysis.cameras.rules")
        import_module("video_analysis.cameras.checks")
