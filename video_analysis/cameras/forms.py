"""What the pages' forms offer and how their answers are read; judging is the services' work."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib.auth.models import Group
from django.http import QueryDict

from common.errors import ServiceError
from detector.forms import model_label
from detector.services.catalog import list_models
from video_analysis.cameras.models import Area, Camera
from video_analysis.cameras.services.checking import SETTINGS
from vision.sources.cameras import CameraError, Credentials, parse_address
from vision.sources.cameras.secrets import blank_secrets
from vision.tracking import TRACKERS
from vision.weights.cards import get_card

TRACKER_LABELS: Final = {
    "bytetrack": "ByteTrack · robust",
    "botsort": "BoT-SORT · moving cameras",
    "ocsort": "OC-SORT · long occlusions",
    "sort": "SORT · fast",
    "iou": "Overlap · fastest",
    "centroid": "Centroid · small objects",
}

EXAMPLES: Final = (
    {
        "kind": "RTSP",
        "address": "rtsp://192.168.1.20:554/stream1",
        "say": "Most network cameras. Also rtsps:// and rtmp://.",
    },
    {
        "kind": "HTTP",
        "address": "http://192.168.1.21/video.mjpg",
        "say": "MJPEG or another stream over HTTP or HTTPS.",
    },
    {
        "kind": "USB",
        "address": "usb:0",
        "say": "A camera plugged into the machine that looks at it; 0 is the first.",
    },
    {
        "kind": "Looping file",
        "address": "loop:shop/entrance.mp4",
        "say": "A video in the folder of camera files, again and again: to try things out.",
    },
)
FACES: Final = (
    ("", "Everybody's", "Pictures show faces as they are."),
    (
        "consented",
        "Only of people who have agreed",
        "A face stays clear once it is known whose it is, and that they have agreed; until then, "
        "and whenever in doubt, it is blurred.",
    ),
    ("hidden", "Nobody's", "Every face is blurred."),
)
"""Of `Camera.faces`: whose faces pictures show, and what that means."""

AGAIN: Final = "Nothing was saved: give user name and password again."
STORED: Final = "Stored. Leave empty to keep it."


class CameraForm(forms.Form):
    """Everything that is set of a camera but what is drawn."""

    name = forms.CharField(max_length=100)
    area = forms.ModelChoiceField(Area.objects.all(), required=False)
    address = forms.CharField(max_length=500)
    username = forms.CharField(required=False)
    password = forms.CharField(required=False, strip=False)
    forget_credentials = forms.BooleanField(required=False)
    groups = forms.ModelMultipleChoiceField(Group.objects.all(), required=False)
    enabled = forms.BooleanField(required=False)
    model = forms.CharField(required=False)
    detector_conf = forms.FloatField()
    people_only = forms.BooleanField(required=False)
    classes = forms.CharField(required=False)
    fps = forms.FloatField()
    motion_gate = forms.BooleanField(required=False)
    hide_people = forms.BooleanField(required=False)
    faces = forms.ChoiceField(choices=Camera.Faces.choices, required=False)
    tracker = forms.CharField()
    tracker_max_age = forms.FloatField()
    tracker_min_hits = forms.IntegerField()
    revision = forms.IntegerField(required=False)

    def clean_classes(self) -> list[str]:
        """Read names that are separated by commas."""
        names = str(self.cleaned_data["classes"]).split(",")
        return [name.strip() for name in names if name.strip()]

    def values(self) -> dict[str, Any]:
        """What a new camera is made of."""
        left_out = ("revision", "forget_credentials")
        return {name: value for name, value in self.cleaned_data.items() if name not in left_out}

    def changes(self) -> dict[str, Any]:
        """What a stored camera becomes."""
        return {name: value for name, value in self.cleaned_data.items() if name != "revision"}

    def forget_secrets(self) -> None:
        """Take out of what goes back to the page what its sender has written as a secret."""
        written = str(self.data.get("address", ""))
        try:
            address, inside = parse_address(written)
            shown = written if inside is None else str(address)
        except CameraError:
            shown = blank_secrets(written, "")
            inside = None if shown == written else Credentials("", "")
        again = QueryDict(mutable=True)
        again.update(self.data)
        again["address"], again["password"] = shown, ""
        self.errors  # noqa: B018 - judged by what was sent
        if inside is not None or self.data.get("password"):
            self.add_error("password", AGAIN)
        self.data = again

    def take(self, error: ServiceError) -> None:
        """Put what a service refused beside the fields that it is about."""
        known = {name: text for name, text in error.fields.items() if name in self.fields}
        for name, text in known.items():
            self.add_error(name, text)
        if not known:
            self.add_error(None, error.message)


class AreaFacesForm(forms.Form):
    """What may be done with faces in an area."""

    recognise = forms.BooleanField(required=False)
    consent_required = forms.BooleanField(required=False)
    group_unknown = forms.BooleanField(required=False)
    mood = forms.BooleanField(required=False)
    absence_minutes = forms.IntegerField()


def initial_values(camera: Camera) -> dict[str, Any]:
    """Return what the form shows of a camera; for a new one, what it begins with."""
    values: dict[str, Any] = {name: _plain(getattr(camera, name)) for name in SETTINGS}
    values |= {"name": camera.name, "address": camera.address, "area": camera.area_id}
    values["classes"] = ",".join(camera.classes)
    values["groups"] = [group.pk for group in camera.groups.all()] if camera.pk else []
    values["revision"] = camera.revision if camera.pk else None
    return values


def _plain(value: Any) -> Any:
    # 10, not 10.0: nobody writes it so.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def tracker_choices() -> list[tuple[str, str]]:
    """Return the trackers that there are, with a word about each."""
    return [(name, TRACKER_LABELS.get(name, name)) for name in TRACKERS]


def looking_choices() -> dict[str, Any]:
    """Return the installed models and the classes that each of them knows, for the picker."""
    sets: list[tuple[str, ...]] = []
    models = []
    default = get_card(str(settings.SIGHTLINE_LIVE_MODEL))
    for entry in list_models():
        if entry["task"] != "detect" or not entry["installed"]:
            continue
        models.append({"name": entry["name"], "label": model_label(entry)})
        models[-1]["classes"] = _index(sets, get_card(entry["name"]).classes)
    return {
        "models": models,
        "default": default.name,
        "default_classes": _index(sets, default.classes),
        "class_sets": sets,
    }


def _index(sets: list[tuple[str, ...]], classes: tuple[str, ...]) -> int:
    if classes not in sets:
        sets.append(classes)
    return sets.index(classes)
