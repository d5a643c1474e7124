#!/usr/bin/env python
"""Command line of Sightline: `python manage.py serve`, `web`, `worker`, `setup`, `detect`, …"""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run the management command that the arguments name."""
    from detection_project.settings.env import read_file

    read_file(Path(__file__).resolve().parent / ".env")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "detection_project.settings.base")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Sightline cannot start: {error}")


if __name__ == "__main__":
    main()
