"""Which runner looks at which camera."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone

from common.jobs.identity import HOST, SPACE, process_name
from tests.integration.conftest import wait_until
from tests.integration.video_analysis.live_fakes import (
    FakeSources,
    SquareFinder,
    hurry,
    make_camera,
    make_service,
    picture,
)
from video_analysis.cameras.models import Camera
from video_analysis.models import CameraEvent, CameraRunner, CameraState
from video_analysis.services.live import CameraService, leases
from video_analysis.services.live.leases import claim, fair_share, plan_leases, read_cameras

GONE = f"{HOST}:999999:{SPACE}-dead"
ELSEWHERE = "another-host:1:beef-1"


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens every second or two happens several times a second."""
    hurry(monkeypatch)


@pytest.fixture
def run() -> Iterator[Callable[..., tuple[CameraService, FakeSources]]]:
    """Starts services, each a runner of its own, and stops them at the end."""
    services: list[CameraService] = []

    def act(suffix: str = "", **options: Any) -> tuple[CameraService, FakeSources]:
        sources = FakeSources()
        service = make_service(sources, SquareFinder(), suffix=suffix, **options)
        services.append(service)
        service.start()
        return service, sources

    yield act
    for service in services:
        service.request_stop()
    for service in services:
        service.stop()


def state(camera: Camera) -> CameraState:
    return CameraState.objects.get(pk=camera.pk)


# ---------------------------------------------------------------- conditional claims
@pytest.mark.django_db
@pytest.mark.parametrize("known", [False, True], ids=["never had", "had before"])
def test_a_camera_is_had_by_one_runner_only(known: bool) -> None:
    camera = make_camera()
    if known:
        CameraState.objects.create(camera=camera, runner=GONE, lease_expires_at=timezone.now())
    (seen,) = read_cameras()
    assert seen.known is known
    assert claim(seen, "first")
    assert not claim(seen, "second")  # it is not as it was read any more
    (seen,) = read_cameras()
    assert seen.runner == "first"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("runner", "seconds", "free"),
    [
        pytest.param("", None, True, id="nobody's"),
        pytest.param(ELSEWHERE, 5, False, id="another host's"),
        pytest.param(ELSEWHERE, -1, True, id="another host's, run out"),
        pytest.param(GONE, 5, True, id="a dead process's"),
        pytest.param(f"{process_name()}/other", 5, False, id="a living process's"),
    ],
)
def test_whose_cameras_are_free(runner: str, seconds: float | None, free: bool) -> None:
    camera = make_camera()
    expires = None if seconds is None else timezone.now() + timedelta(seconds=seconds)
    CameraState.objects.create(camera=camera, runner=runner, lease_expires_at=expires)
    plan = plan_leases(read_cameras(), [], runner="me", runners=1)
    assert [lease.id for lease in plan.claim] == ([camera.pk] if free else [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("runner", "free"),
    [
        pytest.param("", True, id="nobody's"),
        pytest.param("me", True, id="ours"),
        pytest.param(ELSEWHERE, False, id="another host's"),
        pytest.param(GONE, True, id="a dead process's"),
        pytest.param(f"{process_name()}/other", False, id="a living process's"),
    ],
)
def test_leases_that_ran_out_in_an_outage_are_left_alone(runner: str, free: bool) -> None:
    camera = make_camera()
    expires = timezone.now() - timedelta(seconds=60)
    CameraState.objects.create(camera=camera, runner=runner, lease_expires_at=expires)
    plan = plan_leases(read_cameras(), [], runner="me", runners=1, careful=True)
    assert [lease.id for lease in plan.claim] == ([camera.pk] if free else [])


@pytest.mark.parametrize(
    ("cameras", "runners", "most", "share"),
    [(6, 1, 0, 6), (6, 2, 0, 3), (7, 2, 0, 4), (0, 3, 0, 0), (1, 4, 0, 1), (6, 2, 2, 2)],
)
def test_fair_shares(settings: Any, cameras: int, runners: int, most: int, share: int) -> None:
    settings.SIGHTLINE_CAMERAS_PER_RUNNER = most
    assert fair_share(cameras, runners) == share


@pytest.mark.django_db
def test_surplus_is_given_back_one_after_the_other() -> None:
    cameras = [make_camera(f"Camera {number}") for number in range(6)]
    held = [camera.pk for camera in cameras]
    plan = plan_leases(read_cameras(), held, runner="me", runners=2)
    assert plan.give == [held[-1]]
    assert plan.claim == []


@pytest.mark.django_db
def test_a_disabled_camera_is_given_back() -> None:
    make_camera()
    gone = make_camera("Gone", enabled=False)
    assert plan_leases(read_cameras(), [gone.pk], runner="me", runners=1).give == [gone.pk]


@pytest.mark.django_db
def test_live_runners(settings: Any) -> None:
    now = timezone.now()
    for name, age in ((ELSEWHERE, 1), ("silent:1:x-1", 60), (GONE, 1), (process_name(), 1)):
        CameraRunner.objects.create(name=name, seen_at=now - timedelta(seconds=age))
    assert leases.live_runners() == {ELSEWHERE, process_name()}


# ---------------------------------------------------------------- services
@pytest.mark.django_db(transaction=True)
def test_two_runners_share_the_cameras(run: Any) -> None:
    cameras = [make_camera(f"Camera {number}") for number in range(4)]
    one, _ = run("a")
    wait_until(lambda: len(one.cameras) == 4)
    two, _ = run("b")
    wait_until(lambda: len(one.cameras) == 2 and len(two.cameras) == 2)
    assert sorted([*one.cameras, *two.cameras]) == [camera.pk for camera in cameras]
    wait_until(lambda: {state(camera).runner for camera in cameras} == {one.name, two.name})
    assert one.stop()
    wait_until(lambda: len(two.cameras) == 4)
    assert not CameraRunner.objects.filter(pk=one.name).exists()


@pytest.mark.django_db(transaction=True)
def test_a_dead_runners_camera_is_taken_over_at_once_and_its_events_end(run: Any) -> None:
    camera = make_camera()
    seen = timezone.now() - timedelta(seconds=3)
    CameraState.objects.create(
        camera=camera,
        runner=GONE,
        lease_expires_at=timezone.now() + timedelta(seconds=600),
        updated_at=seen,
    )
    CameraRunner.objects.create(name=GONE)
    start = seen - timedelta(seconds=30)
    CameraEvent.objects.create(camera=camera, kind="occupancy", sequence=1, start=start)
    service, sources = run()
    wait_until(lambda: service.cameras == [camera.pk] and sources.of(camera).started, 5)
    wait_until(lambda: CameraEvent.objects.get().end is not None)
    event = CameraEvent.objects.get()
    assert event.end == seen
    assert event.sequence > 0


@pytest.mark.django_db(transaction=True)
def test_who_loses_a_camera_stops_at_once_and_writes_nothing_more(run: Any) -> None:
    camera = make_camera()
    service, sources = run()
    wait_until(lambda: service.cameras == [camera.pk])
    source = sources.of(camera)
    wait_until(lambda: state(camera).runner == service.name)
    later = timezone.now() + timedelta(seconds=60)
    CameraState.objects.filter(pk=camera.pk).update(runner=ELSEWHERE, lease_expires_at=later)
    wait_until(lambda: source.closed)
    assert service.cameras == []
    for left in (0.1, 0.2, 0.3, 0.4):
        source.push(picture(left))
    assert state(camera).runner == ELSEWHERE
    CameraState.objects.filter(pk=camera.pk).update(lease_expires_at=F("updated_at"), runner="")
    wait_until(lambda: service.cameras == [camera.pk])
    assert not CameraEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_leases_are_renewed(run: Any, settings: Any) -> None:
    settings.SIGHTLINE_CAMERA_LEASE_SECONDS = 4.0
    camera = make_camera()
    service, _ = run()
    wait_until(lambda: service.cameras == [camera.pk])
    first = state(camera).lease_expires_at
    wait_until(lambda: state(camera).lease_expires_at > first)
    assert state(camera).runner == service.name


@pytest.mark.django_db(transaction=True)
def test_a_stop_gives_the_cameras_back(run: Any) -> None:
    camera = make_camera()
    service, sources = run()
    wait_until(lambda: service.cameras == [camera.pk])
    assert service.stop()
    assert sources.of(camera).closed
    left = state(camera)
    assert (left.runner, left.lease_expires_at, left.state) == ("", None, "waiting")
    assert not CameraRunner.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_without_cameras_nothing_is_written_and_no_engine_made(run: Any) -> None:
    calls: list[int] = []

    def engine() -> Any:
        calls.append(1)
        raise AssertionError("nobody needs it")

    service = CameraService(open_source=FakeSources(), engine=engine)
    service.start()
    wait_until(lambda: service._heard_at > 0)
    assert service.stop()
    assert not calls
    assert not CameraRunner.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_first_runner_back_leaves_the_others_their_cameras(
    run: Any, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.SIGHTLINE_CAMERA_LEASE_SECONDS = 3.0
    mine = make_camera()
    service, _ = run()
    wait_until(lambda: service.cameras == [mine.pk])

    def away() -> Any:
        raise OperationalError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(leases, "read_cameras", away)
        wait_until(lambda: service._away)
        theirs = make_camera("Theirs")
        ran_out = timezone.now() - timedelta(seconds=1)
        CameraState.objects.create(camera=theirs, runner=ELSEWHERE, lease_expires_at=ran_out)
        CameraRunner.objects.all().delete()
    wait_until(lambda: CameraRunner.objects.filter(pk=service.name).exists())
    back = time.monotonic()
    wait_until(lambda: service.cameras == [mine.pk, theirs.pk])  # ELSEWHERE never came back
    assert time.monotonic() - back > 1.5
