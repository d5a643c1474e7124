"""Results as files: JSON, COCO, YOLO labels, CSV, and the picture with everything drawn in."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import supervision as sv
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from supervision.detection.compact_mask import CompactMask

from common.uploads.names import clean_name
from common.uploads.services import decoded_picture, read_upload, require_picture
from detector.errors import DetectorError, SessionConflictError
from detector.models import DetectionSession
from detector.selectors import session_records
from detector.services.sessions import refuse_video
from vision.drawing import annotate
from vision.encoding.coco import CocoPicture, coco_dataset
from vision.encoding.csv import records_to_csv
from vision.encoding.images import encode_png
from vision.encoding.polygons import rle_to_polygons
from vision.encoding.records import ObjectRecord
from vision.encoding.yolo import yolo_classes, yolo_labels
from vision.errors import PictureError
from vision.weights.cards import CARDS

PICTURE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif")
)


@dataclass(frozen=True)
class ExportFile:
    """A file to download."""

    content: bytes
    media_type: str
    name: str


def export_session(*, session: DetectionSession, form: str) -> ExportFile:
    """Write the result of a session as a file.

    Args:
        session: A session that is done.
        form: A key of ``EXPORTS``.

    Raises:
        DetectorError: ``unknown_format``, or ``picture_missing`` when the stored file is gone.
        SessionConflictError: ``not_done`` when there is no result yet, ``is_a_video``.
        PictureRemoved: The picture is to be drawn on, and was older than pictures are kept.
    """
    writer = EXPORTS.get(form)
    if writer is None:
        message = f"The format is one of {', '.join(EXPORTS)}."
        raise DetectorError("unknown_format", message, fields={"format": message})
    refuse_video(session)
    if session.status != DetectionSession.Status.DONE:
        raise SessionConflictError("not_done", "This session has no result to download yet.")
    return writer(session)


def session_json(session: DetectionSession) -> ExportFile:
    """The result in the shape of the REST answer, with what the session was made with."""
    records = session_records(session)
    document = {
        "session": str(session.pk),
        "name": session.name,
        "created_at": session.created_at.isoformat(),
        "task": session.task,
        "requested_model": session.requested_model,
        "model": session.model,
        "backend": session.backend,
        "device": session.device,
        "precision": session.precision,
        "confidence": session.confidence,
        "iou": session.iou,
        "classes": session.classes,
        "timings_ms": session.timings_ms,
        "image": {
            "name": session.upload.name,
            "width": session.upload.width,
            "height": session.upload.height,
        },
        "detections": len(records),
        "objects": [_object_json(record) for record in records],
    }
    return _file(session, _dump(document), "application/json", ".json")


def session_coco(session: DetectionSession) -> ExportFile:
    """The result as a COCO data set of one picture."""
    records = session_records(session)
    picture = CocoPicture(session.upload.name, session.upload.width, session.upload.height, records)
    document = coco_dataset(
        [picture],
        classes=class_names(session, records),
        description=session.name,
        created=session.created_at,
    )
    return _file(session, _dump(document), "application/json", "-coco.json")


def session_yolo(session: DetectionSession) -> ExportFile:
    """A zip with ``labels/<picture>.txt`` and ``classes.txt``, as YOLO trainers read them."""
    records = session_records(session)
    labels = yolo_labels(records, width=session.upload.width, height=session.upload.height)
    label_name = f"labels/{_stem(session.upload.name)}.txt"
    # Zip knows local times only, and none before 1980.
    moment = session.created_at.timetuple()[:6]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            (label_name, labels),
            ("classes.txt", yolo_classes(class_names(session, records))),
        ):
            entry = zipfile.ZipInfo(name, date_time=moment)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    return _file(session, buffer.getvalue(), "application/zip", "-yolo.zip")


def session_csv(session: DetectionSession) -> ExportFile:
    """One row per object; cells that a spreadsheet would run as a formula are escaped."""
    text = records_to_csv(session_records(session), image=session.upload.name)
    # Spreadsheets take UTF-8 for the local code page without the mark.
    return _file(session, text.encode("utf-8-sig"), "text/csv; charset=utf-8", ".csv")


def annotated_png(session: DetectionSession) -> ExportFile:
    """The picture at full size, with boxes, masks and labels drawn in."""
    records = session_records(session)
    try:
        with decoded_picture(read_upload(upload=require_picture(session.upload))) as image:
            height, width = image.shape[:2]
            found = records_to_detections(records, width=width, height=height)
            content = encode_png(annotate(image, found))
    except (OSError, PictureError) as error:
        raise DetectorError(
            "picture_missing", "The stored picture cannot be read.", status=404
        ) from error
    return _file(session, content, "image/png", "-annotated.png")


EXPORTS: Mapping[str, Callable[[DetectionSession], ExportFile]] = {
    "json": session_json,
    "coco": session_coco,
    "yolo": session_yolo,
    "csv": session_csv,
    "png": annotated_png,
}


def file_response(file: ExportFile) -> HttpResponse:
    """Offer a file for saving, its name encoded as RFC 5987 says."""
    response = HttpResponse(file.content, content_type=file.media_type)
    disposition = content_disposition_header(as_attachment=True, filename=file.name)
    if disposition:
        response["Content-Disposition"] = disposition
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def records_to_detections(
    records: Sequence[ObjectRecord], *, width: int, height: int
) -> sv.Detections:
    """Stored objects of a picture of ``width`` x ``height`` pixels as the engine's currency."""
    if not records:
        return sv.Detections.empty()
    boxes = np.array([[r.x, r.y, r.width, r.height] for r in records], dtype=np.float32)
    boxes[:, 2:] += boxes[:, :2]
    codes = [record.mask for record in records if record.mask is not None]
    mask = None
    if len(codes) == len(records):
        mask = CompactMask.from_coco_rle(codes, boxes, (height, width))
    return sv.Detections(
        xyxy=boxes,
        mask=mask,
        confidence=np.array([record.confidence for record in records], dtype=np.float32),
        class_id=np.array([record.class_id for record in records], dtype=int),
        data={"class_name": np.array([record.class_name for record in records])},
    )


def class_names(session: DetectionSession, records: Sequence[ObjectRecord]) -> list[str]:
    """Names by class id of the model that answered."""
    card = CARDS.get(session.model)
    if card is not None:
        return list(card.classes)
    # The fallback has no card: its classes are those that it has found.
    known = {record.class_id: record.class_name for record in records}
    return [known.get(number, f"class {number}") for number in range(max(known, default=-1) + 1)]


def _object_json(record: ObjectRecord) -> dict[str, Any]:
    item: dict[str, Any] = {
        "class": record.class_name,
        "class_id": record.class_id,
        "confidence": round(record.confidence, 4),
        "bbox": [round(v, 2) for v in (record.x, record.y, record.width, record.height)],
    }
    if record.mask is not None:
        item["polygons"] = rle_to_polygons(record.mask)
        item["mask"] = record.mask
    return item


def _dump(document: Any) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False).encode()


def _file(session: DetectionSession, content: bytes, media_type: str, ending: str) -> ExportFile:
    return ExportFile(content, media_type, f"{_stem(session.name)}{ending}")


def _stem(name: str) -> str:
    cleaned = clean_name(name.replace("/", "_").replace("\\", "_"))
    path = PurePath(cleaned)
    stem = path.stem if path.suffix.lower() in PICTURE_SUFFIXES else cleaned
    return stem[:120].strip(". ") or "picture"
