"""What a letter says of the sources it quotes: their names, whom to credit, what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from alerts.digest import Gap, Notice
from sources import catalogue, freshness


def short_name(key: str) -> str:
    """A source as letters name it."""
    known = catalogue.load().get(key)
    return known.short if known else key


def credits_of(notices: Iterable[Notice]) -> tuple[str, ...]:
    """Who must be named with those notices, in the catalogue's order, each once."""
    quoted = {notice.source for notice in notices}
    known = catalogue.load().values()
    return tuple(dict.fromkeys(one.credit for one in known if one.short in quoted and one.credit))


def gaps(session: Session, at: datetime) -> tuple[Gap, ...]:
    """The sources from which notices may be missing at `at`, and since when."""
    return tuple(
        Gap(one.short, one.missing_since)
        for one in freshness.coverage(session, at)
        if one.missing_since is not None
    )
