"""The shapes of the API's resources."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.api.serializers import ErrorBodySerializer
from common.models import Job
from common.permissions import VERBS, Verb, verbs_of
from detector.kinds import links_of
from detector.models import DetectionSession
from detector.services.sessions import MAX_NAME


class ObjectSerializer(serializers.Serializer[Any]):
    """One object that was found."""

    class_id = serializers.IntegerField()
    confidence = serializers.FloatField(min_value=0, max_value=1)
    bbox = serializers.ListField(
        child=serializers.FloatField(),
        min_length=4,
        max_length=4,
        help_text="Left, top, width and height in pixels of the picture.",
    )
    polygons = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        required=False,
        help_text="After segmentation: outlines as x, y, x, y, … in pixels of the picture.",
    )
    mask = serializers.DictField(
        required=False,
        help_text="After segmentation with masks=rle: COCO's compressed run-length encoding, "
        '{"size": [height, width], "counts": "…"}.',
    )

    def get_fields(self) -> dict[str, Any]:
        """Add the name that Python keeps for itself."""
        return {
            "class": serializers.CharField(help_text="Name of the class, e.g. person."),
            **super().get_fields(),
        }


class StoredObjectSerializer(ObjectSerializer):
    """One stored object."""

    id = serializers.IntegerField()
    session = serializers.UUIDField()
    index = serializers.IntegerField(help_text="Position in the result, by confidence.")


class ImageSerializer(serializers.Serializer[Any]):
    """The picture that was looked at."""

    name = serializers.CharField(allow_blank=True)
    width = serializers.IntegerField(help_text="Pixels, after the EXIF rotation.")
    height = serializers.IntegerField(help_text="Pixels, after the EXIF rotation.")


class TimingsSerializer(serializers.Serializer[Any]):
    """Milliseconds per step."""

    decode = serializers.FloatField(required=False)
    preprocess = serializers.FloatField(required=False)
    queue = serializers.FloatField(required=False)
    inference = serializers.FloatField(required=False)
    postprocess = serializers.FloatField(required=False)
    total = serializers.FloatField(required=False)


class DetectionResultSerializer(serializers.Serializer[Any]):
    """What was found in one picture."""

    detections = serializers.IntegerField(help_text="How many objects there are.")
    objects = ObjectSerializer(many=True)
    image = ImageSerializer()
    model = serializers.CharField(help_text="The model that answered.")
    backend = serializers.CharField()
    device = serializers.CharField()
    precision = serializers.CharField()
    timings_ms = TimingsSerializer()
    session = serializers.UUIDField(allow_null=True, help_text="The stored session, if any.")
    notice = serializers.CharField(
        required=False, help_text="Why another model answered than the one asked for."
    )


class RefusedImageSerializer(serializers.Serializer[Any]):
    """The name of a picture that was refused."""

    name = serializers.CharField(allow_blank=True)


class RefusalSerializer(serializers.Serializer[Any]):
    """Why one of many pictures has no answer."""

    image = RefusedImageSerializer()
    error = ErrorBodySerializer()


class JobErrorSerializer(serializers.Serializer[Any]):
    """Why a job failed."""

    code = serializers.CharField()
    message = serializers.CharField()


class JobSerializer(serializers.ModelSerializer[Job]):
    """One piece of work in the background."""

    status = serializers.ChoiceField(choices=Job.State.choices, source="state", read_only=True)
    error = serializers.SerializerMethodField()
    session = serializers.SerializerMethodField(help_text="The session that the job is for.")

    class Meta:
        model = Job
        fields = [
            *("id", "kind", "queue", "status", "progress", "message", "error", "attempt"),
            *("session", "created_at", "started_at", "finished_at"),
        ]
        read_only_fields = fields

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, job: Job) -> dict[str, str] | None:
        return job_error(job)

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_session(self, job: Job) -> str | None:
        session = getattr(job, "session", None)
        return str(session.pk) if session is not None else None


class StoredImageSerializer(ImageSerializer):
    """The stored picture of a session."""

    bytes = serializers.IntegerField(source="size")
    media_type = serializers.CharField()
    removed_at = serializers.DateTimeField(
        allow_null=True, help_text="When the file went, as it was older than pictures are kept."
    )


class LinksSerializer(serializers.Serializer[Any]):
    """Where the parts of a session are, as paths on this host; of a video, its tracks and file."""

    self = serializers.CharField()
    objects = serializers.CharField()
    picture = serializers.CharField()
    thumbnail = serializers.CharField()
    export = serializers.CharField()


class SharedWithSerializer(serializers.Serializer[Any]):
    """The group whose members may see a session."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class SessionSerializer(serializers.ModelSerializer[DetectionSession]):
    """One run of a model over one picture, or of an analysis over one video (see kind)."""

    status = serializers.ChoiceField(choices=DetectionSession.Status.choices, read_only=True)
    progress = serializers.SerializerMethodField()
    message = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    image = StoredImageSerializer(source="upload", read_only=True)
    classes = serializers.ListField(child=serializers.CharField(), read_only=True)
    class_counts = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    timings_ms = TimingsSerializer(read_only=True)
    job = serializers.UUIDField(source="job_id", read_only=True, allow_null=True)
    owner = serializers.CharField(source="owner.username", read_only=True)
    shared_with = SharedWithSerializer(read_only=True, allow_null=True)
    access = serializers.SerializerMethodField(help_text="What the caller may do with it.")
    links = serializers.SerializerMethodField()

    class Meta:
        model = DetectionSession
        fields = [
            *("id", "name", "status", "progress", "message", "error", "job", "kind", "task"),
            *("source", "requested_model", "model", "notice", "backend", "device", "precision"),
            *("confidence", "iou", "classes", "object_count", "class_counts", "timings_ms"),
            *("image", "owner", "shared_with", "access", "created_at", "finished_at", "links"),
        ]
        read_only_fields = [name for name in fields if name != "name"]
        extra_kwargs = {"name": {"max_length": MAX_NAME}}

    def get_progress(self, session: DetectionSession) -> float:
        return round(float(session.job.progress), 3) if session.job is not None else 1.0

    def get_message(self, session: DetectionSession) -> str:
        return session.job.message if session.job is not None else ""

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, session: DetectionSession) -> dict[str, str] | None:
        return job_error(session.job) if session.job is not None else None

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=VERBS)))
    def get_access(self, session: DetectionSession) -> list[Verb]:
        return verbs_of(self.context["request"].user, session)

    @extend_schema_field(LinksSerializer())
    def get_links(self, session: DetectionSession) -> dict[str, str]:
        return links_of(session)


class SessionChangeSerializer(serializers.Serializer[Any]):
    """A new name for a session, or another group to share it with; one of them at least."""

    name = serializers.CharField(max_length=MAX_NAME, required=False)
    shared_with = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=2**31 - 1,
        help_text="The id of a group that you are in, or null for nobody.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take no change for a mistake."""
        if not attrs:
            raise serializers.ValidationError({"name": "Send a name, or shared_with."})
        return attrs


class RerunSerializer(serializers.Serializer[Any]):
    """Options of another run over the same picture; what is left out stays as it was."""

    task = serializers.ChoiceField(choices=DetectionSession.Task.choices, required=False)
    model = serializers.CharField(required=False)
    confidence = serializers.FloatField(required=False, min_value=0, max_value=1)
    iou = serializers.FloatField(required=False, min_value=0, max_value=1)
    classes = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Names or numbers; [] means all."
    )


class LoadedModelSerializer(serializers.Serializer[Any]):
    """How a model runs at the moment."""

    backend = serializers.CharField()
    device = serializers.CharField()
    precision = serializers.CharField()


class ModelSerializer(serializers.Serializer[Any]):
    """A model that can be asked for by name."""

    name = serializers.CharField()
    task = serializers.CharField(help_text="detect, segment or pose.")
    default = serializers.BooleanField(help_text="Whether its task uses it when none is named.")
    installed = serializers.BooleanField(help_text="Whether its weights are on this machine.")
    loaded = LoadedModelSerializer(allow_null=True)
    quantized = serializers.BooleanField(help_text="Whether an INT8 version has been made.")
    classes = serializers.ListField(child=serializers.CharField())
    input_size = serializers.IntegerField()
    bytes = serializers.IntegerField()
    licence = serializers.CharField()


def job_error(job: Job) -> dict[str, str] | None:
    """Why a job failed, or None."""
    if not job.error_code:
        return None
    return {"code": job.error_code, "message": job.error_message}
