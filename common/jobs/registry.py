"""What to do for which kind of job. Handlers and observers register when their app is ready."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from common.jobs.context import JobContext
    from common.jobs.models import Job

logger = logging.getLogger(__name__)

Handler: TypeAlias = "Callable[[JobContext], None]"
Observer: TypeAlias = "Callable[[Job], None]"
HandlerT = TypeVar("HandlerT", bound=Handler)
ObserverT = TypeVar("ObserverT", bound=Observer)

DEFAULT_TIME_LIMIT = 600.0


@dataclass(frozen=True)
class Registration:
    """A handler and the seconds that one attempt may take."""

    handler: Handler
    time_limit: float


_handlers: dict[str, Registration] = {}
_retriers: dict[str, Observer] = {}
_observers: dict[str, list[Observer]] = {}


def job_handler(
    kind: str, *, time_limit: float = DEFAULT_TIME_LIMIT
) -> Callable[[HandlerT], HandlerT]:
    """Register the function that does the work of `kind`.

    The handler must be safe to run again: results are replaced, never added to.

    Args:
        kind: E.g. "detector.detect".
        time_limit: Seconds that one attempt may take; judged at checkpoints.

    Raises:
        ValueError: Another function has this kind.
    """

    def register(handler: HandlerT) -> HandlerT:
        known = _handlers.get(kind)
        if known is not None and known.handler is not handler:
            raise ValueError(f"Job kind {kind!r} has a handler already")
        _handlers[kind] = Registration(handler, time_limit)
        return handler

    return register


def job_observer(kind: str) -> Callable[[ObserverT], ObserverT]:
    """Register a function that is called after each change of state or progress of `kind`."""

    def register(observer: ObserverT) -> ObserverT:
        observers = _observers.setdefault(kind, [])
        if observer not in observers:
            observers.append(observer)
        return observer

    return register


def job_retrier(*kinds: str) -> Callable[[ObserverT], ObserverT]:
    """Register what tries a job of some kinds again: their app may know reasons against it."""

    def register(retrier: ObserverT) -> ObserverT:
        _retriers.update(dict.fromkeys(kinds, retrier))
        return retrier

    return register


def find_retrier(kind: str) -> "Observer | None":
    """Return what tries a job of `kind` again, or None where nothing special is known of it."""
    return _retriers.get(kind)


def find_handler(kind: str) -> Registration | None:
    """Return who does the work of `kind`, or None."""
    return _handlers.get(kind)


def notify(job: "Job") -> None:
    """Call the observers of a job; one that fails is logged and harms nothing."""
    for observer in _observers.get(job.kind, ()):
        try:
            observer(job)
        except Exception:
            logger.exception("An observer of %s failed", job)
