"""Analyses of uploaded videos: tracks, motion, activities."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_delete, pre_delete

from common.storage.registry import KeptFiles, register_files


class VideoAnalysisConfig(AppConfig):
    name = "video_analysis"
    label = "video_analysis"
    verbose_name = "Videos"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the job's handler, the pages of video sessions, and signal receivers."""
        import_module("video_analysis.tasks")
        import_module("video_analysis.kinds")
        import_module("video_analysis.rules")
        import_module("video_analysis.services.live.metrics")
        import_module("video_analysis.services.camera_remains")
        import_module("video_analysis.services.recognising.answers")
        import_module("video_analysis.services.people_data")
        events = self.get_model("CameraEvent")._meta.db_table
        register_files(KeptFiles(events, "picture", "events"))
        post_delete.connect(
            import_module("video_analysis.services.files").delete_files_of,
            sender=self.get_model("VideoAnalysis"),
            dispatch_uid="delete files of analysis",
        )
        asking = import_module("video_analysis.services.recognising.asking")
        for sender, receiver in (
            (self.get_model("VideoAnalysis"), asking.forget_reviews_of_video),
            (asking.Camera, asking.forget_reviews_of_camera),
        ):
            # Before the sightings, by which they are found.
            pre_delete.connect(receiver, sender=sender, dispatch_uid="delete what is asked")
