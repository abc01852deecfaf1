"""The register of confidentiality incidents (Loi 25, RLRQ c. P-39.1, art. 3.5 to 3.8).

Its fields are those of the regulation (A-2.1, r. 3.1). A row is corrected, never deleted: the
database itself refuses it, and what it said before is in the audit.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from base import audit
from base.database import Base


class Incident(Base):
    """One incident: an access, a use, a communication or a loss that the law does not allow."""

    __tablename__ = "incident"

    id: Mapped[int] = mapped_column(primary_key=True)
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(String(100))
    #: The personal information concerned, or why it is not known.
    concerned: Mapped[str] = mapped_column(Text)
    circumstances: Mapped[str] = mapped_column(Text)
    #: The day or days it happened, or an approximation: written as staff know it.
    happened: Mapped[str] = mapped_column(String(200))
    #: When the co-op learned of it.
    known_on: Mapped[date] = mapped_column(Date)
    #: Persons concerned, or an approximation; None while it is not known.
    persons: Mapped[int | None]
    #: What says that there is, or is not, a risk of serious injury.
    assessment: Mapped[str] = mapped_column(Text)
    #: Whether there is one; None while it is being judged.
    serious: Mapped[bool | None]
    #: When the Commission d'accès à l'information was told.
    commission_on: Mapped[date | None] = mapped_column(Date)
    #: When the persons concerned were told.
    persons_on: Mapped[date | None] = mapped_column(Date)
    #: Public notices: when, and why they were made instead.
    public_notice: Mapped[str] = mapped_column(Text, default="")
    #: What was done to lessen the harm and that it does not happen again.
    measures: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What the register says of an incident; None or "" where it is not known yet."""

    concerned: str
    circumstances: str
    happened: str
    known_on: date
    persons: int | None = None
    assessment: str = ""
    serious: bool | None = None
    commission_on: date | None = None
    persons_on: date | None = None
    public_notice: str = ""
    measures: str = ""


#: What makes the register's line complete where the risk is serious; with its answer.
_OWED_IF_SERIOUS = ("commission_on", "persons_on")
_OWED = ("persons", "assessment", "serious", "measures")


def facts_of(incident: Incident) -> Facts:
    """The facts of a row."""
    return Facts(**{one.name: getattr(incident, one.name) for one in fields(Facts)})


def add(session: Session, facts: Facts, *, at: datetime, by: str) -> Incident:
    """One more line of the register."""
    incident = Incident(recorded_at=at, recorded_by=by, **_columns(facts))
    session.add(incident)
    session.flush()
    _note(session, incident, {}, _plain(facts), at=at, by=by, action="incidents ajouter")
    return incident


def correct(session: Session, incident: Incident, facts: Facts, *, at: datetime, by: str) -> bool:
    """Say more or other; what it said before goes into the audit. False where nothing differs."""
    before = facts_of(incident)
    if before == facts:
        return False
    for name, value in _columns(facts).items():
        setattr(incident, name, value)
    session.flush()
    old, new = _plain(before), _plain(facts)
    changed = [name for name in new if new[name] != old[name]]
    _note(
        session,
        incident,
        {name: old[name] for name in changed},
        {name: new[name] for name in changed},
        at=at,
        by=by,
        action="incidents modifier",
    )
    return True


def register(session: Session) -> list[Incident]:
    """The whole register, oldest first."""
    return list(session.scalars(select(Incident).order_by(Incident.known_on, Incident.id)))


def owed(incident: Incident) -> tuple[str, ...]:
    """The fields that must still be filled in: the two notices only where the risk is serious."""
    names = _OWED + (_OWED_IF_SERIOUS if incident.serious else ())
    return tuple(name for name in names if getattr(incident, name) in {None, ""})


def _columns(facts: Facts) -> dict[str, Any]:
    return {one.name: getattr(facts, one.name) for one in fields(facts)}


def _plain(facts: Facts) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in _columns(facts).items()
    }


def _note(
    session: Session,
    incident: Incident,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    at: datetime,
    by: str,
    action: str,
) -> None:
    audit.record(
        session,
        at=at,
        who=by,
        action=action,
        subject=f"incident:{incident.id}",
        before=before or None,
        after=after,
    )
