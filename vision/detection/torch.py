"""PyTorch: half precision and batches on CUDA, float32 on the processor."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vision.detection.candidates import (
    PER_ANCHOR_FEATURES,
    PER_PICTURE_MAPS,
    Candidates,
    Query,
    logit,
)
from vision.detection.protocol import NetworkInput
from vision.errors import ModelError
from vision.export.process import ultralytics_environment

__all__ = ["TorchRuntime"]

logger = logging.getLogger(__name__)


class TorchRuntime:
    """Runs a checkpoint with PyTorch.

    Candidates are chosen on the device, so that little travels back over the bus. CUDA is
    initialised in the process that makes the first runtime: never before a fork.

    Args:
        weights: A verified ``.pt`` file.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
        precision: ``"fp16"`` (CUDA) or ``"fp32"``.
        threads: Processor threads, when it runs there.
        cache_dir: ultralytics keeps its settings below it.
    """

    backend = "torch"

    def __init__(
        self, weights: Path, *, device: str, precision: str, threads: int, cache_dir: Path
    ) -> None:
        self.device = device
        self.precision = precision
        self._on_gpu = device != "cpu"
        self._device = torch.device(device)
        if not self._on_gpu:
            torch.set_num_threads(threads)
        self._network = self._load(weights, cache_dir)
        self._outputs = self._network.output_names

    def forward(self, batch: Sequence[NetworkInput], *, alone: bool) -> list[Candidates]:
        """Run the network over inputs of equal size; see ``Runtime``.

        A batch that does not fit into the device's memory is run in halves.

        Raises:
            ModelError: ``out_of_memory``: not even one picture fits.
        """
        try:
            return self._infer(batch)
        except torch.cuda.OutOfMemoryError:
            logger.warning("%s has no memory for %d pictures at once", self.device, len(batch))
        # Not inside the handler: the exception holds the frames, and they hold the tensors.
        torch.cuda.empty_cache()
        if len(batch) == 1:
            raise ModelError(
                "out_of_memory", f"{self.device} has too little memory for one picture."
            )
        middle = len(batch) // 2
        halves = (batch[:middle], batch[middle:])
        return [found for half in halves for found in self.forward(half, alone=alone)]

    def _load(self, weights: Path, cache_dir: Path) -> Any:
        for name, value in ultralytics_environment(cache_dir).items():
            os.environ.setdefault(name, value)  # read by ultralytics when it is imported
        from vision.export.network import load_network

        network = load_network(weights).requires_grad_(False)
        if self.precision == "fp32":
            network.fold_scale()
        dtype = torch.float16 if self.precision == "fp16" else torch.float32
        network = network.to(self._device, dtype=dtype)
        return network.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def _infer(self, batch: Sequence[NetworkInput]) -> list[Candidates]:
        outputs = dict(zip(self._outputs, self._network(self._upload(batch)), strict=True))
        return _select(outputs, [item.query for item in batch])

    def _upload(self, batch: Sequence[NetworkInput]) -> torch.Tensor:
        if not self._on_gpu and len(batch) == 1:
            return torch.from_numpy(batch[0].pixels)[None]
        shape = (len(batch), *batch[0].pixels.shape)
        # Pinned pages are copied by the device itself; torch keeps and reuses them.
        staging = torch.empty(shape, dtype=torch.uint8, pin_memory=self._on_gpu)
        for row, item in enumerate(batch):
            staging[row] = torch.from_numpy(item.pixels)
        return staging.to(self._device, non_blocking=True)


def _select(outputs: dict[str, torch.Tensor], queries: Sequence[Query]) -> list[Candidates]:
    """Choose the candidates of a batch on the device and bring them back in one piece."""
    scores, labels = outputs["scores"], outputs["labels"]
    limits = [logit(query.confidence) for query in queries]
    chosen = scores > torch.tensor(limits, device=scores.device)[:, None]
    for row, query in enumerate(queries):
        if query.classes is not None:
            wanted = torch.tensor(query.classes, dtype=labels.dtype, device=labels.device)
            chosen[row] &= torch.isin(labels[row], wanted)
    rows, anchors = chosen.nonzero(as_tuple=True)
    names = ["boxes", *(name for name in PER_ANCHOR_FEATURES if name in outputs)]
    # float32 holds anchor and class numbers exactly: both stay far below 2 ** 24.
    whole = torch.stack((rows, anchors, labels[rows, anchors], scores[rows, anchors]), dim=1)
    parts = [whole.float(), *(outputs[name][rows, :, anchors].float() for name in names)]
    table: NDArray[np.float32] = torch.cat(parts, dim=1).cpu().numpy()
    widths = [outputs[name].shape[1] for name in names]
    edges = np.searchsorted(table[:, 0], np.arange(len(queries) + 1))
    found = []
    for row in range(len(queries)):
        part = table[edges[row] : edges[row + 1]]
        maps = PER_PICTURE_MAPS if len(part) else ()
        found.append(
            _unpack(
                part,
                dict(zip(names, widths, strict=True)),
                {name: _floats(outputs[name][row]) for name in maps if name in outputs},
            )
        )
    return found


def _unpack(
    part: NDArray[np.float32], widths: dict[str, int], maps: dict[str, NDArray[np.float32]]
) -> Candidates:
    """Take the columns of one picture's candidates apart: row, anchor, label, score, outputs."""
    columns, start = {}, 4
    for name, width in widths.items():
        columns[name] = np.ascontiguousarray(part[:, start : start + width])
        start += width
    return Candidates(
        anchors=part[:, 1].astype(np.int64),
        logits=part[:, 3],
        class_ids=part[:, 2].astype(np.int64),
        distributions=columns.pop("boxes"),
        features=columns,
        maps=maps,
    )


def _floats(tensor: torch.Tensor) -> NDArray[np.float32]:
    values: NDArray[np.float32] = tensor.float().cpu().numpy()
    return values
