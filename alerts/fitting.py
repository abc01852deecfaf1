"""How much of a digest fits into a letter: arithmetic on what is printed already. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter

from alerts.errors import LetterUnwritable
from alerts.printing import Entry, Printer, Shown
from alerts.sections import SECTIONS

#: Octets of a letter on the wire; Gmail clips at 102 kB, and with it the footer.
LIMIT = 80_000
#: What cards may take of the room where not all fit, so that one-line entries follow.
_CARDS = 0.75
_CARD, _LINE, _PLACE = attrgetter("card"), attrgetter("line"), attrgetter("place")


def fitted(
    printer: Printer, shown: Sequence[Shown], stream: str, *, room: int, link: int
) -> tuple[list[Entry], int]:
    """What stands between top and foot, section by section, and how many cards are in it.

    All as cards where they fit in `room` octets; else the most useful as cards, the next as
    one-line entries, and a count of the rest. `link` is the length of the reader's link.

    Raises:
        LetterUnwritable: there is no room even for the count.
    """
    parts = {
        place: [printer.section(SECTIONS[place], stream)] for place in sorted({*map(_PLACE, shown)})
    }
    for (heading,) in parts.values():
        room -= _size(heading, link)
    cards = _within(room, map(_CARD, shown), link)
    lines: list[Entry] = []
    if len(cards) < len(shown):
        room -= _size(printer.rest(len(shown)), link)
        cards = _within(int(room * _CARDS), cards, link)
        room -= sum(_size(card, link) for card in cards)
        lines = _within(room, map(_LINE, shown[len(cards) :]), link)
    if room < 0:
        raise LetterUnwritable(f"{-room} octets too many without any notice")
    rest = len(shown) - len(cards) - len(lines)
    for place, entry in zip(map(_PLACE, shown), [*cards, *lines], strict=False):
        parts[place].append(entry)
    made = [entry for part in parts.values() if len(part) > 1 for entry in part]
    return made + ([printer.rest(rest)] if rest else []), len(cards)


def _size(entry: Entry, link: int) -> int:
    return entry.octets + entry.links * link


def _within(room: int, entries: Iterable[Entry], link: int) -> list[Entry]:
    """The first of the entries, as many as fit."""
    fitting = []
    for entry in entries:
        room -= entry.octets + entry.links * link
        if room < 0:
            break
        fitting.append(entry)
    return fitting
