"""Deleting a camera: nothing that it has seen stays, and nobody has to wait for that."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from tests.integration.conftest import make_user
from tests.integration.video_analysis.camera_rows import make_camera, make_zone
from video_analysis.cameras import cleaning, services
from video_analysis.cameras.models import Camera
from video_analysis.cameras.services import noting
from video_analysis.models import CameraChunk, CameraEvent, CameraTrack
from video_analysis.services import camera_remains

pytestmark = pytest.mark.django_db

_numbers = count(1)


@pytest.fixture
def admin() -> Any:
    return make_user("anna", "administrator")


@pytest.fixture(autouse=True)
def _pictures(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def add_event(camera: Camera) -> str:
    """Record an event; return the name of its picture."""
    now = timezone.now()
    event = CameraEvent(sequence=next(_numbers), kind="entry", camera=camera, start=now, end=now)
    event.picture.save("", ContentFile(b"jpeg"), save=False)
    event.save()
    return str(event.picture.name)


def add_tracks(camera: Camera, number: int) -> None:
    times = {"start": timezone.now(), "end": timezone.now() + timedelta(seconds=1), "points": 1}
    chunk = CameraChunk.objects.create(camera=camera, width=64, height=48, data=b"", **times)
    for position in range(number):
        CameraTrack.objects.create(
            camera=camera, chunk=chunk, position=position, number=position, class_name="person",
            confidence=0.5, **times,
        )  # fmt: skip


def test_all_that_a_camera_has_seen_goes_with_it(
    admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_remains, "BATCH", 2)
    doomed, other = make_camera(admin), make_camera(admin, "Yard")
    make_zone(admin, doomed)
    pictures = [add_event(doomed) for _ in range(5)]
    add_tracks(doomed, 3)
    kept = add_event(other)
    add_tracks(other, 1)
    services.delete_camera(actor=admin, camera=doomed)
    assert not any(default_storage.exists(name) for name in pictures)
    assert default_storage.exists(kept)
    for rows in (CameraEvent, CameraTrack, CameraChunk):
        assert set(rows.objects.values_list("camera", flat=True)) == {other.pk}
    assert list(Camera.objects.all()) == [other]


@pytest.mark.django_db(transaction=True)
def test_it_is_switched_off_first_and_never_one_long_transaction(
    admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_remains, "BATCH", 2)
    told: list[bool] = []
    monkeypatch.setattr(
        noting, "announce_configuration",
        lambda: told.append(Camera.objects.filter(enabled=True).exists()),
    )  # fmt: skip
    camera = make_camera(admin)
    told.clear()
    for _ in range(5):
        add_event(camera)
    seen: list[tuple[bool, bool, int]] = []
    remove = camera_remains.remove_events

    def watch(camera_id: int) -> int:
        enabled = Camera.objects.get(pk=camera_id).enabled
        seen.append((enabled, connection.in_atomic_block, CameraEvent.objects.count()))
        return remove(camera_id)

    monkeypatch.setitem(cleaning._cleaners, "events", watch)
    services.delete_camera(actor=admin, camera=camera)
    # At last once more, while the row is held.
    assert seen == [
        (False, False, 5), (False, False, 3), (False, False, 1), (False, False, 0), (False, True, 0)
    ]  # fmt: skip
    assert told == [False, False]


@pytest.mark.django_db(transaction=True)
def test_an_interrupted_deletion_can_be_repeated(
    admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_remains, "BATCH", 1)
    camera = make_camera(admin)
    pictures = [add_event(camera) for _ in range(3)]
    remove, calls = camera_remains.remove_events, count()

    def interrupted(camera_id: int) -> int:
        if next(calls) == 1:
            raise ConnectionError
        return remove(camera_id)

    monkeypatch.setitem(cleaning._cleaners, "events", interrupted)
    with pytest.raises(ConnectionError):
        services.delete_camera(actor=admin, camera=camera)
    assert not Camera.objects.get().enabled
    assert sum(default_storage.exists(name) for name in pictures) == 2
    services.delete_camera(actor=admin, camera=camera)
    assert not Camera.objects.exists()
    assert not any(default_storage.exists(name) for name in pictures)
