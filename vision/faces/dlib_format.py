"""Reads dlib's face network from its own file.

dlib writes numbers so that they are the same everywhere: an integer is a byte that holds its
length (low four bits) and sign (highest bit), then its bytes, lowest first; a floating point
number is two of them, mantissa and exponent of two; a tensor is a version, four sizes, and its
floats as they are. A network is written from the loss inwards: first one version per layer down to
the input, then what each layer holds, from the input upwards.

Only one network is read, that of `dlib_face_recognition_resnet_model_v1.dat`: a residual network
of 29 convolutions. Whatever does not fit to it, to the last byte, is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.errors import ModelError

__all__ = ["BLOCKS", "FACE_SIZE", "Convolution", "FaceNetwork", "read_face_network"]

Array = NDArray[np.float32]

FACE_SIZE: Final = 150
"""Sides of the picture that the network takes."""

OUTPUTS: Final = 128

BLOCKS: Final = (
    *((32, False),) * 3,
    *((64, True), (64, False), (64, False), (64, False)),
    *((128, True), (128, False), (128, False)),
    *((256, True), (256, False), (256, False)),
    (256, True),
)
"""Residual blocks from the input upwards: filters, and whether the sides are halved."""

_MAX_INTEGER_BYTES = 8
_LAYER, _TAG, _INPUT_LAYER = 2, 1, 3  # versions, by which the kinds of layer are told apart
_POOLING = {"max": (3, 3, 2, 2, 0, 0), "avg": (2, 2, 2, 2, 0, 0), "everything": (0, 0, 1, 1, 0, 0)}


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution and the scaling after it.

    Attributes:
        weights: (filters, channels, height, width).
        bias: (filters,).
        scale: (filters,); the result is multiplied by it.
        shift: (filters,); and this is added.
        stride: Pixels.
        padding: Pixels on each side.
    """

    weights: Array
    bias: Array
    scale: Array
    shift: Array
    stride: int
    padding: int


@dataclass(frozen=True, slots=True)
class FaceNetwork:
    """The network's numbers.

    Attributes:
        mean: Of red, green and blue; subtracted before the division by 256.
        first: The convolution before the blocks.
        blocks: Two convolutions for each of `BLOCKS`.
        projection: (256, 128): from the averages to the embedding.
    """

    mean: tuple[float, float, float]
    first: Convolution
    blocks: tuple[tuple[Convolution, Convolution], ...]
    projection: Array


def read_face_network(path: Path) -> FaceNetwork:
    """Read the network.

    Raises:
        ModelError: ``bad_model_file``: the file cannot be read, or is not this network.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise _bad(path, error.strerror or str(error)) from error
    reader = _Reader(data, Path(path))
    network = _read_network(reader)
    reader.expect_end()
    return network


def _bad(path: Path, reason: str) -> ModelError:
    return ModelError("bad_model_file", f"{path.name} is not dlib's face network: {reason}.")


def _read_network(reader: _Reader) -> FaceNetwork:
    reader.expect_integers("the version", (1,))
    reader.expect_name("loss_metric_2")
    reader.floats(2)  # margin and threshold of the training
    reader.expect_integers("the layers", tuple(_expected_layers()))
    reader.expect_name("input_rgb_image_sized")
    red, green, blue = reader.floats(3)
    reader.expect_integers("the size of a face", (FACE_SIZE, FACE_SIZE))
    first = _read_convolution(reader, 3, 32, kernel=7, stride=2, is_first=True)
    _expect_layer(reader, "relu_")
    _expect_pooling(reader, "max")
    blocks = []
    channels = 32
    for filters, halves in BLOCKS:
        blocks.append(_read_block(reader, channels, filters, halves=halves))
        channels = filters
    _expect_pooling(reader, "everything")
    return FaceNetwork((red, green, blue), first, tuple(blocks), _read_projection(reader, channels))


def _expected_layers() -> Iterator[int]:
    """Yield the version of every layer, from the output to the input."""
    yield from (_LAYER, _LAYER)  # projection, average of everything
    for _, halves in reversed(BLOCKS):
        yield from (_LAYER, _LAYER)  # activation, sum
        if halves:
            yield from (_LAYER, _TAG, _TAG)  # average, and where it comes from
        yield from (_LAYER,) * 5
        yield _TAG
    yield from (_LAYER, _LAYER, _LAYER, _INPUT_LAYER)


def _read_block(
    reader: _Reader, channels: int, filters: int, *, halves: bool
) -> tuple[Convolution, Convolution]:
    first = _read_convolution(reader, channels, filters, kernel=3, stride=2 if halves else 1)
    _expect_layer(reader, "relu_")
    second = _read_convolution(reader, filters, filters, kernel=3, stride=1)
    if halves:
        _expect_pooling(reader, "avg")
    _expect_layer(reader, "add_prev_")
    _expect_layer(reader, "relu_")
    return first, second


def _read_convolution(
    reader: _Reader,
    channels: int,
    filters: int,
    *,
    kernel: int,
    stride: int,
    is_first: bool = False,
) -> Convolution:
    padding = kernel // 2 if stride == 1 else 0
    shape = (filters, channels, kernel, kernel)
    count = math.prod(shape)
    reader.expect_name("con_4")
    values = reader.tensor((count + filters, 1, 1, 1))
    reader.expect_integers(
        "a convolution", (filters, kernel, kernel, stride, stride, padding, padding)
    )
    _expect_alias(reader, shape)
    _expect_alias(reader, (1, filters, 1, 1))
    reader.floats(4)  # multipliers of the training
    _read_tail(reader)
    if is_first:
        reader.expect_integers("the input", (1,))
    reader.expect_name("affine_")
    affine = reader.tensor((2 * filters, 1, 1, 1))
    _expect_alias(reader, (1, filters, 1, 1))
    _expect_alias(reader, (1, filters, 1, 1))
    reader.expect_integers("a scaling", (0,))
    _read_tail(reader)
    return Convolution(
        values[:count].reshape(shape),
        values[count:],
        affine[:filters],
        affine[filters:],
        stride,
        padding,
    )


def _read_projection(reader: _Reader, channels: int) -> Array:
    reader.expect_name("fc_2")
    reader.expect_integers("the projection", (OUTPUTS, channels))
    values = reader.tensor((channels, OUTPUTS, 1, 1))
    _expect_alias(reader, (channels, OUTPUTS, 1, 1))
    _expect_alias(reader, (0, 0, 0, 0))
    reader.expect_integers("the projection", (1,))
    reader.floats(4)
    _read_tail(reader)
    return values.reshape(channels, OUTPUTS)


def _expect_layer(reader: _Reader, name: str) -> None:
    reader.expect_name(name)
    _read_tail(reader)


def _expect_pooling(reader: _Reader, kind: str) -> None:
    reader.expect_name("max_pool_2" if kind == "max" else "avg_pool_2")
    reader.expect_integers("a pooling", _POOLING[kind])
    _read_tail(reader)


def _expect_alias(reader: _Reader, shape: Sequence[int]) -> None:
    reader.expect_integers("the sizes of a layer", (1, *shape))


def _read_tail(reader: _Reader) -> None:
    """Read what every layer ends with: three flags, and three tensors that are empty in a file."""
    reader.flags(3)
    for _ in range(3):
        reader.tensor((0, 0, 0, 0))


class _Reader:
    """Walks through a file; anything unexpected ends the walk."""

    def __init__(self, data: bytes, path: Path) -> None:
        self._data = data
        self._path = path
        self._at = 0

    def expect_end(self) -> None:
        if self._at != len(self._data):
            raise self._error(f"{len(self._data) - self._at:,} bytes are left over")

    def expect_name(self, name: str) -> None:
        length = self._integer()
        if length != len(name) or self._take(length) != name.encode():
            raise self._error(f"{name} was expected")

    def expect_integers(self, what: str, expected: Sequence[int]) -> None:
        for value in expected:
            if self._integer() != value:
                raise self._error(f"{what} should be another")

    def floats(self, count: int) -> tuple[float, ...]:
        return tuple(self._float() for _ in range(count))

    def flags(self, count: int) -> None:
        if not set(self._take(count)) <= set(b"01"):
            raise self._error("a flag was expected")

    def tensor(self, shape: tuple[int, int, int, int]) -> Array:
        """Return the floats of a tensor that must have this shape."""
        self.expect_integers("the sizes of a tensor", (2, *shape))
        values = np.frombuffer(self._take(4 * math.prod(shape)), "<f4").astype(np.float32)
        if not np.isfinite(values).all():
            raise self._error("a number is not finite")
        return values

    def _integer(self) -> int:
        head = self._take(1)[0]
        length = head & 0x0F
        if not 0 < length <= _MAX_INTEGER_BYTES or head & 0x70:
            raise self._error("a number was expected")
        value = int.from_bytes(self._take(length), "little")
        return -value if head & 0x80 else value

    def _float(self) -> float:
        mantissa, exponent = self._integer(), self._integer()
        if abs(exponent) > 1100:
            raise self._error("a number is not finite")
        try:
            return math.ldexp(mantissa, exponent)
        except OverflowError as error:
            raise self._error("a number is not finite") from error

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) != count:
            raise self._error("it ends too early")
        self._at += count
        return taken

    def _error(self, reason: str) -> ModelError:
        return _bad(self._path, f"{reason}, near byte {self._at:,}")
