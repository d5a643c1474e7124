"""How the cameras go, for Prometheus; read from their rows when somebody asks."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from common.metrics.state import state_registry
from video_analysis.models import CameraState

logger = logging.getLogger(__name__)

STALE_SECONDS = 15.0
"""Figures that nobody has written for so long say nothing about now."""
RATES = ("in", "processed", "gated", "dropped")
AGES = {"p50": "0.5", "p95": "0.95"}


class CameraCollector(Collector):
    """Asks the database at each scrape; one query."""

    def describe(self) -> Iterable[Metric]:
        """Say nothing beforehand: to register is not to ask."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield all families."""
        rate = GaugeMetricFamily(
            "sightline_camera_fps",
            "Frames a second of a camera, by fate.",
            labels=["camera", "fate"],
        )
        age = GaugeMetricFamily(
            "sightline_camera_age_seconds",
            "From capture to the end of processing, over the last seconds.",
            labels=["camera", "quantile"],
        )
        stage = GaugeMetricFamily(
            "sightline_camera_stage_seconds",
            "Mean time of a stage of a processed frame.",
            labels=["camera", "stage"],
        )
        state = GaugeMetricFamily(
            "sightline_camera_state", "1 for the state of a camera.", labels=["camera", "state"]
        )
        for row in _rows():
            name = row.camera.name
            for value in CameraState.State.values:
                state.add_metric([name, value], float(row.state == value))
            if not _is_fresh(row):
                continue
            told = row.figures
            for kind in RATES:
                rate.add_metric([name, kind], told.get("fps", {}).get(kind, 0.0))
            for key, quantile in AGES.items():
                age.add_metric([name, quantile], told.get("age_ms", {}).get(key, 0.0) / 1000)
            for key, value in told.get("ms", {}).items():
                stage.add_metric([name, key], value / 1000)
        yield from (state, rate, age, stage)


def _rows() -> list[CameraState]:
    rows = CameraState.objects.filter(camera__enabled=True).select_related("camera")
    try:
        return list(rows.order_by("camera__name"))
    except (DatabaseError, InterfaceError) as error:
        logger.warning("The metrics lack the cameras: %s", error)
        return []


def _is_fresh(row: CameraState) -> bool:
    if row.updated_at is None or not row.runner:
        return False
    return (timezone.now() - row.updated_at).total_seconds() < STALE_SECONDS


state_registry.register(CameraCollector())
