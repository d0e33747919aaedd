"""The CAM++ network: what its two halves promise. The weights are random; the laws hold for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from torch import Tensor

    from adapters.campplus import CAMPlusPlus

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def network() -> CAMPlusPlus:
    from adapters.pyannote import import_quietly

    campplus = import_quietly("adapters.campplus", threads=2)
    import torch

    torch.manual_seed(0)
    return campplus.CAMPlusPlus().eval()


@pytest.fixture(scope="module")
def sound(network: CAMPlusPlus) -> Tensor:
    import torch

    return torch.randn(2, 1, 3 * 16_000, generator=torch.Generator().manual_seed(1)) / 10


@pytest.fixture(scope="module")
def frames(network: CAMPlusPlus, sound: Tensor) -> Tensor:
    import torch

    with torch.inference_mode():
        return network.forward_frames(sound)


def test_frames_come_every_20_ms_and_an_embedding_has_192_values(
    network: CAMPlusPlus, sound: Tensor, frames: Tensor
) -> None:
    assert tuple(frames.shape) == (2, 512, network.num_frames(3 * 16_000)) == (2, 512, 149)
    assert tuple(network(sound).shape) == (2, network.dimension) == (2, 192)


def test_weights_of_one_change_nothing(network: CAMPlusPlus, sound: Tensor) -> None:
    import torch

    assert torch.allclose(network(sound), network(sound, weights=torch.ones(2, 149)), atol=1e-5)


def test_pooling_under_a_mask_is_pooling_what_the_mask_leaves(network: CAMPlusPlus, frames: Tensor) -> None:
    import torch

    mask = torch.zeros(2, 149)
    mask[:, 40:90] = 1.0

    masked = network.forward_embedding(frames, mask)

    assert torch.allclose(masked, network.forward_embedding(frames[..., 40:90]), atol=1e-4)


def test_speakers_are_pooled_each_by_themselves(network: CAMPlusPlus, frames: Tensor) -> None:
    import torch

    masks = (torch.rand(2, 3, 149, generator=torch.Generator().manual_seed(2)) > 0.5).float()

    together = network.forward_embedding(frames, masks)

    assert tuple(together.shape) == (2, 3, 192)
    for speaker in range(3):
        assert torch.allclose(together[:, speaker], network.forward_embedding(frames, masks[:, speaker]), atol=1e-5)


def test_weights_of_another_rate_are_read_at_the_frames_times(network: CAMPlusPlus, frames: Tensor) -> None:
    import torch

    first_half = torch.tensor([[1.0, 0.0]] * 2)
    same = torch.zeros(2, 149)
    same[:, :75] = 1.0

    pooled = network.forward_embedding(frames, first_half)

    assert torch.allclose(pooled, network.forward_embedding(frames, same), atol=1e-5)


def test_pooling_is_pyannotes(frames: Tensor) -> None:
    import torch
    from pyannote.audio.models.blocks.pooling import StatsPool

    from adapters.campplus import mean_and_deviation

    weights = torch.rand(2, 3, 149, generator=torch.Generator().manual_seed(3))

    assert torch.allclose(mean_and_deviation(frames, weights), StatsPool()(frames, weights), atol=1e-4)


def test_a_speaker_who_never_speaks_has_a_finite_embedding(network: CAMPlusPlus, frames: Tensor) -> None:
    import torch

    assert torch.isfinite(network.forward_embedding(frames, torch.zeros(2, 149))).all()


def test_a_constant_factor_on_the_sound_changes_little(network: CAMPlusPlus, sound: Tensor) -> None:
    import torch

    similarity = torch.cosine_similarity(network(sound), network(sound * 0.3))

    assert similarity.min() > 0.999


def test_fusing_the_front_changes_no_embedding(network: CAMPlusPlus, sound: Tensor) -> None:
    import copy

    import torch

    torch.manual_seed(4)
    trained = copy.deepcopy(network)
    for name, tensor in trained.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            tensor.copy_(torch.rand_like(tensor) + 0.1)
    before = trained(sound)

    after = trained.fuse()(sound)

    assert torch.allclose(before, after, rtol=1e-3, atol=1e-3)
    assert not any(isinstance(each, torch.nn.BatchNorm2d) for each in trained.modules())
