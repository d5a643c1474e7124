"""Styles and results that are there already: nothing is painted for them."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from common.models import Job
from common.uploads.derived import store_derived
from common.uploads.services import store_picture
from styletransfer.models import Restyling, Style
from styletransfer.services.styles import add_style

UNFINISHED = ("queued", "running")


def picture(width: int = 160, height: int = 120, seed: int = 0, form: str = "JPEG") -> bytes:
    """Return a colourful picture file."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8))
    buffer = io.BytesIO()
    coarse.resize((width, height), Image.Resampling.BICUBIC).save(buffer, form)
    return buffer.getvalue()


def add(owner: Any, name: str = "Peeling paint", **more: Any) -> Style:
    """Return a style that somebody has added; `more` is set on its row."""
    style = add_style(owner=owner, data=picture(seed=len(name)), file_name="wall.jpg", name=name)
    for field, value in more.items():
        setattr(style, field, value)
    style.save()
    return style


def painted(
    owner: Any, style: Style, *, name: str = "Harbour", state: str = "done", **more: Any
) -> Restyling:
    """Return a result in this state; finished ones have a picture, but for the failed."""
    upload = store_picture(owner=owner, data=picture(seed=7), name=f"{name}.jpg")
    job = Job.objects.create(
        kind="styletransfer.paint", owner=owner, state=state, queue="styles", progress=0.4
    )
    restyling = Restyling(
        owner=owner,
        upload=upload,
        job=job,
        style=style,
        style_name=style.name,
        way="fast" if style.is_fast else "slow",
        name=name,
        steps=100,
        **more,
    )
    if state not in (*UNFINISHED, "failed"):
        restyling.seconds = 12.5
        restyling.result = derived(upload, seed=8)
        restyling.thumbnail = derived(upload, seed=8)
    restyling.save()
    return restyling


def derived(upload: Any, seed: int) -> Any:
    """Return a stored file made of an upload, with its row."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "painted.jpg"
        path.write_bytes(picture(seed=seed))
        row = store_derived(upload=upload, path=path, media_type="image/jpeg")
    row.save()
    return row
