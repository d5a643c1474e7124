"""The work on a video: one result whatever happens to who works on it, and nothing beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from common.jobs import runner
from common.jobs.runner import execute_job
from common.jobs.services import cancel_job
from common.models import DerivedFile, Job, Upload
from common.previews import read_preview
from common.storage.services import run_cleanup, set_retention
from detection_project.embedded import EmbeddedWorker
from detector.models import DetectionSession
from detector.services.sessions import delete_session, rename_session, retry_session
from tests.integration.conftest import wait_for_job, wait_until
from tests.integration.detector.conftest import FakeEngine, picture
from tests.integration.video_analysis.remains import remains, rows, stored, work
from tests.made_videos import make_clip
from video_analysis.models import Track, TrajectoryChunk, VideoAnalysis
from video_analysis.selectors import get_track, get_trajectory
from video_analysis.services import running
from video_analysis.services.analyses import queue_video, rerun_video
from video_analysis.services.options import parse_video_options
from vision.errors import VisionError
from vision.structures import Priority

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("engine"),
]
State = Job.State
# Of the three objects that the engine finds, the weakest begins no track.
TRACKS = {"person": 1, "dog": 1}
RESULT = {"uploads": 1, "thumbnails": 1, "derived": 3}


@pytest.fixture(autouse=True)
def no_bells(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no worker runs, nobody hears of jobs but who is told."""
    if "worker" not in request.fixturenames:
        monkeypatch.setattr("common.jobs.services.ring", lambda job: True)


def queue(owner: Any, path: Path, **options: Any) -> DetectionSession:
    return queue_video(
        owner=owner,
        chunks=[path.read_bytes()],
        file_name=path.name,
        options=parse_video_options(options),
    )


def execute(session: DetectionSession) -> DetectionSession:
    execute_job(session.job_id)
    return again(session)


def again(session: DetectionSession) -> DetectionSession:
    return DetectionSession.objects.select_related("job", "upload", "video").get(pk=session.pk)


def facts(session: DetectionSession) -> Any:
    """What was found, without what differs from run to run."""
    return (
        session.object_count,
        session.class_counts,
        list(session.video.tracks.order_by("number").values_list("number", "class_name", "points")),
        list(session.video.chunks.values_list("number", "tracks", "points")),
    )


def test_a_job_finds_tracks_and_writes_an_annotated_video(user: Any, clip: Path) -> None:
    session = execute(queue(user, clip, tasks="tracking,motion", styles="boxes,heat"))
    assert (session.status, session.job.error_message, session.job.progress) == ("done", "", 1.0)
    assert session.class_counts == TRACKS
    assert (session.object_count, session.model, session.backend) == (2, "yolov8n", "fake")
    video = session.video
    assert (video.frames_done, video.frame_count) == (20, 20)
    assert video.duration == pytest.approx(2.0, abs=0.06)
    assert video.statistics["tracks"] == 2
    assert not video.statistics["truncated"]
    track = get_track(video, 1)
    trajectory = get_trajectory(track)
    assert len(trajectory.times) == track.points >= 15
    assert track.snapshot_size > 0
    assert stored() == RESULT
    assert work() == []
    with av.open(video.annotated.file.path) as written:
        stream = written.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 160, 120)
        assert sum(1 for _ in written.decode(stream)) == 20


@pytest.mark.parametrize("tasks", ["motion", "activity", "tracking,motion,activity"])
def test_each_task_is_done_alone_and_with_the_others(
    user: Any, clip: Path, tasks: str, engine: FakeEngine
) -> None:
    session = execute(queue(user, clip, tasks=tasks, every=2))
    assert (session.status, session.job.error_message) == ("done", "")
    models = {call["model"] for call in engine.calls}
    assert models == {
        *(["yolov8n"] if tasks != "motion" else []),
        *(["yolov8n-pose"] if "activity" in tasks else []),
    }
    assert {call["priority"] for call in engine.calls} <= {Priority.BATCH}
    assert session.object_count == (0 if tasks == "motion" else 2)


def test_what_was_asked_for_reaches_the_engine(user: Any, clip: Path, engine: FakeEngine) -> None:
    execute(queue(user, clip, classes="dog", confidence=0.5, iou=0.6, styles="masks", every=4))
    call = engine.calls[0]
    assert (call["model"], call["classes"]) == ("yolov8n-seg", (16,))
    assert (call["confidence"], call["iou"]) == (0.5, 0.6)
    assert sum(call["pictures"] for call in engine.calls) == 5


def test_who_stands_in_for_the_model_is_said(user: Any, clip: Path, engine: FakeEngine) -> None:
    engine.model, engine.reason = "opencv-fallback", "there are no weights."
    session = execute(queue(user, clip))
    assert session.model == "opencv-fallback"
    assert session.notice == ("opencv-fallback answered instead of yolov8n: there are no weights.")


def test_an_attempt_that_lost_its_lease_writes_nothing(
    user: Any, clip: Path, engine: FakeEngine
) -> None:
    session = queue(user, clip)
    before = remains()

    def take_over() -> None:
        engine.before = lambda: None
        Job.objects.filter(pk=session.job_id).update(lease_expires_at=timezone.now())
        assert runner.claim_job(session.job_id) is not None

    engine.before = take_over
    execute_job(session.job_id)
    session = again(session)
    assert (session.job.state, session.job.attempt) == (State.RUNNING, 2)
    assert remains() == before
    # The successor dies, too; the third attempt is let finish.
    Job.objects.filter(pk=session.job_id).update(lease_expires_at=timezone.now())
    session = execute(session)
    assert (session.status, session.job.attempt, session.object_count) == ("done", 3, 2)
    assert stored() == RESULT


def test_an_attempt_that_died_after_it_stored_its_result_leaves_one(
    user: Any, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = queue(user, clip, tasks="tracking,motion")
    monkeypatch.setattr(runner, "_insist_on_outcome", lambda context, outcome: None)
    execute_job(session.job_id)
    monkeypatch.undo()
    first = again(session)
    assert (first.status, first.object_count) == ("running", 2)
    count, files = rows(), {row.pk for row in DerivedFile.objects.all()}
    Job.objects.filter(pk=session.job_id).update(
        lease_expires_at=timezone.now() - timedelta(seconds=1)
    )
    second = execute(session)
    assert (second.status, second.job.attempt) == ("done", 2)
    assert rows() == count
    assert facts(second) == facts(first)
    assert files.isdisjoint(row.pk for row in DerivedFile.objects.all())
    assert stored() == RESULT
    assert work() == []


def on_call(number: int, engine: FakeEngine, act: Callable[[], None]) -> None:
    """Have ``act`` done when the engine is asked for the n-th time."""

    def before() -> None:
        if len(engine.calls) == number:
            act()

    engine.before = before


MOMENTS = ["first frame", "half way", "drawing the heat", "saving", "between two files"]


@pytest.mark.parametrize("verb", ["cancel", "delete"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_cancelled_or_deleted_at_any_moment_no_file_is_left(
    user: Any,
    clip: Path,
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    moment: str,
) -> None:
    empty = remains()
    session = queue(user, clip)
    queued = remains()

    def act() -> None:
        if verb == "cancel":
            cancel_job(job=Job.objects.get(pk=session.job_id))
        else:
            delete_session(session=session)

    def first(name: str) -> None:
        original = getattr(running, name)

        def do(*args: Any, **kwargs: Any) -> Any:
            monkeypatch.setattr(running, name, original)
            act()
            return original(*args, **kwargs)

        monkeypatch.setattr(running, name, do)

    if moment == "drawing the heat":
        first("encode_png")
    elif moment == "saving":
        first("_store")
    elif moment == "between two files":
        first("store_derived")
    else:
        on_call(1 if moment == "first frame" else 3, engine, act)
    execute_job(session.job_id)
    if verb == "delete":
        assert remains() == empty
        return
    session = again(session)
    if session.status == "done":  # it came too late: then there is all of it
        assert moment in ("saving", "between two files")
        assert stored() == RESULT
    else:
        assert session.status == "cancelled"
        assert remains() == queued


def test_a_cancelled_video_is_retried_from_its_beginning(
    user: Any, clip: Path, engine: FakeEngine
) -> None:
    session = queue(user, clip)
    on_call(2, engine, lambda: cancel_job(job=Job.objects.get(pk=session.job_id)))
    session = execute(session)
    assert session.status == "cancelled"
    VideoAnalysis.objects.update(frames_done=11, seconds_left=3.0)
    engine.before = lambda: None
    retry_session(session=session)
    seen: list[int] = []
    engine.before = lambda: seen.append(VideoAnalysis.objects.get().frames_done)
    session = execute(session)
    assert (session.status, session.object_count) == ("done", 2)
    assert seen[0] == 0
    assert stored() == RESULT


def fail(code: str) -> Callable[[DetectionSession, Any, Any], str]:
    def act(session: DetectionSession, engine: FakeEngine, settings: Any) -> str:
        engine.error = VisionError(code, "It does not work.")
        return code

    return act


def lose_file(session: DetectionSession, engine: FakeEngine, settings: Any) -> str:
    Path(session.upload.file.path).unlink()
    return "video_missing"


def remove_file(session: DetectionSession, engine: FakeEngine, settings: Any) -> str:
    Upload.objects.update(removed_at=timezone.now())
    return "picture_removed"


def fill_disk(session: DetectionSession, engine: FakeEngine, settings: Any) -> str:
    settings.SIGHTLINE_MIN_FREE_BYTES = 1 << 60
    return "disk_full"


def forget_tracker(session: DetectionSession, engine: FakeEngine, settings: Any) -> str:
    VideoAnalysis.objects.update(tracker="psychic")
    return "invalid"


@pytest.mark.parametrize(
    "spoil", [fail("engine_closed"), lose_file, remove_file, fill_disk, forget_tracker]
)
def test_a_job_that_fails_says_why_and_leaves_nothing(
    user: Any,
    clip: Path,
    engine: FakeEngine,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Any,
) -> None:
    monkeypatch.setattr(running, "NOTE_SECONDS", 0.0)
    session = queue(user, clip)
    code = spoil(session, engine, settings)
    before = remains()
    session = execute(session)
    assert (session.status, session.job.error_code) == ("failed", code)
    assert session.job.error_message.endswith(".")
    assert remains() == before


def test_a_failed_video_is_retried(user: Any, clip: Path, engine: FakeEngine) -> None:
    session = queue(user, clip)
    engine.error = VisionError("engine_closed", "It does not work.")
    assert execute(session).status == "failed"
    engine.error = None
    retry_session(session=again(session))
    session = execute(session)
    assert (session.status, session.job.error_code, session.object_count) == ("done", "", 2)


def test_what_is_renamed_while_it_is_worked_on_keeps_its_name(
    user: Any, clip: Path, engine: FakeEngine
) -> None:
    session = queue(user, clip)
    on_call(2, engine, lambda: rename_session(session=again(session), name="Gate") and None)
    assert execute(session).name == "Gate"


def test_two_analyses_of_one_file_have_results_of_their_own(user: Any, clip: Path) -> None:
    first = execute(queue(user, clip))
    options = parse_video_options({"classes": "dog", "tracker": "iou"})
    second = execute(rerun_video(session=first, owner=user, options=options))
    assert (second.status, second.class_counts) == ("done", {"dog": 1})
    assert stored() == {"uploads": 1, "thumbnails": 1, "derived": 6}
    delete_session(session=first)
    assert stored() == RESULT
    assert Path(second.video.annotated.file.path).exists()
    delete_session(session=again(second))
    assert (stored(), set(rows().values())) == ({}, {0})


def test_with_its_owner_everything_goes(user: Any, clip: Path) -> None:
    execute(queue(user, clip, tasks="tracking,motion"))
    user.delete()
    assert (stored(), set(rows().values())) == ({}, {0})


def test_old_files_go_with_what_was_made_of_them_and_the_finds_stay(user: Any, clip: Path) -> None:
    session = execute(queue(user, clip))
    made = timezone.now() - timedelta(days=40)
    Upload.objects.update(created_at=made)
    DetectionSession.objects.update(created_at=made)
    set_retention(actor=None, picture_days=30, result_days=None)
    assert run_cleanup()["pictures"] == 1
    assert (stored(), DerivedFile.objects.count()) == ({}, 0)
    session = again(session)
    assert (session.video.annotated, session.video.snapshots, session.video.heat) == (None,) * 3
    assert (Track.objects.count(), TrajectoryChunk.objects.count()) == (2, 1)
    set_retention(actor=None, picture_days=30, result_days=35)
    run_cleanup()
    assert set(rows().values()) == {0}


def test_a_cleanup_takes_no_file_of_a_result_for_an_orphan(user: Any, clip: Path) -> None:
    execute(queue(user, clip))
    report = run_cleanup()
    assert (report["orphans"], stored()) == (0, RESULT)


def test_who_watches_sees_annotated_frames(
    user: Any, clip: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PREVIEW_SECONDS", 0.0)
    watched, unwatched = queue(user, clip), queue(user, clip)
    assert read_preview(str(watched.pk)) is None
    execute(watched)
    execute(unwatched)
    newest = read_preview(str(watched.pk))
    assert newest is not None
    assert (newest.number, newest.jpeg[:2]) == (20, b"\xff\xd8")
    assert read_preview(str(unwatched.pk)) is None


def test_progress_is_told_while_it_works(
    user: Any, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "NOTE_SECONDS", 0.0)
    monkeypatch.setattr("common.jobs.context.WRITE_INTERVAL", 0.0)
    told: list[tuple[float, str]] = []
    monkeypatch.setattr(
        "common.jobs.context.notify", lambda job: told.append((job.progress, job.message))
    )
    execute(queue(user, clip))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert len({share for share in shares if 0 < share < 0.98}) > 5
    assert any(message.startswith("10 frames") for _, message in told)


@pytest.fixture
def gate(engine: FakeEngine) -> Iterator[threading.Event]:
    """Holds the videos in the engine until it is opened; pictures pass with another model."""
    event = threading.Event()

    def before() -> None:
        if engine.calls[-1]["model"] == "yolov8n":
            event.wait(30)

    engine.before = before
    yield event
    event.set()


@pytest.mark.slow
def test_videos_do_not_hold_a_picture(
    worker: EmbeddedWorker, gate: threading.Event, api: APIClient, user: Any, clip: Path
) -> None:
    videos = [queue(user, clip) for _ in range(3)]
    first = videos[0]
    wait_for_job(first.job, State.RUNNING)
    image = SimpleUploadedFile("a.jpg", picture(), "image/jpeg")
    answer = api.post("/api/sessions/", {"image": image, "model": "yolov8s"}, format="multipart")
    quick = Job.objects.get(pk=answer.json()["job"])
    assert wait_for_job(quick).state == State.DONE
    states = sorted(again(video).status for video in videos)
    assert states == ["queued", "queued", "running"]  # one at a time
    gate.set()
    for video in videos:
        assert wait_for_job(video.job).state == State.DONE, video.job.error_message
    assert stored()["derived"] == 9


@pytest.mark.slow
def test_a_running_video_is_cancelled_over_rest(
    worker: EmbeddedWorker, gate: threading.Event, api: APIClient, user: Any, clip: Path
) -> None:
    session = queue(user, clip)
    queued = remains()
    wait_for_job(session.job, State.RUNNING)
    assert api.post(f"/api/videos/{session.pk}/cancel/").status_code == 200
    gate.set()
    assert wait_for_job(session.job).state == State.CANCELLED
    wait_until(lambda: remains() == queued)


def test_a_longer_clip_is_worked_on_in_bounded_time(user: Any, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "long.mp4", seconds=30)
    session = execute(queue(user, path, every=3))
    assert (session.status, session.video.statistics["frames"]) == ("done", 300)
