"""The shape of every error, for the OpenAPI document."""

from typing import Any

from rest_framework import serializers


class ErrorBodySerializer(serializers.Serializer[Any]):
    """What went wrong."""

    code = serializers.CharField(help_text="Stable machine code in snake case.")
    message = serializers.CharField(help_text="One sentence for a person.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(), help_text="What is wrong with which field."
    )


class ErrorSerializer(serializers.Serializer[Any]):
    """Every error of the API."""

    error = ErrorBodySerializer()
