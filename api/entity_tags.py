"""Entity tags (RFC 9110, section 8.8.3) of transcripts, and the requests that name them.

A tag is `"<SHA-256 of the document>-<of what was sent>"`: two equal tags are the same bytes, whatever became of the
style or the code that wrote them. Who changes a transcript has read one document in some form, so that a tag of any
form of it names it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from schemas.errors import OptionError, Refused

if TYPE_CHECKING:
    from schemas.job import Job

#: Of the hash of what was sent, which tells the forms of one document apart.
FORM_DIGITS = 16

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_TAGS = re.compile(rf"\s*{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*\s*")


def tag_of(document_sha256: str, content: bytes) -> str:
    """The tag of a document in the form that is sent."""
    return f'"{document_sha256}-{hashlib.sha256(content).hexdigest()[:FORM_DIGITS]}"'


def tag_of_document(document_sha256: str) -> str:
    """The tag that names a document and no form of it."""
    return f'"{document_sha256}"'


def wanted_document(if_match: str | None) -> Callable[[Job], None]:
    """What raises Refused `precondition_failed` where the header names another transcript than the job's.

    A weak tag names none (section 13.1.1). Raises OptionError `invalid_request` for a header of something else.
    """
    if if_match is None or if_match.strip() == "*":
        return lambda _job: None
    if not _TAGS.fullmatch(if_match):
        raise OptionError(
            f"If-Match: {ascii(if_match)[:80]} is no entity tag; write it as the ETag was, with its quotes",
            code="invalid_request",
            field="If-Match",
        )
    documents = {tag.partition("-")[0] for weak, tag in _TAG.findall(if_match) if not weak}

    def check(job: Job) -> None:
        if job.transcript_sha256 not in documents:
            raise Refused(
                f"{job.episode_id}: If-Match names another transcript than the current one, revision {job.revision}",
                code="precondition_failed",
                field="If-Match",
            )

    return check
