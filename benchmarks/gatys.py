"""Painting by optimisation, against the algorithm of PyTorch's tutorial on neural transfer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.material import Material, Picture
from benchmarks.report import Section
from benchmarks.timing import measure_interleaved, ratio
from vision.detection.hardware import available_cpus
from vision.errors import VisionError
from vision.style import GatysConfig, GatysOptions, create_gatys
from vision.style.features import STYLE_LAYERS, FeatureNetwork, load_weights, random_weights
from vision.style.losses import make_targets, total_loss
from vision.weights import WeightsStore
from vision.weights.feature_cards import vgg19_card

TITLE = "Painting by optimisation (Gatys), 256x256, 60 steps, on the processor"
COLUMNS = ("contender", "seconds", "of the peer's time", "final loss, x 1000")
_SIDE, _STEPS, _WEIGHT = 256, 60, 100.0
_POOLS_AFTER = (1, 3, 7, 11)  # convolutions, counted from 0
_STYLE, _CONTENT = (0, 2, 4, 8, 12), 9
# The tutorial's losses are of this size: torch's L-BFGS takes very small gradients for none.
_PEER_SCALE = 1e4

Weights = list[tuple[torch.Tensor, torch.Tensor]]


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    section = Section(TITLE, COLUMNS)
    content, style = _pictures(section)
    store = WeightsStore(cache / "gatys", [material.weights_dir], allow_download=False)
    found = store.find(vgg19_card())
    weights = random_weights() if found is None else load_weights(found)
    section.notes.append(
        "VGG19's features." if found else "Seeded random features: VGG19's weights are not at hand."
    )
    options = GatysOptions(steps=_STEPS, size=_SIDE, style_weight=_WEIGHT)
    painter = create_gatys(
        GatysConfig(store, options, features="auto" if found else "random", device="cpu")
    )
    results: dict[str, Picture] = {}

    def ours() -> int:
        results["ours"] = painter.stylize(content, style).image
        return 1

    def peer() -> int:
        results["peer"] = plain(weights, content, style)
        return 1

    contenders: dict[str, Callable[[], int]] = {"peer": peer, "ours": ours}
    try:
        painter.prepare()
        rates = measure_interleaved(contenders, rounds=rounds, warmup=0)
    except VisionError as error:
        section.notes.append(f"Not measured: {error.message}")
        return section
    finally:
        painter.close()
    titles = {"peer": "the tutorial's algorithm, float32", "ours": "Sightline"}
    for name, title in titles.items():
        loss = _judge(weights, content, style, results[name])
        taken = 1 / ratio(rates[name], rates["peer"])
        section.rows.append(
            (title, f"{1 / rates[name].median:.1f}", f"{taken:.2f}", f"{1000 * loss:.1f}")
        )
    section.notes.append(
        "Same features, same losses, same start; both losses are of the finished 8-bit pictures, "
        "computed by one float32 function. Asked: at most 0.45 of the time, and no higher loss."
    )
    return section


def plain(weights: Weights, content: Picture, style: Picture) -> Picture:
    """Paint as the tutorial does: modules that keep their losses, torch's L-BFGS, float32."""
    threads = torch.get_num_threads()
    torch.set_num_threads(available_cpus())
    try:
        network, losses = _plain_network(weights, _tensor(content), _tensor(style))
        picture = _tensor(content).clone().requires_grad_(True)
        optimizer = torch.optim.LBFGS([picture])
        done = 0

        def closure() -> torch.Tensor:
            nonlocal done
            with torch.no_grad():
                picture.clamp_(0, 1)
            optimizer.zero_grad()
            network(picture)
            loss = _PEER_SCALE * sum(one.loss for one in losses)
            loss.backward()
            done += 1
            return loss

        while done < _STEPS:
            optimizer.step(closure)
        with torch.no_grad():
            picture.clamp_(0, 1)
        pixels = (picture[0].permute(1, 2, 0).detach().numpy()[:, :, ::-1] * 255).round()
        return np.ascontiguousarray(pixels.astype(np.uint8))
    finally:
        torch.set_num_threads(threads)


class _Normalization(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mean = torch.tensor((0.485, 0.456, 0.406)).view(-1, 1, 1)
        self.std = torch.tensor((0.229, 0.224, 0.225)).view(-1, 1, 1)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        return (picture - self.mean) / self.std


class _Loss(nn.Module):
    """Lets responses through, and keeps how far they, or their Gram matrix, are from a target."""

    def __init__(self, target: torch.Tensor, weight: float, *, style: bool) -> None:
        super().__init__()
        self._measure = _gram if style else torch.Tensor.clone
        self._target = self._measure(target).detach()
        self._weight = weight / float(self._target.square().mean())
        self.loss = torch.zeros(())

    def forward(self, responses: torch.Tensor) -> torch.Tensor:
        self.loss = self._weight * functional.mse_loss(self._measure(responses), self._target)
        return responses


def _gram(responses: torch.Tensor) -> torch.Tensor:
    flat = responses.view(responses.shape[1], -1)
    return flat @ flat.t() / flat.shape[1]


def _plain_network(
    weights: Weights, content: torch.Tensor, style: torch.Tensor
) -> tuple[nn.Sequential, list[_Loss]]:
    network, losses = nn.Sequential(_Normalization()), []
    for place, (kernel, bias) in enumerate(weights):
        layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
        layer.weight.data.copy_(kernel)
        layer.bias.data.copy_(bias)
        network.extend((layer, nn.ReLU()))
        with torch.no_grad():
            if place == _CONTENT:
                losses.append(_Loss(network(content), 1.0, style=False))
            elif place in _STYLE:
                share = _WEIGHT / len(STYLE_LAYERS)
                losses.append(_Loss(network(style), share, style=True))
            if place == _CONTENT or place in _STYLE:
                network.append(losses[-1])
        if place in _POOLS_AFTER:
            network.append(nn.AvgPool2d(2))
    return network.eval().requires_grad_(False), losses


def _judge(weights: Weights, content: Picture, style: Picture, result: Picture) -> float:
    network = FeatureNetwork(weights, device=torch.device("cpu"), dtype=torch.float32)
    with torch.no_grad():
        targets = make_targets(network(_tensor(content)), network(_tensor(style)))
        return float(total_loss(network(_tensor(result)), targets, _WEIGHT))


def _tensor(picture: Picture) -> torch.Tensor:
    colours = np.ascontiguousarray(picture[:, :, ::-1], np.float32) / np.float32(255)
    return torch.from_numpy(colours).permute(2, 0, 1)[None].contiguous()


def _pictures(section: Section) -> tuple[Picture, Picture]:
    data = os.environ.get("SIGHTLINE_TEST_DATA")
    folder = Path(data) / "styles" if data else None
    if folder is not None and folder.is_dir():
        return _square(folder / "content_stata.jpg"), _square(folder / "la_muse.jpg")
    section.notes.append("Made-up pictures: the test pictures are not at hand.")
    noise = np.random.default_rng(5)
    made = [noise.integers(0, 256, (size, size, 3), np.uint8) for size in (8, 32)]
    return tuple(cv2.resize(one, (_SIDE, _SIDE)) for one in made)  # type: ignore[return-value]


def _square(path: Path) -> Picture:
    picture = cv2.imread(str(path))
    assert picture is not None, path
    side = min(picture.shape[:2])
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    cropped = picture[top : top + side, left : left + side]
    return np.asarray(cv2.resize(cropped, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)
