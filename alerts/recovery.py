"""After a crash: claims that ran out wait again; letters in doubt are asked about.

Safe to run at any time, beside dispatchers at work: only leases that ran out are touched.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from alerts import doubts, holds, maillog, outbox
from alerts.journal import Journal, marks_of_others, reason_to_hold
from alerts.maillog import Evidence
from alerts.tables import LetterState
from base.database import Database

logger = logging.getLogger(__name__)

#: When a Postfix that got no final dot has surely closed the connection (its smtpd_timeout is
#: 5 minutes): from then on what it has not queued it will not queue.
GIVEN_UP_AFTER = timedelta(minutes=10)
#: How long a letter in doubt is left to the machine that sent it, whose journal and relay know.
LEFT_TO_ITS_MACHINE = timedelta(hours=1)


def recover(
    database: Database, journal: Journal, *, at: datetime, log: Path | None = None
) -> Counter[str]:
    """Mend what a killed dispatcher left; counts by what became of it.

    `log` is the log of a local Postfix that is the relay: with it a letter in doubt becomes
    ACCEPTED or waits again; without it, or when it cannot say, UNKNOWN. What another machine's
    dispatcher sent is that machine's to judge, for an hour.
    """
    done: Counter[str] = Counter()
    with database.write() as session:
        done["taken back"] = outbox.take_back(session, at=at)
        found = doubts.in_doubt(session, at=at, unknown=log is not None)
        others = marks_of_others(session, journal)
    accepted = journal.accepted_keys() if found else set()
    told = _evidence(log, [doubt.message_id for doubt in found], at) if found else None
    for doubt in found:
        ours = not doubt.claim.startswith(others)
        verdict = _verdict(doubt, _Known(accepted, told, ours=ours), at)
        if verdict is None:
            continue
        state, why = verdict
        with database.write() as session:
            if doubts.resolve(session, doubt.id, state, reply=why, at=at, doubt=doubt):
                done[state] += 1
                logger.warning("doubt resolved", extra={"letter": doubt.id, "state": str(state)})
    return done


def hold_if_restored(database: Database, journal: Journal, *, at: datetime) -> str:
    """Hold everything when this database is older than its journal; the reason, or ""."""
    with database.write() as session:
        reason = reason_to_hold(session, journal, at)
        if reason:
            holds.hold(session, cause="journal", detail=reason, by="service", at=at)
            logger.error("held", extra={"reason": reason})
    return reason


@dataclass(frozen=True, slots=True)
class _Known:
    """What this machine knows, and whether it would know: what it did not send it may not have."""

    accepted: set[str]
    told: Evidence | None
    ours: bool


def _verdict(doubt: doubts.Doubt, known: _Known, at: datetime) -> tuple[LetterState, str] | None:
    """What became of it and how that is known; None while another may still learn it."""
    if doubt.key in known.accepted:
        return LetterState.ACCEPTED, "the journal has its acceptance"
    if known.told is not None and doubt.message_id in known.told.queued:
        return LetterState.ACCEPTED, "queued, by the log of the relay"
    if known.ours:
        return _without_a_sign(doubt, known.told, at)
    if at < doubt.in_doubt_at + LEFT_TO_ITS_MACHINE:
        return None
    return LetterState.UNKNOWN, "sent by another machine, which has not said"


def _without_a_sign(
    doubt: doubts.Doubt, told: Evidence | None, at: datetime
) -> tuple[LetterState, str] | None:
    """As `_verdict`, of what this machine sent and nothing says that it was accepted."""
    if told is None:
        return LetterState.UNKNOWN, "no answer to the final dot"
    if at < doubt.in_doubt_at + GIVEN_UP_AFTER:
        return None
    if told.covers(doubt.in_doubt_at):
        return LetterState.WRITTEN, "not queued, by the log of the relay"
    return LetterState.UNKNOWN, "the log of the relay does not tell of that moment"


def _evidence(log: Path | None, message_ids: list[str], at: datetime) -> Evidence | None:
    if log is None:
        return None
    try:
        return maillog.evidence(log, message_ids, at=at)
    except OSError:
        logger.exception("the log of the relay cannot be read")
        return None
