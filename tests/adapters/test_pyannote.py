"""Diarization with the real pyannote.audio: who speaks when, from half a minute to two and a half of real talk."""

from __future__ import annotations

import importlib.util
import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import structlog

from schemas.errors import GpuError, ModelError, OptionError, StenocastError, TransientError
from transcription.ports import SAMPLE_RATE, Diarization, DiarizeOptions, Waveform

if TYPE_CHECKING:
    from adapters.pyannote import PyannoteDiarizer

engines = pytest.mark.engines


@pytest.fixture(scope="module")
def starter(model_sets: Path) -> dict[str, Path]:
    folder = model_sets / "starter"
    return {
        "segmentation": folder / "segmentation" / "pytorch_model.bin",
        "embedding": folder / "embedding" / "campplus_cn_en_common.pt",
    }


@pytest.fixture(scope="module")
def diarizer(starter: dict[str, Path]) -> PyannoteDiarizer:
    from adapters.pyannote import PyannoteDiarizer

    return PyannoteDiarizer(**starter, set_name="starter")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sound")


@pytest.fixture(scope="module")
def telephone(sound: Path) -> tuple[Waveform, Any]:
    """Half a minute of telephone talk between two people, with its truth: pyannote.audio carries it."""
    spec = importlib.util.find_spec("pyannote.audio.sample")
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).with_name("sample.wav")
    return decoded(source, sound), truth(source.with_suffix(".rttm"))


@pytest.fixture(scope="module")
def telephone_talk(diarizer: PyannoteDiarizer, telephone: tuple[Waveform, Any]) -> Diarization:
    return diarizer.diarize(telephone[0], DiarizeOptions())


def decoded(source: Path, folder: Path) -> Waveform:
    import av

    path = folder / f"{source.stem}.pcm"
    with av.open(str(source)) as container, path.open("wb") as file:
        resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
        for frame in itertools.chain(container.decode(audio=0), [None]):
            for piece in resampler.resample(frame):
                file.write(piece.to_ndarray().astype("<i2").tobytes())
    return Waveform(path, path.stat().st_size // 2, "0" * 64)


def written(samples: np.ndarray, folder: Path, name: str) -> Waveform:
    path = folder / f"{name}.pcm"
    samples.astype("<i2").tofile(path)
    return Waveform(path, len(samples), "0" * 64)


def truth(rttm: Path) -> Any:
    from pyannote.database.util import load_rttm

    return next(iter(load_rttm(rttm).values()))


def error_rate(reference: Any, found: Diarization) -> float:
    """Diarization error rate without collar, overlap counted."""
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    annotation = Annotation()
    for i, turn in enumerate(found.turns):
        annotation[Segment(turn.start, turn.end), i] = turn.voice
    return float(DiarizationErrorRate()(reference, annotation))


def voices(found: Diarization) -> list[str]:
    return list(dict.fromkeys(turn.voice for turn in found.turns))


# ---------------------------------------------------------------- real talk


@engines
@pytest.mark.filterwarnings("ignore")
def test_a_telephone_talk_has_two_voices_and_few_errors(
    telephone: tuple[Waveform, Any], telephone_talk: Diarization
) -> None:
    assert voices(telephone_talk) == ["voice 1", "voice 2"]
    assert error_rate(telephone[1], telephone_talk) <= 0.07


@engines
def test_voices_are_numbered_by_their_first_appearance(telephone_talk: Diarization) -> None:
    starts = [turn.start for turn in telephone_talk.turns]

    assert starts == sorted(starts)
    assert voices(telephone_talk) == sorted(voices(telephone_talk))


@engines
def test_turns_lie_within_the_recording_and_exclusive_ones_never_overlap(
    telephone: tuple[Waveform, Any], telephone_talk: Diarization
) -> None:
    for turn in (*telephone_talk.turns, *telephone_talk.exclusive):
        assert 0 <= turn.start < turn.end <= telephone[0].seconds
    assert all(a.end <= b.start for a, b in itertools.pairwise(telephone_talk.exclusive))
    assert {turn.voice for turn in telephone_talk.exclusive} <= set(voices(telephone_talk))


@engines
def test_every_voice_has_an_embedding_of_length_one(telephone_talk: Diarization) -> None:
    assert list(telephone_talk.embeddings) == voices(telephone_talk)
    for vector in telephone_talk.embeddings.values():
        assert len(vector) == 192
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-4)


@engines
def test_the_same_recording_gives_the_same_turns_in_another_diarizer(
    telephone: tuple[Waveform, Any], telephone_talk: Diarization, starter: dict[str, Path], diarizer: PyannoteDiarizer
) -> None:
    from adapters.pyannote import PyannoteDiarizer

    again = PyannoteDiarizer(**starter, set_name="starter")

    assert again.fingerprint == diarizer.fingerprint
    assert again.diarize(telephone[0], DiarizeOptions()) == telephone_talk


@engines
@pytest.mark.parametrize("wanted", [1, 2, 3])
def test_a_given_number_of_speakers_is_kept_to(
    diarizer: PyannoteDiarizer, telephone: tuple[Waveform, Any], wanted: int
) -> None:
    assert len(voices(diarizer.diarize(telephone[0], DiarizeOptions(speakers=wanted)))) == wanted


@engines
@pytest.mark.parametrize(
    ("options", "found"),
    [(DiarizeOptions(min_speakers=3), 3), (DiarizeOptions(max_speakers=1), 1), (DiarizeOptions(None, 2, 4), 2)],
)
def test_a_range_of_speakers_is_kept_to(
    diarizer: PyannoteDiarizer, telephone: tuple[Waveform, Any], options: DiarizeOptions, found: int
) -> None:
    assert len(voices(diarizer.diarize(telephone[0], options))) == found


@engines
def test_an_impossible_range_names_its_option(diarizer: PyannoteDiarizer, telephone: tuple[Waveform, Any]) -> None:
    with pytest.raises(OptionError, match="min_speakers=3 is more than max_speakers=2"):
        diarizer.diarize(telephone[0], DiarizeOptions(min_speakers=3, max_speakers=2))


# ---------------------------------------------------------------- no talk


@engines
@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.4, 3.0, 25.0])
def test_silence_of_any_length_has_no_voice(diarizer: PyannoteDiarizer, sound: Path, seconds: float) -> None:
    waveform = written(np.zeros(round(seconds * SAMPLE_RATE)), sound, "silence")

    assert diarizer.diarize(waveform, DiarizeOptions()) == Diarization((), ())


@engines
def test_a_few_words_have_one_voice(diarizer: PyannoteDiarizer, telephone: tuple[Waveform, Any], sound: Path) -> None:
    talk = np.fromfile(telephone[0].path, "<i2")
    first = next(iter(telephone[1].itersegments()))
    words = talk[round(first.start * SAMPLE_RATE) : round(min(first.end, first.start + 1.2) * SAMPLE_RATE)]

    found = diarizer.diarize(written(words, sound, "words"), DiarizeOptions())

    assert voices(found) == ["voice 1"]


# ---------------------------------------------------------------- progress


@engines
def test_progress_rises_to_the_length_of_the_recording(
    diarizer: PyannoteDiarizer, telephone: tuple[Waveform, Any]
) -> None:
    told: list[float] = []

    diarizer.diarize(telephone[0], DiarizeOptions(), report=told.append)

    assert told == sorted(told)
    assert told[-1] == telephone[0].seconds
    assert len(told) >= 3


@engines
def test_an_error_in_the_report_stops_the_work(diarizer: PyannoteDiarizer, telephone: tuple[Waveform, Any]) -> None:
    told: list[float] = []

    def stop(seconds: float) -> None:
        told.append(seconds)
        raise InterruptedError("the job was cancelled")

    with pytest.raises(InterruptedError, match="cancelled"):
        diarizer.diarize(telephone[0], DiarizeOptions(), report=stop)
    assert len(told) == 1


# ---------------------------------------------------------------- parts


class Drawer(dict[str, bytes]):
    """`Parts` in a dictionary."""

    def recall(self, name: str, *, worth: float) -> bytes | None:
        return self.get(name)

    def keep(self, name: str, content: bytes) -> None:
        self[name] = content


@pytest.fixture(scope="module")
def in_stretches(diarizer: PyannoteDiarizer, telephone: tuple[Waveform, Any]) -> tuple[Diarization, Drawer]:
    """The talk in stretches of eight chunks, and the parts that were kept of it."""
    parts = Drawer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adapters.trunk_once.STRETCH_CHUNKS", 8)
        return diarizer.diarize(telephone[0], DiarizeOptions(), parts=parts), parts


@engines
@pytest.mark.parametrize("killed_in", ["segmentation", "embeddings"])
def test_a_diarization_that_broke_goes_on_with_the_parts_that_are_there_and_gives_the_same(
    diarizer: PyannoteDiarizer,
    telephone: tuple[Waveform, Any],
    in_stretches: tuple[Diarization, Drawer],
    monkeypatch: pytest.MonkeyPatch,
    killed_in: str,
) -> None:
    monkeypatch.setattr("adapters.trunk_once.STRETCH_CHUNKS", 8)  # of 21
    undisturbed, _ = in_stretches
    parts = Drawer()

    def keep_two(name: str, content: bytes) -> None:
        parts[name] = content
        if len([each for each in parts if each.startswith(killed_in)]) == 2:
            raise InterruptedError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(parts, "keep", keep_two, raising=False)
        with pytest.raises(InterruptedError):
            diarizer.diarize(telephone[0], DiarizeOptions(), parts=parts)
    paid: list[int] = []
    infer, pool = diarizer.pipeline._segmentation.infer, diarizer.pipeline._pool
    monkeypatch.setattr(
        diarizer.pipeline._segmentation, "infer", lambda chunks: (paid.append(len(chunks)), infer(chunks))[1]
    )
    monkeypatch.setattr(
        diarizer.pipeline, "_pool", lambda frames, weights: (paid.append(len(frames)), pool(frames, weights))[1]
    )
    resumed = diarizer.diarize(telephone[0], DiarizeOptions(), parts=parts)

    assert resumed == undisturbed
    assert sum(paid) == (5 + 21 if killed_in == "segmentation" else 5)


@engines
def test_parts_that_are_no_features_are_made_again(
    diarizer: PyannoteDiarizer,
    telephone: tuple[Waveform, Any],
    in_stretches: tuple[Diarization, Drawer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.trunk_once.STRETCH_CHUNKS", 8)
    undisturbed, left = in_stretches
    parts = Drawer({name: content[: len(content) // 2] for name, content in left.items()})

    assert diarizer.diarize(telephone[0], DiarizeOptions(), parts=parts) == undisturbed


# ---------------------------------------------------------------- the GPU's memory


def full(most: int, work: Any, error: type[Exception], sizes: list[int]) -> Any:
    """`work` on a device whose memory holds `most` pieces at once."""

    def tried(pieces: Any, *more: Any) -> Any:
        sizes.append(len(pieces))
        if len(pieces) > most:
            raise error("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 4.00 GiB")
        return work(pieces, *more)

    return tried


@engines
def test_a_full_gpu_halves_each_network_s_batch_and_the_turns_stay_the_same(
    diarizer: PyannoteDiarizer,
    telephone: tuple[Waveform, Any],
    telephone_talk: Diarization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    pipeline, embedding = diarizer.pipeline, diarizer.pipeline._embedding.model_
    sizes: dict[str, list[int]] = {"segmentation": [], "embedding": [], "pooling": []}
    infer = full(5, pipeline._segmentation.infer, MemoryError, sizes["segmentation"])
    frames = full(1, embedding.forward_frames, torch.cuda.OutOfMemoryError, sizes["embedding"])
    pool = full(3, embedding.forward_embedding, torch.cuda.OutOfMemoryError, sizes["pooling"])
    monkeypatch.setattr(pipeline._segmentation, "infer", infer)
    monkeypatch.setattr(embedding, "forward_frames", frames, raising=False)
    monkeypatch.setattr(embedding, "forward_embedding", pool, raising=False)
    monkeypatch.setattr(pipeline, "device", torch.device("cuda"), raising=False)

    with structlog.testing.capture_logs() as lines:
        found = diarizer.diarize(telephone[0], DiarizeOptions())

    assert found.turns == telephone_talk.turns
    assert sizes["segmentation"][:4] == [21, 10, 5, 5]
    assert {each["network"]: each["batch"] for each in lines if each["event"] == "batch halved"} == {
        "segmentation": 5,
        "embedding": 1,
        "pooling": 2,
    }


@engines
@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        ("CUDA out of memory. Tried to allocate 2.00 GiB", TransientError, "gpu_memory"),
        ("CUDA error: device-side assert triggered", GpuError, "gpu_failed"),
    ],
)
def test_a_gpu_that_cannot_go_on_is_an_error_of_ours(
    diarizer: PyannoteDiarizer,
    telephone: tuple[Waveform, Any],
    monkeypatch: pytest.MonkeyPatch,
    error: str,
    kind: type[StenocastError],
    code: str,
) -> None:
    def infer(_chunks: Any) -> Any:
        raise RuntimeError(error)

    monkeypatch.setattr(diarizer.pipeline._segmentation, "infer", infer)

    with pytest.raises(kind) as caught:
        diarizer.diarize(telephone[0], DiarizeOptions())
    assert caught.value.code == code


# ---------------------------------------------------------------- trunk once


@engines
def test_trunk_once_gives_the_clustering_what_the_stock_loop_gives_it(
    diarizer: PyannoteDiarizer, telephone: tuple[Waveform, Any]
) -> None:
    import torch
    from pyannote.audio.pipelines import SpeakerDiarization

    pipeline = diarizer.pipeline
    stretch = Waveform(telephone[0].path, 15 * SAMPLE_RATE, "0" * 64)
    samples = np.fromfile(stretch.path, "<i2", stretch.sample_count).astype(np.float32) / 32768
    file = {"waveform": torch.from_numpy(samples)[None], "sample_rate": SAMPLE_RATE, "uri": "stretch"}

    ours = pipeline.get_segmentations({"waveform": stretch})
    stock = SpeakerDiarization.get_segmentations(pipeline, file)
    assert (ours.data == stock.data).mean() > 0.999

    of_ours = pipeline.get_embeddings({"waveform": stretch}, ours, exclude_overlap=True)
    of_stock = SpeakerDiarization.get_embeddings(pipeline, file, stock, exclude_overlap=True)
    heard = ours.data.sum(axis=1) > 120  # frames: two seconds of one speaker
    a, b = of_ours[heard], of_stock[heard]
    cosines = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert heard.sum() >= 6
    assert cosines.min() > 0.85
    assert cosines.mean() > 0.95


@engines
def test_the_trunk_covers_a_long_recording_without_a_gap_or_a_seam(
    diarizer: PyannoteDiarizer, telephone: tuple[Waveform, Any]
) -> None:
    import torch

    from adapters.trunk_once import Trunk

    waveform = telephone[0]
    trunk = Trunk(diarizer.pipeline._embedding.model_, torch.device("cpu"))

    blocks = list(trunk.blocks(waveform))

    assert [is_last for _, is_last in blocks] == [False] * (len(blocks) - 1) + [True]
    frames = torch.cat([block for block, _ in blocks], dim=-1)
    assert abs(frames.shape[-1] * trunk.frame_seconds - waveform.seconds) <= 0.04


@engines
def test_reconstruction_chooses_as_active_voices_as_pyannotes(
    diarizer: PyannoteDiarizer, telephone: tuple[Waveform, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyannote.audio import Inference
    from pyannote.audio.pipelines import SpeakerDiarization

    pipeline = diarizer.pipeline
    segmentations = pipeline.get_segmentations({"waveform": telephone[0]})
    count = pipeline.speaker_count(segmentations, pipeline._segmentation.model.receptive_field, warm_up=(0.0, 0.0))
    clusters = np.random.default_rng(2).integers(0, 4, segmentations.data[:, 0].shape)
    clusters[segmentations.data.sum(axis=1) == 0] = -2
    ours = pipeline.reconstruct(segmentations, clusters, count)
    stock = SpeakerDiarization.reconstruct(pipeline, segmentations, clusters, count)
    spread: list[Any] = []
    monkeypatch.setattr(SpeakerDiarization, "to_diarization", lambda self, clustered, count: spread.append(clustered))
    SpeakerDiarization.reconstruct(pipeline, segmentations, clusters, count)

    activity = Inference.aggregate(spread[0], count.sliding_window, missing=0.0, skip_average=True).data

    # Equal voices may change places: pyannote's order among them is the processor's, ours is theirs by number.
    assert ours.sliding_window.step == stock.sliding_window.step
    assert np.array_equal(ours.data.sum(axis=1), stock.data.sum(axis=1))
    assert np.array_equal((ours.data * activity).sum(axis=1), (stock.data * activity).sum(axis=1))


# ---------------------------------------------------------------- models


def test_importing_the_adapter_imports_no_engine() -> None:
    program = (
        "import sys, adapters.pyannote; print([m for m in ('torch', 'pyannote.audio', 'numpy') if m in sys.modules])"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"


@engines
def test_no_library_says_anything_while_models_load_and_work(
    starter: dict[str, Path], telephone: tuple[Waveform, Any]
) -> None:
    program = (
        "from pathlib import Path; from adapters.pyannote import PyannoteDiarizer;"
        "from transcription.ports import DiarizeOptions, Waveform;"
        f"d = PyannoteDiarizer(Path({str(starter['segmentation'])!r}), Path({str(starter['embedding'])!r}),"
        "    set_name='starter');"
        f"w = Waveform(Path({str(telephone[0].path)!r}), 200000, '');"
        "d.diarize(w, DiarizeOptions()); d.diarize(w, DiarizeOptions(speakers=9))"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONWARNINGS"}

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)

    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_a_missing_model_file_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    from adapters.pyannote import PyannoteDiarizer

    with pytest.raises(
        ModelError, match=r"gone\.bin: the model file is missing; run `stenocast models pull starter`"
    ):
        PyannoteDiarizer(tmp_path / "gone.bin", tmp_path / "gone.pt", set_name="starter")


@engines
def test_a_file_that_is_no_model_is_a_model_error(starter: dict[str, Path], tmp_path: Path) -> None:
    from adapters.pyannote import PyannoteDiarizer

    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"not a model")

    with pytest.raises(ModelError, match="cannot be loaded for diarization") as caught:
        PyannoteDiarizer(starter["segmentation"], broken, set_name="starter")
    assert caught.value.code == "model_unreadable"


@engines
def test_the_fingerprint_follows_the_parameters(starter: dict[str, Path], diarizer: PyannoteDiarizer) -> None:
    from adapters.pyannote import PyannoteDiarizer

    other = PyannoteDiarizer(**starter, set_name="starter", threshold=0.5)

    assert len(diarizer.fingerprint) == 16
    assert other.fingerprint != diarizer.fingerprint


# ---------------------------------------------------------------- whole pipelines


CLUSTERINGS = {
    "AgglomerativeClustering": "{method: centroid, min_cluster_size: 12, threshold: 0.7}",  # as 3.1
    "VBxClustering": "{threshold: 0.6, Fa: 0.07, Fb: 0.8}",  # as community-1
}


@pytest.fixture(params=CLUSTERINGS)
def pipeline_folder(starter: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A pipeline as pyannote publishes them, with an untrained WeSpeaker embedding: it loads and runs, no more."""
    import torch
    from pyannote.audio import __version__
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import WeSpeakerResNet34

    torch.manual_seed(1)
    model = WeSpeakerResNet34()
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": "2.0.0",
        "pyannote.audio": {
            "versions": {"pyannote.audio": __version__},
            "architecture": {"module": "pyannote.audio.models.embedding.wespeaker", "class": "WeSpeakerResNet34"},
            "specifications": Specifications(
                problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=10.0
            ),
        },
    }
    for name in ("segmentation", "embedding"):
        (tmp_path / name).mkdir()
    torch.save(checkpoint, tmp_path / "embedding" / "pytorch_model.bin")
    (tmp_path / "segmentation" / "pytorch_model.bin").symlink_to(starter["segmentation"])
    plda = ""
    if request.param == "VBxClustering":
        plda = "    plda: $model/plda\n"
        (tmp_path / "plda").mkdir()
        means = {"mean1": np.zeros(256), "mean2": np.zeros(128), "lda": np.eye(256, 128)}
        np.savez(tmp_path / "plda" / "xvec_transform.npz", **means)
        np.savez(tmp_path / "plda" / "plda.npz", mu=np.zeros(128), tr=np.eye(128), psi=np.linspace(2.0, 0.1, 128))
    (tmp_path / "config.yaml").write_text(
        "pipeline:\n"
        "  name: pyannote.audio.pipelines.SpeakerDiarization\n"
        "  params:\n"
        f"    clustering: {request.param}\n"
        "    segmentation: $model/segmentation\n"
        "    embedding: $model/embedding\n"
        "    embedding_exclude_overlap: true\n"
        f"{plda}"
        "params:\n"
        f"  clustering: {CLUSTERINGS[request.param]}\n"
        "  segmentation: {min_duration_off: 0.0}\n"
    )
    return tmp_path


@engines
def test_a_pipeline_loads_from_its_folder_and_finds_speech(
    pipeline_folder: Path, telephone: tuple[Waveform, Any]
) -> None:
    from adapters.pyannote import PyannoteDiarizer

    loaded = PyannoteDiarizer.from_pipeline(pipeline_folder, set_name="whole")
    found = loaded.diarize(telephone[0], DiarizeOptions(speakers=2))

    assert loaded.model == "whole"
    assert voices(found) == ["voice 1", "voice 2"]
    assert len(found.embeddings["voice 1"]) == 256


@engines
def test_a_pipeline_that_the_hub_does_not_give_is_a_model_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from adapters.pyannote import PyannoteDiarizer

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    with pytest.raises(ModelError, match="someone/no-such-pipeline: cannot be loaded") as caught:
        PyannoteDiarizer.from_pipeline("someone/no-such-pipeline")
    assert caught.value.code == "pipeline_unavailable"
