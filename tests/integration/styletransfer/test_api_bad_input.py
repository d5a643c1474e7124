"""Whatever is sent to be painted: a 4xx with a code and a sentence, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rest_framework.test import APIClient

from common.api.errors import error_body
from detection_project.body_limit import body_limit
from styletransfer.models import Restyling, Style
from styletransfer.services.pictures import style_image
from tests.integration.detector.test_api_bad_input import png_header
from tests.integration.styletransfer.asking import (
    FAST,
    PATTERN,
    ask,
    asked,
    file_of,
    photo,
    refusal,
    rows,
    stored_files,
)
from tests.made_videos import make_clip

pytestmark = pytest.mark.django_db


def encoded(image: Image.Image, form: str) -> bytes:
    stream = BytesIO()
    image.save(stream, form)
    return stream.getvalue()


BAD_FILES = {
    "no bytes": (lambda: b"", 400, "empty_file"),
    "text": (lambda: b"hello, I am a picture\n" * 20, 415, "not_a_picture"),
    "a web page": (lambda: b"<html><script>alert(1)</script></html>", 415, "unsupported_format"),
    "one pixel": (lambda: photo(1, 1), 422, "too_small"),
    "20,000 x 20,000 in its header": (lambda: png_header(20_000, 20_000), 413, "too_many_pixels"),
    "an endless row": (lambda: png_header(30_000, 1), 413, "side_too_long"),
    "a file that ends too early": (lambda: photo(200, 200)[:-3000], 422, "truncated_picture"),
}


@pytest.fixture(autouse=True)
def nothing_stays(settings: Any, db: None) -> Iterator[None]:
    """Whatever was refused has left neither rows nor files."""
    yield
    known = [Restyling.objects.count(), Style.objects.exclude(owner=None).count()]
    if not any(known):
        assert rows() == (0, 0, 0, 0)
        assert not stored_files(settings.MEDIA_ROOT)


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Iterator[None]:
    """Files go when the transaction ends, which that of a test never does."""
    with django_capture_on_commit_callbacks(execute=True):
        yield


@pytest.mark.parametrize("kind", BAD_FILES)
@pytest.mark.usefixtures("committed")
def test_a_bad_picture_is_refused(api: APIClient, kind: str) -> None:
    make, status, code = BAD_FILES[kind]
    error = refusal(ask(api, image=file_of(make())), status, code)
    assert set(error["fields"]) == {"image"}
    assert rows() == (0, 0, 0, 0)


@pytest.mark.parametrize("kind", BAD_FILES)
@pytest.mark.usefixtures("committed")
def test_a_bad_picture_is_no_style(api: APIClient, kind: str) -> None:
    make, status, code = BAD_FILES[kind]
    error = refusal(ask(api, style=None, style_image=file_of(make())), status, code)
    assert set(error["fields"]) == {"style_image"}
    added = api.post("/api/styles/", {"image": file_of(make())}, format="multipart")
    assert set(refusal(added, status, code)["fields"]) == {"image"}
    assert rows() == (0, 0, 0, 0)


def test_a_file_over_the_limit_is_not_read(api: APIClient, settings: Any) -> None:
    settings.SIGHTLINE_MAX_UPLOAD_BYTES = 1000
    error = refusal(ask(api, image=file_of(photo(200, 200))), 413, "file_too_large")
    assert set(error["fields"]) == {"image"}
    error = refusal(
        ask(api, style=None, style_image=file_of(photo(200, 200))), 413, "file_too_large"
    )
    assert set(error["fields"]) == {"style_image"}


def test_only_where_videos_are_taken_a_body_may_be_as_long_as_one(settings: Any) -> None:
    picture = settings.SIGHTLINE_MAX_UPLOAD_BYTES + settings.MIB
    for path in ("/api/style", "/api/style/", "/styles/create/"):
        assert body_limit(path) > settings.SIGHTLINE_MAX_VIDEO_BYTES
    assert body_limit("/api/styles/") == body_limit("/styles/new/") == picture
    assert body_limit("/api/style/1/again/") < picture


def test_transparent_parts_are_white(api: APIClient) -> None:
    clear = encoded(Image.new("RGBA", (80, 80), (200, 0, 0, 0)), "PNG")
    body = asked(api, style=None, style_image=file_of(clear), image=file_of(clear))
    assert style_image(Style.objects.get(pk=body["style"]["id"])).min() >= 250


WRONG_OPTIONS = [
    *(("steps", value) for value in ("0", "-1", "1000000", "2001", "1.5", "many", "NaN", "1e400")),
    *(("size", value) for value in ("0", "-64", "63", "5000", "large", "NaN", "inf", "64.5")),
    *(("style_weight", value) for value in ("0", "-1", "inf", "nan", "1e9", "heavy", "True")),
    *(("seed", value) for value in ("-1", "4294967296", "x")),
    ("keep_colours", "maybe"),
    ("start", "dream"),
    ("start_network", "no such"),
    ("style", "no such"),
    ("style", "\0"),
    ("style", "x" * 5000),
    ("style", "00000000-0000-0000-0000-000000000001"),
    ("name", "x" * 201),
]


@pytest.mark.parametrize(("field", "value"), WRONG_OPTIONS, ids=lambda value: repr(value)[:24])
@pytest.mark.usefixtures("committed")
def test_an_option_that_makes_no_sense_is_named(api: APIClient, field: str, value: str) -> None:
    response = ask(api, **{field: value})
    assert response.status_code == 400, response.content
    assert set(response.json()["error"]["fields"]) == {field}
    assert rows() == (0, 0, 0, 0)


def test_several_mistakes_are_told_at_once(api: APIClient) -> None:
    error = refusal(ask(api, steps=0, size="x", style_weight="inf"), 400, "invalid")
    assert set(error["fields"]) == {"steps", "size", "style_weight"}


def test_a_start_in_a_fast_style_needs_one(api: APIClient) -> None:
    error = refusal(ask(api, start="fast"), 400, "invalid")
    assert set(error["fields"]) == {"start_network"}


def test_what_is_not_said_or_said_twice_is_refused(api: APIClient) -> None:
    picture, other = file_of(photo()), file_of(photo(80, 80))
    assert set(refusal(ask(api, image=None), 400, "missing_image")["fields"]) == {"image"}
    refusal(ask(api, image=[picture, other]), 400, "too_many_files")
    refusal(ask(api, image=picture, video=other), 400, "too_many_files")
    refusal(ask(api, style=None, style_image=[picture, other]), 400, "too_many_files")
    error = refusal(ask(api, style_image=other), 400, "two_styles")
    assert set(error["fields"]) == {"style"}
    assert set(refusal(ask(api, style=None), 400, "missing_style")["fields"]) == {"style"}
    refusal(api.post("/api/style/", {"style": PATTERN}, format="json"), 400, "missing_image")
    assert api.post("/api/style/", b"x", content_type="text/plain").status_code in (400, 415)
    refusal(api.post("/api/styles/", {}, format="multipart"), 400, "missing_image")


def test_a_style_of_somebody_else_is_as_unknown_as_none(api: APIClient, other_user: Any) -> None:
    theirs = Style.objects.create(owner=other_user, name="Their secret")
    answers = [
        ask(api, style=name).json()
        for name in (
            str(theirs.pk),
            "Their secret",
            "no such",
            "00000000-0000-0000-0000-000000000001",
        )
    ]
    sentence = "There is no such style."
    assert answers == [error_body("unknown_style", sentence, {"style": sentence})] * 4
    assert api.get(f"/api/styles/{theirs.pk}/").status_code == 404
    assert api.get(f"/api/styles/{theirs.pk}/picture/").status_code == 404


@pytest.mark.usefixtures("committed")
def test_a_video_needs_a_fast_style(api: APIClient, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=0.3).read_bytes()
    video = {"image": None, "video": file_of(clip, "clip.mp4")}
    refusal(ask(api, **video), 400, "video_needs_fast_style")
    video["video"].seek(0)
    sent = file_of(photo(80, 80))
    refusal(ask(api, **video, style=None, style_image=sent), 400, "video_needs_fast_style")
    for data in (b"", b"no video" * 50, photo()):
        refused = ask(api, image=None, video=file_of(data, "x.mp4"), style=FAST)
        assert 400 <= refused.status_code < 500
        assert set(refused.json()["error"]["fields"]) == {"video"}
    refused = ask(api, image=file_of(clip, "clip.mp4"))
    assert set(refusal(refused, 415, "unsupported_format")["fields"]) == {"image"}
    assert rows() == (0, 0, 0, 0)


def test_ids_that_are_none_are_not_there(api: APIClient) -> None:
    for path in ("style/1/", "style/x/result/", "styles/..%2f/", "styles/x/picture/"):
        assert api.get(f"/api/{path}").status_code == 404
    for path in ("/api/style/", "/api/styles/"):
        assert api.get(path, {"cursor": "cD1nYXJiYWdl"}).status_code == 404
        assert api.get(path, {"q": "\0" + "x" * 5000}).status_code == 200
