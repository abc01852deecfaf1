"""The digest's templates printed piece by piece, each piece once for all the letters it is in.

templates/emails/digest/body.html and body.txt are whole letters, cut into blocks. A block is
rendered, quoted for the wire and cut at its slots, where each reader's own words go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property, lru_cache, partial
from operator import attrgetter
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple, Self

from markupsafe import escape

from alerts import message
from alerts.digest import Coverage, Digest, Gap, Notice, Period, Reason
from alerts.sections import SECTIONS, Section, place
from alerts.tables import Stream
from alerts.templates import block, lines, template, wrap
from base.text import clean

if TYPE_CHECKING:
    from alerts.letter import Sender

#: What a reader's own letter fills in.
_NAMES = ("name", "lead", "member", "sectors", "reasons", "change", "leave")
_SLOTS = SimpleNamespace(**{name: message.slot(name) for name in _NAMES})
#: Stands for the reader's link in what is kept printed; nothing quoted for the wire has it.
LINK = b"\0"
#: What HTML escapes.
_MARKUP = re.compile("[&<>\"']")
#: Notices kept printed of one moment: those of an edition, with the reasons of all its readers.
_KEPT = 5_000


class Printed(NamedTuple):
    """A piece of a letter in both its parts, as `message.piece` makes them."""

    text: bytes
    html: bytes

    @classmethod
    def of(cls, text: str, html: str) -> Self:
        """Two rendered texts."""
        return cls(message.piece(text), message.piece(html))


NONE = Printed(b"", b"")


class Entry(NamedTuple):
    """What a letter says of one notice, or between notices: `LINK` stands for the reader's link.

    That is the only slot it has: a notice has the link several times, each with another end.
    """

    text: bytes
    html: bytes
    #: Octets without the links, and how many of these there are.
    octets: int
    links: int

    @classmethod
    def of(cls, printed: Printed, reasons: Printed = NONE) -> Self:
        """A piece without any slot but the link and the reasons."""
        text, html = (
            piece % {b"change": LINK, b"reasons": why}
            for piece, why in zip(printed, reasons, strict=True)
        )
        links = text.count(LINK) + html.count(LINK)
        return cls(text, html, len(text + html) - links, links)


_PLACE, _CLOSES_AT = attrgetter("place"), attrgetter("closes_at")
#: Rhythms that no letter at once is ahead of.
_AT_ONCE = frozenset({"", Stream.INSTANT})
_CHANGED = SECTIONS.index(Section.CHANGED)


class Gist(NamedTuple):
    """What a letter says apart from its notices and its reader: the same for many."""

    stream: str
    #: True where it is at once for a reader of a slower rhythm.
    promoted: bool
    frequency: str
    period: Period
    total: int
    #: How many of them are changes or cancellations.
    changed: int
    #: The nearest closing moment that is still ahead.
    nearest: datetime | None
    #: The only notice, where the subject names it.
    sole: Notice | None
    was_due_at: datetime | None
    without_week: bool
    closed_meanwhile: int
    kept_back: int
    at: datetime

    @classmethod
    def of(cls, digest: Digest, shown: Sequence[Shown], at: datetime) -> Self:
        """Of the digest's letter at that moment."""
        named = len(shown) == 1 and digest.stream in {Stream.CHANGE, Stream.REMINDER}
        slower = digest.frequency not in _AT_ONCE
        return cls(
            stream=digest.stream,
            promoted=digest.stream == Stream.INSTANT and slower,
            frequency=digest.frequency,
            period=digest.period,
            total=len(shown),
            changed=list(map(_PLACE, shown)).count(_CHANGED),
            nearest=min(filter(None, map(_CLOSES_AT, shown)), default=None),
            sole=shown[0].notice if named else None,
            was_due_at=digest.was_due_at,
            without_week=digest.without_week,
            closed_meanwhile=digest.closed_meanwhile,
            kept_back=digest.kept_back,
            at=at,
        )


class Foot(NamedTuple):
    """What is said of the sources."""

    coverage: tuple[Coverage, ...]
    gaps: tuple[Gap, ...]
    credits: tuple[str, ...]


class Opening(NamedTuple):
    """How a letter begins."""

    subject: str
    top: Printed


def about(notice: Notice) -> dict[str, object]:
    """A notice, and what both parts say of it line by line."""
    words = {"notice": notice}
    facts = lines("emails/digest/facts.txt", words)
    return words | {"facts": facts, "changes": lines("emails/digest/changes.txt", words)}


def heading(section: Section, stream: str) -> dict[str, object]:
    """The heading of a section in letters of that stream, and what is said under it."""
    first, *rest = lines("emails/digest/section.txt", {"section": section, "stream": stream})
    return {"heading": first, "lines": rest}


def _first(name: str, words: Mapping[str, object]) -> str:
    return lines(f"emails/digest/{name}.txt", words)[0]


def filling(text: str, said: str = "") -> Printed:
    """What fills a slot: the text as it is, and in HTML what is `said`, by default the same."""
    said, plain = said or text, message.ended(text)
    if said == text and not _MARKUP.search(said):
        return Printed(plain, plain)
    return Printed(plain, message.ended(str(escape(said))))


class Shown:
    """A notice as the letters of one moment show it: printed when it is first needed."""

    def __init__(self, moment: Moment, notice: Notice) -> None:
        self._moment, at = moment, moment.at
        self.notice = notice
        section, self.rank = place(notice, at)
        #: That of its section in `SECTIONS`.
        self.place = SECTIONS.index(section)
        #: Still ahead, or None.
        self.closes_at = notice.closes_at if notice.closes_at and notice.closes_at > at else None

    @cached_property
    def card(self) -> Entry:
        """All that is known of it, and why this reader is told."""
        card = self._moment.card(replace(self.notice, reasons=()))
        return Entry.of(card, self._moment.printer.reasons(self.notice.reasons))

    @cached_property
    def line(self) -> Entry:
        """Its number, the beginning of its title, and its closing day."""
        return self._moment.printer.entry("line", notice=self.notice)

    @cached_property
    def lead(self) -> Printed:
        """What is said of it before all else, where it is the first."""
        return self._moment.printer.lead(self.notice, sole=False)


class Moment(dict[Notice, Shown]):
    """The notices as the letters of one moment show them, each made when it is first asked for."""

    def __init__(self, printer: Printer, at: datetime) -> None:
        super().__init__()
        self.printer = printer
        self.at = at
        self.card = lru_cache(_KEPT)(self._card)

    def __missing__(self, notice: Notice) -> Shown:
        if len(self) >= _KEPT:
            self.clear()
        made = self[notice] = Shown(self, notice)
        return made

    def _card(self, notice: Notice) -> Printed:
        """That of a notice without reasons, with a slot for those of each reader."""
        return self.printer.printed("card", **about(notice), at=self.at)


class Printer:
    """The digest's templates and what was printed of them; made once a process."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._text = template("emails/digest/body.txt")
        self._html = template("emails/digest/body.html")
        self.moment = lru_cache(2)(partial(Moment, self))
        self.opening = lru_cache(2000)(self._opening)
        self.section = lru_cache(200)(self._section)
        self.rest = lru_cache(200)(self._rest)
        self.foot = lru_cache(200)(self._foot)
        self.reasons = lru_cache(_KEPT)(self._reasons)

    def lead(self, notice: Notice, *, sole: bool) -> Printed:
        """What is said of the first notice, in a letter whose only one it may be."""
        said = _first("lead", {"lead": notice, "sole": sole})
        return filling(wrap(said), said)

    def entry(self, name: str, **words: object) -> Entry:
        """A block that stands between top and foot."""
        return Entry.of(self.printed(name, **words))

    def _opening(self, gist: Gist) -> Opening:
        words = gist._asdict()
        told = lines("emails/digest/intro.txt", words)
        top = self.printed("top", heading=_first("heading", words), intro=told)
        return Opening(clean(_first("subject", words)), top)

    def _section(self, section: Section, stream: str) -> Entry:
        return self.entry("section", section=heading(section, stream))

    def _rest(self, rest: int) -> Entry:
        return self.entry("rest", rest=rest)

    def _foot(self, foot: Foot) -> Printed:
        return self.printed("foot", **foot._asdict())

    def _reasons(self, reasons: tuple[Reason, ...]) -> Printed:
        """What fills a card's slot of that name."""
        printed = self.printed("reasons", notice={"reasons": reasons})
        return Printed(*(piece % {} for piece in printed))

    def printed(self, name: str, **words: object) -> Printed:
        """A block with its slots."""
        every = {**words, "slots": _SLOTS, "sender": self._sender}
        return Printed.of(block(self._text, name, every), block(self._html, name, every))
