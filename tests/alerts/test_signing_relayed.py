"""DKIM on the way: what a real server received still verifies, whichever path handed it over."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from sqlalchemy import select, update

from alerts import staff_mail
from alerts.delivery import Envelope, Outcome, Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.message_tables import Message
from alerts.recovery import hold_if_restored
from alerts.signing import Signer
from alerts.staff_mail import Door
from alerts.tables import Letter, LetterState
from base.database import Database
from tests.bouncing_postfix import lacks, postfix
from tests.coop import AT, DESK, entitled, letter
from tests.emails.gallery import LINKS, SENDER
from tests.emails.notes import note
from tests.mailserver import Mailbox, Script, mail_server, scripted_server
from tests.signatures import holds, pem, signer, verified

#: Dots where SMTP has its own, blanks that relaxed bodies lose, long and folded French headers.
AWKWARD = (
    b"From: =?utf-8?q?Coop=C3=A9rative_fictive?=\r\n <alertes@coop.exemple.quebec>\r\n"
    b"To: anne@exemple.quebec\r\n"
    b"Date: Mon, 21 Sep 2026 10:00:00 +0000\r\nMessage-ID: <1@coop.exemple.quebec>\r\n"
    b"Subject: =?utf-8?q?R=C3=A9fection_de_l=E2=80=99h=C3=B4tel_de_ville_et_d=C3=A9neigement?=\r\n"
    b" =?utf-8?q?_des_stationnements_et_des_trottoirs?=\r\n"
    b"List-Unsubscribe: <https://alertes.exemple.quebec/d/" + b"x" * 700 + b">,\r\n"
    b" <mailto:retours@coop.exemple.quebec?subject=d>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"\r\n"
    b".\r\n..\r\n.commence par un point\r\nfinit par des blancs  \t \r\ndeux  blancs\r\n\r\n.\r\n"
    b"\r\n\r\n"
)


def _relay(port: int, ours: Signer) -> Relay:
    return Relay(host="127.0.0.1", port=port, tls="none", helo="essai", signer=ours)


async def _offered(relay: Relay, *contents: bytes) -> list[Outcome]:
    connection = await relay.connect()
    outcomes = []
    for content in contents:
        sent = Envelope("retours@coop.exemple.quebec", "anne@exemple.quebec", content)
        receipt = await connection.offer(sent) or await connection.finish()
        outcomes.append(receipt.outcome)
    await connection.quit()
    return outcomes


async def test_dots_and_line_ends_of_smtp_leave_the_signature_whole(tmp_path: Path) -> None:
    ours = signer(tmp_path)
    letters = [AWKWARD, note("depart", SENDER, LINKS).content]
    async with mail_server() as mailbox:
        assert await _offered(_relay(mailbox.port, ours), *letters) == [Outcome.ACCEPTED] * 2
    for (_, _, content), unsigned in zip(mailbox.received, letters, strict=True):
        assert content.endswith(unsigned)
        assert verified(content, ours)
        assert holds(content, ours)


@pytest.mark.skipif(bool(lacks()), reason=lacks())
async def test_what_a_real_postfix_passed_on_still_verifies(tmp_path: Path) -> None:
    ours = signer(tmp_path)
    letters = [AWKWARD, note("depart", SENDER, LINKS).content]
    async with mail_server() as hop:
        with postfix(hop.port, "retours.exemple.quebec") as server:
            await _offered(_relay(server.port, ours), *letters)
            await _arrived(hop, len(letters))
    assert len(hop.received) == len(letters)
    for _, _, content in hop.received:
        assert content.startswith(b"Received: ")
        assert verified(content, ours)
        assert holds(content, ours)


async def _arrived(hop: Mailbox, number: int) -> None:
    for _ in range(400):
        if len(hop.received) == number:
            break
        await asyncio.sleep(0.05)


async def test_a_member_s_letter_leaves_signed_and_its_row_keeps_the_frozen_bytes(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours = signer(tmp_path)
    with database.write() as session:
        frozen = letter(session, entitled(session, "anne")).content
    caplog.set_level(logging.DEBUG)
    async with mail_server() as mailbox:
        handing = Handing(
            relay=_relay(mailbox.port, ours),
            sender="retours@coop.exemple.quebec",
            allowed=frozenset({"*"}),
            journal=open_journal(tmp_path / "journal"),
        )
        hold_if_restored(database, handing.journal, at=AT)
        tally = await hand_over(database, handing, now=lambda: AT)
    assert tally.accepted == 1
    ((_, _, content),) = mailbox.received
    assert content.endswith(frozen or b"-")
    assert content != frozen
    assert verified(content, ours)
    with database.read() as session:
        row = session.scalars(select(Letter)).one()
        assert (row.state, row.content) == (LetterState.ACCEPTED, frozen)
    _assert_unsaid(caplog)


def _assert_unsaid(caplog: pytest.LogCaptureFixture) -> None:
    """No line of the key, and no word of a letter's, is in a log."""
    lines = pem().decode().splitlines()[1:-1]
    assert not [line for line in lines if line in caplog.text]


async def test_a_message_to_staff_leaves_signed(database: Database, tmp_path: Path) -> None:
    ours = signer(tmp_path)
    async with mail_server() as mailbox:
        door = Door(
            relay=_relay(mailbox.port, ours),
            sender="retours@coop.exemple.quebec",
            to="equipe@coop.exemple.quebec",
            author=DESK.press.sender,
        )
        with database.write() as session:
            staff_mail.write(session, door, "watch", {"lines": ["Essai."]}, key="watch:1", at=AT)
        await staff_mail.hand_over(database, door, now=lambda: AT)
    ((_, _, content),) = mailbox.received
    assert verified(content, ours)


async def test_the_size_that_a_relay_allows_counts_the_signature(tmp_path: Path) -> None:
    ours = signer(tmp_path)
    script = Script(extensions=(f"SIZE {len(AWKWARD) + 100}",))
    async with scripted_server(script) as server:
        assert await _offered(_relay(server.port, ours), AWKWARD) == [Outcome.REFUSED]
    assert not [line for line in script.heard if line.startswith(b"MAIL")]


async def test_what_cannot_be_signed_sets_one_letter_aside_and_keeps_no_other(
    database: Database, tmp_path: Path
) -> None:
    ours = signer(tmp_path)
    with database.write() as session:
        bad = letter(session, entitled(session, "luc"))
        octets = b"Subject: essai\r\npas un champ\r\n\r\ncorps\r\n"
        session.execute(update(Message).where(Message.id == bad.id).values(content=octets))
        letter(session, entitled(session, "anne"))
    async with mail_server() as mailbox:
        handing = Handing(
            relay=_relay(mailbox.port, ours),
            sender="retours@coop.exemple.quebec",
            allowed=frozenset({"*"}),
            journal=open_journal(tmp_path / "journal"),
        )
        hold_if_restored(database, handing.journal, at=AT)
        tally = await hand_over(database, handing, now=lambda: AT)
    assert (tally.accepted, tally.quarantined) == (1, 1)
    assert mailbox.recipients == ["anne@exemple.quebec"]
