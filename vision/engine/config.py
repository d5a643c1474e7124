"""How an engine is set up, and what it says about its models."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vision.weights.store import WeightsStore

__all__ = ["Batch", "EngineConfig", "ModelInfo"]


@dataclass(frozen=True, slots=True)
class Batch:
    """What the network has just computed.

    Attributes:
        model: Name of the model that computed it.
        pictures: How many pictures shared the batch.
        seconds: How long the network took.
    """

    model: str
    pictures: int
    seconds: float


@dataclass(frozen=True)
class EngineConfig:
    """Everything an engine needs to know.

    Attributes:
        cache_dir: Exported networks and the settings of ultralytics live here.
        weights: Where weights come from.
        backend: ``"auto"``, ``"openvino"``, ``"onnxruntime"``, ``"torch"`` or ``"opencv"``.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
        precision: ``"auto"``, ``"fp32"``, ``"bf16"``, ``"fp16"`` or ``"int8"``. Auto is BF16 on a
            processor that has it, FP16 on CUDA, else FP32.
        threads: Processor threads per model; None takes what affinity and container allow.
        on_batch: Told of every batch, in the thread that computed it; must be quick and not raise.
    """

    cache_dir: Path
    weights: WeightsStore
    backend: str = "auto"
    device: str = "auto"
    precision: str = "auto"
    threads: int | None = None
    on_batch: Callable[[Batch], None] | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What actually answers when a model is asked for.

    Attributes:
        model: Name of the model that answers.
        requested: Name of the model that was asked for.
        task: What that one answers; the fallback detects only.
        backend: Runtime in use.
        device: Where it runs.
        precision: What it computes in.
        classes: Class names; the position is the class id.
        fallback: Whether another model than the requested one answers.
        reason: Why, as a sentence; empty without fallback.
    """

    model: str
    requested: str
    task: Literal["detect", "segment", "pose"]
    backend: str
    device: str
    precision: str
    classes: tuple[str, ...]
    fallback: bool
    reason: str
