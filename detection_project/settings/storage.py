"""Pictures: where they are stored, how much room must stay."""

from typing import Any

from detection_project.settings import env
from detection_project.settings.folders import DATA_DIR

MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/no-public-media/"  # files are addressed by the object that owns them, never by path
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
# With less than this on the disk nothing new is stored; looking and deleting go on.
SIGHTLINE_MIN_FREE_BYTES = env.whole("SIGHTLINE_MIN_FREE_BYTES", 512 * 1024 * 1024, minimum=0)

# Pictures in a bucket, when one is named: S3 itself, MinIO, Ceph, Garage, …
_bucket = env.text("SIGHTLINE_S3_BUCKET")
MEDIA_STORAGE: dict[str, Any] = (
    {
        "BACKEND": "common.storage.s3.PrivateS3Storage",
        "OPTIONS": {
            "bucket_name": _bucket,
            "endpoint_url": env.text("SIGHTLINE_S3_ENDPOINT") or None,
            "region_name": env.text("SIGHTLINE_S3_REGION") or None,
            # Without keys: those of the machine's role, as every tool of AWS finds them.
            "access_key": env.text("SIGHTLINE_S3_ACCESS_KEY") or None,
            "secret_key": env.text("SIGHTLINE_S3_SECRET_KEY") or None,
            "location": env.text("SIGHTLINE_S3_PREFIX").strip("/"),
        },
    }
    if _bucket
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"}
)
