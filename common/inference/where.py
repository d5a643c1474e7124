"""Who answers: this process's own engine, or the workers."""

from typing import Any

from django.conf import settings

from common.inference.engine import get_engine
from common.inference.errors import InferenceUnavailable
from common.inference.workers import describe_models, list_workers


def needs_engine() -> bool:
    """Tell whether this process answers requests with an engine of its own.

    A web process for which it does not must not load or warm up a model. Worker processes have an
    engine in either case.
    """
    return str(settings.INFERENCE) == "local"


def loaded_models() -> dict[str, dict[str, Any]]:
    """Return what answers for each model that has been asked for; loads nothing.

    Returns:
        By the name that is asked for: model, backend, device, precision, fallback, reason. Where
        workers answer, what they said last; nothing while the queue cannot be reached.
    """
    if needs_engine():
        return {info["requested"]: info for info in describe_models(get_engine())}
    try:
        workers = list_workers()
    except InferenceUnavailable:
        return {}
    return {info["requested"]: info for worker in workers for info in worker.models}
