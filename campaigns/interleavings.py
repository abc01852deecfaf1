"""A change of standing at every phase of a hand-over: none begins after it was committed.

    python -m campaigns.interleavings --letters 10000

Real database, real SMTP, the product's own dispatcher; the only thing added are pauses at named
phases, in which another connection commits the change, or tries to. Whether a change was first
is told by the clock: its commit had returned before the commit of the one statement was begun.
Prints a line a database, and fails where a zero is not zero.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from unittest.mock import patch

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import custody, entitlement
from alerts.delivery import Connection, Envelope, Receipt, Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing
from alerts.journal import Journal, open_journal
from alerts.recovery import hold_if_restored
from alerts.tables import Letter, LetterState, Omission, Told, ToldState
from base.database import Database
from campaigns.changes import CHANGES
from campaigns.plans import AFTER, Plan, planned
from campaigns.stores import KINDS, opened
from tests.coop import AT, entitled, letter, tender, told
from tests.mailserver import mail_server

#: How long the one statement is kept open for a change that must wait for it, in seconds.
OPEN_FOR = 0.1


@dataclass
class Campaign:
    """Plans of the run at work, and how each change is made."""

    database: Database
    plans: list[Plan]
    threads: list[threading.Thread] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def at(self, phase: str, chosen: Callable[[Plan], bool]) -> list[Plan]:
        """Those of the phase, each once."""
        found = [p for p in self.plans if p.phase == phase and not p.started and chosen(p)]
        for plan in found:
            plan.started = True
        return found

    def make(self, plan: Plan, flushed: threading.Event | None = None) -> None:
        """Commit the change; with `flushed`, keep the transaction open a moment before."""
        try:
            with self.database.write() as session:
                CHANGES[plan.change][0](session, plan.contact_id, plan.address)
                session.flush()
                if flushed is not None:
                    flushed.set()
                    sleep(OPEN_FOR / 2)
            plan.changed_at = monotonic()
        except BaseException as error:  # noqa: BLE001, told at the end of the run
            self.errors.append(error)
        finally:
            if flushed is not None:
                flushed.set()

    def start(self, plan: Plan, flushed: threading.Event | None = None) -> threading.Thread:
        """The change on a connection of its own."""
        thread = threading.Thread(target=self.make, args=(plan, flushed))
        thread.start()
        self.threads.append(thread)
        return thread


class Hooks:
    """The product's own steps, each with a pause in which changes are made."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self.committing: list[threading.Thread] = []
        self.carries: dict[Connection, str] = {}
        self.plain_offer, self.plain_finish = Connection.offer, Connection.finish

    def _make(self, phase: str, chosen: Callable[[Plan], bool]) -> None:
        for plan in self.campaign.at(phase, chosen):
            self.campaign.make(plan)

    async def offer(self, connection: Connection, envelope: Envelope) -> Receipt | None:
        self.carries[connection] = envelope.recipient
        self._make("claimed", lambda p: p.address == envelope.recipient)
        answer = await self.plain_offer(connection, envelope)
        self._make("offered", lambda p: p.address == envelope.recipient)
        return answer

    def hold_still(self, session: Session, ids: list[int]) -> None:
        self._make("at the gate", lambda p: p.letter_id in ids)
        for plan in self.campaign.at("committing", lambda p: p.letter_id in ids):
            flushed = threading.Event()
            self.committing.append(self.campaign.start(plan, flushed))
            flushed.wait(60)
        entitlement.hold_still(session, ids)

    def let_pass(
        self,
        session: Session,
        ids: list[int],
        *,
        claim: str,
        allowed: frozenset[str],
        at: datetime,
        reply_within: timedelta,
    ) -> set[int]:
        passed = entitlement.let_pass(
            session, ids, claim=claim, allowed=allowed, at=at, reply_within=reply_within
        )
        trying = self.campaign.at("within", lambda p: p.letter_id in passed)
        within = [self.campaign.start(plan) for plan in trying]
        until = monotonic() + OPEN_FOR
        for thread in [*within, *self.committing]:
            thread.join(max(0.0, until - monotonic()))
        for plan in self.campaign.plans:
            if plan.letter_id in passed:
                plan.begun_at = monotonic()
        return passed

    def passed(self, keys: list[str]) -> None:
        self._make("passed", lambda p: p.key in keys)

    async def finish(self, connection: Connection) -> Receipt:
        answer = await self.plain_finish(connection)
        self._make("dotted", lambda p: p.address == self.carries[connection])
        return answer


@contextlib.contextmanager
def hooked(campaign: Campaign) -> Iterator[None]:
    """The product with a pause at each phase."""
    hooks, plain_begun = Hooks(campaign), Journal.begun

    async def offer(self: Connection, envelope: Envelope) -> Receipt | None:
        return await hooks.offer(self, envelope)

    async def finish(self: Connection) -> Receipt:
        return await hooks.finish(self)

    def begun(self: Journal, number: int, keys: list[str], at: datetime) -> None:
        plain_begun(self, number, keys, at)
        hooks.passed(keys)

    with (
        patch.object(Connection, "offer", offer),
        patch.object(Connection, "finish", finish),
        patch.object(Journal, "begun", begun),
        patch.object(custody, "hold_still", hooks.hold_still),
        patch.object(custody, "let_pass", hooks.let_pass),
    ):
        yield


def prepare(database: Database, plans: list[Plan], run: int) -> None:
    """A contact with a letter for each plan, entitled in every way."""
    with database.write() as session:
        call, revision = tender(session, f"{run:08}")
        for number, plan in enumerate(plans):
            contact = entitled(session, f"m{run}-{number}")
            one = letter(session, contact)
            told(session, one, revision, call.id)
            plan.contact_id, plan.letter_id = contact.id, one.id
            plan.address, plan.key = one.address, one.key


async def run_once(
    database: Database, plans: list[Plan], folder: Path, run: int, counted: Counter[str]
) -> None:
    """One hand-over of those plans, judged."""
    prepare(database, plans, run)
    campaign = Campaign(database, plans)
    for plan in campaign.at("written", lambda _: True):
        campaign.make(plan)
    async with mail_server() as mailbox:
        handing = Handing(
            relay=Relay(host="127.0.0.1", port=mailbox.port, tls="none", helo="campaign"),
            sender="retours@exemple.quebec",
            allowed=frozenset({"*"}),
            journal=open_journal(folder / "journal"),
            connections=8,
        )
        hold_if_restored(database, handing.journal, at=AT)
        with hooked(campaign):
            tally = await hand_over(database, handing, now=lambda: AT)
    for thread in campaign.threads:
        thread.join()
    if campaign.errors or tally.stopped:
        print(f"run {run}: {tally.stopped} {campaign.errors}", file=sys.stderr)
        counted["errors"] += 1
    judge(database, plans, set(mailbox.recipients), counted)
    counted["copies"] += len(mailbox.recipients) - len(set(mailbox.recipients))


def judge(database: Database, plans: list[Plan], accepted: set[str], counted: Counter[str]) -> None:
    """Count what must be zero, by what the server accepted and what the rows say."""
    with database.read() as session:
        ids = [plan.letter_id for plan in plans]
        rows = {one.id: one for one in session.scalars(select(Letter).where(Letter.id.in_(ids)))}
        omitted = select(Omission.letter_id, Omission.why).where(Omission.letter_id.in_(ids))
        whys = dict(session.execute(omitted).all())
        telling = select(Told.letter_id, Told.state).where(Told.letter_id.in_(ids))
        ledger = dict(session.execute(telling).all())
    for plan in plans:
        counted["interleavings"] += 1
        left = plan.address in accepted
        counted["accepted" if left else "refused"] += 1
        first = plan.changed_at and (not plan.begun_at or plan.changed_at < plan.begun_at)
        counted["wrongful"] += bool(left and first)
        counted["withheld"] += bool(not left and plan.phase in AFTER)
        row = rows.get(plan.letter_id)
        if row is None:
            counted["lies"] += plan.change != "delete"
        elif left:
            counted["lies"] += row.state != LetterState.ACCEPTED
        else:
            why = CHANGES[plan.change][1]
            released = ledger.get(plan.letter_id) == ToldState.RELEASED
            said = (row.state, row.why, whys.get(row.id)) == (LetterState.WITHDRAWN, why, why)
            counted["unexplained"] += not (said and released)


ZEROS = ("wrongful", "withheld", "unexplained", "lies", "copies", "errors")


def interleave(database: Database, letters: int, seed: int) -> Counter[str]:
    """Run so many letters; the counts, those of ZEROS to be zero."""
    counted: Counter[str] = Counter(dict.fromkeys(ZEROS, 0))
    with tempfile.TemporaryDirectory(prefix="journal-") as folder:
        for run, plans in enumerate(planned(letters, seed)):
            asyncio.run(run_once(database, plans, Path(folder), run, counted))
    return counted


def main() -> None:
    """A line a database; exit code 1 where a zero is not zero."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=KINDS, action="append")
    asked = parser.parse_args()
    failed = False
    for kind in asked.database or KINDS:
        with opened(kind) as database:
            counted = interleave(database, asked.letters, asked.seed)
        words = " ".join(f"{name}={number}" for name, number in sorted(counted.items()))
        print(f"database={kind} seed={asked.seed} {words}", flush=True)
        failed |= any(counted[name] for name in ZEROS)
    sys.exit(failed)


if __name__ == "__main__":
    main()
