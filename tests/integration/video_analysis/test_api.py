"""Videos over REST: uploaded, listed, looked at, changed, and read part by part."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from common.jobs.queues import LONG_QUEUE
from common.models import AuditEntry, DerivedFile, Job, Upload
from common.previews import Preview, write_preview
from common.uploads.services import remove_pictures
from detector.models import DetectionSession
from tests.integration.conftest import make_user
from tests.integration.detector.conftest import make_session
from video_analysis.models import VideoAnalysis

pytestmark = pytest.mark.django_db

Make = Callable[..., DetectionSession]


def send(api: APIClient, path: Path, **fields: Any) -> Any:
    video = SimpleUploadedFile(path.name, path.read_bytes(), "video/mp4")
    return api.post("/api/videos/", {"video": video, **fields}, format="multipart")


def at(session: DetectionSession, rest: str = "") -> str:
    return f"/api/videos/{session.pk}/{rest}"


def body_of(response: Any) -> bytes:
    return b"".join(response)


def test_a_video_is_uploaded_with_its_options(token_api: APIClient, clip: Path) -> None:
    answer = send(
        token_api,
        clip,
        name="Yard, north",
        tasks=["tracking", "motion"],
        styles="trails,blur",
        every=2,
        classes="person,dog",
        gate="true",
        pixels_per_metre="80",
    )
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert answer["Location"] == told["links"]["self"] == f"/api/videos/{told['id']}/"
    assert (told["name"], told["status"], told["source"]) == ("Yard, north", "queued", "api")
    assert told["options"] == {
        "model": "yolov8n",
        "confidence": 0.25,
        "iou": 0.7,
        "classes": ["person", "dog"],
        "tasks": ["tracking", "motion"],
        "styles": ["trails", "blur"],
        "tracker": "bytetrack",
        "every": 2,
        "between": "predict",
        "motion_method": "mog2",
        "minimum_area": 0.002,
        "gate": True,
        "pixels_per_metre": 80.0,
    }
    file = told["file"]
    assert (file["name"], file["bytes"]) == ("street.mp4", clip.stat().st_size)
    assert (file["container"], file["codec"], file["has_audio"]) == ("mp4", "h264", False)
    assert (file["width"], file["height"], file["frames"]) == (160, 120, 20)
    assert file["duration"] == pytest.approx(2.0, abs=0.05)
    assert file["rate"] == pytest.approx(10.0)
    assert (told["frames_done"], told["seconds_left"], told["statistics"]) == (0, None, {})
    job = Job.objects.get(pk=told["job"])
    assert (job.queue, job.state) == (LONG_QUEUE, Job.State.QUEUED)
    assert Upload.objects.get().thumbnail_size > 0


def test_what_is_told_of_a_video_that_is_done(api: APIClient, video_session: Any) -> None:
    told = api.get(at(video_session)).json()
    assert (told["status"], told["progress"], told["error"]) == ("done", 1.0, None)
    assert (told["track_count"], told["class_counts"]) == (3, {"person": 1, "car": 1, "dog": 1})
    assert told["statistics"]["timeline"]["step"] == 1
    assert told["model"] == "yolov8n"
    assert told["access"] == ["view", "change", "delete", "share"]
    for name, link in told["links"].items():
        query = {"from": 0, "to": 2} if name == "overlay" else {}
        assert api.get(link, query).status_code in (200, 204), name


def test_a_list_leaves_series_out_and_has_no_query_per_video(
    api: APIClient, make_video_session: Make
) -> None:
    make_video_session()
    api.get("/api/videos/")
    with CaptureQueriesContext(connection) as one:
        (told,) = api.get("/api/videos/").json()["results"]
    assert "timeline" not in told["statistics"]
    assert told["statistics"]["tracks"] == 3
    for _ in range(3):
        make_video_session()
    with CaptureQueriesContext(connection) as four:
        assert len(api.get("/api/videos/").json()["results"]) == 4
    assert len(four) == len(one)


def test_pictures_are_no_videos(api: APIClient, user: Any, video_session: Any) -> None:
    picture = make_session(user)
    assert [row["id"] for row in api.get("/api/videos/").json()["results"]] == [
        str(video_session.pk)
    ]
    for rest in ("", "tracks/", "motion/", "annotated.mp4", "export"):
        assert api.get(at(picture, rest)).status_code == 404
    assert api.delete(at(picture)).status_code == 404


FILTERS = [
    ({}, {"one", "two"}),
    ({"q": "ON"}, {"one"}),
    ({"class": "person"}, {"one"}),
    ({"class": "zebra"}, set()),
    ({"owner": "me"}, {"one", "two"}),
    ({"owner": "others"}, set()),
    ({"status": "done"}, {"one"}),
    ({"status": "running"}, {"two"}),
    ({"task": "segment"}, set()),
    ({"from": "2001-01-01"}, {"one", "two"}),
    ({"to": "2001-01-01"}, set()),
]


@pytest.mark.parametrize(("query", "names"), FILTERS)
def test_a_list_is_filtered(
    api: APIClient, make_video_session: Make, query: dict[str, str], names: set[str]
) -> None:
    make_video_session(name="one")
    make_video_session(name="two", status="running")
    rows = api.get("/api/videos/", query).json()["results"]
    assert {row["name"] for row in rows} == names


@pytest.mark.parametrize(
    ("query", "field"),
    [({"status": "x"}, "status"), ({"order": "x"}, "order"), ({"from": "x"}, "from")],
)
def test_a_filter_that_makes_no_sense_is_refused(
    api: APIClient, query: dict[str, str], field: str
) -> None:
    answer = api.get("/api/videos/", query)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]


def test_while_it_runs_the_row_says_how_far_it_is(api: APIClient, make_video_session: Make) -> None:
    running = make_video_session(status="running")
    VideoAnalysis.objects.filter(pk=running.pk).update(
        frames_done=7, frames_per_second=31.5, seconds_left=0.4
    )
    told = api.get(at(running)).json()
    assert (told["frames_done"], told["frames_per_second"]) == (7, 31.5)
    assert (told["seconds_left"], told["progress"]) == (0.4, 0.4)
    Job.objects.filter(pk=running.job_id).update(state="cancelled")
    assert api.get(at(running)).json()["seconds_left"] is None


def test_a_video_is_renamed_shared_and_deleted(
    api: APIClient, user: Any, video_session: Any, django_capture_on_commit_callbacks: Any
) -> None:
    group = Group.objects.create(name="Night")
    user.groups.add(group)
    told = api.patch(at(video_session), {"name": " New\nname ", "shared_with": group.pk}).json()
    assert (told["name"], told["shared_with"]) == ("New name", {"id": group.pk, "name": "Night"})
    assert api.patch(at(video_session), {}).status_code == 400
    files = [row.file for row in DerivedFile.objects.all()] + [video_session.upload.file]
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(at(video_session)).status_code == 204
    assert not any(file.storage.exists(file.name) for file in files)
    assert not any(model.objects.exists() for model in (Upload, DerivedFile, Job))
    assert api.get(at(video_session)).status_code == 404


STATES = [
    ("cancel", "queued", 200),
    ("cancel", "done", 409),
    ("cancel", "failed", 409),
    ("retry", "failed", 200),
    ("retry", "cancelled", 200),
    ("retry", "done", 409),
    ("retry", "running", 409),
]


@pytest.mark.parametrize(("verb", "state", "status"), STATES)
def test_what_can_be_done_depends_on_the_state(
    api: APIClient, make_video_session: Make, verb: str, state: str, status: int
) -> None:
    session = make_video_session(status=state)
    answer = api.post(at(session, f"{verb}/"))
    assert answer.status_code == status
    if status == 409:
        assert answer.json()["error"]["code"] in ("not_running", "not_failed")
    else:
        assert answer.json()["status"] == {"cancel": "cancelled", "retry": "queued"}[verb]


RERUNS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"tracker": "bytetrack", "styles": ["boxes", "trails"], "model": "yolov8n"}),
    ({"tracker": "sort", "every": 3}, {"tracker": "sort", "every": 3}),
    ({"classes": ["dog"], "tasks": ["tracking"]}, {"classes": ["dog"]}),
    ({"styles": ["none"]}, {"styles": ["none"], "model": "yolov8n"}),
    ({"styles": ["boxes", "masks"]}, {"model": "yolov8n-seg"}),
    ({"pixels_per_metre": 40}, {"pixels_per_metre": 40.0}),
    ({"tasks": ["motion"], "gate": True}, {"tasks": ["motion"], "gate": True}),
]


@pytest.mark.parametrize(("change", "expected"), RERUNS)
def test_a_video_is_analysed_again_with_other_options(
    api: APIClient, video_session: Any, change: dict[str, Any], expected: dict[str, Any]
) -> None:
    answer = api.post(at(video_session, "rerun/"), change, format="json")
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert told["id"] != str(video_session.pk)
    assert (told["status"], told["name"]) == ("queued", video_session.name)
    assert {name: told["options"][name] for name in expected} == expected
    assert Upload.objects.count() == 1
    # Of two analyses of one file, deleting the one leaves the other its file.
    assert api.delete(at(video_session)).status_code == 204
    assert api.get(f"/api/videos/{told['id']}/original/").status_code == 200


def test_a_scale_can_be_taken_back(api: APIClient, video_session: Any) -> None:
    VideoAnalysis.objects.update(pixels_per_metre=50.0)
    kept = api.post(at(video_session, "rerun/"), {"every": 2}, format="json").json()
    gone = api.post(at(video_session, "rerun/"), {"pixels_per_metre": None}, format="json").json()
    assert kept["options"]["pixels_per_metre"] == 50.0
    assert gone["options"]["pixels_per_metre"] is None


def test_tracks_are_read_in_pages(api: APIClient, make_video_session: Make) -> None:
    session = make_video_session(tracks=7, seconds=30)
    first = api.get(at(session, "tracks/"), {"page_size": 4}).json()
    second = api.get(first["next"]).json()
    assert [row["number"] for row in first["results"]] == [1, 2, 3, 4]
    assert [row["number"] for row in second["results"]] == [5, 6, 7]
    track = first["results"][0]
    assert (track["class"], track["class_id"]) == ("person", 0)
    assert (track["start"], track["points"]) == (0.0, 200)
    assert track["dwell"] == pytest.approx(19.9)
    assert track["path_length"] > 0
    assert (track["entry_side"], track["path_length_m"]) == ("inside", None)
    assert api.get(at(session, "tracks/1/")).json() == track
    assert api.get(at(session, "tracks/99/")).status_code == 404


TRACK_FILTERS = [
    ({"class": "dog"}, [3]),
    ({"class": "zebra"}, []),
    ({"min_seconds": "1.2"}, [1, 2, 3]),
    ({"min_seconds": "60"}, []),
]


@pytest.mark.parametrize(("query", "numbers"), TRACK_FILTERS)
def test_tracks_are_filtered(
    api: APIClient, video_session: Any, query: dict[str, str], numbers: list[int]
) -> None:
    rows = api.get(at(video_session, "tracks/"), query).json()["results"]
    assert [row["number"] for row in rows] == numbers


@pytest.mark.parametrize("value", ["x", "-1", "nan", "inf"])
def test_a_duration_that_makes_no_sense_is_refused(
    api: APIClient, video_session: Any, value: str
) -> None:
    answer = api.get(at(video_session, "tracks/"), {"min_seconds": value})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["min_seconds"])


def test_with_a_scale_speeds_are_in_metres(api: APIClient, video_session: Any) -> None:
    VideoAnalysis.objects.update(pixels_per_metre=50.0)
    track = api.get(at(video_session, "tracks/1/")).json()
    assert track["mean_speed_mps"] == pytest.approx(track["mean_speed"] / 50, abs=0.01)
    assert track["path_length_m"] == pytest.approx(track["path_length"] / 50, abs=0.01)


def test_a_trajectory_is_json_a_table_or_motchallenge(api: APIClient, video_session: Any) -> None:
    path = at(video_session, "tracks/2/trajectory")
    told = json.loads(body_of(api.get(path)))
    assert (told["number"], told["class"], told["class_id"]) == (2, "car", 2)
    columns = [told[name] for name in ("times", "boxes", "feet", "confidence", "detected")]
    assert {len(column) for column in columns} == {14}
    assert told["times"][:3] == [0.3, 0.4, 0.5]
    x, y, width, height = told["boxes"][0]
    assert told["feet"][0] == pytest.approx([x + width / 2, y + height], abs=0.02)
    assert told["detected"][:2] == [True, False]
    assert told["figures"]["points"] == 14

    table = body_of(api.get(path, {"format": "csv"})).decode("utf-8-sig").splitlines()
    assert table[0] == "track,class_id,class,time,x,y,width,height,confidence,detected"
    assert len(table) == 15
    assert table[1].startswith("2,2,car,0.30000,")
    lines = body_of(api.get(path, {"format": "mot"})).decode().splitlines()
    assert len(lines) == 14
    assert lines[0].startswith("4,2,")
    assert api.get(path, {"format": "xml"}).status_code == 400


def test_motion_activities_and_their_pictures(api: APIClient, video_session: Any) -> None:
    (motion,) = api.get(at(video_session, "motion/")).json()["results"]
    assert (motion["start"], motion["end"], motion["kind"]) == (0.2, 1.4, "motion")
    assert motion["area"] == [10.0, 20.0, 50.0, 50.0]
    jpeg = api.get(motion["snapshot"])
    assert (jpeg["Content-Type"], jpeg.content[:2]) == ("image/jpeg", b"\xff\xd8")
    rows = api.get(at(video_session, "activities/")).json()["results"]
    assert [(row["kind"], row["label"]) for row in rows] == [
        ("activity", "walking"),
        ("group", "meeting"),
    ]
    assert rows[0]["tracks"] == [1]
    assert rows[0]["reason"]
    meetings = api.get(at(video_session, "activities/"), {"label": "meeting"}).json()["results"]
    assert [row["label"] for row in meetings] == ["meeting"]
    assert api.get(at(video_session, f"events/{rows[0]['number']}/snapshot.jpg")).status_code == 404


def test_the_best_look_of_a_track_is_kept_by_the_browser(
    api: APIClient, video_session: Any
) -> None:
    link = api.get(at(video_session, "tracks/3/")).json()["snapshot"]
    first = api.get(link)
    assert first.content[:2] == b"\xff\xd8"
    assert first["Cache-Control"].startswith("private")
    again = api.get(link, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = api.get(link.replace("/3/", "/2/"))
    assert other.content != first.content


def test_files_are_served_in_parts(api: APIClient, video_session: Any, clip: Path) -> None:
    data = clip.read_bytes()
    for rest in ("annotated.mp4", "original/"):
        part = api.get(at(video_session, rest), headers={"Range": "bytes=10-19"})
        assert (part.status_code, body_of(part)) == (206, data[10:20])
        assert part["Content-Range"] == f"bytes 10-19/{len(data)}"
        assert part["Content-Type"] == "video/mp4"
        whole = api.get(at(video_session, rest))
        assert body_of(whole) == data
        behind = api.get(at(video_session, rest), headers={"Range": f"bytes={len(data)}-"})
        assert behind.status_code == 416
    assert (
        'filename="street-annotated.mp4"'
        in api.get(at(video_session, "annotated.mp4"))["Content-Disposition"]
    )
    heat = api.get(at(video_session, "heat.png"))
    assert body_of(heat)[:4] == b"\x89PNG"
    assert body_of(api.get(at(video_session, "thumbnail/")))[:2] == b"\xff\xd8"


def test_before_it_is_done_there_is_nothing_to_download(
    api: APIClient, make_video_session: Make
) -> None:
    running = make_video_session(status="running")
    for rest in ("annotated.mp4", "heat.png", "export", "overlay/?from=0&to=1"):
        answer = api.get(at(running, rest))
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_done"), rest
    assert api.get(at(running, "tracks/")).json()["results"] == []
    assert api.get(at(running, "original/")).status_code == 200


def test_the_newest_frame_is_seen_while_it_runs(api: APIClient, make_video_session: Make) -> None:
    running = make_video_session(status="running")
    assert api.get(at(running, "preview.jpg")).status_code == 204
    write_preview(str(running.pk), Preview(41, b"\xff\xd8 newest"))
    answer = api.get(at(running, "preview.jpg"))
    assert (answer.content, answer["X-Frame"]) == (b"\xff\xd8 newest", "41")
    assert "no-store" in answer["Cache-Control"]


OVERLAYS: list[tuple[dict[str, Any], int]] = [
    ({"from": "0", "to": "2"}, 200),
    ({"from": "1.5", "to": "1.5"}, 200),
    ({"from": "5000", "to": "5100"}, 200),
    ({"from": "0", "to": "121"}, 400),
    ({"from": "2", "to": "1"}, 400),
    ({"from": "-1", "to": "1"}, 400),
    ({"from": "nan", "to": "1"}, 400),
    ({"from": "x", "to": "1"}, 400),
    ({"to": "1"}, 400),
    ({}, 400),
]


@pytest.mark.parametrize(("query", "status"), OVERLAYS)
def test_tracks_of_some_seconds(
    api: APIClient, video_session: Any, query: dict[str, Any], status: int
) -> None:
    answer = api.get(at(video_session, "overlay/"), query)
    assert answer.status_code == status
    if status == 200 and float(query["from"]) < 2:
        track = answer.json()["tracks"][0]
        assert len(track["b"]) == 4 * len(track["t"]) == 4 * len(track["p"])


PARTS = (
    *("", "tracks/", "tracks/1/", "tracks/1/trajectory", "tracks/1/snapshot.jpg", "motion/"),
    *("activities/", "events/1/snapshot.jpg", "original/", "thumbnail/", "annotated.mp4"),
    *("heat.png", "preview.jpg", "overlay/?from=0&to=1", "export"),
)


@pytest.mark.parametrize("rest", PARTS)
def test_others_find_nothing_and_strangers_are_told_to_sign_in(
    other_api: APIClient, client: Client, video_session: Any, rest: str
) -> None:
    assert other_api.get(at(video_session, rest)).status_code == 404
    assert client.get(at(video_session, rest)).status_code == 401
    assert other_api.get(f"/api/videos/{uuid.uuid4()}/{rest}").status_code == 404


def test_a_viewer_of_the_group_looks_and_changes_nothing(user: Any, video_session: Any) -> None:
    group = Group.objects.create(name="Night")
    viewer = make_user("vera", "viewer")
    viewer.groups.add(group)
    DetectionSession.objects.update(shared_with=group)
    api = APIClient()
    api.force_authenticate(viewer)
    assert api.get(at(video_session)).json()["access"] == ["view"]
    assert api.get(at(video_session, "annotated.mp4")).status_code == 200
    for verb in ("cancel/", "retry/", "rerun/"):
        assert api.post(at(video_session, verb)).status_code == 403
    assert api.patch(at(video_session), {"name": "x"}).status_code == 403
    assert api.delete(at(video_session)).status_code == 403
    assert api.post("/api/videos/", {}, format="multipart").status_code == 403


def test_who_looks_at_and_takes_away_what_others_have_shared_is_written_down(
    other_api: APIClient, other_user: Any, video_session: Any
) -> None:
    group = Group.objects.create(name="Night")
    other_user.groups.add(group)
    DetectionSession.objects.update(shared_with=group)
    for rest in ("annotated.mp4", "original/", "tracks/1/snapshot.jpg"):
        other_api.get(at(video_session, rest))
    body_of(other_api.get(at(video_session, "export"), {"format": "csv"}))
    entries = AuditEntry.objects.filter(actor_id=other_user.pk).order_by("id")
    assert [entry.action for entry in entries] == ["viewed", "exported"]
    assert entries[1].details == {"format": "csv"}


def test_a_video_among_sessions_points_to_where_videos_are(
    api: APIClient, video_session: Any
) -> None:
    (told,) = api.get("/api/sessions/").json()["results"]
    pk = video_session.pk
    assert (told["kind"], told["links"]["self"]) == ("video", f"/api/videos/{pk}/")
    assert all(api.get(link).status_code == 200 for link in told["links"].values())
    assert api.get(f"/api/sessions/{pk}/").json()["links"] == told["links"]
    for verb, rest in (("post", "rerun/"), ("get", "picture/"), ("get", "export/")):
        answer = getattr(api, verb)(f"/api/sessions/{pk}/{rest}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "is_a_video")


def test_when_the_file_is_gone_what_was_found_stays(
    api: APIClient, video_session: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        remove_pictures(uploads=[video_session.upload])
    assert api.get(at(video_session)).json()["file"]["removed_at"]
    for rest in ("annotated.mp4", "heat.png", "original/", "thumbnail/", "tracks/1/snapshot.jpg"):
        answer = api.get(at(video_session, rest))
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "picture_removed"), (
            rest
        )
    assert api.get(at(video_session, "tracks/1/")).json()["snapshot"] is None
    assert body_of(api.get(at(video_session, "tracks/1/trajectory")))
    assert body_of(api.get(at(video_session, "export")))
    assert api.post(at(video_session, "rerun/")).json()["error"]["code"] == "picture_removed"
