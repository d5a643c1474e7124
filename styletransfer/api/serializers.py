"""The shapes of styles and of what was painted in them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.jobs.queues import LONG_QUEUES
from common.models import Job
from styletransfer.models import Restyling, Style
from styletransfer.services.queueing import Place, queue_places
from styletransfer.services.restylings import MOST_NAME
from styletransfer.services.styles import MOST_DESCRIPTION
from styletransfer.services.styles import MOST_NAME as MOST_STYLE_NAME

LARGEST_ID = 2**31 - 1


class AudienceSerializer(serializers.Serializer[Any]):
    """The group whose members may see and use it."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class StyleSerializer(serializers.ModelSerializer[Style]):
    """What something can be painted like."""

    owner = serializers.SerializerMethodField(help_text="Null: it comes with Sightline.")
    fast = serializers.BooleanField(
        source="is_fast", help_text="Whether a network paints it in a single pass, videos too."
    )
    public = serializers.BooleanField(source="is_public", help_text="Whether it is everybody's.")
    shared_with = AudienceSerializer(allow_null=True)
    picture = serializers.SerializerMethodField(help_text="Path of its picture on this host.")

    class Meta:
        model = Style
        fields = [
            *("id", "key", "name", "description", "owner", "fast", "network", "public"),
            *("shared_with", "use_count", "width", "height", "created_at", "picture"),
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_owner(self, style: Style) -> str | None:
        """Return who has added it."""
        return style.owner.get_username() if style.owner is not None else None

    def get_picture(self, style: Style) -> str:
        """Return where the picture is."""
        return reverse("styles-api:style-picture", args=[style.pk])


class StyleChangeSerializer(serializers.Serializer[Any]):
    """What of a style shall be changed; what is left out stays."""

    name = serializers.CharField(max_length=MOST_STYLE_NAME, required=False)
    description = serializers.CharField(
        max_length=MOST_DESCRIPTION, required=False, allow_blank=True
    )
    audience = serializers.CharField(
        max_length=20,
        required=False,
        allow_blank=True,
        help_text='Who may use it, too: nobody (""), "everybody", or the id of a group that you '
        "are in.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take no change for a mistake."""
        if not attrs:
            raise serializers.ValidationError({"name": "Send a name, description or audience."})
        return attrs


class RestylingOptionsSerializer(serializers.ModelSerializer[Restyling]):
    """What was wished."""

    class Meta:
        model = Restyling
        fields = [
            *("size", "steps", "style_weight", "keep_colours"),
            *("start", "start_network", "seed"),
        ]
        read_only_fields = fields


class PaintedStyleSerializer(serializers.Serializer[Any]):
    """The style of a result."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class RestylingFailureSerializer(serializers.Serializer[Any]):
    """Why it failed."""

    code = serializers.CharField()
    message = serializers.CharField()


class QueuePlaceSerializer(serializers.Serializer[Any]):
    """How many are before it."""

    place = serializers.IntegerField(help_text="1: it is the next.")
    seconds = serializers.FloatField(
        allow_null=True, help_text="Until it begins; null: nobody can say."
    )


class RestylingUrlsSerializer(serializers.Serializer[Any]):
    """Where its parts are, as paths on this host."""

    self = serializers.CharField()
    result = serializers.CharField(allow_null=True, help_text="Null: there is none, or not yet.")
    preview = serializers.CharField()
    thumbnail = serializers.CharField(allow_null=True)


class RestylingSerializer(serializers.ModelSerializer[Restyling]):
    """A picture or video that is, or will be, painted in a style."""

    status = serializers.ChoiceField(choices=Job.State.choices, read_only=True)
    progress = serializers.SerializerMethodField(help_text="0 to 1.")
    message = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    style = PaintedStyleSerializer(  # type: ignore[assignment]
        allow_null=True, help_text="Null: it has been deleted."
    )
    options = RestylingOptionsSerializer(source="*")
    losses = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        help_text="[step, loss] of up to 200 steps, also while it runs.",
    )
    queue = serializers.SerializerMethodField(help_text="Null: it does not wait for its turn.")
    owner = serializers.CharField(source="owner.username")
    shared_with = AudienceSerializer(allow_null=True)
    job = serializers.UUIDField(source="job_id")
    urls = serializers.SerializerMethodField()

    class Meta:
        model = Restyling
        fields = [
            *("id", "name", "status", "progress", "message", "error", "kind", "way", "style"),
            *("style_name", "options", "width", "height", "model", "device", "seconds"),
            *("steps_made", "losses", "frames", "has_sound", "queue", "owner", "shared_with"),
            *("source", "created_at", "finished_at", "job", "urls"),
        ]
        read_only_fields = fields
        extra_kwargs = {"has_sound": {"help_text": "Null: there was none to come along."}}

    def get_progress(self, restyling: Restyling) -> float:
        """Return how far it is."""
        return round(float(restyling.job.progress), 3)

    def get_message(self, restyling: Restyling) -> str:
        """Return what is being done."""
        return str(restyling.job.message)

    @extend_schema_field(RestylingFailureSerializer(allow_null=True))
    def get_error(self, restyling: Restyling) -> dict[str, str] | None:
        """Return why it failed, or None."""
        job = restyling.job
        if not job.error_code:
            return None
        return {"code": job.error_code, "message": job.error_message}

    @extend_schema_field(QueuePlaceSerializer(allow_null=True))
    def get_queue(self, restyling: Restyling) -> dict[str, Any] | None:
        """Return its place in the queue; None when it does not wait."""
        place = self._place(restyling)
        return None if place is None else {"place": place.place, "seconds": place.seconds}

    def _place(self, restyling: Restyling) -> Place | None:
        """Return its place; all places of a queue are looked up at once, for the whole list."""
        if restyling.status != Restyling.Status.QUEUED:
            return None
        queue = restyling.job.queue
        known = self.context.setdefault("places", {})
        if queue not in known:
            known[queue] = queue_places(queue) if queue in LONG_QUEUES else {}
        place: Place | None = known[queue].get(restyling.job_id)
        return place

    @extend_schema_field(RestylingUrlsSerializer())
    def get_urls(self, restyling: Restyling) -> dict[str, str | None]:
        """Return where its parts are."""

        def address(name: str) -> str:
            return reverse(f"styles-api:restyling-{name}", args=[restyling.pk])

        return {
            "self": address("detail"),
            "result": address("result") if restyling.result_id else None,
            "preview": address("preview"),
            "thumbnail": address("thumbnail") if restyling.thumbnail_id else None,
        }


class RestylingChangeSerializer(serializers.Serializer[Any]):
    """A new name, or another group to share it with; one of them at least."""

    name = serializers.CharField(max_length=MOST_NAME, required=False)
    shared_with = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=LARGEST_ID,
        help_text="The id of a group that you are in, or null for nobody.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take no change for a mistake."""
        if not attrs:
            raise serializers.ValidationError({"name": "Send a name, or shared_with."})
        return attrs
