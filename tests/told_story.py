"""Two weeks of a small co-op, lived through the service's own functions: who was told of a call.

Anne is told in the first week. Luc's first letter is uncertain, so the second one lists the call
again. Marie's membership ends between writing and handing over: her letter is withdrawn. Paul
asked for something else.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from alerts import editions, entitlement, holds, outbox, outcomes
from alerts.delivery import Outcome, Phase, Receipt
from alerts.outcomes import Settled
from alerts.tables import Letter
from base.database import Database
from subscriptions.tables import Contact, Member, Membership
from tests.coop import AT, DESK, entitled, tender

NUMBER = "20169865"
WEEK = timedelta(days=7)
ALL = frozenset({"*"})
HANDED = AT + timedelta(minutes=1)


def live(database: Database) -> None:
    """Both weeks; the database is as after the second Monday."""
    with database.write() as session:
        for name in ("anne", "luc", "marie"):
            entitled(session, name)
        entitled(session, "paul", sectors=["menuiserie"])
        tender(session, NUMBER, closes_at=AT + timedelta(days=20))
        holds.release_first_run(session, by="essai", at=AT)
    write(database)
    with database.write() as session:
        member = of(database, "marie").member_id
        session.execute(update(Membership).where(Membership.member_id == member).values(ends_at=AT))
    hand_over(database, {"luc": Outcome.UNKNOWN})
    write(database, weeks=1)
    hand_over(database, {}, weeks=1)


def write(database: Database, weeks: int = 0) -> None:
    """The edition of that Monday."""
    at = AT + weeks * WEEK
    with database.write() as session:
        editions.open_due(session, at)
    editions.write_open(database, DESK, at=at)


def hand_over(database: Database, outcome: dict[str, Outcome], weeks: int = 0) -> None:
    """Each letter through the one statement, and what the relay answered: 250 by default."""
    at = HANDED + weeks * WEEK
    with database.write() as session:
        lot = outbox.claim(session, claim="c", most=99, allowed=ALL, at=at)
        ids = [letter.id for letter in lot.claimed]
        passed = entitlement.let_pass(session, ids, claim="c", allowed=ALL, at=at)
        for letter in lot.claimed:
            name = letter.address.partition("@")[0]
            what = outcome.get(name, Outcome.ACCEPTED)
            reply = f"250 2.0.0 Ok: {name}" if what is Outcome.ACCEPTED else ""
            receipt = Receipt(outcome=what, reply=reply, phase=Phase.DOT)
            assert letter.id in passed
            done = [Settled(letter, receipt)]
            assert not outcomes.settle(session, done, claim="c", at=at + timedelta(minutes=1))


def of(database: Database, name: str) -> Contact:
    """The contact of that name."""
    with database.read() as session:
        found = select(Contact).where(Contact.address == f"{name}@exemple.quebec")
        return session.scalars(found).one()


def letters(database: Database, name: str) -> list[Letter]:
    """The letters of that contact, oldest first."""
    with database.read() as session:
        found = select(Letter).join(Contact, Contact.id == Letter.contact_id)
        asked = found.where(Contact.address == f"{name}@exemple.quebec").order_by(Letter.id)
        return list(session.scalars(asked))


def member(database: Database, name: str) -> Member:
    """The enterprise of that contact."""
    with database.read() as session:
        return session.get_one(Member, of(database, name).member_id)
