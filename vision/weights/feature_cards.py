"""The card of the network whose responses tell content and style of pictures apart."""

from __future__ import annotations

from vision.weights.cards import WeightsFile

__all__ = ["VGG19_FILE", "vgg19_card"]

VGG19_FILE = "vgg19-dcbb9e9d.pth"


def vgg19_card() -> WeightsFile:
    """Return the card of torchvision's VGG19, trained on ImageNet (``IMAGENET1K_V1``).

    Torchvision says where the file is. It publishes the first digits of the hash only, as part of
    the name; together with the size they tell a broken or a wrong file.
    """
    from torchvision.models import VGG19_Weights

    return WeightsFile(
        name="vgg19",
        file=VGG19_FILE,
        url=VGG19_Weights.IMAGENET1K_V1.url,
        sha256="dcbb9e9d",
        bytes=574_673_361,
        licence="BSD-3-Clause",
    )
