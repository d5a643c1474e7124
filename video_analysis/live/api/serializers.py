"""The shapes of live events and figures, for the OpenAPI document; see ``live.presenting``."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from video_analysis.live.presenting import AGES, RATES, STAGES


class LiveNamedSerializer(serializers.Serializer[Any]):
    """Something with a number and a name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class LiveEventSerializer(serializers.Serializer[Any]):
    """Something that happened before a camera."""

    id = serializers.UUIDField()
    sequence = serializers.IntegerField(help_text="Of its last change; grows over all events.")
    kind = serializers.CharField(help_text="entry, exit, dwell, crossing or occupancy.")
    camera = LiveNamedSerializer()
    area = serializers.CharField(allow_null=True)
    zone = LiveNamedSerializer(allow_null=True)
    line = LiveNamedSerializer(allow_null=True)
    place = serializers.CharField(
        help_text="Name of the zone or line, also when that is gone; empty: the whole picture."
    )
    direction = serializers.CharField(help_text="Name of the direction of a crossing, or empty.")
    label = serializers.CharField(  # type: ignore[assignment]
        help_text="Class of the object, or empty."
    )
    track = serializers.IntegerField(allow_null=True, help_text="Its number in the picture.")
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(allow_null=True, help_text="null while it goes on.")
    ongoing = serializers.BooleanField()
    value = serializers.FloatField(
        allow_null=True, help_text="Seconds of a dwell; most objects of an occupancy."
    )
    confidence = serializers.FloatField(allow_null=True, help_text="0 to 1.")
    box = serializers.ListField(
        child=serializers.FloatField(),
        allow_null=True,
        help_text="[x, y, width, height], 0 to 1 of the picture.",
    )
    snapshot = serializers.CharField(allow_null=True, help_text="Address of its picture.")
    sentence = serializers.CharField(help_text="What happened, in words.")


def _figures(name: str, parts: tuple[str, ...]) -> Any:
    fields = {part: serializers.FloatField() for part in parts}
    return type(name, (serializers.Serializer,), fields)()


class LiveCameraSerializer(serializers.Serializer[Any]):
    """How one camera is."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.CharField(help_text="waiting, connecting, live, lost or refused.")
    code = serializers.CharField(help_text="Why, for programs.")
    reason = serializers.CharField(help_text="Why, for people.")
    since = serializers.DateTimeField()
    codec = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    fps = _figures("LiveRatesSerializer", RATES)
    age_ms = _figures("LiveAgesSerializer", AGES)
    ms = _figures("LiveStagesSerializer", STAGES)
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="By class.")
    tracks = serializers.IntegerField()
    occupancy = serializers.DictField(
        child=serializers.IntegerField(), help_text="By number of the zone; empty: the picture."
    )
    model = serializers.CharField()
    notice = serializers.CharField(help_text="Why another model stands in, or empty.")
    stale = serializers.BooleanField(help_text="Whether nobody has measured for ten seconds.")


class LiveWorstAgeSerializer(serializers.Serializer[Any]):
    """The worst of all cameras."""

    p95 = serializers.FloatField()


class LiveTotalsSerializer(serializers.Serializer[Any]):
    """All cameras together."""

    cameras = serializers.IntegerField()
    live = serializers.IntegerField()
    fps = _figures("LiveTotalRatesSerializer", RATES)
    age_ms = LiveWorstAgeSerializer()
    ms = _figures("LiveMeanStagesSerializer", STAGES)
    counts = serializers.DictField(child=serializers.IntegerField())


def _stats_fields() -> dict[str, Any]:
    return {"global": LiveTotalsSerializer()}  # a word of Python's own


class LiveStatsSerializer(serializers.Serializer[Any]):
    """Figures of all cameras that the caller may watch."""

    at = serializers.DateTimeField()
    cameras = LiveCameraSerializer(many=True)
    model = serializers.CharField(help_text="Of most cameras.")

    def get_fields(self) -> dict[str, Any]:
        """The fields, with the one whose name Python keeps for itself."""
        return {**super().get_fields(), **_stats_fields()}
