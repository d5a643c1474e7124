"""Pictures and videos in the style of others."""

from django.apps import AppConfig


class StyletransferConfig(AppConfig):
    name = "styletransfer"
    label = "styletransfer"
    verbose_name = "Style transfer"
    default_auto_field = "django.db.models.BigAutoField"
