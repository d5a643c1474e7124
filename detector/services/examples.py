"""The picture to begin with: the bus that the ultralytics package carries."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from detector.errors import DetectorError
from detector.models import DetectionSession
from detector.services.options import parse_options
from detector.services.sessions import queue_picture

EXAMPLE_FILE = "bus.jpg"
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


@lru_cache(maxsize=1)
def find_example() -> Path | None:
    """Where the example picture is, found without importing the package."""
    spec = find_spec("ultralytics")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "assets" / EXAMPLE_FILE
        if path.is_file():
            return path
    return None
