"""Cameras and events in the database of the browser tests' server, at the word of a test.

`serve` reads lines of JSON, does what they say, and answers with a line each: to start a process
for each word would take longer than the tests themselves.
"""

from __future__ import annotations

import io
import json
import sys
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from common.models import Account
from recognition.models import Profile
from video_analysis.cameras.models import Camera, CountingLine, Zone
from video_analysis.models import CameraEvent, CameraState, EventSequence, Sighting

# Nothing is there: a runner that tries to look at it is done at once.
NOWHERE = "loop:nothing-of-the-kind.mp4"
PASSWORD = "only-for-browser-tests"  # of people who live as long as these tests


def make_wall(prefix: str, *, cameras: int, events: int = 0, viewer: str = "") -> dict[str, Any]:
    """Make cameras with a zone and a line each, and events of the first one.

    Args:
        prefix: What their names begin with.
        cameras: How many.
        events: How many crossings, ten seconds apart, the newest ten seconds ago.
        viewer: A user of this name may look at them, through a group of the same name.
    """
    made = [_camera(f"{prefix} {number:02}") for number in range(1, cameras + 1)]
    if viewer:
        _viewer(viewer, made)
    first = made[0]
    zone, line = first.zones.get(), first.lines.get()
    written = [_event(first, line, number) for number in range(events)]
    sequence, _ = EventSequence.objects.get_or_create(pk=1)
    return {
        "cameras": [camera.pk for camera in made],
        "zone": zone.pk,
        "line": line.pk,
        "events": [str(event.pk) for event in written],
        "sequence": sequence.value,
    }


def _camera(name: str) -> Camera:
    camera = Camera.objects.create(name=name, address=NOWHERE)
    Zone.objects.create(
        camera=camera, name="Till", polygon=[[0.2, 0.3], [0.8, 0.3], [0.8, 0.9], [0.2, 0.9]]
    )
    CountingLine.objects.create(camera=camera, name="Door", points=[[0.1, 0.5], [0.9, 0.5]])
    CameraState.objects.create(
        camera=camera, state="live", updated_at=timezone.now(), width=320, height=180
    )
    return camera


def _viewer(name: str, cameras: list[Camera]) -> None:
    user = get_user_model().objects.create_user(name, password=PASSWORD)
    Account.objects.create(user=user, role="viewer")
    group = Group.objects.create(name=name)
    user.groups.add(group)
    for camera in cameras:
        camera.groups.add(group)


def _event(camera: Camera, line: CountingLine, number: int) -> CameraEvent:
    sequence, _ = EventSequence.objects.get_or_create(pk=1)
    sequence.value += 1
    sequence.save()
    at = timezone.now() - timedelta(seconds=10 * (number + 1))
    event = CameraEvent(
        sequence=sequence.value,
        kind="crossing",
        camera=camera,
        line=line,
        place=line.name,
        direction=line.forward,
        label="person",
        track_number=number,
        start=at,
        end=at,
        confidence=0.9,
        box=[0.25, 0.25, 0.25, 0.5],
    )
    if number == 0:
        buffer = io.BytesIO()
        Image.new("RGB", (320, 180), (40, 120, 90)).save(buffer, "JPEG")
        event.picture.save("picture.jpg", ContentFile(buffer.getvalue()), save=False)
    event.save(force_insert=True)
    return event


def remove_wall(prefix: str) -> None:
    """Take cameras away, with all that hangs on them."""
    Camera.objects.filter(name__startswith=prefix).delete()


def leave_groups(name: str) -> None:
    """Take a person out of their groups."""
    get_user_model().objects.get(username=name).groups.clear()


def loop_file(name: str, file: str) -> int:
    """Make a camera that shows a file again and again, and return its number."""
    camera = Camera.objects.create(name=name, address=f"loop:{file}", tracker_min_hits=2)
    return int(camera.pk)


def recognise(event: str, name: str) -> None:
    """Say who an event is about, and that they are still there."""
    row = CameraEvent.objects.get(pk=event)
    row.track = uuid.uuid4()
    row.save()
    Sighting.objects.create(
        camera=row.camera,
        track=row.track,
        track_number=row.track_number,
        state="known",
        profile=Profile.objects.create(name=name),
        start=row.start,
        end=timezone.now() + timedelta(minutes=1),
    )


def forget(name: str) -> None:
    """Delete a person."""
    Profile.objects.filter(name=name).delete()


WORDS: dict[str, Callable[..., Any]] = {
    "make": make_wall,
    "remove": remove_wall,
    "leave": leave_groups,
    "loop": loop_file,
    "recognise": recognise,
    "forget": forget,
}


def serve() -> None:
    """Do what the input says until it ends."""
    for line in sys.stdin:
        word, options = json.loads(line)
        sys.stdout.write(json.dumps(WORDS[word](**options)) + "\n")
        sys.stdout.flush()
