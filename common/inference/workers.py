"""Which workers answer pictures: each gives a sign every second."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgpack
from django.conf import settings

from common.inference.engine import existing_engine
from common.inference.queue import InferenceQueue, get_queue

if TYPE_CHECKING:
    from vision.engine import Engine

SIGN_SECONDS = 1.0
SILENT_SECONDS = 6.0
"""A worker that has given no sign for so long counts as dead."""


@dataclass(frozen=True, slots=True)
class WorkerSign:
    """What a worker says of itself.

    Attributes:
        name: See `common.jobs.identity.process_name`.
        threads: Pictures that it works on at once.
        answered: Pictures that it has answered since its start.
        models: What answers for each model that it has loaded; see `describe_models`.
    """

    name: str
    threads: int
    answered: int
    models: list[dict[str, Any]]


def list_workers() -> list[WorkerSign]:
    """Return the workers that have given a sign within the last seconds.

    Raises:
        InferenceUnavailable: ``queue_unavailable``.
    """
    signs = get_queue(settings.REDIS_URL).signs()
    return [WorkerSign(name=name, **msgpack.unpackb(sign)) for name, sign in signs.items()]


def give_sign(queue: InferenceQueue, sign: WorkerSign) -> None:
    """Say that a worker is there.

    Raises:
        InferenceUnavailable: ``queue_unavailable``.
    """
    message = {"threads": sign.threads, "answered": sign.answered, "models": sign.models}
    queue.give_sign(sign.name, msgpack.packb(message), seconds=SILENT_SECONDS)


def describe_models(engine: "Engine") -> list[dict[str, Any]]:
    """Return what an engine says of the models that it has loaded, without their classes."""
    return [
        {
            "requested": info.requested,
            "model": info.model,
            "backend": info.backend,
            "device": info.device,
            "precision": info.precision,
            "fallback": info.fallback,
            "reason": info.reason,
        }
        for info in engine.loaded()
    ]


def describe_process() -> dict[str, Any]:
    """Return what a worker's row tells of its models; makes no engine."""
    engine = existing_engine()
    return {"models": describe_models(engine) if engine is not None else []}
