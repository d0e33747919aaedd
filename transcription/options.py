"""Which options a job may have: what every door checks before anything is stored."""

from __future__ import annotations

from schemas.errors import OptionError
from schemas.job import JobOptions
from transcription.described import check_language, check_text
from transcription.glossary import check_glossary

LONGEST_EXPECTED = 200  #: characters of a word or name to expect; a recognizer is told some hundred of all of them


def check_options(options: JobOptions) -> None:
    """Raise OptionError naming the first field with an impossible value."""
    counts = {
        "speakers": options.speakers,
        "min_speakers": options.min_speakers,
        "max_speakers": options.max_speakers,
    }
    for name, count in counts.items():
        if count is not None and not 1 <= count <= 50:
            raise OptionError(f"{name}={count}: must be 1 to 50", field=name)
    if options.min_speakers and options.max_speakers and options.min_speakers > options.max_speakers:
        raise OptionError(
            f"min_speakers={options.min_speakers} is more than max_speakers={options.max_speakers}",
            field="min_speakers",
        )
    if len(options.vocabulary) > 500:
        raise OptionError(f"vocabulary: {len(options.vocabulary)} words; at most 500", field="vocabulary")
    for word in options.vocabulary:
        check_text("vocabulary", word, LONGEST_EXPECTED)
    check_glossary(options.glossary)
    check_language(options.language)


def primary_language(tag: str | None) -> str | None:
    """The part of a language tag that a recognizer knows: "en" of "en-GB"."""
    return tag.replace("_", "-").split("-")[0].lower() if tag else None
