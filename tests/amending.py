"""A co-op to which real calls are told, and then amended: the sources' own intake, real letters."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import select, update

from alerts import editions, ledger
from alerts.message_tables import Message
from alerts.tables import Edition, Kind, Letter, LetterState, Told
from base.clock import QUEBEC
from base.database import Database
from sources import places
from sources.intake import take_in
from sources.release import Release, Status
from sources.tables import Reading
from tests.coop import DESK
from tests.real import releases

#: Monday 14 September 2026, 06:00 in Québec: the weekly letters.
MONDAY = datetime(2026, 9, 14, 10, tzinfo=UTC)
#: Snow to clear; SEAO cancelled both on Wednesday 16 September, at 08:40.
CALL = "ocds-ec9k95-20170324"
OTHER = "ocds-ec9k95-20170296"
#: When we read of it.
WEDNESDAY = datetime(2026, 9, 16, 14, tzinfo=UTC)
#: From then on what was read then may leave: a group waits ten minutes.
SOON = timedelta(minutes=10)


def quebec(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A moment of 2026 by the wall clock of Québec."""
    return datetime(2026, month, day, hour, minute, tzinfo=QUEBEC).astimezone(UTC)


@cache
def cancelled(ocid: str = CALL) -> Release:
    """The real release that cancels a call, as SEAO's weekly file has it."""
    return next(one for one in releases() if one.ocid == ocid)


def before(ocid: str = CALL, **changes: Any) -> Release:
    """That call as it must have been before: open, until Friday 2 October at 11:00."""
    values = {
        "status": Status.ACTIVE,
        "closes_at": quebec(10, 2, 11),
        "release_id": "20260901120000",
        **changes,
    }
    return replace(cancelled(ocid), **values)


def after(ocid: str = CALL, **changes: Any) -> Release:
    """A later release of the open call, with what it changes."""
    return before(ocid, **{"release_id": "20260916124018", **changes})


@dataclass(frozen=True, slots=True)
class Notified:
    """A row of the ledger, with the letter that carries it."""

    address: str
    kind: str
    stream: str
    occasion: str
    revision_id: int
    #: A ToldState, and the LetterState.
    state: str
    letter: str


@dataclass(frozen=True, slots=True)
class Office:
    """What happens, one after the other."""

    database: Database

    def reads(self, *releases: Release, at: datetime, source: str = "") -> None:
        """One document of one source."""
        with self.database.write() as session:
            reading = Reading(source=source or releases[0].source, at=at, address="essai.json")
            session.add(reading)
            session.flush()
            take_in(session, reading, releases, directory=places.load(), at=at)

    def ticks(self, at: datetime) -> Counter[str]:
        """What the service does every minute, sending apart."""
        with self.database.write() as session:
            editions.open_due(session, at)
        return editions.write_open(self.database, DESK, at=at)

    def settles(self, state: LetterState = LetterState.ACCEPTED, *, stream: str = "") -> int:
        """The relay's answer to all that waits, of that stream; how many letters."""
        with self.database.write() as session:
            chosen = (
                select(Letter.id)
                .join(Edition, Edition.id == Letter.edition_id)
                .where(Letter.state.in_([LetterState.WRITTEN, LetterState.DEFERRED]))
            )
            if stream:
                chosen = chosen.where(Edition.frequency == stream)
            ids = list(session.scalars(chosen))
            session.execute(update(Letter).where(Letter.id.in_(ids)).values(state=state))
            for letter_id in ids:
                ledger.follow(session, letter_id, state)
            return len(ids)

    def told(self, **only: str) -> list[Notified]:
        """The ledger, oldest row first."""
        with self.database.read() as session:
            rows = session.execute(
                select(Told, Letter.address, Letter.state, Edition.frequency)
                .join(Letter, Letter.id == Told.letter_id)
                .join(Edition, Edition.id == Letter.edition_id)
                .order_by(Told.id)
            )
            found = [
                Notified(
                    address=address.split("@")[0],
                    kind=told.kind,
                    stream=stream,
                    occasion=told.occasion,
                    revision_id=told.revision_id,
                    state=told.state,
                    letter=letter,
                )
                for told, address, letter, stream in rows
            ]
        return [one for one in found if all(getattr(one, k) == v for k, v in only.items())]

    def changes(self) -> list[tuple[str, str, str]]:
        """Who is told of which change in which stream."""
        kinds = {Kind.CHANGE, Kind.CANCELLATION}
        return [(one.address, one.kind, one.stream) for one in self.told() if one.kind in kinds]

    def texts(self, stream: str) -> list[str]:
        """The text parts of the letters of that stream, oldest first."""
        with self.database.read() as session:
            contents = session.scalars(
                select(Message.content)
                .join(Letter, Letter.id == Message.id)
                .join(Edition, Edition.id == Letter.edition_id)
                .where(Edition.frequency == stream)
                .order_by(Letter.id)
            ).all()
        parsed = [email.message_from_bytes(c, policy=email.policy.default) for c in contents]
        bodies = [one.get_body(("plain",)) for one in parsed]
        return [str(body.get_content()) for body in bodies if body is not None]
