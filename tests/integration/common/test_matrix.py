"""Role x object x verb: who may do what at every address, in one table.

An address or method that is not in the table fails the second test. To add one, add one line.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django.views.generic.edit import ProcessFormView
from knox.models import AuthToken

from common.models import DerivedFile, Job, TokenDetails
from common.previews import Preview, write_preview
from detector.models import DetectionSession
from recognition.index import Match
from recognition.models import ErasureReport
from recognition.services.profiles import merge_profiles
from recognition.services.reviews import open_review
from styletransfer.models import Restyling, Style
from styletransfer.services.options import RestyleOptions
from styletransfer.services.restylings import restyle_picture
from styletransfer.services.styles import add_style
from tests.integration.conftest import make_user
from tests.integration.detector.conftest import engine, make_session, picture  # noqa: F401
from tests.integration.recognition.made_people import CROP, QUALITY, make_person
from tests.made_faces import EMBEDDER, face_of
from tests.made_videos import make_video_session
from video_analysis.cameras.models import Area, Camera
from video_analysis.models import CameraEvent, Event, Visitor
from video_analysis.retail.models import Visit

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# Who asks: nobody, a viewer of no group, a viewer and an operator of the group that the session is
# shared with, an operator of no group, its owner, an administrator of no group.
PEOPLE = ("nobody", "viewer", "member", "colleague", "operator", "owner", "administrator")

# What they get: "ok" is to be let in, whatever becomes of a request without a body; "door" is to be
# led to the sign-in page; a number is that status.
PUBLIC = "ok ok ok ok ok ok ok"
CLOSED = "403 ok ok ok ok ok ok"
NOTHING = "404 404 404 404 404 404 404"
SIGNED_IN = "door ok ok ok ok ok ok"
CREATE = "door 403 403 ok ok ok ok"
ADMINISTER = "door 403 403 403 403 403 ok"
VIEW = "door 404 ok ok 404 ok 404"
CHANGE = "door 404 403 ok 404 ok 404"
OWN = "door 404 403 403 404 ok 404"
MINE = "door 404 404 404 404 ok 404"
# Of a camera that belongs to the group: administrators configure it, members watch it.
WATCH = "door 404 ok ok 404 404 ok"
CONFIGURE = "door 404 403 403 404 404 ok"
# Of people who are known by their faces: viewers see nobody; an import is its owner's, and so are
# questions about a picture of somebody who is in no group.
PERSONAL = "door 403 403 404 404 ok 404"
VISITS = "door 403 403 ok 404 404 ok"
PORTRAIT = "door 404 404 ok ok ok ok"


def api(row: str) -> str:
    """A program is told so instead of being led to the door."""
    return row.replace("door", "401")


MATRIX = {
    # The sessions' pages
    "GET ": SIGNED_IN,
    "GET sessions/": SIGNED_IN,
    "GET sessions/new/": CREATE,
    "POST sessions/create/": CREATE,
    "POST sessions/example/": CREATE,
    "POST sessions/delete/": SIGNED_IN,  # those of the named ones that one may
    "POST sessions/share/": CREATE,
    "GET sessions/<uuid:session_id>/": VIEW,
    "GET sessions/<uuid:session_id>/card/": VIEW,
    "GET sessions/<uuid:session_id>/picture": VIEW,
    "GET sessions/<uuid:session_id>/thumbnail": VIEW,
    "GET sessions/<uuid:session_id>/export/<slug:form>": VIEW,
    "POST sessions/<uuid:session_id>/rename/": CHANGE,
    "POST sessions/<uuid:session_id>/rerun/": CHANGE,
    "POST sessions/<uuid:session_id>/cancel/": CHANGE,
    "POST sessions/<uuid:session_id>/retry/": CHANGE,
    "POST sessions/<uuid:session_id>/share/": OWN,
    "POST sessions/<uuid:session_id>/delete/": OWN,
    # Their API
    "POST api/detect/": api(CREATE),
    "POST api/segment/": api(CREATE),
    "GET api/models/": api(SIGNED_IN),
    "GET api/objects/": api(SIGNED_IN),
    "GET api/sessions/": api(SIGNED_IN),
    "POST api/sessions/": api(CREATE),
    "GET api/sessions/<uuid:pk>/": api(VIEW),
    "PATCH api/sessions/<uuid:pk>/": api(CHANGE),
    "DELETE api/sessions/<uuid:pk>/": api(OWN),
    "GET api/sessions/<uuid:pk>/objects/": api(VIEW),
    "GET api/sessions/<uuid:pk>/picture/": api(VIEW),
    "GET api/sessions/<uuid:pk>/thumbnail/": api(VIEW),
    "GET api/sessions/<uuid:pk>/export/": api(VIEW),
    "POST api/sessions/<uuid:pk>/rerun/": api(CHANGE),
    "POST api/sessions/<uuid:pk>/cancel/": api(CHANGE),
    "POST api/sessions/<uuid:pk>/retry/": api(CHANGE),
    "GET api/jobs/": api(SIGNED_IN),
    "GET api/jobs/<uuid:pk>/": api(VIEW),
    "POST api/jobs/<uuid:pk>/cancel/": api(CHANGE),
    "POST api/jobs/<uuid:pk>/retry/": api(CHANGE),
    # The videos' pages
    "GET videos/new/": CREATE,
    "POST videos/create/": CREATE,
    "GET videos/<uuid:session_id>/": VIEW,
    "GET videos/<uuid:session_id>/original": VIEW,
    "GET videos/<uuid:session_id>/annotated.mp4": VIEW,
    "GET videos/<uuid:session_id>/heat.png": VIEW,
    "GET videos/<uuid:session_id>/preview.jpg": VIEW,
    "GET videos/<uuid:session_id>/overlay/": VIEW,
    "GET videos/<uuid:session_id>/tracks/": VIEW,
    "GET videos/<uuid:session_id>/tracks/<int:number>/snapshot.jpg": VIEW,
    "GET videos/<uuid:session_id>/events/<int:number>/snapshot.jpg": VIEW,
    "GET videos/<uuid:session_id>/export/<slug:form>": VIEW,
    "POST videos/<uuid:session_id>/rerun/": CHANGE,
    # Their API
    "GET api/videos/": api(SIGNED_IN),
    "POST api/videos/": api(CREATE),
    "GET api/videos/<uuid:pk>/": api(VIEW),
    "PATCH api/videos/<uuid:pk>/": api(CHANGE),
    "DELETE api/videos/<uuid:pk>/": api(OWN),
    "POST api/videos/<uuid:pk>/rerun/": api(CHANGE),
    "POST api/videos/<uuid:pk>/cancel/": api(CHANGE),
    "POST api/videos/<uuid:pk>/retry/": api(CHANGE),
    "GET api/videos/<uuid:pk>/tracks/": api(VIEW),
    "GET api/videos/<uuid:pk>/tracks/<int:number>/": api(VIEW),
    "GET api/videos/<uuid:pk>/tracks/<int:number>/trajectory": api(VIEW),
    "GET api/videos/<uuid:pk>/tracks/<int:number>/snapshot.jpg": api(VIEW),
    "GET api/videos/<uuid:pk>/motion/": api(VIEW),
    "GET api/videos/<uuid:pk>/activities/": api(VIEW),
    "GET api/videos/<uuid:pk>/people/": api(CHANGE),
    "GET api/videos/<uuid:pk>/events/<int:number>/snapshot.jpg": api(VIEW),
    "GET api/videos/<uuid:pk>/original/": api(VIEW),
    "GET api/videos/<uuid:pk>/thumbnail/": api(VIEW),
    "GET api/videos/<uuid:pk>/annotated.mp4": api(VIEW),
    "GET api/videos/<uuid:pk>/heat.png": api(VIEW),
    "GET api/videos/<uuid:pk>/preview.jpg": api(VIEW),
    "GET api/videos/<uuid:pk>/overlay/": api(VIEW),
    "GET api/videos/<uuid:pk>/export": api(VIEW),
    # Looking at all of them
    "GET analytics/": SIGNED_IN,
    "GET analytics/<slug:table>.csv": SIGNED_IN,
    "GET api/analytics/": api(SIGNED_IN),
    # People
    "GET account/": SIGNED_IN,
    "GET account/email/": SIGNED_IN,
    "POST account/email/": SIGNED_IN,
    "GET account/password/": SIGNED_IN,
    "POST account/password/": SIGNED_IN,
    "POST account/tokens/": SIGNED_IN,
    "POST account/tokens/<slug:key>/revoke/": MINE,
    "GET api/me/": api(SIGNED_IN),
    "GET api/groups/": api(SIGNED_IN),
    "GET api/tokens/": api(SIGNED_IN),
    "POST api/tokens/": api(SIGNED_IN),
    "DELETE api/tokens/<slug:key>/": api(MINE),
    # Signing in; who is signed in already is led on
    "GET accounts/login/": PUBLIC,
    "POST accounts/login/": PUBLIC,
    "GET accounts/logout/": PUBLIC,
    "POST accounts/logout/": PUBLIC,
    "GET accounts/signup/": CLOSED,
    "POST accounts/signup/": CLOSED,
    "GET accounts/inactive/": PUBLIC,
    "GET accounts/confirm-email/": PUBLIC,
    "GET accounts/confirm-email/<key>/": PUBLIC,
    "POST accounts/confirm-email/<key>/": NOTHING,  # no such letter was sent
    "GET accounts/password/reset/": PUBLIC,
    "POST accounts/password/reset/": PUBLIC,
    "GET accounts/password/reset/done/": PUBLIC,
    "GET accounts/password/reset/key/<uidb36>-<key>/": PUBLIC,
    "POST accounts/password/reset/key/<uidb36>-<key>/": PUBLIC,
    "GET accounts/password/reset/key/done/": PUBLIC,
    # Cameras, over REST
    "GET api/stats": api(SIGNED_IN),
    "GET api/events": api(SIGNED_IN),
    "GET api/events/<uuid:pk>/": api(WATCH),
    "GET api/events/<uuid:pk>/snapshot.jpg": api(WATCH),
    "GET api/cameras/<int:camera_id>/latest.jpg": api(WATCH),
    "GET api/stream/<int:camera_id>.mjpg": api(WATCH),
    "GET api/areas/": api(SIGNED_IN),
    "POST api/areas/": api(ADMINISTER),
    "GET api/areas/<int:pk>/": api(WATCH),
    "PATCH api/areas/<int:pk>/": api(CONFIGURE),
    "DELETE api/areas/<int:pk>/": api(CONFIGURE),
    "GET api/cameras/": api(SIGNED_IN),
    "POST api/cameras/": api(ADMINISTER),
    "GET api/cameras/<int:pk>/": api(WATCH),
    "PATCH api/cameras/<int:pk>/": api(CONFIGURE),
    "DELETE api/cameras/<int:pk>/": api(CONFIGURE),
    "GET api/cameras/<int:pk>/zones/": api(WATCH),
    "PUT api/cameras/<int:pk>/zones/": api(CONFIGURE),
    "GET api/cameras/<int:pk>/lines/": api(WATCH),
    "PUT api/cameras/<int:pk>/lines/": api(CONFIGURE),
    "POST api/cameras/<int:pk>/test/": api(CONFIGURE),
    "POST api/cameras/test/": api(ADMINISTER),
    "GET api/cameras/schema.json": api(SIGNED_IN),
    "GET api/cameras/export.yaml": api(ADMINISTER),
    "POST api/cameras/import/": api(ADMINISTER),
    # People who are known by their faces, over REST
    "POST api/recognize/": api(CREATE),
    "GET api/people/": api(CREATE),
    "POST api/people/": api(CREATE),
    "POST api/people/import/": api(CREATE),
    "GET api/people/import/<uuid:pk>/": api(PERSONAL),
    "GET api/people/privacy/": api(ADMINISTER),
    "PATCH api/people/privacy/": api(ADMINISTER),
    "GET api/people/erasures/": api(ADMINISTER),
    "GET api/people/erasures/<uuid:pk>/": api(ADMINISTER),
    "GET api/people/consent-texts/": api(CREATE),
    "POST api/people/consent-texts/": api(ADMINISTER),
    "GET api/people/<uuid:pk>/": api(CREATE),
    "PATCH api/people/<uuid:pk>/": api(CREATE),
    "GET api/people/<uuid:pk>/photo.jpg": api(CREATE),
    "GET api/people/<uuid:pk>/export.zip": api(ADMINISTER),
    "GET api/people/<uuid:pk>/samples/": api(CREATE),
    "POST api/people/<uuid:pk>/samples/": api(CREATE),
    "POST api/people/<uuid:pk>/samples/move/": api(CREATE),
    "DELETE api/people/<uuid:pk>/samples/<uuid:sample_id>/": api(CREATE),
    "GET api/people/<uuid:pk>/samples/<uuid:sample_id>/crop.jpg": api(CREATE),
    "POST api/people/<uuid:pk>/split/": api(CREATE),
    "POST api/people/<uuid:pk>/negatives/": api(CREATE),
    "GET api/people/<uuid:pk>/merges/": api(CREATE),
    "POST api/people/<uuid:pk>/merges/": api(CREATE),
    "POST api/people/<uuid:pk>/merges/<uuid:merge_id>/undo/": api(CREATE),
    "GET api/people/<uuid:pk>/consent/": api(CREATE),
    "POST api/people/<uuid:pk>/consent/": api(CREATE),
    "POST api/people/<uuid:pk>/consent/withdraw/": api(CREATE),
    "GET api/reviews/": api(CREATE),
    "GET api/reviews/<uuid:pk>/": api(PERSONAL),
    "GET api/reviews/<uuid:pk>/crop.jpg": api(PERSONAL),
    "POST api/reviews/<uuid:pk>/answer/": api(PERSONAL),
    # Their pages
    "GET people/": CREATE,
    "GET people/new/": CREATE,
    "POST people/new/": CREATE,
    "POST people/judge/": CREATE,
    "GET people/suggest/": CREATE,
    "GET people/recognise/": CREATE,
    "POST people/recognise/": CREATE,
    "POST people/recognise/not/": CREATE,
    "POST people/recognise/name/": CREATE,
    "GET people/reviews/": CREATE,
    "POST people/reviews/<uuid:review_id>/": CREATE,
    "GET people/reviews/<uuid:review_id>/face.jpg": MINE,
    "GET people/import/": CREATE,
    "POST people/import/": CREATE,
    "GET people/import/<uuid:job_id>/": PERSONAL,
    "POST people/import/<uuid:job_id>/cancel/": PERSONAL,
    "GET people/privacy/": ADMINISTER,
    "POST people/privacy/": ADMINISTER,
    "POST people/privacy/text/": ADMINISTER,
    "GET people/erasures/<uuid:report_id>/": ADMINISTER,
    "GET people/samples/<uuid:sample_id>/face.jpg": PORTRAIT,
    "GET people/<uuid:person_id>/": CREATE,
    "GET people/<uuid:person_id>/photo.jpg": PORTRAIT,
    "GET people/<uuid:person_id>/edit/": CREATE,
    "POST people/<uuid:person_id>/edit/": CREATE,
    "POST people/<uuid:person_id>/consent/": CREATE,
    "POST people/<uuid:person_id>/merge/": CREATE,
    "POST people/<uuid:person_id>/merges/<uuid:merge_id>/undo/": CREATE,
    "GET people/<uuid:person_id>/photos/": CREATE,
    "POST people/<uuid:person_id>/samples/": CREATE,
    "POST people/<uuid:person_id>/samples/delete/": CREATE,
    "POST people/<uuid:person_id>/samples/move/": CREATE,
    "POST people/<uuid:person_id>/samples/split/": CREATE,
    "GET people/<uuid:person_id>/export/": ADMINISTER,
    "GET people/<uuid:person_id>/erase/": ADMINISTER,
    # Last of them: rows come back, files do not.
    "POST people/<uuid:person_id>/erase/": ADMINISTER,
    "DELETE api/people/<uuid:pk>/": api(ADMINISTER),
    # Visits follow the cameras of their area, and are for those who work with people.
    "GET visits/": CREATE,
    "GET visits/history/": CREATE,
    "GET visits/days/": CREATE,
    "GET visits/visits.csv": CREATE,
    "GET visits/<uuid:visit_id>/": VISITS,
    "POST visits/visitors/<uuid:visitor_id>/name/": VISITS,
    "GET api/visits/": api(CREATE),
    "GET api/visits/now/": api(CREATE),
    "GET api/visits/days/": api(CREATE),
    "GET api/visits/<uuid:pk>/": api(VISITS),
    "POST api/visitors/<uuid:pk>/name/": api(VISITS),
    # Styles, and what is painted in them, over REST
    "GET api/style/": api(SIGNED_IN),
    "POST api/style/": api(CREATE),
    "GET api/style/<uuid:pk>/": api(VIEW),
    "PATCH api/style/<uuid:pk>/": api(CHANGE),
    "DELETE api/style/<uuid:pk>/": api(OWN),
    "POST api/style/<uuid:pk>/cancel/": api(CHANGE),
    "POST api/style/<uuid:pk>/retry/": api(CHANGE),
    "POST api/style/<uuid:pk>/again/": api(CHANGE),
    "GET api/style/<uuid:pk>/result/": api(VIEW),
    "GET api/style/<uuid:pk>/preview/": api(VIEW),
    "GET api/style/<uuid:pk>/thumbnail/": api(VIEW),
    "GET api/styles/": api(SIGNED_IN),
    "POST api/styles/": api(CREATE),
    "GET api/styles/<uuid:pk>/": api(VIEW),
    "PATCH api/styles/<uuid:pk>/": api(OWN),
    "DELETE api/styles/<uuid:pk>/": api(OWN),
    "GET api/styles/<uuid:pk>/picture/": api(VIEW),
    # Their pages
    "GET styles/": SIGNED_IN,
    "GET styles/new/": CREATE,
    "POST styles/new/": CREATE,
    "GET styles/<uuid:style_id>/": VIEW,
    "GET styles/<uuid:style_id>/picture": VIEW,
    "GET styles/<uuid:style_id>/thumbnail": VIEW,
    "POST styles/<uuid:style_id>/change/": OWN,
    "POST styles/<uuid:style_id>/share/": OWN,
    "POST styles/<uuid:style_id>/delete/": OWN,
    "GET styles/create/": CREATE,
    "POST styles/create/": CREATE,
    "POST styles/preview/": CREATE,
    "GET styles/example/": CREATE,
    "GET styles/results/": SIGNED_IN,
    "POST styles/results/delete/": SIGNED_IN,  # those of the named ones that one may
    "GET styles/results/<uuid:restyling_id>/": VIEW,
    "GET styles/results/<uuid:restyling_id>/card/": VIEW,
    "GET styles/results/<uuid:restyling_id>/state/": VIEW,
    "GET styles/results/<uuid:restyling_id>/picture": VIEW,
    "GET styles/results/<uuid:restyling_id>/before": VIEW,
    "GET styles/results/<uuid:restyling_id>/thumbnail": VIEW,
    "GET styles/results/<uuid:restyling_id>/live": VIEW,
    "POST styles/results/<uuid:restyling_id>/cancel/": CHANGE,
    "POST styles/results/<uuid:restyling_id>/retry/": CHANGE,
    "POST styles/results/<uuid:restyling_id>/rename/": CHANGE,
    "POST styles/results/<uuid:restyling_id>/share/": OWN,
    "POST styles/results/<uuid:restyling_id>/delete/": OWN,
    # Running the installation
    "GET healthz": PUBLIC,
    "GET readyz": PUBLIC,
    "GET metrics": PUBLIC,  # from this very machine, as here; from elsewhere with its token
    "GET api/schema/": api(SIGNED_IN),
    "GET api/docs/": SIGNED_IN,
    "GET admin/": "door door door door door door ok",
    "GET admin/login/": "door 403 403 403 403 403 403",  # who is in already has no business there
    "GET audit/": ADMINISTER,
    "GET audit/export.csv": ADMINISTER,
    "GET api/audit/": api(ADMINISTER),
    "GET cameras/": ADMINISTER,
    "GET cameras/<int:camera_id>/delete/": ADMINISTER,
    "GET cameras/<int:camera_id>/edit/": ADMINISTER,
    "GET cameras/<int:camera_id>/regions/": ADMINISTER,
    "GET cameras/export.yaml": ADMINISTER,
    "GET cameras/import/": ADMINISTER,
    "GET cameras/new/": ADMINISTER,
    "POST cameras/<int:camera_id>/delete/": ADMINISTER,
    "POST cameras/<int:camera_id>/edit/": ADMINISTER,
    "POST cameras/<int:camera_id>/regions/": ADMINISTER,
    "POST cameras/<int:camera_id>/switch/": ADMINISTER,
    "POST cameras/areas/": ADMINISTER,
    "POST cameras/areas/<int:area_id>/": ADMINISTER,
    "POST cameras/areas/<int:area_id>/delete/": ADMINISTER,
    "POST cameras/import/": ADMINISTER,
    "POST cameras/import/check/": ADMINISTER,
    "POST cameras/new/": ADMINISTER,
    "POST cameras/test/": ADMINISTER,
    "GET live/": SIGNED_IN,
    "GET live/cameras/": SIGNED_IN,
    "GET live/people/": CREATE,
    "GET live/<int:camera_id>/people/": "door 404 403 ok 404 404 ok",
    "GET live/<int:camera_id>/": WATCH,
    "GET live/<int:camera_id>/setup/": WATCH,
    "GET live/<int:camera_id>/counts/": WATCH,
    "GET webcam/": CREATE,
    "GET workers/": ADMINISTER,
    "GET api/workers/": api(ADMINISTER),
    "GET storage/": ADMINISTER,
    "GET storage/preview/": ADMINISTER,
    "POST storage/retention/": ADMINISTER,
    "POST storage/cleanup/": ADMINISTER,
    "GET storage/run/": ADMINISTER,
    "GET api/storage/": api(SIGNED_IN),  # one's own share of it
    "GET api/storage/retention/": api(ADMINISTER),
    "PATCH api/storage/retention/": api(ADMINISTER),
}

# Function views that take any method.
ANY_METHOD = {"admin/": {"GET"}, "admin/login/": {"GET"}, "healthz": {"GET"}, "readyz": {"GET"}}
# Whose id an address takes, where it is not a session's; the first that fits counts.
ROWS = (
    ("api/jobs/", "job"),
    ("videos/", "video"),
    ("api/videos/", "video"),
    ("api/events/", "event"),
    ("api/people/import/", "job_id"),
    ("api/people/erasures/", "report_id"),
    ("api/people/", "person_id"),
    ("api/reviews/", "review_id"),
    ("api/style/", "restyling_id"),
    ("api/styles/", "style_id"),
    ("api/visitors/", "visitor_id"),
    ("api/visits/", "visit_id"),
    ("api/areas/", "area_id"),
    ("api/cameras/", "camera_id"),
)
DOORS = ("/accounts/login/?", "/admin/login/?")
LET_IN = {*range(200, 400), 400, 409, 410, 422, 503}


@dataclass
class Scene:
    """Everybody, and what they may or may not reach."""

    people: dict[str, Any]
    values: dict[str, str]

    def path(self, route: str) -> str:
        """The address of a route: of the owner's session, video, job and token."""
        row = next((name for prefix, name in ROWS if route.startswith(prefix)), "session_id")
        values = {**self.values, "pk": self.values[row]}
        if row == "video":
            values["session_id"] = self.values["video"]
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values.get(found[1], "1"), route)


@pytest.fixture
def scene() -> Scene:
    people = {
        "viewer": make_user("vera", "viewer"),
        "member": make_user("mona", "viewer"),
        "colleague": make_user("carl", "operator"),
        "operator": make_user("otto", "operator"),
        "owner": make_user("olga", "operator"),
        "administrator": make_user("anna", "administrator"),
    }
    people["administrator"].is_staff = True
    people["administrator"].save()
    group = Group.objects.create(name="Night shift")
    group.user_set.set([people["member"], people["colleague"]])
    session = make_session(people["owner"], name="loading bay")
    video = make_video_session(people["owner"], name="loading bay.mp4", activity=False)
    # The number that stands in every address: of its first track, and of what happened.
    Event.objects.filter(analysis=video.pk).update(number=1)
    DetectionSession.objects.filter(pk=video.pk).update(shared_with=group)
    job = Job.objects.create(kind="detector.detect", owner=people["owner"], state="done")
    DetectionSession.objects.filter(pk=session.pk).update(shared_with=group, job=job)
    token, _ = AuthToken.objects.create(user=people["owner"])
    TokenDetails.objects.get_or_create(token=token, defaults={"name": "Door", "scope": "write"})
    values = {"session_id": str(session.pk), "job": str(job.pk), "video": str(video.pk)}
    values |= {"key": token.token_key, "form": "json", "table": "classes", "uidb36": "1"}
    area = Area.objects.create(name="Yard")
    camera = Camera.objects.create(name="Gate", area=area, address="loop:gone.mp4")
    camera.groups.add(group)
    values |= {"camera_id": str(camera.pk), "area_id": str(area.pk)}
    event = CameraEvent.objects.create(
        camera=camera, sequence=1, kind="entry", start=timezone.now()
    )
    event.picture.save("event.jpg", ContentFile(picture()))
    values["event"] = str(event.pk)
    values |= make_people(people["owner"])
    values |= make_styles(people["owner"], group)
    visit = Visit.objects.create(area=area, profile_id=values["person_id"])
    values["visit_id"] = str(visit.pk)
    values["visitor_id"] = str(Visitor.objects.create(area=area, number=1).pk)
    # The newest picture is there: nobody is to wait for one.
    write_preview(f"camera:{camera.pk}:large", Preview(int(time.time() * 1000), picture()))
    return Scene(people, values)


def make_styles(owner: Any, group: Group) -> dict[str, str]:
    """A style and a painting in it that are shared with the group, the painting done."""
    style = add_style(owner=owner, data=picture(), file_name="waves.jpg")
    restyling = restyle_picture(
        owner=owner,
        data=picture(),
        file_name="harbour.jpg",
        style=style,
        options=RestyleOptions(size=64),
    )
    files = {}
    for name in ("result", "thumbnail"):
        made = DerivedFile(upload=restyling.upload, media_type="image/jpeg", size=len(picture()))
        made.file.save(f"{name}.jpg", ContentFile(picture()))
        files[name] = made
    Style.objects.filter(pk=style.pk).update(shared_with=group)
    Restyling.objects.filter(pk=restyling.pk).update(shared_with=group, **files)
    Job.objects.filter(pk=restyling.job_id).update(state="done")
    return {"style_id": str(style.pk), "restyling_id": str(restyling.pk)}


def make_people(owner: Any) -> dict[str, str]:
    """Somebody who is known, who was two until lately, and all that can be reached of them."""
    ada, countess = make_person("Ada", 1), make_person("Countess", 2)
    merge = merge_profiles(actor=None, target=ada, source=countess)
    review = open_review(
        origin="picture",
        origin_id="",
        place="lobby.jpg",
        embedding=face_of(1, distance=0.55),
        model=EMBEDDER,
        crop=CROP,
        quality=QUALITY,
        match=Match("uncertain", ada.pk, 0.55, 0.7, None, None),
        asked_by=owner,
    )
    job = Job.objects.create(kind="recognition.import", owner=owner, state="running")
    report = ErasureReport.objects.create(subject=countess.pk, reason="request")
    return {
        "person_id": str(ada.pk),
        "sample_id": str(ada.samples.order_by("created_at")[0].pk),
        "merge_id": str(merge.pk),
        "review_id": str(review.pk),
        "job_id": str(job.pk),
        "report_id": str(report.pk),
    }


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("person", PEOPLE)
def test_everybody_may_do_what_the_table_says_and_nothing_else(scene: Scene, person: str) -> None:
    column = PEOPLE.index(person)
    client = Client()
    if person != "nobody":
        client.force_login(scene.people[person])
    wrong = []
    for address, row in MATRIX.items():
        method, route = address.split(" ", 1)
        expected = row.split()[column]
        found = ask(client.cookies.copy(), method, scene.path(route))
        if found != expected:
            wrong.append(f"{address}: {found} instead of {expected}")
    assert not wrong, "\n".join(wrong)


def ask(cookies: Any, method: str, path: str) -> str:
    """What somebody gets; whatever they bring about is undone."""
    cache.clear()
    client = Client(raise_request_exception=False)
    client.cookies = cookies
    before = transaction.savepoint()
    try:
        response = client.generic(method, path, content_type="application/json")
        assert not connection.needs_rollback
    finally:
        transaction.savepoint_rollback(before)
    if response.status_code == 302 and response["Location"].startswith(DOORS):
        return "door"
    return "ok" if response.status_code in LET_IN else str(response.status_code)


def test_every_address_is_in_the_table(scene: Scene) -> None:
    known = set(all_addresses(scene))
    missing, gone = sorted(known - set(MATRIX)), sorted(set(MATRIX) - known)
    assert not missing, "Say in MATRIX who may do this:\n" + "\n".join(missing)
    assert not gone, "These are in MATRIX, but nowhere else:\n" + "\n".join(gone)


def all_addresses(scene: Scene) -> Iterator[str]:
    """Each method and route of the project, but of the admin's only its first page."""
    for route, pattern in walk(get_resolver().url_patterns):
        if not route.startswith("admin/") or route in ("admin/", "admin/login/"):
            for method in methods_of(pattern, route, scene):
                yield f"{method} {route}"


def walk(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + plain(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, route)
        else:
            yield route, pattern


def plain(pattern: str) -> str:
    """A regular expression as a route: "^a/(?P<key>[^/]+)/$" is "a/<key>/"."""
    return re.sub(r"\(\?P(<\w+>)[^()]*\)", r"\1", pattern).removeprefix("^").removesuffix("$")


def methods_of(pattern: URLPattern, route: str, scene: Scene) -> set[str]:
    view: Any = pattern.callback
    if getattr(view, "actions", None):
        names = set(view.actions)
    elif cls := getattr(view, "cls", None) or getattr(view, "view_class", None):
        names = {name for name in cls.http_method_names if hasattr(cls, name)}
        if getattr(cls, "put", None) is ProcessFormView.put:  # another word for POST
            names.discard("put")
    elif route in ANY_METHOD:
        names = ANY_METHOD[route]
    else:
        # A function tells what it takes when it is asked for what nobody takes.
        response = Client().generic("TRACE", scene.path(route))
        assert response.status_code == 405, f"{route} takes any method"
        names = set(response["Allow"].split(", "))
    return {name.upper() for name in names} - {"HEAD", "OPTIONS"}


def test_the_table_would_notice_a_new_address(scene: Scene, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.integration.common.more_urls"
    assert set(all_addresses(scene)) - set(MATRIX) == {"GET new/", "PUT new/<int:number>/"}


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("person", ["nobody", "viewer"])
def test_where_detection_is_open_strangers_and_viewers_leave_nothing(
    scene: Scene, settings: Any, person: str
) -> None:
    settings.SIGHTLINE_OPEN_DETECT = True
    client = Client()
    if person != "nobody":
        client.force_login(scene.people[person])
    answer = client.post("/api/detect/", {"image": SimpleUploadedFile("a.jpg", picture())})
    assert (answer.status_code, answer.json()["session"]) == (200, None)
    assert DetectionSession.objects.count() == 2
