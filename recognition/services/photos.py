"""The photo of a person: the best of their faces."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

from recognition.models import Profile
from recognition.services.files import NewFiles, discard, read_file

CROP_SIDE = 150.0


def follow_best(profile: Profile, files: NewFiles) -> None:
    """Have a profile that is held show its best face, or none when none is left."""
    rows = profile.samples.exclude(crop="").order_by("created_at", "pk")
    best = max(rows.defer("embedding"), key=lambda sample: score(sample.quality), default=None)
    data = read_file(best.crop) if best is not None else b""
    if hashlib.sha256(data).digest() == hashlib.sha256(read_file(profile.photo)).digest():
        return
    discard(profile.photo)
    profile.photo = ""
    if data:
        files.save(profile.photo, data)
    Profile.objects.filter(pk=profile.pk).update(photo=str(profile.photo.name or ""))


def score(quality: Mapping[str, Any]) -> float:
    """Return how well a face shows a person: large, sharp, upright, towards the camera; 0..1."""
    size = min(float(quality.get("size", 0.0)) / CROP_SIDE, 1.0)
    towards = 1.0 - max(abs(float(quality.get(name, 0.0))) for name in ("yaw", "pitch"))
    upright = math.cos(math.radians(min(abs(float(quality.get("roll", 0.0))), 90.0)))
    return size * float(quality.get("sharpness", 0.0)) * max(towards, 0.0) * upright
