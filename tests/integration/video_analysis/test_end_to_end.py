"""Real clips, the real engine: what is uploaded over REST, is worked on, and is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from detection_project.embedded import EmbeddedWorker
from detector.models import DetectionSession
from tests.integration.conftest import wait_for_job
from tests.integration.video_analysis.remains import stored, work

pytestmark = [
    *(pytest.mark.slow, pytest.mark.data, pytest.mark.weights, pytest.mark.timeout(300)),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("real_engine"),
]


def cut_clip(source: Path, target: Path, *, frames: int) -> Path:
    """Write the first frames of a video as they are, without encoding them again."""
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        stream = given.streams.video[0]
        copy = made.add_stream_from_template(stream)
        for number, packet in enumerate(given.demux(stream)):
            if number >= frames or packet.dts is None:
                break
            packet.stream = copy
            made.mux(packet)
    return target


def analyse(api: APIClient, path: Path, **options: Any) -> dict[str, Any]:
    """Upload a video, wait until it is done, and return what is told of it."""
    video = SimpleUploadedFile(path.name, path.read_bytes(), "video/mp4")
    answer = api.post("/api/videos/", {"video": video, **options}, format="multipart")
    assert answer.status_code == 201, answer.content
    session = DetectionSession.objects.select_related("job").get(pk=answer.json()["id"])
    for _ in range(10):  # a busy machine takes its time
        try:
            wait_for_job(session.job)
            break
        except AssertionError:
            continue
    told: dict[str, Any] = api.get(f"/api/videos/{session.pk}/").json()
    assert (told["status"], told["error"]) == ("done", None)
    return told


def get(api: APIClient, path: str, **query: Any) -> Any:
    return json.loads(b"".join(api.get(path, query)))


def test_people_in_the_street_are_followed(
    worker: EmbeddedWorker, api: APIClient, test_data: Path, tmp_path: Path
) -> None:
    path = cut_clip(test_data / "videos" / "vtest_480x360.mp4", tmp_path / "a.mp4", frames=60)
    told = analyse(
        api,
        path,
        tasks="tracking,motion,activity",
        styles="boxes,trails,heat",
        classes="person",
        pixels_per_metre=20,
    )
    assert told["model"] == "yolov8n"
    assert 5 <= told["track_count"] <= 25
    assert told["class_counts"] == {"person": told["track_count"]}
    assert (told["statistics"]["frames"], told["statistics"]["truncated"]) == (60, False)
    assert told["statistics"]["classes"]["person"]["most_at_once"] >= 4

    rows = get(api, told["links"]["tracks"])["results"]
    longest = max(rows, key=lambda row: row["points"])
    assert longest["points"] >= 40
    assert 0 <= longest["mean_speed_mps"] < 10
    way = get(api, longest["trajectory"])
    feet = np.array(way["feet"])
    assert feet.min() > -20
    assert np.all(feet.max(axis=0) < (500, 380))
    assert sum(way["detected"]) > 30

    (motion,) = get(api, told["links"]["motion"])["results"]
    assert motion["end"] - motion["start"] > 3
    happened = get(api, told["links"]["activities"])["results"]
    assert {row["kind"] for row in happened} <= {"activity", "group"}
    log = get(api, told["links"]["export"])["frames"]
    assert len(log) >= 50
    annotated = tmp_path / "annotated.mp4"
    annotated.write_bytes(b"".join(api.get(told["links"]["annotated"])))
    (size, times), (_, given) = shown(annotated), shown(path)
    assert size == (480, 360)
    assert len(times) == len(given) == 60
    assert np.abs(times - given).max() < 0.05
    assert stored() == {"uploads": 1, "thumbnails": 1, "derived": 3}
    assert work() == []


def shown(path: Path) -> tuple[tuple[int, int], Any]:
    """The size of a video, and the seconds at which its frames are shown, the first at 0."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        times = np.array([frame.time for frame in file.decode(stream)])
        return (stream.width, stream.height), times - times[0]


def test_what_one_person_does_before_a_camera_is_told(
    worker: EmbeddedWorker, api: APIClient, test_data: Path
) -> None:
    path = test_data / "videos" / "gestures" / "walk.mkv"
    _, times = shown(path)
    told = analyse(api, path, tasks="activity", every=3)
    assert told["file"]["container"] == "matroska"
    assert told["statistics"]["frames"] == len(times)
    assert told["statistics"]["frames_detected"] == -(-len(times) // 3)
    assert 1 <= told["class_counts"]["person"] <= 3
    rows = get(api, told["links"]["tracks"], **{"class": "person"})["results"]
    assert max(row["points"] for row in rows) > len(times) / 3
