"""A small client: `SIGHTLINE_URL=… SIGHTLINE_TOKEN=… python client.py street.jpg` (needs httpx)."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ATTEMPTS = 5


@dataclass(frozen=True)
class Found:
    """One object in a picture; `bbox` is left, top, width, height in pixels."""

    name: str
    confidence: float
    bbox: tuple[float, float, float, float]


class SightlineError(Exception):
    """What the server says is wrong; `code` is for programs, `fields` names the culprits."""

    def __init__(self, status: int, code: str, message: str, fields: dict[str, str]) -> None:
        super().__init__(f"{message} ({status} {code})")
        self.status, self.code, self.message, self.fields = status, code, message, fields


class Sightline:
    """One connection to a Sightline; waits and asks again when told to (429, 503)."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Token {token}", "Accept": "application/json"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=60.0)

    def detect(self, picture: Path, *, confidence: float = 0.4, save: bool = True) -> list[Found]:
        """Find objects in a picture; it is kept as a session unless `save` is False."""
        form = {"confidence": str(confidence), "save": str(save).lower()}
        files = {"image": (picture.name, picture.read_bytes())}
        answer = self._ask("POST", "/api/detect/", data=form, files=files)
        return [Found(o["class"], o["confidence"], tuple(o["bbox"])) for o in answer["objects"]]

    def sessions(self, **filters: str) -> Iterator[dict[str, Any]]:
        """Go through all sessions, the newest first; one page is read at a time."""
        page = self._ask("GET", "/api/sessions/", params=filters)
        yield from page["results"]
        while page["next"]:  # the address of the next page, cursor and filters included
            page = self._ask("GET", page["next"])
            yield from page["results"]

    def _ask(self, method: str, address: str, **request: Any) -> Any:
        for attempt in range(1, ATTEMPTS + 1):
            response = self._http.request(method, address, **request)
            if response.status_code not in (429, 503) or attempt == ATTEMPTS:
                break
            time.sleep(float(response.headers.get("Retry-After", 2**attempt)))
        if response.is_success:
            return response.json()
        error = response.json()["error"]
        raise SightlineError(response.status_code, error["code"], error["message"], error["fields"])


def main() -> None:
    """Detect in the named pictures, then list the newest sessions."""
    server = Sightline(os.environ["SIGHTLINE_URL"], os.environ["SIGHTLINE_TOKEN"])
    for name in sys.argv[1:]:
        for found in server.detect(Path(name)):
            print(f"{found.name} {found.confidence:.0%} at {found.bbox}")
    for session in server.sessions(page_size="2"):
        print(f"{session['created_at']} {session['name']}: {session['object_count']} objects")


if __name__ == "__main__":
    try:
        main()
    except SightlineError as refusal:
        sys.exit(str(refusal))
