"""How a job can end before its time."""


class JobFailed(Exception):  # noqa: N818 - the name says what happened
    """Raised by a handler for a failure that a person can act on.

    Args:
        code: Stable machine code.
        message: One sentence that says what happened and what helps.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class JobStopped(Exception):  # noqa: N818
    """Base of what `checkpoint()` raises; a handler cleans up and lets it pass."""


class JobCancelled(JobStopped):
    """Somebody asked for the end of the job."""


class JobInterrupted(JobStopped):
    """The process is about to stop; the job goes back to the queue."""


class JobLost(JobStopped):
    """Another attempt owns the job now; nothing of this one may be written."""


class JobDeadlineExceeded(JobStopped):
    """The job took longer than its kind may."""


class JobConflict(Exception):  # noqa: N818
    """The job is not in a state in which that can be done."""
