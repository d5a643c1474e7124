"""The page on which a picture is dropped, and what can be said of each face on it.

The picture stays in the browser. What is said of a face comes with the picture anew, so that
nothing has to be kept here until somebody says it.
"""

from __future__ import annotations

import base64
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from common.errors import ServiceError
from common.inference.faces import FoundFaces, find_faces
from recognition.errors import EnrolmentError
from recognition.forms import PersonForm
from recognition.models import FaceSample, Profile
from recognition.page_access import people_page
from recognition.person_views import read_id
from recognition.presenting import card_of
from recognition.selectors import get_profile
from recognition.services.consent import current_text, record_consent
from recognition.services.enrolling import ADVICE
from recognition.services.negatives import note_not_person
from recognition.services.privacy import current_privacy
from recognition.services.profiles import create_profile
from recognition.services.recognising import Guess, RecognisedFace, recognise_picture
from recognition.services.samples import add_sample
from recognition.views import answer_done, photo_context, sent_file
from vision.faces.quality import flaw_of
from vision.faces.structures import FLAWS, quality_of


@require_http_methods(["GET", "HEAD", "POST"])
@people_page
def recognise(request: HttpRequest) -> HttpResponse:
    """Say who is on a picture."""
    if request.method != "POST":
        context = {
            "allowed": current_privacy().recognise_uploads,
            "people": Profile.objects.exists(),
            "kinds": Profile.Kind.choices,
            "consent_text": current_text(),
            **photo_context(),
        }
        return render(request, "people/recognise.html", context)
    file = request.FILES.get("picture")
    name = str(file.name)[:200] if file else ""
    found = recognise_picture(actor=request.user, data=sent_file(request, "picture"), name=name)
    return JsonResponse(
        {
            "width": found.width,
            "height": found.height,
            "milliseconds": round(found.timings_ms.get("total", 0.0)),
            "faces": [_face(face, found.width, found.height) for face in found.faces],
        }
    )


def _face(face: RecognisedFace, width: int, height: int) -> dict[str, Any]:
    left, top, wide, high = face.box
    return {
        "box": [left / width, top / height, wide / width, high / height],
        "state": face.state,
        "match": _guess(face.match),
        "candidate": _guess(face.candidate),
        "runner_up": _guess(face.runner_up),
        "flaw": FLAWS.get(face.flaw, ""),
        "crop": f"data:image/jpeg;base64,{base64.b64encode(face.crop).decode()}",
        "reviews": reverse("people:reviews") if face.review is not None else "",
    }


def _guess(guess: Guess | None) -> dict[str, Any] | None:
    return None if guess is None else card_of(guess.profile) | {"confidence": guess.confidence}


@require_POST
@people_page
def deny(request: HttpRequest) -> HttpResponseBase:
    """Note that a face of a picture is not who it was taken for."""
    profile = get_profile(request.user, read_id(request, "person"), "change")
    found, index = _sent_face(request)
    note_not_person(
        actor=request.user,
        profile=profile,
        embedding=found.faces.data["embedding"][index],
        model=found.embedder,
    )
    return answer_done(f"Noted: this face is not {profile.name}.")


@require_POST
@people_page
def name_face(request: HttpRequest) -> HttpResponseBase:
    """Enrol a face of a picture: for somebody who is known, or for somebody new."""
    found, index = _sent_face(request)
    quality = quality_of(found.faces, index)
    flaw = flaw_of(found.faces, index, purpose="enrol")
    if flaw:
        raise EnrolmentError(flaw, f"{FLAWS[flaw]}: {ADVICE[flaw]}")
    with transaction.atomic():
        profile = _named(request)
        add_sample(
            actor=request.user,
            profile=profile,
            embedding=found.faces.data["embedding"][index],
            model=found.embedder,
            crop=found.crops[index],
            quality=quality.as_data(),
            source=FaceSample.Source.UPLOAD,
        )
    return answer_done(f"Enrolled: {profile.name}.", person=card_of(profile))


def _named(request: HttpRequest) -> Profile:
    if request.POST.get("person"):
        return get_profile(request.user, read_id(request, "person"), "change")
    form = PersonForm(request.POST)
    if not form.is_valid():
        wrong = form.errors_by_field()
        raise ServiceError("invalid", next(iter(wrong.values())), fields=wrong)
    profile = create_profile(actor=request.user, **form.values())
    if request.POST.get("consent") == "true":
        record_consent(actor=request.user, profile=profile)
    return profile


def _sent_face(request: HttpRequest) -> tuple[FoundFaces, int]:
    found = find_faces(sent_file(request, "picture"), crops=True)
    text = request.POST.get("face", "")
    index = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else -1
    if not 0 <= index < len(found.faces):
        raise ServiceError("no_face", "This face cannot be found on the picture again.", status=422)
    return found, index
