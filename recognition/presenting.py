"""How people, their faces and what is not certain are shown to those who work with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from django.urls import reverse

from recognition.models import FaceReview, FaceSample, Profile

ORDERS: Final = {
    "name": "By name",
    "last-visit": "Last visit first",
    "newest": "Newest first",
    "visits": "Most visits first",
}

QUALITY_WORDS: Final = {"size": "{:.0f} px", "sharpness": "{:.0%} sharp"}


@dataclass(frozen=True)
class Filters:
    """Which people the gallery shows, and in which order.

    Attributes:
        q: Words that name, e-mail or notes must have.
        kind: Of `Profile.Kind`, or empty for any.
        order: Of `ORDERS`.
    """

    q: str = ""
    kind: str = ""
    order: str = "name"

    @property
    def narrow(self) -> bool:
        """Whether they leave anybody out."""
        return bool(self.q or self.kind)


def read_filters(query: Mapping[str, str]) -> Filters:
    """Read the filters of an address; what makes no sense narrows nothing."""
    kind, order = query.get("kind", ""), query.get("order", "")
    return Filters(
        q=query.get("q", "").replace("\0", "").strip()[:100],
        kind=kind if kind in Profile.Kind.values else "",
        order=order if order in ORDERS else "name",
    )


def initials(name: str) -> str:
    """Return up to two letters for who has no photo."""
    words = [word for word in name.split() if word[0].isalnum()]
    chosen = words[:1] + words[1:][-1:]
    return "".join(word[0] for word in chosen).upper() or "?"


def photo_url(profile: Profile) -> str:
    """Return where the photo of a person is; empty where there is none."""
    if not profile.photo:
        return ""
    version = PurePath(str(profile.photo.name)).stem[:8]
    return f"{reverse('people:photo', args=[profile.pk])}?v={version}"


def card_of(profile: Profile) -> dict[str, Any]:
    """Return a person as scripts show them."""
    return {
        "id": str(profile.pk),
        "name": profile.name,
        "kind": profile.get_kind_display(),
        "url": reverse("people:person", args=[profile.pk]),
        "photo": photo_url(profile),
        "initials": initials(profile.name),
    }


@dataclass(frozen=True)
class ShownSample:
    """A face of a person.

    Attributes:
        url: Of the picture of it; empty where none was kept.
        source: Where it is from.
        quality: E.g. "120 px, 80% sharp".
    """

    sample: FaceSample
    url: str
    source: str
    quality: str


def shown_sample(sample: FaceSample) -> ShownSample:
    """Return how a sample is shown."""
    words = [
        text.format(float(sample.quality[name]))
        for name, text in QUALITY_WORDS.items()
        if isinstance(sample.quality.get(name), int | float)
    ]
    return ShownSample(
        sample=sample,
        url=reverse("people:sample-crop", args=[sample.pk]) if sample.crop else "",
        source=sample.get_source_display(),
        quality=", ".join(words),
    )


@dataclass(frozen=True)
class ShownReview:
    """A doubt, as a person decides it.

    Attributes:
        samples: Faces of the candidate to compare with.
        probability: 0 to 1.
    """

    review: FaceReview
    crop: str
    candidate: dict[str, Any]
    samples: list[ShownSample]
    probability: float


def shown_review(review: FaceReview, *, samples: int = 6) -> ShownReview:
    """Return how a review is shown."""
    rows = review.candidate.samples.exclude(crop="").order_by("-created_at", "id")
    return ShownReview(
        review=review,
        crop=reverse("people:review-crop", args=[review.pk]) if review.crop else "",
        candidate=card_of(review.candidate),
        samples=[shown_sample(sample) for sample in rows[:samples]],
        probability=review.probability,
    )
