"""Models of the app `common`; each lives in the package of its subject."""

from common.jobs.models import Job
from common.uploads.models import Upload

__all__ = ["Job", "Upload"]
