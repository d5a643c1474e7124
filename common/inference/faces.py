"""Finding faces: with this process's engine, or by asking the workers; one function for both."""

import time
from dataclasses import dataclass

import supervision as sv

from common.inference.local import look_for_faces
from common.inference.messages import FaceQuery
from common.inference.remote import ask_workers
from common.inference.where import needs_engine
from common.uploads.errors import UploadRejected
from common.uploads.services import decoded_picture, picture_limits
from vision.errors import PictureError
from vision.sources.pictures import inspect_picture
from vision.structures import Priority


@dataclass(frozen=True)
class FoundFaces:
    """The faces of one picture.

    Attributes:
        faces: Largest first, with the columns that `vision.faces.structures` names, embeddings
            included; ``metadata`` names ``model`` and ``embedder`` and has ``timings_ms``.
        crops: A JPEG of each face, 150 x 150, where they were asked for.
        width: Pixels, after the EXIF rotation.
        height: Pixels, after the EXIF rotation.
        decode_ms: Milliseconds from the file to its pixels.
        worked_ms: Milliseconds from the file to the answer, decoding and the way to a worker
            included.
    """

    faces: sv.Detections
    crops: list[bytes]
    width: int
    height: int
    decode_ms: float
    worked_ms: float

    @property
    def embedder(self) -> str:
        """Name of the network that made the embeddings; only those of one name compare."""
        return str(self.faces.metadata.get("embedder", ""))


def find_faces(data: bytes, *, crops: bool = False, here: bool | None = None) -> FoundFaces:
    """Find the faces in a picture file.

    Both ways judge the file by its header before anything is decoded, and give the same.

    Args:
        data: The file as it came.
        crops: Whether a JPEG of each face is wanted, too.
        here: Whether this process's engine answers; by default as the installation is set up.
            Jobs, which run where an engine is, say True; others' pictures go before theirs.

    Raises:
        UploadRejected: The file is no picture, damaged, or larger than is accepted.
        InferenceUnavailable: No worker can answer just now.
        VisionError: The engine cannot answer.
    """
    began = time.perf_counter()
    query = FaceQuery(crops=crops)
    try:
        info = inspect_picture(data, picture_limits())
        if needs_engine() if here is None else here:
            with decoded_picture(data) as picture:
                decode_ms = _milliseconds_since(began)
                priority = Priority.BATCH if here else Priority.INTERACTIVE
                faces, cut = look_for_faces(picture, query, priority=priority)
        else:
            reply, _ = ask_workers(data, query).wait()
            faces, cut, decode_ms = reply.detections, reply.crops, reply.decode_ms
    except PictureError as error:
        raise UploadRejected(error.code, error.message) from error
    return FoundFaces(
        faces, list(cut), info.width, info.height, decode_ms, _milliseconds_since(began)
    )


def _milliseconds_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000.0
