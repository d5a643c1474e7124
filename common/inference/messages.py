"""What web processes and workers say to each other, as bytes.

MessagePack, never a pickle: who can write to Redis must not thereby run code in a worker. Both
sides name the version of these messages, so that processes of two releases that meet during an
update refuse each other in words.
"""

from dataclasses import asdict, dataclass
from typing import Any

import msgpack
import supervision as sv

from vision.encoding.wire import pack_detections, unpack_detections
from vision.errors import ModelError, PictureError, VisionError, WeightsError

VERSION = 3
# What may be wrong with a picture or a model is said again on the other side; by name, no lookup.
_ERRORS: dict[str, type[VisionError]] = {
    "picture": PictureError,
    "model": ModelError,
    "weights": WeightsError,
    "engine": VisionError,
}


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for in a picture.

    Attributes:
        model: Name of a card.
        confidence: 0..1; only objects above it are wanted.
        iou: 0..1; of two boxes of one class that overlap more, the better one stays.
        classes: Class ids to look for; None looks for all.
        masks: Whether outlines are wanted.
    """

    model: str
    confidence: float
    iou: float
    classes: tuple[int, ...] | None = None
    masks: bool = False


@dataclass(frozen=True, slots=True)
class FaceQuery:
    """Asks for the faces in a picture.

    Attributes:
        crops: Whether a JPEG of each face is wanted, too.
        confidence: 0..1; less sure ones are not wanted.
        minimum_size: Pixels; smaller ones are not wanted.
        embed: Whether their embeddings are.
    """

    crops: bool = False
    confidence: float = 0.6
    minimum_size: int = 20
    embed: bool = True


@dataclass(frozen=True, slots=True)
class StyleQuery:
    """Asks for the picture in a fast style.

    Attributes:
        network: Name of a style's card.
        longer_side: Pixels to which a larger picture is reduced first; None keeps its size.
        keep_colours: Whether only light and dark are painted.
    """

    network: str
    longer_side: int | None = None
    keep_colours: bool = False


AnyQuery = Query | FaceQuery | StyleQuery


@dataclass(frozen=True, slots=True)
class Request:
    """A picture file and what is asked about it.

    Attributes:
        data: The file as it was uploaded.
        query: What to look for: objects, or faces; or how to paint it.
        thumbnail: Whether a small JPEG of the picture is wanted, too.
    """

    data: bytes
    query: AnyQuery
    thumbnail: bool = False


@dataclass(frozen=True, slots=True)
class Painted:
    """A picture in a fast style.

    Attributes:
        jpeg: The file.
        width: Its pixels.
        height: Its pixels.
        model: Name of the card of what painted it.
    """

    jpeg: bytes
    width: int
    height: int
    model: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What was found in a picture, or what was made of it.

    Attributes:
        detections: What was found; nothing where it was to be painted.
        decode_ms: Milliseconds that decoding took.
        worked_ms: Milliseconds from taking the request to answering it, decoding included.
        thumbnail: A small JPEG of the picture, where one was asked for.
        crops: A JPEG of each face, where they were asked for.
        painted: The picture in a style, where one was asked for.
    """

    detections: sv.Detections
    decode_ms: float
    worked_ms: float
    thumbnail: bytes | None = None
    crops: tuple[bytes, ...] = ()
    painted: Painted | None = None


def pack_request(request: Request) -> bytes:
    """Return a request as bytes."""
    fields = {"data": request.data, "thumbnail": request.thumbnail}
    return _pack(fields | _fields_of(request.query))


def _fields_of(query: AnyQuery) -> dict[str, Any]:
    if isinstance(query, FaceQuery):
        return {"about": "faces", **asdict(query)}
    if isinstance(query, StyleQuery):
        return {"about": "style", **asdict(query)}
    return {
        "about": "objects",
        "model": query.model,
        "confidence": query.confidence,
        "iou": query.iou,
        "classes": query.classes,
        "masks": query.masks,
    }


def unpack_request(message: bytes) -> Request:
    """Return the request that was packed.

    Raises:
        ValueError: The bytes are no request, or one of another release.
    """
    fields = _unpack(message)
    try:
        data = fields["data"]
        if not isinstance(data, bytes):
            raise TypeError("data must be bytes")
        return Request(data, _query_in(fields), bool(fields["thumbnail"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no request: {error!r}") from error


def _query_in(fields: dict[str, Any]) -> AnyQuery:
    if fields["about"] == "faces":
        return FaceQuery(
            crops=bool(fields["crops"]),
            confidence=float(fields["confidence"]),
            minimum_size=int(fields["minimum_size"]),
            embed=bool(fields["embed"]),
        )
    if fields["about"] == "style":
        side = fields["longer_side"]
        return StyleQuery(
            network=str(fields["network"]),
            longer_side=None if side is None else int(side),
            keep_colours=bool(fields["keep_colours"]),
        )
    if fields["about"] != "objects":
        raise TypeError("it is about nothing that is known")
    classes = fields["classes"]
    return Query(
        model=str(fields["model"]),
        confidence=float(fields["confidence"]),
        iou=float(fields["iou"]),
        classes=None if classes is None else tuple(int(number) for number in classes),
        masks=bool(fields["masks"]),
    )


def pack_reply(reply: Reply) -> bytes:
    """Return an answer as bytes."""
    return _pack(
        {
            "detections": pack_detections(reply.detections),
            "decode_ms": reply.decode_ms,
            "worked_ms": reply.worked_ms,
            "thumbnail": reply.thumbnail,
            "crops": reply.crops,
            "painted": None if reply.painted is None else asdict(reply.painted),
        }
    )


def pack_error(error: VisionError) -> bytes:
    """Return why there is no answer, as bytes."""
    kinds = (kind for kind, of in _ERRORS.items() if isinstance(error, of))
    return _pack({"error": next(kinds), "code": error.code, "message": error.message})


def unpack_reply(message: bytes) -> Reply:
    """Return the answer that was packed.

    Raises:
        VisionError: What the worker raised, as the same class.
        ValueError: The bytes are no answer, or one of another release.
    """
    fields = _unpack(message)
    try:
        if "error" in fields:
            raise _ERRORS[fields["error"]](str(fields["code"]), str(fields["message"]))
        return Reply(
            detections=unpack_detections(fields["detections"]),
            decode_ms=float(fields["decode_ms"]),
            worked_ms=float(fields["worked_ms"]),
            thumbnail=fields["thumbnail"],
            crops=tuple(bytes(crop) for crop in fields["crops"]),
            painted=_painted_in(fields["painted"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no answer: {error!r}") from error


def _painted_in(fields: dict[str, Any] | None) -> Painted | None:
    if fields is None:
        return None
    return Painted(
        jpeg=bytes(fields["jpeg"]),
        width=int(fields["width"]),
        height=int(fields["height"]),
        model=str(fields["model"]),
    )


def _pack(fields: dict[str, Any]) -> bytes:
    message: bytes = msgpack.packb({"version": VERSION, **fields})
    return message


def _unpack(message: bytes) -> dict[str, Any]:
    try:
        fields = msgpack.unpackb(message)
    except msgpack.UnpackException as error:
        raise ValueError("this is no message") from error
    if not isinstance(fields, dict) or fields.get("version") != VERSION:
        raise ValueError(f"this is no message of version {VERSION}")
    return fields
