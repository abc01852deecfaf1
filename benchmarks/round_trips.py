"""Print what our own transaction brings against aiosmtplib's `sendmail`, over the same connections.

    python -m benchmarks.round_trips [--full]

Far relay: each of its replies comes 20 ms after what it answers, and `alerts.dispatch.hand_over`
does all that it promises while aiosmtplib only sends; over 1, 10 and 50 connections, in turns.
Near relay: the processor's time of sending alone, by `alerts.transaction` and by `sendmail`, over
10 connections. In each round as many letters reach the server as were sent.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import aiosmtplib
from sqlalchemy import select

from alerts.delivery import Connection, Envelope, Outcome, Relay
from alerts.dispatch import hand_over
from alerts.message_tables import Message
from benchmarks.handing import NOTICES, SEED, Bench
from benchmarks.measured import Measured, Size, interleaved, report
from benchmarks.sinks import Sink, light_sink
from tests.coop import AT

REPLY_AFTER = 0.02
#: Letters of a round, by connections.
LETTERS = {Size.QUICK: {10: 200}, Size.FULL: {1: 100, 10: 1000, 50: 4000}}
NEAR = {Size.QUICK: 200, Size.FULL: 2000}
GOAL_RATE, GOAL_PROCESSOR = 3.5, 0.12
SENDER, RECIPIENT = "retours@exemple.quebec", "lecteur@exemple.quebec"


def measure(size: Size) -> Iterable[Measured]:
    logging.disable(logging.CRITICAL)
    for connections, letters in LETTERS[size].items():
        with tempfile.TemporaryDirectory(prefix="far-") as folder:
            bench = Bench(Path(folder), letters, NOTICES)
            bench.make()
            with light_sink(REPLY_AFTER) as relay:
                yield _far(bench, relay, connections, size)
    with tempfile.TemporaryDirectory(prefix="near-") as folder:
        bench = Bench(Path(folder), 20, NOTICES)
        bench.make()
        with light_sink() as relay:
            yield _near(bench, relay, size)


def _far(bench: Bench, relay: Sink, connections: int, size: Size) -> Measured:
    content = _contents(bench)[0]
    lot = max(200, 4 * connections)

    def ours() -> float:
        with bench.fresh() as database:
            handing = replace(bench.handing(relay.port), connections=connections, lot=lot)
            before, begun = relay.count(), perf_counter()
            tally = asyncio.run(hand_over(database, handing, now=lambda: AT))
            taken = perf_counter() - begun
        assert tally.accepted == relay.count() - before == bench.letters  # noqa: S101, no figure
        return taken

    def theirs() -> float:
        before, begun = relay.count(), perf_counter()
        asyncio.run(_sendmail(relay.port, [content] * bench.letters, connections))
        taken = perf_counter() - begun
        assert relay.count() - before == bench.letters  # noqa: S101, as above
        return taken

    ours()
    found = interleaved(ours, theirs)
    rates = [bench.letters / median(each) for each in zip(*found, strict=True)]
    return Measured(
        name=f"far_relay_{connections}",
        what="ours / aiosmtplib, letters a second, a relay that replies after 20 ms",
        goal=GOAL_RATE,
        rounds=tuple(theirs / ours for ours, theirs in found),
        detail=(
            f"seed {SEED}, {bench.letters} letters of {len(content)} octets",
            f"{connections} connections; ours with entitlement, states and ledger in SQLite",
            f"ours {rates[0]:.1f}/s, aiosmtplib {rates[1]:.1f}/s",
        ),
        twin="letters at the relay = letters accepted, on either side",
        size=size,
    )


def _near(bench: Bench, relay: Sink, size: Size) -> Measured:
    contents = _contents(bench) * (NEAR[size] // 20)

    def processor(send: Callable[[int, list[bytes], int], Awaitable[None]]) -> float:
        before, begun = relay.count(), process_time()
        asyncio.run(_awaited(send(relay.port, contents, 10)))
        taken = process_time() - begun
        assert relay.count() - before == len(contents)  # noqa: S101, else it is no figure
        return taken

    processor(_ours)
    found = interleaved(lambda: processor(_ours), lambda: processor(_sendmail))
    each = [median(side) / len(contents) * 1e6 for side in zip(*found, strict=True)]
    return Measured(
        name="sender_processor",
        what="ours / aiosmtplib, seconds of the client's processor, sending alone",
        goal=GOAL_PROCESSOR,
        at_most=True,
        rounds=tuple(ours / theirs for ours, theirs in found),
        detail=(
            f"{len(contents)} letters of {len(contents[0])} octets, 10 connections, light sink",
            f"ours {each[0]:.0f} us, aiosmtplib {each[1]:.0f} us a letter",
        ),
        twin="letters at the relay = letters sent, on either side",
        size=size,
    )


async def _awaited(work: Awaitable[None]) -> None:
    await work


def _contents(bench: Bench) -> list[bytes]:
    with bench.fresh() as database, database.read() as session:
        return list(session.scalars(select(Message.content).limit(20)))


async def _ours(port: int, contents: list[bytes], connections: int) -> None:
    relay = Relay(host="127.0.0.1", port=port, tls="none", helo="benchmark")
    opened = [await relay.connect() for _ in range(connections)]
    left = [Envelope(SENDER, RECIPIENT, one) for one in contents]
    await asyncio.gather(*(_all(connection, left) for connection in opened))


async def _all(connection: Connection, left: list[Envelope]) -> None:
    one = left.pop() if left else None
    while one is not None:
        assert await connection.offer(one) is None  # noqa: S101, else it is no figure
        one = left.pop() if left else None
        receipt = await connection.finish(then=one)
        assert receipt.outcome is Outcome.ACCEPTED  # noqa: S101, as above
    await connection.quit()


async def _sendmail(port: int, contents: list[bytes], connections: int) -> None:
    left = list(contents)

    async def worker() -> None:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
        await client.connect()
        while left:
            await client.sendmail(SENDER, [RECIPIENT], left.pop())
        await client.quit()

    await asyncio.gather(*(worker() for _ in range(connections)))


if __name__ == "__main__":
    report(measure)
