"""What every change leaves behind: a higher revision, a line in the audit log, a message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, Model

from common.audit.models import AuditEntry
from common.audit.services import record
from video_analysis.cameras.announcing import announce_configuration
from video_analysis.cameras.errors import ChangedMeanwhileError, GoneError
from video_analysis.cameras.models import Camera

# An address may carry a key in its query; credentials are never looked at.
UNSPOKEN = ("address", "credentials")


def announce() -> None:
    """Tell runners and open pages, once what was written is there to be read."""
    transaction.on_commit(announce_configuration)


def hold(camera: Camera, revision: int | None = None) -> Camera:
    """Return the camera as it is now, held against others until the transaction ends.

    Raises:
        GoneError: It was deleted.
        ChangedMeanwhileError: ``revision`` is not its revision any more.
    """
    held = Camera.objects.select_for_update().filter(pk=camera.pk).first()
    if held is None:
        raise GoneError("camera")
    if revision is not None and held.revision != revision:
        raise ChangedMeanwhileError(held.revision)
    return held


def raise_revision(camera: Camera) -> None:
    """Count a change of a camera, its zones or its lines."""
    Camera.objects.filter(pk=camera.pk).update(revision=F("revision") + 1)
    camera.refresh_from_db(fields=["revision"])


def note(*, actor: Any, obj: Model, change: str, details: Mapping[str, Any] | None = None) -> None:
    """Write a change of settings into the audit log."""
    _write(AuditEntry.Action.SETTINGS, actor, obj, {"change": change, **(details or {})})


def note_deleted(*, actor: Any, obj: Model, details: Mapping[str, Any] | None = None) -> None:
    """Write a deletion into the audit log, while the row is still there."""
    _write(AuditEntry.Action.DELETED, actor, obj, details or {})


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], changed: Iterable[str]
) -> dict[str, Any]:
    """Return what has changed, with old and new values of what may be said aloud."""
    names = sorted(changed)
    spoken = [name for name in names if name not in UNSPOKEN]
    return {
        "fields": names,
        "before": {name: before.get(name) for name in spoken},
        "after": {name: after.get(name) for name in spoken},
    }


def _write(action: AuditEntry.Action, actor: Any, obj: Model, details: Mapping[str, Any]) -> None:
    record(action=action, actor=actor, obj=obj, details=details)
