"""Counting WebSockets."""

from __future__ import annotations

from typing import Any

from common.metrics.registry import websockets


class CountedSockets:
    """ASGI middleware: a socket counts from its acceptance to its end."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run one socket."""
        accepted = False

        async def counted(message: Any) -> None:
            nonlocal accepted
            await send(message)
            if message["type"] == "websocket.accept":
                accepted = True
                websockets.inc()

        try:
            await self.application(scope, receive, counted)
        finally:
            if accepted:
                websockets.dec()
