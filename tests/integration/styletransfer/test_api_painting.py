"""Paintings over REST from the upload to the result: by the real painters, and stopped midway."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import pytest
from django.db import connections
from PIL import Image
from rest_framework.test import APIClient

from common.models import Job
from styletransfer.models import Style
from tests.integration.conftest import wait_for_job
from tests.integration.styletransfer.asking import (
    FAST,
    PATTERN,
    ask,
    asked,
    content_of,
    decoded,
    file_of,
    look,
    paint,
    refusal,
)
from tests.integration.styletransfer.painters import FakePainter
from tests.made_videos import make_clip

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PAINTED_BY = "styletransfer.services.running.create_gatys"


@pytest.fixture
def fake_painter(monkeypatch: pytest.MonkeyPatch) -> list[FakePainter]:
    """Painters that are done at once, in order."""
    made: list[FakePainter] = []

    def create(config: Any, *args: Any, **options: Any) -> FakePainter:
        made.append(FakePainter(config))
        return made[-1]

    monkeypatch.setattr(PAINTED_BY, create)
    return made


def encoded(image: Image.Image, form: str) -> bytes:
    stream = BytesIO()
    image.save(stream, form)
    return stream.getvalue()


def test_a_picture_is_painted_and_fetched(api: APIClient, settings: Any) -> None:
    settings.SIGHTLINE_ALLOW_DOWNLOADS = False
    response = ask(api, name="Harbour", seed=7)
    body = response.json()
    assert response.status_code == 201, body
    assert response["Location"] == body["urls"]["self"] == f"/api/style/{body['id']}/"
    assert (body["status"], body["progress"], body["error"]) == ("queued", 0.0, None)
    assert (body["kind"], body["way"], body["source"]) == ("image", "slow", "api")
    assert body["options"] == {
        "size": 64,
        "steps": 3,
        "style_weight": 20.0,
        "keep_colours": False,
        "start": "content",
        "start_network": "",
        "seed": 7,
    }
    assert body["style_name"] == body["style"]["name"] == Style.objects.get(key=PATTERN).name
    assert body["queue"]["place"] == 1
    assert (body["urls"]["result"], body["urls"]["thumbnail"]) == (None, None)
    refusal(api.get(f"/api/style/{body['id']}/result/"), 409, "not_done")

    paint(body)
    done = look(api, body)
    assert (done["status"], done["progress"], done["queue"]) == ("done", 1.0, None), done["error"]
    assert (done["width"], done["height"], done["steps_made"]) == (64, 48, 3)
    assert [step for step, _ in done["losses"]][-1] == 3
    assert done["losses"][-1][1] < done["losses"][0][1]
    assert done["model"] == "random-vgg19"
    assert done["seconds"] > 0
    assert done["finished_at"]
    result = api.get(done["urls"]["result"])
    assert result["Content-Type"] == "image/jpeg"
    assert decoded(content_of(result)).shape == (48, 64, 3)
    assert decoded(content_of(api.get(done["urls"]["thumbnail"]))).shape[1] <= 64
    part = api.get(done["urls"]["result"], headers={"range": "bytes=0-1"})
    assert (part.status_code, content_of(part)) == (206, b"\xff\xd8")


def test_a_picture_is_painted_in_a_fast_style(api: APIClient, fast: None) -> None:
    body = asked(api, style=FAST, size=None, steps=None, keep_colours="true")
    assert (body["way"], body["queue"]) == ("fast", None)
    assert (body["options"]["size"], body["options"]["steps"]) == (None, 0)
    paint(body)
    done = look(api, body)
    assert done["status"] == "done", done["error"]
    assert decoded(content_of(api.get(done["urls"]["result"]))).shape == (48, 64, 3)


def test_a_video_is_painted_frame_by_frame(api: APIClient, fast: None, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=0.5, width=96, height=64).read_bytes()
    body = asked(api, image=None, video=file_of(clip, "clip.mp4"), style=FAST, size=64)
    assert (body["kind"], body["way"]) == ("video", "fast")
    paint(body)
    done = look(api, body)
    assert done["status"] == "done", done["error"]
    assert (done["frames"], done["has_sound"]) == (5, None)
    result = api.get(done["urls"]["result"])
    assert result["Content-Type"] == "video/mp4"
    (tmp_path / "painted.mp4").write_bytes(content_of(result))
    with av.open(str(tmp_path / "painted.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5


def test_a_transparent_png_is_painted_on_white(api: APIClient, fake_painter: Any) -> None:
    clear = encoded(Image.new("RGBA", (64, 64), (200, 0, 0, 0)), "PNG")
    body = asked(api, image=file_of(clear))
    paint(body)
    done = look(api, body)
    assert done["status"] == "done", done["error"]
    assert decoded(content_of(api.get(done["urls"]["result"]))).min() >= 250


def test_a_cmyk_jpeg_is_painted_and_painted_like(api: APIClient, settings: Any) -> None:
    settings.SIGHTLINE_ALLOW_DOWNLOADS = False
    inks = encoded(Image.new("CMYK", (80, 80), (10, 80, 0, 0)), "JPEG")
    body = asked(api, style=None, style_image=file_of(inks), image=file_of(inks), steps=2)
    paint(body)
    done = look(api, body)
    assert done["status"] == "done", done["error"]
    assert decoded(content_of(api.get(done["urls"]["result"]))).shape == (64, 64, 3)


def test_one_that_is_stopped_in_its_first_second_keeps_its_best(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = asked(api, steps=50)

    def create(config: Any, *args: Any, **options: Any) -> FakePainter:
        painter = FakePainter(config)
        painter.hook = lambda step: stop(step)
        return painter

    def stop(step: int) -> None:
        if step == 2:
            answer = api.post(f"/api/style/{body['id']}/cancel/")
            assert answer.status_code == 200, answer.content

    monkeypatch.setattr(PAINTED_BY, create)
    paint(body)
    stopped = look(api, body)
    assert (stopped["status"], stopped["error"]) == ("cancelled", None)
    assert 2 <= stopped["steps_made"] < 50
    assert decoded(content_of(api.get(stopped["urls"]["result"]))).shape == (48, 64, 3)


class Crowd:
    """Counts the painters that paint at the same moment."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = self.painted = 0


def test_of_ten_at_once_one_is_painted_at_a_time(
    worker: Any, api: APIClient, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd()

    class CountedPainter(FakePainter):
        def stylize(self, *args: Any, **options: Any) -> Any:
            with crowd.lock:
                crowd.now += 1
                crowd.most = max(crowd.most, crowd.now)
            try:
                threading.Event().wait(0.05)
                return super().stylize(*args, **options)
            finally:
                with crowd.lock:
                    crowd.now -= 1
                    crowd.painted += 1

    monkeypatch.setattr(PAINTED_BY, CountedPainter)

    def ask_from_elsewhere(_: int) -> dict[str, Any]:
        client = APIClient()
        client.force_authenticate(user)
        try:
            return asked(client)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        bodies = list(pool.map(ask_from_elsewhere, range(10)))
    for body in bodies:
        job = wait_for_job(Job.objects.get(pk=body["job"]))
        assert job.state == Job.State.DONE, job.error_message
    assert (crowd.most, crowd.painted) == (1, 10)
    for body in bodies:
        assert decoded(content_of(api.get(f"/api/style/{body['id']}/result/"))).shape == (48, 64, 3)
