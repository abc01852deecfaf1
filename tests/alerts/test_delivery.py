"""Every behaviour of a relay falls in its class: certain, deferred, refused or unknown."""

from __future__ import annotations

import asyncio

import pytest

from alerts import delivery, transaction
from alerts.delivery import Envelope, Outcome, Phase, Receipt, Relay
from alerts.errors import RelayMisconfigured, RelayUnreachable
from tests.mailserver import Act, Script, drop, mail_server, scripted_server, silence

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


@pytest.mark.parametrize("pipelining", [False, True], ids=["in turn", "pipelined"])
async def test_what_the_relay_accepts_is_byte_for_byte_the_letter(pipelining: bool) -> None:
    async with scripted_server(Script(pipelining=pipelining)) as script:
        receipt = await _hand_over(_relay(script.port))

    assert receipt == Receipt(Outcome.ACCEPTED, Phase.DOT, "250 2.0.0 queued as T1")
    # As it is on the wire: dot-stuffed.
    assert script.accepted == [b"Subject: essai\r\n\r\n..point\r\n...deux\r\nfin\r\n"]


async def test_a_receiving_server_takes_the_dots_off_again() -> None:
    async with mail_server() as mailbox:
        await _hand_over(_relay(mailbox.port))
    assert mailbox.received == [(LETTER.sender, LETTER.recipient, LETTER.content)]


TOO_LONG = b"250 " + b"x" * 9000 + b"\r\n"
ENDLESS = b"250-more\r\n" * 500
REPLIES: list[tuple[str, str, Act, Outcome, Phase]] = [
    ("F-31a MAIL 421", "mail", "421 4.3.2 later", Outcome.BUSY, Phase.MAIL),
    ("F-31a MAIL 451", "mail", "451 4.3.0 later", Outcome.BUSY, Phase.MAIL),
    ("F-31a MAIL 552", "mail", "552 5.3.4 no", Outcome.MISCONFIGURED, Phase.MAIL),
    ("F-31a MAIL 550", "mail", "550 5.1.8 bad sender", Outcome.MISCONFIGURED, Phase.MAIL),
    ("F-31b MAIL drop", "mail", drop, Outcome.DEFERRED, Phase.MAIL),
    ("MAIL silence", "mail", silence, Outcome.DEFERRED, Phase.MAIL),
    ("F-32b RCPT 451", "rcpt", "451 4.7.1 greylisted", Outcome.DEFERRED, Phase.RCPT),
    ("F-32b RCPT 452", "rcpt", "452 4.2.2 full for now", Outcome.DEFERRED, Phase.RCPT),
    ("F-32b RCPT 421", "rcpt", "421 4.3.2 closing", Outcome.DEFERRED, Phase.RCPT),
    ("F-32c RCPT 550 5.1.1", "rcpt", "550 5.1.1 nobody", Outcome.DEAD_ADDRESS, Phase.RCPT),
    ("F-32c RCPT 550 bare", "rcpt", "550 no such user", Outcome.REFUSED, Phase.RCPT),
    ("F-32c RCPT 553 5.1.3", "rcpt", "553 5.1.3 syntax", Outcome.DEAD_ADDRESS, Phase.RCPT),
    ("F-32d RCPT 552 5.2.2", "rcpt", "552 5.2.2 full", Outcome.DEFERRED, Phase.RCPT),
    ("F-32d RCPT 550 5.2.1", "rcpt", "550 5.2.1 disabled", Outcome.DEAD_ADDRESS, Phase.RCPT),
    ("F-32e RCPT 550 5.7.1", "rcpt", "550 5.7.1 blocked", Outcome.POLICY, Phase.RCPT),
    ("F-32e RCPT 554 5.7.1", "rcpt", "554 5.7.1 refusé", Outcome.POLICY, Phase.RCPT),
    ("F-32g RCPT drop", "rcpt", drop, Outcome.DEFERRED, Phase.RCPT),
    ("F-33a DATA 451", "data", "451 4.3.0 later", Outcome.DEFERRED, Phase.DATA),
    ("F-33a DATA 421", "data", "421 4.3.2 closing", Outcome.DEFERRED, Phase.DATA),
    ("F-33a DATA 554", "data", "554 5.7.1 policy", Outcome.POLICY, Phase.DATA),
    ("F-33b DATA drop", "data", drop, Outcome.DEFERRED, Phase.DATA),
    ("F-34a drop after dot", "dot", drop, Outcome.UNKNOWN, Phase.DOT),
    ("F-34b silence after dot", "dot", silence, Outcome.UNKNOWN, Phase.DOT),
    ("F-34c dot 451", "dot", "451 4.3.0 later", Outcome.DEFERRED, Phase.DOT),
    ("F-34c dot 452", "dot", "452 4.3.1 space", Outcome.DEFERRED, Phase.DOT),
    ("F-34c dot 421", "dot", "421 4.3.2 closing", Outcome.DEFERRED, Phase.DOT),
    ("F-34d dot 550 5.7.1", "dot", "550 5.7.1 spam", Outcome.POLICY, Phase.DOT),
    ("F-34d dot 550 5.7.515", "dot", "550 5.7.515 dkim", Outcome.POLICY, Phase.DOT),
    ("F-34d dot 421 4.7.28", "dot", "421 4.7.28 rate", Outcome.DEFERRED, Phase.DOT),
    ("F-34e dot 552 5.3.4", "dot", "552 5.3.4 too big", Outcome.REFUSED, Phase.DOT),
    ("dot 554 bare", "dot", "554 no", Outcome.REFUSED, Phase.DOT),
    ("F-34f dot garbage", "dot", b"\xff\xfe%%%\r\n", Outcome.UNKNOWN, Phase.DOT),
    ("F-34f dot 9,000 octets", "dot", TOO_LONG, Outcome.UNKNOWN, Phase.DOT),
    ("F-34f dot endless", "dot", ENDLESS, Outcome.UNKNOWN, Phase.DOT),
    ("dot another 2yz", "dot", "251 forwarded", Outcome.UNKNOWN, Phase.DOT),
    ("dot 354 again", "dot", "354 go on", Outcome.UNKNOWN, Phase.DOT),
    ("F-34g QUIT drop", "quit", drop, Outcome.ACCEPTED, Phase.DOT),
    ("MAIL garbage", "mail", b"\x00\x01\r\n", Outcome.DEFERRED, Phase.MAIL),
    ("RCPT endless", "rcpt", ENDLESS, Outcome.DEFERRED, Phase.RCPT),
    ("RCPT nothing ends", "rcpt", b"2" * 100_000, Outcome.DEFERRED, Phase.RCPT),
    ("DATA answered as a command", "data", "250 2.0.0 ok", Outcome.DEFERRED, Phase.DATA),
    ("dot two codes", "dot", b"250-queued\r\n550 no\r\n", Outcome.UNKNOWN, Phase.DOT),
    ("dot 6yz", "dot", "650 what", Outcome.UNKNOWN, Phase.DOT),
    ("dot a code alone", "dot", "250", Outcome.UNKNOWN, Phase.DOT),
    ("dot never a line", "dot", b"250 2.0.0 queued", Outcome.UNKNOWN, Phase.DOT),
]


@pytest.mark.parametrize("pipelining", [False, True], ids=["in turn", "pipelined"])
@pytest.mark.parametrize(
    ("step", "act", "outcome", "phase"),
    [pytest.param(*row[1:], id=row[0]) for row in REPLIES],
)
async def test_a_reply_is_classed_by_code_and_phase(
    step: str, act: Act, outcome: Outcome, phase: Phase, pipelining: bool
) -> None:
    async with scripted_server(Script({step: act}, pipelining=pipelining)) as script:
        receipt = await _hand_over(_relay(script.port, dot_reply_within=1.0))

    assert (receipt.outcome, receipt.phase) == (outcome, phase)
    assert len(script.accepted) == (outcome is Outcome.ACCEPTED)


async def test_a_drop_within_the_body_is_certain() -> None:
    """Whether it is noticed while writing or at the dot, the relay took nothing."""
    big = Envelope(LETTER.sender, LETTER.recipient, b"\r\n" * 8_000_000)
    async with scripted_server(Script({"body": drop})) as script:
        connection = await _relay(script.port).connect()
        receipt = await connection.offer(big)
        await connection.quit()
    assert receipt is not None
    assert receipt.outcome is Outcome.DEFERRED
    assert receipt.phase is Phase.BODY


@pytest.mark.parametrize("pipelining", [False, True], ids=["in turn", "pipelined"])
async def test_a_refused_letter_leaves_the_connection_usable(pipelining: bool) -> None:
    script = Script({"rcpt": "550 5.1.1 nobody"}, pipelining=pipelining)
    async with scripted_server(script):
        connection = await _relay(script.port).connect()
        refused = await connection.offer(LETTER)
        script.acts.clear()
        taken = await connection.offer(LETTER) or await connection.finish()
        await connection.quit()

    assert refused is not None
    assert taken.outcome is Outcome.ACCEPTED
    assert script.connections == 1


async def test_a_letter_abandoned_before_the_dot_is_not_delivered() -> None:
    async with mail_server() as mailbox:
        connection = await _relay(mailbox.port).connect()
        assert await connection.offer(LETTER) is None
        connection.abandon()
        await asyncio.sleep(0.1)
    assert mailbox.received == []


async def test_a_letter_larger_than_the_relay_takes_is_not_offered() -> None:
    async with scripted_server(Script(extensions=("SIZE 10",))) as script:
        receipt = await _hand_over(_relay(script.port))
    assert receipt.outcome is Outcome.REFUSED
    assert not any(line.startswith(b"MAIL") for line in script.heard)


@pytest.mark.parametrize(
    ("acts", "fault"),
    [
        pytest.param({"banner": "421 4.3.2 busy"}, RelayUnreachable, id="F-30d banner 421"),
        pytest.param({"banner": "554 5.7.1 no"}, RelayMisconfigured, id="F-30d banner 554"),
        pytest.param({"banner": drop}, RelayUnreachable, id="F-30c banner drop"),
        pytest.param({"banner": silence}, RelayUnreachable, id="F-30c banner silence"),
        pytest.param({"banner": b"\xff\xff garbage\r\n"}, RelayUnreachable, id="banner garbage"),
    ],
)
async def test_a_relay_that_does_not_greet_concerns_no_letter(
    acts: dict[str, Act], fault: type[Exception]
) -> None:
    async with scripted_server(Script(acts)) as script:
        with pytest.raises(fault):
            await _relay(script.port).connect()


async def test_nobody_listening_is_unreachable() -> None:
    async with scripted_server(Script()) as script:
        port = script.port
    with pytest.raises(RelayUnreachable):
        await _relay(port).connect()


async def test_an_unknown_relay_name_is_unreachable() -> None:
    relay = Relay(host="nulle-part.invalid", port=25, tls="none", helo="test")
    with pytest.raises(RelayUnreachable):
        await relay.connect()
