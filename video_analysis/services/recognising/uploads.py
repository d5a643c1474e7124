"""Whether people may be recognised in what is uploaded."""

from __future__ import annotations

from collections.abc import Collection

from detector.errors import OptionsError
from recognition.models import PrivacySettings

SWITCHED_OFF = "Recognition in uploads is switched off in the privacy settings."


def may_recognise_uploads() -> bool:
    """Tell whether faces in uploads may be recognised at all."""
    rows = PrivacySettings.objects.filter(pk=1)
    allowed: bool | None = rows.values_list("recognise_uploads", flat=True).first()
    return allowed is not False


def refuse_recognition(tasks: Collection[str]) -> None:
    """Refuse an analysis that is to recognise people where that is forbidden.

    Raises:
        OptionsError: It is.
    """
    if "faces" in tasks and not may_recognise_uploads():
        raise OptionsError({"tasks": SWITCHED_OFF})
