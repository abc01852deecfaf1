"""Connections: pooled, capped, paced; one that the relay closed costs no letter an attempt."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import select

from alerts import holds
from alerts.connections import Connections
from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.handing import Fault, Handing, Tally
from alerts.journal import open_journal
from alerts.recovery import hold_if_restored
from alerts.tables import Attempt, Letter, LetterState
from base import concerns
from base.database import Database
from tests.coop import AT, entitled, letter
from tests.mailserver import Script, drop, mail_server, scripted_server


def _handing(port: int, folder: Path, **options: object) -> Handing:
    values: dict[str, object] = {
        "relay": Relay(host="127.0.0.1", port=port, tls="none", helo="test"),
        "sender": "retours@exemple.quebec",
        "allowed": frozenset({"*"}),
        "journal": open_journal(folder / "journal"),
        **options,
    }
    return Handing(**values)  # type: ignore[arg-type]


def _prepare(database: Database, letters: int) -> None:
    with database.write() as session:
        for number in range(letters):
            letter(session, entitled(session, f"membre{number}"))


async def _send(database: Database, handing: Handing, *, hours: int = 0) -> Tally:
    at = AT + timedelta(hours=hours)
    hold_if_restored(database, handing.journal, at=at)
    return await hand_over(database, handing, now=lambda: at)


@dataclass
class Host:
    """A real server with limits of its own: connections at once, letters a connection."""

    most_open: int = 1000
    most_letters: int = 1000
    goodbye: bytes = b"421 4.7.0 enough\r\n"
    port: int = 0
    connections: int = 0
    open: int = 0
    most_seen: int = 0
    accepted: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.most_seen = max(self.most_seen, self.open)
        try:
            if self.open > self.most_open:
                writer.write(b"421 4.7.0 too many connections\r\n")
            else:
                writer.write(b"220 test\r\n")
                await self._talk(reader, writer)
        finally:
            self.open -= 1
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        carried = 0
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"MAIL" and carried >= self.most_letters:
                writer.write(self.goodbye)
                return
            if verb == b"DATA":
                writer.write(b"354 go\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                carried += 1
                self.accepted += 1
            writer.write(b"250 2.0.0 ok\r\n")
            await writer.drain()


@contextlib.asynccontextmanager
async def serving(host: Host) -> AsyncIterator[Host]:
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    host.port = server.sockets[0].getsockname()[1]
    try:
        yield host
    finally:
        server.close()


async def test_one_connection_carries_many_letters_and_is_renewed(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, 10)
    async with serving(Host()) as host:
        handing = _handing(host.port, tmp_path, connections=1, letters_a_connection=4)
        tally = await _send(database, handing)
    assert (tally.accepted, host.accepted, host.connections) == (10, 10, 3)


async def test_no_more_connections_are_opened_than_allowed(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, 30)
    async with serving(Host()) as host:
        tally = await _send(database, _handing(host.port, tmp_path, connections=3))
    assert tally.accepted == 30
    assert host.most_seen == host.connections == 3


@pytest.mark.parametrize("goodbye", [b"421 4.7.0 too many messages\r\n", b""])
async def test_a_connection_that_the_relay_had_enough_of_costs_no_attempt(
    database: Database, tmp_path: Path, goodbye: bytes
) -> None:
    """After three letters it says 421, or nothing at all; the fourth leaves on a fresh one."""
    _prepare(database, 8)
    async with serving(Host(most_letters=3, goodbye=goodbye)) as host:
        tally = await _send(database, _handing(host.port, tmp_path, connections=1))
    assert tally.outcomes == {"accepted": 8}
    assert host.connections == 3
    with database.read() as session:
        assert set(session.scalars(select(Letter.attempts))) == {1}


async def test_one_connection_too_many_leaves_the_letters_to_the_others(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, 12)
    async with serving(Host(most_open=2)) as host:
        tally = await _send(database, _handing(host.port, tmp_path, connections=4))
    assert (tally.accepted, tally.stopped, host.accepted) == (12, "", 12)


async def test_a_new_connection_that_is_closed_at_once_counts_as_an_attempt(
    database: Database, tmp_path: Path
) -> None:
    """Else a relay that always hangs up would be asked without end."""
    _prepare(database, 2)
    async with scripted_server(Script({"mail": drop})) as script:
        tally = await _send(database, _handing(script.port, tmp_path, connections=1))
    assert tally.outcomes == {"deferred": 2}
    assert script.connections == 2


async def test_the_pace_holds_over_all_connections(database: Database, tmp_path: Path) -> None:
    _prepare(database, 10)
    async with mail_server() as mailbox:
        handing = _handing(mailbox.port, tmp_path, connections=5, pace=20.0)
        began = monotonic()
        tally = await _send(database, handing)
    assert tally.accepted == 10
    assert monotonic() - began >= 10 / 20


async def test_a_slow_pace_claims_no_more_than_leaves_within_a_lease(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, 12)
    async with mail_server() as mailbox:
        handing = _handing(
            mailbox.port, tmp_path, connections=2, pace=10.0, lease=timedelta(seconds=0.4)
        )
        hold_if_restored(database, handing.journal, at=AT)
        sending = asyncio.create_task(hand_over(database, handing, now=lambda: AT))
        most = 0
        while not sending.done():
            with database.read() as session:
                claimed = select(Letter.id).where(Letter.state == LetterState.CLAIMED)
                most = max(most, len(session.scalars(claimed).all()))
            await asyncio.sleep(0.01)
        assert (await sending).accepted == 12
    assert 0 < most <= 4


async def test_a_stale_idle_connection_is_not_used(tmp_path: Path) -> None:
    async with scripted_server(Script()) as script:
        relay = Relay(host="127.0.0.1", port=script.port, tls="none", helo="test")
        connections = Connections(relay, 10)
        first = await connections.take()
        await connections.put(first)
        first.close()
        second = await connections.take()
        assert second is not first
        await connections.put(second)
        await connections.quit()
    assert connections.in_use == 0


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        (Script({"banner": "554 5.7.1 go away"}), Fault.REFUSED),
        (Script({"mail": "550 5.1.8 <retours@exemple.quebec> bad sender"}), Fault.REFUSED),
        (Script({"banner": "421 4.3.2 later"}), Fault.UNREACHABLE),
    ],
)
async def test_staff_are_told_of_a_relay_that_refuses_us_and_that_it_is_over(
    database: Database, tmp_path: Path, script: Script, fault: Fault
) -> None:
    _prepare(database, 3)
    async with scripted_server(script):
        handing = _handing(script.port, tmp_path, connections=1)
        first = await _send(database, handing)
        told_at_once = _concerns(database)
        await _send(database, handing, hours=2)
    told_later = _concerns(database)
    async with mail_server() as mailbox:
        over = await _send(database, _handing(mailbox.port, tmp_path), hours=3)

    assert (first.fault, over.accepted) == (fault, 3)
    refused = fault is Fault.REFUSED
    assert told_at_once == (["relay refuses"] if refused else [])
    assert told_later == (["relay refuses"] if refused else ["relay away"])
    assert _concerns(database) == []


def _concerns(database: Database) -> list[str]:
    with database.read() as session:
        standing = concerns.standing(session)
        assert not any("@" in str(one.detail) for one in standing)
        return [one.cause for one in standing]


async def test_what_is_refused_to_our_sender_is_no_letter_s_fault(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, 1)
    async with scripted_server(Script({"mail": "550 5.1.8 bad sender"})) as script:
        handing = _handing(script.port, tmp_path)
        for hours in range(3):
            await _send(database, handing, hours=hours)
    with database.read() as session:
        one = session.scalars(select(Letter)).one()
        assert len(session.scalars(select(Attempt)).all()) == 3
    assert (one.state, one.attempts) == (LetterState.DEFERRED, 0)
    assert one.next_attempt_at == AT + timedelta(hours=2, minutes=5)


async def test_three_policy_refusals_in_as_many_runs_hold_everything(
    database: Database, tmp_path: Path
) -> None:
    """A run may be of one letter only; three of them are as bad as one of three."""
    faults = []
    async with mail_server() as mailbox:
        handing = _handing(mailbox.port, tmp_path)
        for number in range(4):
            address = f"membre{number}@exemple.quebec"
            mailbox.replies[address] = "550 5.7.1 blocked"
            with database.write() as session:
                letter(session, entitled(session, f"membre{number}"))
            faults.append((await _send(database, handing)).fault)
    assert faults == [None, None, Fault.POLICY, Fault.HELD]
    assert _concerns(database) == ["hold policy"]


async def test_policy_refusals_before_staff_lifted_the_hold_count_no_more(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, 3)
    async with mail_server() as mailbox:
        handing = _handing(mailbox.port, tmp_path, connections=1)
        mailbox.replies.update({f"membre{n}@exemple.quebec": "550 5.7.1 no" for n in range(4)})
        first = await _send(database, handing)
        with database.write() as session:
            holds.lift(session, by="essai", at=AT + timedelta(minutes=5))
            letter(session, entitled(session, "membre3"))
        second = await _send(database, handing, hours=1)
    assert (first.fault, second.fault) == (Fault.POLICY, None)
