"""Stored files over HTTP: ranges, validators, headers."""

import asyncio
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.fields.files import FieldFile
from django.http import Http404
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from common.media import serve_file
from common.media.ranges import ByteRange, parse_range
from common.media.responses import AT_ONCE, FileStream
from common.models import Upload

CONTENT = bytes(range(256)) * 4
SIZE = len(CONTENT)

RANGES = [
    ("", None),
    ("bytes=0-", ByteRange(0, 100)),
    ("bytes=0-0", ByteRange(0, 1)),
    ("bytes=10-19", ByteRange(10, 20)),
    ("bytes=90-5000", ByteRange(90, 100)),
    ("bytes=-10", ByteRange(90, 100)),
    ("bytes=-5000", ByteRange(0, 100)),
    ("Bytes = 1 - 2 ", ByteRange(1, 3)),
    ("bytes=99-", ByteRange(99, 100)),
    ("bytes=100-", "unsatisfiable"),
    ("bytes=-0", "unsatisfiable"),
    ("bytes=5-4", None),
    ("bytes=-", None),
    ("bytes=a-b", None),
    ("bytes=0-1,5-6", None),
    ("items=0-1", None),
    ("bytes=1", None),
    ("bytes=٣-٤", None),
    (f"bytes={'9' * 50}-", None),
]


@pytest.mark.parametrize(("header", "expected"), RANGES)
def test_range_headers_mean_what_the_standard_says(header: str, expected: Any) -> None:
    assert parse_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-1", "bytes=0-0"])
def test_an_empty_file_has_no_ranges(header: str) -> None:
    assert parse_range(header, 0) == "unsatisfiable"


@given(st.text(max_size=40), st.integers(0, 2**40))
def test_any_text_as_a_range_is_answered(header: str, size: int) -> None:
    check(parse_range(header, size), size)


@given(
    st.integers(0, 2**40) | st.just(""),
    st.integers(0, 2**40) | st.just(""),
    st.integers(0, 2**40),
)
def test_a_range_never_leaves_its_file(first: Any, last: Any, size: int) -> None:
    part = parse_range(f"bytes={first}-{last}", size)
    check(part, size)
    if isinstance(part, ByteRange) and first != "":
        assert part.start == first
        assert last == "" or part.stop <= last + 1


def check(part: Any, size: int) -> None:
    if isinstance(part, ByteRange):
        assert 0 <= part.start < part.stop <= size
        assert part.length == part.stop - part.start
    else:
        assert part in (None, "unsatisfiable")


@pytest.fixture
def file() -> FieldFile:
    return store(CONTENT)


def store(content: bytes) -> FieldFile:
    upload = Upload()
    upload.file.name = default_storage.save("some.bin", ContentFile(content))
    return upload.file


def get(file: FieldFile, *, method: str = "get", download: bool = False, **headers: str) -> Any:
    request = getattr(RequestFactory(), method)("/", headers=headers)
    return serve_file(
        request, file=file, media_type="image/jpeg", filename="Ferien ü.jpg", download=download
    )


def body(response: Any) -> bytes:
    return b"".join(response) if response.streaming else response.content


def test_a_whole_file_comes_with_the_headers_that_keep_it_harmless(file: FieldFile) -> None:
    response = get(file)
    assert (response.status_code, body(response)) == (200, CONTENT)
    assert response["Content-Type"] == "image/jpeg"
    assert response["Content-Length"] == str(SIZE)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert "private" in response["Cache-Control"]
    assert response["Accept-Ranges"] == "bytes"
    assert "Cookie" in response["Vary"]
    assert response["Content-Disposition"].startswith("inline; filename*=utf-8''Ferien")


def test_a_download_is_offered_for_saving(file: FieldFile) -> None:
    assert get(file, download=True)["Content-Disposition"].startswith("attachment;")


PARTS = [
    ("bytes=0-9", CONTENT[:10], f"bytes 0-9/{SIZE}"),
    ("bytes=1000-", CONTENT[1000:], f"bytes 1000-1023/{SIZE}"),
    ("bytes=-5", CONTENT[-5:], f"bytes 1019-1023/{SIZE}"),
    ("bytes=1020-9999", CONTENT[1020:], f"bytes 1020-1023/{SIZE}"),
]


@pytest.mark.parametrize(("header", "content", "shown"), PARTS)
def test_a_part_is_answered_with_206(
    file: FieldFile, header: str, content: bytes, shown: str
) -> None:
    response = get(file, Range=header)
    assert (response.status_code, body(response)) == (206, content)
    assert response["Content-Range"] == shown
    assert response["Content-Length"] == str(len(content))


def test_a_part_behind_the_end_is_answered_with_416(file: FieldFile) -> None:
    response = get(file, Range=f"bytes={SIZE}-")
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{SIZE}"


def test_a_known_file_is_not_sent_again(file: FieldFile) -> None:
    etag = get(file)["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        response = get(file, **{"If-None-Match": known})
        assert (response.status_code, body(response)) == (304, b"")
        assert response["ETag"] == etag
    assert get(file, **{"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(("same", "status"), [(True, 206), (False, 200)])
def test_a_part_of_another_version_is_not_mixed_in(
    file: FieldFile, same: bool, status: int
) -> None:
    etag = get(file)["ETag"] if same else '"older"'
    assert get(file, Range="bytes=0-1", **{"If-Range": etag}).status_code == status


def test_head_tells_the_length_without_the_body(file: FieldFile) -> None:
    response = get(file, method="head")
    assert (body(response), response["Content-Length"]) == (b"", str(SIZE))


@pytest.mark.parametrize("name", ["", "gone.bin"])
def test_a_file_that_is_gone_is_a_404(name: str) -> None:
    upload = Upload()
    upload.file.name = name
    with pytest.raises(Http404):
        get(upload.file)


@pytest.mark.django_db  # the end of an answer looks after connections
def test_a_large_part_is_streamed_both_ways() -> None:
    content = bytes(range(251)) * (AT_ONCE // 251 + 4000)
    file = store(content)
    response = get(file, Range="bytes=7-")
    assert isinstance(response, FileStream)
    assert b"".join(response) == content[7:]
    response.close()

    async def read() -> bytes:
        return b"".join([piece async for piece in get(file, Range="bytes=7-")])

    assert asyncio.run(read()) == content[7:]
