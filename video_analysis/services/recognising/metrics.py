"""What became of the frames that were worth a look at faces."""

from prometheus_client import Counter

from common.metrics.registry import registry

looks = Counter(
    "sightline_face_looks",
    "Frames of a camera that were worth a look at faces, by fate: looked, dropped or failed.",
    ["camera", "fate"],
    registry=registry,
)
