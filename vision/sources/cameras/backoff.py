"""When to try again."""

import random
from typing import Final

from vision.sources.cameras.errors import REFUSALS

_FIRST: Final = 0.5  # seconds
_LONGEST: Final = 30.0  # seconds; also after a refusal, which a person has to end
_HEALTHY: Final = 30.0  # seconds of pictures after which earlier failures are forgotten
_JITTER: Final = 0.2  # share; cameras that went down together do not come back together


class Backoff:
    """Doubles the pause from failure to failure, from 0.5 s to 30 s."""

    def __init__(self) -> None:
        self._pause = _FIRST

    def pause(self, code: str, lived: float) -> float:
        """Return for how many seconds to wait after a failure.

        Args:
            code: Of the failure.
            lived: Seconds for which pictures came before it.
        """
        if lived >= _HEALTHY:
            self._pause = _FIRST
        if code in REFUSALS:
            return _spread(_LONGEST)
        pause, self._pause = self._pause, min(_LONGEST, self._pause * 2)
        return _spread(pause)


def _spread(pause: float) -> float:
    return pause * random.uniform(1 - _JITTER, 1.0)  # noqa: S311 - nobody guards a secret with it
