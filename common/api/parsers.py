"""Reading bodies."""

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class BoundedJSONParser(JSONParser):
    """JSON of at most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes.

    REST framework reads the stream itself, past Django's limit, and a deeply nested body would
    end as an error of ours.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the document.

        Raises:
            ParseError: It is no JSON, or nested too deeply.
            RequestDataTooBig: It is too long.
        """
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        content = stream.read(limit + 1)
        if len(content) > limit:
            raise RequestDataTooBig
        try:
            return super().parse(BytesIO(content), media_type, parser_context)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
