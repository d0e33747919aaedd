"""Putting a transcript's document where the ledger will say that it lies."""

from __future__ import annotations

import hashlib

from schemas.transcript import Transcript
from schemas.wire import write_json
from transcription.ports import Result, Store


def put_document(store: Store, document: Transcript, key: str) -> Result:
    """Write the document under a key that nobody else writes; what the ledger will say about it comes back."""
    from formats.catalogue import FORMATS

    content = write_json(document)
    store.put(key, content)
    audio, quality = document.episode.audio, document.quality
    return Result(
        document_key=key,
        document_sha256=hashlib.sha256(content).hexdigest(),
        document_bytes=len(content),
        audio_seconds=audio.duration or 0.0,
        audio_sha256=audio.sha256 or "",
        language=document.language,
        speaker_count=len(document.speakers),
        named_speaker_count=sum(speaker.name is not None for speaker in document.speakers),
        word_count=quality.word_count,
        coverage=quality.coverage,
        no_speech=quality.no_speech,
        warning_codes=tuple(warning.code for warning in quality.warnings),
        document_uri=store.uri(key),
        formats=tuple(FORMATS),
        title=document.episode.title,
    )
