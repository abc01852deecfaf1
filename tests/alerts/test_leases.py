"""Claims: a live dispatcher keeps them, a dead one's come back, a sleeper's dot is not sent."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from alerts import dispatch, doubts, editions, holds, outbox, outcomes, service
from alerts.delivery import Outcome, Phase, Receipt, Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing, Tally
from alerts.journal import open_journal
from alerts.outcomes import Settled
from alerts.recovery import hold_if_restored, recover
from alerts.tables import Letter, LetterState, Omission, Told, ToldState, Why
from base.clock import utc_now
from base.database import Database
from subscriptions.tables import Membership
from tests.coop import AT, entitled, letter, tender, told
from tests.mailserver import Script, mail_server, scripted_server
from tests.writers import desk

ALL = frozenset({"*"})


def _handing(port: int, folder: Path, **options: object) -> Handing:
    values: dict[str, object] = {
        "relay": Relay(host="127.0.0.1", port=port, tls="none", helo="test"),
        "sender": "retours@exemple.quebec",
        "allowed": ALL,
        "journal": open_journal(folder / "journal"),
        **options,
    }
    return Handing(**values)  # type: ignore[arg-type]


def _prepare(database: Database, *names: str, at: datetime = AT) -> None:
    with database.write() as session:
        call, revision = tender(session, closes_at=at + timedelta(days=7))
        for name in names:
            one = letter(session, entitled(session, name), at=at)
            told(session, one, revision, call.id)


def _letter(database: Database) -> Letter:
    with database.read() as session:
        return session.scalars(select(Letter)).one()


def _claim(database: Database, claim: str, at: datetime = AT) -> outbox.Claimed:
    with database.write() as session:
        lot = outbox.claim(session, claim=claim, most=1, allowed=ALL, at=at)
    return lot.claimed[0]


def test_a_lease_and_the_time_between_two_looks_are_less_than_a_minute() -> None:
    """A killed process's letters are on their way again within it."""
    assert timedelta(seconds=60) > outbox.LEASE + service.SEND_EVERY
    assert dispatch.Handing.__dataclass_fields__["reply_within"].default <= outbox.LEASE


async def test_a_live_dispatcher_keeps_its_letters_while_the_relay_is_slow(
    database: Database, tmp_path: Path
) -> None:
    """Its lease would have run out twice; a second dispatcher looks all the while."""
    _prepare(database, "anne", "luc", at=utc_now())
    lease = timedelta(seconds=4)

    async def slow(script: Script) -> None:
        await asyncio.sleep(9)
        assert script.writer is not None
        script.writer.write(b"250 2.1.0 at last\r\n")

    async def others(done: asyncio.Event) -> int:
        taken = 0
        while not done.is_set():
            counts = recover(database, handing.journal, at=utc_now())
            taken += sum(counts.values())
            await asyncio.sleep(0.1)
        return taken

    async with scripted_server(Script({"mail": slow})) as script:
        handing = _handing(
            script.port, tmp_path, lease=lease, reply_within=timedelta(seconds=30), connections=1
        )
        hold_if_restored(database, handing.journal, at=utc_now())
        done = asyncio.Event()
        looking = asyncio.create_task(others(done))
        await hand_over(database, handing, now=utc_now)
        done.set()
        assert await looking == 0


async def test_a_dead_dispatcher_s_letters_leave_once_its_lease_is_over(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, "anne")
    _claim(database, "mort")
    async with mail_server() as mailbox:
        handing = _handing(mailbox.port, tmp_path)
        hold_if_restored(database, handing.journal, at=AT)
        sent = []
        for seconds in (0, 29, 31):
            at = AT + timedelta(seconds=seconds)
            recover(database, handing.journal, at=at)
            sent.append((await hand_over(database, handing, now=lambda at=at: at)).accepted)
    assert sent == [0, 0, 1]


async def test_a_dispatcher_that_slept_beyond_its_lease_sends_no_dot(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was let pass, and woke up when others may have taken it for dead."""
    _prepare(database, "anne")
    stop, asked = threading.Event(), []

    def clock() -> float:
        asked.append(True)
        if len(asked) == 2:
            stop.set()
        return 100.0 * len(asked)

    monkeypatch.setattr(dispatch, "monotonic", clock)
    async with scripted_server(Script()) as script:
        handing = _handing(script.port, tmp_path)
        hold_if_restored(database, handing.journal, at=AT)
        tally = await hand_over(database, handing, now=lambda: AT, stop=stop)
    assert b"DATA" in script.heard
    assert script.accepted == []
    assert tally.withheld == {"claim lost": 1}
    waiting = _letter(database)
    assert (waiting.state, waiting.attempts) == (LetterState.WRITTEN, 0)


@pytest.mark.parametrize(
    ("outcome", "state", "ledger"),
    [
        (Outcome.ACCEPTED, LetterState.ACCEPTED, ToldState.CONFIRMED),
        (Outcome.REFUSED, LetterState.REFUSED, ToldState.RELEASED),
        (Outcome.DEFERRED, LetterState.DEFERRED, ToldState.RESERVED),
    ],
)
def test_an_answer_that_comes_late_ends_the_doubt(
    database: Database, tmp_path: Path, outcome: Outcome, state: LetterState, ledger: ToldState
) -> None:
    """Recovery called the letter UNKNOWN; its dispatcher was only slow, and knows."""
    claimed = _doubtful(database, tmp_path)
    done = Settled(claimed, Receipt(outcome, Phase.DOT, "the relay's words"))
    with database.write() as session:
        assert outcomes.settle(session, [done], claim="lent", at=AT) == []
        assert session.scalars(select(Told.state)).all() == [ledger]
    assert _letter(database).state == state


def test_an_answer_after_a_person_decided_changes_nothing(
    database: Database, tmp_path: Path
) -> None:
    claimed = _doubtful(database, tmp_path)
    with database.write() as session:
        assert doubts.resolve(session, claimed.id, LetterState.WITHDRAWN, reply="", at=AT)
    done = Settled(claimed, Receipt(Outcome.ACCEPTED, Phase.DOT, "250"))
    with database.write() as session:
        assert outcomes.settle(session, [done], claim="lent", at=AT) == [claimed.id]
        assert session.scalars(select(Omission.why)).all() == [Why.DROPPED]
    assert (_letter(database).state, _letter(database).why) == ("withdrawn", Why.DROPPED)


def _doubtful(database: Database, folder: Path) -> outbox.Claimed:
    """A letter of dispatcher "lent" that recovery has called UNKNOWN."""
    _prepare(database, "anne")
    claimed = _claim(database, "lent")
    with database.write() as session:
        one = session.scalars(select(Letter)).one()
        one.state, one.in_doubt_at, one.lease_until = LetterState.IN_DOUBT, AT, AT
    recover(database, open_journal(folder / "journal"), at=AT)
    assert _letter(database).state == LetterState.UNKNOWN
    return claimed


def test_a_letter_sent_again_by_staff_keeps_its_notices_from_being_told_twice(
    database: Database, tmp_path: Path
) -> None:
    claimed = _doubtful(database, tmp_path)
    with database.write() as session:
        doubts.resolve(session, claimed.id, LetterState.WRITTEN, reply="", at=AT)
        assert session.scalars(select(Told.state)).all() == [ToldState.RESERVED]


def test_a_claim_given_back_is_as_it_was(database: Database) -> None:
    """A letter that waits for its third attempt is still DEFERRED, and still at its third."""
    _prepare(database, "anne")
    with database.write() as session:
        one = session.scalars(select(Letter)).one()
        one.state, one.attempts, one.next_attempt_at = LetterState.DEFERRED, 2, AT
    claimed = _claim(database, "moi", AT + timedelta(minutes=1))
    with database.write() as session:
        outbox.give_back(session, [claimed.id], claim="moi")
    back = _letter(database)
    assert (back.state, back.attempts, back.next_attempt_at) == (LetterState.DEFERRED, 2, AT)


def test_what_expired_is_given_back_also_while_all_is_held(database: Database) -> None:
    """Before its turn has come, and before the next edition is written: it tells it again."""
    with database.write() as session:
        holds.hold(session, cause="staff", detail="", by="essai", at=AT)
        contact = entitled(session, "anne")
        call, revision = tender(session, closes_at=AT + timedelta(days=20))
        one = letter(session, contact, "2026-W38")
        told(session, one, revision, call.id)
        one.next_attempt_at = AT + timedelta(hours=80)
        one.expires_at = AT + timedelta(hours=72)
        later = AT + timedelta(days=7)
        editions.open_due(session, later)
    editions.write_open(database, desk(), at=later)
    with database.read() as session:
        states = session.execute(select(Letter.state, Letter.why).order_by(Letter.id)).all()
        assert [tuple(row) for row in states] == [("withdrawn", Why.EXPIRED), ("written", "")]
        assert session.scalars(select(Told.state)).all() == [ToldState.RESERVED]


def test_the_back_off_is_spread(database: Database) -> None:
    """Letters refused together do not come back together."""
    _prepare(database, *(f"m{i}" for i in range(20)))
    with database.write() as session:
        lot = outbox.claim(session, claim="moi", most=50, allowed=ALL, at=AT)
        done = [Settled(one, Receipt(Outcome.DEFERRED, Phase.RCPT, "451")) for one in lot.claimed]
        outcomes.settle(session, done, claim="moi", at=AT)
        turns = session.scalars(select(Letter.next_attempt_at)).all()
    assert len(set(turns)) > 15
    assert all(timedelta(minutes=1) <= turn - AT <= timedelta(seconds=75) for turn in turns)


async def test_a_membership_that_ends_while_the_lock_is_waited_for_is_over(
    database: Database, tmp_path: Path
) -> None:
    """The guard judges by the moment at which it holds all still, not by when it was asked."""
    _prepare(database, "anne")
    with database.write() as session:
        session.scalars(select(Membership)).one().ends_at = AT + timedelta(seconds=10)
    held = []
    plain = dispatch.Custody.__init__.__globals__["hold_still"]

    def hold_still(session: object, ids: list[int]) -> None:
        plain(session, ids)
        held.append(True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(dispatch.Custody.__init__.__globals__, "hold_still", hold_still)
        async with scripted_server(Script()) as script:
            handing = _handing(script.port, tmp_path)
            hold_if_restored(database, handing.journal, at=AT)

            def now() -> datetime:
                return AT + timedelta(seconds=20) if held else AT

            tally: Tally = await hand_over(database, handing, now=now)
    assert script.accepted == []
    assert tally.withheld == {Why.MEMBERSHIP: 1}
