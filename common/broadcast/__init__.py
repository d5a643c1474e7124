"""Messages to open pages, from any thread: `publish(group, payload)`."""

from common.broadcast.publisher import (
    attach_loop,
    detach_loop,
    member_group,
    publish,
    user_group,
)

__all__ = ["attach_loop", "detach_loop", "member_group", "publish", "user_group"]
