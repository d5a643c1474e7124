"""Cameras: added, changed, deleted.

Who calls has asked `common.permissions` before: only administrators configure cameras.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import F

from video_analysis.cameras.cleaning import clean
from video_analysis.cameras.errors import ConfigurationError
from video_analysis.cameras.models import Area, Camera
from video_analysis.cameras.services import secrets
from video_analysis.cameras.services.checking import (
    SETTINGS,
    clean_name,
    judge_address,
    judge_camera,
    known_settings,
    raise_for,
)
from video_analysis.cameras.services.noting import (
    announce,
    differences,
    hold,
    note,
    note_deleted,
    raise_revision,
)

TAKEN: Final = "There is a camera of this name already."


def create_camera(
    *,
    actor: Any,
    name: str,
    address: str,
    area: Area | None = None,
    groups: Iterable[Group] = (),
    username: str = "",
    password: str = "",
    **settings: Any,
) -> Camera:
    """Add a camera.

    Args:
        actor: Who adds it.
        name: Of at most 100 characters, unlike every other camera's.
        address: May carry credentials, which are taken out and encrypted.
        area: Where it is.
        groups: Whose members may watch it.
        username: Wins over one in the address, as the password does.
        password: Stored encrypted.
        **settings: Of `SETTINGS`; what is left out has the model's default.

    Raises:
        ConfigurationError: With a sentence for every field that is wrong.
    """
    with transaction.atomic():
        camera = add(
            actor=actor,
            name=name,
            address=address,
            area=area,
            groups=groups,
            username=username,
            password=password,
            **settings,
        )
        announce()
    return camera


def update_camera(
    *, actor: Any, camera: Camera, revision: int | None = None, **changes: Any
) -> Camera:
    """Change a camera and return it as it is then; what is left out stays as it was.

    Args:
        actor: Who changes it.
        camera: Which one.
        revision: Of the camera that the caller has seen; None changes it whatever it is now.
        **changes: Of `SETTINGS`, and ``name``, ``address``, ``area``, ``groups``, ``username``,
            ``password`` and ``forget_credentials``. An empty user name or password keeps what is
            stored, ``forget_credentials=True`` removes it. A password is never sent to another
            host than it was given for: an address elsewhere needs new ones.

    Raises:
        ConfigurationError: With a sentence for every field that is wrong.
        ChangedMeanwhileError: The camera has another revision by now.
        GoneError: The camera was deleted.
    """
    with transaction.atomic():
        changed, anything = change(actor=actor, camera=camera, revision=revision, **changes)
        if anything:
            announce()
    return changed


def delete_camera(*, actor: Any, camera: Camera) -> None:
    """Delete a camera with its zones, lines and all that was recorded of it.

    Recordings go first, in many short transactions, so that nobody has to wait for them. Who is
    interrupted leaves a camera that is switched off, and can be deleted again.
    """
    with transaction.atomic():
        running = Camera.objects.filter(pk=camera.pk, enabled=True)
        if running.update(enabled=False, revision=F("revision") + 1):
            announce()
    clean(camera.pk)
    with transaction.atomic():
        held = Camera.objects.select_for_update().filter(pk=camera.pk).first()
        if held is not None:
            clean(camera.pk)  # what a runner has written until the row was held
            note_deleted(actor=actor, obj=held)
            held.delete()
            announce()


def add(
    *,
    actor: Any,
    name: str,
    address: str,
    area: Area | None = None,
    groups: Iterable[Group] = (),
    username: str = "",
    password: str = "",
    **settings: Any,
) -> Camera:
    """Add a camera in the caller's transaction and tell nobody; see `create_camera`."""
    known_settings(settings)
    fields: dict[str, str] = {}
    camera = Camera(name=clean_name(name), area=area, **settings)
    inside = _set_address(camera, address, fields)
    try:
        merged = secrets.merge(
            None, in_address=inside, username=username, password=password, forget=False
        )
        camera.credentials = secrets.lock(merged)
    except ConfigurationError as error:
        fields |= error.fields
    _refuse(camera, {"name", "address", *settings}, fields)
    chosen = list(groups)
    _save(camera, None)
    camera.groups.set(chosen)
    note(actor=actor, obj=camera, change="created", details={"groups": _names(chosen)})
    return camera


def change(
    *, actor: Any, camera: Camera, revision: int | None = None, **changes: Any
) -> tuple[Camera, bool]:
    """Change a camera in the caller's transaction; return it and whether anything is different.

    See `update_camera`.
    """
    known_settings(set(changes) - {"name", "address", "area", "groups", *_CREDENTIALS})
    held = hold(camera, revision)
    before = _values(held)
    fields: dict[str, str] = {}
    for name in (*SETTINGS, "area", "name"):
        if name in changes:
            value = changes[name]
            setattr(held, name, clean_name(value) if name == "name" else value)
    _set_credentials(held, changes, fields)
    changed = _changed(held, before)
    _refuse(held, changed - {"area", "credentials"}, fields)
    changed = _changed(held, before)  # classes are spelled as the model does
    after = _values(held)
    if changed:
        _save(held, sorted(changed))
    if "groups" in changes:
        before["groups"] = _names(held.groups.all())
        after["groups"] = _names(changes["groups"])
        if after["groups"] != before["groups"]:
            held.groups.set(changes["groups"])
            changed.add("groups")
    if changed:
        raise_revision(held)
        details = differences(before, after, changed)
        note(actor=actor, obj=held, change="changed", details=details)
    return held, bool(changed)


_CREDENTIALS: Final = ("username", "password", "forget_credentials")


def _set_address(camera: Camera, text: str, fields: dict[str, str]) -> Any:
    """Set the address without its credentials, which are returned; or say what is wrong."""
    try:
        address, inside = judge_address(text)
    except ConfigurationError as error:
        fields |= error.fields
        camera.address = ""
        return None
    camera.address = str(address)
    return inside


def _set_credentials(held: Camera, changes: dict[str, Any], fields: dict[str, str]) -> None:
    """Set address and credentials together: the one says where the others may be sent."""
    stored, inside, usable = secrets.readable(held), None, True
    text = changes.get("address")
    if text is not None and str(text).strip() != held.address:
        try:
            address, inside = judge_address(text)
        except ConfigurationError as error:
            fields |= error.fields
            return
        usable = secrets.usable_at(held, address)
        held.address = str(address)
    username, password = (str(changes.get(name) or "") for name in _CREDENTIALS[:2])
    forget = bool(changes.get("forget_credentials"))
    if stored is not None and not (usable or forget or inside or password):
        fields["address"] = secrets.ELSEWHERE
        return
    if not (inside or username or password or forget):
        return
    try:
        merged = secrets.merge(
            stored if usable else None,
            in_address=inside,
            username=username,
            password=password,
            forget=forget,
        )
    except ConfigurationError as error:
        fields |= error.fields
        return
    if merged != stored or (merged is None and held.credentials):
        held.credentials = secrets.lock(merged)


def _refuse(camera: Camera, changed: set[str], fields: dict[str, str]) -> None:
    """Refuse with everything that is wrong, what was found before included."""
    raise_for({**judge_camera(camera, changed - set(fields)), **fields})


def _values(camera: Camera) -> dict[str, Any]:
    named = {name: getattr(camera, name) for name in ("name", "address", *SETTINGS)}
    area = camera.area
    secret = bytes(camera.credentials) if camera.credentials else None
    return {**named, "area": area.name if area else None, "credentials": secret}


def _changed(camera: Camera, before: dict[str, Any]) -> set[str]:
    return {name for name, value in _values(camera).items() if before[name] != value}


def _save(camera: Camera, fields: list[str] | None) -> None:
    try:
        with transaction.atomic():
            camera.save(force_insert=fields is None, update_fields=fields)
    except IntegrityError:
        raise ConfigurationError({"name": TAKEN}) from None


def _names(groups: Iterable[Group]) -> list[str]:
    return sorted(group.name for group in groups)
