"""The reader of each format: what turns a document into releases and faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sources import canadabuys, feed, invitations, ocds, seao, seao_search
from sources.catalogue import Source
from sources.release import Fault, PassedOver, Reader, Release

#: By the names of `sources.catalogue.FORMATS`.
READERS: Mapping[str, Reader] = {
    "seao": seao.read,
    "seao_search": seao_search.read,
    "canadabuys": canadabuys.read,
    "feed": feed.read,
    "ocds": ocds.read,
    "invitations": invitations.read,
}


def read(source: Source, document: bytes) -> Iterator[Release | Fault | PassedOver]:
    """What that document of that source holds, one by one; see the reader of its format."""
    return READERS[source.format](document)
