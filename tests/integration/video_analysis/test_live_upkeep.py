"""What goes with time, what Prometheus reads, and the health check."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone
from prometheus_client import generate_latest

from common.jobs.identity import HOST, process_name
from common.metrics.state import state_registry
from tests.integration import plans
from tests.integration.video_analysis.live_fakes import make_camera
from video_analysis.cameras.models import Camera
from video_analysis.models import (
    CameraChunk,
    CameraEvent,
    CameraRunner,
    CameraState,
    CameraTrack,
)
from video_analysis.services.live import retention
from video_analysis.services.live.retention import remove_old, remove_old_if_due

pytestmark = pytest.mark.django_db


def make_old(camera: Camera, number: int, start: datetime) -> CameraEvent:
    """Store an event with its picture, and a track in a chunk."""
    row = CameraEvent(camera=camera, sequence=number, kind="entry", start=start, end=start)
    row.picture.save("x.jpg", ContentFile(b"jpeg"), save=False)
    row.save()
    chunk = CameraChunk.objects.create(
        camera=camera, start=start, end=start, width=1, height=1, points=0, data=b""
    )
    CameraTrack.objects.create(
        **{"id": uuid.uuid4(), "camera": camera, "chunk": chunk, "position": 0, "number": 1},
        **{"start": start, "end": start, "points": 1, "confidence": 0.5},
    )
    return row


# ---------------------------------------------------------------- retention
def test_what_is_too_old_goes_with_its_pictures(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    settings.SIGHTLINE_EVENT_DAYS = 10
    camera, now = make_camera(), timezone.now()
    old = [make_old(camera, number, now - timedelta(days=12)) for number in range(1, 8)]
    kept = make_old(camera, 20, now - timedelta(days=9))
    stray = f"events/{now - timedelta(days=15):%Y/%m/%d}/stray.jpg"
    default_storage.save(stray, ContentFile(b"of a process that was killed"))
    assert remove_old_if_due() == 21
    assert list(CameraEvent.objects.all()) == [kept]
    assert CameraTrack.objects.count() == CameraChunk.objects.count() == 1
    assert default_storage.exists(kept.picture.name)
    assert not any(default_storage.exists(row.picture.name) for row in old)
    assert not default_storage.exists(stray)
    assert remove_old_if_due() == 0  # not before an hour has gone


def test_a_round_is_short_and_the_next_goes_on(settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "ROUND_SECONDS", 0.0)
    camera, long_ago = make_camera(), timezone.now() - timedelta(days=99)
    for number in range(1, 6):
        make_old(camera, number, long_ago)
    rounds = 0
    while remove_old_if_due():
        rounds += 1
    assert rounds > 5
    assert not CameraEvent.objects.exists()
    assert not CameraChunk.objects.exists()


def test_a_slow_storage_does_not_draw_a_round_out(monkeypatch: pytest.MonkeyPatch) -> None:
    camera, now = make_camera(), timezone.now()
    for number in range(1, 6):
        make_old(camera, number, now - timedelta(days=20))
    asked: list[str] = []
    clock = [0.0]

    def slow(name: str) -> None:
        asked.append(name)
        clock[0] += 15.0

    with monkeypatch.context() as patch:
        patch.setattr(retention, "drop_picture", slow)
        patch.setattr(retention.time, "monotonic", lambda: clock[0])
        assert remove_old(before=now, seconds=5.0) == (5, True)
        assert len(asked) == 1
    _, left = remove_old(before=now, seconds=60.0)
    assert not left
    assert not default_storage.exists(asked[0])


@pytest.mark.parametrize("model", [CameraTrack, CameraChunk], ids=["tracks", "trajectories"])
def test_the_oldest_are_found_along_an_index(model: Any) -> None:
    camera, now = make_camera(), timezone.now()
    chunks = CameraChunk.objects.bulk_create(
        CameraChunk(camera=camera, start=end, end=end, width=1, height=1, points=0, data=b"")
        for end in (now - timedelta(minutes=number) for number in range(500))
    )
    CameraTrack.objects.bulk_create(
        CameraTrack(
            **{"camera": camera, "chunk": chunk, "position": 0, "number": 1, "points": 1},
            **{"start": chunk.start, "end": chunk.end, "confidence": 0.5},
        )
        for chunk in chunks
    )
    plans.analyze()
    plans.prefer_indexes()
    before = now - timedelta(minutes=400)
    rows = model.objects.filter(end__lt=before).order_by("end").values_list("pk")[:200]
    plan = plans.explain(rows)
    assert model._meta.indexes[-1].name in plan
    assert not plans.scans(plan, model._meta.db_table)
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def test_nothing_goes_where_all_is_kept(settings: Any) -> None:
    settings.SIGHTLINE_EVENT_DAYS = 0
    make_old(make_camera(), 1, timezone.now() - timedelta(days=9999))
    assert remove_old_if_due() == 0
    assert CameraEvent.objects.exists()


def test_nothing_there_nothing_gone() -> None:
    assert remove_old(before=timezone.now(), seconds=1.0) == (0, False)


# ---------------------------------------------------------------- numbers
def test_prometheus_reads_how_cameras_go() -> None:
    now = timezone.now()
    figures = {
        "fps": {"in": 12.0, "processed": 10.5, "gated": 1.5, "dropped": 0.0},
        "age_ms": {"p50": 60, "p95": 90, "newest": 45},
        "ms": {"detect": 20.0},
    }
    told = {"runner": "me", "state": "live", "figures": figures}
    CameraState.objects.create(camera=make_camera("Door"), updated_at=now, **told)
    stale = now - timedelta(minutes=5)
    CameraState.objects.create(camera=make_camera("Old"), updated_at=stale, **told)
    text = generate_latest(state_registry).decode()
    assert 'sightline_camera_fps{camera="Door",fate="processed"} 10.5' in text
    assert 'sightline_camera_age_seconds{camera="Door",quantile="0.95"} 0.09' in text
    assert 'sightline_camera_stage_seconds{camera="Door",stage="detect"} 0.02' in text
    assert 'sightline_camera_state{camera="Door",state="live"} 1.0' in text
    assert 'sightline_camera_state{camera="Door",state="lost"} 0.0' in text
    assert 'fps{camera="Old"' not in text


def test_prometheus_reads_of_no_cameras() -> None:
    assert "sightline_camera_fps{" not in generate_latest(state_registry).decode()


# ---------------------------------------------------------------- health
@pytest.mark.parametrize(
    ("name", "age", "healthy"),
    [
        pytest.param(process_name(), 5, True, id="alive"),
        pytest.param(f"{HOST}:1:elsewhere-1", 100, False, id="silent"),
        pytest.param("another-host:1:x-1", 1, False, id="another machine's"),
    ],
)
def test_the_health_check(name: str, age: int, healthy: bool) -> None:
    CameraRunner.objects.create(name=name, seen_at=timezone.now() - timedelta(seconds=age))
    if healthy:
        call_command("run_cameras", "--check")
        return
    with pytest.raises(CommandError, match="No camera runner"):
        call_command("run_cameras", "--check")


def test_the_role_needs_redis(settings: Any) -> None:
    settings.REDIS_URL = ""
    with pytest.raises(CommandError, match="REDIS_URL"):
        call_command("run_cameras")
