"""Pictures are judged by content and come out as a browser would show them."""

import io
import struct
import threading

import cv2
import numpy as np
import pytest
import samples
from numpy.typing import NDArray
from PIL import Image, ImageOps

from vision.errors import PictureError
from vision.sources.pictures import (
    PictureLimits,
    decode_picture,
    inspect_picture,
    make_thumbnail,
)

# Pillow warns about damaged metadata, which is what these tests feed it.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin")


def corners(image: NDArray[np.uint8]) -> list[tuple[int, ...]]:
    """The RGB colours in the middle of the four patches."""
    height, width = image.shape[:2]
    spots = [(y, x) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return [tuple(int(v) for v in image[y, x, ::-1]) for y, x in spots]


def assert_scene(image: NDArray[np.uint8], tolerance: int = 4) -> None:
    assert image.shape == (samples.HEIGHT, samples.WIDTH, 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.flags.writeable
    wanted = [samples.RED, samples.GREEN, samples.BLUE, samples.GREY]
    difference = np.abs(np.array(corners(image)) - np.array(wanted)).max()
    assert difference <= tolerance, corners(image)


def code_of(data: bytes, limits: PictureLimits | None = None) -> str:
    with pytest.raises(PictureError) as caught:
        decode_picture(data, limits or PictureLimits())
    assert caught.value.message.endswith(".")
    return caught.value.code


def heif() -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    stream = io.BytesIO()
    pillow_heif.from_pillow(samples.scene()).save(stream, quality=95)
    return stream.getvalue()


FORMATS = {
    "JPEG": (samples.jpeg, "image/jpeg", ".jpg", "JPEG"),
    "progressive JPEG": (lambda: samples.jpeg(progressive=True), "image/jpeg", ".jpg", "JPEG"),
    "CMYK JPEG": (samples.cmyk_jpeg, "image/jpeg", ".jpg", "JPEG"),
    "YCCK JPEG": (samples.ycck_jpeg, "image/jpeg", ".jpg", "JPEG"),
    "PNG": (lambda: samples.encode(samples.scene(), "PNG"), "image/png", ".png", "PNG"),
    "palette PNG": (
        lambda: samples.encode(samples.scene().quantize(8), "PNG"),
        *("image/png", ".png", "PNG"),
    ),
    "WebP": (
        lambda: samples.encode(samples.scene(), "WEBP", lossless=True),
        *("image/webp", ".webp", "WEBP"),
    ),
    "GIF": (lambda: samples.encode(samples.scene(), "GIF"), "image/gif", ".gif", "GIF"),
    "BMP": (lambda: samples.encode(samples.scene(), "BMP"), "image/bmp", ".bmp", "BMP"),
    "TIFF": (
        lambda: samples.encode(samples.scene(), "TIFF", compression="tiff_lzw"),
        *("image/tiff", ".tiff", "TIFF"),
    ),
    "CMYK TIFF": (
        lambda: samples.encode(samples.scene().convert("CMYK"), "TIFF"),
        *("image/tiff", ".tiff", "TIFF"),
    ),
    "AVIF": (
        lambda: samples.encode(samples.scene(), "AVIF", quality=95),
        *("image/avif", ".avif", "AVIF"),
    ),
    "HEIC": (heif, "image/heic", ".heic", "HEIF"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_named_by_its_content_and_decoded(name: str) -> None:
    make, media_type, extension, kind = FORMATS[name]
    data = make()
    info = inspect_picture(data)
    assert (info.media_type, info.extension, info.format) == (media_type, extension, kind)
    assert (info.width, info.height, info.frames) == (samples.WIDTH, samples.HEIGHT, 1)
    assert_scene(decode_picture(data), tolerance=8)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_undone(kind: str, orientation: int) -> None:
    data = samples.rotated(kind, orientation)
    info = inspect_picture(data)
    assert (info.width, info.height) == (samples.WIDTH, samples.HEIGHT)
    image = decode_picture(data)
    assert_scene(image, tolerance=30 if kind == "WEBP" else 8)
    reference = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    assert np.abs(reference.astype(int) - image[..., ::-1]).mean() < 2


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_a_nonsense_orientation_is_ignored(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert_scene(decode_picture(samples.jpeg(exif=exif.tobytes())))


def test_damaged_exif_does_not_cost_the_picture() -> None:
    assert_scene(decode_picture(samples.jpeg(exif=b"Exif\0\0II*\0\xff\xff\xff\xff")))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    data = samples.animated(kind, frames=3)
    assert inspect_picture(data).frames == 3
    assert_scene(decode_picture(data))


def test_counting_gif_frames_stops() -> None:
    data = samples.animated("GIF", frames=2)
    again = data[:-1] + data[data.rindex(b"\x21\xf9") : -1] * 1500 + b";"
    assert inspect_picture(again).frames == 1000


def test_a_tiff_whose_directories_form_a_circle_is_counted_once() -> None:
    data = bytearray(samples.encode(samples.scene(), "TIFF"))
    (at,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, at)
    struct.pack_into("<I", data, at + 2 + 12 * entries, at)
    assert inspect_picture(bytes(data)).frames == 1


@pytest.mark.parametrize(
    "make",
    [samples.grey_16_png, samples.grey_16_tiff, lambda: samples.grey_16_tiff(">")],
    ids=["PNG", "TIFF little endian", "TIFF big endian"],
)
def test_16_bit_grey_is_scaled_not_clipped(make: object) -> None:
    image = decode_picture(make())  # type: ignore[operator]
    wanted = np.rint(samples.grey_ramp_16() / 257.0)
    assert np.abs(image[..., 0] - wanted).max() <= 1
    assert (image[..., 0] == image[..., 2]).all()


@pytest.mark.parametrize(
    ("levels", "middle"),
    [
        (np.array([[0.0, 0.5, 1.0]], np.float32), 128),
        (np.array([[0.0, 128.0, 255.0]], np.float32), 128),
        (np.array([[-10.0, 0.0, np.nan, 30.0]], np.float32), 64),
        (np.array([[0, 100_000, 200_000]], np.int32), 128),
        (np.zeros((1, 3), np.float32), 0),
    ],
)
def test_levels_without_a_fixed_white_are_stretched(levels: object, middle: int) -> None:
    data = samples.encode(Image.fromarray(levels), "TIFF")
    assert abs(int(decode_picture(data)[0, 1, 0]) - middle) <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA-png", "tRNS"])
def test_transparent_parts_lie_over_white(mode: str) -> None:
    image = samples.half_transparent()
    options: dict[str, object] = {}
    if mode == "LA":
        image = image.convert("LA")
    elif mode == "PA-png":
        image = image.quantize(16)
    elif mode == "tRNS":
        image = samples.scene().copy()
        image.paste((1, 2, 3), (0, samples.HEIGHT // 2, samples.WIDTH, samples.HEIGHT))
        options["transparency"] = (1, 2, 3)
    decoded = decode_picture(samples.encode(image, "PNG", **options))
    upper_left, _, lower_left, lower_right = corners(decoded)
    assert lower_left == lower_right == (255, 255, 255)
    assert upper_left != (255, 255, 255)


def test_one_bit_and_grey_pictures_become_three_channels() -> None:
    bits = samples.scene().convert("1", dither=Image.Dither.NONE)
    for image in (bits, samples.scene().convert("L")):
        for kind in ("PNG", "TIFF"):
            decoded = decode_picture(samples.encode(image, kind))
            assert (decoded[..., 1] == np.asarray(image.convert("L"))).all()
    assert decode_picture(samples.encode(samples.scene().convert("L"), "JPEG")).shape[2] == 3


REFUSED = {
    "nothing": (b"", "empty_file"),
    "text": (samples.TEXT, "not_a_picture"),
    "text that begins like a bitmap": (b"BMW drives by, says the text." * 4, "not_a_picture"),
    "zeros": (b"\0" * 4096, "not_a_picture"),
    "SVG": (samples.SVG, "unsupported_format"),
    "SVG with a byte order mark": (b"\xef\xbb\xbf" + samples.SVG, "unsupported_format"),
    "SVG without a declaration": (b"\n <svg width='1'/>", "unsupported_format"),
    "SVG after comments": (b"<!-- a --> <!--b--><svg>", "unsupported_format"),
    "endless comments": (b"<!---->" * 600, "not_a_picture"),
    "endless blanks": (b" " * 5000, "not_a_picture"),
    "HTML": (samples.HTML, "unsupported_format"),
    "HTML before a JPEG": (samples.HTML + samples.jpeg(), "unsupported_format"),
    "ZIP before a JPEG": (samples.ZIP + samples.jpeg(), "unsupported_format"),
    "PDF": (samples.PDF, "unsupported_format"),
    "MP4": (samples.MP4, "unsupported_format"),
    "WebM": (samples.WEBM, "unsupported_format"),
    "AVI": (samples.AVI, "unsupported_format"),
    "PNG of 65,000 x 65,000": (samples.png_header(65_000, 65_000), "too_many_pixels"),
    "PNG of one endless row": (samples.png_header(30_000, 1), "side_too_long"),
    "PNG without pixels": (samples.png_header(0, 0), "damaged_picture"),
    "JPEG signature alone": (b"\xff\xd8\xff\xe0", "truncated_picture"),
    "PNG signature alone": (b"\x89PNG\r\n\x1a\n", "truncated_picture"),
    "JPEG whose header is noise": (b"\xff\xd8\xff" + bytes(range(256)) * 4, "damaged_picture"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_is_refused_with_a_code(name: str) -> None:
    data, code = REFUSED[name]
    assert code_of(data) == code
    if code not in {"truncated_picture", "damaged_picture"}:
        with pytest.raises(PictureError) as caught:
            inspect_picture(data)
        assert caught.value.code == code


@pytest.mark.parametrize("data", [samples.MP4, samples.WEBM, samples.AVI])
def test_a_video_is_told_that_it_is_one(data: bytes) -> None:
    with pytest.raises(PictureError, match="videos are not pictures"):
        inspect_picture(data)


def test_limits_are_the_callers() -> None:
    data = samples.jpeg()
    assert code_of(data, PictureLimits(max_bytes=100)) == "file_too_large"
    assert code_of(data, PictureLimits(max_pixels=100)) == "too_many_pixels"
    assert code_of(data, PictureLimits(max_side=50)) == "side_too_long"


def test_a_huge_picture_is_refused_before_a_pixel_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a pixel was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", refuse)
    assert code_of(samples.huge_png(20_001)) == "too_many_pixels"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_picture_is_refused(kind: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (90, 120, 3), np.uint8)
    data = samples.encode(Image.fromarray(noise), kind)
    assert code_of(data[: int(len(data) * share)]) == "truncated_picture"


@pytest.mark.parametrize("cut", [2, 3, 50, 5000])
def test_a_jpeg_without_its_last_bytes_is_refused(cut: int) -> None:
    assert code_of(samples.noise_jpeg()[:-cut]) == "truncated_picture"


def test_a_truncated_jpeg_hides_behind_neither_thumbnail_nor_padding() -> None:
    exif = Image.Exif()
    exif[0x927C] = samples.jpeg(32, 32)  # a complete JPEG within the header
    noise = Image.open(io.BytesIO(samples.noise_jpeg()))
    data = samples.encode(noise, "JPEG", exif=exif.tobytes())
    assert decode_picture(data).shape == (240, 320, 3)
    half = data[: len(data) // 2]
    assert b"\xff\xd9" in half
    assert code_of(half) == "truncated_picture"
    assert code_of(half + b"\0" * len(half)) == "truncated_picture"


@pytest.mark.parametrize(
    "tail",
    [b"\0" * 700, b"\r\n", samples.ZIP * 20, samples.HTML, samples.jpeg(), samples.jpeg()[:-40]],
    ids=["zeros", "newline", "archive", "web page", "another picture", "half another picture"],
)
def test_bytes_after_the_end_of_a_jpeg_do_no_harm(tail: bytes) -> None:
    assert_scene(decode_picture(samples.jpeg() + tail))


def test_damage_within_is_an_error_of_ours_or_a_picture() -> None:
    rng = np.random.default_rng(7)
    for name in FORMATS:
        original = FORMATS[name][0]()
        for _ in range(25):
            data = bytearray(original)
            for at in rng.integers(0, len(data), 6):
                data[at] = rng.integers(0, 256)
            try:
                decoded = decode_picture(bytes(data), PictureLimits(max_pixels=1_000_000))
            except PictureError:
                continue
            assert decoded.dtype == np.uint8
            assert decoded.ndim == 3


def test_pictures_decode_in_many_threads() -> None:
    data = [samples.jpeg(), samples.cmyk_jpeg(), samples.animated("WEBP"), samples.grey_16_png()]
    wanted = [decode_picture(item) for item in data]
    wrong: list[int] = []

    def work() -> None:
        for _ in range(20):
            for index, item in enumerate(data):
                if not (decode_picture(item) == wanted[index]).all():
                    wrong.append(index)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((720, 1280), (270, 480)),
        ((1280, 720), (480, 270)),
        ((40, 60), (40, 60)),
        ((1, 5000), (1, 480)),
    ],
)
def test_a_thumbnail_keeps_the_shape_and_never_grows(
    shape: tuple[int, int], wanted: tuple[int, int]
) -> None:
    thumbnail = make_thumbnail(np.full((*shape, 3), 90, np.uint8))
    decoded = cv2.imdecode(np.frombuffer(thumbnail, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape[:2] == wanted
    assert inspect_picture(thumbnail).format == "JPEG"
