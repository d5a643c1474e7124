"""How many requests a caller may make."""

import time
from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from common.counting import count

if TYPE_CHECKING:
    # REST framework imports the throttles while it makes this class.
    from rest_framework.views import APIView


class CallerThrottle(SimpleRateThrottle):
    """A counter per user (or address, when nobody is signed in) and window of time.

    REST framework's own throttle keeps the time of every request, which at thousands a minute
    costs more than the request. A counter costs the same at any rate.
    """

    scope = "user"

    def __init__(self) -> None:
        self.scope = "user"
        # The rate depends on the caller, and is known when the request is.

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the request and tell whether it may pass."""
        self.scope = "user" if request.user and request.user.is_authenticated else "anon"
        self.rate = self.get_rate()
        self.num_requests, self.duration = self.parse_rate(self.rate)
        if not self.num_requests or not self.duration:
            return True
        caller = request.user.pk if self.scope == "user" else self.get_ident(request)
        self.now = time.time()
        window = int(self.now // self.duration)
        key = f"throttle.{self.scope}.{caller}.{window}"
        return count(key, self.duration * 2) <= self.num_requests

    def wait(self) -> float | None:
        """Return the seconds until the next window."""
        return float(self.duration or 0) - self.now % float(self.duration or 1)

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        """Unused: the key is made with its window in `allow_request`."""
        return None
