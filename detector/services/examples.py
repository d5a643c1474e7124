"""The picture to begin with: the bus that the ultralytics package carries."""

from __future__ import annotations

from typing import Any

from detector.errors import DetectorError
from detector.models import DetectionSession
from detector.services.options import parse_options
from detector.services.sessions import queue_picture
from vision.sources.examples import EXAMPLE_FILE, find_example

EXAMPLE_NAME = "Example: a street in Madrid"


def create_example_session(*, owner: Any, task: str = "detect") -> DetectionSession:
    """Store the example picture for ``owner`` and queue its session.

    Raises:
        DetectorError: ``example_missing`` when the package that carries it is not installed.
    """
    path = find_example()
    if path is None:
        raise DetectorError("example_missing", "The example picture is not installed.", status=404)
    return queue_picture(
        owner=owner,
        data=path.read_bytes(),
        file_name=EXAMPLE_FILE,
        options=parse_options(task=task),
        name=EXAMPLE_NAME,
        source=DetectionSession.Source.EXAMPLE,
    )
