"""OCDS release packages opened: from bytes to releases that are not decoded yet. Pure."""

from __future__ import annotations

import codecs
import re
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from sources.errors import SourceMalformed
from sources.reasons import Reason

#: Bytes of a document; a month of SEAO, 20,500 releases, has about 92 MB.
LARGEST = 128 * 1024 * 1024

_ESCAPE = re.compile(
    rb"\\(?:(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_NO_NUMBER = re.compile(rb"(:\s*)(?:NaN|-?Infinity)(?=\s*[,}])")
_CONTROLS = bytes.maketrans(bytes(range(32)), b" " * 32)


class _Package(Struct):
    releases: list[Raw]


_Shape = TypeVar("_Shape")
_PACKAGE = msgspec.json.Decoder(_Package)


def releases(source: str, document: bytes) -> list[Raw]:
    """The releases of a package, undecoded, so that a broken one can be told from the others.

    A byte order mark is accepted.

    Raises:
        SourceMalformed: empty, too large, a web page, cut short, nested too deeply, no package.
    """
    document = opened(source, document)
    try:
        return decoded(document, _PACKAGE).releases
    except msgspec.ValidationError as error:
        raise SourceMalformed(source, Reason.NOT_A_PACKAGE.of(error)) from None
    except msgspec.DecodeError as error:
        raise SourceMalformed(source, Reason.NOT_JSON.of(error)) from None
    except RecursionError:
        raise SourceMalformed(source, Reason.TOO_DEEP) from None


def opened(source: str, document: bytes) -> bytes:
    """The document without its byte order mark.

    Raises:
        SourceMalformed: empty, too large, a web page.
    """
    if len(document) > LARGEST:
        raise SourceMalformed(source, Reason.TOO_LARGE.of(f"{len(document)} > {LARGEST}"))
    document = document.removeprefix(codecs.BOM_UTF8)
    start = document.lstrip()[:1]
    if not start:
        raise SourceMalformed(source, Reason.EMPTY)
    if start == b"<":
        raise SourceMalformed(source, Reason.HTML)
    return document


def decoded(document: bytes, decoder: msgspec.json.Decoder[_Shape]) -> _Shape:
    """The document decoded; where it is no JSON, without what `_mended` takes out.

    Raises msgspec.DecodeError (ValidationError where only the shape is wrong), RecursionError.
    """
    try:
        return decoder.decode(document)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        mended = _mended(document)
        if mended == document:
            raise
        return decoder.decode(mended)


def _mended(document: bytes) -> bytes:
    """Without what one careless field puts into a file that is JSON but for it.

    Lone surrogates, control characters within strings, NaN and Infinity: each would hide all
    the other releases.
    """
    document = document.translate(_CONTROLS)
    if b"\\u" in document:
        document = _ESCAPE.sub(lambda m: rb"\ufffd" if m[2] else m[0], document)
    return _NO_NUMBER.sub(rb"\1null", document)
