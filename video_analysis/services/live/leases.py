"""Who looks at which camera: rows with an end, taken by conditional UPDATEs.

A runner whose process has gone is noticed at once on its own machine, and elsewhere when its
leases have run out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from common.jobs.identity import is_certainly_dead
from video_analysis.cameras.models import Camera
from video_analysis.models import CameraRunner, CameraState

logger = logging.getLogger(__name__)

FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CameraLease:
    """An enabled camera, and who has it.

    Attributes:
        runner: Empty where nobody has ever had it, or it was given back.
        expires: Of the lease.
        known: Whether the camera has a row for its state.
        seen: When it was last said how the camera goes.
    """

    id: int
    revision: int
    runner: str
    expires: datetime | None
    known: bool
    seen: datetime | None

    def is_free(self, now: datetime | None) -> bool:
        """Tell whether anybody may take it.

        Args:
            now: None where it does not count that a lease has run out.
        """
        if not self.runner or self.expires is None or (now is not None and self.expires < now):
            return True
        return is_certainly_dead(self.runner)


def lease_seconds() -> float:
    """Return how long a lease holds."""
    return float(settings.SIGHTLINE_CAMERA_LEASE_SECONDS)


def read_cameras() -> list[CameraLease]:
    """Read the enabled cameras with their leases; one query."""
    rows = Camera.objects.filter(enabled=True).order_by("pk")
    fields = ("state__runner", "state__lease_expires_at", "state__camera_id", "state__updated_at")
    return [
        CameraLease(pk, revision, runner or "", expires, known is not None, seen)
        for pk, revision, runner, expires, known, seen in rows.values_list(
            "pk", "revision", *fields
        )
    ]


def claim(camera: CameraLease, runner: str) -> bool:
    """Take a camera for a runner, if it still is as it was read; return whether it was had."""
    if not camera.known:
        CameraState.objects.bulk_create([CameraState(camera_id=camera.id)], ignore_conflicts=True)
    same = Q(runner=camera.runner, lease_expires_at=camera.expires)
    if not camera.known:
        same = Q(runner="", lease_expires_at=None)
    now = timezone.now()
    return bool(
        CameraState.objects.filter(same, pk=camera.id).update(
            runner=runner,
            lease_expires_at=now + timedelta(seconds=lease_seconds()),
            state=CameraState.State.CONNECTING,
            since=now,
            code="",
            reason="",
            figures={},
        )
    )


class HeldLeases:
    """The leases of one runner: renewed together, and how long each holds by our own clock.

    Args:
        runner: Its name.
    """

    def __init__(self, runner: str) -> None:
        self._runner = runner
        self._until: dict[int, float] = {}

    def note(self, camera_id: int, began: float) -> None:
        """Note a lease that was asked for at this moment of the monotonic clock."""
        self._until[camera_id] = began + lease_seconds()

    def was_held(self, camera_id: int, moment: float) -> bool:
        """Tell whether a camera was ours at a moment of the monotonic clock, lost or not."""
        return moment <= self._until.get(camera_id, 0.0)

    def renew(self, cameras: Collection[int]) -> set[int]:
        """Renew the leases of cameras; return those that are ours no longer.

        A lease that has run out is ours as long as nobody else has taken it.

        Raises:
            django.db.Error: Nothing was renewed.
        """
        if not cameras:
            return set()
        began = time.monotonic()
        expires = timezone.now() + timedelta(seconds=lease_seconds())
        mine = CameraState.objects.filter(pk__in=cameras, runner=self._runner)
        if mine.update(lease_expires_at=expires) == len(cameras):
            kept = set(cameras)
        else:
            kept = set(mine.values_list("pk", flat=True))
        for camera in kept:
            self.note(camera, began)
        return set(cameras) - kept


def sign_runner(runner: str, started: datetime) -> None:
    """Say that a runner is there.

    Raises:
        django.db.Error: It was not said.
    """
    now = timezone.now()
    if not CameraRunner.objects.filter(pk=runner).update(seen_at=now):
        CameraRunner.objects.update_or_create(
            pk=runner, defaults={"seen_at": now, "started_at": started}
        )


def remove_runner(runner: str) -> None:
    """Say that a runner has gone."""
    CameraRunner.objects.filter(pk=runner).delete()


def live_runners(*, within: float | None = None) -> set[str]:
    """Return the runners that are there.

    Args:
        within: Seconds in which they must have given a sign; by default those of a lease.
    """
    now = timezone.now()
    since = now - timedelta(seconds=lease_seconds() if within is None else within)
    names = CameraRunner.objects.filter(seen_at__gte=since).values_list("pk", flat=True)
    return {name for name in names if not is_certainly_dead(name)}


def forget_gone_runners() -> int:
    """Delete the rows of runners that fell silent a day ago; return how many."""
    long_ago = timezone.now() - FORGOTTEN_AFTER
    deleted, _ = CameraRunner.objects.filter(seen_at__lt=long_ago).delete()
    return deleted


def fair_share(cameras: int, runners: int) -> int:
    """Return how many cameras a runner may have."""
    share = -(-cameras // max(1, runners))
    most = int(settings.SIGHTLINE_CAMERAS_PER_RUNNER)
    return min(share, most) if most else share


@dataclass(frozen=True, slots=True)
class Plan:
    """What a runner is to do about its leases.

    Attributes:
        claim: Cameras to try to take, in this order.
        give: Cameras to stop and give back.
    """

    claim: Sequence[CameraLease]
    give: Sequence[int]


def plan_leases(
    cameras: Sequence[CameraLease],
    held: Collection[int],
    *,
    runner: str,
    runners: int,
    careful: bool = False,
) -> Plan:
    """Choose what to take and what to give back.

    Args:
        cameras: All that are enabled.
        held: Those that this runner looks at, or has not yet given back.
        runner: Its name.
        runners: How many there are, this one included.
        careful: Whether leases that have run out count, too: after an outage all of them have,
            and their runners are only about to come back.
    """
    now = None if careful else timezone.now()
    enabled = {camera.id for camera in cameras}
    gone = [camera for camera in held if camera not in enabled]
    kept = sorted(camera for camera in held if camera in enabled)
    share = fair_share(len(cameras), runners)
    surplus = kept[share:][-1:]  # one after the other: each is missed for a moment
    free = [
        camera
        for camera in cameras
        if camera.id not in held and (camera.runner == runner or camera.is_free(now))
    ]
    return Plan(claim=free[: max(0, share - len(kept))], give=[*gone, *surplus])
