"""The OpenAPI document is complete and true: whatever is sent, the answer is one it describes.

Schemathesis makes up requests from the document, right and wrong ones, and sends them as each kind
of caller. Each request is undone afterwards, so that all meet the same rows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from knox.models import AuthToken
from schemathesis import Case, Config, GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from common.inference import set_engine_for_tests
from common.jobs.services import enqueue_job
from common.models import DerivedFile, Job, TokenDetails
from detector.services.sessions import JOB_KIND
from integration.conftest import make_picture, make_user
from integration.detector.conftest import FakeEngine, make_session
from recognition.models import ErasureReport, FaceReview, FaceSample, Profile
from recognition.services.profiles import merge_profiles
from styletransfer.models import Restyling, Style
from styletransfer.services.options import RestyleOptions
from styletransfer.services.restylings import restyle_picture
from styletransfer.services.styles import add_style
from tests.made_faces import EMBEDDER, MadeFace, face_of
from tests.made_videos import make_clip, make_video_session
from video_analysis.cameras.models import Area, Camera
from video_analysis.models import Visitor, VisitorFace
from video_analysis.retail.models import Visit

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
JPEG = make_picture("JPEG", (32, 24))
NUMBERS = [0, 1, 2, 3]  # of tracks, and of what happened
FILES = [JPEG, make_picture("PNG", (8, 8)), JPEG[:-40], b"GIF89a", b"", b"not a picture"]
# Who asks is for us to say; made-up credentials would only be refused.
CONFIG = {"generation": {"with-security-parameters": False}}
SECONDS = 30.0  # per caller
ROLES = ["anonymous", "viewer", "operator", "administrator", "read token"]


@pytest.fixture(scope="module")
def document() -> Any:
    """The OpenAPI document as a caller gets it."""
    return SchemaGenerator().get_schema(request=None, public=True)


def test_the_document_is_valid_and_has_no_gaps(tmp_path: Any) -> None:
    call_command(
        *("spectacular", "--validate", "--fail-on-warn"), file=str(tmp_path / "schema.yaml")
    )


def test_every_operation_says_what_it_does_and_how_it_fails(document: Any) -> None:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            where = f"{method.upper()} {path}"
            assert operation.get("summary"), f"{where} has no summary"
            hidden = must_tell(method, operation) - set(operation["responses"])
            assert not hidden, f"{where} hides {', '.join(sorted(hidden))}"


def must_tell(method: str, operation: Any) -> set[str]:
    """The statuses that REST framework, tokens and throttles can answer."""
    told = {"401", "429"}
    if method != "get":
        told.add("403")
    if "requestBody" in operation:
        told |= {"400", "413", "415"}
    return told


def test_every_list_is_read_in_pages_by_cursor(document: Any) -> None:
    whole = {"/api/models/"}
    for path, item in document["paths"].items():
        answer = item.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        schema = answer.get("application/json", {}).get("schema", {})
        assert schema.get("type") != "array" or path in whole, f"GET {path} has no pages"


@dataclass
class World:
    """The rows that callers meet, by the first part of the address that names them."""

    headers: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[Any]] = field(default_factory=dict)


@pytest.fixture
def world(request: pytest.FixtureRequest, db: None, settings: Any) -> Iterator[World]:
    """Sessions, jobs and tokens of the caller and of somebody else."""
    settings.SIGHTLINE_ALLOW_DOWNLOADS = False
    engine = FakeEngine()
    engine.faces.scene = [MadeFace(face_of(1)), MadeFace(face_of(2), box=(9.0, 9.0, 60.0, 70.0))]
    set_engine_for_tests(engine)
    # As Django's own test client: the connection outlives the request, and is the test's.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield _make_world(request.param)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    set_engine_for_tests(None)


def _make_world(role: str) -> World:
    account = {"anonymous": "viewer", "read token": "operator"}.get(role, role)
    caller, other = make_user("caller", account), make_user("other")
    made = World()
    row, token = AuthToken.objects.create(caller)
    scope = TokenDetails.Scope.READ if role == "read token" else TokenDetails.Scope.WRITE
    TokenDetails.objects.create(token=row, name="schema", scope=scope)
    if role != "anonymous":
        made.headers = {"Authorization": f"Token {token}"}
    sessions = [make_session(owner) for owner in (caller, caller, other)]
    videos = [make_video_session(owner) for owner in (caller, other)]
    jobs = [
        enqueue_job(kind=JOB_KIND, owner=owner, payload={}) for owner in (caller, caller, other)
    ]
    Job.objects.filter(pk=jobs[0].pk).update(state=Job.State.FAILED, error_code="engine_closed")
    made.rows = {
        "sessions": [row.pk for row in sessions],
        "videos": [row.pk for row in videos],
        "jobs": [row.pk for row in jobs],
        "tokens": [row.token_key],
        "users": [caller.pk, other.pk],
        "groups": [],
        **_make_cameras(caller),
        **_make_people(caller),
    }
    made.rows |= _make_visits(made.rows)
    made.rows |= _make_styles(caller, other)
    return made


def _make_styles(caller: Any, other: Any) -> dict[str, list[Any]]:
    """A style of the caller, one of somebody else, some of nobody; paintings in every state."""
    picture = make_picture("PNG", (96, 80))
    mine, theirs = (
        add_style(owner=owner, data=picture, file_name="w") for owner in (caller, other)
    )
    fast = Style.objects.exclude(network="")[0]
    asked = [(caller, mine), (caller, fast), (caller, mine), (other, theirs)]
    paintings = [
        restyle_picture(
            owner=owner, data=picture, file_name="a.png", style=style, options=RestyleOptions()
        )
        for owner, style in asked
    ]
    Job.objects.filter(pk=paintings[0].job_id).update(state="failed", error_code="no_memory")
    Restyling.objects.filter(pk=paintings[0].pk).update(losses=[[1, 2.5]], style=None)
    Job.objects.filter(pk=paintings[2].job_id).update(state="done")
    file = DerivedFile(upload=paintings[2].upload, media_type="image/jpeg", size=len(JPEG))
    file.file.save("painting.jpg", ContentFile(JPEG))
    Restyling.objects.filter(pk=paintings[2].pk).update(result=file)
    built_in = Style.objects.exclude(key="")
    return {
        "style": [painting.pk for painting in paintings],
        "styles": [mine.pk, theirs.pk, fast.pk, *built_in.values_list("pk", flat=True)[:3]],
    }


def _make_people(caller: Any) -> dict[str, list[Any]]:
    """Two people of whom a face is known, and one that may be the first one's."""
    people = [Profile.objects.create(name=name) for name in ("Ada", "Grace")]
    samples = [
        FaceSample.objects.create(
            profile=person, embedding=face_of(number).tobytes(), model=EMBEDDER, source="api"
        )
        for number, person in enumerate(people, start=1)
    ]
    review = FaceReview.objects.create(
        origin="picture",
        asked_by=caller,
        embedding=face_of(1, distance=0.5).tobytes(),
        model=EMBEDDER,
        candidate=people[0],
        distance=0.5,
        probability=0.8,
    )
    countess = Profile.objects.create(name="Countess")
    merge = merge_profiles(actor=None, target=people[0], source=countess)
    report = ErasureReport.objects.create(subject=uuid4(), reason="request")
    return {
        "people": [person.pk for person in people],
        "sample_id": [sample.pk for sample in samples],
        "merge_id": [merge.pk],
        "erasures": [report.pk],
        "reviews": [review.pk],
    }


def _make_visits(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """One that goes on, with a mood, one that is over, and a visitor with and without a face."""
    (area,), now = rows["areas"], timezone.now()
    mood = [{"at": now.isoformat(), "shares": {"happy": 0.75, "neutral": 0.25}}]
    visits = [
        Visit.objects.create(area_id=area, profile_id=rows["people"][0], mood=mood),
        Visit.objects.create(area_id=area, profile_id=rows["people"][1], exit=now),
    ]
    visitors = [Visitor.objects.create(area_id=area, number=number) for number in (1, 2)]
    face = {"embedding": face_of(3).tobytes(), "model": EMBEDDER}
    VisitorFace.objects.create(visitor=visitors[0], expires_at=now + timedelta(days=1), **face)
    return {
        "visits": [visit.pk for visit in visits],
        "visitors": [visitor.pk for visitor in visitors],
    }


def _make_cameras(caller: Any) -> dict[str, list[Any]]:
    """Two cameras without pictures in one area, the first of which the caller may watch."""
    area = Area.objects.create(name="Yard")
    cameras = [
        Camera.objects.create(name=name, area=area, address="loop:gone.mp4")
        for name in ("Gate", "Fence")
    ]
    group = Group.objects.create(name="Guards")
    caller.groups.add(group)
    cameras[0].groups.add(group)
    return {"cameras": [camera.pk for camera in cameras], "areas": [area.pk]}


@pytest.mark.slow
@pytest.mark.parametrize("world", ROLES, indirect=True)
def test_answers_are_as_described(document: Any, world: World) -> None:
    explore(document, world, examples=4)


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.timeout(600)
@pytest.mark.parametrize("world", ROLES, indirect=True)
def test_answers_are_as_described_however_odd_the_request(document: Any, world: World) -> None:
    explore(document, world, examples=60)


def explore(document: Any, world: World, *, examples: int) -> None:
    """Send made-up requests to every operation; fail with all that was answered wrongly."""
    load_all_checks()
    with TemporaryDirectory() as folder:
        clip = make_clip(Path(folder) / "clip.mp4", seconds=0.5).read_bytes()
    schemathesis.openapi.format("binary", st.sampled_from([*FILES, clip]))
    schema = schemathesis.openapi.from_dict(document, config=Config.from_dict(CONFIG))
    schema.app = get_wsgi_application()
    operations = [found.ok() for found in schema.get_all_operations()]
    assert operations
    found: dict[str, str] = {}
    for number, operation in enumerate(operations):
        until = time.monotonic() + SECONDS / len(operations)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                cases = operation.as_strategy(generation_mode=mode)
            except Exception as error:
                found[f"{operation.label} {mode.name}"] = repr(error)
                continue
            send_all(cases, world, found, examples=examples, number=number, until=until)
    assert not found, "\n\n".join(f"{where}\n{what}" for where, what in sorted(found.items()))


class Enough(Exception):  # noqa: N818
    """Time is up; making up further requests would take long as well."""


def send_all(
    cases: Any, world: World, found: dict[str, str], *, examples: int, number: int, until: float
) -> None:
    """Send the cases of one operation until there are enough of them, or time is up."""

    choose = Random(number)

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def run(case: Case) -> None:
        if time.monotonic() >= until:
            raise Enough
        send(case, world, found, choose)

    with suppress(Unsatisfiable, Enough):  # what takes nothing cannot be asked wrongly
        run()


def send(case: Case, world: World, found: dict[str, str], choose: Random) -> None:
    """Send one request, mostly to a row that exists, and undo what it did."""
    parts = case.path.strip("/").split("/")
    rows = world.rows.get(parts[1], [])
    if parts[1:3] == ["people", "erasures"]:
        rows = world.rows["erasures"]
    for name in case.path_parameters or {}:
        if rows and choose.random() < 0.8:
            known = NUMBERS if name == "number" else world.rows.get(name, rows)
            case.path_parameters[name] = str(choose.choice(known))
    if case.query and choose.random() < 0.5:
        case.query.pop("cursor", None)  # made up, it hides the list behind a 404
    accepted = {"Accept": "text/html"} if choose.random() < 0.2 else {}
    with transaction.atomic():
        response = case.call(headers={**world.headers, **accepted})
        transaction.set_rollback(True)
    # "Not yet, ask again" is an answer, where the document says so.
    later = response.status_code == 503 and "retry-after" in response.headers
    try:
        case.validate_response(response, checks=CHECKS[1:] if later else CHECKS)
    except (Failure, FailureGroup) as failure:
        parts = failure.exceptions if isinstance(failure, FailureGroup) else [failure]
        for part in parts:
            where = f"{case.operation.label} -> {response.status_code} {type(part).__name__}"
            found.setdefault(where, f"{part}\n{case.as_curl_command()[:1500]}"[:4000])
