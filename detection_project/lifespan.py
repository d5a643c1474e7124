"""Attaches the broadcast to the server's event loop while the server runs."""

import asyncio
from typing import Any

from common.broadcast import attach_loop, detach_loop


class Lifespan:
    """ASGI's lifespan protocol: whatever server runs us, messages find its loop."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Attach at the start, detach at the end."""
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                attach_loop(asyncio.get_running_loop())
                await send({"type": "lifespan.startup.complete"})
            elif event["type"] == "lifespan.shutdown":
                detach_loop()
                await send({"type": "lifespan.shutdown.complete"})
                return
