"""Shapes of the storage API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.storage.forms import FOREVER


class OwnUseSerializer(serializers.Serializer[Any]):
    """What the caller's own pictures weigh."""

    bytes = serializers.IntegerField()
    pictures = serializers.IntegerField()


class KindsSerializer(serializers.Serializer[Any]):
    """Bytes by kind."""

    pictures = serializers.IntegerField()
    thumbnails = serializers.IntegerField()
    models = serializers.IntegerField()
    database = serializers.IntegerField()
    backups = serializers.IntegerField()
    other = serializers.IntegerField()


class OwnerUseSerializer(OwnUseSerializer):
    """What one person's pictures weigh."""

    name = serializers.CharField()
    share = serializers.FloatField(help_text="Of all pictures, 0 to 1.")


class DiskSerializer(serializers.Serializer[Any]):
    """The disk that is written to."""

    free = serializers.IntegerField()
    total = serializers.IntegerField()
    least = serializers.IntegerField(help_text="With less than this nothing new is stored.")
    is_low = serializers.BooleanField()


class InstallationSerializer(serializers.Serializer[Any]):
    """All that is stored."""

    total = serializers.IntegerField()
    kinds = KindsSerializer()
    pictures = serializers.IntegerField(help_text="How many pictures there are.")
    grown = serializers.IntegerField(help_text="Bytes of the pictures of the last 30 days.")
    owners = OwnerUseSerializer(many=True)
    disk = DiskSerializer()


class StorageSerializer(serializers.Serializer[Any]):
    """One's own use; for administrators that of all, too."""

    own = OwnUseSerializer()
    installation = InstallationSerializer(
        allow_null=True, help_text="For administrators; null for others."
    )


class ExpirySerializer(serializers.Serializer[Any]):
    """What a run would delete now."""

    pictures = serializers.IntegerField()
    bytes = serializers.IntegerField()
    results = serializers.IntegerField()


class RunSerializer(serializers.Serializer[Any]):
    """What the last run has done."""

    began_at = serializers.DateTimeField()
    seconds = serializers.FloatField()
    results = serializers.IntegerField(help_text="Sessions deleted.")
    pictures = serializers.IntegerField(help_text="Pictures removed from sessions that stay.")
    bytes = serializers.IntegerField(help_text="Bytes that this made free.")
    files = serializers.IntegerField(help_text="Files found in all.")
    orphans = serializers.IntegerField(help_text="Files that belong to nobody.")
    orphan_bytes = serializers.IntegerField()
    orphans_deleted = serializers.IntegerField()
    orphans_refused = serializers.BooleanField(
        help_text="They were more than half of all files, so none was deleted."
    )
    missing = serializers.IntegerField(help_text="Uploads whose file is not there.")


class RetentionSerializer(serializers.Serializer[Any]):
    """How long pictures and results are kept; null keeps for ever."""

    picture_days = serializers.IntegerField(
        allow_null=True, required=False, min_value=1, max_value=FOREVER
    )
    result_days = serializers.IntegerField(
        allow_null=True, required=False, min_value=1, max_value=FOREVER
    )
    changed_at = serializers.DateTimeField(read_only=True)
    last_run_at = serializers.DateTimeField(read_only=True, allow_null=True)
    last_run = RunSerializer(read_only=True, allow_null=True)
    next = ExpirySerializer(read_only=True)
