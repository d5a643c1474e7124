"""Builds a detector for a card; only the chosen runtime is imported."""

from pathlib import Path

from vision.detection.hardware import has_bf16
from vision.detection.protocol import Runtime, StagedDetector
from vision.errors import ModelError
from vision.export.artifact import Exports
from vision.weights.cards import WeightsCard

__all__ = ["FALLBACK_MODEL", "create_detector", "create_fallback"]

FALLBACK_MODEL = "opencv-fallback"


def create_detector(
    card: WeightsCard,
    weights: Path,
    *,
    exports: Exports,
    cache_dir: Path,
    backend: str,
    device: str,
    precision: str,
    threads: int,
) -> StagedDetector:
    """Return a detector for verified weights, exporting the network first where needed.

    Raises:
        ModelError: ``unsupported_task`` (from the export), ``export_failed``, ``not_quantized``
            or ``unknown_backend``.
    """
    from vision.detection.yolo import YoloDetector

    if card.task == "pose" and precision == "int8":
        # There are no quantised poses: beside INT8 detection they run in the next best float.
        precision = "bf16" if has_bf16() else "fp32"
    runtime: Runtime
    match backend:
        case "openvino":
            from vision.detection.openvino import OpenVinoRuntime

            path = _network_file(card, weights, exports, precision)
            runtime = OpenVinoRuntime(path, precision=precision, threads=threads, bf16=has_bf16())
        case "onnxruntime":
            from vision.detection.onnxruntime import OnnxRuntime

            runtime = OnnxRuntime(exports.network(card, weights).path, threads=threads)
        case "torch":
            from vision.detection.torch import TorchRuntime

            runtime = TorchRuntime(
                weights, device=device, precision=precision, threads=threads, cache_dir=cache_dir
            )
        case _:
            raise ModelError("unknown_backend", f"There is no backend {backend!r}.")
    return YoloDetector(card.name, card.classes, runtime, input_size=card.input_size)


def create_fallback() -> StagedDetector:
    """Return the detector that needs no weights."""
    from vision.detection.opencv import OpenCvDetector

    return OpenCvDetector()


def _network_file(card: WeightsCard, weights: Path, exports: Exports, precision: str) -> Path:
    if precision != "int8":
        return exports.network(card, weights).path
    artifact = exports.quantized(card, weights)
    if artifact is None:
        raise ModelError(
            "not_quantized",
            f"{card.name} has not been quantised; run `manage.py quantize --model {card.name}`.",
        )
    return artifact.path
