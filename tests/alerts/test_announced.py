"""The next letter's envelope goes with a dot, and each answer is of the letter that it is of."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from alerts import holds, transaction
from alerts.delivery import Connection, Envelope, Outcome, Phase, Receipt, Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing, Tally
from alerts.journal import open_journal
from alerts.recovery import hold_if_restored
from alerts.tables import Letter, LetterState
from base.database import Database
from tests import signatures
from tests.coop import AT, entitled, letter, tender, told
from tests.mailserver import Act, Script, drop, scripted_server, silence

ANNE, LUC, MARIE = (
    Envelope("retours@exemple.quebec", f"{name}@exemple.quebec", f"Subject: {name}\r\n".encode())
    for name in ("anne", "luc", "marie")
)


def once(act: Act, normal: str) -> Act:
    """That act the first time; then the normal reply, and what follows from it."""
    left = [act]

    async def say(script: Script) -> None:
        first = left.pop() if left else normal
        if callable(first):
            await first(script)
            return
        assert script.writer is not None
        said = first if isinstance(first, bytes) else f"{first}\r\n".encode()
        script.writer.write(said)
        if said.startswith(b"250"):
            script.accepted.append(b"")

    return say


def _relay(port: int, **options: object) -> Relay:
    return Relay(host="127.0.0.1", port=port, tls="none", helo="test", **options)  # type: ignore[arg-type]


async def _both(script: Script, **options: object) -> tuple[Receipt, Receipt, bool]:
    """Anne's letter with Luc's envelope behind it, then Luc's; and whether the connection lives."""
    async with scripted_server(script):
        connection = await _relay(script.port, **options).connect()
        assert await connection.offer(ANNE) is None
        anne = await connection.finish(then=LUC)
        luc = await connection.offer(LUC) or await connection.finish()
        alive = connection.is_usable
        await connection.quit()
    return anne, luc, alive


async def test_the_next_envelope_is_with_the_relay_before_it_is_offered() -> None:
    async with scripted_server(Script(pipelining=True)) as script:
        connection = await _relay(script.port).connect()
        assert await connection.offer(ANNE) is None
        await connection.finish(then=LUC)
        await asyncio.sleep(0.05)
        heard = b"RCPT TO:<luc@exemple.quebec>" in script.heard
        taken = await connection.offer(LUC) or await connection.finish()
        await connection.quit()

    assert heard
    assert taken.outcome is Outcome.ACCEPTED
    assert script.accepted == [ANNE.content, LUC.content]
    assert script.connections == 1


BEHIND_THE_DOT = [
    pytest.param("554 5.6.0 no", Outcome.REFUSED, Outcome.ACCEPTED, id="refused"),
    pytest.param("451 4.3.0 later", Outcome.DEFERRED, Outcome.ACCEPTED, id="deferred"),
    pytest.param("421 4.3.2 closing", Outcome.DEFERRED, Outcome.DEFERRED, id="closing"),
    pytest.param(drop, Outcome.UNKNOWN, Outcome.DEFERRED, id="dropped"),
    pytest.param(
        b"250 2.0.0 ok\r\n250 2.0.0 ok\r\n", Outcome.ACCEPTED, Outcome.DEFERRED, id="twice"
    ),
    pytest.param(b"251 2.0.0 what\r\n", Outcome.UNKNOWN, Outcome.DEFERRED, id="not understood"),
    pytest.param(b"%%\r\n", Outcome.UNKNOWN, Outcome.DEFERRED, id="no reply"),
]


@pytest.mark.parametrize(("act", "anne", "luc"), BEHIND_THE_DOT)
async def test_an_answer_to_the_dot_is_of_that_letter_alone(
    act: Act, anne: Outcome, luc: Outcome
) -> None:
    """What becomes of the announced one is certain in each case: its own dot was sent, or not."""
    script = Script({"dot": once(act, "250 2.0.0 ok")}, pipelining=True)
    first, second, _ = await _both(script)

    assert (first.outcome, second.outcome) == (anne, luc)
    if luc is Outcome.DEFERRED:
        assert second.phase is not Phase.DOT
    assert len(script.accepted) == (anne is Outcome.ACCEPTED) + (luc is Outcome.ACCEPTED)


@pytest.mark.parametrize(
    ("step", "reply", "outcome"),
    [
        ("mail", "451 4.3.0 later", Outcome.BUSY),
        ("rcpt", "550 5.1.1 nobody", Outcome.DEAD_ADDRESS),
        ("rcpt", "550 5.7.1 blocked", Outcome.POLICY),
        ("data", "554 5.6.0 no", Outcome.REFUSED),
    ],
)
async def test_an_announced_letter_that_is_refused_is_refused_alone(
    step: str, reply: str, outcome: Outcome
) -> None:
    script = Script(pipelining=True)
    async with scripted_server(script):
        connection = await _relay(script.port).connect()
        assert await connection.offer(ANNE) is None
        script.acts[step] = reply
        anne = await connection.finish(then=LUC)
        luc = await connection.offer(LUC)
        script.acts.clear()
        marie = await connection.offer(MARIE) or await connection.finish()
        await connection.quit()

    assert luc is not None
    assert (anne.outcome, luc.outcome, marie.outcome) == (
        Outcome.ACCEPTED,
        outcome,
        Outcome.ACCEPTED,
    )
    assert script.accepted == [ANNE.content, MARIE.content]
    assert script.connections == 1


async def test_an_announced_letter_whose_dot_is_not_sent_is_not_delivered() -> None:
    async with scripted_server(Script(pipelining=True)) as script:
        connection = await _relay(script.port).connect()
        assert await connection.offer(ANNE) is None
        await connection.finish(then=LUC)
        assert await connection.offer(LUC) is None
        connection.abandon()
        await asyncio.sleep(0.05)
    assert script.accepted == [ANNE.content]


async def test_where_one_letter_is_announced_no_other_is_offered() -> None:
    async with scripted_server(Script(pipelining=True)) as script:
        connection = await _relay(script.port).connect()
        assert await connection.offer(ANNE) is None
        await connection.finish(then=LUC)
        usable = connection.is_usable
        marie = await connection.offer(MARIE)
    assert not usable
    assert marie is not None
    assert (marie.outcome, marie.phase) == (Outcome.DEFERRED, Phase.MAIL)
    assert script.accepted == [ANNE.content]


async def test_while_a_letter_is_announced_the_connection_is_that_letter_s() -> None:
    """Though nothing has come back yet: no goodbye is said in the midst of it."""
    async with scripted_server(Script(pipelining=True)) as script:
        connection = await _relay(script.port).connect()
        assert await connection.offer(ANNE) is None
        script.acts["mail"] = silence
        await connection.finish(then=LUC)
        usable = connection.is_usable
        await connection.quit()
        await asyncio.sleep(0.05)
    assert not usable
    assert b"QUIT" not in script.heard


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(Script(), id="no batches offered"),
        pytest.param(Script(pipelining=True, extensions=("SIZE 13",)), id="too large"),
    ],
)
async def test_what_cannot_be_sent_ahead_is_not_announced(script: Script) -> None:
    small = Envelope(ANNE.sender, ANNE.recipient, b"Subject: a\r\n")
    async with scripted_server(script):
        connection = await _relay(script.port).connect()
        assert await connection.offer(small) is None
        await connection.finish(then=LUC)
        await asyncio.sleep(0.05)
        assert connection.is_usable
        await connection.quit()
    assert sum(line.startswith(b"MAIL") for line in script.heard) == 1


async def test_a_relay_that_loses_what_comes_with_a_dot_gets_nothing_ahead_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It understands batches, but not behind a dot: what it lost is certainly not taken."""
    monkeypatch.setattr(transaction, "REPLY_WITHIN", 0.3)
    receipts = []
    async with scripted_server(Script(pipelining=True)) as script:
        relay = _relay(script.port)
        for _ in range(4):
            script.deaf_to_batches = False
            connection = await relay.connect()
            assert await connection.offer(ANNE) is None
            script.deaf_to_batches = relay.habits.hears_ahead
            await connection.finish(then=LUC)
            receipts.append(await connection.offer(LUC) or await connection.finish())
            await connection.quit()
    assert [one.outcome for one in receipts] == [Outcome.DEFERRED] * 3 + [Outcome.ACCEPTED]
    assert relay.habits.pipelines
    assert len(script.accepted) == 5


@pytest.mark.parametrize(
    ("padding", "outcome"),
    [
        pytest.param(0, Outcome.ACCEPTED, id="fits"),
        pytest.param(1800, Outcome.REFUSED, id="too large once it is signed"),
    ],
)
async def test_what_we_sign_is_announced_too(
    tmp_path: Path, padding: int, outcome: Outcome
) -> None:
    """Where only the signature makes it too large the relay, which waits for it, is left."""
    start = f"From: {signatures.AUTHOR}\r\nTo: x@exemple.quebec\r\n\r\n".encode()
    anne, luc = (
        Envelope(ANNE.sender, ANNE.recipient, start + b"a\r\n" * (more // 3))
        for more in (30, 30 + padding)
    )
    script = Script(pipelining=True, extensions=("SIZE 2000",))
    async with scripted_server(script):
        relay = _relay(script.port, signer=signatures.signer(tmp_path))
        connection = await relay.connect()
        assert await connection.offer(anne) is None
        await connection.finish(then=luc)
        second = await connection.offer(luc) or await connection.finish()
        usable = connection.is_usable
        await connection.quit()

    accepted = outcome is Outcome.ACCEPTED
    assert (second.outcome, usable, len(script.accepted)) == (outcome, accepted, 1 + accepted)
    assert sum(line.startswith(b"MAIL") for line in script.heard) == 2
    assert all(b"DKIM-Signature" in one for one in script.accepted)


def _handing(port: int, folder: Path, **options: object) -> Handing:
    values: dict[str, object] = {
        "relay": _relay(port),
        "sender": "retours@exemple.quebec",
        "allowed": frozenset({"*"}),
        "journal": open_journal(folder / "journal"),
        "connections": 1,
        **options,
    }
    return Handing(**values)  # type: ignore[arg-type]


def _prepare(database: Database, number: int) -> None:
    with database.write() as session:
        call, revision = tender(session)
        for i in range(number):
            told(session, letter(session, entitled(session, f"m{i}")), revision, call.id)


async def _send(database: Database, handing: Handing, stop: threading.Event | None = None) -> Tally:
    hold_if_restored(database, handing.journal, at=AT)
    return await hand_over(database, handing, now=lambda: AT, stop=stop)


def _rows(database: Database) -> list[tuple[str, int, str]]:
    with database.read() as session:
        rows = select(Letter.state, Letter.attempts, Letter.claim).order_by(Letter.id)
        return [tuple(row) for row in session.execute(rows)]  # type: ignore[misc]


@pytest.mark.parametrize(("lot", "connections"), [(100, 3), (2, 3)])
async def test_a_connection_carries_no_more_than_it_may_though_letters_are_announced(
    database: Database, tmp_path: Path, lot: int, connections: int
) -> None:
    """And the lots follow each other: each letter leaves once."""
    _prepare(database, 9)
    async with scripted_server(Script(pipelining=True)) as script:
        handing = _handing(script.port, tmp_path, lot=lot, letters_a_connection=3)
        tally = await _send(database, handing)

    assert tally.accepted == len(script.accepted) == script.heard.count(b"DATA") == 9
    assert script.connections == connections
    assert {state for state, _, _ in _rows(database)} == {LetterState.ACCEPTED}


async def test_silence_after_a_dot_leaves_the_announced_letter_to_another_connection(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, 3)
    script = Script({"dot": once(drop, "250 2.0.0 ok")}, pipelining=True)
    async with scripted_server(script):
        tally = await _send(database, _handing(script.port, tmp_path))

    assert tally.outcomes == {Outcome.UNKNOWN: 1, Outcome.ACCEPTED: 2}
    assert [state for state, _, _ in _rows(database)] == [
        LetterState.UNKNOWN,
        LetterState.ACCEPTED,
        LetterState.ACCEPTED,
    ]
    assert [attempts for _, attempts, _ in _rows(database)] == [1, 1, 1]
    assert script.connections == 2


@pytest.mark.parametrize("by", ["stop", "hold"])
async def test_an_announced_letter_is_given_back_when_the_run_is_over(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """Or its dot is refused: whichever comes first, it waits as if never claimed."""
    _prepare(database, 3)
    stop = threading.Event()
    plain = Connection.finish

    async def finish(self: Connection, then: Envelope | None = None) -> Receipt:
        assert then is not None
        if by == "stop":
            stop.set()
        else:
            with database.write() as session:
                holds.hold(session, cause="staff", detail="", by="essai", at=AT)
        return await plain(self, then)

    monkeypatch.setattr(Connection, "finish", finish)
    async with scripted_server(Script(pipelining=True)) as script:
        await _send(database, _handing(script.port, tmp_path), stop)

    assert len(script.accepted) == 1
    assert _rows(database)[1:] == [(LetterState.WRITTEN, 0, "")] * 2


async def test_three_policy_refusals_at_the_dot_hold_everything_though_a_fourth_is_announced(
    database: Database, tmp_path: Path
) -> None:
    _prepare(database, 6)
    async with scripted_server(Script({"dot": "550 5.7.1 spam"}, pipelining=True)) as script:
        tally = await _send(database, _handing(script.port, tmp_path))
    assert tally.stopped == "policy"
    states = [state for state, _, _ in _rows(database)]
    assert states == [LetterState.REFUSED] * 3 + [LetterState.WRITTEN] * 3
    assert [attempts for _, attempts, _ in _rows(database)] == [1] * 3 + [0] * 3


async def test_with_a_pace_nothing_is_announced(database: Database, tmp_path: Path) -> None:
    """It would be begun before its time."""
    _prepare(database, 3)
    announced = []
    plain = Connection.finish

    async def finish(self: Connection, then: Envelope | None = None) -> Receipt:
        announced.append(then)
        return await plain(self, then)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "finish", finish)
        async with scripted_server(Script(pipelining=True)) as script:
            handing = _handing(script.port, tmp_path, pace=100.0, lease=timedelta(seconds=30))
            await _send(database, handing)
    assert announced == [None] * 3
