"""Queues sessions, and counts those that are left (a child: ``benchmarks.flood``).

Settings come from the environment; one order a line on standard input, one answer a line.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import django


def main() -> None:
    order = json.loads(sys.stdin.readline())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "detection_project.settings.base")
    django.setup()
    from django.contrib.auth import get_user_model

    from common.models import Job
    from detector.models import DetectionSession
    from detector.services.options import parse_options
    from detector.services.sessions import queue_picture, rerun_session

    owner = get_user_model().objects.get(username="admin")
    options = parse_options(task="detect")
    first = queue_picture(
        owner=owner,
        data=Path(order["picture"]).read_bytes(),
        file_name="picture.jpg",
        options=options,
        name="picture",
        source=DetectionSession.Source.API,
    )
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(json.loads(line).get("jobs", 0)):
            rerun_session(session=first, owner=owner, options=options)
        left = Job.objects.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING]).count()
        print(json.dumps({"left": left}), flush=True)


if __name__ == "__main__":
    main()
