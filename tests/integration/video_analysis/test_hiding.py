"""Who is not to be recognised in a video is not shown to others by another way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.contrib.auth.models import Group
from django.test import Client

from common.models import Upload
from common.uploads.videos import store_video
from detector.errors import DetectorError
from detector.models import DetectionSession
from tests.integration.conftest import make_user
from video_analysis.services.analyses import options_of, rerun_video
from video_analysis.services.options import parse_video_options

pytestmark = pytest.mark.django_db


@pytest.fixture
def colleague() -> Any:
    group = Group.objects.create(name="Night")
    made = make_user("colleague")
    made.groups.add(group)
    return made


@pytest.fixture
def hidden(make_video_session: Callable[..., Any], colleague: Any) -> DetectionSession:
    session: DetectionSession = make_video_session()
    session.video.styles = ["boxes", "blur"]
    session.video.save()
    DetectionSession.objects.update(shared_with=colleague.groups.get())
    return DetectionSession.objects.select_related("video", "upload").get(pk=session.pk)


@pytest.mark.parametrize("address", ["/videos/{}/original", "/api/videos/{}/original/"])
def test_the_original_is_the_owners_alone(
    hidden: DetectionSession, user: Any, colleague: Any, client: Client, address: str
) -> None:
    client.force_login(colleague)
    answer = client.get(address.format(hidden.pk), headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "people_hidden")
    assert client.get(f"/videos/{hidden.pk}/annotated.mp4").status_code == 200
    page = client.get(f"/videos/{hidden.pk}/").content.decode()
    assert "Original video" not in page
    client.force_login(user)
    assert client.get(address.format(hidden.pk)).status_code == 200
    assert "Original video" in client.get(f"/videos/{hidden.pk}/").content.decode()


def test_without_hiding_whoever_sees_it_sees_the_original(
    hidden: DetectionSession, colleague: Any, client: Client
) -> None:
    hidden.video.styles = ["boxes"]
    hidden.video.save()
    client.force_login(colleague)
    assert client.get(f"/videos/{hidden.pk}/original").status_code == 200


def test_nobody_else_has_it_analysed_again_to_see_them(
    hidden: DetectionSession, user: Any, colleague: Any
) -> None:
    plain = parse_video_options({"styles": "boxes"})
    with pytest.raises(DetectorError) as refused:
        rerun_video(session=hidden, owner=colleague, options=plain)
    assert refused.value.code == "people_hidden"
    again = rerun_video(session=hidden, owner=colleague, options=options_of(hidden))
    assert again.video.styles == ["boxes", "blur"]
    assert rerun_video(session=hidden, owner=user, options=plain).video.styles == ["boxes"]


@pytest.mark.parametrize(("hide", "detail"), [(False, True), (True, False)])
def test_the_thumbnail_shows_nobody_either(user: Any, clip: Path, hide: bool, detail: bool) -> None:
    upload, _ = store_video(owner=user, chunks=[clip.read_bytes()], name="a.mp4", hide=hide)
    assert shows_detail(upload) == detail


@pytest.mark.parametrize(
    ("styles", "detail"), [("boxes", True), ("blur", False), ("faces-consented", False)]
)
def test_nor_does_it_when_it_is_hidden_later(
    user: Any,
    clip: Path,
    make_video_session: Callable[..., Any],
    django_capture_on_commit_callbacks: Any,
    styles: str,
    detail: bool,
) -> None:
    upload, _ = store_video(owner=user, chunks=[clip.read_bytes()], name="a.mp4")
    first = Path(upload.thumbnail.path)
    session = _session_of(upload, make_video_session)
    with django_capture_on_commit_callbacks(execute=True):
        rerun_video(session=session, owner=user, options=parse_video_options({"styles": styles}))
    upload.refresh_from_db()
    assert shows_detail(upload) == detail
    assert first.exists() == detail
    assert upload.thumbnail_size == Path(upload.thumbnail.path).stat().st_size


def test_a_thumbnail_that_is_gone_hinders_no_analysis(
    user: Any, clip: Path, make_video_session: Callable[..., Any]
) -> None:
    upload, _ = store_video(owner=user, chunks=[clip.read_bytes()], name="a.mp4")
    Path(upload.thumbnail.path).unlink()
    options = parse_video_options({"styles": "faces"})
    session = _session_of(upload, make_video_session)
    assert rerun_video(session=session, owner=user, options=options).video.styles == ["faces"]


def _session_of(upload: Upload, make: Callable[..., Any]) -> DetectionSession:
    session = make()
    DetectionSession.objects.filter(pk=session.pk).update(upload=upload)
    return DetectionSession.objects.select_related("video", "upload").get(pk=session.pk)


def shows_detail(upload: Upload) -> bool:
    with upload.thumbnail.open() as file:
        shown = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_GRAYSCALE)
    return bool(np.abs(cv2.Laplacian(shown, cv2.CV_32F)).max() > 100)
