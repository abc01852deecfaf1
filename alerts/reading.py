"""What one text of a notice says of each sector: pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from alerts.lexicon import Context, Found, Lexicon, Role, within
from alerts.words import Hit, Passage
from subscriptions.sectors import Nature

_STRONG, _WEAK, _PLACE = 0.9, 0.5, 0.25
#: A place that the contract runs, or an organization that an agreement is with.
_RUN, _WEAK_IN_AGREEMENT = 0.9, 0.7
#: What remains of what is only for whom, where or of what another sector's words stand.
_ASIDE = 0.6
_EXCLUSIONS = frozenset({Role.NOT, Role.NOT_WEAK})


@dataclass
class Seen:
    """What one text says of one sector."""

    weight: float = 0.0
    quotes: list[str] = field(default_factory=list)
    #: An exclusion of the sector stands in the text.
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """What one text says."""

    #: Only sectors of which something is said, were it an exclusion.
    sectors: dict[str, Seen]
    #: What it says is bought: the first word that tells, but studies wherever; "" if none does.
    nature: str


def read(text: str, lexicon: Lexicon) -> Read:
    """What a text says of each sector, and of what is bought."""
    words, found = lexicon.read(text)
    general = [one for one in found if not one.owner]
    owned: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        if one.owner:
            owned[one.owner].append(one)
    kept = {slug: _kept(ones) for slug, ones in owned.items()}
    said = [one for ones, _ in kept.values() for one in ones]
    sectors = {
        slug: _seen(words, ones, excluded, general, said)
        for slug, (ones, excluded) in kept.items()
    }
    return Read(sectors, _nature(general))


def _kept(found: Iterable[Found]) -> tuple[list[Found], bool]:
    """The words of a sector that its exclusions leave, and whether one of these stands alone.

    The scope of an exclusion: where it holds a keyword of the sector (« sel de déglaçage »), that
    word only; where it stands elsewhere, all; as a part of a longer keyword, none.
    """
    words = [one for one in found if one.role not in _EXCLUSIONS]
    for exclusion in (one for one in found if one.role in _EXCLUSIONS):
        if any(_is_part(exclusion.hit, one.hit) for one in words):
            continue
        held = [one for one in words if within(one.hit, exclusion.hit)]
        if exclusion.role is Role.NOT_WEAK:
            held = [one for one in words if one.role is not Role.STRONG]
        elif all(one.role is not Role.STRONG for one in held):
            return [], True
        words = [one for one in words if one not in held]
        if not words:
            return [], True
    return words, False


def _is_part(hit: Hit, longer: Hit) -> bool:
    """True where a phrase is some of the words of a longer one, not a stranger between them."""
    return (
        within(hit, longer)
        and len(hit.phrase.stems) < len(longer.phrase.stems)
        and set(hit.phrase.stems) <= set(longer.phrase.stems)
    )


def _seen(
    words: Passage,
    found: list[Found],
    excluded: bool,
    general: list[Found],
    said: list[Found],
) -> Seen:
    seen = Seen(excluded=excluded)
    for one in found:
        weight = _weight(one, general)
        if _is_aside(words, one, said):
            weight *= _ASIDE
        seen.weight = max(seen.weight, weight)
        seen.quotes.append(words.quote(one.hit.start, one.hit.end))
    return seen


def _weight(one: Found, general: list[Found]) -> float:
    if one.role is Role.STRONG:
        return _STRONG
    agreed = any(other.role is Context.AGREEMENT for other in general)
    if one.role is Role.WEAK:
        return _WEAK_IN_AGREEMENT if agreed else _WEAK
    runs = (other.hit for other in general if other.role is Context.RUNNING)
    return _RUN if agreed or any(_follows(one.hit, run) for run in runs) else _PLACE


def _follows(hit: Hit, run: Hit) -> bool:
    return run.end <= hit.start <= run.end + 1


def _is_aside(words: Passage, one: Found, said: list[Found]) -> bool:
    """True where another sector's strong word comes before and this one only qualifies it.

    « Déménagement pour la bibliothèque », « transport de denrées ».
    """
    first = words.words[one.hit.start]
    others = [
        other.hit
        for other in said
        if other.role is Role.STRONG and other.owner != one.owner and other.hit.end <= one.hit.start
    ]
    mine = [other.hit.start for other in said if other.owner == one.owner]
    if any(start < min(hit.start for hit in others) for start in mine) if others else True:
        return False
    if first.aside:
        return True
    return first.of and any(other.end == one.hit.start for other in others)


def _nature(general: Iterable[Found]) -> str:
    told = [one for one in general if isinstance(one.role, Nature)]
    if any(one.role is Nature.STUDIES for one in told):
        return Nature.STUDIES
    first = min(told, key=lambda one: (one.hit.start, -one.hit.end), default=None)
    return first.role if first else ""
