"""Features and losses equal a direct computation in double precision."""

from pathlib import Path

import numpy as np
import pytest
import torch
from style_pictures import content_picture, style_picture
from torch.nn import functional

from vision.errors import ModelError
from vision.style.features import (
    CONTENT_LAYER,
    STYLE_LAYERS,
    FeatureNetwork,
    load_weights,
    random_weights,
)
from vision.style.losses import gram, make_targets, picture_loss, total_loss

CPU = torch.device("cpu")
# Where Gatys' layers lie in torchvision's VGG19, counted in its own list of layers.
PLACES = {"conv1_1": 0, "conv2_1": 5, "conv3_1": 10, "conv4_1": 19, "conv4_2": 21, "conv5_1": 28}


@pytest.fixture(scope="module")
def weights() -> list[tuple[torch.Tensor, torch.Tensor]]:
    return random_weights()


@pytest.fixture(scope="module")
def network(weights) -> FeatureNetwork:
    return FeatureNetwork(weights, device=CPU, dtype=torch.float32)


def tensor(image: np.ndarray, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    colours = np.ascontiguousarray(image[:, :, ::-1]).astype(np.float64) / 255
    return torch.from_numpy(colours).permute(2, 0, 1)[None].to(dtype)


def torchvision_responses(weights, picture: torch.Tensor) -> dict[str, torch.Tensor]:
    """The same layers, computed by torchvision's own network in double precision."""
    from torchvision.models import vgg19

    reference = vgg19(weights=None).features[:30].double()
    convolutions = [layer for layer in reference if isinstance(layer, torch.nn.Conv2d)]
    for layer, (kernel, bias) in zip(convolutions, weights, strict=True):
        layer.weight.data, layer.bias.data = kernel.double(), bias.double()
    mean = torch.tensor((0.485, 0.456, 0.406), dtype=torch.float64).view(1, 3, 1, 1)
    deviation = torch.tensor((0.229, 0.224, 0.225), dtype=torch.float64).view(1, 3, 1, 1)
    values = (picture - mean) / deviation
    found = {}
    for place, layer in enumerate(reference):
        if isinstance(layer, torch.nn.MaxPool2d):
            values = functional.avg_pool2d(values, 2)
        elif isinstance(layer, torch.nn.ReLU):
            values = functional.relu(values)
            found |= {name: values for name, at in PLACES.items() if at == place - 1}
        else:
            values = layer(values)
    return found


def direct_loss(found, content, style, style_weight: float) -> torch.Tensor:
    """The loss as the formulas say it, without any cleverness."""

    def products(values: torch.Tensor) -> torch.Tensor:
        flat = values[0].flatten(1)
        return flat @ flat.T / flat.shape[1]

    apart = ((found[CONTENT_LAYER] - content[CONTENT_LAYER]) ** 2).mean()
    loss = apart / (content[CONTENT_LAYER] ** 2).mean()
    for name in STYLE_LAYERS:
        wanted = products(style[name])
        apart = ((products(found[name]) - wanted) ** 2).mean()
        loss = loss + style_weight / len(STYLE_LAYERS) * apart / (wanted**2).mean()
    return loss


def test_responses_equal_torchvisions(network: FeatureNetwork, weights) -> None:
    ours = network(tensor(content_picture()))
    theirs = torchvision_responses(weights, tensor(content_picture(), torch.float64))
    assert set(ours) == set(PLACES) == {*STYLE_LAYERS, CONTENT_LAYER}
    for name, values in ours.items():
        wanted = theirs[name]
        torch.testing.assert_close(values.double(), wanted, rtol=1e-4, atol=1e-4)


def test_gram_matrices_equal_numpys() -> None:
    responses = torch.randn(1, 7, 5, 3, generator=torch.Generator().manual_seed(1))
    flat = responses.numpy().astype(np.float64)[0].reshape(7, 15)
    wanted = np.array([[(a * b).mean() for b in flat] for a in flat])
    np.testing.assert_allclose(gram(responses).numpy(), wanted, rtol=1e-4, atol=1e-6)
    last = responses.contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(gram(last).numpy(), wanted, rtol=1e-4, atol=1e-6)


def test_the_gradient_of_a_gram_matrix_is_right() -> None:
    generator = torch.Generator().manual_seed(2)
    responses = torch.randn(1, 5, 4, 3, generator=generator).requires_grad_(True)
    pull = torch.randn(5, 5, generator=generator)  # not symmetric: both sides must be counted
    (ours,) = torch.autograd.grad((gram(responses) * pull).sum(), responses)
    flat = responses[0].flatten(1)
    (wanted,) = torch.autograd.grad((flat @ flat.T / 12 * pull).sum(), responses)
    torch.testing.assert_close(ours, wanted)


@pytest.mark.parametrize("style_weight", [0.01, 1.0, 1000.0])
def test_loss_and_gradient_equal_a_direct_computation(
    network: FeatureNetwork, weights, style_weight: float
) -> None:
    generator = torch.Generator().manual_seed(3)
    picture = torch.rand(1, 3, 48, 64, generator=generator)
    with torch.no_grad():
        targets = make_targets(network(tensor(content_picture())), network(tensor(style_picture())))
    ours = picture.clone().requires_grad_(True)
    loss = picture_loss(network, ours, targets, style_weight)
    assert float(total_loss(network(picture), targets, style_weight)) == float(loss.detach())
    (gradient,) = torch.autograd.grad(loss, ours)

    exact = picture.double().requires_grad_(True)
    with torch.no_grad():
        content = torchvision_responses(weights, tensor(content_picture(), torch.float64))
        style = torchvision_responses(weights, tensor(style_picture(), torch.float64))
    wanted = direct_loss(torchvision_responses(weights, exact), content, style, style_weight)
    (direction,) = torch.autograd.grad(wanted, exact)

    assert float(loss.detach()) == pytest.approx(float(wanted.detach()), rel=1e-4)
    apart = (gradient.double() - direction).norm() / direction.norm()
    assert float(apart) < 1e-3


def test_a_picture_is_no_way_from_itself(network: FeatureNetwork) -> None:
    with torch.no_grad():
        responses = network(tensor(content_picture()))
        assert float(total_loss(responses, make_targets(responses, responses), 10.0)) == 0.0


def test_bfloat16_is_near_float32(weights) -> None:
    losses = []
    for dtype in (torch.float32, torch.bfloat16):
        network = FeatureNetwork(weights, device=CPU, dtype=dtype)
        with torch.no_grad():
            responses = [network(tensor(image)) for image in (content_picture(), style_picture())]
            targets = make_targets(*responses)
            assert all(matrix.dtype == torch.float32 for matrix in targets.grams.values())
            losses.append(float(total_loss(responses[0], targets, 10.0)))
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_random_weights_are_always_the_same(weights) -> None:
    again = random_weights()
    assert all(torch.equal(a[0], b[0]) for a, b in zip(weights, again, strict=True))
    assert not torch.equal(random_weights(1)[0][0], weights[0][0])
    for kernel, bias in weights:
        wanted = (2 / kernel[0].numel()) ** 0.5
        assert float(kernel.std()) == pytest.approx(wanted, rel=0.05)
        assert not bias.any()


def write_state(path: Path, weights, *, zipped: bool = True) -> None:
    state = {}
    for place, (kernel, bias) in zip(
        (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28), weights, strict=True
    ):
        state |= {f"features.{place}.weight": kernel, f"features.{place}.bias": bias}
    torch.save(state, path, _use_new_zipfile_serialization=zipped)


@pytest.mark.parametrize("zipped", [False, True], ids=["old format", "new format"])
def test_weights_are_read_from_torchvisions_file(tmp_path: Path, weights, zipped: bool) -> None:
    write_state(tmp_path / "vgg19.pth", weights, zipped=zipped)
    read = load_weights(tmp_path / "vgg19.pth")
    for (kernel, bias), (wanted, wanted_bias) in zip(read, weights, strict=True):
        assert torch.equal(kernel, wanted)
        assert torch.equal(bias, wanted_bias)


@pytest.mark.parametrize("kind", ["empty", "noise", "other network", "other shapes", "a program"])
def test_a_file_that_is_not_vgg19_is_refused(tmp_path: Path, weights, kind: str) -> None:
    path = tmp_path / "vgg19.pth"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "noise":
        path.write_bytes(bytes(range(256)) * 40)
    elif kind == "other network":
        torch.save({"weight": torch.zeros(3)}, path)
    elif kind == "a program":
        torch.save({"features.0.weight": Path("x")}, path)
    else:
        write_state(path, [(kernel[:, :, :1], bias) for kernel, bias in weights])
    with pytest.raises(ModelError) as refused:
        load_weights(path)
    assert refused.value.code == "bad_model"
    assert "vgg19.pth" in refused.value.message
