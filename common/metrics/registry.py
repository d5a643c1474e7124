"""The numbers that this process counts.

Requests, sockets and refused files are told by each web process for itself. What workers do
(jobs, batches) is told for all processes by whoever is asked: see `common.metrics.work`.
"""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.process_collector import ProcessCollector

# A series per series, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]
registry = CollectorRegistry()
ProcessCollector(registry=registry)

requests = Counter(
    "sightline_requests", "Requests answered.", ["method", "route", "status"], registry=registry
)
request_seconds = Histogram(
    "sightline_request_seconds",
    "Time from the first middleware to the answer's first byte.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=registry,
)
uploads_refused = Counter(
    "sightline_uploads_refused",
    "Files that were not taken, by reason.",
    ["code"],
    registry=registry,
)
websockets = Gauge("sightline_websockets", "WebSockets open now.", registry=registry)

# Of this process in its role as a worker: not in `registry`, which has one process only.
WORK_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600)
INFERENCE_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56)
work_registry = CollectorRegistry()
job_queue_seconds = Histogram(
    "sightline_job_queue_seconds",
    "Time a job waited for its first attempt.",
    ["kind"],
    buckets=WORK_SECONDS,
    registry=work_registry,
)
job_run_seconds = Histogram(
    "sightline_job_run_seconds",
    "Time of one attempt at a job, by how it ended.",
    ["kind", "outcome"],
    buckets=WORK_SECONDS,
    registry=work_registry,
)
inference_seconds = Histogram(
    "sightline_inference_seconds",
    "Time the network took for one batch.",
    ["model"],
    buckets=INFERENCE_SECONDS,
    registry=work_registry,
)
batch_pictures = Histogram(
    "sightline_inference_batch_pictures",
    "Pictures per batch; the sum is all pictures.",
    ["model"],
    buckets=(1, 2, 4, 8, 16, 32),
    registry=work_registry,
)
