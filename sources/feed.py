"""RSS and Atom: municipal sites, mostly WordPress in French, and others that staff list.

The bytes are fetched by us (sources.fetch) and parsed by feedparser, which is given no address:
it opens files and fetches pages by itself otherwise.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser

from sources import deadline, feed_calls, feed_guard, feed_identity, fields, prose
from sources.errors import SourceMalformed
from sources.reasons import Reason
from sources.release import Fault, PassedOver, Release, Status

NAME = "feed"
#: What feedparser gives: a dictionary whose keys depend on the feed.
Entry = Mapping[str, Any]

#: Entries of one feed that are read.
_MOST = 2000
_MOST_DOCUMENTS = 50

#: What WordPress ends each entry with: «L’article … est apparu en premier sur … .»
_APPEARED = re.compile(
    r"\b(est apparu en premier sur|a été publié en premier sur|appeared first on)\b"
)
_ARTICLE = re.compile(r"(L[’']article|Cet article|Le billet|The post)\s")
_MORE = re.compile(
    r"\s*(\[(…|\.\.\.|&hellip;)\]|(Lire la suite|Continuer la lecture|En savoir plus)\b.*)$"
)
_HREF = re.compile(r"""href\s*=\s*(?:"([^"<>]{1,2048})"|'([^'<>]{1,2048})')""", re.IGNORECASE)
_FILE = re.compile(r"\.(pdf|docx?|xlsx?|zip|odt)$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Channel:
    title: str
    link: str
    #: Addresses that do not tell one entry from another.
    shared: frozenset[str]


def read(document: bytes) -> Iterator[Release | Fault | PassedOver]:
    """Yield what each entry is, in the feed's order: a call for tenders, or news passed over.

    The closing moment is the one that the text tells (sources.deadline), the buyer the
    organisation it names. A feed without entries yields nothing: no call is closed by that.
    An entry is known again by its address, then by what it is called, never by its guid alone,
    which some sites make anew each day.

    Raises:
        SourceMalformed: as `feed_guard.check`, or no feed (before the first value is yielded).
    """
    feed_guard.check(NAME, document)
    parsed = _parsed(document)
    entries = parsed["entries"][:_MOST]
    channel = _channel(parsed, entries)
    for position, entry in enumerate(entries):
        try:
            yield _read_entry(position, entry, channel)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            yield Fault(NAME, position, "", Reason.WRONG_TYPE.of(error))


def _parsed(document: bytes) -> Entry:
    """What feedparser makes of the bytes; it can raise anything (its issues 277 and 599)."""
    try:
        parsed: Entry = feedparser.parse(
            io.BytesIO(feed_guard.mended(document)),
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except Exception as error:  # noqa: BLE001, a feed may not stop the reading of the others
        raise SourceMalformed(NAME, Reason.NOT_A_FEED.of(type(error).__name__)) from None
    # A bozo feed that has entries is read: most are only sent in another encoding than said.
    broken = parsed["bozo"] and not isinstance(
        parsed.get("bozo_exception"), feedparser.CharacterEncodingOverride
    )
    if not parsed["entries"] and (broken or not parsed["version"]):
        raise SourceMalformed(NAME, Reason.NOT_A_FEED.of(parsed.get("bozo_exception", "no entry")))
    return parsed


def _channel(parsed: Entry, entries: list[Entry]) -> _Channel:
    feed = parsed["feed"]
    link = fields.link(_text(feed, "link").strip())
    links = [link, *(_link(entry, link) for entry in entries)]
    return _Channel(
        title=prose.text(_text(feed, "title"), 300), link=link, shared=feed_identity.shared(links)
    )


def _read_entry(
    position: int,
    entry: Entry,
    channel: _Channel,
) -> Release | Fault | PassedOver:
    title = prose.text(_text(entry, "title"), 2000)
    link = _link(entry, channel.link)
    written = _written(entry)
    lines = _without_boilerplate(prose.lines(written))
    if not title and not link and not lines:
        return Fault(NAME, position, "", Reason.NOTHING_SAID)
    published_at = _moment(entry, "published")
    found = deadline.find([title, *lines], published_at=published_at)
    ocid = feed_identity.ocid(
        link=link,
        guid=_text(entry, "id"),
        title=title or " ".join(lines)[:300],
        published_at=published_at,
        shared=channel.shared,
    )
    if not _is_call(entry, title, lines, channel, closes=found is not None):
        return PassedOver(NAME, ocid)
    changed_at = _moment(entry, "updated")
    return Release(
        source=NAME,
        ocid=ocid,
        release_id=changed_at.strftime("%Y%m%d%H%M%S") if changed_at else "",
        published_at=published_at,
        changed_at=changed_at or published_at,
        status=Status.CANCELLED if feed_calls.is_cancelled(title) else Status.ACTIVE,
        title=title,
        buyer=fields.name(feed_calls.buyer(title, channel.title, lines), 500),
        buyer_id="",
        municipal=None,
        locality="",
        postal_code="",
        reference=fields.text(feed_calls.reference(title, lines), 255),
        number=feed_calls.seao_number(lines),
        category=None,
        procurement_method_details="",
        closes_at=found.closes_at if found else None,
        items=(),
        description=fields.text(" ".join(lines), 20_000),
        documents=tuple(_documents(entry, written, link)),
        uri=link,
        closing_evidence=found.sentence if found else "",
    )


def _is_call(
    entry: Entry,
    title: str,
    lines: list[str],
    channel: _Channel,
    *,
    closes: bool,
) -> bool:
    if feed_calls.is_over(title):
        return False
    tags = [prose.text(_text(tag, "term"), 200) for tag in entry.get("tags", [])[:50]]
    if any(feed_calls.is_call(text) for text in (title, channel.title, *tags)):
        return True
    return closes and any(map(feed_calls.is_call, lines))


def _text(values: Entry, key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""


def _written(entry: Entry) -> str:
    """The whole text where the feed gives it, else the summary."""
    whole = [_text(one, "value") for one in entry.get("content", [])[:5]]
    return max([*whole, _text(entry, "summary")], key=len)


def _link(entry: Entry, base: str) -> str:
    """The entry's address, a relative one taken from the channel's."""
    written = _text(entry, "link").strip()
    # A guid that says nothing of isPermaLink is taken for a link, «a8f0» too.
    relative = "" if written == _text(entry, "id").strip() else base
    try:
        return fields.link(urljoin(relative, written)) if written else ""
    except ValueError:
        return ""


def _moment(entry: Entry, kind: str) -> datetime | None:
    """`published` or `updated`; feedparser reads no French days, «mar., 05 nov. 2026»."""
    parsed = f"{kind}_parsed"
    if parsed in entry and entry[parsed]:  # noqa: RUF019, `get` gives the one for the other
        year, month, day, hour, minute, second = entry[parsed][:6]
        try:
            found = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        except (ValueError, TypeError):
            return None
        return fields.moment(found.isoformat())
    return deadline.day(entry[kind]) if kind in entry and isinstance(entry[kind], str) else None


def _without_boilerplate(lines: list[str]) -> list[str]:
    """The lines without «L’article … est apparu en premier sur …» and «Lire la suite»."""
    kept = []
    for line in lines:
        appeared = _APPEARED.search(line)
        if appeared:
            starts = [m.start() for m in _ARTICLE.finditer(line, 0, appeared.start())]
            line = line[: starts[-1]] if starts else line  # noqa: PLW2901, the line cut
        kept.append(_MORE.sub(" …", line).strip(" "))
    return [line for line in kept if line not in {"", "…"}]


def _documents(entry: Entry, written: str, link: str) -> Iterator[str]:
    """Files that the entry encloses or its text links to, and its page on SEAO; each once."""
    found = [_text(one, "href") for one in entry.get("enclosures", [])[:_MOST_DOCUMENTS]]
    found += [html.unescape(m[1] or m[2]) for m in _HREF.finditer(written[: prose.LONGEST])]
    seen: set[str] = set()
    for one in found[: 10 * _MOST_DOCUMENTS]:
        try:
            address = fields.link(urljoin(link, one.strip()))
            parts = urlsplit(address)
        except ValueError:
            continue
        wanted = _FILE.search(parts.path) or parts.hostname == "seao.gouv.qc.ca"
        if address and wanted and address not in seen and len(seen) < _MOST_DOCUMENTS:
            seen.add(address)
            yield address
