"""The listing of a CKAN dataset (`package_show`): which weekly files there are. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from sources.errors import SourceMalformed
from sources.reasons import Reason
from sources.weeks import period

#: Two days, in the name of a weekly or monthly file, of a copy or of an excerpt of one.
_WEEKLY = re.compile(r"hebdo_[0-9]{8}_[0-9]{8}\.json", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """One weekly file of the dataset."""

    name: str
    url: str
    first: date
    last: date
    #: When CKAN says that it was put there.
    modified_at: datetime


class _Resource(Struct):
    #: A text, or {"fr": …} where the portal translates it.
    name: Any = None
    url: str | None = None
    last_modified: str | None = None


class _Result(Struct):
    resources: list[_Resource]


class _Answer(Struct):
    result: _Result
    success: bool = True


def weekly(source: str, document: bytes) -> list[Resource]:
    """The weekly JSON files, oldest first; of two with one name, the one put there first.

    Raises:
        SourceMalformed: the answer is no package_show answer, or lists no weekly file.
    """
    try:
        answer = msgspec.json.decode(document, type=_Answer)
    except (ValueError, RecursionError) as error:
        raise SourceMalformed(source, Reason.NOT_A_LISTING.of(error)) from None
    if not answer.success:
        raise SourceMalformed(source, Reason.NOT_A_LISTING.of("success: false"))
    found = [one for one in map(_weekly, answer.result.resources) if one is not None]
    if not found:
        raise SourceMalformed(source, Reason.NOTHING_LISTED)
    return sorted(found, key=lambda one: (one.first, one.last, one.modified_at, one.url))


def _weekly(resource: _Resource) -> Resource | None:
    url = resource.url or ""
    name = _name(resource.name)
    if not _WEEKLY.fullmatch(name):
        # Where the name is a title for people, the address still ends with the file's.
        name = urlsplit(url).path.rpartition("/")[2]
    days = period(name)
    if not _WEEKLY.fullmatch(name) or days is None:
        return None
    return Resource(
        name=name, url=url, first=days[0], last=days[1], modified_at=_moment(resource.last_modified)
    )


def _name(written: Any) -> str:  # noqa: ANN401, the portal's own shape
    if isinstance(written, dict):
        written = written.get("fr") or next(iter(written.values()), "")
    return written.strip() if isinstance(written, str) else ""


def _moment(written: str | None) -> datetime:
    """CKAN writes UTC without a zone."""
    try:
        return datetime.fromisoformat(written or "").replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
