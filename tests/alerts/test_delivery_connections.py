"""Slow relays, relays that lie, and connections that are used again, closed or out of step."""

from __future__ import annotations

import asyncio

import pytest

from alerts import delivery, transaction
from alerts.delivery import Envelope, Outcome, Phase, Receipt, Relay
from alerts.errors import RelayUnreachable
from tests.mailserver import Act, Script, drop, scripted_server, slowly

LETTER = Envelope(
    "retours@exemple.quebec",
    "anne@exemple.quebec",
    b"Subject: essai\r\n\r\n.point\r\n..deux\r\nfin\r\n",
)


def _relay(port: int, **options: object) -> Relay:
    return Relay(host="127.0.0.1", port=port, tls="none", helo="test", **options)  # type: ignore[arg-type]


async def _hand_over(relay: Relay, envelope: Envelope = LETTER) -> Receipt:
    connection = await relay.connect()
    try:
        return await connection.offer(envelope) or await connection.finish()
    finally:
        await connection.quit()


@pytest.fixture(autouse=True)
def _short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "CONNECT_WITHIN", 1.0)
    for name in ("REPLY_WITHIN", "BODY_WITHIN"):
        monkeypatch.setattr(transaction, name, 1.0)


async def test_a_relay_slower_than_an_octet_a_second_is_left_in_time() -> None:
    """F-36: each octet comes in time, the reply as a whole does not."""
    async with scripted_server(Script({"mail": slowly("250 2.0.0 ok", 0.2)})) as script:
        receipt = await _hand_over(_relay(script.port))
    assert (receipt.outcome, receipt.phase) == (Outcome.DEFERRED, Phase.MAIL)


async def test_a_slow_answer_to_the_dot_is_doubt() -> None:
    script = Script({"dot": slowly("250 2.0.0 queued", 0.2)})
    async with scripted_server(script):
        receipt = await _hand_over(_relay(script.port, dot_reply_within=1.0))
    assert receipt.outcome is Outcome.UNKNOWN


async def test_a_reply_that_is_in_time_by_itself_may_be_too_late_for_the_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F-36, 30 s a command: the letter as a whole has its limit too."""
    monkeypatch.setattr(transaction, "OFFER_WITHIN", 0.4)
    async with scripted_server(Script({"data": slowly("354 go", 0.1)})) as script:
        receipt = await _hand_over(_relay(script.port))
    assert (receipt.outcome, receipt.phase) == (Outcome.DEFERRED, Phase.DATA)


async def test_a_greeting_that_drips_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "READY_WITHIN", 0.5)
    async with scripted_server(Script({"ehlo": slowly("250 test", 0.1)})) as script:
        with pytest.raises(RelayUnreachable):
            await _relay(script.port).connect()


async def test_a_relay_that_lies_about_pipelining_gets_one_command_at_a_time_in_the_end() -> None:
    """F-37: it loses what comes in one breath; each loss is certain, and it is noticed."""
    async with scripted_server(Script(pipelining=True, deaf_to_batches=True)) as script:
        relay = _relay(script.port)
        receipts = [await _hand_over(relay) for _ in range(4)]
    assert [one.outcome for one in receipts] == [Outcome.DEFERRED] * 3 + [Outcome.ACCEPTED]
    assert len(script.accepted) == 1


async def test_a_relay_that_calls_its_own_pipelining_improper_is_believed_at_once() -> None:
    script = Script({"rcpt": "503 5.5.0 Improper use of SMTP command pipelining"}, pipelining=True)
    async with scripted_server(script):
        relay = _relay(script.port)
        refused = await _hand_over(relay)
        script.acts.clear()
        await _hand_over(relay)
    assert refused.outcome is Outcome.DEFERRED
    assert len(script.accepted) == 1
    assert not relay.habits.pipelines


async def test_a_relay_without_8bitmime_gets_the_same_letter() -> None:
    """F-37: letters are ASCII on the wire, nothing depends on it."""
    async with scripted_server(Script(extensions=())) as script:
        receipt = await _hand_over(_relay(script.port))
    assert receipt.outcome is Outcome.ACCEPTED
    assert script.heard[1] == b"MAIL FROM:<retours@exemple.quebec>"


async def test_a_relay_that_knows_only_helo_gets_the_letter_on_the_loopback() -> None:
    """F-30e; where TLS is asked it is refused (test_delivery_trust)."""
    async with scripted_server(Script({"ehlo": "502 5.5.1 what"})) as script:
        receipt = await _hand_over(_relay(script.port))
    assert receipt.outcome is Outcome.ACCEPTED
    assert b"HELO test" in script.heard


async def test_a_relay_with_dsn_is_asked_for_reports_that_quote_no_body() -> None:
    """RFC 3461; + and = in an address are written in hexadecimal."""
    envelope = Envelope(LETTER.sender, "anne+avis=1@exemple.quebec", LETTER.content, envid="7-abc")
    async with scripted_server(Script(extensions=("DSN",))) as script:
        await _hand_over(_relay(script.port), envelope)
    assert b"MAIL FROM:<retours@exemple.quebec> RET=HDRS ENVID=7-abc" in script.heard
    assert (
        b"RCPT TO:<anne+avis=1@exemple.quebec> NOTIFY=FAILURE,DELAY"
        b" ORCPT=rfc822;anne+2Bavis+3D1@exemple.quebec"
    ) in script.heard


async def test_many_letters_share_a_connection() -> None:
    async with scripted_server(Script(pipelining=True)) as script:
        connection = await _relay(script.port).connect()
        for _ in range(20):
            receipt = await connection.offer(LETTER) or await connection.finish()
            assert receipt.outcome is Outcome.ACCEPTED
        await connection.quit()
    assert (script.connections, len(script.accepted)) == (1, 20)


HANGING_UP = [
    pytest.param({"mail": "421 4.7.0 enough for one connection"}, id="421 to MAIL"),
    pytest.param({"rcpt": "421 4.3.2 closing"}, id="421 to RCPT"),
    pytest.param({"dot": "421 4.3.2 closing"}, id="421 to the dot"),
    pytest.param({"mail": drop}, id="drop at MAIL"),
    pytest.param({"data": drop}, id="drop at DATA"),
]


@pytest.mark.parametrize("acts", HANGING_UP)
async def test_a_relay_that_closes_a_used_connection_costs_a_delay_and_a_new_one(
    acts: dict[str, Act],
) -> None:
    async with scripted_server(Script()) as script:
        relay = _relay(script.port)
        used = await relay.connect()
        assert await used.offer(LETTER) is None
        await used.finish()
        script.acts.update(acts)
        closed = await used.offer(LETTER) or await used.finish()
        script.acts.clear()
        again = await _hand_over(relay)
    assert closed.outcome is Outcome.DEFERRED
    assert not used.is_usable
    assert again.outcome is Outcome.ACCEPTED
    assert script.connections == 2


@pytest.mark.parametrize("said", [b"421 4.4.2 idle for too long\r\n", b"250 2.0.0 ok\r\n", b""])
async def test_a_connection_that_spoke_or_closed_while_idle_is_not_used(said: bytes) -> None:
    """Its next line would be taken for the answer to what we say."""
    async with scripted_server(Script()) as script:
        connection = await _relay(script.port).connect()
        assert await connection.offer(LETTER) is None
        assert (await connection.finish()).outcome is Outcome.ACCEPTED
        assert script.writer is not None
        script.writer.write(said)
        if not said:
            script.writer.close()
        await asyncio.sleep(0.05)
        usable = connection.is_usable
        receipt = await connection.offer(LETTER)
    assert not usable
    assert receipt is not None
    assert receipt.outcome is Outcome.DEFERRED
    assert len(script.accepted) == 1


async def test_an_early_250_is_not_taken_for_the_answer_to_the_dot() -> None:
    """It stands there before the dot is sent: the dot is not sent."""
    script = Script({"data": b"354 go\r\n250 2.0.0 queued\r\n"})
    async with scripted_server(script):
        connection = await _relay(script.port).connect()
        assert await connection.offer(LETTER) is None
        await asyncio.sleep(0.05)
        receipt = await connection.finish()
    assert receipt.outcome is Outcome.DEFERRED
    assert script.accepted == []
