"""What tests of the live pages do with them, and the events that they send."""

from __future__ import annotations

import time
from typing import Any

INK = """(canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  let drawn = 0;
  for (let at = 3; at < data.length; at += 4) drawn += data[at] > 0 ? 1 : 0;
  return drawn;
}"""
OVERLAY_IS_INKED = f"({INK})(document.querySelector('[data-tile-overlay]')) > 50"
FIRST_OF_STREAM = """async (address) => {
  const leave = new AbortController();
  const answer = await fetch(address, { signal: leave.signal });
  await answer.body.getReader().read();
  leave.abort();
  return answer.headers.get("Content-Type");
}"""
SEEN = """(list) => {
  const { x, y } = list.getBoundingClientRect();
  return document.elementFromPoint(x + 60, y + 60).closest(".moment").dataset.id;
}"""
NOW = "2026-01-31T08:00:00.000Z"


def opened(page: Any, until: Any, address: str = "/live/", *, rate: int = 10) -> Any:
    """The page, with pictures moving."""
    page.goto(address)
    page.evaluate(f"fake.run({rate})")
    until(page, "document.querySelectorAll('.tile.has-picture').length > 0")
    return page


def inked(page: Any) -> int:
    """How many pixels are drawn over the first picture that is there."""
    return int(page.locator(".tile.has-picture [data-tile-overlay]").first.evaluate(INK))


def a_camera(wall: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """How the first camera is, as the socket sends it."""
    return {
        **{"id": wall["cameras"][0], "name": "any", "state": "live", "code": "", "reason": ""},
        **{"since": NOW, "codec": "h264", "width": 320, "height": 180, "tracks": 0},
        **{"fps": {"in": 12.0, "processed": 10.0}, "age_ms": {}, "ms": {}, "counts": {}},
        **{"occupancy": {}, "stale": False},
        **changes,
    }


def tell_stats(page: Any, *cameras: dict[str, Any], **changes: Any) -> None:
    """Say how these cameras are, and all of them together."""
    overall = {"cameras": 0, "live": 0, "fps": {}, "age_ms": {}, "ms": {}, "counts": {}, **changes}
    stats = {"type": "stats", "at": NOW, "cameras": cameras, "global": overall}
    page.evaluate("(stats) => fake.say('/ws/dashboard/', stats)", stats)


def load_of(page: Any, seconds: float) -> float:
    """How much of a core a page's thread takes; unlike frames, nobody else's work is in it."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(item["value"] for item in metrics if item["name"] == "TaskDuration"))

    before, started = read(), time.perf_counter()
    page.wait_for_timeout(seconds * 1000)
    return (read() - before) / (time.perf_counter() - started)


def an_event(wall: dict[str, Any], number: int, **changes: Any) -> dict[str, Any]:
    """An event as the socket sends it."""
    name = f"{wall['prefix']} 01"
    return {
        "id": f"00000000-0000-0000-0000-{number:012}",
        "sequence": wall["sequence"] + number,
        "kind": "entry",
        "camera": {"id": wall["cameras"][0], "name": name},
        "area": None,
        "zone": {"id": wall["zone"], "name": "Till"},
        "line": None,
        "place": "Till",
        "direction": "",
        "label": "person",
        "track": number,
        "start": f"2030-01-31T08:00:{number % 60:02}.000Z",
        "end": f"2030-01-31T08:00:{number % 60:02}.000Z",
        "ongoing": False,
        "value": None,
        "confidence": 0.9,
        "box": [0.2, 0.2, 0.2, 0.4],
        "snapshot": None,
        "sentence": f"Person {number} entered Till",
        **changes,
    }


def settle(page: Any) -> None:
    """Wait until what was asked for is drawn."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
