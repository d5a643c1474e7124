"""Two profiles that are one person, and back again.

All rows that point at the profile go over to the other one, whatever app they are of; which ones is
written down, so that they can go back. Apps that need more than that register a listener.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from recognition.errors import ConflictError, GoneError, InvalidError
from recognition.models import Consent, FaceReview, Profile, ProfileMerge
from recognition.services.files import new_files
from recognition.services.gallery import note_change
from recognition.services.holding import hold_profile, hold_profiles, raise_revision
from recognition.services.noting import note
from recognition.services.photos import follow_best

MergeListener: TypeAlias = "Callable[[UUID, UUID], None]"

TEXTS: Final = ("email", "preferences", "notes")
"""What the target takes over where it has nothing."""
KEPT: Final = (
    *("kind", "name", *TEXTS, "threshold", "visit_count"),
    *("last_visit_at", "revision", "created_by_id", "created_at"),
)
"""What is written down of the profile that goes."""
CHUNK: Final = 500

_listeners: list[MergeListener] = []


def register_merge_listener(listener: MergeListener) -> None:
    """Have a function called before rows go over, in the same transaction.

    It is called with the ids of the target and the source, and clears away what both cannot have
    together, e.g. two open visits.
    """
    if listener not in _listeners:
        _listeners.append(listener)


def merge_profiles(*, actor: Any, target: Profile, source: Profile) -> ProfileMerge:
    """Make one person of two; the source is gone afterwards, until `undo_merge`.

    The target keeps what it says of itself and takes over what it does not say. Of two agreements
    the newer holds, unless one of the two people has withdrawn theirs since.

    Args:
        actor: Who says that they are one.
        target: Who stays.
        source: Who becomes part of them.

    Raises:
        InvalidError: Both are the same profile.
        GoneError: One of them was deleted.
    """
    if target.pk == source.pk:
        raise InvalidError({"source": "That is the same person already; choose another one."})
    with new_files() as files, transaction.atomic():
        held = hold_profiles([target.pk, source.pk])
        if len(held) < 2:
            raise GoneError("person")
        into, gone = held[target.pk], held[source.pk]
        note_change([into.pk, gone.pk])
        for listener in _listeners:
            listener(into.pk, gone.pk)
        samples = [str(pk) for pk in gone.samples.order_by().values_list("pk", flat=True)]
        kept = {name: _plain(getattr(gone, name)) for name in KEPT}
        moment = timezone.now()
        kept["consents_ended"] = _join_consents(into, gone, moment)
        kept["moved"] = dict(_move_rows(gone, into))
        kept["taken_over"] = _take_over(into, gone)
        merge = ProfileMerge.objects.create(
            target=into,
            source_id=gone.pk,
            source=kept,
            samples=samples,
            merged_by=actor,
            merged_at=moment,
        )
        gone.delete()
        follow_best(into, files)
        raise_revision(into)
        note(actor=actor, profile_id=into.pk, change="merged", source=str(merge.source_id))
    return merge


def undo_merge(*, actor: Any, merge: ProfileMerge) -> Profile:
    """Take a merged person out again, with all that came with them and is still there.

    What was added since the merge stays where it is.

    Args:
        actor: Who says that they were two.
        merge: What was wrong.

    Returns:
        The person who is back, under their old id.

    Raises:
        ConflictError: ``already_undone``.
        GoneError: The merged person was deleted.
    """
    with new_files() as files, transaction.atomic():
        target = hold_profile(_target_of(merge))
        held = ProfileMerge.objects.select_for_update().filter(pk=merge.pk).first()
        if held is None or held.target_id != target.pk:
            raise GoneError("merged person")
        if held.undone_at is not None:
            raise ConflictError("already_undone", "These two were taken apart already.")
        back = _restore(held)
        note_change([target.pk, back.pk])
        withdrawn = target.consents.filter(withdrawn_at__gt=held.merged_at).exists()
        for label, ids in held.source["moved"].items():
            _move_back(label, ids, target, back)
        if not withdrawn:  # whoever of the two that was
            _reopen_consents(held.source["consents_ended"])
        _give_back(target, held.source)
        for profile in (target, back):
            follow_best(profile, files)
        raise_revision(target)
        ProfileMerge.objects.filter(pk=held.pk).update(undone_at=timezone.now())
        note(actor=actor, profile_id=target.pk, change="merge undone", source=str(back.pk))
    return back


def _target_of(merge: ProfileMerge) -> UUID:
    """Return whose part it is now: the target may have been merged since."""
    found = ProfileMerge.objects.filter(pk=merge.pk).values_list("target_id", flat=True).first()
    if found is None:
        raise GoneError("merged person")
    return found


def _pointing() -> Iterator[tuple[type[models.Model], str]]:
    """Yield every model with a key to a profile, and the name of the key.

    Questions come first: everybody holds them before what waits for the answer.
    """
    found = Profile._meta.get_fields(include_hidden=True)
    relations = [one for one in found if isinstance(one, models.ManyToOneRel)]
    for relation in sorted(relations, key=lambda one: one.related_model is not FaceReview):
        yield relation.related_model, relation.field.name


def _move_rows(source: Profile, target: Profile) -> Iterator[tuple[str, list[Any]]]:
    """Have all rows of one profile point at another; yield which."""
    for model, name in _pointing():
        rows = model._base_manager.filter(**{name: source}).order_by()
        ids = list(rows.values_list("pk", flat=True))
        if not ids:
            continue
        try:
            with transaction.atomic():
                rows.update(**{name: target})
        except IntegrityError:  # the target has one like it: those that fit go over
            ids = [pk for pk in ids if _move_one(model, name, pk, target)]
        yield f"{model._meta.label_lower}.{name}", [_plain(pk) for pk in ids]


def _move_one(model: type[models.Model], name: str, pk: Any, target: Profile) -> bool:
    try:
        with transaction.atomic():
            return bool(model._base_manager.filter(pk=pk).update(**{name: target}))
    except IntegrityError:
        return False


def _move_back(label: str, ids: list[Any], target: Profile, back: Profile) -> None:
    """Have rows that came with a profile point at it again, as far as they are still there."""
    app_label, model_name, name = label.split(".")
    try:
        model = apps.get_model(app_label, model_name)
    except LookupError:  # of an app that was there at the time
        return
    for chunk in _chunks(ids):
        rows = model._base_manager.filter(pk__in=chunk, **{name: target})
        try:
            with transaction.atomic():
                rows.update(**{name: back})
        except IntegrityError:
            for pk in chunk:
                if rows.filter(pk=pk).exists():
                    _move_one(model, name, pk, back)


def _join_consents(target: Profile, source: Profile, moment: datetime) -> list[int]:
    """End the agreements that do not hold for both together; return which were ended."""
    rows = Consent.objects.filter(profile__in=[target, source])
    active = sorted(rows.filter(withdrawn_at=None), key=lambda one: (one.given_at, one.pk))
    withdrawn = rows.exclude(withdrawn_at=None).aggregate(last=models.Max("withdrawn_at"))["last"]
    ended = active[:-1]
    if active and withdrawn is not None and withdrawn > active[-1].given_at:
        ended = active
    ids = [one.pk for one in ended]
    Consent.objects.filter(pk__in=ids).update(withdrawn_at=moment)
    return ids


def _reopen_consents(ids: list[int]) -> None:
    """Have agreements hold again that the merge had ended, unless there is another one by now."""
    for consent in Consent.objects.filter(pk__in=ids):
        if not Consent.objects.filter(profile=consent.profile_id, withdrawn_at=None).exists():
            Consent.objects.filter(pk=consent.pk).update(withdrawn_at=None)


def _take_over(target: Profile, source: Profile) -> list[str]:
    """Fill what the target does not say, and add up visits; return which texts were filled."""
    taken = [name for name in TEXTS if not getattr(target, name) and getattr(source, name)]
    for name in taken:
        setattr(target, name, getattr(source, name))
    target.visit_count += source.visit_count
    visits = [moment for moment in (target.last_visit_at, source.last_visit_at) if moment]
    target.last_visit_at = max(visits, default=None)
    target.save(update_fields=[*taken, "visit_count", "last_visit_at"])
    return taken


def _give_back(target: Profile, kept: dict[str, Any]) -> None:
    """Empty what was taken over and not changed since."""
    for name in kept["taken_over"]:
        if getattr(target, name) == kept[name]:
            setattr(target, name, "")
    target.visit_count = max(0, target.visit_count - int(kept["visit_count"]))
    target.save(update_fields=[*kept["taken_over"], "visit_count"])


def _restore(merge: ProfileMerge) -> Profile:
    """Make the row of a merged profile again.

    Raises:
        ConflictError: ``already_undone``: there is such a profile.
    """
    if Profile.objects.filter(pk=merge.source_id).exists():
        raise ConflictError("already_undone", "These two were taken apart already.")
    values = {name: merge.source[name] for name in KEPT}
    for name in ("last_visit_at", "created_at"):
        values[name] = _moment(values[name])
    creator = values["created_by_id"]
    if not get_user_model()._default_manager.filter(pk=creator).exists():
        values["created_by_id"] = None
    values["revision"] += 1
    return Profile.objects.create(pk=merge.source_id, **values)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _moment(value: str | None) -> datetime | None:
    return parse_datetime(value) if value else None


def _chunks(ids: list[Any]) -> Iterable[list[Any]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
