"""An ultralytics checkpoint as a plain torch module with raw outputs. Imports torch."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from ultralytics.nn.tasks import torch_safe_load

from vision.errors import ModelError

__all__ = ["RawNetwork", "load_network"]

_EXTRA_OUTPUTS: dict[str, tuple[str, ...]] = {
    "detect": (),
    "segment": ("coefficients", "prototypes"),
    "pose": ("keypoints",),
}


class RawNetwork(nn.Module):
    """A YOLOv8 network without decoding: what is cheap to do for candidates only is left out.

    Input: (B, H, W, 3) uint8 BGR, H and W multiples of 32. Outputs, in the order of
    ``output_names`` (A anchors, from the finest level to the coarsest):

    - ``boxes`` (B, 4 * bins, A): logits of the distributions of the four side distances
    - ``scores`` (B, A): logit of each anchor's best class
    - ``labels`` (B, A) int32: that class
    - ``coefficients`` (B, C, A) and ``prototypes`` (B, C, H / 4, W / 4), segmentation only
    - ``keypoints`` (B, 3 * joints, A): x, y and visibility of each joint, poses only

    Args:
        model: A fused ultralytics detection, segmentation or pose model in eval mode.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.layers = model.model
        self.saved = frozenset(model.save)
        self.task = str(getattr(model, "task", "") or _task_of(model))
        if self.task not in _EXTRA_OUTPUTS:
            raise ModelError("unsupported_task", f"Networks for {self.task} are not supported.")
        # RGB weights read BGR pictures once their input channels are turned round.
        first = model.model[0].conv
        first.weight.data = first.weight.data.flip(1).contiguous()
        self.scale = 1 / 255

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return ("boxes", "scores", "labels", *_EXTRA_OUTPUTS[self.task])

    def fold_scale(self) -> None:
        """Move the division by 255 into the first weights; not for half precision."""
        self.layers[0].conv.weight.data *= self.scale
        self.scale = 1.0

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the raw outputs."""
        pixels = images.permute(0, 3, 1, 2).to(self.layers[0].conv.weight.dtype)
        if self.scale != 1.0:
            pixels = pixels * self.scale
        *features, head = self._features(pixels)
        raw = head.forward_head(features, **head.one2many)
        scores, labels = raw["scores"].max(1)
        outputs = [raw["boxes"], scores, labels.to(torch.int32)]
        if self.task == "segment":
            outputs += [raw["mask_coefficient"], head.proto(features[0])]
        elif self.task == "pose":
            outputs.append(raw["kpts"])
        return tuple(outputs)

    def _features(self, pixels: Tensor) -> list[Any]:
        """Run backbone and neck; return the feature maps and, last, the head itself."""
        kept: list[Tensor | None] = []
        current: Any = pixels

        def source(index: int) -> Any:
            return current if index == -1 else kept[index]

        for layer in self.layers[:-1]:
            origin = layer.f
            taken = source(origin) if isinstance(origin, int) else [source(i) for i in origin]
            current = layer(taken)
            kept.append(current if layer.i in self.saved else None)
        head = self.layers[-1]
        return [*(source(index) for index in head.f), head]


def load_network(weights: Path) -> RawNetwork:
    """Load a checkpoint without unpickling arbitrary code, in float32 on the processor.

    Raises:
        ModelError: ``unsupported_task``.
        TypeError: The file is no ultralytics checkpoint.
    """
    checkpoint, _ = torch_safe_load(str(weights), safe_only=True)  # type: ignore[no-untyped-call]
    model = (checkpoint.get("ema") or checkpoint["model"]).float().eval()
    return RawNetwork(model.fuse(verbose=False)).eval()


def _task_of(model: Any) -> str:
    name = type(model.model[-1]).__name__
    return {"Detect": "detect", "Segment": "segment", "Pose": "pose"}.get(name, name)
