"""Cameras on their way from frames to figures, pictures and events."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import cv2
import numpy as np
import pytest
from django.db import OperationalError
from django.db.models import F

from common.previews import read_preview
from common.secrets import encrypt
from tests.integration.conftest import wait_until
from tests.integration.video_analysis.live_fakes import (
    BEGINNING,
    FakeSource,
    FakeSources,
    SquareFinder,
    hurry,
    make_camera,
    make_service,
    picture,
)
from video_analysis.cameras.models import Camera, CountingLine, Zone
from video_analysis.models import CameraEvent, CameraState, CameraTrack
from video_analysis.services.live import CameraService, leases, service
from video_analysis.services.live.analyst import CameraAnalyst
from video_analysis.services.live.pictures import PicturePublisher
from video_analysis.services.live.setups import read_setups
from video_analysis.services.live.sources import open_source
from video_analysis.services.live.subscribers import Outlets
from vision.errors import ModelError

WHOLE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
pytestmark = pytest.mark.django_db(transaction=True)


class Heard:
    """A subscriber that remembers."""

    def __init__(self) -> None:
        self.results: list[Any] = []
        self.events: list[Any] = []
        self.error: Exception | None = None

    def on_result(self, camera_id: int, result: Any, events: Sequence[Any]) -> None:
        self.results.append((camera_id, result))
        self.events += events
        if self.error is not None:
            raise self.error


class Stage:
    """One running service with its fakes."""

    def __init__(self) -> None:
        self.engine = SquareFinder()
        self.sources = FakeSources()
        self.heard = Heard()
        self.service = make_service(self.sources, self.engine, subscribers=[self.heard])

    def source(self, camera: Camera) -> FakeSource:
        wait_until(lambda: camera.pk in self.sources.opened and self.sources.of(camera).started)
        return self.sources.of(camera)

    def show(self, source: FakeSource, *lefts: float | None, step: float = 0.1) -> None:
        """Have frames analysed one after the other; None is an empty one."""
        for left in lefts:
            self.push(source, picture(left), step=step)

    def push(self, source: FakeSource, image: Any, *, step: float = 0.1) -> None:
        before = len(self.heard.results)
        source.push(image, step=step)
        wait_until(lambda: len(self.heard.results) > before)


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens every second or two happens several times a second."""
    hurry(monkeypatch)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A service that runs."""
    made = Stage()
    made.service.start()
    yield made
    assert made.service.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("live-")]


def figures(camera: Camera) -> dict[str, Any]:
    return dict(CameraState.objects.get(pk=camera.pk).figures)


def change(camera: Camera, **fields: Any) -> None:
    Camera.objects.filter(pk=camera.pk).update(revision=F("revision") + 1, **fields)


def walk(count: int = 12) -> list[float]:
    return [round(0.05 + 0.03 * step, 3) for step in range(count)]


# ---------------------------------------------------------------- the way of a frame
def test_objects_become_tracks_events_and_figures(stage: Stage) -> None:
    camera = make_camera()
    zone = Zone.objects.create(camera=camera, name="Floor", polygon=WHOLE, threshold_sec=1.0)
    source = stage.source(camera)
    stage.show(source, *walk(20))
    wait_until(lambda: CameraEvent.objects.filter(kind="dwell").exists())
    wait_until(lambda: figures(camera).get("occupancy") == {str(zone.pk): 1})
    told = figures(camera)
    assert told["counts"] == {"person": 1}
    assert told["tracks"] == 1
    assert told["backend"] == "fake"
    assert told["fps"]["processed"] > 0
    assert told["fps"]["gated"] == 0
    assert set(told["ms"]) == {
        *("decode", "wait", "gate", "detect", "track", "events", "encode", "total")
    }
    state = CameraState.objects.get(pk=camera.pk)
    assert (state.state, state.codec, state.width) == ("live", "h264", 160)
    entry = CameraEvent.objects.get(kind="entry")
    assert (entry.place, entry.zone_id, entry.label) == ("Floor", zone.pk, "person")
    assert entry.box is not None
    assert entry.box[2] == pytest.approx(1 / 6, abs=0.01)
    assert entry.start == entry.end
    with entry.picture.open() as file:
        assert cv2.imdecode(np.frombuffer(file.read(), np.uint8), 1).shape == (120, 160, 3)
    assert stage.service.stop()
    dwell = CameraEvent.objects.get(kind="dwell")
    assert dwell.end is not None
    assert dwell.value == pytest.approx(1.8, abs=0.3)
    track = CameraTrack.objects.get()
    assert track.pk == entry.track == dwell.track
    assert track.number == entry.track_number
    assert not CameraEvent.objects.filter(end=None).exists()


def test_a_line_counts_under_its_own_names(stage: Stage) -> None:
    camera = make_camera()
    line = CountingLine.objects.create(
        camera=camera, name="Door", points=[[0.5, 1.0], [0.5, 0.0]], forward="in", backward="out"
    )
    source = stage.source(camera)
    stage.show(source, *(0.1 + 0.03 * step for step in range(22)))
    wait_until(lambda: CameraEvent.objects.filter(kind="crossing").exists())
    crossing = CameraEvent.objects.get(kind="crossing")
    assert (crossing.line_id, crossing.place, crossing.direction) == (line.pk, "Door", "in")
    assert crossing.zone_id is None


def test_frames_at_rest_are_gated_and_keep_their_boxes(stage: Stage) -> None:
    camera = make_camera(motion_gate=True)
    source = stage.source(camera)
    stage.show(source, *walk(4))
    asked = len(stage.engine.calls)
    stage.show(source, *[0.14] * 50, step=0.2)
    rested = [result for _, result in stage.heard.results if not result.detected]
    assert rested
    assert len(rested[-1].detections) == 1  # what is held
    assert len(stage.engine.calls) - asked < 40
    wait_until(lambda: figures(camera).get("fps", {}).get("gated", 0) > 0)


def test_dropped_frames_are_counted(stage: Stage) -> None:
    camera = make_camera()
    source = stage.source(camera)
    wait_until(lambda: "fps" in figures(camera))
    source.dropped = 40
    wait_until(lambda: figures(camera)["fps"]["dropped"] > 0)


def test_a_new_epoch_starts_anew(stage: Stage) -> None:
    camera = make_camera()
    source = stage.source(camera)
    stage.show(source, *walk(6))
    wait_until(lambda: CameraEvent.objects.filter(kind="entry").count() == 1)
    source.epoch += 1
    stage.show(source, *walk(6))
    wait_until(lambda: CameraTrack.objects.count() == 1)  # the one before the cut
    wait_until(lambda: CameraEvent.objects.filter(kind="entry").count() == 2)
    ids = {event.track for event in CameraEvent.objects.filter(kind="entry")}
    assert len(ids) == 2


def test_another_size_starts_anew(stage: Stage) -> None:
    camera = make_camera()
    source = stage.source(camera)
    stage.show(source, *walk(6))
    for left in walk(6):
        stage.push(source, picture(left, width=320, height=240))
    wait_until(lambda: CameraTrack.objects.count() == 1)


def test_only_people_are_asked_for(stage: Stage) -> None:
    camera = make_camera(people_only=True, hide_people=True, detector_conf=0.5)
    stage.show(stage.source(camera), 0.1)
    query = stage.engine.queries[-1]
    assert query["classes"] == (0,)
    assert query["confidence"] == 0.1  # however unsure: they are to be hidden


def test_frames_of_cameras_that_wait_share_a_call_on_a_gpu(stage: Stage) -> None:
    stage.engine.device, stage.engine.capacity = "cuda", 16
    cameras = [make_camera(f"Camera {number}") for number in range(4)]
    sources = [stage.source(camera) for camera in cameras]
    stage.show(sources[0], 0.1)
    gate = threading.Event()
    stage.engine.before = lambda: (gate.wait(10), None)[1]
    wait_until(lambda: len([t for t in threading.enumerate() if t.name.startswith("live-")]) >= 5)
    for source in sources[:2]:  # both threads are at the engine
        source.push(picture(0.1))
        wait_until(lambda source=source: source.is_taken)
    for source in sources[2:]:
        source.push(picture(0.1))
    before = len(stage.heard.results)
    gate.set()
    wait_until(lambda: len(stage.heard.results) == before + 4)
    assert max(stage.engine.calls) == 2


# ---------------------------------------------------------------- pictures
def test_pictures_are_made_only_while_somebody_watches(stage: Stage) -> None:
    camera = make_camera()
    source = stage.source(camera)
    name = f"camera:{camera.pk}:small"
    stage.show(source, *walk(3))
    assert read_preview(name) is None  # and now somebody watches

    def shown() -> bool:
        stage.show(source, 0.2)
        return read_preview(name) is not None

    wait_until(shown)
    first = read_preview(name)
    assert first is not None
    stage.show(source, 0.23)
    wait_until(lambda: read_preview(name).number > first.number)  # type: ignore[union-attr]
    preview = read_preview(name)
    assert preview is not None
    meta = json.loads(preview.meta)
    assert meta["camera"] == camera.pk
    assert (meta["width"], meta["height"], meta["epoch"]) == (160, 120, 1)
    ((number, label, confidence, *box),) = meta["objects"]
    assert (label, confidence) == ("person", 0.9)
    assert number > 0
    assert box[2:] == pytest.approx([1 / 6, 50 / 120], abs=0.02)
    assert meta["ms"]["total"] >= meta["ms"]["encode"] > 0
    assert abs(meta["at"] - preview.number) < 1000
    image = cv2.imdecode(np.frombuffer(preview.jpeg, np.uint8), 1)
    assert image.shape == (120, 160, 3)
    assert read_preview(f"camera:{camera.pk}:large") is None


def test_people_are_hidden_in_every_picture(stage: Stage) -> None:
    camera = make_camera(hide_people=True)
    source = stage.source(camera)
    name = f"camera:{camera.pk}:large"
    rng = np.random.default_rng(1)
    pattern = np.where(rng.random((50, 26, 1)) < 0.5, 201, 255).astype(np.uint8)

    def person(left: float) -> Any:
        image = picture(left)
        at = round(left * 160)
        image[40:90, at : at + 26] = pattern
        return image

    for left in walk(5):
        stage.push(source, person(left))
    read_preview(name)

    def shown() -> bool:
        stage.push(source, person(0.2))
        return read_preview(name) is not None

    wait_until(shown)
    preview = read_preview(name)
    wait_until(lambda: CameraEvent.objects.exclude(picture="").exists())
    with CameraEvent.objects.exclude(picture="").first().picture.open() as file:
        stored = file.read()
    assert preview is not None
    for jpeg in (preview.jpeg, stored):
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), 0)
        rows, columns = np.nonzero(image > 190)
        inside = image[rows.min() + 8 : rows.max() - 8, columns.min() + 6 : columns.max() - 6]
        assert inside.std() < 15  # the pattern has 27


# ---------------------------------------------------------------- changes
def test_thresholds_and_zones_change_without_a_new_connection(stage: Stage) -> None:
    camera = make_camera()
    source = stage.source(camera)
    stage.show(source, *walk(4))
    Zone.objects.create(camera=camera, name="Floor", polygon=WHOLE, threshold_sec=1.0)
    change(camera, detector_conf=0.6)

    def changed() -> bool:
        stage.show(source, 0.2)
        return stage.engine.queries[-1]["confidence"] == 0.6

    wait_until(changed)
    stage.show(source, *walk(6))
    wait_until(lambda: CameraEvent.objects.filter(place="Floor").exists())
    assert stage.sources.opened[camera.pk] == [source]
    assert not source.closed


def test_zones_change_under_tracks_that_go_on(stage: Stage) -> None:
    camera = make_camera()
    source = stage.source(camera)
    stage.show(source, *walk(6))
    Zone.objects.create(camera=camera, name="Floor", polygon=WHOLE)
    change(camera)

    def changed() -> bool:
        stage.show(source, 0.2)
        return CameraEvent.objects.filter(place="Floor", kind="entry").exists()

    wait_until(changed)
    assert CameraEvent.objects.get(place="Floor", kind="entry").track_number == 1
    assert not CameraEvent.objects.filter(place="", end=None).exists()


def test_another_address_is_another_connection(stage: Stage) -> None:
    camera, other = make_camera(), make_camera("Other")
    source, untouched = stage.source(camera), stage.source(other)
    change(camera, address="loop:other.mp4", credentials=encrypt('{"username":"u"}'))
    wait_until(lambda: len(stage.sources.opened[camera.pk]) == 2)
    wait_until(lambda: stage.sources.of(camera).started)
    assert source.closed
    assert stage.sources.of(camera).setup.source.address == "loop:other.mp4"
    assert not untouched.closed
    stage.show(stage.source(camera), 0.1)


def test_the_newest_address_counts_when_changes_overtake_each_other() -> None:
    gate, sources = threading.Event(), FakeSources()
    camera = make_camera()

    def slow(setup: Any, on_frame: Any) -> FakeSource:
        if setup.source.address == "loop:second.mp4":
            gate.wait(10)
        return sources(setup, on_frame)

    def edited(**fields: Any) -> Any:
        change(camera, **fields)
        return read_setups([camera.pk])[camera.pk]

    outlets = Outlets(list, PicturePublisher())
    analyst = CameraAnalyst(
        read_setups([camera.pk])[camera.pk],
        open_source=slow,
        on_frame=lambda: None,
        outlets=outlets,
    )
    analyst.reconfigure(edited(address="loop:second.mp4"))
    analyst.reconfigure(edited(address="loop:third.mp4"))
    analyst.reconfigure(edited(name="Another name"))
    gate.set()
    wait_until(lambda: sources.of(camera).setup.source.address == "loop:third.mp4")
    analyst.close_source()
    assert sources.of(camera).closed


def test_cameras_come_and_go(stage: Stage) -> None:
    camera = make_camera()
    source = stage.source(camera)
    stage.show(source, *walk(4))
    Camera.objects.filter(pk=camera.pk).update(enabled=False)
    wait_until(lambda: source.closed and not CameraState.objects.get().runner)
    assert CameraState.objects.get().state == "waiting"
    Camera.objects.filter(pk=camera.pk).update(enabled=True)
    wait_until(lambda: stage.sources.of(camera) is not source)
    second = stage.source(camera)
    Camera.objects.get(pk=camera.pk).delete()
    wait_until(lambda: second.closed and stage.service.cameras == [])


# ---------------------------------------------------------------- what goes wrong
def test_what_goes_on_ends_when_no_frames_come(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from video_analysis.services.live import analyst

    camera = make_camera()
    source = stage.source(camera)
    stage.show(source, *walk(12))
    wait_until(lambda: CameraEvent.objects.filter(end=None).exists())
    monkeypatch.setattr(analyst, "STALE_SECONDS", 0.3)
    wait_until(lambda: CameraEvent.objects.exists() and not CameraEvent.objects.filter(end=None))
    last = BEGINNING + timedelta(seconds=source.seconds)
    assert CameraEvent.objects.latest("end").end <= last
    wait_until(lambda: figures(camera)["tracks"] == 0)


def test_an_engine_that_cannot_answer_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from video_analysis.services.live import analyst

    monkeypatch.setattr(analyst, "PAUSE_SECONDS", 0.0)
    camera = make_camera()
    source = stage.source(camera)
    stage.engine.error = ModelError("export_failed", "The model could not be exported.")
    source.push(picture(0.1))
    wait_until(lambda: CameraState.objects.get().code == "export_failed")
    assert CameraState.objects.get().reason == "The model could not be exported."
    stage.engine.error = None
    stage.show(source, 0.1)
    wait_until(lambda: CameraState.objects.get().code == "")


def test_what_goes_on_ends_while_the_engine_cannot_answer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from video_analysis.services.live import analyst

    monkeypatch.setattr(analyst, "PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(analyst, "STALE_SECONDS", 0.5)
    camera = make_camera()
    source = stage.source(camera)
    stage.show(source, *walk(12))
    stage.engine.error = ModelError("export_failed", "The model could not be exported.")

    def over() -> bool:
        source.push(picture(0.2))
        return CameraEvent.objects.exists() and not CameraEvent.objects.filter(end=None).exists()

    wait_until(over)


def test_an_engine_that_cannot_be_made_is_not_tried_with_every_frame(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def engine() -> SquareFinder:
        tries.append(1)
        if len(tries) == 1:
            raise ModelError("no_device", "There is no such device.")
        return stage.engine

    pool = stage.service._crew._pool
    monkeypatch.setattr(pool, "_get_engine", engine)
    sources = [stage.source(camera) for camera in (make_camera(), make_camera("Other"))]
    for source in sources * 5:
        source.push(picture(0.1))
        wait_until(lambda source=source: source.is_taken)  # type: ignore[misc]
    assert len(tries) == 1
    wait_until(lambda: CameraState.objects.filter(code="no_device").count() == 2)
    monkeypatch.setattr(pool, "_engine_again_at", time.monotonic())
    for source in sources:
        stage.show(source, 0.1)
    wait_until(lambda: not CameraState.objects.filter(code="no_device").exists())


def test_an_unknown_model_is_told_and_can_be_put_right(stage: Stage) -> None:
    camera = make_camera(model="nonesuch")
    source = stage.source(camera)
    source.push(picture(0.1))
    wait_until(lambda: CameraState.objects.get().code == "unknown_model")
    assert CameraState.objects.get().state == "refused"
    assert not stage.engine.calls
    change(camera, model="")

    def analysed() -> bool:
        source.push(picture(0.1))
        return bool(stage.heard.results)

    wait_until(analysed)


def test_one_camera_that_breaks_does_not_stop_the_others(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = make_camera("Bad"), make_camera("Good")
    broken, source = stage.source(bad), stage.source(good)
    for _ in range(5):
        broken.push(np.zeros((1, 1), np.uint8))  # no picture at all
        stage.show(source, 0.1)
    assert "could not be analysed" in caplog.text
    assert caplog.text.count("could not be analysed") == 1


def test_a_subscriber_that_fails_costs_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    camera = make_camera()
    stage.heard.error = RuntimeError("nobody has foreseen this")
    stage.show(stage.source(camera), *walk(10))
    wait_until(lambda: CameraEvent.objects.exists())
    assert caplog.text.count("Heard failed") == 1


@pytest.mark.parametrize(
    ("address", "credentials", "code"),
    [
        pytest.param("ftp://host/x", None, "unsupported_scheme", id="scheme"),
        pytest.param("rtsp://192.168.1.9/x", b"damaged", "unreadable_credentials", id="secret"),
    ],
)
def test_sources_that_cannot_be_opened_say_why(
    address: str, credentials: bytes | None, code: str
) -> None:
    camera = make_camera(address=address, credentials=credentials)
    own = CameraService(open_source=open_source, engine=lambda: SquareFinder())  # type: ignore[arg-type,return-value]
    own.start()
    wait_until(lambda: CameraState.objects.filter(pk=camera.pk, code=code).exists())
    state = CameraState.objects.get()
    assert state.state == "refused"
    assert state.reason
    assert own.stop()


def test_cameras_go_on_while_the_database_is_away(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from video_analysis.services.live import writer

    camera = make_camera()
    source = stage.source(camera)
    stage.show(source, *walk(3))

    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(leases, "read_cameras", away)
        patch.setattr(writer, "store_changes", away)
        patch.setattr(writer, "store_states", away)
        wait_until(lambda: "The database is away" in caplog.text)
        stage.show(source, *walk(20))
        assert len(stage.heard.events) > 0
        before = CameraEvent.objects.count()
    wait_until(lambda: CameraEvent.objects.count() > before)
    wait_until(lambda: stage.service.cameras == [camera.pk])
    assert not source.closed
    assert CameraEvent.objects.filter(kind="entry").count() == 1


def test_cameras_are_left_when_the_database_stays_away(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = make_camera()
    source = stage.source(camera)

    def away() -> Any:
        raise OperationalError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(leases, "read_cameras", away)
        patch.setattr(service, "AWAY_SECONDS", 0.5)
        wait_until(lambda: source.closed)
    wait_until(lambda: stage.sources.of(camera) is not source)
    stage.show(stage.source(camera), 0.1)


def test_a_stop_does_not_wait_for_a_turn_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Stage()
    made.service.start()
    camera = make_camera()
    gate = threading.Event()
    made.engine.before = lambda: (gate.wait(20), None)[1]
    source = made.source(camera)
    source.push(picture(0.1))
    wait_until(lambda: bool(made.engine.calls))
    assert not made.service.stop(1.0)  # says that something still works
    gate.set()
    wait_until(lambda: not made.service.is_alive)
