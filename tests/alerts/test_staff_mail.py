"""Mail to staff: to the one address of the settings, once, and never lost to a bad moment."""

from __future__ import annotations

import email
import email.policy
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from alerts import staff_mail
from alerts.delivery import Outcome, Relay
from alerts.errors import RelayUnreachable
from alerts.staff_mail import Door
from alerts.staff_tables import StaffLetter
from alerts.tables import LetterState
from base.database import Database
from tests.coop import AT, DESK
from tests.mailserver import Mailbox, Script, drop, mail_server, scripted_server

STAFF = "equipe@coop.exemple.quebec"
MINUTE = timedelta(minutes=1)


def _door(port: int, *, within: float = 570.0) -> Door:
    relay = Relay(host="127.0.0.1", port=port, tls="none", helo="essai", dot_reply_within=within)
    sender = DESK.press.sender
    return Door(relay=relay, sender="retours@exemple.quebec", to=STAFF, author=sender)


def _write(database: Database, door: Door, key: str = "watch:1") -> bool:
    words = {"lines": ["Le service ne donne plus signe de vie."]}
    with database.write() as session:
        return staff_mail.write(session, door, "watch", words, key=key, at=AT, covers=[key])


def _rows(database: Database) -> list[tuple[str, int, bool]]:
    with database.read() as session:
        rows = session.scalars(select(StaffLetter).order_by(StaffLetter.id))
        return [(one.state, one.attempts, one.content is None) for one in rows]


async def _hand(database: Database, door: Door, at: datetime = AT) -> list[Outcome]:
    return [one.outcome for one in await staff_mail.hand_over(database, door, now=lambda: at)]


def _read(mailbox: Mailbox) -> tuple[str, str, str, str]:
    ((sender, recipient, content),) = mailbox.received
    message = email.message_from_bytes(content, policy=email.policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    return sender, recipient, str(message["To"]), body.get_content()


async def test_a_message_reaches_the_staff_address_once(database: Database) -> None:
    async with mail_server() as mailbox:
        door = _door(mailbox.port)
        assert _write(database, door)
        assert not _write(database, door)

        assert await _hand(database, door) == [Outcome.ACCEPTED]
        assert await _hand(database, door) == []

    sender, recipient, header, text = _read(mailbox)
    assert (sender, recipient, header) == ("retours@exemple.quebec", STAFF, STAFF)
    assert "Le service ne donne plus signe de vie." in text
    # What names the address does not stay.
    assert _rows(database) == [(LetterState.ACCEPTED, 1, True)]


async def test_what_could_not_leave_leaves_with_the_next_call(database: Database) -> None:
    closed = _door(1)
    _write(database, closed)
    with pytest.raises(RelayUnreachable):
        await _hand(database, closed)
    assert _rows(database) == [(LetterState.DEFERRED, 1, False)]
    async with mail_server() as mailbox:
        assert await _hand(database, _door(mailbox.port), AT + MINUTE) == [Outcome.ACCEPTED]
    assert mailbox.recipients == [STAFF]


async def test_silence_after_the_dot_is_told_again_with_the_same_message_id(
    database: Database,
) -> None:
    async with scripted_server(Script(acts={"dot": drop})) as script:
        _write(database, _door(script.port))
        assert await _hand(database, _door(script.port)) == [Outcome.UNKNOWN]
    assert _rows(database) == [(LetterState.DEFERRED, 1, False)]
    async with mail_server() as mailbox:
        assert await _hand(database, _door(mailbox.port)) == [Outcome.ACCEPTED]
    with database.read() as session:
        identity = session.scalars(select(StaffLetter.message_id)).one()
    assert f"Message-ID: {identity}".encode() in mailbox.received[0][2]


async def test_a_refused_address_is_not_asked_again(database: Database) -> None:
    async with mail_server() as mailbox:
        mailbox.replies[STAFF] = "550 5.1.1 no such user"
        _write(database, _door(mailbox.port))
        assert await _hand(database, _door(mailbox.port)) == [Outcome.DEAD_ADDRESS]
        assert await _hand(database, _door(mailbox.port)) == []
    assert _rows(database) == [(LetterState.REFUSED, 1, True)]


async def test_a_killed_sender_s_message_waits_for_its_lease(database: Database) -> None:
    async with mail_server() as mailbox:
        door = _door(mailbox.port)
        _write(database, door)
        with database.write() as session:
            session.execute(
                update(StaffLetter).values(
                    state=LetterState.CLAIMED, claim="mort", lease_until=AT + staff_mail.LEASE
                )
            )
        assert await _hand(database, door, AT + MINUTE) == []
        assert await _hand(database, door, AT + staff_mail.LEASE) == [Outcome.ACCEPTED]


async def test_a_message_that_another_has_taken_over_gets_no_dot(database: Database) -> None:
    """Between the body and the dot its row changed hands."""
    async with mail_server() as mailbox:
        door = _door(mailbox.port)
        _write(database, door)
        asked = []

        def now() -> datetime:
            asked.append(1)
            if len(asked) == 2:  # the question before the dot
                with database.write() as session:
                    session.execute(update(StaffLetter).values(claim="autre"))
            return AT

        assert await staff_mail.hand_over(database, door, now=now) == []
    assert mailbox.received == []


async def test_news_of_three_days_ago_is_no_news(database: Database) -> None:
    async with mail_server() as mailbox:
        door = _door(mailbox.port)
        _write(database, door)
        assert await _hand(database, door, AT + staff_mail.WORTH_SENDING) == []
    assert (mailbox.received, _rows(database)) == ([], [(LetterState.WITHDRAWN, 0, True)])
