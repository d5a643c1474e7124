"""The shapes of visits in the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from recognition.models import Profile
from video_analysis.retail.models import Visit
from video_analysis.retail.presenting import is_staff, mood_accuracy, stay_seconds
from video_analysis.retail.services.moods import mean_mood


class VisitAreaSerializer(serializers.Serializer[Any]):
    """Where it was."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class VisitPersonSerializer(serializers.Serializer[Any]):
    """Who it was."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class VisitVisitorSerializer(serializers.Serializer[Any]):
    """Somebody without a name."""

    id = serializers.UUIDField()
    number = serializers.IntegerField(help_text="In the area, from 1.")


class VisitSerializer(serializers.ModelSerializer[Visit]):
    """A stay of one person in one area."""

    area = VisitAreaSerializer(read_only=True)
    person = VisitPersonSerializer(
        source="profile", read_only=True, allow_null=True, help_text="Null: without a name."
    )
    visitor = VisitVisitorSerializer(read_only=True, allow_null=True)
    staff = serializers.SerializerMethodField(
        help_text="Whether it is the presence of staff, and no visit of a customer."
    )
    stay_seconds = serializers.SerializerMethodField(help_text="So far, while it goes on.")
    mood = serializers.SerializerMethodField(
        help_text="Mean shares of seven moods by name; null where none were estimated."
    )

    class Meta:
        model = Visit
        fields = [
            *("id", "area", "person", "visitor", "staff", "entry", "last_seen", "exit"),
            *("stay_seconds", "waiting_seconds", "interactions", "last_interaction_at"),
            *("sightings", "mood"),
        ]
        read_only_fields = fields

    def get_staff(self, visit: Visit) -> bool:
        """Return whether it is presence."""
        return is_staff(visit)

    def get_stay_seconds(self, visit: Visit) -> float:
        """Return how long it was."""
        return stay_seconds(visit)

    @extend_schema_field(serializers.DictField(child=serializers.FloatField(), allow_null=True))
    def get_mood(self, visit: Visit) -> dict[str, float] | None:
        """Return the means, or None."""
        return mean_mood(visit) or None


class MoodSerializer(serializers.Serializer[Any]):
    """How a customer looked at one moment."""

    at = serializers.DateTimeField()
    shares = serializers.DictField(child=serializers.FloatField())


class VisitDetailsSerializer(VisitSerializer):
    """A visit with its moods over time."""

    moods = MoodSerializer(source="mood", many=True, read_only=True)
    mood_accuracy = serializers.SerializerMethodField(
        help_text="What is known of how often the estimates are right."
    )

    class Meta(VisitSerializer.Meta):
        fields = [*VisitSerializer.Meta.fields, "moods", "mood_accuracy"]
        read_only_fields = fields

    def get_mood_accuracy(self, visit: Visit) -> str:
        """Return it as a sentence."""
        return mood_accuracy()


class HereSerializer(serializers.Serializer[Any]):
    """Who is in one area."""

    area = VisitAreaSerializer()
    visits = VisitSerializer(many=True)


class NowSerializer(serializers.Serializer[Any]):
    """Who is here now."""

    areas = HereSerializer(many=True)


class DaySerializer(serializers.Serializer[Any]):
    """Visits of customers that began on one day."""

    day = serializers.DateField()
    visits = serializers.IntegerField()
    median_stay_seconds = serializers.FloatField(
        source="stay", allow_null=True, help_text="Of visits that are over."
    )
    median_waiting_seconds = serializers.FloatField(
        source="waiting", allow_null=True, help_text="Of those that were served."
    )
    served = serializers.IntegerField(help_text="How many were served.")


class VisitDaysSerializer(serializers.Serializer[Any]):
    """The figures of the last two weeks."""

    days = DaySerializer(many=True)


class VisitorNameSerializer(serializers.Serializer[Any]):
    """Who a visitor is: somebody new, or a person who is known."""

    name = serializers.CharField(
        required=False, max_length=200, help_text="Of a new person; not together with person."
    )
    kind = serializers.ChoiceField(Profile.Kind.choices, default=Profile.Kind.CUSTOMER.value)
    consent = serializers.BooleanField(
        default=False, help_text="Whether the new person has agreed to the newest text."
    )
    person = serializers.UUIDField(
        required=False, allow_null=True, help_text="Id of a person who is known already."
    )
