"""Styles: what is kept of a picture, what is refused, what they are called, what is left."""

from __future__ import annotations

import errno
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from PIL import Image

from common.accounts.administration import delete_account
from common.models import AuditEntry
from common.uploads.errors import UploadRejected
from styletransfer.errors import InvalidError, StyleError
from styletransfer.models import Style
from styletransfer.services.pictures import style_image
from styletransfer.services.styles import add_style, delete_style, share_style, update_style
from tests.integration.styletransfer.makers import (
    add,
    again,
    decode,
    media,
    picture,
    restyle,
    rows,
    run_job,
)

pytestmark = pytest.mark.django_db


def stored(style: Style) -> bytes:
    with style.picture.open("rb") as file:
        return bytes(file.read())


def file_of(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def header_of(width: int, height: int) -> bytes:
    """A PNG of some bytes whose header promises so many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"\0" * 100)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


# What is kept of a file


def test_a_picture_becomes_a_private_style(user: Any) -> None:
    style = add_style(owner=user, data=picture(200, 100), file_name="/tmp/night_sky.jpg")
    style.refresh_from_db()
    assert (style.name, style.description) == ("night sky", "")
    assert (style.width, style.height, style.size) == (200, 100, len(stored(style)))
    assert (style.shared_with, style.is_public, style.key, style.network) == (None, False, "", "")
    assert media() == {"styles": 1, "style-thumbnails": 1}
    with style.thumbnail.open("rb") as file:
        assert max(decode(file.read()).shape) <= 512
    assert style_image(style).shape == (100, 200, 3)


def test_where_and_with_what_a_photo_was_taken_is_not_kept(user: Any) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Secret camera"
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 36.0)}
    data = picture(exif=exif, comment=b"my garden")
    assert b"Secret camera" in data
    style = add(user, data=data)
    with style.thumbnail.open("rb") as file:
        kept = stored(style), bytes(file.read())
    for content in kept:
        assert not Image.open(io.BytesIO(content)).getexif()
        assert not any(word in content for word in (b"Secret", b"garden", b"Exif"))


def test_a_turned_photo_stands_upright(user: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter clockwise
    upright = Image.new("RGB", (160, 80), (255, 0, 0))
    upright.paste((0, 0, 255), (80, 0, 160, 80))  # blue on the right: below, when it is turned
    style = add(user, data=file_of(upright, "JPEG", exif=exif, quality=95))
    assert (style.width, style.height) == (80, 160)
    image = style_image(style).astype(int)
    assert image[20, 40, 2] > 200 > 50 > image[20, 40, 0]
    assert image[140, 40, 0] > 200 > 50 > image[140, 40, 2]


def test_what_is_transparent_is_white(user: Any) -> None:
    drawn = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    drawn.paste((200, 0, 0, 255), (0, 0, 50, 100))
    image = style_image(add(user, data=file_of(drawn, "PNG"))).astype(int)
    assert np.abs(image[:, 60:] - 255).max() <= 3
    assert np.abs(image[50, 20] - (0, 0, 200)).max() <= 12


@pytest.mark.parametrize(
    ("mode", "format"),
    [("CMYK", "JPEG"), ("L", "PNG"), ("P", "PNG"), ("LA", "PNG"), ("I;16", "PNG"), ("1", "PNG")],
)
def test_every_kind_of_pixel_is_taken(user: Any, mode: str, format: str) -> None:
    file = file_of(Image.new(mode, (80, 70), 0 if mode != "LA" else (90, 200)), format)
    style = add(user, data=file)
    assert style_image(style).shape == (70, 80, 3)


def test_a_large_picture_is_reduced(user: Any) -> None:
    style = add(user, data=picture(2000, 500))
    assert (style.width, style.height) == (1536, 384)
    assert style_image(style).shape == (384, 1536, 3)


REFUSED = {
    "63 pixels": (lambda: picture(200, 63), "too_small", "64 pixels each way"),
    "one pixel": (lambda: picture(1, 1, format="PNG"), "too_small", "1 x 1"),
    "20,000 each way": (lambda: header_of(20_000, 20_000), "too_many_pixels", "20"),
    "text": (lambda: b"no picture at all", None, ""),
    "nothing": (lambda: b"", None, ""),
    "half": (lambda: picture(300, 300)[:1500], None, ""),
    "header alone": (lambda: header_of(100, 100), None, ""),
    "svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", None, ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_to_be_painted_like_is_refused(user: Any, name: str) -> None:
    make, code, words = REFUSED[name]
    with pytest.raises(UploadRejected) as error:
        add(user, data=make())
    assert code in (None, error.value.code), error.value.code
    assert words in error.value.message
    assert (rows()["Style"], media()) == (0, {})


@pytest.mark.parametrize(
    ("fails_at", "code"), [(1, "disk_full"), (2, "disk_full"), (3, "IntegrityError")]
)
def test_picture_thumbnail_and_row_are_kept_together_or_not_at_all(
    user: Any, monkeypatch: pytest.MonkeyPatch, fails_at: int, code: str
) -> None:
    save, calls = FileSystemStorage.save, []

    def sometimes(self: Any, *args: Any, **options: Any) -> str:
        calls.append(args)
        if len(calls) == fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        return save(self, *args, **options)

    monkeypatch.setattr(FileSystemStorage, "save", sometimes)
    if fails_at == 3:
        monkeypatch.setattr(Style, "save", lambda self, **options: 1 / 0)
    with pytest.raises((UploadRejected, ZeroDivisionError)) as error:
        add(user)
    assert getattr(error.value, "code", "IntegrityError") == code
    assert (rows()["Style"], media()) == (0, {})


# Names and descriptions

TEXTS: dict[str, tuple[dict[str, str], tuple[str, str] | str]] = {
    "both": ({"name": " Night ", "description": "Swirls\nof  stars"}, ("Night", "Swirls of stars")),
    "file": ({"file_name": "C:\\pictures\\big_wave.final.png"}, ("big wave.final", "")),
    "no file name": ({"file_name": ""}, ("picture", "")),
    "longest": ({"name": "n" * 80, "description": "d" * 500}, ("n" * 80, "d" * 500)),
    "long file": ({"file_name": "f" * 150 + ".jpg"}, ("f" * 80, "")),
    "not printable": ({"name": "a\0b\x07c\u202ed\ud800"}, ("a b c d", "")),
    "markup": ({"name": "<script>alert(1)</script>"}, ("<script>alert(1)</script>", "")),
    "long name": ({"name": "n" * 81}, "name"),
    "long description": ({"description": "d" * 501}, "description"),
    "blank": ({"name": " \t\u200b"}, "name"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_names_and_descriptions(user: Any, name: str) -> None:
    wishes, wanted = TEXTS[name]
    if isinstance(wanted, str):
        with pytest.raises(InvalidError) as error:
            add(user, **wishes)
        assert list(error.value.fields or {}) == [wanted]
        assert (rows()["Style"], media()) == (0, {})
        return
    style = add(user, **wishes)
    style.refresh_from_db()
    assert (style.name, style.description) == wanted


def test_a_style_is_renamed_and_described(own_style: Style) -> None:
    assert update_style(style=own_style, description=" Blue\n").description == "Blue"
    assert update_style(style=own_style, name="Sky").name == "Sky"
    own_style.refresh_from_db()
    assert (own_style.name, own_style.description) == ("Sky", "Blue")
    assert update_style(style=own_style, description="").description == ""
    for wrong in ({"name": ""}, {"name": "n" * 81}, {"description": "d" * 501}):
        with pytest.raises(InvalidError):
            update_style(style=own_style, **wrong)
    own_style.refresh_from_db()
    assert (own_style.name, own_style.description) == ("Sky", "")


def test_what_was_deleted_meanwhile_is_said_to_be_gone(own_style: Style, user: Any) -> None:
    late = Style.objects.get(pk=own_style.pk)
    assert delete_style(style=own_style, user=user)
    assert not delete_style(style=late, user=user)
    for act in (
        lambda: update_style(style=late, name="x"),
        lambda: share_style(style=late, user=user, audience="everybody"),
    ):
        with pytest.raises(StyleError) as error:
            act()
        assert (error.value.code, error.value.status) == ("not_found", 404)


# What is left


def test_deleting_takes_the_files_and_leaves_what_was_painted(
    user: Any, chief: Any, own_style: Style, django_capture_on_commit_callbacks: Any
) -> None:
    made = restyle(user, own_style)
    name = own_style.name
    with django_capture_on_commit_callbacks(execute=True):
        assert delete_style(style=own_style, user=user)
    assert media() == {"uploads": 1, "thumbnails": 1}
    made = again(made)
    assert (made.style, made.style_name) == (None, name)
    entry = AuditEntry.objects.get(action=AuditEntry.Action.DELETED)
    assert (entry.actor_id, entry.object_name) == (user.pk, name)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("silent", "quick")
def test_an_account_goes_with_its_styles_and_others_keep_what_they_painted(
    user: Any, other_user: Any, chief: Any
) -> None:
    style = add(user)
    share_style(style=style, user=user, audience="everybody")
    restyle(user, style)
    run_job(restyle(user, style))
    theirs = run_job(restyle(other_user, style))
    delete_account(actor=chief, user=user)
    kept = again(theirs)
    assert (kept.style, kept.style_name, kept.result) == (None, "night sky", theirs.result)
    assert rows() == {"Upload": 1, "Restyling": 1, "Job": 1, "DerivedFile": 2, "Style": 0}
    assert media() == {"uploads": 1, "thumbnails": 1, "derived": 2}


def test_files_that_are_gone_already_hinder_no_deleting(
    user: Any, own_style: Style, django_capture_on_commit_callbacks: Any
) -> None:
    default_storage.delete(own_style.picture.name)
    with pytest.raises(StyleError) as error:
        style_image(own_style)
    assert error.value.code == "style_without_picture"
    with django_capture_on_commit_callbacks(execute=True):
        assert delete_style(style=own_style, user=user)
    assert media() == {}
