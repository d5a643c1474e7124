"""The pages of videos: what they show in each state, whose they are, and what they send."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from common.models import AuditEntry, Upload
from common.previews import Preview, is_watched, write_preview
from common.uploads.services import remove_pictures
from detector.models import DetectionSession
from video_analysis.models import VideoAnalysis
from video_analysis.services.presenting import overlay_window
from vision.drawing.palette import class_color

pytestmark = pytest.mark.django_db

Make = Callable[..., DetectionSession]
OWN = [
    ("get", ""),
    ("get", "original"),
    ("get", "annotated.mp4"),
    ("get", "heat.png"),
    ("get", "preview.jpg"),
    ("get", "overlay/?from=0&to=1"),
    ("get", "tracks/"),
    ("get", "tracks/1/snapshot.jpg"),
    ("get", "events/1/snapshot.jpg"),
    ("get", "export/csv"),
    ("post", "rerun/"),
]
OTHERS = [("get", "/videos/new/"), ("post", "/videos/create/")]
AS_JSON = {"Accept": "application/json"}


@pytest.fixture
def page(signed_in: Client, video_session: DetectionSession) -> Callable[[str], Any]:
    """Fetches a part of the page of a finished video."""
    return lambda tail: signed_in.get(f"/videos/{video_session.pk}/{tail}")


@pytest.mark.parametrize(("method", "tail"), OWN)
def test_somebody_elses_video_is_not_there(
    client: Client, other_user: Any, video_session: DetectionSession, method: str, tail: str
) -> None:
    client.force_login(other_user)
    for session_id in (video_session.pk, uuid.uuid4()):
        assert getattr(client, method)(f"/videos/{session_id}/{tail}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [*OTHERS, *[(method, f"/videos/{{}}/{tail}") for method, tail in OWN]]
)
def test_who_is_not_signed_in_is_sent_to_sign_in(
    client: Client, video_session: DetectionSession, method: str, path: str
) -> None:
    address = path.format(video_session.pk)
    response = getattr(client, method)(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=")
    script = getattr(client, method)(address, headers=AS_JSON)
    assert (script.status_code, script.json()["error"]["code"]) == (401, "not_authenticated")


def test_a_foreign_form_changes_nothing(user: Any, video_session: DetectionSession) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    assert browser.post(f"/videos/{video_session.pk}/rerun/").status_code == 403
    assert DetectionSession.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("queued", "Waiting in the queue"),
        ("running", "48.2 a second"),
        ("failed", "The video is damaged."),
        ("cancelled", "nothing of the analysis is"),
        ("done", 'id="timeline"'),
    ],
)
def test_each_state_has_its_page(
    signed_in: Client, make_video_session: Make, status: str, words: str
) -> None:
    session = make_video_session(status=status)
    content = signed_in.get(f"/videos/{session.pk}/").content.decode()
    assert words in content
    assert f'data-status="{status}"' in content
    assert ('id="film"' in content) == (status == "done")


def test_a_video_has_its_page_at_the_address_of_sessions(
    signed_in: Client, video_session: DetectionSession
) -> None:
    response = signed_in.get(f"/sessions/{video_session.pk}/")
    assert (response.status_code, response["Location"]) == (302, f"/videos/{video_session.pk}/")
    for tail in ("picture", "export/json"):
        refused = signed_in.get(f"/sessions/{video_session.pk}/{tail}", headers=AS_JSON)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "is_a_video")


def test_the_page_of_videos_shows_no_pictures(signed_in: Client, make_video_session: Make) -> None:
    session = make_video_session()
    DetectionSession.objects.filter(pk=session.pk).update(kind=DetectionSession.Kind.IMAGE)
    assert signed_in.get(f"/videos/{session.pk}/").status_code == 404


@pytest.mark.parametrize("count", [1, 12])
def test_lists_ask_as_often_for_many_videos_as_for_one(
    signed_in: Client,
    make_video_session: Make,
    count: int,
    django_assert_max_num_queries: Any,
) -> None:
    for _ in range(count):
        make_video_session(tracks=1)
    for address in ("/", "/sessions/?kind=video"):
        with django_assert_max_num_queries(10):
            content = signed_in.get(address).content.decode()
        assert content.count('class="session-length num"') == count
        assert "0:02</span>" in content


def test_the_list_is_narrowed_by_kind_and_by_the_classes_of_tracks(
    signed_in: Client, video_session: DetectionSession
) -> None:
    for query, found in (
        ("kind=video", True),
        ("kind=image", False),
        ("class=person", True),
        ("class=zebra", False),
    ):
        content = signed_in.get(f"/sessions/?{query}").content.decode()
        assert (f"/videos/{video_session.pk}/" in content) == found, query


def test_the_original_comes_in_parts(page: Callable[[str], Any], clip: Path) -> None:
    data = clip.read_bytes()
    response = page("original")
    assert (response.status_code, response["Content-Type"]) == (200, "video/mp4")
    assert response["Accept-Ranges"] == "bytes"
    assert b"".join(response) == data
    assert page("annotated.mp4")["Content-Type"] == "video/mp4"


def test_a_part_of_the_original(
    signed_in: Client, video_session: DetectionSession, clip: Path
) -> None:
    response = signed_in.get(
        f"/videos/{video_session.pk}/original", headers={"Range": "bytes=100-199"}
    )
    assert response.status_code == 206
    assert b"".join(response) == clip.read_bytes()[100:200]


def test_pictures_of_tracks_and_events(page: Callable[[str], Any]) -> None:
    answer = page("tracks/").json()
    for track in answer["tracks"]:
        response = page(f"tracks/{track['n']}/snapshot.jpg")
        assert response["Content-Type"] == "image/jpeg"
        assert response.content[:2] == b"\xff\xd8"
        assert response.content[-2:] == b"\xff\xd9"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    for event in answer["events"]:
        expected = 200 if event["snapshot"] else 404
        assert page(f"events/{event['n']}/snapshot.jpg").status_code == expected
    assert page("tracks/99/snapshot.jpg").status_code == 404
    assert page("heat.png").status_code == 200


def test_tracks_and_events_as_data(page: Callable[[str], Any]) -> None:
    answer = page("tracks/").json()
    assert [track["n"] for track in answer["tracks"]] == [1, 2, 3]
    first = answer["tracks"][0]
    assert (first["class"], first["color"], first["snapshot"]) == ("person", class_color(1), True)
    assert first["end"] > first["start"] >= 0
    assert {item["name"]: item["count"] for item in answer["classes"]} == {
        "person": 1,
        "car": 1,
        "dog": 1,
    }
    kinds = [event["kind"] for event in answer["events"]]
    assert sorted(kinds) == ["activity", "group", "motion"]
    motion = answer["events"][kinds.index("motion")]
    assert motion["area"] == [10.0, 20.0, 50.0, 50.0]


def test_a_window_of_positions_reaches_one_point_beyond_it(
    video_session: DetectionSession,
) -> None:
    window = overlay_window(video_session.video, 0.45, 0.75)
    assert [track["n"] for track in window["tracks"]] == [1, 2, 3]
    first = window["tracks"][0]
    assert first["t"] == [0.4, 0.5, 0.6, 0.7, 0.8]
    assert len(first["b"]) == 4 * len(first["t"]) == 4 * len(first["c"]) == 4 * len(first["p"])
    assert first["p"] == [0, 1, 0, 1, 0]
    assert all(width == pytest.approx(160 * 0.12, abs=0.6) for width in first["b"][2::4])
    # Short enough for half a minute of many: no digits that nobody sees.
    assert max(len(repr(value)) for value in first["b"]) <= 5


@pytest.mark.parametrize(
    ("since", "until", "numbers"),
    [(0, 0.2, [1]), (1.95, 2.0, []), (50, 60, []), (0, 120, [1, 2, 3])],
)
def test_windows_hold_the_tracks_of_their_time(
    page: Callable[[str], Any], since: float, until: float, numbers: list[int]
) -> None:
    answer = page(f"overlay/?from={since}&to={until}").json()
    assert [track["n"] for track in answer["tracks"]] == numbers


def test_a_window_is_cut_from_all_chunks_of_its_time(make_video_session: Make) -> None:
    session = make_video_session(tracks=40, seconds=100.0, chunk=7)
    whole = {track["n"] for track in overlay_window(session.video, 0, 100)["tracks"]}
    parts = [overlay_window(session.video, at, at + 10)["tracks"] for at in range(0, 100, 10)]
    assert whole == set(range(1, 41))
    assert {track["n"] for part in parts for track in part} == whole


@pytest.mark.parametrize(
    "query", ["", "?from=0", "?from=a&to=2", "?from=-1&to=2", "?from=5&to=1", "?from=0&to=121",
              "?from=nan&to=1", "?from=0&to=inf"],
)  # fmt: skip
def test_windows_that_make_no_sense_are_refused(
    signed_in: Client, video_session: DetectionSession, query: str
) -> None:
    response = signed_in.get(f"/videos/{video_session.pk}/overlay/{query}", headers=AS_JSON)
    assert response.status_code == 400
    assert response.json()["error"]["message"].endswith(".")


@pytest.mark.parametrize("tail", ["tracks/", "overlay/?from=0&to=1", "export/json"])
def test_what_is_not_done_has_no_data(
    signed_in: Client, make_video_session: Make, tail: str
) -> None:
    session = make_video_session(status="running")
    response = signed_in.get(f"/videos/{session.pk}/{tail}", headers=AS_JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "not_done")


def test_the_newest_frame_is_shown_and_never_kept(
    signed_in: Client, make_video_session: Make
) -> None:
    session = make_video_session(status="running")
    address = f"/videos/{session.pk}/preview.jpg"
    assert signed_in.get(address).status_code == 204
    assert is_watched(str(session.pk))
    write_preview(str(session.pk), Preview(12, b"\xff\xd8jpeg"))
    response = signed_in.get(address)
    assert (response["X-Frame"], response.content) == ("12", b"\xff\xd8jpeg")
    assert "no-store" in response["Cache-Control"]


def test_a_removed_video_says_so_and_keeps_its_tracks(
    signed_in: Client, video_session: DetectionSession, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        remove_pictures(uploads=list(Upload.objects.all()))
    content = signed_in.get(f"/videos/{video_session.pk}/").content.decode()
    assert f"removed on {timezone.localdate():%-d %B %Y}" in content
    assert 'id="film"' not in content
    assert "Run again" not in content.split("<dialog")[0]
    base = f"/videos/{video_session.pk}/"
    assert len(signed_in.get(base + "tracks/").json()["tracks"]) == 3
    assert signed_in.get(base + "original").status_code == 410
    for tail in ("annotated.mp4", "heat.png", "tracks/1/snapshot.jpg"):
        assert signed_in.get(base + tail).status_code == 410
    assert "was removed" in signed_in.get("/sessions/").content.decode()


@pytest.mark.parametrize(
    ("changes", "statistics", "words"),
    [
        ({"model": "opencv-fallback", "notice": "The weights are missing."}, {}, "are missing"),
        ({}, {"truncated": True}, "ends in the middle"),
        ({}, {"frames_skipped": 1}, "1 damaged frame could not be read and was skipped"),
        ({}, {"frames_skipped": 1200}, "1,200 damaged frames could not be read and were skipped"),
    ],
)
def test_what_went_wrong_is_said(
    signed_in: Client,
    video_session: DetectionSession,
    changes: dict[str, Any],
    statistics: dict[str, Any],
    words: str,
) -> None:
    rows = DetectionSession.objects.filter(pk=video_session.pk)
    rows.update(**{"object_count": 3, **changes})
    video = video_session.video
    video.statistics = {**video.statistics, **statistics}
    video.save()
    assert words in signed_in.get(f"/videos/{video_session.pk}/").content.decode()


@pytest.mark.parametrize(
    ("styles", "film", "has_overlay"),
    [
        (["boxes"], "original", True),
        (["boxes", "blur"], "annotated.mp4", False),
        (["blur"], "annotated.mp4", True),
    ],
    ids=["seen", "drawn", "plain"],
)
def test_where_people_are_hidden_the_page_does_not_show_them(
    signed_in: Client,
    video_session: DetectionSession,
    styles: list[str],
    film: str,
    has_overlay: bool,
) -> None:
    video = video_session.video
    video.styles = styles
    video.save()
    content = signed_in.get(f"/videos/{video_session.pk}/").content.decode()
    shown = content[content.index("<video") : content.index("</video>")]
    assert f'src="/videos/{video_session.pk}/{film}"' in shown
    assert ("poster=" in shown) == (film == "original")
    assert f'"has_overlay": {str(has_overlay).lower()}' in content


def test_a_hostile_name_is_shown_and_not_run(
    signed_in: Client, video_session: DetectionSession
) -> None:
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    DetectionSession.objects.filter(pk=video_session.pk).update(name=hostile)
    for address in (f"/videos/{video_session.pk}/", "/", "/sessions/"):
        content = signed_in.get(address).content.decode()
        assert "<script>alert" not in content
        assert "<img src=x" not in content
        assert "alert(1)" in content


def test_whoever_looks_or_takes_away_is_written_down(
    client: Client, user: Any, other_user: Any, video_session: DetectionSession
) -> None:
    group = Group.objects.create(name="team")
    group.user_set.add(user, other_user)
    DetectionSession.objects.filter(pk=video_session.pk).update(shared_with=group)
    client.force_login(other_user)
    base = f"/videos/{video_session.pk}/"
    for tail in ("original", "original", "annotated.mp4", "original?download=1", "export/csv"):
        assert client.get(base + tail).status_code == 200
    entries = AuditEntry.objects.order_by("pk").values_list("action", "details__format")
    assert [entry for entry in entries if entry[0] in ("viewed", "exported")] == [
        ("viewed", None),
        ("exported", "original"),
        ("exported", "csv"),
    ]


def test_exports_come_as_files(page: Callable[[str], Any]) -> None:
    for form in ("json", "csv", "mot", "statistics"):
        response = page(f"export/{form}")
        assert response.status_code == 200
        assert response["Content-Disposition"].startswith("attachment")
        assert b"".join(response)
    assert page("export/nonsense").status_code == 404


def test_a_posted_video_is_queued_with_its_options(signed_in: Client, clip: Path) -> None:
    form = {
        "video": SimpleUploadedFile("street.mp4", clip.read_bytes(), "video/mp4"),
        "tasks": ["tracking", "motion"],
        "styles": ["none", "heat"],
        "every": "3",
        "minimum_percent": "1.5",
        "gate": "true",
        "pixels_per_metre": "42",
        "classes": "person,dog",
    }
    response = signed_in.post("/videos/create/", form, headers=AS_JSON)
    assert response.status_code == 201
    answer = response.json()
    assert answer["url"] == f"/videos/{answer['id']}/"
    assert answer["status"] == "queued"
    video = VideoAnalysis.objects.select_related("session").get()
    assert (video.tracking, video.motion, video.activity) == (True, True, False)
    assert (video.styles, video.every, video.gate) == (["heat"], 3, True)
    assert video.minimum_area == pytest.approx(0.015)
    assert (video.pixels_per_metre, video.session.classes) == (42.0, ["person", "dog"])
    assert signed_in.get(answer["thumbnail"]).status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({}, 400, "missing_video"),
        ({"video": b"this is text"}, 415, "not_a_video"),
        ({"video": b""}, 400, "empty_file"),
        ({"video": None, "every": "0"}, 400, "invalid"),
        ({"video": None, "minimum_percent": "much"}, 400, "invalid"),
        ({"video": None, "tracker": "magic"}, 400, "invalid"),
    ],
    ids=["missing", "text", "empty", "every", "percent", "tracker"],
)
def test_a_post_that_cannot_be_worked_on_leaves_nothing(
    signed_in: Client, clip: Path, form: dict[str, Any], status: int, code: str
) -> None:
    sent = dict(form)
    if "video" in sent:
        data = clip.read_bytes() if sent["video"] is None else sent["video"]
        sent["video"] = SimpleUploadedFile("a.mp4", data, "video/mp4")
    response = signed_in.post("/videos/create/", sent, headers=AS_JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert not DetectionSession.objects.exists()
    assert not Upload.objects.exists()


def test_running_it_again_makes_another_session(
    signed_in: Client, video_session: DetectionSession
) -> None:
    response = signed_in.post(
        f"/videos/{video_session.pk}/rerun/", {"tasks": "motion", "styles": "none"}
    )
    assert response.status_code == 302
    again = VideoAnalysis.objects.exclude(pk=video_session.pk).get()
    assert response["Location"] == f"/videos/{again.pk}/"
    assert (again.tracking, again.motion, again.styles) == (False, True, [])
    assert again.session.upload_id == video_session.upload_id


def test_the_page_begins_with_what_its_scripts_need(
    signed_in: Client, video_session: DetectionSession
) -> None:
    content = signed_in.get(f"/videos/{video_session.pk}/").content.decode()
    _, _, rest = content.partition('<script id="video-data" type="application/json">')
    data = json.loads(rest.partition("</script>")[0])
    assert (data["width"], data["height"], data["duration"]) == (160, 120, 2.0)
    assert data["urls"]["snapshot"].endswith("/tracks/0/snapshot.jpg")
    assert data["timeline"]["step"] == 1


@pytest.mark.parametrize(
    ("status", "act", "becomes"),
    [("queued", "cancel", "cancelled"), ("failed", "retry", "queued"), ("done", "rename", "done")],
)
def test_what_is_done_to_sessions_is_done_to_videos_and_leads_to_their_page(
    signed_in: Client, make_video_session: Make, status: str, act: str, becomes: str
) -> None:
    session = make_video_session(status=status)
    response = signed_in.post(f"/sessions/{session.pk}/{act}/", {"name": "yard"}, follow=True)
    assert response.redirect_chain[-1][0] == f"/videos/{session.pk}/"
    assert f'data-status="{becomes}"' in response.content.decode()


def test_a_deleted_video_takes_its_files_along(
    signed_in: Client, video_session: DetectionSession, django_capture_on_commit_callbacks: Any
) -> None:
    folder = Path(video_session.upload.file.storage.path("."))
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 5
    with django_capture_on_commit_callbacks(execute=True):
        signed_in.post(f"/sessions/{video_session.pk}/delete/")
    assert not VideoAnalysis.objects.exists()
    assert [path for path in folder.rglob("*") if path.is_file()] == []
