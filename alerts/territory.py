"""Whether a place is within the territory that a contact named: pure.

Names are compared as people write them: « MRC des Laurentides » is the directory's « MRC Les
Laurentides », « St-Jérôme » is « Saint-Jérôme ». One that says its kind is of that kind only:
« MRC des Laurentides » is not the region.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from base.text import fold
from sources.places import Place, delivered, load

_SAID = frozenset({"d", "de", "des", "du", "l", "la", "le", "les", "qc", "quebec"})
_KINDS = {
    "mrc": "mrc",
    "region": "region",
    "ville": "municipality",
    "municipalite": "municipality",
    "village": "municipality",
    "paroisse": "municipality",
    "canton": "municipality",
}
_SHORT = {"st": "saint", "ste": "sainte"}
#: Places that keep nothing away: the letter says that they must be looked up.
OPEN = frozenset({"unknown", "to check"})


#: Its kind, "" where none is said, and the name without it.
Name = tuple[str, str]
_NOTHING: Name = ("", "")


def within(place: Place, territory: Iterable[str]) -> bool:
    """Whether the place is, or may be, in one of those; always where none is named.

    Where the buyer's place keeps nothing away, the places of delivery decide, if all are known.
    """
    wanted = named(territory)
    if not wanted:
        return True
    here = names(place)
    return here is None or not here.isdisjoint(wanted)


def named(territory: Iterable[str]) -> set[Name]:
    """What the names of a territory name; nothing where they are but small words."""
    return {_named(name) for name in territory} - {_NOTHING}


@lru_cache(maxsize=20_000)
def names(place: Place) -> frozenset[Name] | None:
    """All that names the place, or one of delivery; None where the place keeps nothing away."""
    where = delivered(load(), place.delivery)
    if place.basis not in OPEN:
        where = (place, *where)
    return frozenset(name for one in where for name in _names(one)) if where else None


def _names(place: Place) -> Iterator[Name]:
    here = (
        ("municipality", place.municipality),
        ("mrc", place.mrc),
        ("region", place.region),
    )
    for kind, name in here:
        if name:
            bare = _named(name)[1]
            yield from ((kind, bare), ("", bare))


@lru_cache(maxsize=20_000)
def _named(name: str) -> Name:
    """The kind that a name says, or "", and the name without it."""
    words = fold(name).replace("'", " ").split()
    kind = next((_KINDS[word] for word in words[:1] if word in _KINDS), "")
    bare = [_SHORT.get(w, w) for w in words[1 if kind else 0 :] if w not in _SAID]
    return (kind, " ".join(bare)) if bare else ("", fold(name))
