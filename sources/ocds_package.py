"""Any form in which OCDS releases are published, opened into undecoded releases. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from sources import package
from sources.errors import SourceMalformed
from sources.ocds_shape import Head, Package, Record
from sources.reasons import Reason
from sources.release import Fault

_PACKAGE = msgspec.json.Decoder(Package)
_LIST = msgspec.json.Decoder(list[Raw])
_RECORD = msgspec.json.Decoder(Record)
_HEAD = msgspec.json.Decoder(Head)

_MALFORMED = (ValueError, RecursionError)


def releases(source: str, document: bytes) -> Iterator[Raw | Fault]:
    """The releases of a package, of records, of a list or of lines, or the one bare release.

    Of a record, the whole releases where it has them, else the compiled one. A text that is not
    UTF-8 is read as Windows-1252, which ISO-8859-1 is a part of. A broken line or record is a
    Fault in its place; where the last line is broken the document was cut short.

    Raises:
        SourceMalformed: as `package.releases`, and for JSON that holds no release at all.
    """
    body = _utf8(package.opened(source, document))
    try:
        whole = package.decoded(body, msgspec.json.Decoder(Raw))
    except msgspec.DecodeError as error:
        yield from _of_lines(source, body, error)
        return
    except RecursionError:
        raise SourceMalformed(source, Reason.TOO_DEEP) from None
    yield from _of_value(source, whole)


def _utf8(document: bytes) -> bytes:
    try:
        document.decode()
    except UnicodeDecodeError:
        return document.decode("cp1252", "replace").encode()
    return document


def _of_lines(source: str, body: bytes, error: msgspec.DecodeError) -> Iterator[Raw | Fault]:
    """Newline-delimited JSON; what is not that was no JSON in the first place."""
    lines = [line for line in body.splitlines() if line.strip()]
    values = [_value(line) for line in lines]
    if len(lines) < 2 or values[0] is None or values[-1] is None:
        raise SourceMalformed(source, Reason.NOT_JSON.of(error))
    for position, value in enumerate(values):
        if value is None:
            yield Fault(source, position, "", Reason.NOT_JSON.of(f"line {position + 1}"))
        else:
            yield from _of_value(source, value)


def _value(line: bytes) -> Raw | None:
    try:
        return package.decoded(line, msgspec.json.Decoder(Raw))
    except _MALFORMED:
        return None


def _of_value(source: str, value: Raw) -> Iterator[Raw | Fault]:
    start = bytes(value).lstrip()[:1]
    if start == b"[":
        for position, one in enumerate(_LIST.decode(value)):
            yield from _of_member(source, position, one)
        return
    if start != b"{":
        raise SourceMalformed(source, Reason.NOT_A_PACKAGE.of(bytes(value)[:40].decode()))
    try:
        found = _PACKAGE.decode(value)
    except msgspec.ValidationError as error:
        raise SourceMalformed(source, Reason.NOT_A_PACKAGE.of(error)) from None
    if found.releases is None and found.records is None and found.ocid is None:
        raise SourceMalformed(source, Reason.NOT_A_PACKAGE.of("no releases, no records, no ocid"))
    if found.releases is None and found.records is None:
        yield value
    yield from found.releases or ()
    for position, record in enumerate(found.records or ()):
        yield from _of_record(source, position, record)


def _of_member(source: str, position: int, value: Raw) -> Iterator[Raw | Fault]:
    """A member of a list is a release, a package of them, or nothing known."""
    try:
        found = _PACKAGE.decode(value)
    except _MALFORMED:
        yield Fault(source, position, "", Reason.NOT_A_RELEASE)
        return
    if found.releases is None and found.records is None:
        yield value
    else:
        yield from _of_value(source, value)


def _of_record(source: str, position: int, value: Raw) -> Iterator[Raw | Fault]:
    try:
        record = _RECORD.decode(value)
        whole = [one for one in record.releases or () if _HEAD.decode(one).ocid]
    except _MALFORMED as error:
        yield Fault(source, position, "", Reason.WRONG_TYPE.of(error))
        return
    if whole and len(whole) == len(record.releases or ()):
        yield from whole
    elif bytes(record.compiled) != b"null":
        yield record.compiled
    else:
        yield Fault(source, position, "", Reason.NO_TENDER)
