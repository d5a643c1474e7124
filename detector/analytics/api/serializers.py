"""The shape of the figures."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from detector.analytics.figures import BINS


class DaysSerializer(serializers.Serializer[Any]):
    """Which days were counted; both ends are included."""

    to = serializers.DateField()
    step = serializers.ChoiceField(choices=["day", "week", "month"], help_text="Of the timeline.")
    time_zone = serializers.CharField(help_text="Whose midnight days begin at.")

    def get_fields(self) -> dict[str, Any]:
        """Add the name that Python keeps for itself."""
        return {"from": serializers.DateField(), **super().get_fields()}


class TimesSerializer(serializers.Serializer[Any]):
    """How long a picture took, all steps together."""

    median_ms = serializers.FloatField(allow_null=True)
    p95_ms = serializers.FloatField(allow_null=True)


class FoundSerializer(serializers.Serializer[Any]):
    """Sessions that have a result, and their objects."""

    sessions = serializers.IntegerField()
    objects = serializers.IntegerField()
    mean_confidence = serializers.FloatField(allow_null=True)


class TotalsSerializer(FoundSerializer, TimesSerializer):
    """All in all."""


class ClassFiguresSerializer(FoundSerializer):
    """One class; its sessions are those in which it was found."""

    def get_fields(self) -> dict[str, Any]:
        """Add the name that Python keeps for itself."""
        return {"class": serializers.CharField(), **super().get_fields()}


class StepSerializer(serializers.Serializer[Any]):
    """One day, week or month of the timeline, cut off at the ends of the range."""

    to = serializers.DateField()
    sessions = serializers.IntegerField()
    objects = serializers.IntegerField()

    def get_fields(self) -> dict[str, Any]:
        """Add the name that Python keeps for itself."""
        return {"from": serializers.DateField(), **super().get_fields()}


class ConfidenceBinSerializer(serializers.Serializer[Any]):
    """Objects with a confidence from ``from`` (included) to ``to``."""

    to = serializers.FloatField()
    objects = serializers.IntegerField()

    def get_fields(self) -> dict[str, Any]:
        """Add the name that Python keeps for itself."""
        return {"from": serializers.FloatField(), **super().get_fields()}


class ModelFiguresSerializer(FoundSerializer, TimesSerializer):
    """One model on one backend at one precision."""

    model = serializers.CharField()
    backend = serializers.CharField()
    precision = serializers.CharField()
    objects_per_picture = serializers.FloatField(allow_null=True)


class AnalyticsSerializer(serializers.Serializer[Any]):
    """Figures over all sessions that the caller may see."""

    range = DaysSerializer()
    totals = TotalsSerializer()
    classes = ClassFiguresSerializer(many=True, help_text="The most frequent first.")
    timeline = StepSerializer(many=True, help_text="Without gaps.")
    confidence = ConfidenceBinSerializer(many=True, help_text=f"{BINS} bins of equal width.")
    models = ModelFiguresSerializer(many=True, help_text="The most used first.")
