"""Pictures and videos in the style of others."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate

from common.storage.registry import KeptFiles, register_files


class StyletransferConfig(AppConfig):
    name = "styletransfer"
    label = "styletransfer"
    verbose_name = "Style transfer"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other layers look up: rules, job handlers, files, results, receivers."""
        import_module("styletransfer.rules")
        import_module("styletransfer.tasks")
        import_module("styletransfer.retention")
        style = self.get_model("Style")
        for column, folder in (("picture", "styles"), ("thumbnail", "style-thumbnails")):
            register_files(KeptFiles(style._meta.db_table, column, folder, swept=True))
        post_delete.connect(
            import_module("styletransfer.services.pictures").discard_pictures_of,
            sender=style,
            dispatch_uid="styletransfer.pictures",
        )
        post_migrate.connect(
            import_module("styletransfer.services.built_in").install_styles,
            sender=self,
            dispatch_uid="styletransfer.install",
        )
