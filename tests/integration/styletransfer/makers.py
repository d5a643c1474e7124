"""Styles and paintings made in a test's own thread, and what there is of them at all."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image

from common.jobs.queues import STYLES_QUEUE
from common.jobs.runner import execute_job
from common.jobs.services import cancel_job
from common.models import DerivedFile, Job, Upload
from common.storage.work import work_folder
from common.uploads.derived import store_derived
from common.uploads.services import remove_pictures
from styletransfer.models import Restyling, Style
from styletransfer.selectors import RESTYLING_SHOWN
from styletransfer.services.options import parse_options
from styletransfer.services.restylings import restyle_picture
from styletransfer.services.styles import add_style, delete_style

Pixels = NDArray[np.uint8]
Hook = Callable[[int], object]
State = Job.State
NOTHING = {"Upload": 0, "Restyling": 0, "Job": 0, "DerivedFile": 0}


def picture(width: int = 96, height: int = 72, *, format: str = "JPEG", **options: Any) -> bytes:
    """A picture file with large and small things in it."""
    coarse = np.random.default_rng(options.pop("seed", 0)).integers(0, 256, (6, 8, 3), np.uint8)
    pixels = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format, **options)
    return file.getvalue()


def add(owner: Any, **fields: Any) -> Style:
    """A style of a made picture."""
    wanted = {"data": picture(seed=1), "file_name": "night_sky.jpg", **fields}
    return add_style(owner=owner, **wanted)


def restyle(owner: Any, style: Style, *, data: bytes | None = None, **options: Any) -> Restyling:
    """A painting that waits."""
    wishes = parse_options(
        {"size": 64, "steps": 3, **options} if not style.is_fast else options,
        is_fast=style.is_fast,
    )
    return restyle_picture(
        owner=owner, data=data or picture(), file_name="street.jpg", style=style, options=wishes
    )


def again(restyling: Restyling) -> Restyling:
    """The row as it is now, with all that is shown of it."""
    return Restyling.objects.select_related(*RESTYLING_SHOWN).get(pk=restyling.pk)


def run_job(restyling: Restyling) -> Restyling:
    """Do the work here and now, as a worker would."""
    execute_job(restyling.job_id)
    return again(restyling)


def pixels_of(restyling: Restyling) -> Pixels:
    """The painted picture, (H, W, 3) uint8 BGR."""
    assert restyling.result is not None, (restyling.status, restyling.job.error_message)
    return decode(bytes_of(restyling))


def bytes_of(restyling: Restyling) -> bytes:
    """The painted file."""
    assert restyling.result is not None
    with restyling.result.file.open("rb") as file:
        return bytes(file.read())


def decode(data: bytes) -> Pixels:
    """A picture file as (H, W, 3) uint8 BGR."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image.astype(np.uint8)


def media() -> dict[str, int]:
    """How many files are stored, by folder."""
    root = Path(settings.MEDIA_ROOT)
    files = [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
    return dict(Counter(path.parts[0] for path in files))


def rows() -> dict[str, int]:
    """Rows by model; of styles only those that somebody has added."""
    counts = {model.__name__: model.objects.count() for model in (Upload, Restyling, Job)}
    own = Style.objects.filter(key="").count()
    return {**counts, "DerivedFile": DerivedFile.objects.count(), "Style": own}


def give_result(restyling: Restyling) -> DerivedFile:
    """Give a painting a file as its result, whatever its job has come to."""
    with work_folder() as folder:
        path = folder / "painting.jpg"
        path.write_bytes(picture())
        derived = store_derived(upload=restyling.upload, path=path, media_type="image/jpeg")
    derived.save(force_insert=True)
    Restyling.objects.filter(pk=restyling.pk).update(result=derived)
    return derived


def set_state(restyling: Restyling, state: str) -> Restyling:
    """Have the job in a state, however it came there."""
    Job.objects.filter(pk=restyling.job_id).update(state=state, lease_expires_at=timezone.now())
    return again(restyling)


def counted() -> dict[str, int]:
    """Rows by model, without styles."""
    return {name: count for name, count in rows().items() if name != "Style"}


def stop_at(restyling: Restyling, wanted: int) -> Hook:
    """Has somebody stop the painting in the middle of a step."""
    return lambda step: step == wanted and cancel_job(job=Job.objects.get(pk=restyling.job_id))


def failure(restyling: Restyling) -> tuple[str, str]:
    """How the work came to fail."""
    assert restyling.status == State.FAILED, restyling.status
    return restyling.job.error_code, restyling.job.error_message


def distance(one: Pixels, other: Pixels) -> float:
    """How many levels two pictures differ, on average."""
    return float(np.abs(one.astype(int) - other).mean())


# What somebody takes away, and the code of the failure that follows; empty for any that is said.
GONE: dict[str, tuple[Callable[[Restyling], object], str]] = {
    "style": (
        lambda made: delete_style(style=Style.objects.get(pk=made.style_id), user=made.owner),
        "style_deleted",
    ),
    "style's file": (
        lambda made: default_storage.delete(made.style.picture.name),  # type: ignore[union-attr]
        "style_without_picture",
    ),
    "picture": (lambda made: remove_pictures(uploads=[made.upload]), "picture_removed"),
    "file": (lambda made: default_storage.delete(made.upload.file.name), "picture_missing"),
    "damaged": (
        lambda made: Path(made.upload.file.path).write_bytes(picture()[:900]),
        "",
    ),
}


def restyling(
    owner: Any,
    state: str = State.QUEUED,
    *,
    picture: tuple[int, int] = (100, 100),
    job: dict[str, Any] | None = None,
    **fields: Any,
) -> Restyling:
    """Store a painting without its files; the file is ``picture`` (width, height) large."""
    width, height = picture
    upload = Upload.objects.create(
        owner=owner, name="a.jpg", sha256="0", size=1, width=width, height=height
    )
    work = {"kind": "test", "queue": STYLES_QUEUE, "state": state, "owner": owner, **(job or {})}
    values = {"way": Restyling.Way.SLOW, "steps": 10, "name": "a", "style_name": "Glass", **fields}
    return Restyling.objects.create(
        owner=owner, upload=upload, job=Job.objects.create(**work), **values
    )
