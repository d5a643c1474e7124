"""Pictures: where they are stored, how large they may be."""

from detection_project.settings.folders import DATA_DIR

MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/no-public-media/"  # files are addressed by the object that owns them, never by path
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
