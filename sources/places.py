"""Where a buyer is: municipality, MRC and region, from its name, then from its address.

The region-code trap: SEAO files of 2013 number the regions after SEAO's own list (14 Laurentides,
15 Montérégie, 16 Lanaudière), files of 2018-2021 after the official one (14 Lanaudière,
15 Laurentides, 16 Montérégie), and those of 2026 carry no region of delivery at all. So a bare
number is never read as a region here, and never returned: only names are.

A wrong place hides a notice from those who would answer it, and an unknown one does not: what
stays ambiguous is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from base.text import fold
from sources.municipalities import (
    LINKS,
    Directory,
    Entry,
    Words,
    compact,
    folded,
    load,
    skip,
    split,
)

__all__ = ["Directory", "Place", "load", "place"]

#: Characters of a name that are looked at: a hostile one may have millions.
_MOST = 300
_DESIGNATIONS = {
    "ville": "Ville",
    "cite": "Ville",
    "paroisse": "Paroisse",
    "canton": "Canton",
    "cantons": "Cantons unis",
    "village": "Village",
}
_HEAD = frozenset(_DESIGNATIONS) | {"municipalite", "unis"}
#: Designations of territories and communities: a homonym that is a municipality comes first.
_ORGANISED = frozenset({"Municipalité", *_DESIGNATIONS.values()})
#: Bodies that bear a municipality's name without « de », folded.
_KINDS = frozenset({"cegep", "college", "omh", "transport", "habitation"})
#: Bodies of the province or of Canada, folded: their address is not where the work is.
_PROVINCIAL = re.compile(
    r"\b(?:ministere|mtq|mtmdet|mtmd|mamh|sqi|sante quebec|cisss|ciusss|cusm|chum|crdi"
    r"|centre (?:integre|d'acquisitions|de services partages|de gestion de l'equipement)"
    r"|centre (?:de sante|hospitalier)|chu|cger|sepaq|hydro quebec|revenu quebec|loto quebec"
    r"|surete du quebec|societe (?:quebecoise|de l'assurance|des traversiers|des alcools"
    r"|des etablissements|du plan nord|d'habitation du quebec|de developpement de la baie)"
    r"|secretariat|assemblee nationale|bureau du coroner|curateur|cnesst|retraite quebec"
    r"|regie (?:de l'assurance|du batiment|de l'energie)|office (?:de la|des|quebecois)"
    r"|conseil de gestion|commission (?:des (?:services juridiques|normes)|de la construction)"
    r"|financiere agricole|transition energetique|hema quebec|investissement quebec|canada)\b"
)
_PARTS = re.compile(r"\s+[-–—]\s*|[,;(/]|\s+\.\s+")
#: Bodies of several regions: exo, the ARTM, the metropolitan communities.
_METROPOLITAN = re.compile(r"\b(?:transport metropolitain|communaute metropolitaine)\b")
#: Named after a place where it is not.
_MISLEADING = " universite laval "


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a buyer is, in names a reader knows; "" for what is not known or does not apply."""

    municipality: str
    mrc: str
    region: str
    #: "name", "postal code" (locality or code of the address), "to check" or "unknown".
    basis: str
    #: Where the source says that it delivers, as published; the directory may not know a name.
    delivery: tuple[str, ...] = ()


_UNKNOWN = Place(municipality="", mrc="", region="", basis="unknown")


def place(
    directory: Directory, *, buyer: str, municipal: bool | None, locality: str, postal_code: str
) -> Place:
    """Place a buyer: by its name, else by its address, else nowhere.

    The name wins over the address because the address may be an agent's or a head office's. A body
    of the province or of Canada has "to check": the region that its name tells, or none.
    """
    buyer, locality = buyer[:_MOST], locality[:_MOST]
    parts = [split(part) for part in _PARTS.split(buyer) if fold(part)]
    name = fold(buyer)
    if _METROPOLITAN.search(name):
        return Place(municipality="", mrc="", region="", basis="to check")
    if municipal is not True and _PROVINCIAL.search(name):
        return Place(municipality="", mrc="", region=_region(directory, parts), basis="to check")
    area = _area(directory, postal_code)
    return (
        _by_name(directory, parts, area, postal_code)
        or _by_address(directory, locality, area, postal_code)
        or _UNKNOWN
    )


def delivered(directory: Directory, names: Iterable[str]) -> tuple[Place, ...]:
    """The places of delivery regions; none where one of the names may be anywhere.

    « Canada », « Québec sauf RCN » and codes are not of the directory, « Québec » is the province.
    """
    places: list[Place] = []
    for name in names:
        key = folded(name[:_MOST])
        region = directory.regions.get(key, "")
        if region:
            places.append(Place(municipality="", mrc="", region=region, basis="name"))
            continue
        entries = () if key == "quebec" else directory.municipalities.get(key, ())
        if not entries:
            return ()
        places += [
            Place(municipality=e.name, mrc=e.mrc, region=e.region, basis="name") for e in entries
        ]
    return tuple(places)


def _by_name(directory: Directory, parts: list[Words], area: str, postal_code: str) -> Place | None:
    for part in parts:
        found = _mrc(directory, part)
        if found:
            return Place(municipality="", mrc=found.mrc, region=found.region, basis="name")
        entries = _named(directory, part)
        if entries:
            # Ambiguous stays unknown: an agent's address must not choose for a homonym.
            return _common(_decide(entries, part, area, postal_code), "name") or _UNKNOWN
    region = _region(directory, parts)
    return Place(municipality="", mrc="", region=region, basis="name") if region else None


def _mrc(directory: Directory, part: Words) -> Entry | None:
    """The MRC of « MRC des Laurentides » or « Municipalité régionale de comté … »."""
    words = part.words
    marks = [n for n, word in enumerate(words) if word == "mrc"]
    if words[:4] == ("municipalite", "regionale", "de", "comte"):
        marks.append(3)
    for mark in marks:
        start = skip(words, mark + 1)
        for run in part.runs(start):
            if run in directory.mrcs:
                return directory.mrcs[run]
    return None


def _named(directory: Directory, part: Words) -> tuple[Entry, ...]:
    """What a part of a name can mean: after « Ville de », a municipality, else any longest name."""
    start = 1 if part.words[0] in LINKS and len(part.words) > 1 else 0
    if part.words[start] in _HEAD:
        return _headed(directory, part, start)
    best: list[tuple[int, Entry]] = []
    for start in range(len(part.words)):
        for run in part.runs(start):
            found = _meant(directory, part, start, run)
            if found:
                best += [(run.count(" "), entry) for entry in found]
                break
    longest = max((length for length, _ in best), default=0)
    return tuple(entry for length, entry in best if length == longest)


def _meant(directory: Directory, part: Words, start: int, run: str) -> tuple[Entry, ...]:
    """The municipalities of that name in a body's name, and the MRC where it differs."""
    words = part.words
    whole = run == " ".join(words)
    introduced = whole or (start > 0 and words[start - 1] in LINKS | _KINDS)
    towns = directory.municipalities.get(run, ()) if introduced and run != "quebec" else ()
    mrc = directory.mrcs.get(run) if introduced or " " in run else None
    if mrc is None or any(town.region == mrc.region for town in towns):
        return towns
    return (*towns, replace(mrc, name="", designation="", postal_code=""))


def _headed(directory: Directory, part: Words, start: int) -> tuple[Entry, ...]:
    """After « Ville de », « Municipalité du Canton de » …: the name, with or without article."""
    words = part.words
    while start < len(words):
        for run in part.runs(start):
            found = directory.municipalities.get(run)
            if found is None and words[start - 1] in LINKS:
                found = directory.bare.get(run)
            if found:
                return found
        if words[start] not in _HEAD | LINKS:
            return directory.beginnings.get(" ".join(words[start:]), ())
        start += 1
    return ()


def _decide(
    entries: tuple[Entry, ...], part: Words, area: str, postal_code: str
) -> tuple[Entry, ...]:
    """Of homonyms, those that the town hall's code, the area's region or the designation point to.

    « Municipalité » says little: parishes and townships call themselves so, but cities do not.
    """
    said = {_DESIGNATIONS[w] for w in part.words[:4] if w in _DESIGNATIONS}
    organised = tuple(e for e in entries if e.designation in _ORGANISED)
    entries = organised or entries
    for kept in (
        [e for e in entries if e.postal_code == compact(postal_code)],
        [e for e in entries if e.region == area],
        [e for e in entries if e.designation in said],
        [e for e in entries if e.designation != "Ville" and "municipalite" in part.words[:2]],
    ):
        entries = tuple(kept) or entries
        if len(entries) == 1:
            break
    return entries


def _by_address(directory: Directory, locality: str, area: str, postal_code: str) -> Place | None:
    entries = directory.municipalities.get(folded(locality), ())
    if entries:
        return _common(_decide(entries, split(locality), area, postal_code), "postal code")
    entries = directory.codes.get(compact(postal_code), ())
    if entries:
        return _common(entries, "postal code")
    return Place(municipality="", mrc="", region=area, basis="postal code") if area else None


def _common(entries: Iterable[Entry], basis: str) -> Place | None:
    """What all the entries say; None where not even the region is the same."""
    names, mrcs, regions = zip(*((e.name, e.mrc, e.region) for e in entries), strict=True)
    if len(set(regions)) > 1:
        return None
    mrc = mrcs[0] if len(set(mrcs)) == 1 else ""
    municipality = names[0] if len(set(names)) == 1 and len(set(mrcs)) == 1 else ""
    return Place(municipality=municipality, mrc=mrc, region=regions[0], basis=basis)


def _region(directory: Directory, parts: list[Words]) -> str:
    """The one region that a name tells; "" where it tells none or several."""
    text = f" {' '.join(' '.join(part.words) for part in parts)} "
    text = text.replace(_MISLEADING, " ")
    found = {name for key, name in directory.regions.items() if f" {key} " in text}
    return found.pop() if len(found) == 1 else ""


def _area(directory: Directory, postal_code: str) -> str:
    return directory.areas.get(compact(postal_code)[:3], "")
