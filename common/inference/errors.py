"""Why the workers cannot answer just now."""

from common.errors import ServiceError


class InferenceUnavailable(ServiceError):  # noqa: N818 - the name says what happened
    """Nothing is wrong with the picture: asking again a little later may help.

    Args:
        code: ``queue_unavailable``, ``busy`` or ``no_worker_answered``.
        message: One sentence for a person.
        retry_after: Seconds after which asking again makes sense.
    """

    def __init__(self, code: str, message: str, *, retry_after: float) -> None:
        super().__init__(code, message, status=503, retry_after=retry_after)


def queue_unavailable() -> InferenceUnavailable:
    """Return what a caller gets while Redis is away."""
    return InferenceUnavailable(
        "queue_unavailable", "The queue to the workers cannot be reached.", retry_after=5
    )


def busy() -> InferenceUnavailable:
    """Return what a caller gets who would be one too many."""
    return InferenceUnavailable(
        "busy", "Too many pictures wait for the workers already.", retry_after=5
    )


def no_worker_answered(seconds: float) -> InferenceUnavailable:
    """Return what a caller gets who has waited in vain."""
    return InferenceUnavailable(
        "no_worker_answered", f"No worker answered within {seconds:g} seconds.", retry_after=10
    )
