"""Whether a camera runner of this machine, or container, gives signs."""

from __future__ import annotations

from common.jobs.identity import HOST
from video_analysis.services.live.leases import live_runners

SILENT_SECONDS = 40.0
"""Without cameras a runner gives a sign every ten seconds."""


def has_local_runner() -> bool:
    """Tell whether one has given a sign lately.

    Raises:
        django.db.Error: Nobody knows.
    """
    return any(name.startswith(f"{HOST}:") for name in live_runners(within=SILENT_SECONDS))
