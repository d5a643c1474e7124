"""Reading the options of a request, and the video that it is about."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView

from detector.errors import DetectorError, OptionsError
from detector.models import DetectionSession
from video_analysis.selectors import get_video
from video_analysis.services.analyses import options_as_data
from video_analysis.services.options import VideoOptions, parse_video_options

LISTS = ("classes", "tasks", "styles")
PLAIN = (
    *("model", "confidence", "iou", "tracker", "every", "between", "motion_method"),
    *("minimum_area", "gate"),
)
SCALE = "pixels_per_metre"


class VideoPart(APIView):
    """Base of the views of a part of one video."""

    def video(self, request: Request, pk: Any) -> DetectionSession:
        """The video, if the caller may see it.

        Raises:
            Http404: There is none, or the caller may not see it.
        """
        return get_video(request.user, pk)


def read_video_options(data: Any, *, defaults: VideoOptions | None = None) -> VideoOptions:
    """Judge the options in a request's body, which is a form or JSON.

    Args:
        data: The body.
        defaults: Options that stand where the body names none.

    Raises:
        OptionsError: With a sentence for every field that is wrong.
    """
    if not hasattr(data, "get"):
        raise OptionsError({"body": "The body must be an object."})
    given = {name: data.get(name) for name in PLAIN if data.get(name) not in (None, "")}
    for name in LISTS:
        if name in data:
            given[name] = data.getlist(name) if hasattr(data, "getlist") else data.get(name)
    if SCALE in data:  # to leave it empty says that it is not known
        given[SCALE] = data.get(SCALE)
    if defaults is None:
        return parse_video_options(given)
    before = options_as_data(defaults)
    if _draws_masks(given) not in (None, defaults.detection.task == "segment"):
        del before["model"]  # boxes and outlines are found by models of their own
    return parse_video_options({**before, **given})


def read_video(request: Request) -> Any:
    """The file of the field ``video``.

    Raises:
        DetectorError: ``missing_video`` or ``too_many_files``.
    """
    files = request.FILES.getlist("video")
    if not files:
        message = "Send a video as multipart field video."
        raise DetectorError("missing_video", message, fields={"video": message})
    if len(files) > 1:
        message = "Send one request for each video."
        raise DetectorError("too_many_files", message, fields={"video": message})
    return files[0]


def _draws_masks(given: dict[str, Any]) -> bool | None:
    """Whether outlines are wanted; None where the request does not say."""
    styles = given.get("styles")
    if not styles:
        return None
    parts = styles if isinstance(styles, list) else [styles]
    return any("masks" in str(part).split(",") for part in parts)
