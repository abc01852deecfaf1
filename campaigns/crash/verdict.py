"""What the sink has, beside what was expected and what the product says it did."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from sqlalchemy import select

from alerts.tables import Letter, LetterState, Told, ToldState
from base.database import Database
from campaigns.crash import oracle
from campaigns.crash.oracle import Accepted, Pair
from campaigns.crash.world import World
from sources.tables import Tender
from subscriptions.tables import Contact

#: States of a letter that show its notices to be failed, held back or in doubt.
SHOWN = {LetterState.IN_DOUBT, LetterState.UNKNOWN, LetterState.QUARANTINED}
MAY_BE_IN_SINK = {LetterState.IN_DOUBT, LetterState.UNKNOWN}


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The counts of one campaign, or of several on the same database."""

    kills: int = 0
    in_send: int = 0
    expected: int = 0
    accepted: int = 0
    lost: int = 0
    silent: int = 0
    extra: int = 0
    wrongful: int = 0
    lies: int = 0
    in_doubt: int = 0
    resolved: int = 0
    #: Messages that tell again, marked so, what an uncertain letter told.
    flagged: int = 0
    #: The named points at which a worker was killed.
    points: frozenset[str] = frozenset()

    def __add__(self, other: Verdict) -> Verdict:
        counts = {
            f.name: getattr(self, f.name) + getattr(other, f.name)
            for f in fields(self)
            if f.name != "points"
        }
        return Verdict(**counts, points=self.points | other.points)

    @property
    def faults(self) -> list[str]:
        """What must be zero and is not."""
        zeros = ("lost", "silent", "extra", "wrongful", "lies")
        found = [name for name in zeros if getattr(self, name)]
        if self.resolved != self.in_doubt:
            found.append("doubts unresolved")
        return found

    @property
    def is_void(self) -> bool:
        """Whether too few kills hit the sending, so that the figures say little."""
        return self.in_send * 10 < self.kills

    def __str__(self) -> str:
        counts = [f"{f.name}={getattr(self, f.name)}" for f in fields(self)[:-1]]
        return " ".join([*counts, f"points={len(self.points)}"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """What a campaign saw from outside."""

    world: World
    rounds: int
    kills: int
    in_send: int
    accepted: Sequence[Accepted]
    #: (address, when DATA began) of each message that may have been accepted.
    began: Iterable[tuple[str, float]]
    #: Files written by the office and the workers.
    changes: Path
    doubts: Path
    #: With a relay whose log decides, nothing may come twice, marked or not.
    reconciled: bool
    points: frozenset[str]


def judge(database: Database, seen: Observed) -> Verdict:
    """Count everything; the product's tables are read only to catch it lying."""
    expected = oracle.expected(seen.world, seen.rounds)
    told = {(one.address, number) for one in seen.accepted for number in one.calls}
    lost = expected - told
    copies = oracle.copies(seen.accepted)
    marked, unmarked = oracle.repeats(seen.accepted)
    strangers = told - oracle.possible(seen.world, seen.rounds)
    doubts = _lines(seen.doubts)
    too_many = marked if seen.reconciled else max(0, marked - len(doubts))
    return Verdict(
        kills=seen.kills,
        in_send=seen.in_send,
        expected=len(expected),
        accepted=len(expected & told),
        lost=len(lost),
        silent=len(lost - _shown(database)),
        extra=copies + unmarked + too_many,
        wrongful=len(strangers) + _wrongful(seen.began, seen.changes),
        lies=_lies(database, seen.accepted),
        in_doubt=len(doubts),
        resolved=len(doubts) - _unresolved(database),
        flagged=marked,
        points=seen.points,
    )


def _wrongful(began: Iterable[tuple[str, float]], changes: Path) -> int:
    """Messages whose DATA began while the reader was out, by the times the office noted."""
    out: dict[str, list[tuple[float, float]]] = {}
    for line in sorted(_lines(changes), key=lambda each: json.loads(each)[2]):
        name, way, at = json.loads(line)
        stretches = out.setdefault(f"{name}@exemple.quebec", [])
        if way == "out":
            stretches.append((at, float("inf")))
        elif stretches:
            stretches[-1] = (stretches[-1][0], at)
    return sum(
        any(start < moment < end for start, end in out.get(address, ()))
        for address, moment in began
    )


def _shown(database: Database) -> set[Pair]:
    """Pairs that the product itself shows as not told for certain."""
    with database.read() as session:
        rows = session.execute(
            select(Contact.address, Tender.number)
            .join(Told, Told.contact_id == Contact.id)
            .join(Tender, Tender.cluster_id == Told.cluster_id)
            .join(Letter, Letter.id == Told.letter_id)
            .where(Letter.state.in_(SHOWN) | (Told.state == ToldState.UNCERTAIN))
        )
        return {(address, number) for address, number in rows}


def _lies(database: Database, accepted: Iterable[Accepted]) -> int:
    """Letters that are ACCEPTED and not in the sink, or in the sink and said not to be."""
    there = {one.message_id for one in accepted}
    with database.read() as session:
        letters = session.execute(select(Letter.message_id, Letter.state)).all()
    lies = 0
    for message_id, state in letters:
        if state not in MAY_BE_IN_SINK:
            lies += (state == LetterState.ACCEPTED) != (message_id in there)
    return lies + len(there - {message_id for message_id, _ in letters})


def _unresolved(database: Database) -> int:
    """Letters in doubt of which nobody decided, and whose notices were not listed again."""
    with database.read() as session:
        waiting = set(
            session.scalars(select(Letter.id).where(Letter.state == LetterState.IN_DOUBT))
        )
        waiting |= set(
            session.scalars(
                select(Told.letter_id)
                .join(Letter, Letter.id == Told.letter_id)
                .where(Letter.state == LetterState.UNKNOWN, Told.state == ToldState.UNCERTAIN)
            )
        )
    return len(waiting)


def _lines(file: Path) -> set[str]:
    return set(file.read_text(encoding="ascii").splitlines()) if file.exists() else set()
