"""How old the signing key is: its first day is kept in the audit under a fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from alerts.doctor.findings import Check, Finding, fine, mend
from base import settings
from base.audit import Audit, record

#: A signing key older than this is to be replaced; links of the old one go on working.
REPLACE_AFTER = timedelta(days=730)
MADE, RENEWED = "cles creer", "cles renouveler"


def subject(key: str) -> str:
    """What the audit calls that key, as `alertes cles voir` does: nothing of it can be guessed."""
    return f"key:{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def note(session: Session, keys: Sequence[str], *, who: str, at: datetime) -> None:
    """Keep the day of the key that signs, where none is known; a second call changes nothing."""
    if since(session, keys) is None:
        record(session, at=at, who=who, action=MADE, subject=subject(keys[-1]))


def since(session: Session, keys: Sequence[str]) -> datetime | None:
    """When the last of those keys began to sign: noted, or the one before it was replaced then."""
    made = and_(Audit.action == MADE, Audit.subject == subject(keys[-1]))
    before = [subject(key) for key in keys[:-1]]
    renewed = and_(Audit.action == RENEWED, Audit.subject.in_(before))
    return session.scalar(select(func.min(Audit.at)).where(made)) or session.scalar(
        select(func.max(Audit.at)).where(renewed)
    )


def check_age(session: Session, keys: settings.Keys, at: datetime) -> Iterator[Finding]:
    """Whether it is time for a new key."""
    known = keys.as_list()
    made = since(session, known)
    if made is None:
        yield fine(Check.KEYS, "unknown age", count=len(known))
    elif at - made > REPLACE_AFTER:
        yield mend(Check.KEYS, "old", days=(at - made).days)
    else:
        yield fine(Check.KEYS, days=max(0, (at - made).days), count=len(known))
