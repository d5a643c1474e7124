"""Areas, cameras, zones and lines as JSON; the credentials of a camera are only ever read in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from video_analysis.cameras.documents.schema import LONGEST_SECRET, MOST_CLASSES
from video_analysis.cameras.models import Area, Camera, CountingLine, Zone
from video_analysis.cameras.services.areas import FACE_SETTINGS
from vision.tracking import TRACKERS

LONGEST_ADDRESS = 500
# The largest number of a row that every database knows.
LARGEST_ID = 2**63 - 1
LARGEST_REVISION = 2**31 - 1


class NamedSerializer(serializers.Serializer[Any]):
    """Something with a number and a name."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()


class AreaSerializer(serializers.ModelSerializer[Area]):
    """A part of the premises."""

    class Meta:
        model = Area
        fields = ["id", "name", *FACE_SETTINGS]
        extra_kwargs: Any = {"name": {"validators": []}}  # the service says whether it is taken


class AreaChangeSerializer(AreaSerializer):
    """What of an area shall be changed."""

    class Meta(AreaSerializer.Meta):
        extra_kwargs: Any = {"name": {"validators": [], "required": False}}


class PointField(serializers.ListField):
    """x and y, 0..1 from the upper left corner of the picture."""

    def __init__(self, **kwargs: Any) -> None:
        number = serializers.FloatField(min_value=0.0, max_value=1.0)
        super().__init__(child=number, min_length=2, max_length=2, **kwargs)


class ZoneSerializer(serializers.Serializer[Zone]):
    """A polygon in the picture."""

    id = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST_ID,
        help_text="Of a zone that is there already; without one, the zone of this name is meant.",
    )
    name = serializers.CharField(max_length=100)
    polygon = serializers.ListField(
        child=PointField(),
        min_length=3,
        max_length=64,
        help_text="[[x, y], …] in order, 0..1 from the upper left corner.",
    )
    threshold_sec = serializers.FloatField(
        default=10.0,
        min_value=0.5,
        max_value=86_400.0,
        help_text="Who stays so many seconds has dwelt.",
    )


class LineSerializer(serializers.Serializer[CountingLine]):
    """A directed line in the picture."""

    id = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST_ID,
        help_text="Of a line that is there already; without one, the line of this name is meant.",
    )
    name = serializers.CharField(max_length=100)
    points = serializers.ListField(
        child=PointField(),
        min_length=2,
        max_length=2,
        help_text="Start and end; forward is from its left to its right side.",
    )
    forward = serializers.CharField(max_length=32, default="in")
    backward = serializers.CharField(max_length=32, default="out")


class ZonesSerializer(serializers.Serializer[Any]):
    """All zones of a camera."""

    revision = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=LARGEST_REVISION,
        help_text="Of the camera. Sent along, the change is refused with 409 when somebody else "
        "has changed the camera since.",
    )
    zones = serializers.ListField(child=ZoneSerializer(), max_length=50)


class LinesSerializer(serializers.Serializer[Any]):
    """All counting lines of a camera."""

    revision = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=LARGEST_REVISION,
        help_text="Of the camera. Sent along, the change is refused with 409 when somebody else "
        "has changed the camera since.",
    )
    lines = serializers.ListField(child=LineSerializer(), max_length=50)


SETTINGS = [
    *("enabled", "fps", "model", "detector_conf", "people_only", "classes", "tracker"),
    *("tracker_max_age", "tracker_min_hits", "motion_gate", "hide_people", "faces"),
]


class CameraSerializer(serializers.ModelSerializer[Camera]):
    """A camera as whoever may watch it sees it. Its address is for administrators."""

    area = NamedSerializer(allow_null=True)
    address = serializers.SerializerMethodField(
        help_text="Without credentials; null for those who are no administrators."
    )
    has_credentials = serializers.SerializerMethodField(
        help_text="Null for those who are no administrators."
    )
    groups = serializers.SerializerMethodField(
        help_text="Whose members may watch; those who are no administrators see their own groups."
    )
    classes = serializers.ListField(child=serializers.CharField())
    zones = ZoneSerializer(many=True)
    lines = LineSerializer(many=True)

    class Meta:
        model = Camera
        fields = [
            *("id", "name", "area", "address", "has_credentials", "groups", *SETTINGS),
            *("zones", "lines", "revision", "created_at"),
        ]

    def get_address(self, camera: Camera) -> str | None:
        """Where the pictures come from."""
        return camera.address if self.context["configures"] else None

    def get_has_credentials(self, camera: Camera) -> bool | None:
        """Whether a user name or a password is stored."""
        return bool(camera.credentials) if self.context["configures"] else None

    @extend_schema_field(NamedSerializer(many=True))
    def get_groups(self, camera: Camera) -> Any:
        """By name."""
        groups = sorted(camera.groups.all(), key=lambda group: group.name)
        if not self.context["configures"]:
            groups = [group for group in groups if group.pk in self.context["groups"]]
        return NamedSerializer(groups, many=True).data


class CameraSettingsSerializer(serializers.ModelSerializer[Camera]):
    """What an administrator sets of a camera. What is judged by the services is not judged here."""

    address = serializers.CharField(
        max_length=LONGEST_ADDRESS,
        help_text="rtsp(s)://, http(s)://, rtmp://, usb:0 or loop:file.mp4. Credentials in it are "
        "taken out and encrypted.",
    )
    username = serializers.CharField(
        write_only=True,
        required=False,
        allow_blank=True,
        max_length=LONGEST_SECRET,
        help_text="Empty keeps the stored one.",
    )
    password = serializers.CharField(
        write_only=True,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=LONGEST_SECRET,
        help_text="Empty keeps the stored one. It is never sent to another host than it was given "
        "for: with an address elsewhere, give it again.",
    )
    area = serializers.PrimaryKeyRelatedField(
        queryset=Area.objects.all(), allow_null=True, required=False
    )
    groups = serializers.PrimaryKeyRelatedField(
        queryset=Group.objects.all(),
        many=True,
        required=False,
        help_text="Whose members may watch.",
    )
    classes = serializers.ListField(
        child=serializers.CharField(max_length=64),
        required=False,
        max_length=MOST_CLASSES,
        help_text="Names of classes to look for; empty: all.",
    )
    tracker = serializers.ChoiceField(choices=TRACKERS, required=False)

    class Meta:
        model = Camera
        fields = ["name", "address", "username", "password", "area", "groups", *SETTINGS]
        extra_kwargs: Any = {"name": {"validators": []}}


class CameraChangeSerializer(CameraSettingsSerializer):
    """What of a camera shall be changed."""

    forget_credentials = serializers.BooleanField(
        write_only=True, required=False, help_text="Removes what is stored."
    )
    revision = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=LARGEST_REVISION,
        help_text="Of the camera that the change is meant for; another one is answered with 409.",
    )

    class Meta(CameraSettingsSerializer.Meta):
        fields = [*CameraSettingsSerializer.Meta.fields, "forget_credentials", "revision"]


class ProbeSerializer(serializers.Serializer[Any]):
    """An address to be tried; for a camera, what differs from what is stored."""

    address = serializers.CharField(max_length=LONGEST_ADDRESS)
    username = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_SECRET, write_only=True
    )
    password = serializers.CharField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=LONGEST_SECRET,
        write_only=True,
    )


class CameraProbeSerializer(ProbeSerializer):
    """What differs from what is stored; nothing has to."""

    address = serializers.CharField(max_length=LONGEST_ADDRESS, required=False, allow_blank=True)


class ProbedSerializer(serializers.Serializer[Any]):
    """What the camera gave."""

    codec = serializers.CharField()
    width = serializers.IntegerField(help_text="Pixels.")
    height = serializers.IntegerField(help_text="Pixels.")
    fps = serializers.FloatField(
        source="rate", help_text="As the source declares; 0 where it does not."
    )
    seconds = serializers.FloatField(help_text="Until the picture came.")
    picture = serializers.SerializerMethodField(
        help_text="A JPEG as data URL. Null where people are to be hidden and no model could look "
        "for them."
    )

    def get_picture(self, picture: Any) -> str | None:
        """The picture as a data URL."""
        found: str | None = self.context["picture"]
        return found


class ChangedCameraSerializer(serializers.Serializer[Any]):
    """A camera, or an area, that an import changes."""

    name = serializers.CharField()
    what = serializers.ListField(child=serializers.CharField(), help_text="Keys of the document.")


class ImportSerializer(serializers.Serializer[Any]):
    """What an import has done, or would do."""

    dry_run = serializers.BooleanField(help_text="Whether nothing was written.")
    created = serializers.ListField(child=serializers.CharField(), help_text="New cameras.")
    changed = ChangedCameraSerializer(many=True)
    unchanged = serializers.ListField(
        child=serializers.CharField(), help_text="Cameras that are so already."
    )
    areas = serializers.ListField(child=serializers.CharField(), help_text="New areas.")
    changed_areas = ChangedCameraSerializer(many=True)
