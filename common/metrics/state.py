"""What the database knows: jobs, queues, workers. Read when somebody asks, three queries."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from django.db import DatabaseError, InterfaceError
from django.db.models import Count
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from common.jobs.models import Job
from common.jobs.selectors import list_queues, list_workers
from common.metrics.work import families

logger = logging.getLogger(__name__)

WORKER_STATES = ("alive", "starting", "silent", "gone", "stopped")


class StateCollector(Collector):
    """Asks the database at each scrape; one that is away is said to be, and the rest is told."""

    def describe(self) -> Iterable[Metric]:
        """Say nothing beforehand: to register is not to ask."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield all families."""
        try:
            metrics = [*_jobs(), *_queues(), *_workers()]
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The metrics lack what the database knows: %s", error)
            metrics = []
        yield GaugeMetricFamily(
            "sightline_database_up", "Whether the database answered.", value=float(bool(metrics))
        )
        yield from metrics or families({})


state_registry = CollectorRegistry()
state_registry.register(StateCollector())


def count_jobs() -> dict[tuple[str, str], int]:
    """Return how many jobs there are of each kind in each state; one query, from an index."""
    rows = Job.objects.order_by().values_list("kind", "state").annotate(Count("kind"))
    return {(kind, state): number for kind, state, number in rows}


def _jobs() -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "sightline_jobs", "Jobs by kind and state.", labels=["kind", "state"]
    )
    counts = count_jobs()
    for kind in sorted({kind for kind, _ in counts}):
        for state in Job.State.values:
            family.add_metric([kind, state], counts.get((kind, state), 0))
    yield family


def _queues() -> Iterator[Metric]:
    waiting = GaugeMetricFamily(
        "sightline_queue_jobs", "Jobs that wait, by queue.", labels=["queue"]
    )
    oldest = GaugeMetricFamily(
        "sightline_queue_oldest_seconds", "Age of the oldest job that waits.", labels=["queue"]
    )
    for queue in list_queues():
        waiting.add_metric([queue.name], queue.queued)
        oldest.add_metric([queue.name], queue.oldest_seconds or 0.0)
    yield waiting
    yield oldest


def _workers() -> Iterator[Metric]:
    workers = list_workers()
    family = GaugeMetricFamily(
        "sightline_workers", "Worker processes by what is known of them.", labels=["state"]
    )
    for state in WORKER_STATES:
        family.add_metric([state], sum(worker.state == state for worker in workers))
    yield family
    # The last numbers of a process that has gone say nothing about now.
    yield from families({worker.name: worker.info for worker in workers if worker.is_alive})
