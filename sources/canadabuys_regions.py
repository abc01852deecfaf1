"""Where CanadaBuys says that a contract is delivered: in Québec, everywhere, or elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from base.text import fold
from sources import municipalities

#: Folded names, French and English, that take Québec in.
_EVERYWHERE = frozenset({"canada", "monde", "world", "partout au canada", "across canada"})
#: Folded names that say nothing.
_UNSAID = frozenset({"", "non specifiee", "non specifie", "unspecified", "not specified"})
#: The other provinces and territories, folded, as rows and addresses write them.
_ELSEWHERE = frozenset(
    {
        *("ontario", "on", "ont", "manitoba", "mb", "alberta", "ab", "saskatchewan", "sk", "c b"),
        *("british columbia", "bc", "colombie britannique", "yukon", "yt", "nunavut", "nu"),
        *("new brunswick", "nb", "nouveau brunswick", "nova scotia", "ns", "nouvelle ecosse"),
        *("prince edward island", "pe", "ile du prince edouard", "newfoundland and labrador", "nl"),
        *("terre neuve et labrador", "northwest territories", "nt", "territoires du nord ouest"),
    }
)
_QUEBEC = frozenset({"quebec", "qc", "que", "pq"})
#: First letters of Québec's postal codes.
_QUEBEC_CODES = ("G", "H", "J")


def reaches_quebec(delivered: Iterable[str], opened: Iterable[str], seat: str, code: str) -> bool:
    """Whether a call is one to tell in Québec.

    The regions of delivery decide; where they are not said, those that may bid, then the province
    and the postal code of who buys. Where none of it is said, yes: what is unknown is shown.
    The National Capital Region alone is Ottawa and Gatineau, and no.
    """
    for regions in (_said(delivered), _said(opened)):
        if regions:
            return any(_in_quebec(name, regions) for name in regions)
    if fold(seat) in _QUEBEC or code.strip().upper().startswith(_QUEBEC_CODES):
        return True
    return not _is_elsewhere(fold(seat)) and not code.strip()


def town(delivered: Iterable[str]) -> str:
    """The one Québec town of delivery, "" where there is none or more than a town."""
    found = list(_said(delivered).values())
    return found[0] if len(found) == 1 and _is_town(fold(found[0])) else ""


def _said(regions: Iterable[str]) -> dict[str, str]:
    """The names that say something, by their folded form."""
    return {key: name for name in regions if (key := fold(name)) not in _UNSAID}


def _in_quebec(name: str, regions: Iterable[str]) -> bool:
    if name in _EVERYWHERE or name.split(maxsplit=1)[0] in {"quebec", "qc"}:
        return True
    # Windsor and Richmond are towns of two provinces: beside Ontario, Windsor is Ontario's.
    return _is_town(name) and not any(map(_is_elsewhere, regions))


def _is_elsewhere(name: str) -> bool:
    """«ontario sauf rcn» as well as «ontario»."""
    return name in _ELSEWHERE or name.startswith("ontario ")


def _is_town(name: str) -> bool:
    directory = municipalities.load()
    key = municipalities.folded(name)
    return key in directory.municipalities or key in directory.regions
