"""Single fields of any source made safe: texts, moments, links. Pure; never raises."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from base.clock import QUEBEC
from base.text import clean

#: Before this a moment is a placeholder: SEAO really has 0001-01-01 and 1900-01-01.
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
#: From then on it is one too: 9999-12-31.
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
#: A call that would close later than this after its publication is an error of typing.
_LONGEST = timedelta(days=5 * 366)
#: «2026-09-28T11:00:00-04:00», or as the specification of 2021 says «2026-09-28 11:00».
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)
#: Words that need neither cleaning nor mending: most texts, found out in one pass.
_LETTERS = "!-~\u00a0-\u00ac\u00ae-\u00c1\u00c4\u00c6-\u0148\u014a-\u017f–—’«»"
_PLAIN = re.compile(f"[{_LETTERS}]+(?: [{_LETTERS}]+)*")
#: Addresses that are all right without taking them apart.
_USUAL = re.compile(r"https://(?:[a-z0-9][a-z0-9-]*[a-z0-9]\.)+[a-z]{2,20}/[A-Za-z0-9/_.~?=&%+-]*")
_URL = re.compile(r"[!-~\u00a1-\uffff]{1,2048}")
#: Of names in lower case, as urlsplit gives them.
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?\.?")
#: What UTF-8 read as cp1252 leaves of é, à, « and œ.
_MOJIBAKE = re.compile("[ÃÂÅ]|â€")
#: Last words that keep their dot.
_ABBREVIATED = frozenset({"inc", "ltée", "ltee", "ltd", "enr", "cie", "co"})


def text(value: object, limit: int) -> str:
    """One clean line of at most `limit` characters, "…" being the last of one that was cut.

    Numbers are written out; anything else that is no string is "".
    """
    if isinstance(value, str) and len(value) <= limit and _PLAIN.fullmatch(value):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    # A hostile text may have millions of characters: what cannot be kept is not cleaned.
    line = clean(_mended(value[: 4 * limit]))
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip(' ')}…"


def _mended(value: str) -> str:
    """«DÃ©neigement» is «Déneigement»; «CHÂTEAU», which is no such chain of bytes, stays."""
    if not _MOJIBAKE.search(value):
        return value
    try:
        return value.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return value


def name(value: object, limit: int) -> str:
    """As `text`, without the trailing dots and blanks of «Ville de Saint-Jérôme.».

    An abbreviation («inc.», «R.-B.») keeps its dot.
    """
    line = text(value, limit)
    bare = line.rstrip(" .\u00a0")
    last = bare.rpartition(" ")[2].casefold()
    return f"{bare}." if line != bare and (last in _ABBREVIATED or "." in last) else bare


def moment(value: object, *, after: datetime | None = None) -> datetime | None:
    """The moment of an ISO 8601 date and time; None for what is absurd or written otherwise.

    One without zone is Québec wall time (SEAO's specification of 30 March 2021); of the hour that
    comes twice in autumn, the earlier. Absurd is before 2000, from 2100 on, or over five years
    past `after`.
    """
    if not isinstance(value, str) or not _MOMENT.fullmatch(value.strip()):
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
        found = (parsed if parsed.tzinfo else parsed.replace(tzinfo=QUEBEC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    late = after is not None and found - after > _LONGEST
    return None if late or not _EARLIEST <= found < _LATEST else found


def link(value: object) -> str:
    """The address as published where it may be linked, else "".

    Only https and http with a named host, no user, no other port than 80 and 443, no blank.
    A host in another script is refused: it may look like one that it is not.
    """
    if isinstance(value, str) and len(value) <= 2048 and _USUAL.fullmatch(value):
        return value
    if not isinstance(value, str) or not _URL.fullmatch(value) or re.search(r'[\\"<>`]', value):
        return ""
    try:
        parts = urlsplit(value)
        allowed = parts.port in {None, 80, 443}
    except ValueError:
        return ""
    plain = parts.scheme in {"https", "http"} and "@" not in parts.netloc
    return value if plain and allowed and _HOST.fullmatch(parts.hostname or "") else ""
