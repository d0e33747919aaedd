"""Every error Stenocast raises, in one tree. Each has a stable code and knows whether trying again helps.

StenocastError
├── InputError            the user's audio, page, option or request is wrong; trying again does not help
│   ├── AudioError        what came in cannot be heard (audio_empty, unsupported_container, …)
│   ├── PageError         a page or document cannot be read (page_not_recognised, document_invalid, …)
│   ├── OptionError       an option or a field has an impossible value (the field is named)
│   └── NotFound          no such job, episode, transcript, style, model set or file
├── Refused               the request is well formed but the state forbids it (job_not_retryable, …)
│   └── LeaseLost         another worker holds the job now; the loser's write changes nothing
├── TransientError        storage, network or database did not answer; trying again may help
├── NotReady              our side lacks something (a model, room on the disk, an engine); the job is untouched
│   └── ModelError        a model file is missing, wrong, or cannot be fetched
└── CrashError            a process of ours died, hung or ate too much memory; counts as a crash of the attempt
    └── GpuError          the GPU failed in a way that only a new engine process gets over
"""

from __future__ import annotations

from typing import ClassVar


class StenocastError(Exception):
    """The root of the tree.

    `code` is a stable snake_case word that people may script against; `message` is one sentence that names
    the value at fault; `field` names the option or request field, where there is one.
    """

    default_code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.field = field

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the keyword fields, so that an error crosses from the engine child unchanged."""
        return _rebuild, (type(self), self.message, self.code, self.field)


def _rebuild(kind: type[StenocastError], message: str, code: str, field: str | None) -> StenocastError:
    return kind(message, code=code, field=field)


class InputError(StenocastError):
    """What the user gave is wrong; the same input will be wrong again."""

    default_code = "invalid_input"


class AudioError(InputError):
    """The recording cannot be heard. Codes: see `AUDIO_CODES`."""

    default_code = "audio_unreadable"


class PageError(InputError):
    """A page or document cannot be read or written."""

    default_code = "document_invalid"


class OptionError(InputError):
    """An option or field has an impossible value; `field` names it."""

    default_code = "invalid_option"


class NotFound(InputError):
    """No such job, episode, transcript, style, model set or file."""

    default_code = "not_found"


class Refused(StenocastError):
    """The request is understood but the present state forbids it."""

    default_code = "refused"


class LeaseLost(Refused):
    """The lease token is no longer the job's: somebody else claimed it, or it was cancelled."""

    default_code = "lease_lost"


class TransientError(StenocastError):
    """Storage, network or database did not answer in time."""

    default_code = "temporarily_unavailable"
    retryable = True


class NotReady(StenocastError):
    """This installation lacks something: not the user's fault and not the job's."""

    default_code = "not_ready"
    retryable = True


class ModelError(NotReady):
    """A model file is missing, has the wrong hash, or cannot be fetched."""

    default_code = "model_missing"


class CrashError(StenocastError):
    """A process of ours crashed, hung or outgrew its memory while it worked on the job."""

    default_code = "crashed"
    retryable = True


class GpuError(CrashError):
    """The GPU failed and took the engine process's context along; the process is to be replaced."""

    default_code = "gpu_failed"


#: What can be wrong with a recording: the code, and what it means to the person who sent it.
AUDIO_CODES: dict[str, str] = {
    "audio_empty": "nothing could be decoded: the file is empty or holds no sound",
    "audio_too_short": "less than 100 ms of sound was decoded",
    "audio_too_long": "the recording is longer than the duration budget",
    "audio_too_large": "the file is larger than the size budget",
    "unsupported_container": "the content is not one of the audio or video containers that Stenocast reads",
    "no_audio_stream": "the file has no audio stream",
    "audio_encrypted": "the recording is protected (DRM) and cannot be decoded",
    "audio_unreadable": "the audio stream is damaged and could not be decoded",
    "bad_sample_rate": "the sample rate is outside 4 to 384 kHz",
    "bad_channel_count": "the channel count is outside 1 to 8",
    "decode_timeout": "decoding took longer than its time limit",
    "decode_memory": "decoding needed more memory than its limit",
    "decode_crashed": "the decoder process crashed",
}
