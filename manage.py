#!/usr/bin/env python
"""Command line of Sightline: `python manage.py serve`, `setup`, `detect`, …"""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run the management command that the arguments name."""
    from detection_project.settings.env import read_file

    read_file(Path(__file__).resolve().parent / ".env")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "detection_project.settings.base")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
