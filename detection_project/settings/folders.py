"""Where everything lies."""

from pathlib import Path

from detection_project.settings import env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DATA_DIR: Path = env.folder("SIGHTLINE_DATA_DIR") or BASE_DIR / "data"
