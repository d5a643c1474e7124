"""The shapes of videos and of what was found in them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from detector.api.serializers import SessionSerializer
from detector.models import DetectionSession
from video_analysis.models import Event
from video_analysis.services.analyses import options_as_data, options_of
from video_analysis.services.facts import file_facts
from video_analysis.services.options import BETWEEN, MOST_EVERY, TASKS
from vision.drawing.styles import STYLES
from vision.motion import METHODS
from vision.tracking import TRACKERS

LINKS = (
    *("self", "tracks", "motion", "activities", "people", "original", "thumbnail", "annotated"),
    *("heat", "preview", "overlay", "export"),
)


class VideoOptionsSerializer(serializers.Serializer[Any]):
    """What was asked for."""

    model = serializers.CharField(required=False, help_text="A name from /api/models/.")
    confidence = serializers.FloatField(required=False, min_value=0, max_value=1)
    iou = serializers.FloatField(required=False, min_value=0, max_value=1)
    classes = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Names or numbers of the classes looked for; [] means all.",
    )
    tasks = serializers.ListField(
        child=serializers.ChoiceField(choices=TASKS), required=False, help_text="One at least."
    )
    tracker = serializers.ChoiceField(choices=TRACKERS, required=False)
    every = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_EVERY,
        help_text="The detector looks at every n-th frame.",
    )
    between = serializers.ChoiceField(
        choices=BETWEEN, required=False, help_text="How tracks go on between these frames."
    )
    styles = serializers.ListField(
        child=serializers.ChoiceField(choices=[*STYLES, "none"]),
        required=False,
        help_text="What is drawn; none leaves the picture as it is.",
    )
    motion_method = serializers.ChoiceField(choices=METHODS, required=False)
    minimum_area = serializers.FloatField(
        required=False,
        min_value=0.0001,
        max_value=1,
        help_text="Least moving area, as a share of the picture.",
    )
    gate = serializers.BooleanField(
        required=False, help_text="Whether the detector rests while nothing moves."
    )
    pixels_per_metre = serializers.FloatField(
        required=False,
        allow_null=True,
        min_value=0.01,
        max_value=100_000,
        help_text="Scale of the scene; null where it is not known.",
    )


class VideoFileSerializer(serializers.Serializer[Any]):
    """The video as it was uploaded."""

    name = serializers.CharField()
    bytes = serializers.IntegerField()
    media_type = serializers.CharField()
    container = serializers.CharField(allow_blank=True)
    codec = serializers.CharField(allow_blank=True)
    width = serializers.IntegerField(help_text="Pixels, after the rotation.")
    height = serializers.IntegerField(help_text="Pixels, after the rotation.")
    duration = serializers.FloatField(help_text="Seconds; an estimate until the end was seen.")
    rate = serializers.FloatField(help_text="Frames per second, on average.")
    frames = serializers.IntegerField(help_text="An estimate until the end was seen.")
    has_audio = serializers.BooleanField()
    removed_at = serializers.DateTimeField(
        allow_null=True, help_text="When the file went, as it was older than files are kept."
    )


class VideoLinksSerializer(serializers.Serializer[Any]):
    """Where the parts of a video are, as paths on this host."""

    def get_fields(self) -> dict[str, Any]:
        """One for each part."""
        return {name: serializers.CharField() for name in LINKS}


class VideoSerializer(SessionSerializer):
    """One analysis of a video."""

    options = serializers.SerializerMethodField(help_text="What was asked for.")
    file = serializers.SerializerMethodField()
    track_count = serializers.IntegerField(source="object_count", read_only=True)
    class_counts = serializers.DictField(
        child=serializers.IntegerField(), read_only=True, help_text="Tracks by class."
    )
    frames_done = serializers.IntegerField(source="video.frames_done", read_only=True)
    frames_per_second = serializers.FloatField(
        source="video.frames_per_second",
        read_only=True,
        help_text="How fast the work goes; when it is done, how fast it went on the whole.",
    )
    seconds_left = serializers.SerializerMethodField(
        help_text="Until the work is done; null while nobody can say."
    )
    statistics = serializers.SerializerMethodField(
        help_text="Totals, and the series of charts in timeline; lists leave timeline out. Empty "
        "until the video is done."
    )
    links = serializers.SerializerMethodField()

    class Meta(SessionSerializer.Meta):
        fields = [
            *("id", "name", "status", "progress", "message", "error", "job", "source", "options"),
            *("file", "requested_model", "model", "notice", "backend", "device", "precision"),
            *("track_count", "class_counts", "frames_done", "frames_per_second", "seconds_left"),
            *("statistics", "owner", "shared_with", "access", "created_at", "finished_at"),
            "links",
        ]
        read_only_fields = [name for name in fields if name != "name"]

    @extend_schema_field(VideoOptionsSerializer())
    def get_options(self, session: DetectionSession) -> dict[str, Any]:
        return options_as_data(options_of(session))

    @extend_schema_field(VideoFileSerializer())
    def get_file(self, session: DetectionSession) -> dict[str, Any]:
        return file_facts(session)

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_seconds_left(self, session: DetectionSession) -> float | None:
        running = session.status == DetectionSession.Status.RUNNING
        return session.video.seconds_left if running else None

    @extend_schema_field(serializers.DictField())
    def get_statistics(self, session: DetectionSession) -> dict[str, Any]:
        statistics = session.video.statistics
        if isinstance(self.parent, serializers.ListSerializer):
            return {name: value for name, value in statistics.items() if name != "timeline"}
        return dict(statistics)

    @extend_schema_field(VideoLinksSerializer())
    def get_links(self, session: DetectionSession) -> dict[str, str]:
        routes = {"self": "video-detail"}
        return {
            name: reverse(f"videos-api:{routes.get(name, name)}", args=[session.pk])
            for name in LINKS
        }


class _Classed(serializers.Serializer[Any]):
    """Something of a class."""

    def get_fields(self) -> dict[str, Any]:
        """Add the name that Python keeps for itself."""
        return {
            **super().get_fields(),
            "class": serializers.CharField(help_text="Name of the class, e.g. person."),
        }


class FiguresSerializer(_Classed):
    """What is told of a track: times in seconds of the video, lengths in its pixels."""

    number = serializers.IntegerField(help_text="Its id in the video, from 1.")
    class_id = serializers.IntegerField()
    start = serializers.FloatField()
    end = serializers.FloatField()
    dwell = serializers.FloatField(help_text="Seconds from the first sighting to the last.")
    points = serializers.IntegerField(help_text="Points of its trajectory.")
    confidence = serializers.FloatField(help_text="On average.")
    path_length = serializers.FloatField()
    displacement = serializers.FloatField(help_text="From the first place to the last.")
    mean_speed = serializers.FloatField(help_text="Pixels per second.")
    top_speed = serializers.FloatField()
    mean_speed_bh = serializers.FloatField(help_text="Body heights per second.")
    top_speed_bh = serializers.FloatField()
    path_length_m = serializers.FloatField(
        allow_null=True, help_text="Metres, where a scale was given."
    )
    mean_speed_mps = serializers.FloatField(allow_null=True, help_text="Metres per second.")
    top_speed_mps = serializers.FloatField(allow_null=True)
    direction_changes = serializers.IntegerField(help_text="Turns by more than 45 degrees.")
    entry_side = serializers.CharField(help_text="left, right, top, bottom or inside.")
    exit_side = serializers.CharField(help_text="left, right, top, bottom or inside.")


class TrackSerializer(FiguresSerializer):
    """One object on its way through a video."""

    trajectory = serializers.CharField(help_text="Where its trajectory is.")
    snapshot = serializers.CharField(
        allow_null=True, help_text="Where the picture of its best look is, if there is one."
    )


class TrajectorySerializer(_Classed):
    """The way of one track: its lists are equally long, one entry for each point."""

    number = serializers.IntegerField()
    class_id = serializers.IntegerField()
    figures = FiguresSerializer()
    times = serializers.ListField(
        child=serializers.FloatField(), help_text="Seconds of the video, increasing."
    )
    boxes = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4),
        help_text="Left, top, width and height in pixels of the video.",
    )
    feet = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        help_text="The middle of the lower edge, where an object stands.",
    )
    confidence = serializers.ListField(child=serializers.FloatField())
    detected = serializers.ListField(
        child=serializers.BooleanField(), help_text="False where the box is predicted."
    )


class _EventSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField(help_text="By start, from 0, among all that happened.")
    start = serializers.FloatField(help_text="Seconds of the video.")
    end = serializers.FloatField(help_text="Seconds of the video.")


class MotionSerializer(_EventSerializer):
    """Something moved, from when to when."""

    kind = serializers.ChoiceField(choices=[Event.Kind.MOTION.value])
    peak_share = serializers.FloatField(
        allow_null=True, help_text="Largest moving share of the picture."
    )
    peak_time = serializers.FloatField(allow_null=True)
    area = serializers.ListField(
        child=serializers.FloatField(),
        min_length=4,
        max_length=4,
        allow_null=True,
        help_text="Left, top, width and height of the motion at its peak, in pixels.",
    )
    snapshot = serializers.CharField(allow_null=True, help_text="Where its picture is, if any.")


class ActivitySerializer(_EventSerializer):
    """What somebody did, or people did together, from when to when."""

    kind = serializers.ChoiceField(choices=[Event.Kind.ACTIVITY.value, Event.Kind.GROUP.value])
    label = serializers.CharField(  # type: ignore[assignment]
        help_text="E.g. walking, or meeting."
    )
    tracks = serializers.ListField(
        child=serializers.IntegerField(), help_text="Numbers of the tracks in it."
    )
    confidence = serializers.FloatField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)


class OverlayTrackSerializer(serializers.Serializer[Any]):
    """The points of one track in a span of time; short names, since there are many."""

    n = serializers.IntegerField(help_text="Number of the track.")
    class_id = serializers.IntegerField()
    t = serializers.ListField(child=serializers.FloatField(), help_text="Seconds.")
    b = serializers.ListField(
        child=serializers.FloatField(), help_text="Left, top, width, height of every point, flat."
    )
    c = serializers.ListField(child=serializers.FloatField(), help_text="Confidence.")
    p = serializers.ListField(
        child=serializers.IntegerField(), help_text="1 where the box is predicted."
    )


class OverlaySerializer(serializers.Serializer[Any]):
    """What is to be drawn over a part of the video."""

    to = serializers.FloatField()
    tracks = OverlayTrackSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """Add the name that Python keeps for itself."""
        return {"from": serializers.FloatField(), **super().get_fields()}
