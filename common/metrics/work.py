"""What this process does as a worker, and what other workers have told of themselves.

Every worker writes a snapshot of its numbers into its row with each sign of life, so that any web
process can tell Prometheus about all of them. A number carries its worker's name: it starts at
nothing with a new process, as Prometheus expects of a counter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isinf
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from prometheus_client import Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, HistogramMetricFamily, Metric

from common.jobs.identity import process_name
from common.jobs.models import Job
from common.metrics.memory import resident_bytes
from common.metrics.registry import (
    batch_pictures,
    inference_seconds,
    job_queue_seconds,
    job_run_seconds,
)

if TYPE_CHECKING:
    from vision.engine.config import Batch

HISTOGRAMS = {
    "job_queue": job_queue_seconds,
    "job_run": job_run_seconds,
    "inference": inference_seconds,
    "batch": batch_pictures,
}


def observe_batch(batch: Batch) -> None:
    """Count a batch that the engine has computed."""
    inference_seconds.labels(batch.model).observe(batch.seconds)
    batch_pictures.labels(batch.model).observe(batch.pictures)


def observe_wait(job: Job) -> None:
    """Count how long a job waited, at its first attempt."""
    if job.attempt == 1 and job.started_at is not None:
        waited = (job.started_at - job.queued_at) / dt.timedelta(seconds=1)
        job_queue_seconds.labels(job.kind).observe(max(0.0, waited))


def observe_attempt(job: Job, outcome: Mapping[str, Any] | None) -> None:
    """Count an attempt by how it ended; None for one that lost the job to another."""
    state = str(outcome["state"]) if outcome is not None else "lost"
    label = "given_back" if state == Job.State.QUEUED else state
    seconds = (timezone.now() - (job.started_at or timezone.now())) / dt.timedelta(seconds=1)
    job_run_seconds.labels(job.kind, label).observe(max(0.0, seconds))


def snapshot() -> dict[str, Any]:
    """Return the numbers of this process as small JSON, for its row."""
    numbers = {name: list(_children(histogram)) for name, histogram in HISTOGRAMS.items()}
    return {
        "memory_bytes": resident_bytes(),
        "metrics": {name: children for name, children in numbers.items() if children},
    }


def families(infos: Mapping[str, Mapping[str, Any]]) -> Iterator[Metric]:
    """Return the numbers of this process and of others as Prometheus' families.

    Args:
        infos: The snapshots of other processes, by their names.
    """
    everyone = {**infos, process_name(): snapshot()}
    memory = GaugeMetricFamily(
        "sightline_worker_memory_bytes", "Memory that a worker holds.", labels=["worker"]
    )
    for worker, info in everyone.items():
        if isinstance(info.get("memory_bytes"), int):
            memory.add_metric([worker], info["memory_bytes"])
    yield memory
    for name, histogram in HISTOGRAMS.items():
        yield _family(name, histogram, everyone)


def _children(histogram: Histogram) -> Iterator[list[Any]]:
    """Yield [labels, cumulative count per bucket, sum] for each combination of labels."""
    buckets: dict[tuple[str, ...], list[float]] = {}
    sums: dict[tuple[str, ...], float] = {}
    for metric in histogram.collect():
        for sample in metric.samples:
            labels = tuple(value for key, value in sample.labels.items() if key != "le")
            if sample.name.endswith("_bucket"):
                buckets.setdefault(labels, []).append(sample.value)
            elif sample.name.endswith("_sum"):
                sums[labels] = sample.value
    for labels, counts in buckets.items():
        yield [list(labels), [int(count) for count in counts], round(sums[labels], 6)]


def _family(
    name: str, histogram: Histogram, infos: Mapping[str, Mapping[str, Any]]
) -> HistogramMetricFamily:
    (described,) = histogram.describe()
    label_names: Sequence[str] = histogram._labelnames
    bounds = ["+Inf" if isinf(bound) else str(float(bound)) for bound in histogram._upper_bounds]
    family = HistogramMetricFamily(
        described.name, described.documentation, labels=[*label_names, "worker"]
    )
    for worker, info in infos.items():
        for labels, counts, total in _well_formed(info, name, len(label_names), len(bounds)):
            pairs = list(zip(bounds, counts, strict=True))
            family.add_metric([*labels, worker], buckets=pairs, sum_value=total)
    return family


def _well_formed(
    info: Mapping[str, Any], name: str, labels: int, buckets: int
) -> Iterable[tuple[list[str], list[int], float]]:
    """Leave out what a worker of another version has told in another shape."""
    metrics = info.get("metrics")
    told = metrics.get(name, ()) if isinstance(metrics, Mapping) else ()
    for entry in told:
        match entry:
            case [list(values), list(counts), int() | float() as total] if (
                len(values) == labels and len(counts) == buckets
            ):
                yield [str(value) for value in values], counts, total
