"""Confirmations leave by the one statement, to their own guards: each kind, each refusal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts import holds
from alerts.confirmations import FORMS, write_owed
from alerts.delivery import Connection, Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.message_tables import Message
from alerts.postponed import Postponed, replay
from alerts.recovery import hold_if_restored
from alerts.tables import Gate, Letter, LetterState, Omission, Why
from base.concerns import standing
from base.database import Database
from subscriptions import events, suppressions, wishes
from subscriptions.tables import Consent, Contact, Event, Membership, What
from tests.alerts.test_letter import check_wire
from tests.coop import AT, entitled, letter
from tests.mailserver import mail_server
from tests.webpages import desk

NEW, OLD = "neuve@exemple.quebec", "info@exemple.quebec"


async def _send(database: Database, folder: Path, **options: object) -> list[str]:
    """Hand over what waits; who got something."""
    async with mail_server() as mailbox:
        handing = Handing(
            relay=Relay(host="127.0.0.1", port=mailbox.port, tls="none", helo="test"),
            sender="retours@exemple.quebec",
            journal=open_journal(folder / "journal"),
            **{"allowed": frozenset({"*"}), **options},  # type: ignore[arg-type]
        )
        hold_if_restored(database, handing.journal, at=AT)
        await hand_over(database, handing, now=lambda: AT)
    return mailbox.recipients


def _left(session: Session, contact: Contact) -> Event:
    before = wishes.live(session, contact.id)
    assert before is not None
    wishes.unsubscribe(session, contact.id, origin="member", at=AT)
    return events.record(session, contact.id, What.LEFT, at=AT, before_id=before.id)


def _paused(session: Session, contact: Contact) -> Event:
    before = wishes.live(session, contact.id)
    assert before is not None
    wishes.pause(session, contact.id, AT + timedelta(days=30), origin="member", at=AT)
    return events.record(session, contact.id, What.CHANGED, at=AT, before_id=before.id)


def _proposed(session: Session, contact: Contact) -> Event:
    return events.record(
        session, contact.id, What.MOVE_PROPOSED, at=AT, old_address=OLD, new_address=NEW
    )


def _moved(session: Session, contact: Contact) -> Event:
    contact.address = NEW
    return events.record(session, contact.id, What.MOVED, at=AT, old_address=OLD, new_address=NEW)


def _asked(session: Session, contact: Contact) -> Event:
    return events.record(session, contact.id, What.LINK_ASKED, at=AT)


Deed = Callable[[Session, Contact], Event]


@pytest.mark.parametrize(
    ("deed", "reader"),
    [(_left, OLD), (_paused, OLD), (_asked, OLD), (_proposed, NEW), (_moved, OLD)],
    ids=["left", "paused", "link asked", "new mailbox", "old mailbox"],
)
async def test_a_confirmation_reaches_its_mailbox_and_no_other(
    database: Database, tmp_path: Path, deed: Deed, reader: str
) -> None:
    with database.write() as session:
        deed(session, entitled(session, "info"))
    write_owed(database, desk(), at=AT)
    with database.read() as session:
        content = session.scalars(select(Message.content)).one()
    assert content is not None
    check_wire(content)
    assert await _send(database, tmp_path) == [reader]


def _lapse(session: Session) -> None:
    session.execute(update(Membership).values(ends_at=AT))


def _no_consent(session: Session) -> None:
    session.execute(update(Consent).values(ends_at=AT))


def _removed(session: Session) -> None:
    session.execute(update(Contact).values(ended_at=AT))


def _suppress(session: Session) -> None:
    for address in (OLD, NEW):
        suppressions.suppress(session, address, reason="bounce 5.1.1", at=AT)


def _undone(session: Session) -> None:
    session.execute(update(Event).values(undone_at=AT))


def _elsewhere(session: Session) -> None:
    session.execute(update(Letter).values(address="autre@exemple.quebec"))


EVERY = {"left": _left, "new mailbox": _proposed, "old mailbox": _moved}


@pytest.mark.parametrize("deed", EVERY.values(), ids=EVERY.keys())
@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (_lapse, Why.MEMBERSHIP),
        (_removed, Why.MEMBERSHIP),
        (_no_consent, Why.CONSENT),
        (_suppress, Why.SUPPRESSED),
        (_elsewhere, Why.ADDRESS),
    ],
    ids=["lapsed", "removed", "no consent", "suppressed", "another address"],
)
async def test_a_confirmation_never_leaves_against_its_guards(
    database: Database,
    tmp_path: Path,
    deed: Deed,
    meanwhile: Callable[[Session], None],
    why: Why,
) -> None:
    with database.write() as session:
        deed(session, entitled(session, "info"))
    write_owed(database, desk(), at=AT)
    with database.write() as session:
        meanwhile(session)
    assert await _send(database, tmp_path) == []
    with database.read() as session:
        assert session.scalars(select(Letter.why)).all() == [why]


@pytest.mark.parametrize("deed", [_proposed, _moved], ids=["new mailbox", "old mailbox"])
async def test_what_was_given_up_reaches_neither_mailbox(
    database: Database, tmp_path: Path, deed: Deed
) -> None:
    with database.write() as session:
        deed(session, entitled(session, "info"))
    write_owed(database, desk(), at=AT)
    with database.write() as session:
        _undone(session)
    assert await _send(database, tmp_path) == []


async def test_leaving_lets_the_confirmation_go_and_no_digest(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        contact = entitled(session, "info")
        letter(session, contact)
        _left(session, contact)
    write_owed(database, desk(), at=AT)
    assert await _send(database, tmp_path) == [OLD]
    with database.read() as session:
        states = dict(session.execute(select(Letter.gate, Letter.state)).all())  # type: ignore[arg-type]
    assert states == {Gate.FULL: LetterState.WITHDRAWN, Gate.ANSWER: LetterState.ACCEPTED}


async def test_a_held_service_and_the_list_of_allowed_addresses_hold_confirmations_too(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        _left(session, entitled(session, "info"))
        _left(session, entitled(session, "anne"))
    write_owed(database, desk(), at=AT)
    allowed = frozenset({"anne@exemple.quebec"})
    with database.write() as session:
        holds.hold(session, cause="staff", by="essai", detail="", at=AT)
    assert await _send(database, tmp_path, allowed=allowed) == []
    with database.write() as session:
        holds.lift(session, by="essai", at=AT)
    assert await _send(database, tmp_path, allowed=allowed) == ["anne@exemple.quebec"]


def test_nothing_is_written_for_who_is_no_member(database: Database) -> None:
    with database.write() as session:
        _left(session, entitled(session, "info"))
        _lapse(session)
    assert write_owed(database, desk(), at=AT) == {Why.MEMBERSHIP: 1}
    with database.read() as session:
        assert session.scalars(select(Letter.id)).all() == []
        assert session.scalars(select(Omission.why)).all() == [Why.MEMBERSHIP]


def test_an_event_of_an_unknown_address_or_of_long_ago_is_answered_by_nothing(
    database: Database,
) -> None:
    with database.write() as session:
        events.record(session, None, What.LINK_ASKED, at=AT)
        _left(session, entitled(session, "info"))
    late = AT + events.UNDO_WITHIN
    assert write_owed(database, desk(), at=late) == {Why.EXPIRED: 2}
    assert write_owed(database, desk(), at=late) == {}


def test_a_confirmation_that_cannot_be_written_is_said_to_staff(database: Database) -> None:
    with database.write() as session:
        contact = entitled(session, "info")
        events.record(session, contact.id, What.CHANGED, at=AT)
    write_owed(database, desk(), at=AT)
    with database.read() as session:
        assert [concern.cause for concern in standing(session)] == ["confirmation unwritable"]


def test_every_kind_of_event_has_its_letter() -> None:
    assert FORMS.keys() == set(What)


async def test_an_unsubscribe_kept_in_a_file_is_taken_in_before_any_letter_is_claimed(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        contact = entitled(session, "info")
        letter(session, contact)
    kept = Postponed(tmp_path / "postponed")
    kept.keep(contact.public_id, AT - timedelta(minutes=1))
    assert await _send(database, tmp_path, postponed=kept) == []
    assert kept.waiting() == []
    with database.read() as session:
        assert wishes.live(session, contact.id) is None
        assert session.scalars(select(Letter.attempts)).all() == [0], "it was never claimed"


async def test_an_unsubscribe_kept_while_the_body_goes_stops_the_dot(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        contact = entitled(session, "info")
        letter(session, contact)
    kept = Postponed(tmp_path / "postponed")
    offer = Connection.offer

    async def offer_then_leave(self: Connection, envelope: object) -> object:
        receipt = await offer(self, envelope)  # type: ignore[arg-type]
        kept.keep(contact.public_id, AT)
        return receipt

    monkeypatch.setattr(Connection, "offer", offer_then_leave)
    assert await _send(database, tmp_path, postponed=kept) == []
    with database.read() as session:
        assert session.scalars(select(Letter.why)).all() == [Why.SUBSCRIPTION]


def test_a_postponed_unsubscribe_does_not_undo_a_later_return(
    database: Database, tmp_path: Path
) -> None:
    kept = Postponed(tmp_path / "postponed")
    with database.write() as session:
        contact = entitled(session, "info")
    kept.keep(contact.public_id, AT)
    (tmp_path / "postponed" / "zz.leave").write_text("no moment")
    (tmp_path / "postponed" / "zz.part").write_text("half")
    with database.write() as session:
        assert len(replay(session, kept, now=AT)) == 1
        asked = wishes.Wishes(frequency="weekly", sectors=("deneigement",))
        wishes.subscribe(session, contact.id, asked, origin="member", at=AT + timedelta(seconds=1))
        replay(session, kept, now=AT + timedelta(minutes=1))
        assert wishes.live(session, contact.id) is not None
