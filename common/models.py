"""Models of the app `common`; each lives in the package of its subject."""

from common.accounts.models import Account, TokenDetails
from common.audit.models import AuditEntry
from common.jobs.models import Job
from common.jobs.workers import Worker
from common.storage.models import RetentionPolicy
from common.uploads.derived import DerivedFile
from common.uploads.models import Upload

__all__ = [
    "Account",
    "AuditEntry",
    "DerivedFile",
    "Job",
    "RetentionPolicy",
    "TokenDetails",
    "Upload",
    "Worker",
]
