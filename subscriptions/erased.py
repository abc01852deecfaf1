"""Addresses whose persons are erased: only a keyed digest is left, and it still stops them.

The digest is HMAC-SHA-256 (RFC 2104) under the database's own key, which is not one of the links'
keys: those are rotated. It goes with the database, so that a restored one still knows whom not to
write to (docs/decisions/0016). An address that comes back becomes a suppression in full again:
when a contact gets it, and at the latest before a letter's final dot.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from base.concerns import raise_concern
from base.database import insert
from subscriptions.tables import AddressKey, Contact, Suppression

#: Reasons that only the person itself can take back.
ERASED, UNSUBSCRIBED = "erased", "unsubscribed"
_KEY = select(AddressKey.key)


def are_hidden(session: Session) -> bool:
    """Whether any address was ever hidden: a look at one row."""
    return session.scalar(_KEY) is not None


def digests(session: Session, addresses: Iterable[str]) -> dict[str, str]:
    """What stands for each normalised address -> the address; none while nothing is hidden."""
    key = session.scalar(_KEY)
    return {_digest(key, one): one for one in addresses if one} if key else {}


def hide(session: Session, addresses: Iterable[str], *, reason: str, at: datetime) -> int:
    """Leave of each address and its suppressions only the digest; how many rows that touched.

    With a `reason` the address is suppressed from now on where it was not: it is never mailed
    again, whoever imports it.
    """
    touched = 0
    _make_key(session)
    for hidden, address in sorted(digests(session, set(addresses)).items()):
        rows = session.scalars(
            select(Suppression)
            .where(or_(Suppression.address == address, Suppression.digest == hidden))
            .order_by(Suppression.id)
        ).all()
        live = any(row.lifted_at is None for row in rows)
        for row in rows:
            touched += row.address != ""
            row.address, row.digest = "", hidden
        if reason and not live:
            session.add(Suppression(address="", digest=hidden, reason=reason, set_at=at))
            touched += 1
    session.flush()
    return touched


def recognise(session: Session, addresses: Iterable[str]) -> list[str]:
    """Those of the addresses that a digest stops; each is a suppression in full again.

    It keeps the reason and the moment of the first one. A second call changes nothing. As long
    as nobody was erased it costs one look at an empty table.
    """
    of_digest = digests(session, addresses)
    if not of_digest:
        return []
    found = session.scalars(
        select(Suppression)
        .where(Suppression.digest.in_(of_digest), Suppression.lifted_at.is_(None))
        .order_by(Suppression.id.desc())
    )
    oldest = {of_digest[row.digest]: row for row in found}
    if not oldest:
        return []
    plain = select(Suppression.address).where(
        Suppression.address.in_(oldest), Suppression.lifted_at.is_(None)
    )
    known = set(session.scalars(plain))
    for address in sorted(oldest.keys() - known):
        row = oldest[address]
        session.add(Suppression(address=address, reason=row.reason, set_at=row.set_at))
    session.flush()
    return sorted(oldest)


def came_back(session: Session, contacts: Sequence[Contact]) -> None:
    """Those contacts are new: one with an address that a digest stops is said to staff."""
    barred = set(recognise(session, [one.address for one in contacts]))
    for contact in contacts:
        if contact.address in barred:
            key, detail = f"contact:{contact.id}:erased", {"contact": contact.id}
            at = contact.created_at
            raise_concern(session, key=key, cause="erased address", detail=detail, at=at)


def _make_key(session: Session) -> None:
    """Made once: of two at the same time, the first."""
    session.execute(
        insert(session, AddressKey).values(id=1, key=secrets.token_hex(32)).on_conflict_do_nothing()
    )


def _digest(key: str, address: str) -> str:
    return hmac.digest(bytes.fromhex(key), address.encode(), "sha256").hex()
