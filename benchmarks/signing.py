"""What it costs to sign letters ourselves (dkimpy), against handing them over as they are.

    python -m benchmarks.signing

One letter of 20 notices is handed over again and again to a light sink of this process, by the
product's own connection: signed by us, and as it is where the relay signs. Both sides take turns.
There is no goal but one that tells the price from a fault: an RSA key of 2048 bits in pure Python
is slow, and documented as slow. Each signature is verified by dkimpy, and a letter changed in one
header is refused.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import dkim

from alerts.delivery import Envelope, Outcome, Relay
from alerts.letter import Press
from alerts.signing import Signer
from benchmarks import building
from benchmarks.measured import Measured, Size, interleaved, report
from tests.emails import gallery
from tests.mailserver import Script, scripted_server
from tests.signatures import record, signer

#: Letters of a turn, and rounds.
SIZES = {Size.QUICK: (40, 5), Size.FULL: (300, 7)}
#: Of the letters a second of the relay's way: less is no longer slow, but broken.
GOAL = 0.01


def _letter() -> bytes:
    chosen = random.Random(building.SEED)  # noqa: S311, no secret
    calls = building.window(chosen)
    ((digest, links),) = building.readers(chosen, calls, 1)
    return building.joined(Press.of(gallery.SENDER), digest, links, "signing").content


async def _handed_over(content: bytes, number: int, ours: Signer | None) -> tuple[float, Script]:
    """Seconds for so many letters on one connection, and what the sink has."""
    async with scripted_server(Script(pipelining=True)) as sink:
        relay = Relay(host="127.0.0.1", port=sink.port, tls="none", helo="essai", signer=ours)
        connection = await relay.connect()
        begun = perf_counter()
        for _ in range(number):
            envelope = Envelope("r@coop.exemple.quebec", "a@exemple.quebec", content)
            receipt = await connection.offer(envelope) or await connection.finish()
            assert receipt.outcome is Outcome.ACCEPTED  # noqa: S101, else nothing was measured
        took = perf_counter() - begun
        await connection.quit()
    return took, sink


def _signed_each(content: bytes, number: int, ours: Signer) -> float:
    """Seconds of processor for one signature."""
    begun = process_time()
    for _ in range(number):
        ours.signed(content)
    return (process_time() - begun) / number


def measure(size: Size) -> Iterable[Measured]:
    """Letters a second, signed by us and as they are."""
    number, rounds = SIZES[size]
    content = _letter()
    with tempfile.TemporaryDirectory() as folder:
        ours = signer(Path(folder))
    received: list[bytes] = []

    def signed() -> float:
        took, sink = asyncio.run(_handed_over(content, number, ours))
        received.extend(sink.accepted)
        return number / took

    def plain() -> float:
        took, sink = asyncio.run(_handed_over(content, number, None))
        assert sink.accepted == [content] * number  # noqa: S101, as above
        return number / took

    found = interleaved(signed, plain, rounds=rounds)
    each = _signed_each(content, number, ours)
    _check(received, ours, number * rounds)
    fast, slow = (median(side) for side in zip(*found, strict=True))
    yield Measured(
        name="signing",
        what="signed by us / as it is, letters a second on one connection",
        goal=GOAL,
        rounds=tuple(mine / theirs for mine, theirs in found),
        detail=(
            f"{len(content)} octets a letter, RSA of 2048 bits, relaxed/relaxed",
            f"{each * 1e3:.1f} ms of processor a signature",
            f"{fast:.0f} letters a second signed, {slow:.0f} as they are",
        ),
        twin=f"{len(received)} signatures verified, and refused with another List-Unsubscribe-Post",
        size=size,
    )


def _check(received: list[bytes], ours: Signer, number: int) -> None:
    published = record(ours).encode()

    def verifies(content: bytes) -> bool:
        return bool(dkim.verify(content, dnsfunc=lambda _name, timeout=5: published))  # noqa: ARG005

    assert len(received) == number  # noqa: S101, else the figures are of something else
    for one in received:
        assert verifies(one)  # noqa: S101, as above
        assert not verifies(one.replace(b"=One-Click\r\n", b"=Two-Clicks\r\n", 1))  # noqa: S101


if __name__ == "__main__":
    report(measure)
