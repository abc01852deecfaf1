"""Hand-over: only who is entitled at the instant, every outcome recorded, nothing lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts import dispatch, holds, outbox, outcomes
from alerts.delivery import Relay
from alerts.dispatch import Handing, Tally, hand_over
from alerts.hold_tables import Instance
from alerts.journal import open_journal
from alerts.recovery import hold_if_restored, recover
from alerts.tables import Letter, LetterState, Omission, Told, ToldState, Why
from base.database import Database
from subscriptions import suppressions
from subscriptions.tables import Consent, Contact, Membership, Subscription, Suppression
from tests.coop import AT, entitled, letter, tender, told
from tests.mailserver import Script, drop, mail_server, scripted_server

LATER = AT + timedelta(minutes=1)


def _handing(port: int, folder: Path, **options: object) -> Handing:
    values: dict[str, object] = {
        "relay": Relay(host="127.0.0.1", port=port, tls="none", helo="test"),
        "sender": "retours@exemple.quebec",
        "allowed": frozenset({"*"}),
        "journal": open_journal(folder / "journal"),
        **options,
    }
    return Handing(**values)  # type: ignore[arg-type]


async def _send(database: Database, handing: Handing, at: datetime = AT) -> Tally:
    hold_if_restored(database, handing.journal, at=at)
    return await hand_over(database, handing, now=lambda: at)


def _prepare(database: Database, *names: str) -> None:
    """Contacts, each with one letter about one tender."""
    with database.write() as session:
        call, revision = tender(session)
        for name in names:
            one = letter(session, entitled(session, name))
            told(session, one, revision, call.id)


def _states(database: Database) -> dict[str, str]:
    with database.read() as session:
        return dict(session.execute(select(Letter.address, Letter.state)).all())  # type: ignore[arg-type]


def _ledger(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(select(Told.state)))


async def test_an_entitled_contact_gets_the_letter_once(database: Database, tmp_path: Path) -> None:
    _prepare(database, "anne", "luc", "marie")
    async with mail_server() as mailbox:
        handing = _handing(mailbox.port, tmp_path)
        first = await _send(database, handing)
        second = await _send(database, handing, LATER)

    assert sorted(mailbox.recipients) == [f"{n}@exemple.quebec" for n in ("anne", "luc", "marie")]
    assert (first.accepted, second.accepted) == (3, 0)
    assert set(_states(database).values()) == {LetterState.ACCEPTED}
    assert _ledger(database) == {ToldState.CONFIRMED}
    with database.read() as session:
        proof = session.scalars(select(Letter.membership_id)).all()
    assert None not in proof


def _lapse(session: Session) -> None:
    session.execute(update(Membership).values(ends_at=AT))


def _not_yet_member(session: Session) -> None:
    session.execute(update(Membership).values(starts_at=LATER))


def _no_consent(session: Session) -> None:
    session.execute(update(Consent).values(ends_at=AT))


def _unsubscribe(session: Session) -> None:
    session.execute(update(Subscription).values(ended_at=AT))


def _pause(session: Session) -> None:
    session.execute(update(Subscription).values(paused_until=AT + timedelta(days=30)))


def _suppress(session: Session) -> None:
    suppressions.suppress(session, "anne@exemple.quebec", reason="staff", at=AT)


def _move(session: Session) -> None:
    session.execute(update(Contact).values(address="ailleurs@exemple.quebec"))


def _remove(session: Session) -> None:
    session.execute(update(Contact).values(ended_at=AT))


def _expire(session: Session) -> None:
    session.execute(update(Letter).values(expires_at=AT))


REFUSALS = [
    pytest.param(_lapse, Why.MEMBERSHIP, id="lapsed"),
    pytest.param(_not_yet_member, Why.MEMBERSHIP, id="membership still to come"),
    pytest.param(_remove, Why.MEMBERSHIP, id="contact removed"),
    pytest.param(_no_consent, Why.CONSENT, id="consent ended"),
    pytest.param(_unsubscribe, Why.SUBSCRIPTION, id="unsubscribed"),
    pytest.param(_pause, Why.PAUSED, id="paused"),
    pytest.param(_suppress, Why.SUPPRESSED, id="suppressed"),
    pytest.param(_move, Why.ADDRESS, id="address changed"),
    pytest.param(_expire, Why.EXPIRED, id="expired"),
]


@pytest.mark.parametrize(("change", "why"), REFUSALS)
async def test_a_refusal_before_the_claim_never_reaches_the_relay(
    database: Database, tmp_path: Path, change: Callable[[Session], None], why: Why
) -> None:
    _prepare(database, "anne")
    with database.write() as session:
        change(session)
    async with scripted_server(Script()) as script:
        await _send(database, _handing(script.port, tmp_path))

    assert script.heard == []
    _assert_withdrawn(database, why)


@pytest.mark.parametrize(("change", "why"), REFUSALS)
async def test_a_refusal_at_the_dot_delivers_nothing(
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Session], None],
    why: Why,
) -> None:
    """The body is with the relay already: only the statement before the dot can refuse."""
    _prepare(database, "anne")
    offer = dispatch.Connection.offer

    async def offer_then_change(*args: object) -> object:
        offered = await offer(*args)  # type: ignore[arg-type]
        with database.write() as session:
            change(session)
        return offered

    monkeypatch.setattr(dispatch.Connection, "offer", offer_then_change)
    async with scripted_server(Script()) as script:
        tally = await _send(database, _handing(script.port, tmp_path))

    assert b"DATA" in script.heard
    assert script.accepted == []
    assert tally.withheld == {why: 1}
    _assert_withdrawn(database, why)


def _assert_withdrawn(database: Database, why: Why) -> None:
    with database.read() as session:
        one = session.scalars(select(Letter)).one()
        assert (one.state, one.why) == (LetterState.WITHDRAWN, why)
        assert session.scalars(select(Omission.why)).all() == [why]
    assert _ledger(database) == {ToldState.RELEASED}


@pytest.mark.parametrize(
    ("allowed", "leaves"),
    [
        pytest.param((), False, id="nobody by default"),
        pytest.param(("*",), True, id="everybody"),
        pytest.param(("anne@exemple.quebec",), True, id="the address"),
        pytest.param(("exemple.quebec",), True, id="the domain"),
        pytest.param(("@exemple.quebec",), True, id="the domain with @"),
        pytest.param(("xemple.quebec",), False, id="the end of a domain"),
        pytest.param(("luc@exemple.quebec",), False, id="another address"),
        pytest.param(("%",), False, id="a pattern"),
    ],
)
async def test_only_who_mail_allowed_names_is_mailed(
    database: Database, tmp_path: Path, allowed: tuple[str, ...], leaves: bool
) -> None:
    _prepare(database, "anne")
    async with mail_server() as mailbox:
        await _send(database, _handing(mailbox.port, tmp_path, allowed=frozenset(allowed)))

    assert len(mailbox.received) == leaves
    if not leaves:
        _assert_withdrawn(database, Why.NOT_ALLOWED)


async def test_a_hold_keeps_letters_and_lifting_it_sends_them(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, "anne")
    async with mail_server() as mailbox:
        handing = _handing(mailbox.port, tmp_path)
        with database.write() as session:
            holds.hold(session, cause="staff", detail="", by="essai", at=AT)
        held = await _send(database, handing)
        with database.write() as session:
            holds.lift(session, by="essai", at=AT)
        sent = await _send(database, handing)

    assert (held.stopped, held.accepted) == ("held", 0)
    assert sent.accepted == 1


async def test_a_hold_set_while_a_letter_is_at_the_dot_keeps_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _prepare(database, "anne")
    offer = dispatch.Connection.offer

    async def offer_then_hold(*args: object) -> object:
        offered = await offer(*args)  # type: ignore[arg-type]
        with database.write() as session:
            holds.hold(session, cause="staff", detail="", by="essai", at=AT)
        return offered

    monkeypatch.setattr(dispatch.Connection, "offer", offer_then_hold)
    async with scripted_server(Script()) as script:
        tally = await _send(database, _handing(script.port, tmp_path))
    assert script.accepted == []
    assert tally.stopped == "held"
    assert set(_states(database).values()) == {LetterState.WRITTEN}
    assert _ledger(database) == {ToldState.RESERVED}


OUTCOMES = [
    ("rcpt", "451 4.7.1 later", LetterState.DEFERRED, ToldState.RESERVED),
    ("rcpt", "550 5.1.1 nobody", LetterState.REFUSED, ToldState.RELEASED),
    ("rcpt", "550 5.7.1 blocked", LetterState.REFUSED, ToldState.RELEASED),
    ("mail", "550 5.1.8 sender", LetterState.DEFERRED, ToldState.RESERVED),
    ("dot", "451 4.3.0 later", LetterState.DEFERRED, ToldState.RESERVED),
    ("dot", "552 5.3.4 big", LetterState.REFUSED, ToldState.RELEASED),
    ("dot", drop, LetterState.UNKNOWN, ToldState.UNCERTAIN),
    ("data", drop, LetterState.DEFERRED, ToldState.RESERVED),
]


@pytest.mark.parametrize(("step", "act", "state", "ledger"), OUTCOMES)
async def test_every_outcome_is_recorded(
    database: Database,
    tmp_path: Path,
    step: str,
    act: object,
    state: LetterState,
    ledger: ToldState,
) -> None:
    _prepare(database, "anne")
    async with scripted_server(Script({step: act})) as script:  # type: ignore[dict-item]
        await _send(database, _handing(script.port, tmp_path))
    assert _states(database) == {"anne@exemple.quebec": state}
    assert _ledger(database) == {ledger}


async def test_a_dead_address_is_suppressed_and_a_policy_refusal_is_not(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, "anne", "luc")
    async with mail_server() as mailbox:
        mailbox.replies["anne@exemple.quebec"] = "550 5.1.1 nobody"
        mailbox.replies["luc@exemple.quebec"] = "550 5.7.1 blocked"
        await _send(database, _handing(mailbox.port, tmp_path))
    with database.read() as session:
        assert session.scalars(select(Suppression.address)).all() == ["anne@exemple.quebec"]


async def test_three_policy_refusals_hold_everything(database: Database, tmp_path: Path) -> None:
    names = [f"membre{i}" for i in range(10)]
    _prepare(database, *names)
    async with mail_server() as mailbox:
        mailbox.replies.update({f"{n}@exemple.quebec": "550 5.7.1 blocked" for n in names})
        tally = await _send(database, _handing(mailbox.port, tmp_path, connections=1))
    with database.read() as session:
        assert [one.cause for one in holds.standing(session)] == ["policy"]
    assert tally.stopped == "policy"
    states = list(_states(database).values())
    assert states.count(LetterState.REFUSED) == 3
    assert states.count(LetterState.WRITTEN) == 7


async def test_a_deferred_letter_is_tried_again_when_due_and_not_before(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, "anne")
    async with mail_server() as mailbox:
        mailbox.replies["anne@exemple.quebec"] = "451 4.7.1 greylisted"
        handing = _handing(mailbox.port, tmp_path)
        await _send(database, handing)
        mailbox.replies.clear()
        early = await _send(database, handing, AT + timedelta(seconds=30))
        due = await _send(database, handing, AT + timedelta(minutes=2))
    assert (early.accepted, due.accepted) == (0, 1)


def test_the_back_off_grows_to_hours_with_a_little_spread() -> None:
    minutes = [outcomes.back_off(n, 0).total_seconds() / 60 for n in range(1, 9)]
    assert minutes == [1, 5, 15, 60, 120, 240, 240, 240]
    assert outcomes.back_off(2, 1.0) == timedelta(minutes=6.25)


async def test_an_unreachable_relay_costs_no_attempt(database: Database, tmp_path: Path) -> None:
    _prepare(database, "anne", "luc")
    async with scripted_server(Script()) as script:
        port = script.port
    tally = await _send(database, _handing(port, tmp_path))
    assert tally.stopped.startswith("RelayUnreachable")
    assert set(_states(database).values()) == {LetterState.WRITTEN}
    with database.read() as session:
        assert set(session.scalars(select(Letter.attempts))) == {0}


async def test_a_killed_dispatcher_s_claims_wait_again_after_their_lease(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, "anne")
    with database.write() as session:
        outbox.claim(session, claim="mort", most=10, allowed=frozenset({"*"}), at=AT)
    journal = open_journal(tmp_path / "journal")

    early = recover(database, journal, at=AT + timedelta(seconds=29))
    late = recover(database, journal, at=AT + timedelta(seconds=30))

    assert (early["taken back"], late["taken back"]) == (0, 1)
    assert set(_states(database).values()) == {LetterState.WRITTEN}


async def test_a_zombie_s_late_result_changes_nothing(database: Database, tmp_path: Path) -> None:
    """Its claim ran out and another dispatcher has the letter: its dot is refused."""
    _prepare(database, "anne")
    offer = dispatch.Connection.offer

    async def offer_too_slowly(*args: object) -> object:
        offered = await offer(*args)  # type: ignore[arg-type]
        with database.write() as session:
            outbox.take_back(session, at=LATER)
            outbox.claim(session, claim="autre", most=1, allowed=frozenset({"*"}), at=LATER)
        return offered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch.Connection, "offer", offer_too_slowly)
        async with scripted_server(Script()) as script:
            await _send(database, _handing(script.port, tmp_path))
    assert script.accepted == []
    with database.read() as session:
        one = session.scalars(select(Letter)).one()
    assert (one.state, one.claim) == (LetterState.CLAIMED, "autre")


@pytest.mark.parametrize("was_accepted", [False, True], ids=["no trace", "in the journal"])
async def test_a_doubt_is_resolved_by_the_journal_or_shown(
    database: Database, tmp_path: Path, was_accepted: bool
) -> None:
    _prepare(database, "anne")
    journal = open_journal(tmp_path / "journal")
    with database.write() as session:
        one = session.scalars(select(Letter)).one()
        one.state, one.in_doubt_at, one.lease_until = LetterState.IN_DOUBT, AT, LATER
        key = one.key
    if was_accepted:
        journal.accepted([key], AT)

    recover(database, journal, at=LATER)

    expected = LetterState.ACCEPTED if was_accepted else LetterState.UNKNOWN
    assert set(_states(database).values()) == {expected}
    assert _ledger(database) == {ToldState.CONFIRMED if was_accepted else ToldState.UNCERTAIN}


async def test_two_dispatchers_at_once_hand_each_letter_over_once(
    database: Database, tmp_path: Path
) -> None:
    names = [f"membre{i}" for i in range(40)]
    _prepare(database, *names)
    async with mail_server() as mailbox:
        handing = _handing(mailbox.port, tmp_path, lot=7)
        hold_if_restored(database, handing.journal, at=AT)
        await asyncio.gather(*(hand_over(database, handing, now=lambda: AT) for _ in range(3)))
    assert sorted(mailbox.recipients) == sorted(f"{n}@exemple.quebec" for n in names)


async def test_a_stop_finishes_what_is_in_hand_and_gives_the_rest_back(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, *(f"membre{i}" for i in range(20)))
    stop = threading.Event()
    async with mail_server() as mailbox:
        handing = _handing(mailbox.port, tmp_path, connections=1)
        hold_if_restored(database, handing.journal, at=AT)

        def now() -> datetime:
            if len(mailbox.received) >= 3:
                stop.set()
            return AT

        tally = await hand_over(database, handing, now=now, stop=stop)
    states = list(_states(database).values())
    assert states.count(LetterState.ACCEPTED) == len(mailbox.received) == tally.accepted
    assert states.count(LetterState.WRITTEN) == 20 - tally.accepted
    assert tally.accepted < 20


async def test_a_restored_database_starts_held(database: Database, tmp_path: Path) -> None:
    """The journal counts a letter that this database does not know of."""
    _prepare(database, "anne")
    async with mail_server() as mailbox:
        handing = _handing(mailbox.port, tmp_path)
        await _send(database, handing)
        with database.write() as session:
            # As a backup of the day before would have it.
            session.execute(update(Letter).values(state=LetterState.WRITTEN))
            session.execute(update(Instance).values(begun=0))
        again = await _send(database, handing)
    assert again.stopped == "held"
    assert len(mailbox.received) == 1


async def test_a_cloned_database_beside_a_new_journal_starts_held(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, "anne")
    async with mail_server() as mailbox:
        await _send(database, _handing(mailbox.port, tmp_path))
        with database.write() as session:
            session.execute(update(Letter).values(state=LetterState.WRITTEN))
        again = await _send(database, _handing(mailbox.port, tmp_path / "ailleurs"))
    assert again.stopped == "held"
    assert len(mailbox.received) == 1


async def test_a_clock_that_went_backwards_holds(database: Database, tmp_path: Path) -> None:
    _prepare(database, "anne", "luc")
    async with mail_server() as mailbox:
        handing = _handing(mailbox.port, tmp_path)
        await _send(database, handing)
        again = await _send(database, handing, AT - timedelta(hours=1))
    assert again.stopped == "held"


async def test_downtime_alone_never_holds(database: Database, tmp_path: Path) -> None:
    _prepare(database, "anne")
    async with mail_server() as mailbox:
        handing = _handing(mailbox.port, tmp_path)
        await _send(database, handing)
        later = await _send(database, handing, AT + timedelta(days=30))
    assert later.stopped == ""
