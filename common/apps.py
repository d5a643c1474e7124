from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_delete


class CommonConfig(AppConfig):
    """One Django app for the small packages of `common`."""

    name = "common"
    label = "common"
    verbose_name = "Operation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register permission rules, the API's schema extensions, and signal receivers."""
        import_module("common.rules")
        import_module("common.storage.tasks")
        import_module("common.accounts.checks")
        import_module("common.accounts.rules")
        import_module("common.accounts.receivers").connect()
        import_module("common.audit.receivers").connect()
        import_module("common.jobs.workers").register_info(
            import_module("common.metrics.work").snapshot
        )
        import_module("common.api.schema")
        import_module("common.api.authentication").forget_on_changes()
        post_delete.connect(
            import_module("common.uploads.services").discard_files_of,
            sender=self.get_model("Upload"),
            dispatch_uid="discard files of upload",
        )
        post_delete.connect(
            import_module("common.uploads.services").discard_derived_file,
            sender=self.get_model("DerivedFile"),
            dispatch_uid="discard derived file",
        )
