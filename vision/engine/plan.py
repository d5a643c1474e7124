"""Chooses runtime, device and precision. Imports no runtime."""

from dataclasses import dataclass
from importlib.util import find_spec

from vision.detection.hardware import available_cpus, has_bf16, has_cuda_driver
from vision.errors import ModelError

__all__ = ["Plan", "make_plan"]

_PRECISIONS = {
    "openvino": ("bf16", "fp32", "int8"),
    "onnxruntime": ("fp32",),
    "torch": ("fp16", "fp32"),
    "opencv": ("fp32",),
}
_PACKAGES = {
    "openvino": "openvino",
    "onnxruntime": "onnxruntime",
    "torch": "torch",
    "opencv": "cv2",
}
_CUDA_BATCH = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """A choice that every model of an engine shares.

    Attributes:
        backend: Runtime.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:<index>"``.
        precision: What networks compute in.
        threads: Processor threads.
        slots: Calls that may be inside the runtime at once.
        max_batch: Pictures that one call may carry.
    """

    backend: str
    device: str
    precision: str
    threads: int
    slots: int
    max_batch: int


def make_plan(
    backend: str = "auto",
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
) -> Plan:
    """Resolve every ``"auto"`` to what suits this machine.

    Raises:
        ModelError: ``unknown_backend``, ``unknown_device``, ``unknown_precision`` or
            ``backend_missing``; also for combinations that do not exist.
    """
    if threads is not None and threads < 1:
        raise ModelError("bad_threads", f"At least one thread is needed, not {threads}.")
    count = threads or available_cpus()
    device = _choose_device(backend, device)
    backend = _choose_backend(backend, device)
    precision = _choose_precision(backend, device, precision)
    on_gpu = device != "cpu"
    slots = _slots(backend, count)
    return Plan(backend, device, precision, count, slots, _CUDA_BATCH if on_gpu else 1)


def _choose_device(backend: str, device: str) -> str:
    if device == "auto":
        return "cuda" if backend in ("auto", "torch") and _cuda_works() else "cpu"
    kind, _, index = device.partition(":")
    if device != "cpu" and (kind != "cuda" or not (index.isdigit() or device == "cuda")):
        raise ModelError("unknown_device", f"There is no device {device!r}; try cpu or cuda.")
    if kind == "cuda" and backend not in ("auto", "torch"):
        raise ModelError("unknown_device", f"The {backend} backend runs on the cpu only.")
    if kind == "cuda" and not _cuda_works():
        raise ModelError("unknown_device", "No CUDA device is usable on this machine.")
    return device


def _cuda_works() -> bool:
    # torch costs seconds and half a gigabyte: it is asked only where a driver is loaded.
    if not has_cuda_driver() or find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


def _choose_backend(backend: str, device: str) -> str:
    if backend == "auto":
        order = ("torch",) if device != "cpu" else ("openvino", "onnxruntime", "torch", "opencv")
        return next(name for name in order if find_spec(_PACKAGES[name]) is not None)
    if backend not in _PACKAGES:
        raise ModelError(
            "unknown_backend",
            f"There is no backend {backend!r}; the backends are {', '.join(_PACKAGES)}.",
        )
    if find_spec(_PACKAGES[backend]) is None:
        raise ModelError("backend_missing", f"The package {_PACKAGES[backend]} is not installed.")
    return backend


def _choose_precision(backend: str, device: str, precision: str) -> str:
    if precision == "auto":
        if device != "cpu":
            return "fp16"
        return "bf16" if backend == "openvino" and has_bf16() else "fp32"
    possible = _PRECISIONS[backend]
    if precision not in possible:
        raise ModelError(
            "unknown_precision",
            f"The {backend} backend computes in {' or '.join(possible)}, not {precision!r}.",
        )
    if precision == "fp16" and device == "cpu":
        raise ModelError("unknown_precision", "fp16 needs a CUDA device.")
    return precision


def _slots(backend: str, threads: int) -> int:
    if backend != "openvino":
        return 1
    from vision.detection.openvino import stream_count

    # One more than the streams: its request is ready when a stream falls idle.
    return stream_count(threads) + 1
