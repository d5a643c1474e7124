"""Wiring: settings, URLs, ASGI, the Celery app and the commands that start the process."""

from detection_project.celery import app as celery_app

__all__ = ["celery_app"]
