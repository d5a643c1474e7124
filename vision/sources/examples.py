"""The picture to begin with: the bus that the ultralytics package carries."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["EXAMPLE_FILE", "find_example"]

EXAMPLE_FILE: Final = "bus.jpg"


@lru_cache(maxsize=1)
def find_example() -> Path | None:
    """Return where the example picture is, found without importing the package; None without it."""
    spec = find_spec("ultralytics")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "assets" / EXAMPLE_FILE
        if path.is_file():
            return path
    return None
