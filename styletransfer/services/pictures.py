"""Pictures of styles: kept for those that people have added, made for those that come along."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models.fields.files import FieldFile

from common.uploads.errors import UploadRejected
from common.uploads.services import decoded_picture, refused_storage
from styletransfer.errors import StyleError
from styletransfer.models import Style
from vision.encoding.images import encode_jpeg
from vision.errors import VisionError
from vision.sources.examples import find_example
from vision.sources.pictures import make_thumbnail
from vision.style.patterns import PATTERNS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

PATTERN_SIDE: Final = 768
EXAMPLE_SIDE: Final = 512
QUALITY: Final = 92


def style_image(style: Style) -> NDArray[np.uint8]:
    """Return the picture to paint like, (H, W, 3) uint8 BGR.

    Raises:
        StyleError: ``style_without_picture``: a network knows its style by heart, or the file is
            gone.
        PictureError: The stored file is damaged.
    """
    if style.key in PATTERNS:
        return PATTERNS[style.key].draw(PATTERN_SIDE)
    try:
        data = _read(style.picture) if style.picture else b""
    except FileNotFoundError:
        data = b""
    if not data:
        raise StyleError(
            "style_without_picture", f"The picture of the style {style.name} is not there."
        )
    with decoded_picture(data) as image:
        return image


def style_jpeg(style: Style, *, small: bool) -> bytes | None:
    """Return the picture of a style that comes with Sightline; None where there is none yet.

    A pattern is drawn. A network has no picture: it shows what it makes of the example, painted
    once when it was used for the first time.
    """
    if style.key in PATTERNS:
        return _pattern_jpeg(style.key, small)
    try:
        data = _example_path(style.network).read_bytes()
    except (OSError, ValueError):
        return None
    return _smaller(data) if small else data


def show_network(network: str) -> None:
    """Have a network that is here paint the example, as its picture; once per installation.

    It is an extra: where it cannot be made or kept, there is none until the next time.
    """
    from common.inference import StyleQuery, paint_fast

    path, example = _example_path(network), find_example()
    if path.exists() or example is None:
        return
    query = StyleQuery(network, EXAMPLE_SIDE, keep_colours=False)
    try:
        painted = paint_fast(example.read_bytes(), query, here=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two may be at it at once.
        draft = path.with_name(f"{path.stem}.{secrets.token_hex(4)}.draft")
        draft.write_bytes(painted.jpeg)
        draft.replace(path)
    except (OSError, VisionError, UploadRejected) as error:
        logger.warning("The example of %s could not be painted: %s", network, error)


@contextmanager
def kept_pictures(style: Style, image: NDArray[np.uint8]) -> Iterator[None]:
    """Store the pictures of a new style, whose row is for the block to save; they go if it fails.

    They are made anew: where a photo was taken, and with what, is nobody's business.

    Raises:
        UploadRejected: The disk is full, or the storage is away.
    """
    picture = encode_jpeg(image, QUALITY)
    style.height, style.width = image.shape[:2]
    style.size = len(picture)
    try:
        with refused_storage():
            style.picture.save("style.jpg", ContentFile(picture), save=False)
            style.thumbnail.save("style.jpg", ContentFile(make_thumbnail(image)), save=False)
        yield
    except BaseException:
        _delete([style.picture, style.thumbnail])
        raise


def discard_pictures_of(instance: Style, **kwargs: Any) -> None:
    """Have the pictures of a deleted row deleted on commit; a signal receiver.

    A signal, because rows also go with their owner.
    """
    files = [instance.picture, instance.thumbnail]
    transaction.on_commit(lambda: _delete(files), robust=True)


def _delete(files: list[FieldFile]) -> None:
    for file in filter(None, files):
        try:
            file.storage.delete(str(file.name))
        except OSError as error:
            logger.warning("%s could not be deleted: %s", file.name, error)


def _read(file: FieldFile) -> bytes:
    with file.storage.open(str(file.name), "rb") as opened:
        return bytes(opened.read())


@lru_cache(maxsize=16)
def _pattern_jpeg(key: str, small: bool) -> bytes:
    image = PATTERNS[key].draw(PATTERN_SIDE)
    return make_thumbnail(image) if small else encode_jpeg(image, QUALITY)


@lru_cache(maxsize=16)
def _smaller(data: bytes) -> bytes:
    with decoded_picture(data) as image:
        return make_thumbnail(image)


def _example_path(network: str) -> Path:
    if not network:
        raise ValueError("no network")
    return Path(settings.MODELS_DIR) / "styles" / f"{network}.jpg"
