"""What can go wrong with a source.

* SourceError
  + SourceUnreachable   try again at the next reading
  + SourceMalformed     the source changed or the file is damaged: a person must look

* AttachmentRefused     a document of an invitation cannot be kept: a person must look

What concerns one release of a document is a `Fault` (sources.release), not an error.
"""

from __future__ import annotations


class SourceError(Exception):
    """A source could not be read."""

    def __init__(self, source: str, reason: str) -> None:
        self.source = source
        self.reason = reason
        super().__init__(f"{source}: {reason}")


class SourceUnreachable(SourceError, ConnectionError):
    """The source did not answer, or answered 429 or 5xx."""

    def __init__(self, source: str, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(source, reason)
        #: Seconds for which the source asked not to be asked again; None where it did not say.
        self.retry_after = retry_after


class SourceMalformed(SourceError, ValueError):
    """The source answered something its published format does not allow."""


class AttachmentRefused(ValueError):
    """A document cannot be kept; `reason` is a sources.attachments.Refusal."""

    def __init__(self, reason: str, name: str) -> None:
        self.reason = reason
        self.name = name
        super().__init__(reason)
