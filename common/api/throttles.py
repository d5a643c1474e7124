"""How many requests a caller may make."""

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from common.counting import count

if TYPE_CHECKING:
    # REST framework imports the throttles while it makes this class.
    from rest_framework.views import APIView


@dataclass(frozen=True)
class RateLimit:
    """How many requests a caller may make in this window, and what is left of them."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """As they are written by everybody who writes them."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class CallerThrottle(SimpleRateThrottle):
    """A counter per token, user (of a browser) or address (of a stranger), and window of time.

    Two tokens of one person do not share: a program that runs wild starves itself alone.
    REST framework's own throttle keeps the time of every request, which at thousands a minute
    costs more than the request. A counter costs the same at any rate.
    """

    scope = "user"

    def __init__(self) -> None:
        self.scope = "user"
        # The rate depends on the caller, and is known when the request is.

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the request and tell whether it may pass."""
        self.scope, caller = self.identify(request)
        self.rate = self.get_rate()
        self.num_requests, self.duration = self.parse_rate(self.rate)
        if not self.num_requests or not self.duration:
            return True
        self.now = time.time()
        window = int(self.now // self.duration)
        made = count(f"throttle.{self.scope}.{caller}.{window}", self.duration * 2)
        left = max(0, self.num_requests - made)
        reset = math.ceil(self.wait() or 0)
        # For the middleware that writes the headers: a throttle never sees the answer.
        request._request.rate_limit = RateLimit(self.num_requests, left, reset)  # type: ignore[attr-defined]
        return made <= self.num_requests

    def identify(self, request: Request) -> tuple[str, str]:
        """Return what kind of caller this is, which names the rate, and which one."""
        if not (request.user and request.user.is_authenticated):
            return "anon", self.get_ident(request)
        token = getattr(request.auth, "digest", None)
        return ("token", token) if token else ("user", str(request.user.pk))

    def wait(self) -> float | None:
        """Return the seconds until the next window."""
        return float(self.duration or 0) - self.now % float(self.duration or 1)

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        """Unused: the key is made with its window in `allow_request`."""
        return None
