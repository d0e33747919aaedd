"""pyannote.audio's diarization pipeline with one pass of the embedding network's frame layers over the audio.

The stock `get_embeddings` runs the whole network for every chunk (ten seconds, one each second) and every speaker in
it. `TrunkOnce` runs the frame layers over consecutive windows and pools the frames under each chunk's and speaker's
mask as soon as they are there, so that only some minutes of frames are ever held. It works for every embedding with
`forward_frames` and `forward_embedding` (CAM++ in `adapters.campplus`, pyannote's WeSpeaker models). Sound is read in
stretches from the mapped scratch file.

This module imports torch and pyannote.audio at its top: import it inside functions only, and through
`adapters.pyannote`, which keeps their warnings from the terminal.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import pyannote.audio
import structlog
import torch
import yaml
from numpy.typing import NDArray
from pyannote.audio import Model
from pyannote.audio.core.pipeline import expand_subfolders
from pyannote.audio.core.plda import PLDA
from pyannote.audio.pipelines import SpeakerDiarization
from pyannote.audio.pipelines.clustering import AgglomerativeClustering
from pyannote.audio.pipelines.utils import get_model, get_plda
from pyannote.audio.utils.hf_hub import AssetFileName, download_from_hf_hub
from pyannote.core import SlidingWindow, SlidingWindowFeature
from torch import Tensor
from torch.nn import functional

from adapters import agglomeration, gpu
from adapters.waveform import floats
from transcription.ports import SAMPLE_RATE, Waveform

WINDOW_SECONDS = 10  #: the frame layers keep this much of a window, as long as the chunks of the stock loop
CONTEXT_SECONDS = 1  #: seen on each side of a window, not kept
WINDOWS_AT_ONCE = 8
CHUNKS_AT_ONCE = 16  #: chunks pooled together
#: Features are kept for another attempt after so many chunks, one a second: under 5 minutes of sound.
STRETCH_CHUNKS = 256

Hook = Callable[..., None]
_T = TypeVar("_T")

log = structlog.get_logger()


class Shelf(Protocol):
    """Keeps the features of stretches for another attempt."""

    def recall(self, step: str, begin: int, end: int, *, of: int) -> NDArray[Any] | None: ...

    def keep(self, step: str, begin: int, end: int, features: NDArray[Any]) -> None: ...


class NoPLDA(PLDA):
    """Stands where the pipeline wants a PLDA that only VBx clustering would use; the real one is asked of the hub."""

    def __init__(self) -> None:
        pass


class BlockwiseClustering(AgglomerativeClustering):
    """pyannote's agglomerative clustering by centroids, in bounded memory."""

    def __call__(self, embeddings: NDArray[np.float32], segmentations: Any = None, **bounds: Any) -> Any:
        trained, _, _ = self.filter_embeddings(embeddings, segmentations=segmentations)
        if len(trained):
            return super().__call__(embeddings, segmentations=segmentations, **bounds)
        # Nobody speaks alone for two seconds in any chunk: one voice, so that the little there is has a turn.
        chunks, speakers, _ = embeddings.shape
        heard = embeddings[segmentations.data.any(axis=1)]
        centroid = np.nan_to_num(heard).mean(axis=0, keepdims=True)
        return np.zeros((chunks, speakers), dtype=np.int64), np.ones((chunks, speakers, 1)), centroid

    def cluster(
        self,
        embeddings: NDArray[np.float32],
        min_clusters: int | None = None,
        max_clusters: int | None = None,
        num_clusters: int | None = None,
    ) -> NDArray[np.int64]:
        return agglomeration.cluster(
            embeddings,
            threshold=self.threshold,
            min_size=self.min_cluster_size,
            bounds=agglomeration.Bounds(num_clusters or min_clusters or 1, num_clusters or max_clusters),
        )


class TrunkOnce(SpeakerDiarization):
    """The pipeline over a mapped waveform: call `apply({"uri": …, "waveform": Waveform}, …)`."""

    def __init__(
        self, segmentation: Model, embedding: Model, *, plda: PLDA, clustering: str, batch_size: int, **params: Any
    ) -> None:
        super().__init__(
            segmentation=segmentation,
            embedding=embedding,
            plda=plda,
            clustering=clustering,
            segmentation_batch_size=batch_size,
            **params,
        )
        if clustering == "AgglomerativeClustering":
            self.clustering = BlockwiseClustering(metric=self._embedding.metric)

    def described(self) -> dict[str, Any]:
        """Everything that decides about the turns, as plain values: for a fingerprint."""
        return {
            "segmentation": weights_digest(self._segmentation.model),
            "embedding": weights_digest(self._embedding.model_),
            "clustering": self.klustering,
            "plda": None if isinstance(self._plda, NoPLDA) else hashlib.sha256(self._plda.phi.tobytes()).hexdigest(),
            "exclude_overlap": self.embedding_exclude_overlap,
            "step": self.segmentation_step,
            "parameters": self.parameters(instantiated=True),
        }

    def get_segmentations(self, file: Mapping[str, Any], hook: Hook | None = None) -> SlidingWindowFeature:
        """Local speakers in every chunk: (chunks, frames, speakers); 0 and 1 as int8 where the model has a powerset.

        The last chunk is padded with silence, as pyannote does.
        """
        waveform: Waveform = file["waveform"]
        inference = self._segmentation
        size = inference.model.audio.get_num_samples(inference.duration)
        step = round(inference.step * SAMPLE_RATE)
        count = 1 + max(0, -(-(waveform.sample_count - size) // step))
        compact = np.int8 if inference.model.specifications.powerset else np.float32
        batches = Batches("segmentation", inference.batch_size)

        def segmented(begin: int, end: int) -> NDArray[Any]:
            outputs: list[NDArray[Any]] = []
            for first in range(begin, end, inference.batch_size):
                last = min(first + inference.batch_size, end)
                sound = _samples(waveform, first * step, (last - 1) * step + size)
                chunks = sound.unfold(0, size, step)[:, None]
                outputs += [each.astype(compact) for each in batches.run(inference.infer, chunks)]
                if hook is not None:
                    hook("segmentation", None, completed=last, total=count)
            return np.concatenate(outputs)

        stretches = [each for _, each in _by_stretch("segmentation", count, segmented, file.get("shelf"), hook)]
        return SlidingWindowFeature(
            np.concatenate(stretches), SlidingWindow(start=0.0, duration=inference.duration, step=inference.step)
        )

    def get_embeddings(
        self,
        file: Mapping[str, Any],
        binary_segmentations: SlidingWindowFeature,
        exclude_overlap: bool = False,
        hook: Hook | None = None,
    ) -> NDArray[np.float32]:
        """An embedding for every chunk and local speaker: (chunks, speakers, dimension)."""
        waveform: Waveform = file["waveform"]
        grid = binary_segmentations.sliding_window
        active = binary_segmentations.data
        masks = _MaskReader(active, grid.duration, self._embedding if exclude_overlap else None)
        trunk = Trunk(self._embedding.model_, self._embedding.device)
        reel = _Reel(trunk, waveform)
        chunk_frames = round(grid.duration / trunk.frame_seconds)
        begins = [round(c * grid.step / trunk.frame_seconds) for c in range(len(active))]
        batches = Batches("pooling", CHUNKS_AT_ONCE)

        def embedded(begin: int, end: int) -> NDArray[np.float32]:
            vectors = np.empty((end - begin, active.shape[2], self._embedding.dimension), dtype=np.float32)
            done = begin
            while done < end:
                reel.wind_to(begins[done])
                while (ready := _ready(begins[:end], done, reel.beyond - chunk_frames, reel.is_at_end)) == done:
                    reel.pull()
                frames = reel.cut_out(begins[done:ready], chunk_frames)
                weights = masks.weights(done, ready, chunk_frames)
                for weight, start in zip(weights, begins[done:ready], strict=True):
                    weight[:, max(0, reel.beyond - start) :] = 0.0
                vectors[done - begin : ready - begin] = np.concatenate(batches.run(self._pool, frames, weights))
                done = ready
                if hook is not None:
                    hook("embeddings", None, completed=done, total=len(active))
            return vectors

        # Filled in place: thousands of small results kept between large passing ones would fragment the memory.
        embeddings = np.empty((len(active), active.shape[2], self._embedding.dimension), dtype=np.float32)
        for begin, vectors in _by_stretch("embeddings", len(active), embedded, file.get("shelf"), hook):
            embeddings[begin : begin + len(vectors)] = vectors
        return embeddings

    def _pool(self, frames: Tensor, weights: Tensor) -> NDArray[np.float32]:
        with torch.inference_mode():
            pooled = self._embedding.model_.forward_embedding(frames, weights.to(frames.device))
        vectors: NDArray[np.float32] = pooled.cpu().numpy()
        return vectors

    def reconstruct(
        self, segmentations: SlidingWindowFeature, hard_clusters: NDArray[np.int64], count: SlidingWindowFeature
    ) -> SlidingWindowFeature:
        """The most active voices of every frame, as many as `count` says: (frames, voices), 0 and 1.

        Chunks are added up one by one; pyannote's own first spreads all of them over all the voices (4 hours of
        ten voices: 700 MB).
        """
        frames = count.sliding_window
        voices = max(int(hard_clusters.max()) + 1, int(count.data.max()))
        activity = np.zeros((len(count.data), voices), dtype=np.float32)
        for clusters, (chunk, local) in zip(hard_clusters, segmentations, strict=True):
            begin = frames.closest_frame(chunk.start + 0.5 * frames.duration)
            stretch = activity[begin : begin + len(local)]
            for voice in np.unique(clusters[clusters >= 0]):
                stretch[:, voice] += local[: len(stretch), clusters == voice].max(axis=1)
        order = np.argsort(-activity, axis=-1, kind="stable")
        chosen = np.arange(voices) < count.data
        binary = np.zeros_like(activity)
        np.put_along_axis(binary, order, chosen.astype(np.float32), axis=-1)
        return SlidingWindowFeature(binary, frames)


class Trunk:
    """The frame layers of an embedding network, run over consecutive windows."""

    def __init__(self, model: Model, device: torch.device) -> None:
        self.model = model
        self.device = device
        # One more feature frame's overhang, so that windows give whole numbers of frames.
        self.overhang = 240
        self.window = (WINDOW_SECONDS + 2 * CONTEXT_SECONDS) * SAMPLE_RATE
        frames = model.num_frames(self.window + self.overhang)
        self.frame_seconds = self.window / SAMPLE_RATE / frames
        self.frame_samples = self.window // frames
        self.batches = Batches("embedding", WINDOWS_AT_ONCE)

    @property
    def block_frames(self) -> int:
        """Frames in every block but the last."""
        return WINDOWS_AT_ONCE * (WINDOW_SECONDS * SAMPLE_RATE // self.frame_samples)

    def blocks(self, waveform: Waveform, *, first: int = 0) -> Iterator[tuple[Tensor, bool]]:
        """Frames (…, n) of the recording in consecutive blocks from the `first`, and whether a block is the last."""
        core = WINDOW_SECONDS * SAMPLE_RATE
        context = CONTEXT_SECONDS * SAMPLE_RATE
        if waveform.sample_count <= self.window + self.overhang:
            yield self._frames(_samples(waveform, 0, max(waveform.sample_count, SAMPLE_RATE))[None, None])[0], True
            return
        final = (waveform.sample_count - self.overhang - self.window) // self.frame_samples * self.frame_samples
        starts = list(range(0, waveform.sample_count, core))
        for at in range(first * WINDOWS_AT_ONCE, len(starts), WINDOWS_AT_ONCE):
            cores = starts[at : at + WINDOWS_AT_ONCE]
            # The first and last windows lie within the recording: silence before or after would shift their mean.
            begins = [min(max(start - context, 0), final) for start in cores]
            sound = torch.stack(
                [_samples(waveform, begin, begin + self.window + self.overhang)[None] for begin in begins]
            )
            frames = torch.cat(self.batches.run(self._frames, sound))
            kept = [
                frames[i, ..., (start - begin) // self.frame_samples :][..., : core // self.frame_samples]
                for i, (start, begin) in enumerate(zip(cores, begins, strict=True))
            ]
            yield torch.cat(kept, dim=-1), at + WINDOWS_AT_ONCE >= len(starts)

    def _frames(self, sound: Tensor) -> Tensor:
        with torch.inference_mode():
            frames: Tensor = self.model.forward_frames(sound.to(self.device))
            return frames


class _Reel:
    """The frames of a recording from some place on: only some minutes of them are ever held."""

    def __init__(self, trunk: Trunk, waveform: Waveform) -> None:
        self._trunk = trunk
        self._waveform = waveform
        self._blocks: Iterator[tuple[Tensor, bool]] = iter(())
        self._held: Tensor | None = None
        self._offset = 0  # of the first frame held
        self.is_at_end = False

    @property
    def beyond(self) -> int:
        """One past the last frame held."""
        return self._offset + (0 if self._held is None else self._held.shape[-1])

    def wind_to(self, frame: int) -> None:
        """Let go of what lies before `frame`; where that is not held, begin anew with the block it lies in."""
        if self._held is None or not self._offset <= frame <= self.beyond:
            block = frame // self._trunk.block_frames
            self._blocks = self._trunk.blocks(self._waveform, first=block)
            self._held, self._offset = None, block * self._trunk.block_frames
            self.pull()
        assert self._held is not None
        self._held, self._offset = self._held[..., frame - self._offset :].clone(), frame

    def pull(self) -> None:
        block, self.is_at_end = next(self._blocks)
        self._held = block if self._held is None else torch.cat([self._held, block], dim=-1)

    def cut_out(self, begins: list[int], length: int) -> Tensor:
        """Stretches of frames (…, n) as a batch, with zeros past the end."""
        assert self._held is not None
        pieces = [self._held[..., begin - self._offset : begin - self._offset + length] for begin in begins]
        return torch.stack([functional.pad(each, (0, length - each.shape[-1])) for each in pieces])


class Batches:
    """How much of one recording goes through a network at once: halved whenever the device's memory is full."""

    def __init__(self, network: str, most: int) -> None:
        self.network = network
        self.most = most

    def run(self, work: Callable[..., _T], *given: Tensor) -> list[_T]:
        """What `work` makes of the tensors, taken in pieces along their first axis, in order."""
        results: list[_T] = []
        done = 0
        while done < len(given[0]):
            piece = [each[done : done + self.most] for each in given]
            full = None
            try:
                results.append(work(*piece))
                done += len(piece[0])
            except (RuntimeError, MemoryError) as error:
                if gpu.trouble_of(error) is not gpu.GpuTrouble.FULL or len(piece[0]) == 1:
                    raise
                full = str(error)
            if full is not None:
                # Outside of the handler: its traceback would keep the tensors that are to make room.
                self.most = len(piece[0]) // 2
                gpu.halved("diarize", network=self.network, batch=self.most, reason=full)
                if torch.cuda.is_initialized():
                    torch.cuda.empty_cache()
        return results


class _MaskReader:
    """Which frames of which chunk speak for which local speaker."""

    def __init__(self, active: NDArray[Any], duration: float, embedding: Any | None) -> None:
        self.active = active
        self.exclude_overlap = embedding is not None
        # pyannote's rule: what the network needs at least must be left when overlap is taken out.
        self.fewest = (
            0
            if embedding is None
            else math.ceil(active.shape[1] * embedding.min_num_samples / (duration * embedding.sample_rate))
        )

    def weights(self, first: int, last: int, frames: int) -> Tensor:
        """(chunks, speakers, frames): the masks of some chunks at the rate of the embedding's frames."""
        mask = np.nan_to_num(self.active[first:last]).astype(np.float32)
        if self.exclude_overlap:
            alone = mask * (mask.sum(axis=2, keepdims=True) < 2)
            enough = alone.sum(axis=1, keepdims=True) > self.fewest
            mask = np.where(enough, alone, mask)
        nearest = np.arange(frames) * mask.shape[1] // frames
        return torch.from_numpy(np.ascontiguousarray(mask[:, nearest].transpose(0, 2, 1)))


def _samples(waveform: Waveform, first: int, last: int) -> Tensor:
    """Samples first to last of the recording as floats; what lies beyond its end is silence."""
    sound = torch.from_numpy(floats(waveform, first / SAMPLE_RATE, last / SAMPLE_RATE))
    return functional.pad(sound, (0, last - first - len(sound)))


def _ready(begins: list[int], first: int, latest: int, is_last: bool) -> int:
    """One past the last chunk that can be pooled now: its frames are all there, or no more will come."""
    last = first
    while last < min(len(begins), first + CHUNKS_AT_ONCE) and (is_last or begins[last] <= latest):
        last += 1
    return last


def _by_stretch(
    step: str, count: int, made: Callable[[int, int], NDArray[Any]], shelf: Shelf | None, hook: Hook | None
) -> Iterator[tuple[int, NDArray[Any]]]:
    """The first chunk and the features of each stretch, recalled where an earlier attempt left them."""
    keeps = shelf is not None and count > STRETCH_CHUNKS
    for begin in range(0, count, STRETCH_CHUNKS):
        end = min(begin + STRETCH_CHUNKS, count)
        features = shelf.recall(step, begin, end, of=count) if keeps and shelf else None
        if features is None:
            features = made(begin, end)
            if keeps and shelf:
                shelf.keep(step, begin, end, features)
        elif hook is not None:
            hook(step, None, completed=end, total=count)
        yield begin, features


def weights_digest(model: Model) -> str:
    """A hash of a model's weights: what they are, not where they lay."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.cpu().numpy()).tobytes())
    return digest.hexdigest()


def read_segmentation(path: Path) -> Model:
    """Read a pyannote checkpoint. It is pickled: its hash is checked before."""
    return Model.from_pretrained(str(path))


def read_pipeline(name: str | Path, *, token: str | None, batch_size: int) -> TrunkOnce:
    """Build the pipeline that a folder or a hub repository describes in its config.yaml.

    pyannote's own loader is not used because it asks the hub for a gated PLDA even where the clustering has no use
    for one. Raises ValueError for another kind of pipeline, and whatever the hub and the files give.
    """
    folder = Path(name)
    found = folder / AssetFileName.Pipeline.value if folder.is_dir() else None
    origin = str(name)
    config = yaml.safe_load(
        Path(found or download_from_hf_hub(origin, AssetFileName.Pipeline, token=token)).read_text(encoding="utf-8")
    )
    kind = config["pipeline"]["name"]
    if kind.rpartition(".")[2] != "SpeakerDiarization":
        raise ValueError(f"{kind} is not a SpeakerDiarization pipeline")
    expand_subfolders(config, origin, token=token)
    params = config["pipeline"].get("params", {})
    clustering = params.get("clustering", "VBxClustering")
    plda = get_plda(params["plda"], token=token) if clustering == "VBxClustering" else NoPLDA()
    embedding = get_model(params["embedding"], token=token)
    if not (hasattr(embedding, "forward_frames") and hasattr(embedding, "forward_embedding")):
        raise ValueError(f"the embedding {type(embedding).__name__} cannot be cut at its pooling")
    pipeline = TrunkOnce(
        get_model(params["segmentation"], token=token),
        embedding,
        plda=plda,
        clustering=clustering,
        embedding_exclude_overlap=params.get("embedding_exclude_overlap", False),
        batch_size=batch_size,
    )
    return pipeline.instantiate(config.get("params") or pipeline.default_parameters())


def move(pipeline: TrunkOnce, device: str) -> None:
    """Send the models to cpu, cuda or (auto) cuda where there is one. Always fp32: TF32 changes the voices found."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda"):
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    pipeline.to(torch.device(device))


def version() -> str:
    return str(pyannote.audio.__version__)
