"""Reads of the detector app: lists, totals, and what a result page draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Count, Q, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone

from common.permissions import Verb, get_visible_or_404, visible
from detector.filters import ORDERS, SessionFilters, filter_sessions
from detector.kinds import detail_names
from detector.models import DetectedObject, DetectionSession
from vision.drawing.palette import class_color
from vision.encoding.polygons import rle_to_polygons
from vision.encoding.records import ObjectRecord

User = AbstractBaseUser | AnonymousUser

# What is shown of a session wherever it is shown.
SHOWN = ("upload", "job", "owner", "shared_with")
TOP_CLASSES = 8
# Counting every session that was ever made would make the home page slower each day.
TOP_CLASSES_OF = 1000


def list_sessions(user: User, filters: SessionFilters | None = None) -> QuerySet[DetectionSession]:
    """Sessions that ``user`` may see, with all that is shown, newest first unless asked otherwise.

    Reading a page of it is one query; its ``count()`` is another.
    """
    filters = filters or SessionFilters()
    queryset = filter_sessions(visible(user, DetectionSession.objects.all()), filters)
    if filters.owner == "me":
        queryset = queryset.filter(owner=user.pk)
    elif filters.owner == "others":
        queryset = queryset.exclude(owner=user.pk)
    return queryset.select_related(*SHOWN, *detail_names()).order_by(*ORDERS[filters.order])


def get_session(user: User, session_id: Any, verb: Verb = "view") -> DetectionSession:
    """One session with all that is shown of it, to do ``verb`` to it.

    Raises:
        Http404: There is none, or ``user`` may not see it.
        PermissionDenied: ``user`` may see it, but not do that.
    """
    queryset = DetectionSession.objects.select_related(*SHOWN, *detail_names())
    session: DetectionSession = get_visible_or_404(user, queryset, verb=verb, pk=session_id)
    return session


def list_objects(user: User) -> QuerySet[DetectedObject]:
    """Objects of all sessions that ``user`` may see."""
    sessions = visible(user, DetectionSession.objects.all())
    return DetectedObject.objects.filter(session__in=sessions)


def home_totals(user: User) -> dict[str, Any]:
    """Totals for the home page, in two queries.

    Returns:
        ``sessions`` and ``objects`` in all, ``pictures_today`` (sessions made since midnight), and
        ``top_classes``: up to eight ``{"name", "count"}`` over the newest 1,000 sessions.
    """
    sessions = visible(user, DetectionSession.objects.all())
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    totals = sessions.aggregate(
        sessions=Count("pk"),
        objects=Sum("object_count", default=0),
        pictures_today=Count("pk", filter=Q(created_at__gte=midnight)),
    )
    counts: Counter[str] = Counter()
    recent = sessions.order_by(*ORDERS["newest"]).values_list("class_counts", flat=True)
    for class_counts in recent[:TOP_CLASSES_OF]:
        counts.update(class_counts)
    top = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:TOP_CLASSES]
    return {**totals, "top_classes": [{"name": name, "count": count} for name, count in top]}


def session_records(session: DetectionSession) -> list[ObjectRecord]:
    """The stored objects of a session in the engine's own form, strongest first."""
    rows = session.detected_objects.order_by("index").values_list(
        *("class_id", "class_name", "confidence", "x", "y", "width", "height", "mask")
    )
    return [ObjectRecord(*row) for row in rows.iterator(chunk_size=500)]


def session_overlay(session: DetectionSession) -> dict[str, Any]:
    """All that the result page draws, ready to be embedded as JSON.

    Boxes are ``[x, y, width, height]`` and polygons flat ``[x, y, …]``, in pixels of the picture.
    """
    objects = list(_overlay_objects(session))
    counts: Counter[tuple[str, int]] = Counter(
        (item["class"], item["class_id"]) for item in objects
    )
    classes = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {
        "id": str(session.pk),
        "name": session.name,
        "width": session.upload.width,
        "height": session.upload.height,
        "picture": reverse("detector:picture", args=[session.pk]),
        "model": session.model,
        "backend": session.backend,
        "device": session.device,
        "precision": session.precision,
        "task": session.task,
        "confidence": session.confidence,
        "timings_ms": session.timings_ms,
        "objects": objects,
        "classes": [
            {"name": name, "color": class_color(class_id), "count": count}
            for (name, class_id), count in classes
        ],
    }


def _overlay_objects(session: DetectionSession) -> Iterator[dict[str, Any]]:
    for index, record in enumerate(session_records(session)):
        yield {
            "i": index,
            "class": record.class_name,
            "class_id": record.class_id,
            "color": class_color(record.class_id),
            "confidence": round(record.confidence, 4),
            "box": [
                *(round(record.x, 2), round(record.y, 2)),
                *(round(record.width, 2), round(record.height, 2)),
            ],
            "polygons": rle_to_polygons(record.mask) if record.mask else [],
        }
