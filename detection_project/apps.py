from contextlib import suppress
from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class DetectionProjectConfig(AppConfig):
    """Installed for its management commands: serve, web, worker, beat, setup."""

    name = "detection_project"
    verbose_name = "Sightline"
    default = True

    def ready(self) -> None:
        import_module("detection_project.checks")
        with suppress(OSError):  # a check says so when the folder cannot be written
            import_module("common.storage.work").make_work_root()
        import_module("common.jobs.workers").register_info(
            import_module("common.inference.workers").describe_process
        )


class SightlineAdminConfig(admin.AdminConfig):
    """Django's admin with a door of our own."""

    default = False
    default_site = "detection_project.admin_site.SightlineAdminSite"
