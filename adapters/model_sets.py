"""Model sets as data: what a set consists of, where each file comes from and how it is known to be right.

The sets that ship are the TOML files in `models/` beside the packages; a user's own go into `<models_dir>/sets/`.
Reading them opens no model file and no connection.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from schemas.errors import ModelError, NotFound
from schemas.near_misses import did_you_mean

#: The sets that ship, beside the packages.
SHIPPED = Path(__file__).resolve().parent.parent / "models"

#: Folders of `models_dir` that are not sets.
RESERVED_NAMES = frozenset({"sets"})

_SET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_HUB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel of the package index that is unpacked and never installed."""

    __pydantic_config__ = _STRICT

    version: str
    sha256: str
    size_bytes: int
    platform: str | None = None  #: pip's --platform, where the index has one wheel per platform
    python: str | None = None  #: pip's --python-version


@dataclass(frozen=True, slots=True)
class Part:
    """A member of a wheel."""

    __pydantic_config__ = _STRICT

    package: str
    member: str


@dataclass(frozen=True, slots=True)
class WheelSource:
    """Members of wheels, joined in this order."""

    __pydantic_config__ = _STRICT

    kind: Literal["wheel"]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file of a repository on the model hub."""

    __pydantic_config__ = _STRICT

    kind: Literal["hub"]
    repository: str
    file: str
    revision: str = "main"  #: what a pull resolved it to stands in the set's manifest
    gated: bool = False  #: the repository gives its files only to those who accepted its terms


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A file behind an http or https address."""

    __pydantic_config__ = _STRICT

    kind: Literal["url"]
    url: str


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A file on this machine: absolute, from ~, or beside the set's TOML file."""

    __pydantic_config__ = _STRICT

    kind: Literal["folder"]
    path: str


Source = Annotated[WheelSource | HubSource | UrlSource | FolderSource, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a set."""

    __pydantic_config__ = _STRICT

    target: str  #: its place in the set's folder, `/`-separated
    source: Source
    licence: str
    purpose: str
    sha256: str = ""  #: empty only for the hub: then the hub's own hash is checked and recorded at the pull
    size_bytes: int = 0  #: 0 = not known before the pull

    def __post_init__(self) -> None:
        place = PurePosixPath(self.target)
        if place.is_absolute() or ".." in place.parts or place.name.startswith(".") or str(place) != self.target:
            raise ValueError(f"target {self.target!r} is not a plain path inside the set's folder")
        if self.sha256 and not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"{self.target}: sha256 {self.sha256!r} is not 64 hexadecimal digits")
        if not isinstance(self.source, HubSource) and (not self.sha256 or self.size_bytes <= 0):
            raise ValueError(f"{self.target}: sha256 and size_bytes are needed for a {self.source.kind} source")
        if isinstance(self.source, UrlSource) and not self.source.url.startswith(("https://", "http://")):
            raise ValueError(f"{self.target}: {self.source.url!r} is not an http or https address")


@dataclass(frozen=True, slots=True)
class DiarizationRecipe:
    """How the voices are found with the set's files. Paths are targets of the set."""

    __pydantic_config__ = _STRICT

    segmentation: str
    embedding: str
    clustering: str  #: pyannote.audio's name of the clustering
    pipeline: str | None = None  #: a pyannote config.yaml that holds the parameters
    plda: str | None = None  #: a folder
    embedding_exclude_overlap: bool = True
    parameters: Mapping[str, str | int | float] = field(default_factory=dict)  #: pyannote.audio's own names


@dataclass(frozen=True, slots=True)
class ModelSet:
    """A recognizer and what finds the voices, under one name."""

    __pydantic_config__ = _STRICT

    name: str
    description: str
    recognizer: str  #: what it is called in provenance and tables
    diarization: DiarizationRecipe
    files: tuple[ModelFile, ...]
    languages: tuple[str, ...] = ()  #: ISO 639-1; empty = every language that the recognizer knows
    wheels: Mapping[str, Wheel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        targets = [each.target for each in self.files]
        for target in targets:
            if targets.count(target) > 1:
                raise ValueError(f"target {target!r} stands twice")
        for target in ("recognizer/model.bin", self.diarization.segmentation, self.diarization.embedding):
            if target not in targets:
                raise ValueError(f"no file has the target {target!r}")
        for each in self.files:
            for part in each.source.parts if isinstance(each.source, WheelSource) else ():
                if part.package not in self.wheels:
                    raise ValueError(f"{each.target}: no wheel {part.package!r} is described under [wheels]")

    @property
    def size_bytes(self) -> int:
        """Of all files; 0 while the size of one is not known."""
        sizes = [each.size_bytes for each in self.files]
        return sum(sizes) if all(sizes) else 0

    @property
    def licences(self) -> tuple[str, ...]:
        return tuple(sorted({each.licence for each in self.files}))


def is_set_name(name: str) -> bool:
    return bool(_SET_NAME.fullmatch(name)) and name not in RESERVED_NAMES and not name.startswith("hub-")


def is_hub_name(name: str) -> bool:
    """True for OWNER/NAME."""
    return bool(_HUB_NAME.fullmatch(name))


def is_folder_name(name: str) -> bool:
    """True for a path that says it is one: absolute, or starting with `./`, `../` or `~`."""
    return name in (".", "..") or name.startswith(("/", "./", "../", "~"))


def names(models_dir: Path) -> tuple[str, ...]:
    """Every named set, the user's own included, sorted."""
    found = {file.stem for folder in _folders(models_dir) for file in folder.glob("*.toml")}
    return tuple(sorted(name for name in found if is_set_name(name)))


def read_set(name: str, models_dir: Path) -> ModelSet:
    """Read a named set; a user's own goes before a shipped one of the same name.

    Raises NotFound `model_set_unknown`, ModelError `model_set_invalid` that names the file and the field.
    """
    if is_set_name(name):
        for folder in _folders(models_dir):
            if (folder / f"{name}.toml").is_file():
                return read_set_file(folder / f"{name}.toml")
    raise NotFound(
        f"{name}: no such model set; there are {', '.join(names(models_dir))},"
        f" or give a hub repository (OWNER/NAME) or a folder (./PATH){did_you_mean(name, names(models_dir))}",
        code="model_set_unknown",
        field="models",
    )


def read_set_file(file: Path) -> ModelSet:
    """Read one TOML file. Paths of folder sources come back absolute. Raises ModelError `model_set_invalid`."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        known: ModelSet = TypeAdapter(ModelSet).validate_python(_with_absolute_paths(content, file.parent))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the set"
        raise ModelError(f"{file}: {place}: {first['msg']}", code="model_set_invalid") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{file}: cannot be read as a model set: {error}", code="model_set_invalid") from error
    if known.name != file.stem:
        raise ModelError(f"{file}: its name is {known.name!r}, not the file's", code="model_set_invalid")
    return known


def _folders(models_dir: Path) -> tuple[Path, Path]:
    return models_dir / "sets", SHIPPED


def _with_absolute_paths(content: dict[str, object], folder: Path) -> dict[str, object]:
    files = content.get("files")
    for each in files if isinstance(files, list) else ():
        source = each.get("source") if isinstance(each, dict) else None
        if isinstance(source, dict) and source.get("kind") == "folder" and isinstance(source.get("path"), str):
            source["path"] = str(folder / Path(source["path"]).expanduser())
    return content
