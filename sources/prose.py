"""HTML from outside made plain text: no tag, no script, no entity left. Pure; never raises."""

from __future__ import annotations

import html
import re

import nh3

from base.text import clean
from sources import fields

#: What is longer is cut before it is cleaned: a description is kept to 20,000 characters.
LONGEST = 100_000
_DESCRIPTION = 20_000

#: Elements that end a line. Taken out first: the parser needs the square of their depth.
_BLOCKS = re.compile(
    r"</?(?:address|article|aside|blockquote|br|button|caption|center|dd|details|dialog|dir|div|dl"
    r"|dt|fieldset|figcaption|figure|footer|form|h[1-6]|header|hgroup|hr|li|main|menu|nav|ol|optgroup|option|p|pre"
    r"|rb|rp|rt|rtc|search|section|summary|table|tbody|td|tfoot|th|thead|tr|ul)\b[^<>]*>",
    re.IGNORECASE,
)
#: Their contents are no text for a reader either.
_SILENT = {"script", "style", "iframe", "noscript", "object", "svg", "math", "template", "title"}
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,31}|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--")
_LINES = re.compile(r"[\r\n\u2028\u2029]+")


def lines(value: object) -> list[str]:
    """The clean, non-empty lines of a text that may be HTML, a block of it being a line.

    An entity that was escaped twice (`&amp;eacute;`) is its character. What is no string is [].
    """
    if not isinstance(value, str):
        return []
    written = value[:LONGEST]
    if not _TAG.search(written) and _ENTITY.search(written):
        written = html.unescape(written)
    if _TAG.search(written):
        bare = _BLOCKS.sub("\n", written)
        written = html.unescape(nh3.clean(bare, tags=set(), clean_content_tags=_SILENT))
    if _ENTITY.search(written):
        written = html.unescape(written)
    return [line for line in (fields.text(one, LONGEST) for one in _LINES.split(written)) if line]


def text(value: object, limit: int = _DESCRIPTION) -> str:
    """The same on one line of at most `limit` characters."""
    return fields.text(clean(" ".join(lines(value))), limit)
