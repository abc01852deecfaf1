"""How old the signing key is: its first day is kept in the audit under a fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.doctor.findings import Check, Finding, fine, mend
from base import settings
from base.audit import Audit, record

#: A signing key older than this is to be replaced; links of the old one go on working.
REPLACE_AFTER = timedelta(days=730)
ACTION = "cles creer"


def subject(key: str) -> str:
    """What the audit calls that key: nothing of it can be guessed from twelve digits."""
    return f"cle:{hashlib.sha256(b'link key ' + key.encode()).hexdigest()[:12]}"


def note(session: Session, key: str, *, who: str, at: datetime) -> None:
    """Keep the day of a key that was just made; a second call changes nothing."""
    if since(session, key) is None:
        record(session, at=at, who=who, action=ACTION, subject=subject(key))


def since(session: Session, key: str) -> datetime | None:
    """When that key was first noted; None for one that was not."""
    asked = select(func.min(Audit.at)).where(Audit.action == ACTION, Audit.subject == subject(key))
    return session.scalar(asked)


def check_age(session: Session, keys: settings.Keys, at: datetime) -> Iterator[Finding]:
    """Whether it is time for a new key."""
    known = keys.as_list()
    made = since(session, known[-1])
    if made is None:
        yield fine(Check.KEYS, "unknown age", count=len(known))
    elif at - made > REPLACE_AFTER:
        yield mend(Check.KEYS, "old", days=(at - made).days)
    else:
        yield fine(Check.KEYS, days=max(0, (at - made).days), count=len(known))
