"""CAM++, a speaker embedding network, as a pyannote.audio `Model`.

The network is that of "CAM++: A Fast and Efficient Network for Speaker Verification Using Context-Aware Masking"
(Wang et al., arXiv 2303.00332): a small 2-D convolution front (FCM), a densely connected TDNN whose every layer is
masked by its context (D-TDNN with CAM), statistics pooling and one dense layer. Attribute names follow the published
weights, so that their state dict loads as it is.

The forward pass is cut at the pooling: `forward_frames` (expensive, once over the audio) and `forward_embedding`
(cheap, once for every chunk and speaker). The two names are those of pyannote's own embedding models, which is why
`adapters.pyannote` can treat both alike.

This module imports torch and pyannote.audio at its top: import it inside functions only, and through
`adapters.pyannote`, which keeps their warnings from the terminal.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torchaudio.compliance.kaldi as kaldi
from pyannote.audio import Model
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

FEATURES = 80  #: mel bands
EMBEDDING = 192  #: values in an embedding
FRAME_SAMPLES = 400  #: 25 ms, the window of one feature frame
SHIFT_SAMPLES = 160  #: 10 ms between feature frames; the network halves the rate to one frame in 20 ms
CONTEXT_FRAMES = 100  #: frames (2 s) that share one context in a mask; arXiv 2303.00332, section 2.3
GROWTH = 32  #: channels that each dense layer adds
BOTTLENECK = 128  #: channels inside a dense layer


class CAMPlusPlus(Model):
    """Waveforms at 16 kHz to embeddings of 192 values, compared by cosine."""

    def __init__(self, sample_rate: int = 16_000, num_channels: int = 1) -> None:
        super().__init__(sample_rate=sample_rate, num_channels=num_channels)
        self.head = Front()
        self.xvector = DenseTDNN(self.head.channels)

    @property
    def dimension(self) -> int:
        return EMBEDDING

    def num_frames(self, num_samples: int) -> int:
        """How many frames `forward_frames` gives for so many samples."""
        features = 1 + (num_samples - FRAME_SAMPLES) // SHIFT_SAMPLES
        return (features + 1) // 2

    def forward(self, waveforms: Tensor, weights: Tensor | None = None) -> Tensor:
        """Waveforms (batch, 1, samples ≥ 720) to embeddings (batch, 192).

        `weights` (batch, frames of any rate) says how much each moment counts; (batch, speakers, frames) gives
        embeddings (batch, speakers, 192).
        """
        return self.forward_embedding(self.forward_frames(waveforms), weights)

    def forward_frames(self, waveforms: Tensor) -> Tensor:
        """Waveforms (batch, 1, samples) to frame features (batch, 512, frames), one in 20 ms."""
        return self.xvector.frames(self.head(filterbank(waveforms)))

    def forward_embedding(self, frames: Tensor, weights: Tensor | None = None) -> Tensor:
        """Pool frame features (batch, 512, frames) under weights as in `forward`."""
        if weights is None:
            return self.xvector.embed(mean_and_deviation(frames, torch.ones_like(frames[:, :1])))[:, 0]
        if weights.dim() == 2:
            return self.forward_embedding(frames, weights[:, None])[:, 0]
        if weights.shape[-1] != frames.shape[-1]:
            weights = functional.interpolate(weights, size=frames.shape[-1], mode="nearest")
        return self.xvector.embed(mean_and_deviation(frames, weights))

    def fuse(self) -> CAMPlusPlus:
        """Fold the front's normalizations into its convolutions and lay its channels last, for inference.

        The same values but for rounding, in half the front's time on a CPU. The state dict is another afterwards.
        """
        for module in list(self.head.modules()):
            if isinstance(module, nn.Sequential) and len(module) == 2 and isinstance(module[0], nn.Conv2d):
                module[0], module[1] = fuse_conv_bn_eval(module[0], module[1]), nn.Identity()
            elif isinstance(module, Front | ResidualBlock):
                module.conv1, module.bn1 = fuse_conv_bn_eval(module.conv1, module.bn1), nn.Identity()
                module.conv2, module.bn2 = fuse_conv_bn_eval(module.conv2, module.bn2), nn.Identity()
        self.head.to(memory_format=torch.channels_last)
        return self


def load(path: Path) -> CAMPlusPlus:
    """Build the network from a published state dict. Only tensors are unpickled (`weights_only`)."""
    model = CAMPlusPlus()
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return model.eval()


def filterbank(waveforms: Tensor) -> Tensor:
    """Waveforms (batch, 1, samples) to log-mel features (batch, 80, frames), less each one's mean over time."""
    features = torch.stack([kaldi.fbank(each, num_mel_bins=FEATURES, dither=0.0) for each in waveforms])
    return (features - features.mean(dim=1, keepdim=True)).transpose(1, 2)


def mean_and_deviation(frames: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean and unbiased deviation of frames (batch, d, n): (batch, speakers, 2d).

    `weights` are (batch, speakers, n). The deviation is unbiased for reliability weights, as pyannote pools;
    with weights of one it is the usual n − 1.
    A speaker without weight gets zeros.
    """
    total = weights.sum(dim=-1, keepdim=True) + 1e-8
    mean = torch.einsum("bdn,bsn->bsd", frames, weights) / total
    freedom = total - weights.square().sum(dim=-1, keepdim=True) / total + 1e-8
    # From the differences, one speaker at a time: the difference of two sums of squares loses digits in fp32.
    squares = torch.stack(
        [((frames - mean[:, s, :, None]).square() @ weights[:, s, :, None])[..., 0] for s in range(weights.shape[1])],
        dim=1,
    )
    return torch.cat([mean, (squares / freedom).sqrt()], dim=-1)


# ---------------------------------------------------------------- the 2-D front


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut; `stride` shrinks the frequency axis."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, stride=(stride, 1), padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, channels, 1, stride=(stride, 1), bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class Front(nn.Module):
    """Features (batch, 80, n) to (batch, 320, n): 32 channels over a frequency axis shrunk eightfold."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = nn.Sequential(ResidualBlock(width, 2), ResidualBlock(width, 1))
        self.layer2 = nn.Sequential(ResidualBlock(width, 2), ResidualBlock(width, 1))
        self.conv2 = nn.Conv2d(width, width, 3, stride=(2, 1), padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.channels = width * (FEATURES // 8)

    def forward(self, features: Tensor) -> Tensor:
        x = features[:, None].contiguous(memory_format=torch.channels_last)
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer2(self.layer1(x))
        x = functional.relu(self.bn2(self.conv2(x)))
        return x.flatten(1, 2)


# ---------------------------------------------------------------- the dense TDNN


class NormRelu(nn.Module):
    """Batch normalization, then ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.batchnorm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.batchnorm(x))


class ContextMask(nn.Module):
    """A convolution whose output is masked by what the whole window and its 2-second segment are like."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(BOTTLENECK, GROWTH, 3, padding=dilation, dilation=dilation, bias=False)
        self.linear1 = nn.Conv1d(BOTTLENECK, BOTTLENECK // 2, 1)
        self.linear2 = nn.Conv1d(BOTTLENECK // 2, GROWTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        segments = functional.avg_pool1d(x, CONTEXT_FRAMES, CONTEXT_FRAMES, ceil_mode=True)
        context = x.mean(dim=-1, keepdim=True) + segments
        mask = torch.sigmoid(self.linear2(functional.relu(self.linear1(context))))
        return self.linear_local(x) * mask.repeat_interleave(CONTEXT_FRAMES, dim=-1)[..., : x.shape[-1]]


class DenseLayer(nn.Module):
    """What one layer adds: all channels so far, squeezed to the bottleneck, masked, 32 new channels."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = NormRelu(channels)
        self.linear1 = nn.Conv1d(channels, BOTTLENECK, 1, bias=False)
        self.nonlinear2 = NormRelu(BOTTLENECK)
        self.cam_layer = ContextMask(dilation)

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))
        return added


class DenseBlock(nn.Module):
    """Layers that each see the channels of all before them. (batch, c, n) to (batch, c + 32 × layers, n)."""

    def __init__(self, channels: int, layers: int, dilation: int) -> None:
        super().__init__()
        for i in range(layers):
            self.add_module(f"tdnnd{i + 1}", DenseLayer(channels + i * GROWTH, dilation))
        self.channels = channels + layers * GROWTH

    def forward(self, x: Tensor) -> Tensor:
        # One buffer that the layers fill: concatenating after each layer would copy all the channels every time.
        known = x.shape[1]
        filled = x.new_empty(x.shape[0], self.channels, x.shape[2])
        filled[:, :known] = x
        for layer in self.children():
            filled[:, known : known + GROWTH] = layer(filled[:, :known])
            known += GROWTH
        return filled


class Transit(nn.Module):
    """Halve the channels after a dense block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.nonlinear = NormRelu(channels)
        self.linear = nn.Conv1d(channels, channels // 2, 1, bias=False)
        self.channels = channels // 2

    def forward(self, x: Tensor) -> Tensor:
        halved: Tensor = self.linear(self.nonlinear(x))
        return halved


class Squeeze(nn.Module):
    """The first TDNN layer: five frames to one, at half the frame rate."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, BOTTLENECK, 5, stride=2, padding=2, bias=False)
        self.nonlinear = NormRelu(BOTTLENECK)

    def forward(self, x: Tensor) -> Tensor:
        squeezed: Tensor = self.nonlinear(self.linear(x))
        return squeezed


class Dense(nn.Module):
    """The last layer: pooled statistics to the embedding."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, EMBEDDING, 1, bias=False)
        self.nonlinear = nn.Sequential()
        self.nonlinear.add_module("batchnorm", nn.BatchNorm1d(EMBEDDING, affine=False))

    def forward(self, pooled: Tensor) -> Tensor:
        """(batch, speakers, channels) to (batch, speakers, 192)."""
        embedding: Tensor = self.nonlinear(self.linear(pooled.transpose(1, 2)))
        return embedding.transpose(1, 2)


class DenseTDNN(nn.Module):
    """Three dense blocks of 12, 24 and 16 layers, the last two with every second frame (dilation 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.tdnn = Squeeze(channels)
        self.block1 = DenseBlock(BOTTLENECK, 12, dilation=1)
        self.transit1 = Transit(self.block1.channels)
        self.block2 = DenseBlock(self.transit1.channels, 24, dilation=2)
        self.transit2 = Transit(self.block2.channels)
        self.block3 = DenseBlock(self.transit2.channels, 16, dilation=2)
        self.transit3 = Transit(self.block3.channels)
        self.out_nonlinear = NormRelu(self.transit3.channels)
        self.dense = Dense(2 * self.transit3.channels)

    def frames(self, x: Tensor) -> Tensor:
        x = self.transit1(self.block1(self.tdnn(x)))
        x = self.transit2(self.block2(x))
        x = self.transit3(self.block3(x))
        frames: Tensor = self.out_nonlinear(x)
        return frames

    def embed(self, pooled: Tensor) -> Tensor:
        embedding: Tensor = self.dense(pooled)
        return embedding
