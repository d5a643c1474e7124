"""The shapes of people in the API."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.models import Job
from recognition.models import (
    Consent,
    ConsentText,
    ErasureReport,
    FaceReview,
    FaceSample,
    PrivacySettings,
    Profile,
    ProfileMerge,
)
from recognition.services.import_reports import report_for
from vision.faces.calibration import probability
from vision.faces.structures import FLAWS

LARGEST = 2**31 - 1
LONGEST_TEXT = 4000
LONGEST_CONSENT_TEXT = 20_000
LONGEST_NAME = 200


class QualitySerializer(serializers.Serializer[Any]):
    """How well a face can be seen."""

    size = serializers.FloatField(help_text="Shorter side of its box in pixels.")
    sharpness = serializers.FloatField(help_text="0 to 1.")
    yaw = serializers.FloatField(help_text="-1 to 1; 0 looks into the camera.")
    pitch = serializers.FloatField(help_text="-1 to 1; below 0 looks down.")
    roll = serializers.FloatField(help_text="Degrees; 0 is upright.")


class GuessSerializer(serializers.Serializer[Any]):
    """Somebody whom a face may show."""

    profile = serializers.UUIDField()
    name = serializers.CharField()
    confidence = serializers.FloatField(min_value=0, max_value=1)


class RecognisedFaceSerializer(serializers.Serializer[Any]):
    """One face of a picture."""

    bbox = serializers.ListField(
        child=serializers.FloatField(),
        min_length=4,
        max_length=4,
        help_text="Left, top, width and height in pixels of the picture.",
    )
    state = serializers.ChoiceField(["known", "uncertain", "unknown"])
    name = serializers.CharField(help_text='The name, or "Unknown".')
    confidence = serializers.FloatField(
        min_value=0, max_value=1, allow_null=True, help_text="How likely it is that person."
    )
    profile = serializers.UUIDField(allow_null=True, help_text="Id of the person, when known.")
    candidate = GuessSerializer(
        allow_null=True, help_text="Who it may be, when that is uncertain: a person decides."
    )
    runner_up = GuessSerializer(allow_null=True, help_text="Who would be next.")
    quality = QualitySerializer()
    flaw = serializers.ChoiceField(
        list(FLAWS), allow_null=True, help_text="Why the face was not matched."
    )
    review = serializers.UUIDField(
        allow_null=True, help_text="The question in the review queue, when it is uncertain."
    )


class RecognisedImageSerializer(serializers.Serializer[Any]):
    """The picture that was looked at."""

    name = serializers.CharField(allow_blank=True)
    width = serializers.IntegerField(help_text="Pixels, after the EXIF rotation.")
    height = serializers.IntegerField(help_text="Pixels, after the EXIF rotation.")


class RecognitionTimingsSerializer(serializers.Serializer[Any]):
    """Milliseconds per step."""

    decode = serializers.FloatField()
    detect = serializers.FloatField()
    embed = serializers.FloatField()
    match = serializers.FloatField()
    total = serializers.FloatField()


class RecognitionSerializer(serializers.Serializer[Any]):
    """Who is on a picture."""

    faces = RecognisedFaceSerializer(many=True)
    count = serializers.IntegerField(help_text="How many faces there are.")
    image = RecognisedImageSerializer()
    model = serializers.CharField(help_text="What found the faces.")
    embedder = serializers.CharField(help_text="The network that told them apart.")
    timings_ms = RecognitionTimingsSerializer()


class GivenConsentSerializer(serializers.Serializer[Any]):
    """What a person agrees to at present."""

    version = serializers.IntegerField(help_text="Of the text.")
    given_at = serializers.DateTimeField()


class PersonSerializer(serializers.ModelSerializer[Profile]):
    """Somebody who is known by their face."""

    email = serializers.CharField(read_only=True, help_text="An address, or empty.")
    photo = serializers.SerializerMethodField(help_text="Path of the photo on this host.")
    consent = serializers.SerializerMethodField()
    samples = serializers.SerializerMethodField(help_text="How many faces of theirs are known.")

    class Meta:
        model = Profile
        fields = [
            *("id", "kind", "name", "email", "photo", "preferences", "notes", "threshold"),
            *("consent", "samples", "visit_count", "last_visit_at", "revision", "created_at"),
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_photo(self, profile: Profile) -> str | None:
        """Return where the photo is, or None."""
        return reverse("people-api:photo", args=[profile.pk]) if profile.photo else None

    @extend_schema_field(GivenConsentSerializer(allow_null=True))
    def get_consent(self, profile: Profile) -> dict[str, Any] | None:
        """Return what the person agrees to, or None."""
        given = getattr(profile, "current_consents", None)
        if given is None:
            given = profile.consents.filter(withdrawn_at=None).select_related("text")
        for consent in given:
            shown = {"version": consent.text.version, "given_at": consent.given_at}
            return dict(GivenConsentSerializer(shown).data)
        return None

    def get_samples(self, profile: Profile) -> int:
        """Return how many there are."""
        counted = getattr(profile, "sample_count", None)
        return int(profile.samples.count() if counted is None else counted)


class PersonSettingsSerializer(serializers.Serializer[Any]):
    """What is noted of a new person."""

    kind = serializers.ChoiceField(Profile.Kind.choices, default=Profile.Kind.CUSTOMER.value)
    name = serializers.CharField(max_length=LONGEST_NAME)
    email = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    preferences = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_TEXT, trim_whitespace=False
    )
    notes = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_TEXT, trim_whitespace=False
    )
    threshold = serializers.FloatField(
        required=False,
        allow_null=True,
        min_value=0.2,
        max_value=0.8,
        help_text="Greatest distance that counts as this person; null: the installation's.",
    )


class PersonChangeSerializer(PersonSettingsSerializer):
    """What of a person shall be changed; what is left out stays."""

    kind = serializers.ChoiceField(Profile.Kind.choices, required=False)
    name = serializers.CharField(max_length=LONGEST_NAME, required=False)
    revision = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=LARGEST,
        help_text="That the change is meant for; another one is answered with 409. The header "
        "If-Match says the same.",
    )


class SampleSerializer(serializers.ModelSerializer[FaceSample]):
    """One face of a person."""

    crop = serializers.SerializerMethodField(help_text="Path of its picture on this host.")
    quality = serializers.DictField(child=serializers.FloatField(), read_only=True)

    class Meta:
        model = FaceSample
        fields = ["id", "profile", "model", "quality", "source", "crop", "created_at"]
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_crop(self, sample: FaceSample) -> str | None:
        """Return where the picture is, or None."""
        if not sample.crop:
            return None
        return reverse("people-api:sample-crop", args=[sample.profile_id, sample.pk])


class SampleIdsSerializer(serializers.Serializer[Any]):
    """Some samples of a person."""

    samples = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=500)


class MoveSerializer(SampleIdsSerializer):
    """Samples of a person that are somebody else's."""

    to = serializers.UUIDField(help_text="Id of the person whose they are.")


class SplitSerializer(SampleIdsSerializer):
    """Samples that become a person of their own."""

    name = serializers.CharField(max_length=LONGEST_NAME)


class MergeRequestSerializer(serializers.Serializer[Any]):
    """Who is the same person."""

    source = serializers.UUIDField(help_text="Id of the person who becomes part of this one.")


class MergeSerializer(serializers.ModelSerializer[ProfileMerge]):
    """A person who became part of another one."""

    name = serializers.SerializerMethodField(help_text="What that person was called.")
    samples = serializers.ListField(child=serializers.UUIDField(), read_only=True)

    class Meta:
        model = ProfileMerge
        fields = ["id", "target", "source_id", "name", "samples", "merged_at", "undone_at"]
        read_only_fields = fields

    def get_name(self, merge: ProfileMerge) -> str:
        """Return the name as it was."""
        return str(merge.source.get("name", ""))


class ConsentSerializer(serializers.ModelSerializer[Consent]):
    """An agreement of a person."""

    version = serializers.IntegerField(source="text.version", help_text="Of the text.")

    class Meta:
        model = Consent
        fields = [
            *("id", "version", "given_at", "recorded_by_name"),
            *("withdrawn_at", "withdrawn_by_name"),
        ]
        read_only_fields = fields


class ConsentRequestSerializer(serializers.Serializer[Any]):
    """When a person has agreed."""

    given_at = serializers.DateTimeField(required=False, help_text="Now, when left out.")


class ConsentTextSerializer(serializers.ModelSerializer[ConsentText]):
    """A text that people agree to; the one of the highest version counts."""

    text = serializers.CharField(max_length=LONGEST_CONSENT_TEXT)

    class Meta:
        model = ConsentText
        fields = ["version", "text", "created_at"]
        read_only_fields = ["version", "created_at"]


class NegativeSerializer(serializers.Serializer[Any]):
    """A face that is not this person's."""

    id = serializers.UUIDField()
    profile = serializers.UUIDField(source="profile_id")
    created_at = serializers.DateTimeField()


class ReviewSerializer(serializers.ModelSerializer[FaceReview]):
    """A face that may be somebody's."""

    crop = serializers.SerializerMethodField(help_text="Path of its picture on this host.")
    quality = serializers.DictField(child=serializers.FloatField(), read_only=True)
    candidate = serializers.SerializerMethodField(help_text="Whom it may show.")
    runner_up = serializers.SerializerMethodField()
    answer = serializers.UUIDField(source="answer_id", allow_null=True, read_only=True)

    class Meta:
        model = FaceReview
        fields = [
            *("id", "state", "origin", "place", "seen_at", "crop", "quality", "candidate"),
            *("runner_up", "answer", "answered_at", "created_at"),
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_crop(self, review: FaceReview) -> str | None:
        """Return where the picture is, or None."""
        return reverse("people-api:review-crop", args=[review.pk]) if review.crop else None

    @extend_schema_field(GuessSerializer())
    def get_candidate(self, review: FaceReview) -> dict[str, Any]:
        """Return whom it may show."""
        return guess_data(review.candidate, review.probability)

    @extend_schema_field(GuessSerializer(allow_null=True))
    def get_runner_up(self, review: FaceReview) -> dict[str, Any] | None:
        """Return who would be next."""
        if review.runner_up is None or review.runner_up_distance is None:
            return None
        return guess_data(review.runner_up, probability(review.runner_up_distance))


class AnswerSerializer(serializers.Serializer[Any]):
    """What a person says of a face."""

    answer = serializers.ChoiceField(["yes", "no", "other"])
    person = serializers.UUIDField(
        required=False, allow_null=True, help_text='Whose face it is; with "other".'
    )


class ImportStartedSerializer(serializers.Serializer[Any]):
    """The job that imports."""

    job = serializers.UUIDField(source="pk")
    status = serializers.ChoiceField(Job.State.choices, source="state")
    link = serializers.SerializerMethodField(help_text="Path of the job on this host.")

    def get_link(self, job: Job) -> str:
        """Return where progress and state are told."""
        return reverse("people-api:import-report", args=[job.pk])


class ImportFailureSerializer(serializers.Serializer[Any]):
    """Why a job failed."""

    code = serializers.CharField()
    message = serializers.CharField()


class ImportRefusalSerializer(serializers.Serializer[Any]):
    """A picture, or a whole folder, that was not imported."""

    name = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    profile = serializers.CharField(
        help_text="Id of the person whom it shows already; empty while the import is at work, "
        "where that is no reason, and where it may not be said."
    )


class ImportCountsSerializer(serializers.Serializer[Any]):
    """What has become of the people in a ZIP so far."""

    people = serializers.IntegerField(help_text="Folders in it.")
    done = serializers.IntegerField(help_text="Folders that are done.")
    pictures = serializers.IntegerField(help_text="Pictures in it.")
    added = serializers.IntegerField(help_text="People who are new.")
    known = serializers.IntegerField(help_text="People who were known before.")
    samples = serializers.IntegerField(help_text="Faces that were enrolled.")
    already = serializers.IntegerField(help_text="Pictures that the same person had already.")
    refused = ImportRefusalSerializer(many=True)
    more = serializers.IntegerField(help_text="Refusals that are not named.")


class ImportReportSerializer(serializers.ModelSerializer[Job]):
    """How far an import is, and what came of it."""

    job = serializers.UUIDField(source="pk", read_only=True)
    status = serializers.ChoiceField(choices=Job.State.choices, source="state", read_only=True)
    error = serializers.SerializerMethodField()
    report = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = [
            *("job", "status", "progress", "message", "error", "report"),
            *("created_at", "finished_at"),
        ]
        read_only_fields = fields

    @extend_schema_field(ImportFailureSerializer(allow_null=True))
    def get_error(self, job: Job) -> dict[str, str] | None:
        """Return why it failed, or None."""
        if not job.error_code:
            return None
        return {"code": job.error_code, "message": job.error_message}

    @extend_schema_field(ImportCountsSerializer())
    def get_report(self, job: Job) -> dict[str, Any]:
        """Return what the job has written down so far."""
        return report_for(self.context["request"].user, job).as_data()


class PrivacySerializer(serializers.ModelSerializer[PrivacySettings]):
    """What the installation may do with faces, and how long it knows people."""

    class Meta:
        model = PrivacySettings
        fields = [
            *("recognise_uploads", "uploads_need_consent", "customer_days", "staff_days"),
            *("sighting_days", "review_days", "visitor_hours", "changed_at"),
        ]
        read_only_fields = ["changed_at"]


class ErasureSerializer(serializers.ModelSerializer[ErasureReport]):
    """What was erased of one person, and what was found afterwards. It names nobody."""

    erased = serializers.DictField(help_text="How many of what.")
    checks = serializers.SerializerMethodField(
        help_text="What was looked for afterwards, and found; empty until that is done."
    )
    backups = serializers.ListField(help_text="Backups in which the person still is.")

    class Meta:
        model = ErasureReport
        fields = [
            *("id", "subject", "reason", "erased_by_name", "started_at", "finished_at"),
            *("erased", "checks", "backups"),
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_checks(self, report: ErasureReport) -> list[dict[str, Any]]:
        """Return the checks; what is sealed until the end is no check."""
        return [check for check in report.checks if "sealed" not in check]


def guess_data(profile: Profile, confidence: float) -> dict[str, Any]:
    """Return somebody whom a face may show, as JSON values."""
    likely = round(min(1.0, max(0.0, confidence)), 4)
    return {"profile": str(profile.pk), "name": profile.name, "confidence": likely}
