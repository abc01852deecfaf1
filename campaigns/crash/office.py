"""The co-op's office during a campaign: publishes calls, ends and renews memberships, decides."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import doubts, holds
from alerts.journal import agree, open_journal
from alerts.tables import Letter, LetterState, Told, ToldState
from base.clock import utc_now
from base.database import Database
from campaigns.crash.world import LAPSE, LEAVE, TITLES, Call, Change, Reader
from sources.reading import read_path
from subscriptions import consent, members, wishes
from subscriptions.tables import Basis, Contact, Origin
from subscriptions.wishes import Wishes

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
#: Holds that the office lifts itself; any other ends the campaign.
EXPECTED_HOLDS = {"first run", "brake"}


def enrol(database: Database, readers: Iterable[Reader]) -> None:
    """Make the readers contacts of active members, with consent and a daily subscription."""
    at = utc_now()
    with database.write() as session:
        for reader in readers:
            member = members.add_member(session, f"Coop fictive {reader.name}", at=at)
            members.begin_membership(session, member.id, starts_at=LONG_AGO, at=at, by="essai")
            contact = members.add_contact(session, member.id, reader.address, at=at)
            consent.record(
                session, contact.id, Basis.EXPRESS, starts_at=LONG_AGO, at=at, by="essai"
            )
            _subscribe(session, contact.id, reader, at)


def publish(database: Database, calls: Iterable[Call], folder: Path, trial: int) -> None:
    """Read a release package with the round's calls, as a source is read."""
    at = utc_now()
    document = folder / f"round_{trial}.json"
    releases = [_release(call, at) for call in calls]
    document.write_text(json.dumps({"version": "1.1", "releases": releases}), encoding="utf-8")
    (outcome,) = read_path(database, document, at=at)
    if outcome.counts.new != len(releases):
        raise RuntimeError(f"the round's calls were not taken in: {outcome}")


def make_changes(
    database: Database, changes: Iterable[Change], log: Path, seed: int, within: float
) -> None:
    """End what the round's changes end, each at its moment within so many seconds."""
    dice = random.Random(seed)
    waits = sorted(dice.uniform(0, within) for _ in range(1000))
    begun = time.monotonic()
    for change, wait in zip(changes, waits, strict=False):
        time.sleep(max(0.0, begun + wait - time.monotonic()))
        with database.write() as session:
            _end(session, change)
        _note(log, change.reader, "out", time.time())


def renew(
    database: Database, changes: Iterable[Change], readers: dict[str, Reader], log: Path
) -> None:
    """Bring back those of the last round's changes who return."""
    for change in changes:
        if not change.returns:
            continue
        _note(log, change.reader, "in", time.time())
        at = utc_now()
        with database.write() as session:
            contact = _contact(session, change.reader)
            if change.what == LAPSE:
                start = {"starts_at": at - timedelta(seconds=1), "at": at, "by": "essai"}
                members.begin_membership(session, contact.member_id, **start)  # type: ignore[arg-type]
            elif change.what == LEAVE:
                _subscribe(session, contact.id, readers[change.reader], at)
            else:
                wishes.pause(session, contact.id, None, origin=Origin.MEMBER, at=at)


def lift_expected(database: Database, journal: Path) -> None:
    """Say go where the service waits for staff; any other hold is an error of the campaign."""
    with database.write() as session:
        causes = {one.cause for one in holds.standing(session)}
        if causes - EXPECTED_HOLDS:
            raise RuntimeError(f"held: {causes}")
        if causes:
            holds.lift(session, by="essai", at=utc_now())
            agree(session, open_journal(journal))


def decide(database: Database, arrived: set[str], seed: int, *, all_of_them: bool) -> int:
    """Staff ask the readers of uncertain letters, and say what they heard; how many were decided.

    All letters, or those that are uncertain for the second time and some others: most wait for
    the next edition, which lists their notices once more.
    """
    dice = random.Random(seed)
    decided = 0
    with database.write() as session:
        for letter_id, message_id, second in _uncertain(session):
            if not (all_of_them or second or dice.random() < 0.1):
                continue
            if message_id in arrived:
                state = LetterState.ACCEPTED
            else:
                state = dice.choice((LetterState.WRITTEN, LetterState.WITHDRAWN))
            words = {"reply": "décision du bureau", "at": utc_now()}
            decided += doubts.resolve(session, letter_id, state, **words)  # type: ignore[arg-type]
    return decided


def _uncertain(session: Session) -> list[tuple[int, str, bool]]:
    """UNKNOWN letters that still have uncertain notices: id, Message-ID, listed again before."""
    rows = session.execute(
        select(Letter.id, Letter.message_id, Told.relisted)
        .join(Told, Told.letter_id == Letter.id)
        .where(Letter.state == LetterState.UNKNOWN, Told.state == ToldState.UNCERTAIN)
    )
    found: dict[tuple[int, str], bool] = {}
    for letter_id, message_id, relisted in rows:
        key = (letter_id, message_id)
        found[key] = found.get(key, False) or relisted
    return [(*key, second) for key, second in sorted(found.items())]


def _end(session: Session, change: Change) -> None:
    at = utc_now()
    contact = _contact(session, change.reader)
    if change.what == LAPSE:
        members.end_membership(
            session, contact.member_id, ends_at=at, at=at, by="essai", reason="essai"
        )
    elif change.what == LEAVE:
        wishes.unsubscribe(session, contact.id, origin=Origin.MEMBER, at=at)
    else:
        until = at + timedelta(days=30)
        wishes.pause(session, contact.id, until, origin=Origin.MEMBER, at=at)


def _subscribe(session: Session, contact_id: int, reader: Reader, at: datetime) -> None:
    asked = Wishes(frequency="daily", sectors=tuple(sorted(reader.sectors)))
    wishes.subscribe(session, contact_id, asked, origin=Origin.ROSTER, at=at)


def _contact(session: Session, name: str) -> Contact:
    address = f"{name}@exemple.quebec"
    return session.scalars(select(Contact).where(Contact.address == address)).one()


def _release(call: Call, at: datetime) -> dict[str, object]:
    """A call in the form of SEAO's releases."""
    buyer = {"name": "Municipalité fictive", "id": "OP-1"}
    return {
        "ocid": f"ocds-ec9k95-{call.number}",
        "id": f"{at:%Y%m%d%H%M%S}",
        "date": at.isoformat(),
        "tag": ["tender"],
        "buyer": buyer,
        "parties": [{**buyer, "roles": ["buyer"], "details": {"municipal": "1"}}],
        "tender": {
            "id": call.number,
            "title": TITLES[call.sector],
            "status": "active",
            "items": [],
            "procurementMethodDetails": "Avis d’appel d’offres",
            "mainProcurementCategory": "services",
            "tenderPeriod": {"endDate": (at + timedelta(days=60)).isoformat()},
            "documents": [{"url": f"https://seao.gouv.qc.ca/avis?numero={call.number}"}],
        },
        "language": "fr",
    }


def _note(log: Path, reader: str, way: str, at: float) -> None:
    with log.open("a", encoding="ascii") as file:
        file.write(f"{json.dumps([reader, way, at])}\n")
