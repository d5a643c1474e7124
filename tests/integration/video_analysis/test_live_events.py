"""What cameras have seen, on its way into the database."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.utils import timezone

from tests.integration.conftest import wait_until
from tests.integration.video_analysis.live_fakes import make_camera
from video_analysis.cameras.models import Camera, CountingLine, Zone
from video_analysis.models import (
    CameraChunk,
    CameraEvent,
    CameraState,
    CameraTrack,
    EventSequence,
)
from video_analysis.services.live import keeping, writer
from video_analysis.services.live.changes import (
    Change,
    ClosedEvents,
    EventChange,
    Release,
    TrackBatch,
    TrackRow,
)
from video_analysis.services.live.keeping import EventPictures
from video_analysis.services.live.storing import store_changes
from video_analysis.services.live.writer import LiveWriter
from vision.encoding.trajectories import pack_trajectories, unpack_trajectories
from vision.structures.trajectories import Trajectory

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
ME = "me"


@pytest.fixture
def camera(db: None) -> Camera:
    """A camera that is ours."""
    made = make_camera()
    CameraState.objects.create(camera=made, runner=ME)
    return made


def event(camera: Camera, **fields: Any) -> EventChange:
    given = {"kind": "dwell", "start": START, "end": None, "label": "person", "value": 3.0}
    return EventChange(id=uuid.uuid4(), camera_id=camera.pk, **{**given, **fields})


def again(change: EventChange, **fields: Any) -> EventChange:
    names = EventChange.__slots__
    return EventChange(**{**{name: getattr(change, name) for name in names}, **fields})


def store(*changes: Change, held: bool = False) -> int | None:
    pictures = EventPictures()
    return store_changes(
        changes, runner=ME, may_write=lambda camera, moment: held, pictures=pictures
    )


def tracks(camera: Camera, count: int = 2) -> TrackBatch:
    times = np.arange(5, dtype=np.float64)
    boxes = np.tile(np.array([1, 2, 30, 40], np.float32), (5, 1))
    sure, seen = np.full(5, 0.5, np.float32), np.ones(5, bool)
    paths = [
        Trajectory(number, 0, "person", times, boxes, sure, seen) for number in range(1, count + 1)
    ]
    end = START + timedelta(seconds=4)
    return TrackBatch(
        camera_id=camera.pk,
        start=START,
        end=end,
        width=160,
        height=120,
        points=5 * count,
        data=pack_trajectories(paths),
        tracks=[
            TrackRow(uuid.uuid4(), path.track_id, "person", START, end, 5, 0.5) for path in paths
        ],
    )


# ---------------------------------------------------------------- storing
def test_nothing_to_store_changes_nothing(camera: Camera) -> None:
    assert store() is None
    assert not EventSequence.objects.exists()


def test_each_change_has_the_next_number_in_order(camera: Camera) -> None:
    first, second = event(camera), event(camera, kind="occupancy")
    assert store(first, second) == 2
    assert store(again(first, value=9.0)) == 3
    assert store(again(second, end=START), event(camera)) == 5
    rows = CameraEvent.objects.order_by("sequence")
    assert [row.sequence for row in rows] == [3, 4, 5]
    assert [row.pk for row in rows][:2] == [first.id, second.id]
    assert EventSequence.objects.get().value == 5


def test_an_event_written_twice_is_one_row(camera: Camera) -> None:
    change = event(camera, jpeg=b"jpeg")
    store(change)
    before = CameraEvent.objects.get()
    store(again(change))
    row = CameraEvent.objects.get()
    assert (row.pk, row.value, row.picture.name) == (before.pk, 3.0, before.picture.name)
    assert default_storage.open(row.picture.name).read() == b"jpeg"


def test_changes_of_one_event_in_one_batch_are_one_row(camera: Camera) -> None:
    change = event(camera, jpeg=b"first")
    end = START + timedelta(seconds=5)
    store(change, again(change, value=4.0, jpeg=None), again(change, end=end, value=5.0, jpeg=None))
    row = CameraEvent.objects.get()
    assert (row.end, row.value, row.sequence) == (end, 5.0, 1)
    assert default_storage.exists(row.picture.name)


def test_zones_that_are_gone_leave_their_names(camera: Camera) -> None:
    zone = Zone.objects.create(camera=camera, name="Desk", polygon=[[0, 0], [1, 0], [1, 1]])
    line = CountingLine.objects.create(camera=camera, name="Door", points=[[0, 0], [1, 1]])
    change = event(camera, zone_id=zone.pk, line_id=line.pk, place="Desk")
    zone.delete()
    store(change)
    row = CameraEvent.objects.get()
    assert (row.zone_id, row.line_id, row.place) == (None, line.pk, "Desk")


def test_a_camera_that_is_gone_leaves_nothing(camera: Camera) -> None:
    other = make_camera("Other")
    CameraState.objects.create(camera=other, runner=ME)
    lost, kept = event(camera, jpeg=b"jpeg"), event(other)
    batch = tracks(camera)
    camera.delete()
    assert store(lost, kept, batch) == 1
    assert CameraEvent.objects.get().camera == other
    assert not CameraTrack.objects.exists()
    assert lost.picture
    assert not default_storage.exists(lost.picture)


@pytest.mark.parametrize("held", [True, False], ids=["noticed while ours", "noticed later"])
def test_a_lost_camera(camera: Camera, held: bool) -> None:
    CameraState.objects.update(runner="another")
    store(event(camera), held=held)
    assert CameraEvent.objects.exists() is held


def test_what_was_ended_by_who_took_the_camera_does_not_go_on_again(camera: Camera) -> None:
    change = event(camera)
    store(change)
    CameraState.objects.update(runner="another")
    closed = START + timedelta(seconds=9)
    CameraEvent.objects.update(end=closed)
    store(again(change, value=7.0), held=True)
    row = CameraEvent.objects.get()
    assert (row.end, row.value) == (closed, 7.0)


def test_an_event_of_a_lost_camera_ends_when_it_was_noticed(camera: Camera) -> None:
    CameraState.objects.update(runner="another")
    noticed = timezone.now() - timedelta(seconds=30)
    before = event(camera, start=noticed - timedelta(seconds=5), noticed=time.monotonic() - 30)
    early = event(camera, start=noticed + timedelta(hours=1))
    store(before, early, held=True)
    rows = CameraEvent.objects.in_bulk()
    assert rows[before.id].end == pytest.approx(noticed, abs=timedelta(seconds=2))
    assert rows[early.id].end == early.start  # never before it has begun


def test_who_has_lost_a_camera_ends_no_events_of_it(camera: Camera) -> None:
    change = event(camera)
    store(change)
    CameraState.objects.update(runner="another")
    assert store(ClosedEvents(camera.pk, START)) is None
    assert CameraEvent.objects.get().end is None


def test_open_events_of_a_dead_runner_end(camera: Camera) -> None:
    old, ended = event(camera), event(camera, end=START)
    late = event(camera, start=START + timedelta(hours=1))
    store(old, ended, late)
    new = event(camera)
    at = START + timedelta(seconds=60)
    assert store(ClosedEvents(camera.pk, at), new) == 6
    rows = CameraEvent.objects.in_bulk()
    assert rows[old.id].end == at
    assert rows[ended.id].end == START
    assert rows[late.id].end == rows[late.id].start  # never before it has begun
    assert rows[new.id].end is None


def test_tracks_and_their_paths(camera: Camera) -> None:
    batch = tracks(camera)
    store(batch)
    store(batch)  # the connection broke after the commit
    chunk = CameraChunk.objects.get()
    assert chunk.points == 10
    rows = list(CameraTrack.objects.order_by("position"))
    assert [row.pk for row in rows] == [track.id for track in batch.tracks]
    paths = unpack_trajectories(bytes(chunk.data))
    assert [path.track_id for path in paths] == [row.number for row in rows]


def test_a_release_comes_after_what_was_seen(camera: Camera) -> None:
    store(event(camera), Release(camera.pk))
    assert CameraEvent.objects.exists()
    state = CameraState.objects.get()
    assert (state.runner, state.state, state.lease_expires_at) == ("", "waiting", None)


def test_a_picture_that_cannot_be_stored_costs_no_event(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> str:
        raise OSError(28, "no space")

    monkeypatch.setattr(keeping.default_storage, "save", full)
    store(event(camera, jpeg=b"jpeg"))
    assert not CameraEvent.objects.get().picture


def test_a_storage_that_hangs_is_not_asked_for_every_picture(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def hangs(name: str, content: Any) -> str:
        asked.append(name)
        raise OSError("no answer")

    pictures = EventPictures()
    with monkeypatch.context() as patch:
        patch.setattr(keeping.default_storage, "save", hangs)
        pictures.store([event(camera, jpeg=b"jpeg") for _ in range(3)])
        pictures.store([event(camera, jpeg=b"jpeg")])
    assert len(asked) == 1
    monkeypatch.setattr(pictures, "_rests_until", time.monotonic())
    late = event(camera, jpeg=b"jpeg")
    pictures.store([late])
    assert default_storage.exists(late.picture)


def test_a_full_disk_takes_events_without_pictures(camera: Camera, settings: Any) -> None:
    settings.SIGHTLINE_MIN_FREE_BYTES = 2**62
    store(event(camera, jpeg=b"jpeg"))
    assert not CameraEvent.objects.get().picture


# ---------------------------------------------------------------- the thread
@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers that pages are told."""
    told: list[int] = []
    monkeypatch.setattr(writer, "announce_events", told.append)
    return told


@pytest.fixture
def start(transactional_db: None, announced: list[int]) -> Iterator[Callable[..., LiveWriter]]:
    """Starts writers."""
    made: list[LiveWriter] = []

    def act(**options: Any) -> LiveWriter:
        given = {"may_write": lambda camera, moment: False, "read_states": list, **options}
        one = LiveWriter(runner=ME, **given)
        made.append(one)
        one.start()
        return one

    yield act
    for one in made:
        one.stop(5.0)


def test_the_writer_writes_and_tells(
    start: Callable[..., LiveWriter], camera: Camera, announced: list[int]
) -> None:
    done: list[Change] = []
    one = start(on_done=done.extend)
    change = event(camera)
    one.add([change, Release(camera.pk)])
    wait_until(lambda: len(done) == 2)
    assert CameraEvent.objects.get().pk == change.id
    assert announced == [1]


def test_events_wait_for_the_database_and_come_in_order(
    start: Callable[..., LiveWriter], camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    away = [True]

    def shaky(*given: Any, **options: Any) -> int | None:
        tries.append(1)
        if away[0]:
            raise OperationalError("the database is away")
        return store_changes(*given, **options)

    monkeypatch.setattr(writer, "store_changes", shaky)
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.05)
    one = start()
    changes = [event(camera, start=START + timedelta(seconds=n)) for n in range(20)]
    for change in changes:
        one.add([change])
    wait_until(lambda: len(tries) > 3)
    assert not CameraEvent.objects.exists()
    away[0] = False
    wait_until(lambda: CameraEvent.objects.count() == 20)
    rows = CameraEvent.objects.order_by("sequence")
    assert [row.pk for row in rows] == [change.id for change in changes]
    assert one.lost == 0


def test_a_change_that_cannot_be_written_does_not_hold_up_the_others(
    start: Callable[..., LiveWriter], camera: Camera
) -> None:
    one = start()
    bad = event(camera, kind="dwell", start=None)
    good = event(camera)
    one.add([bad, good])
    wait_until(lambda: CameraEvent.objects.count() == 1)
    assert CameraEvent.objects.get().pk == good.id


def test_what_waits_is_written_at_the_end(start: Callable[..., LiveWriter], camera: Camera) -> None:
    one = start()
    one.add([event(camera) for _ in range(1200)])
    assert one.stop(20.0)
    assert CameraEvent.objects.count() == 1200
    assert EventSequence.objects.get().value == 1200


def test_more_than_ten_thousand_are_too_many(camera: Camera) -> None:
    one = LiveWriter(runner=ME, may_write=lambda camera, moment: True, read_states=list)
    one.add([Release(camera.pk)])
    one.add(event(camera) for _ in range(10_050))
    assert (one.waiting, one.lost) == (10_000, 51)
    assert isinstance(one._waiting[0], Release)  # that one must be


def test_heavy_pictures_go_before_events(camera: Camera) -> None:
    one = LiveWriter(runner=ME, may_write=lambda camera, moment: True, read_states=list)
    jpeg = bytes(1024 * 1024)
    one.add(event(camera, jpeg=jpeg) for _ in range(100))
    assert one.waiting == 100
    assert one._bytes <= writer.MOST_BYTES
