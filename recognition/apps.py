"""People who are known by their faces: profiles, samples, consent, matching."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_delete

from common.people.journal import register_eraser
from common.storage.registry import KeptFiles, register_files


class RecognitionConfig(AppConfig):
    name = "recognition"
    label = "recognition"
    verbose_name = "People"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the permission rules and the job handler, and follow rows that are deleted."""
        import_module("recognition.rules")
        import_module("recognition.people_data")
        register_eraser(import_module("recognition.services.erasing").erase_again)
        for model, column, folder in (
            ("Profile", "photo", "people"),
            ("FaceSample", "crop", "faces"),
            ("FaceReview", "crop", "reviews"),
        ):
            table = self.get_model(model)._meta.db_table
            register_files(KeptFiles(table, column, folder, swept=True))
        import_module("recognition.tasks")
        files = import_module("recognition.services.files")
        for name in ("Profile", "FaceSample", "FaceReview"):
            post_delete.connect(
                files.discard_files_of,
                sender=self.get_model(name),
                dispatch_uid=f"recognition.files.{name}",
            )
        post_delete.connect(
            import_module("recognition.services.gallery").note_deleted_profile,
            sender=self.get_model("Profile"),
            dispatch_uid="recognition.gallery.Profile",
        )
