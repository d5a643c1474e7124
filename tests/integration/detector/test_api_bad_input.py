"""Whatever is sent: a 4xx with a code and a sentence, and nothing is left behind."""

from __future__ import annotations

import errno
import hashlib
import random
import struct
import zlib
from io import BytesIO
from typing import Any

import pillow_heif
import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from rest_framework.test import APIClient

from common.models import Job, Upload
from detector.models import DetectedObject, DetectionSession
from tests.integration.detector.conftest import FakeEngine, picture
from vision.errors import ModelError, VisionError
from vision.weights.cards import get_card

pytestmark = pytest.mark.django_db

ENDPOINTS = ["/api/detect/", "/api/segment/", "/api/sessions/"]


def huge_png() -> bytes:
    """65,000 x 65,000 pixels of one colour: a few kilobytes that decode to gigabytes."""
    return png_header(65_000, 65_000)


def png_header(width: int, height: int) -> bytes:
    """A PNG whose header says this size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def animated(form: str) -> bytes:
    frames = [Image.new("RGB", (40, 30), (60 * n, 0, 0)) for n in range(3)]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:])


def heic() -> bytes:
    stream = BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (40, 30), (9, 90, 9))).save(stream)
    return stream.getvalue()


REFUSED = {
    "zero bytes": (lambda: b"", 400, "empty_file"),
    "text named .jpg": (lambda: b"hello, I am a picture\n" * 20, 415, "not_a_picture"),
    "a truncated JPEG": (lambda: picture()[: len(picture()) // 2], 422, "truncated_picture"),
    "65,000 x 65,000 PNG": (huge_png, 413, "too_many_pixels"),
    "SVG": (
        lambda: b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        415,
        "unsupported_format",
    ),
    "PDF": (lambda: b"%PDF-1.7\n" + b"x" * 200, 415, "unsupported_format"),
    "a video": (lambda: b"\0\0\0\x18ftypisom" + bytes(200), 415, "unsupported_format"),
    "random bytes": (lambda: random.Random(5).randbytes(5000), 415, "not_a_picture"),
    "a damaged picture": (
        lambda: b"\xff\xd8\xff" + bytes(range(256)) * 4 + b"\xff\xd9",
        422,
        "damaged_picture",
    ),
    "an endless row": (lambda: png_header(30_000, 1), 413, "side_too_long"),
    "HTML": (lambda: b"<html><script>alert(1)</script></html>", 415, "unsupported_format"),
}
GOOD = {
    "an animated GIF": lambda: encoded(
        Image.new("P", (40, 30), 3),
        "GIF",
        save_all=True,
        append_images=[Image.new("P", (40, 30), n) for n in range(4)],
    ),
    "a CMYK JPEG": lambda: encoded(Image.new("CMYK", (40, 30), (10, 80, 0, 0)), "JPEG"),
    "a 16-bit PNG": lambda: encoded(Image.new("I;16", (40, 30), 40_000), "PNG"),
    "an animated WebP": lambda: animated("WEBP"),
    "an animated PNG": lambda: animated("PNG"),
    "a palette PNG": lambda: encoded(Image.new("RGB", (40, 30), (9, 90, 9)).quantize(4), "PNG"),
    "a HEIC": lambda: heic(),
    "a PNG named .jpg": lambda: encoded(Image.new("RGBA", (40, 30), (9, 9, 9, 0)), "PNG"),
}


def send(api: APIClient, path: str, *files: bytes, accept: str = "*/*", **fields: Any) -> Any:
    images = [
        SimpleUploadedFile(f"picture{n}.jpg", data, "image/jpeg") for n, data in enumerate(files)
    ]
    # Django's own test client leaves out files without content.
    return api.post(
        path, {"image": images, **fields}, format="multipart", headers={"accept": accept}
    )


def nothing_is_left() -> bool:
    return not (
        Upload.objects.exists()
        or DetectionSession.objects.exists()
        or DetectedObject.objects.exists()
        or Job.objects.exists()
    )


def check_error(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/json")
    body = response.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert set(error) == {"code", "message", "fields"}
    assert error["code"] == code
    assert error["message"][0].isalpha()
    assert error["message"].rstrip().endswith((".", "?", "`"))
    return error


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_file_is_refused_and_not_kept(
    token_api: APIClient, engine: FakeEngine, settings: Any, path: str, kind: str
) -> None:
    make, status, code = REFUSED[kind]
    error = check_error(send(token_api, path, make()), status, code)
    assert "image" in error["fields"]
    assert nothing_is_left()
    media = settings.MEDIA_ROOT
    assert not [entry for entry in media.rglob("*") if entry.is_file()]


@pytest.mark.parametrize("kind", GOOD)
def test_an_unusual_picture_is_taken(token_api: APIClient, engine: FakeEngine, kind: str) -> None:
    response = send(token_api, "/api/detect/", GOOD[kind]())
    assert response.status_code == 200
    upload = Upload.objects.get()
    assert (upload.width, upload.height) == (40, 30)


def test_a_turned_photo_is_measured_as_it_is_seen(token_api: APIClient, engine: FakeEngine) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.new("RGB", (40, 30)), "JPEG", exif=exif)
    image = send(token_api, "/api/detect/", data).json()["image"]
    assert (image["width"], image["height"]) == (30, 40)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_file_over_the_limit_is_refused(
    token_api: APIClient, engine: FakeEngine, settings: Any, path: str
) -> None:
    settings.SIGHTLINE_MAX_UPLOAD_BYTES = 1000
    check_error(send(token_api, path, picture()), 413, "file_too_large")
    assert nothing_is_left()


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_full_disk_is_told_and_leaves_nothing(
    token_api: APIClient,
    engine: FakeEngine,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    def full(*_: Any, **__: Any) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", full)
    check_error(send(token_api, path, picture()), 507, "disk_full")
    assert nothing_is_left()


def test_200_files_at_once_are_answered_and_201_are_not(
    token_api: APIClient, engine: FakeEngine
) -> None:
    small = picture(16, 16)
    response = send(token_api, "/api/detect/", *[small] * 200, save="0")
    assert len(response.json()["results"]) == 200
    assert max(call["pictures"] for call in engine.calls) <= 8
    response = send(token_api, "/api/detect/", *[small] * 201, save="0")
    assert "image" in check_error(response, 400, "too_many_files")["fields"]
    settings_limit = send(token_api, "/api/detect/", *[small] * 501, save="0")
    check_error(settings_limit, 400, "too_many_files")


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    ("fields", "named", "code"),
    [
        ({"confidence": "high"}, {"confidence"}, "invalid"),
        ({"confidence": "1.5"}, {"confidence"}, "invalid"),
        ({"confidence": "NaN"}, {"confidence"}, "invalid"),
        ({"iou": "-1"}, {"iou"}, "invalid"),
        ({"model": "yolov99"}, {"model"}, "unknown_model"),
        ({"model": "../../etc/passwd"}, {"model"}, "unknown_model"),
        ({"classes": "unicorn"}, {"classes"}, "unknown_class"),
        ({"classes": ["person", "999"]}, {"classes"}, "unknown_class"),
        ({"model": "yolov8n-pose"}, {"model"}, "wrong_task"),
        ({"confidence": "x", "iou": "y", "model": "z"}, {"confidence", "iou", "model"}, "invalid"),
    ],
)
def test_wrong_options_are_named(
    token_api: APIClient,
    engine: FakeEngine,
    path: str,
    fields: dict[str, Any],
    named: set[str],
    code: str,
) -> None:
    error = check_error(send(token_api, path, picture(), **fields), 400, code)
    assert set(error["fields"]) == named
    assert not engine.calls
    assert nothing_is_left()


@pytest.mark.parametrize(
    ("path", "fields", "named", "code"),
    [
        ("/api/detect/", {"save": "perhaps"}, {"save"}, "invalid"),
        ("/api/segment/", {"masks": "bitmap"}, {"masks"}, "invalid"),
        ("/api/segment/", {"model": "yolov8n"}, {"model"}, "wrong_task"),
        ("/api/sessions/", {"task": "dream"}, {"task"}, "unknown_task"),
    ],
)
def test_wrong_options_of_one_address_are_named(
    token_api: APIClient,
    engine: FakeEngine,
    path: str,
    fields: dict[str, Any],
    named: set[str],
    code: str,
) -> None:
    error = check_error(send(token_api, path, picture(), **fields), 400, code)
    assert set(error["fields"]) == named


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_missing_picture_is_named(token_api: APIClient, engine: FakeEngine, path: str) -> None:
    error = check_error(
        token_api.post(path, {"confidence": "0.5"}, format="multipart"), 400, "missing_image"
    )
    assert set(error["fields"]) == {"image"}
    error = check_error(
        token_api.post(path, {"image": "text"}, format="multipart"), 400, "missing_image"
    )


@pytest.mark.parametrize("path", ["/api/detect/", "/api/segment/"])
@pytest.mark.parametrize("body", ["application/json", "image/jpeg", "text/plain"])
def test_another_kind_of_body_is_refused(
    token_api: APIClient, engine: FakeEngine, path: str, body: str
) -> None:
    response = token_api.post(path, data=b"{}", content_type=body)
    check_error(response, 415, "unsupported_media_type")


def test_a_broken_multipart_body_is_refused(token_api: APIClient, engine: FakeEngine) -> None:
    response = token_api.post(
        "/api/detect/", data=b"--x\r\nnonsense", content_type="multipart/form-data"
    )
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "parse_error"
    response = token_api.post(
        "/api/detect/", data=b"--x\r\nnonsense", content_type="multipart/form-data; boundary=y"
    )
    check_error(response, 400, "missing_image")


def test_an_answer_in_no_accepted_form_is_refused(token_api: APIClient, engine: FakeEngine) -> None:
    check_error(
        send(token_api, "/api/detect/", picture(), accept="text/html"), 406, "not_acceptable"
    )
    two = send(token_api, "/api/detect/", picture(), picture(), accept="image/jpeg")
    check_error(two, 406, "not_acceptable")
    bad = send(token_api, "/api/detect/", b"text", accept="image/jpeg")
    check_error(bad, 415, "not_a_picture")
    assert nothing_is_left()


def test_an_engine_that_cannot_answer_is_a_503(token_api: APIClient, engine: FakeEngine) -> None:
    engine.error = VisionError("export_failed", "The network could not be exported.")
    check_error(send(token_api, "/api/detect/", picture()), 503, "export_failed")
    assert nothing_is_left()


@pytest.mark.parametrize("code", ["not_quantized", "engine_closed"])
def test_what_the_engine_lacks_is_a_503(
    token_api: APIClient, engine: FakeEngine, code: str
) -> None:
    engine.error = ModelError(code, "It cannot answer now.")
    check_error(send(token_api, "/api/segment/", picture()), 503, code)


def test_too_many_fields_are_refused(token_api: APIClient, engine: FakeEngine) -> None:
    check_error(
        send(token_api, "/api/detect/", picture(), classes=["dog"] * 1001), 400, "bad_request"
    )


@pytest.mark.parametrize(
    ("header", "code"),
    [("", "not_authenticated"), ("Token 0123456789abcdef", "authentication_failed")],
)
def test_without_a_good_token_nothing_is_looked_at(
    engine: FakeEngine, db: None, header: str, code: str
) -> None:
    caller = APIClient(headers={"Authorization": header} if header else {})
    check_error(send(caller, "/api/detect/", picture()), 401, code)
    assert not engine.calls


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_only_post_detects(token_api: APIClient, method: str) -> None:
    check_error(getattr(token_api, method)("/api/detect/"), 405, "method_not_allowed")


def test_a_file_name_cannot_leave_the_media_folder(
    token_api: APIClient, engine: FakeEngine, settings: Any
) -> None:
    file = SimpleUploadedFile("x.jpg", picture(), "image/jpeg")
    file.__dict__["_name"] = "../../<script>\x00.jpg"
    response = token_api.post("/api/detect/", {"image": [file]}, format="multipart")
    assert response.status_code == 200
    upload = Upload.objects.get()
    assert ".." not in upload.file.name
    assert "<" not in upload.name
    assert "/" not in upload.name


def test_weights_with_a_wrong_hash_fall_back_and_say_so(
    token_api: APIClient, real_engine: None, settings: Any, tmp_path: Any
) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "yolov8n.pt").write_bytes(b"not the network")
    settings.VISION_WEIGHTS_DIR = weights
    settings.MODELS_DIR = tmp_path / "models"
    settings.SIGHTLINE_ALLOW_DOWNLOADS = False
    answer = send(token_api, "/api/detect/", picture()).json()
    assert answer["model"] == "opencv-fallback"
    found, expected = hashlib.sha256(b"not the network").hexdigest(), get_card("yolov8n").sha256
    for said in ("yolov8n.pt", found[:12], expected[:12]):
        assert said in answer["notice"]


def test_without_network_it_falls_back_and_says_so(
    token_api: APIClient, real_engine: None, settings: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    def no_network(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr("socket.socket.connect", no_network)
    monkeypatch.setattr("socket.getaddrinfo", no_network)
    settings.VISION_WEIGHTS_DIR = None
    settings.MODELS_DIR = tmp_path / "models"
    settings.SIGHTLINE_ALLOW_DOWNLOADS = True
    answer = send(token_api, "/api/detect/", picture(), classes="bicycle").json()
    assert answer["model"] == "opencv-fallback"
    assert answer["notice"]
    assert answer["detections"] == 0
