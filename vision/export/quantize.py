"""INT8 by post-training quantisation with NNCF, calibrated on pictures of the user's own."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.detection.hardware import has_vnni
from vision.detection.letterbox import plan_letterbox
from vision.errors import ModelError
from vision.export.artifact import Artifact, Exports
from vision.weights.cards import WeightsCard

__all__ = ["MAX_PICTURES", "MIN_PICTURES", "quantize"]

MIN_PICTURES = 16
"""Fewer pictures do not show what ranges the network's activations take."""

MAX_PICTURES = 300
"""More pictures change nothing but the time it takes."""

_FLOAT_BLOCKS = ("/layers.0/", "/layers.1/", "/layers.2/")

OnProgress = Callable[[int, int | None], None]
"""Called with (pictures measured, pictures in all or None while that is unknown)."""


def quantize(
    card: WeightsCard,
    weights_path: Path,
    pictures: Iterable[NDArray[np.uint8]],
    cache_dir: Path,
    on_progress: OnProgress | None = None,
) -> Artifact:
    """Make the INT8 network of a card; it then serves every bucket.

    The graph is free of shapes, so each picture is measured in its own bucket, and what was
    measured holds for all of them. Kept in float: the last convolutions of every head, because
    box and class logits need a finer grid than eight bits, and the first blocks, whose few
    channels cost little time and spread their error over everything behind them.

    Args:
        card: What the weights are.
        weights_path: A verified ``.pt`` file.
        pictures: (H, W, 3) uint8 BGR, like those the network will see; at least
            ``MIN_PICTURES``, and the first ``MAX_PICTURES`` are used.
        cache_dir: The engine's cache directory.
        on_progress: Told about every picture.

    Raises:
        ModelError: ``too_few_pictures``, ``unsupported_task`` or ``export_failed``.
    """
    if card.task not in ("detect", "segment"):
        raise ModelError("unsupported_task", f"{card.name} cannot be quantised.")
    inputs = list(_letterboxed(pictures, card.input_size))
    if len(inputs) < MIN_PICTURES:
        raise ModelError(
            "too_few_pictures",
            f"Quantisation needs at least {MIN_PICTURES} pictures; {len(inputs)} were given.",
        )
    exports = Exports(cache_dir)
    network = exports.network(card, weights_path)

    def build(folder: Path) -> None:
        _write_int8(network.path, inputs, folder / "network.xml", on_progress)

    return exports.store_quantized(card, weights_path, build)


def _letterboxed(
    pictures: Iterable[NDArray[np.uint8]], input_size: int
) -> Iterator[NDArray[np.uint8]]:
    for count, picture in enumerate(pictures):
        if count == MAX_PICTURES:
            return
        plan = plan_letterbox(picture.shape[0], picture.shape[1], input_size)
        pixels = np.empty((1, *plan.bucket, 3), dtype=np.uint8)
        plan.apply(picture, pixels[0])
        yield pixels


def _write_int8(
    source: Path,
    inputs: list[NDArray[np.uint8]],
    target: Path,
    on_progress: OnProgress | None,
) -> None:
    # Heavy, and torch comes with it: imported only where a network is quantised.
    import nncf
    import openvino as ov

    # convert_model and not read_model: it fuses x * sigmoid(x) into Swish, without which NNCF
    # quantises the inside of every activation and the network is a fifth slower.
    network = ov.convert_model(source)
    done = 0

    def watched(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        nonlocal done
        done += 1
        if on_progress is not None:
            # NNCF goes through the pictures several times; the count never exceeds the total.
            on_progress(min(done, len(inputs)), len(inputs))
        return pixels

    quantized = nncf.quantize(
        network,
        nncf.Dataset(inputs, watched),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(inputs),
        # The thorough bias correction takes three times as long and removes a quarter of the error.
        fast_bias_correction=False,
        ignored_scope=nncf.IgnoredScope(
            names=_output_convolutions(network) + _first_convolutions(network)
        ),
        advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=_overflow_fix()),
    )
    ov.save_model(quantized, target, compress_to_fp16=False)


def _overflow_fix() -> Any:
    """Return whether weights must be halved: without VNNI, sums of two products saturate."""
    from nncf.quantization.advanced_parameters import OverflowFix

    return OverflowFix.DISABLE if has_vnni() else OverflowFix.ENABLE


def _first_convolutions(network: Any) -> list[str]:
    """Return the convolutions of the network's first blocks, by the exporter's names."""
    return [
        operation.get_friendly_name()
        for operation in network.get_ordered_ops()
        if operation.get_type_name() == "Convolution"
        and operation.get_friendly_name().startswith(_FLOAT_BLOCKS)
    ]


def _output_convolutions(network: Any) -> list[str]:
    """Return the convolutions whose result is an output: no activation follows, only a reshape."""
    names = []
    for operation in network.get_ordered_ops():
        if operation.get_type_name() != "Convolution":
            continue
        following = [port.get_node() for port in operation.output(0).get_target_inputs()]
        biases = [node for node in following if node.get_type_name() == "Add"]
        after = [
            port.get_node().get_type_name()
            for node in biases
            for port in node.output(0).get_target_inputs()
        ]
        if after and set(after) <= {"Reshape", "ShapeOf"}:
            names.append(operation.get_friendly_name())
    return names
