"""One worker: the real service's writing, recovery and sending, once, in a forked process."""

from __future__ import annotations

import json
import mmap
import os
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from alerts import doubts, letter, outcomes, periodic, recovery
from alerts.classification import Lexicon
from alerts.delivery import Outcome, Relay
from alerts.digest import Period
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.service import Service
from alerts.streams import Due
from alerts.tables import Stream
from alerts.writing import Desk
from base.clock import utc_now
from base.database import Database
from campaigns.crash import points
from campaigns.crash.mutants import MUTANTS
from sources.reading import Network
from subscriptions import sectors
from subscriptions.links import Links


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """What all workers of a campaign have in common; made before they are forked."""

    #: Opened once and warm: its compiled statements are the children's too, its connections never.
    database: Database
    folder: Path
    port: int
    #: The log of the real Postfix that is the relay, if it is.
    log: Path | None
    desk: Desk
    mutant: str
    #: How long the relay may be busy with a letter whose dispatcher died.
    grace: timedelta

    @property
    def journal(self) -> Path:
        """Outside the database."""
        return self.folder / "handover.journal"

    @property
    def doubts(self) -> Path:
        """What workers saw to be in doubt."""
        return self.folder / "doubts"


def desk() -> Desk:
    """What letters are written with."""
    catalogue = sectors.load()
    sender = letter.Sender(
        tenant_name="Coop fictive",
        postal_address="1, rue Fictive, Ville-Fictive (Québec)  J0J 0J0",
        contact_email="bonjour@exemple.quebec",
        privacy_officer="Direction générale, 450 555-0100",
        public_url="https://alertes.exemple.quebec",
        author_email="alertes@exemple.quebec",
        list_domain="alertes.exemple.quebec",
    )
    return Desk(
        press=letter.Press.of(sender),
        links=Links(("k" * 32,), sender.public_url),
        catalogue=catalogue,
        lexicon=Lexicon.of(catalogue),
    )


def fork(work: Callable[[], None]) -> int:
    """Run `work` in a child; its process id. The child never returns here."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001, nothing may climb into the parent's code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def prepare(bench: Bench) -> None:
    """What is the same in all workers, once, in the process they are forked from."""
    _note_doubts(bench.doubts)
    if bench.mutant:
        MUTANTS[bench.mutant]()


def warm(bench: Bench) -> None:
    """Serve in this process, so that what is forked from it need not compile statements anew."""
    _serve(bench, 0)
    bench.database.dispose()


def serve_once(bench: Bench, board: mmap.mmap, trial: int, point: str = "", nth: int = 1) -> None:
    """Write and send what is owed, as a tick of the service does; perhaps be killed on the way."""
    if point:
        points.arm(point, nth)
    points.show_phase(board)
    _serve(bench, trial)


def _serve(bench: Bench, trial: int) -> None:
    _set_round(trial)
    setattr(recovery, "GIVEN_UP_AFTER", bench.grace)  # noqa: B010, from outside
    service = _service(bench)
    service.write()
    service.send()


def _service(bench: Bench) -> Service:
    handing = Handing(
        relay=Relay(host="127.0.0.1", port=bench.port, tls="none", helo="essai"),
        sender="retours@exemple.quebec",
        allowed=frozenset({"*"}),
        journal=open_journal(bench.journal),
        connections=3,
        lot=6,
        lease=timedelta(seconds=1),
        reply_within=bench.grace,
        most_policy_refusals=1_000_000,
    )
    return Service(
        database=bench.database,
        desk=bench.desk,
        handing=handing,
        sources=(),
        network=Network(),
        postfix_log=bench.log,
        now=utc_now,
        stop=threading.Event(),
    )


def _set_round(trial: int) -> None:
    """An edition a round, whatever the hour; a deferred letter waits for seconds, not minutes."""

    def due(at: datetime) -> list[Due]:
        period = Period(at - timedelta(days=1), at)
        return [Due(stream=Stream.DAILY, label=f"round-{trial}", period=period)]

    setattr(periodic, "due", due)  # noqa: B010, from outside
    setattr(outcomes, "BACK_OFF", (1 / 60,))  # noqa: B010, from outside


def _note_doubts(file: Path) -> None:
    in_doubt, settle = doubts.in_doubt, outcomes.settle

    def noted(*args: Any, **known: Any) -> list[doubts.Doubt]:  # noqa: ANN401, as it is called
        found = in_doubt(*args, **known)
        _note(file, [[one.key, one.in_doubt_at.isoformat()] for one in found])
        return found

    def settled(session: Any, done: Any, **known: Any) -> Any:  # noqa: ANN401, as it is called
        silent = [one.letter for one in done if one.receipt.outcome is Outcome.UNKNOWN]
        _note(file, [[one.key, f"attempt {one.attempts}"] for one in silent])
        return settle(session, done, **known)

    setattr(doubts, "in_doubt", noted)  # noqa: B010, from outside
    setattr(outcomes, "settle", settled)  # noqa: B010, from outside


def _note(file: Path, lines: list[list[str]]) -> None:
    if lines:
        with file.open("a", encoding="ascii") as opened:
            opened.write("".join(f"{json.dumps(line)}\n" for line in lines))
