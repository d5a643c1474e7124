"""How much decoded pictures may weigh at once.

A file of some kilobytes can decode to hundreds of megabytes, and as many requests as there are
callers do so at the same time. So whoever decodes holds a share of one budget meanwhile.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

LARGEST_AT_ONCE = 2  # pictures of the largest size that is accepted


class PixelBudget:
    """Pixels that all threads of the process together may hold decoded; who comes late waits.

    A thread must not ask again while it holds a share, or two might wait for each other for ever.
    """

    def __init__(self) -> None:
        self.held = 0
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Wait until there is room for so many pixels, and keep it for the block."""
        limit = LARGEST_AT_ONCE * settings.SIGHTLINE_MAX_PIXELS
        with self._changed:
            # More than there ever is room for goes alone.
            self._changed.wait_for(lambda: not self.held or self.held + pixels <= limit)
            self.held += pixels
        try:
            yield
        finally:
            with self._changed:
                self.held -= pixels
                self._changed.notify_all()


budget = PixelBudget()
