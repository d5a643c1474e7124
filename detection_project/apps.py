from django.apps import AppConfig


class DetectionProjectConfig(AppConfig):
    """Installed for its management commands: serve, runserver, setup."""

    name = "detection_project"
    verbose_name = "Sightline"
