"""What one text of a notice says of each sector: pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from alerts.lexicon import Context, Found, Lexicon, Role, overlaps, within
from alerts.words import Hit, Passage
from subscriptions.sectors import Nature

_STRONG, _WEAK, _PLACE = 0.9, 0.5, 0.25
#: A place that the contract runs, or an organization that an agreement is with.
_RUN = 0.9
#: What remains of what is only for whom, where or of what another sector's words stand.
_ASIDE = 0.6
_EXCLUSIONS = frozenset({Role.NOT, Role.NOT_WEAK})


@dataclass
class Seen:
    """What one text says of one sector."""

    weight: float = 0.0
    #: As published, each once.
    quotes: list[str] = field(default_factory=list)
    #: An exclusion of the sector stands in the text, and leaves nothing of it.
    excluded: bool = False
    #: What the text says is bought, the sector's own words apart: a Nature or "".
    nature: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """What one text says."""

    #: Only sectors of which something is said, were it an exclusion.
    sectors: dict[str, Seen]
    #: What it says is bought: a Nature or "".
    nature: str


@dataclass(frozen=True, slots=True)
class _Text:
    """A text while it is read: its words and what of the catalogue stands in it."""

    words: Passage
    #: What is nobody's own: contexts and natures.
    general: list[Found]
    #: The strong words of all sectors that take what the text says is bought.
    strong: list[Found]


def read(text: str, lexicon: Lexicon) -> Read:
    """What a text says of each sector, and of what is bought."""
    words, found = lexicon.read(text)
    general: list[Found] = []
    owned: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        (owned[one.owner] if one.owner else general).append(one)
    sectors = {
        slug: Seen(excluded=True)
        for slug, ones in owned.items()
        if all(one.role in _EXCLUSIONS for one in ones)
    }
    kept = {slug: _kept(ones) for slug, ones in owned.items() if slug not in sectors}
    telling = _telling(general)
    natures = {slug: _nature(telling, ones, words) for slug, ones in kept.items()}
    strong = [
        one
        for slug, ones in kept.items()
        if not natures[slug] or natures[slug] in lexicon.sectors[slug].natures
        for one in ones
        if one.role is Role.STRONG
    ]
    whole = _Text(words, general, strong)
    nature = _nature(telling, (), words)
    for seen in sectors.values():
        seen.nature = nature
    sectors |= {slug: _seen(whole, ones, natures[slug]) for slug, ones in kept.items()}
    return Read(sectors, nature)


def _kept(found: list[Found]) -> list[Found]:
    """The words of a sector that its exclusions leave.

    The scope of an exclusion: where it has a word in common with a keyword of the sector (« sel
    de déglaçage »), that keyword and the weaker words; where it stands elsewhere, all; as a part
    of a longer keyword, nothing.
    """
    words = [one for one in found if one.role not in _EXCLUSIONS]
    for exclusion in (one for one in found if one.role in _EXCLUSIONS):
        hit = exclusion.hit
        if any(_is_part(hit, one.hit) for one in words):
            continue
        strong = [one for one in words if one.role is Role.STRONG]
        words = strong
        if exclusion.role is Role.NOT:
            words = [one for one in strong if not overlaps(one.hit, hit)]
            if len(words) == len(strong):
                return []
    return words


def _is_part(hit: Hit, longer: Hit) -> bool:
    """True where a phrase is some of the words of a longer one, not a stranger between them."""
    return (
        within(hit, longer)
        and len(hit.phrase.stems) < len(longer.phrase.stems)
        and set(hit.phrase.stems) <= set(longer.phrase.stems)
    )


def _seen(text: _Text, found: list[Found], nature: str) -> Seen:
    """`found` is what the sector's exclusions left; nothing, where they left nothing."""
    seen = Seen(excluded=not found, nature=nature)
    quotes: dict[str, None] = {}
    for one in found:
        weight = _weight(one, text.general) * (_ASIDE if _is_aside(text, one, found) else 1)
        seen.weight = max(seen.weight, weight)
    for hit in _widest(found):
        quotes[text.words.quote(hit.start, hit.end)] = None
    seen.quotes += quotes
    return seen


def _widest(found: list[Found]) -> list[Hit]:
    """The hits that do not lie within another: « entretien ménager » without « entretien »."""
    widest: list[Hit] = []
    for hit in sorted((one.hit for one in found), key=lambda hit: (hit.start, -hit.end)):
        if not widest or hit.end > widest[-1].end:
            widest.append(hit)
    return widest


def _weight(one: Found, general: list[Found]) -> float:
    if one.role is Role.STRONG:
        return _STRONG
    if one.role is Role.WEAK:
        return _WEAK
    agreed = any(other.role is Context.AGREEMENT for other in general)
    runs = (other.hit for other in general if other.role is Context.RUNNING)
    return _RUN if agreed or any(_follows(one.hit, run) for run in runs) else _PLACE


def _follows(hit: Hit, run: Hit) -> bool:
    return run.end <= hit.start <= run.end + 1


def _is_aside(text: _Text, one: Found, own: list[Found]) -> bool:
    """True where the words of another sector tell what is bought, and this one only qualifies it.

    « Déménagement pour la bibliothèque », « transport de denrées »; a weak word yields to any
    keyword.
    """
    others = [other.hit for other in text.strong if other.owner != one.owner]
    if one.role is Role.WEAK:
        return bool(others)
    start = one.hit.start
    before = [hit for hit in others if hit.end <= start]
    if not before or min(other.hit.start for other in own) < min(hit.start for hit in before):
        return False
    words = text.words.words
    if words[start].aside and not all(words[hit.start].aside for hit in before):
        return True
    return any(all(word.of for word in words[hit.end : start + 1]) for hit in before)


def _telling(general: Iterable[Found]) -> list[Found]:
    """The words that tell what is bought, the most telling first: studies, then the first.

    None in an agreement, whose partner's name often holds such a word.
    """
    told = []
    for one in general:
        if one.role is Context.AGREEMENT:
            return []
        if isinstance(one.role, Nature):
            told.append(one)
    told.sort(key=lambda one: (one.role is not Nature.STUDIES, one.hit.start, -one.hit.end))
    return told


def _nature(telling: list[Found], own: Iterable[Found], text: Passage) -> str:
    """What is bought, the keywords of the sector itself apart (« aménagement forestier »).

    Nor does a word count that is of what stands after a keyword (« dossiers de construction »),
    studies apart.
    """
    keywords = [one.hit for one in own if one.role is Role.STRONG]
    for one in telling:
        if any(within(one.hit, word) for word in keywords):
            continue
        of = text.words[one.hit.start].of and any(word.end <= one.hit.start for word in keywords)
        if one.role is Nature.STUDIES or not of:
            return str(one.role)
    return ""
