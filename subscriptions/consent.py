"""Why we may write to a contact (LCAP, S.C. 2010, c. 23): append-only. No basis, no mail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from subscriptions.tables import Basis, Consent


def new(
    contact_id: int,
    basis: Basis,
    *,
    starts_at: datetime,
    ends_at: datetime | None = None,
    at: datetime,
    by: str,
    evidence: str = "",
    wording_hash: str = "",
) -> Consent:
    """A consent that is no row yet."""
    return Consent(
        contact_id=contact_id,
        basis=basis.value,
        starts_at=starts_at,
        ends_at=ends_at,
        wording_hash=wording_hash,
        evidence=evidence,
        recorded_at=at,
        recorded_by=by,
    )


def record(
    session: Session,
    contact_id: int,
    basis: Basis,
    *,
    starts_at: datetime,
    ends_at: datetime | None = None,
    at: datetime,
    by: str,
    evidence: str = "",
    wording_hash: str = "",
) -> Consent:
    """Add one consent; earlier ones stay as they were (s. 13: the proof is ours to give)."""
    consent = new(
        contact_id,
        basis,
        starts_at=starts_at,
        ends_at=ends_at,
        at=at,
        by=by,
        evidence=evidence,
        wording_hash=wording_hash,
    )
    session.add(consent)
    session.flush()
    return consent


def holds(session: Session, contact_id: int, at: datetime) -> Consent | None:
    """The consent that lets us write at that moment, the latest begun of several."""
    return session.scalars(
        select(Consent)
        .where(
            Consent.contact_id == contact_id,
            Consent.starts_at <= at,
            or_(Consent.ends_at.is_(None), Consent.ends_at > at),
        )
        .order_by(Consent.starts_at.desc(), Consent.id.desc())
        .limit(1)
    ).first()


def end(session: Session, consent_id: int, *, at: datetime) -> bool:
    """It no longer holds, because it should not have been recorded; False where it has ended."""
    consent = session.get(Consent, consent_id)
    if consent is None:
        return False
    ended = session.scalar(
        update(Consent)
        .where(Consent.id == consent_id, Consent.ends_at.is_(None))
        .values(ends_at=max(at, consent.starts_at))
        .returning(Consent.id)
        .execution_options(synchronize_session="fetch")
    )
    return ended is not None
