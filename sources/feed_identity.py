"""What an entry of a feed is known by from one reading to the next. Pure.

Guids are missing in some feeds and made anew each day in others, so an entry is known by its
address where it has one of its own, and by its title where it has none.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from base.text import fold
from sources import fields

_TRACKING = re.compile(r"utm_|fbclid$|gclid$|mc_[ce]id$", re.IGNORECASE)
#: WordPress's own «https://site/?p=123», which stays.
_POST = re.compile(r"https?://[^/]+/.*[?&]p=[0-9]+")


def shared(links: Iterable[str]) -> frozenset[str]:
    """Those of a feed's addresses that stand there more than once, its channel's being one."""
    times = Counter(_canonical(link) for link in links)
    return frozenset(link for link, number in times.items() if number > 1 and link)


def ocid(
    *, link: str, guid: str, title: str, published_at: datetime | None, shared: frozenset[str]
) -> str:
    """«feed-{digest}»: of the address; of address and title where others share the address.

    Without address: of the guid where it is itself an address, else of the title and the day of
    publication.
    """
    key = _canonical(link) or _canonical(_address(guid.strip()))
    if not key:
        key = f"{fold(title)} {published_at.date().isoformat() if published_at else ''}"
    elif key in shared:
        key = f"{key} {fold(title)}"
    return f"feed-{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _address(guid: str) -> str:
    return guid if _POST.fullmatch(guid) or fields.link(guid) else ""


def _canonical(link: str) -> str:
    """An address without what changes while the page stays: scheme, www., fragment, trackers."""
    if not link:
        return ""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    host = (parts.hostname or "").removeprefix("www.")
    kept = [(key, value) for key, value in parse_qsl(parts.query) if not _TRACKING.match(key)]
    return f"{host}{parts.path.rstrip('/')}?{urlencode(sorted(kept))}"
