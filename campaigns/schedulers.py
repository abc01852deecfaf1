"""Eight schedulers at once, each as if it were the only one: one run each time, one copy each.

    python -m campaigns.schedulers --trials 200

Real processes on one database, started together at a barrier each Monday morning of a made-up
calendar: each opens the editions that are due, writes them and hands the letters over to a sink
that is a process of its own and writes down what it accepted before it says so. Prints a line a
database, and fails where a zero is not zero.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import func, select

from alerts import editions, holds
from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.recovery import hold_if_restored
from alerts.tables import Edition, Letter, LetterState, Omission, Told
from alerts.writing import Desk
from base.database import Database, connect
from campaigns.stores import KINDS, store
from tests.coop import AT, entitled, tender
from tests.writers import desk

#: Who reads: weekly and daily, so that two editions are due each time.
READERS = {"weekly": 6, "daily": 2}
#: Forked, so that a worker begins with all that is read and compiled once.
PROCESSES = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Sink:
    """Accepts all; one line a message, on the disk before the answer."""

    accepted: Path

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)  # noqa: S101, what aiosmtpd gives without decoding
        message_id = next(
            line for line in content.split(b"\r\n") if line.lower().startswith(b"message-id:")
        )
        with self.accepted.open("ab") as file:
            file.write(b"%s %s\n" % (envelope.rcpt_tos[0].encode(), message_id))
            file.flush()
            os.fsync(file.fileno())
        return "250 2.0.0 taken"


def sink(accepted: Path, port: Any) -> None:  # noqa: ANN401, a synchronized value has no name
    """Serve until killed."""

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(Sink(accepted), hostname="localhost", decode_data=False), "127.0.0.1", 0
        )
        port.value = server.sockets[0].getsockname()[1]
        await server.serve_forever()

    asyncio.run(serve())


def monday(trial: int) -> datetime:
    """06:05 in Québec on the trial's Monday, give or take the hour of summer time."""
    return AT + timedelta(weeks=trial, hours=1, minutes=5)


def scheduler(url: str, port: int, journal: Path, trials: int, start: Barrier) -> None:
    """One process: at each barrier it does all that is due, then waits for the others."""
    database, at_desk = connect(url), desk()
    handing = Handing(
        relay=Relay(host="127.0.0.1", port=port, tls="none", helo="campaign"),
        sender="retours@exemple.quebec",
        allowed=frozenset({"*"}),
        journal=open_journal(journal),
        lot=3,
    )
    try:
        for trial in range(trials):
            start.wait()
            tick(database, at_desk, handing, monday(trial))
            start.wait()
    except BaseException:
        # The others need not wait for one that is dead.
        start.abort()
        raise
    database.dispose()


def tick(database: Database, at_desk: Desk, handing: Handing, at: datetime) -> None:
    """What the service does, and `alertes envois envoyer`."""
    with database.write() as session:
        editions.open_due(session, at)
    editions.write_open(database, at_desk, at=at)
    asyncio.run(hand_over(database, handing, now=lambda: at))


def prepare(database: Database, journal: Path) -> None:
    """The readers, and staff's word that the first run may go."""
    hold_if_restored(database, open_journal(journal), at=AT)
    with database.write() as session:
        holds.release_first_run(session, by="campaign", at=AT)
        for frequency, number in READERS.items():
            for one in range(number):
                entitled(session, f"{frequency}{one}", frequency=frequency)


def publish(database: Database, trial: int) -> None:
    """A call for tenders that only this trial's editions can tell."""
    at = monday(trial)
    with database.write() as session:
        tender(session, f"{trial:08}", closes_at=at + timedelta(days=6))


def judge(database: Database, accepted: Path, trials: int) -> Counter[str]:
    """What must be: two editions a trial, a letter a reader, a copy a letter."""
    readers = sum(READERS.values())
    lines = accepted.read_bytes().splitlines() if accepted.exists() else []
    with database.read() as session:
        letters = session.scalar(select(func.count()).select_from(Letter)) or 0
        unsent = (
            select(func.count()).select_from(Letter).where(Letter.state != LetterState.ACCEPTED)
        )
        runs = session.scalar(select(func.count()).select_from(Edition)) or 0
        states = session.scalar(unsent) or 0
        told = session.scalar(select(func.count()).select_from(Told)) or 0
        omitted = session.scalar(select(func.count()).select_from(Omission)) or 0
    return Counter(
        runs=runs,
        accepted=len(lines),
        extra_runs=abs(runs - 2 * trials),
        extra_letters=abs(letters - readers * trials),
        extra_copies=len(lines) - len(set(lines)),
        lost=readers * trials - len(set(lines)),
        not_settled=states,
        not_told_once=abs(told - readers * trials),
        omissions=omitted,
    )


ZEROS = (
    "extra_runs", "extra_letters", "extra_copies", "lost", "not_settled", "not_told_once",
    "omissions", "deaths",
)  # fmt: skip


def compete(url: str, folder: Path, *, trials: int, schedulers: int) -> Counter[str]:
    """Run so many trials; the counts, those of ZEROS to be zero."""
    accepted, journal = folder / "accepted", folder / "journal"
    port = PROCESSES.Value("i", 0)
    start = PROCESSES.Barrier(schedulers + 1)
    serving = PROCESSES.Process(target=sink, args=(accepted, port), daemon=True)
    serving.start()
    database = connect(url)
    prepare(database, journal)
    database.dispose()
    while not port.value:
        serving.join(0.01)
    arguments = (url, port.value, journal, trials, start)
    workers = [
        PROCESSES.Process(target=scheduler, args=arguments, daemon=True) for _ in range(schedulers)
    ]
    for worker in workers:
        worker.start()
    with contextlib.suppress(threading.BrokenBarrierError):
        for trial in range(trials):
            publish(database, trial)
            start.wait(600)
            start.wait(600)
    for worker in workers:
        worker.join(60)
    counted = judge(database, accepted, trials)
    counted["deaths"] = sum(worker.exitcode != 0 for worker in workers)
    database.dispose()
    serving.terminate()
    serving.join()
    return counted


def main() -> None:
    """A line a database; exit code 1 where a zero is not zero."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--schedulers", type=int, default=8)
    parser.add_argument("--database", choices=KINDS, action="append")
    asked = parser.parse_args()
    failed = False
    for kind in asked.database or KINDS:
        with store(kind) as url, tempfile.TemporaryDirectory(prefix="sink-") as folder:
            counted = compete(url, Path(folder), trials=asked.trials, schedulers=asked.schedulers)
        words = " ".join(f"{name}={number}" for name, number in sorted(counted.items()))
        print(
            f"database={kind} schedulers={asked.schedulers} trials={asked.trials} {words}",
            flush=True,
        )
        failed |= any(counted[name] for name in ZEROS)
    sys.exit(failed)


if __name__ == "__main__":
    main()
