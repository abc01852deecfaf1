"""What a feed is checked for before it is parsed: size, entities, encoding, its end. Pure."""

from __future__ import annotations

import re

from sources.errors import SourceMalformed
from sources.reasons import Reason

#: Bytes of a feed; WordPress gives ten entries, some 200 kB.
LARGEST = 5 * 1024 * 1024
#: Elements within each other.
_DEEPEST = 10_000

#: Encodings in which every character of XML's syntax is its ASCII byte, or that have a mark.
_ENCODING = re.compile(
    r"utf-?8|(us-)?ascii|iso[-_]?8859-[0-9]{1,2}|latin-?[0-9]{1,2}|(windows|cp)-?125[0-9]|macintosh"
    r"|utf-?(16|32)([-_]?[bl]e)?|gb_?2312|gbk|gb18030|big5|shift_jis|euc-(jp|kr)|koi8-[ru]",
    re.IGNORECASE,
)
_DECLARED = re.compile(rb"^\s*<\?[^>]{0,200}?encoding\s*=\s*[\"']([^\"']{0,80})[\"']")
_ENTITY = re.compile(rb"<!ENTITY\s+([^>]{0,400})", re.IGNORECASE)
#: The one use of an entity that real feeds make: the name of a namespace.
_NAMESPACE = re.compile(rb"([A-Za-z]{1,20})\s+[\"']https?://www\.w3\.org/[\w./-]{0,60}[\"']\s*")
_MOST_USES = 100
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));")
_PROLOGUE = re.compile(rb"^(?:\s|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_PAGE = re.compile(rb"<!doctype\s+html\s*>|<html[\s>]", re.IGNORECASE)
_ROOT_ENDS = re.compile(rb"</(?:[\w.-]+:)?(?:rss|feed|rdf|channel)\s*>", re.IGNORECASE)
_ENTRY = re.compile(rb"<(?:[\w.-]+:)?(?:item|entry)[\s>/]")
_TAG = re.compile(rb"<(/?)[A-Za-z_][^<>]*?(/?)>")


def check(source: str, document: bytes) -> None:
    """Let a document pass that may be given to the parser.

    A document type and its address are let pass: the parser drops both and fetches nothing. An
    entity is not, but for the name of a W3C namespace.

    Raises:
        SourceMalformed: empty, too large, a web page, an encoding that hides its syntax, entities
            declared, cut short, nested too deeply.
    """
    if len(document) > LARGEST:
        raise SourceMalformed(source, Reason.TOO_LARGE.of(f"{len(document)} > {LARGEST}"))
    # UTF-16 and UTF-32 are ASCII with NUL bytes, as far as XML's syntax goes.
    plain = document.replace(b"\0", b"")
    plain = plain.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    if not plain.strip():
        raise SourceMalformed(source, Reason.EMPTY)
    declared = _DECLARED.match(plain)
    if declared and not _ENCODING.fullmatch(declared[1].decode("ascii", "replace").strip()):
        raise SourceMalformed(source, Reason.NOT_A_FEED.of(f"encoding {declared[1][:40]!r}"))
    if _PAGE.match(_PROLOGUE.sub(b"", plain, count=1)):
        raise SourceMalformed(source, Reason.HTML)
    _check_entities(source, plain)
    _check_end(source, plain)
    _check_depth(source, plain)


def mended(document: bytes) -> bytes:
    """Without references to characters that do not exist: «&#1114112;» stops the parser."""
    return _REFERENCE.sub(lambda m: m[0] if _exists(m) else b"?", document)


def _exists(reference: re.Match[bytes]) -> bool:
    digits = reference[1] or reference[2]
    if len(digits) > 8:
        return False
    number = int(digits, 16 if reference[1] else 10)
    return 0 < number < 0xD800 or 0xE000 <= number <= 0x10FFFF


def _check_entities(source: str, plain: bytes) -> None:
    for entity in _ENTITY.finditer(plain):
        allowed = _NAMESPACE.fullmatch(entity[1])
        if not allowed or plain.count(b"&%s;" % allowed[1]) > _MOST_USES:
            raise SourceMalformed(source, Reason.ENTITIES)


def _check_end(source: str, plain: bytes) -> None:
    """A feed with entries that does not end was cut, and what it lost cannot be known."""
    entries = [found.start() for found in _ENTRY.finditer(plain)]
    ends = [found.start() for found in _ROOT_ENDS.finditer(plain)]
    if entries and (not ends or ends[-1] < entries[-1]):
        raise SourceMalformed(source, Reason.CUT_SHORT)


def _check_depth(source: str, plain: bytes) -> None:
    depth = 0
    for tag in _TAG.finditer(_without_cdata(plain)):
        if tag[1]:
            depth = max(0, depth - 1)
        elif not tag[2]:
            depth += 1
        if depth > _DEEPEST:
            raise SourceMalformed(source, Reason.TOO_DEEP)


def _without_cdata(plain: bytes) -> bytes:
    first, *rest = plain.split(b"<![CDATA[")
    return first + b"".join(piece.partition(b"]]>")[2] for piece in rest)
