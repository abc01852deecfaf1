"""Why a document or one release of it was refused: the words before the colon in `reason`.

A reason is one of these, or one of these, ": " and what was found ("wrong type: $.tender.title:
Expected `str`, got `int`"). Staff read them in French: see scripts.sources_words.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Each says what is wrong; the value is what logs and rows hold."""

    # Of a whole document.
    EMPTY = "empty document"
    HTML = "a web page, not JSON"
    NOT_JSON = "not JSON, or cut short"
    NOT_A_PACKAGE = "not a release package"
    NOT_A_LISTING = "not a CKAN package_show answer"
    TOO_DEEP = "nested too deeply"
    TOO_LARGE = "too large"
    NOT_A_FEED = "not an RSS or Atom feed"
    NOT_A_TABLE = "not the expected table"
    NOT_AN_ANSWER = "not an answer of the search"
    CUT_SHORT = "cut short"
    ENTITIES = "XML entities declared"
    NOTHING_LISTED = "no weekly file listed"
    UNREADABLE = "file cannot be read"
    NOT_A_SPREADSHEET = "not a spreadsheet of invitations"
    CHANGED_SHAPE = "not of the shape that its source had"
    # Of an answer.
    WRONG_SIZE = "not the announced size"
    WRONG_ENCODING = "content encoding not asked for"
    WRONG_STATUS = "unexpected status"
    REFUSED_ADDRESS = "address not allowed"
    TOO_MANY_REDIRECTS = "redirected too often"
    NO_ANSWER = "no answer"
    TOO_SLOW = "too slow"
    BUSY = "the source cannot answer now"
    # Of one release.
    NOT_ALL = "not all that is announced was listed"
    NO_REFERENCE = "no reference number"
    NOTHING_SAID = "neither title nor address"
    WRONG_CELLS = "wrong number of cells"
    NOT_A_RELEASE = "not a release"
    NOT_UTF8 = "not UTF-8"
    NO_OCID = "no ocid"
    TWO_OCIDS = "ocid given twice"
    OCID_TOO_LONG = "ocid too long"
    NO_RELEASE_ID = "id is not a moment of 14 digits"
    NO_TAG = "no tag"
    NO_TENDER = "no tender"
    NO_TITLE = "no title"
    NO_BUYER = "no buyer"
    NO_DEADLINE = "no closing day and hour"
    CLOSED = "closed already"
    WRONG_TYPE = "wrong type"

    def of(self, found: object) -> str:
        """The reason with what was found, cut at 300 characters."""
        return f"{self}: {found}"[:300]


def parted(reason: str) -> tuple[Reason | None, str]:
    """The reason of a text made here, and what was found; (None, text) for any other text."""
    head, _, found = reason.partition(": ")
    return (Reason(head), found) if head in set(Reason) else (None, reason)
