"""Which form an answer takes."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation


class AnyNegotiation(BaseContentNegotiation):
    """For answers that are files: whatever is accepted, the file is what there is."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        """Take the first parser."""
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        """Take the first renderer; it only renders errors."""
        return renderers[0], renderers[0].media_type
