"""Whatever is sent as a video: a 4xx with a code and a sentence, and nothing is left behind."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from common.models import Upload
from detector.models import DetectionSession
from tests.integration.detector.conftest import picture, run_job
from tests.integration.video_analysis.remains import remains
from tests.vision.video_samples import (
    changing_size,
    claim_frames,
    cut,
    damage,
    noise,
    silent_headers,
    sound_only,
    sound_with_cover,
    write_clip,
)

# What is judged here is judged by the decoder's process, whatever the database.
pytestmark = [pytest.mark.django_db, pytest.mark.once]
# Beside a job a thread renews its lease; in a test's transaction it would wait for the database.
committed = pytest.mark.django_db(transaction=True)

PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
CONCAT = "ffconcat version 1.0\nfile '/etc/passwd'\n"
DASH = '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>'
WIDE = [np.zeros((4320, 7680, 3), np.uint8)]


def send(api: APIClient, data: bytes, name: str = "clip.mp4", **fields: Any) -> Any:
    video = SimpleUploadedFile(name, data, "video/mp4")
    return api.post("/api/videos/", {"video": video, **fields}, format="multipart")


def text(words: str) -> Callable[[Path], bytes]:
    return lambda folder: words.encode()


def clip(name: str = "a.mp4", **options: Any) -> Callable[[Path], bytes]:
    return lambda folder: write_clip(folder / name, **options).read_bytes()


def headless(folder: Path) -> bytes:
    """An MP4 whose index stood at the end that is missing."""
    return cut(write_clip(folder / "a.mp4", images=noise(24)), 0.6).read_bytes()


REFUSED: dict[str, tuple[Callable[[Path], bytes], int, str]] = {
    "an empty file": (lambda folder: b"", 400, "empty_file"),
    "text": (text("I am a video, believe me.\n" * 50), 415, "not_a_video"),
    "random bytes": (lambda folder: random.Random(3).randbytes(9000), 415, "not_a_video"),
    "a picture": (lambda folder: picture(), 415, "not_a_video"),
    "a playlist": (text(PLAYLIST), 415, "not_a_video"),
    "a concat file": (text(CONCAT), 415, "not_a_video"),
    "a DASH manifest": (text(DASH), 415, "not_a_video"),
    "audio only": (lambda f: sound_only(f / "a.mp4").read_bytes(), 415, "no_video_stream"),
    "a song with its cover": (
        lambda f: sound_with_cover(f / "a.mkv").read_bytes(),
        415,
        "no_video_stream",
    ),
    "8K": (clip(images=WIDE, options={"preset": "ultrafast"}), 413, "video_too_large"),
    "an index that is cut off": (headless, 422, "truncated_video"),
    "a claim of a billion frames": (
        lambda f: claim_frames(write_clip(f / "a.mp4"), 1_000_000_000).read_bytes(),
        422,
        "",
    ),
    "only the head of a file": (lambda f: clip()(f)[:40], 422, ""),
    "an MPEG transport stream": (clip("a.ts"), 415, "unsupported_container"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_video_is_refused_and_leaves_nothing(
    api: APIClient, tmp_path: Path, case: str
) -> None:
    make, status, code = REFUSED[case]
    before = remains()
    answer = send(api, make(tmp_path))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code or error["code"])
    assert error["message"].endswith((".", "!"))
    assert error["fields"] == {"video": error["message"]}
    assert "/etc/passwd" not in error["message"]
    assert "Traceback" not in error["message"]
    assert remains() == before


ACCEPTED: dict[str, Callable[[Path], bytes]] = {
    "1 frame a second": clip(frames=3, rate=1),
    "240 frames a second": clip(frames=48, rate=240),
    "10 bit": clip(codec="libx265", pixel_format="yuv420p10le"),
    "odd sides": clip("a.mkv", codec="libvpx-vp9", images=noise(6, 97, 63)),
    "no length in its header": lambda f: silent_headers(f / "a.webm").read_bytes(),
    "another size in the middle": lambda f: changing_size(
        f / "a.avi", [(96, 64)] * 5 + [(64, 96)] * 5
    ).read_bytes(),
    "damage in the middle": lambda f: damage(
        write_clip(f / "a.mp4", images=noise(24), container_options={"movflags": "faststart"}),
        0.5,
        0.55,
    ).read_bytes(),
    "a video that is called a text": clip(),
}


@committed
@pytest.mark.parametrize("case", ACCEPTED)
def test_what_is_odd_is_analysed_all_the_same(
    api: APIClient, engine: Any, tmp_path: Path, case: str
) -> None:
    answer = send(api, ACCEPTED[case](tmp_path), "notes.txt")
    assert answer.status_code == 201, answer.content
    session = run_job(DetectionSession.objects.get())
    assert (session.status, session.job.error_message) == ("done", "")
    assert session.video.statistics["frames"] > 0


@committed
def test_a_video_that_is_cut_off_is_analysed_as_far_as_it_goes(
    api: APIClient, engine: Any, tmp_path: Path
) -> None:
    path = write_clip(
        tmp_path / "a.mp4", images=noise(48), container_options={"movflags": "faststart"}
    )
    answer = send(api, cut(path, 0.6).read_bytes())
    assert answer.status_code == 201, answer.content
    session = run_job(DetectionSession.objects.get())
    statistics = session.video.statistics
    assert (session.status, statistics["truncated"]) == ("done", True)
    assert 10 < statistics["frames"] < 48
    assert session.video.duration == statistics["duration"] < 4


LIMITS = [
    ({"SIGHTLINE_MAX_VIDEO_SECONDS": 0.5}, 413, "video_too_long"),
    ({"SIGHTLINE_MAX_VIDEO_PIXELS": 96 * 63}, 413, "video_too_large"),
    ({"SIGHTLINE_MAX_VIDEO_BYTES": 500}, 413, "file_too_large"),
    ({"SIGHTLINE_MIN_FREE_BYTES": 1 << 60}, 507, "disk_full"),
]


@pytest.mark.parametrize(("limits", "status", "code"), LIMITS)
def test_limits_are_the_installations(
    api: APIClient,
    settings: Any,
    tmp_path: Path,
    limits: dict[str, float],
    status: int,
    code: str,
) -> None:
    for name, value in limits.items():
        setattr(settings, name, value)
    before = remains()
    answer = send(api, clip()(tmp_path))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert remains() == before


@committed
def test_a_length_that_the_header_hides_is_found_out_by_the_job(
    api: APIClient, engine: Any, settings: Any, tmp_path: Path
) -> None:
    data = silent_headers(tmp_path / "a.webm").read_bytes()
    settings.SIGHTLINE_MAX_VIDEO_SECONDS = 1
    answer = send(api, data)
    if answer.status_code == 413:  # found out by looking through the file
        assert answer.json()["error"]["code"] == "video_too_long"
        return
    before = remains()
    session = run_job(DetectionSession.objects.get())
    assert (session.status, session.job.error_code) == ("failed", "video_too_long")
    assert remains() == before


def test_a_request_without_one_video_is_refused(api: APIClient, tmp_path: Path) -> None:
    data = clip()(tmp_path)
    before = remains()
    none = api.post("/api/videos/", {"name": "x"}, format="multipart")
    as_json = api.post("/api/videos/", {"video": "x"}, format="json")
    as_text = api.post("/api/videos/", {"video": "x"}, format="multipart")
    videos = [SimpleUploadedFile(name, data) for name in ("a.mp4", "b.mp4")]
    two = api.post("/api/videos/", {"video": videos}, format="multipart")
    found = [(a.status_code, a.json()["error"]["code"]) for a in (none, as_json, as_text, two)]
    assert found == [(400, "missing_video")] * 3 + [(400, "too_many_files")]
    assert api.post("/api/videos/", data, content_type="video/mp4").status_code == 415
    assert remains() == before


WRONG = {
    "tasks": ["dance"],
    "tracker": "psychic",
    "every": "0",
    "between": "lines",
    "styles": "sepia",
    "motion_method": "eyes",
    "minimum_area": "2",
    "gate": "perhaps",
    "pixels_per_metre": "-3",
    "model": "yolov0",
    "confidence": "2",
    "iou": "much",
    "classes": "unicorn",
}


@pytest.mark.parametrize("field", WRONG)
def test_an_option_that_makes_no_sense_is_refused_by_its_name(
    api: APIClient, video_session: Any, tmp_path: Path, field: str
) -> None:
    before = remains()
    uploaded = send(api, clip()(tmp_path), **{field: WRONG[field]})
    again = api.post(f"/api/videos/{video_session.pk}/rerun/", {field: WRONG[field]}, format="json")
    for answer in (uploaded, again):
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])
    assert remains() == before


ODD: list[dict[str, Any]] = [
    {"every": 1.5},
    {"every": "nan"},
    {"every": "1e400"},
    {"every": True},
    {"every": [2]},
    {"tracker": {"a": 1}},
    {"tracker": ["sort"]},
    {"tasks": {"tracking": 1}},
    {"styles": [["boxes"]]},
    {"gate": 2},
    {"confidence": {}},
    {"model": ["yolov8n"]},
    {"model": "yolov8n-pose"},
    {"styles": ["masks"], "model": "yolov8n"},
    {"classes": [{"a": 1}]},
    {"classes": "x," * 2000},
    {"minimum_area": "\x00"},
    {"tasks": ["activity"], "classes": ["dog"]},
]


@pytest.mark.parametrize("change", ODD)
def test_options_of_an_odd_type_are_refused(
    api: APIClient, video_session: Any, change: dict[str, Any]
) -> None:
    answer = api.post(f"/api/videos/{video_session.pk}/rerun/", change, format="json")
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["fields"]


@pytest.mark.parametrize("body", [b"[]", b"null", b"3", b'"x"', b"{", b"\xff"])
def test_a_body_that_is_no_object_is_refused(
    api: APIClient, video_session: Any, body: bytes
) -> None:
    path = f"/api/videos/{video_session.pk}/rerun/"
    assert api.post(path, body, content_type="application/json").status_code == 400


NAMES = ["../../etc/passwd", "\x00\x1b[31m.mp4", "a" * 400 + ".mp4", "<script>.mp4", "‮4pm.mp4"]


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_cleaned(api: APIClient, tmp_path: Path, name: str) -> None:
    answer = send(api, clip()(tmp_path), name)
    assert answer.status_code == 201, answer.content
    shown = answer.json()["file"]["name"]
    assert len(shown) <= 200
    assert not set(shown) & set("/\\<>\x00\x1b\u202e")
    stored = Path(Upload.objects.get().file.path)
    assert stored.is_relative_to(django_settings.MEDIA_ROOT)


def test_what_follows_the_list_of_videos_is_no_secret_door(
    api: APIClient, video_session: Any
) -> None:
    for rest in (
        *("tracks/-1/", "tracks/x/trajectory", "tracks/99999999999999999999/", "events/99/x"),
        *("annotated.mp4/", "heat.jpg", "tracks/1/trajectory/../../", "export/json"),
    ):
        assert api.get(f"/api/videos/{video_session.pk}/{rest}").status_code == 404, rest
