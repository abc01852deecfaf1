"""All that one contact received, and why the rest was not sent: from recorded rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, defer

from alerts import ledger
from alerts.answer_tables import Bounce
from alerts.known import LetterFacts
from alerts.matching import Lacked, NearMiss
from alerts.tables import Edition, Letter, NearMissed, Omission, Told, ToldBefore
from sources.tables import Revision, Tender


@dataclass(frozen=True, kw_only=True, slots=True)
class Carried:
    """A notice in a letter."""

    number: str
    title: str
    #: A Kind: new, change, cancellation, reminder.
    kind: str
    closes_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """A letter that was written for the contact, and what became of it."""

    letter: LetterFacts
    address: str
    notices: tuple[Carried, ...]
    #: Messages that came back about it: an alerts.bounces_dsn.ReturnKind and a status.
    returns: tuple[tuple[str, str], ...]

    @property
    def at(self) -> datetime:
        """When it was settled, else written."""
        return self.letter.settled_at or self.letter.written_at


@dataclass(frozen=True, kw_only=True, slots=True)
class Silence:
    """Editions in a row in which nothing was written for the contact, for one reason."""

    #: Of the first and of the last of them.
    since: datetime
    until: datetime
    editions: tuple[str, ...]
    #: A Why.
    why: str

    @property
    def at(self) -> datetime:
        """When the last of them was decided."""
        return self.until


@dataclass(frozen=True, kw_only=True, slots=True)
class Missed:
    """A notice that nearly was for the contact."""

    at: datetime
    number: str
    title: str
    miss: NearMiss


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """What happened to one contact since a moment."""

    #: Oldest first.
    turns: tuple[Sent | Silence, ...]
    #: The best first.
    missed: tuple[Missed, ...]

    @property
    def letters(self) -> list[Sent]:
        """The letters alone."""
        return [one for one in self.turns if isinstance(one, Sent)]


def history(session: Session, contact_id: int, *, since: datetime | None = None) -> History:
    """All that is recorded of that contact, since that moment or from the beginning."""
    letters = list(_letters(session, contact_id, since))
    silences = list(_silences(session, contact_id, since))
    both: list[Sent | Silence] = [*letters, *silences]
    turns = sorted(both, key=lambda turn: turn.at)
    return History(turns=tuple(_joined(turns)), missed=tuple(_missed(session, contact_id, since)))


def _letters(session: Session, contact_id: int, since: datetime | None) -> Iterator[Sent]:
    asked = (
        select(Letter, Edition.label)
        .options(defer(Letter.content))
        .outerjoin(Edition, Edition.id == Letter.edition_id)
        .where(Letter.contact_id == contact_id)
        .order_by(Letter.id)
    )
    rows = session.execute(
        asked if since is None else asked.where(Letter.written_at >= since)
    ).all()
    carried = _carried(session, contact_id)
    returned = _returned(session, contact_id)
    for letter, label in rows:
        facts = LetterFacts(
            id=letter.id,
            state=letter.state,
            written_at=letter.written_at,
            settled_at=letter.settled_at,
            reply=letter.reply,
            why=letter.why,
            edition=label or "",
        )
        yield Sent(
            letter=facts,
            address=letter.address,
            notices=tuple(carried[letter.id]),
            returns=tuple(returned[letter.id]),
        )


def _carried(session: Session, contact_id: int) -> dict[int, list[Carried]]:
    """The notices of each letter of the contact."""
    found: dict[int, list[Carried]] = defaultdict(list)
    letters = select(Letter.id).where(Letter.contact_id == contact_id)
    for table, of_contact in (
        (Told, and_(Told.contact_id == contact_id, ledger.is_carried())),
        (ToldBefore, ToldBefore.letter_id.in_(letters)),
    ):
        rows = session.execute(
            select(table.letter_id, table.kind, Tender.number, Revision.title, Revision.closes_at)
            .join(Revision, Revision.id == table.revision_id)
            .join(Tender, Tender.id == Revision.tender_id)
            .where(of_contact)
            .order_by(table.id)
        )
        for letter_id, kind, number, title, closes_at in rows:
            one = Carried(number=number, title=title, kind=kind, closes_at=closes_at)
            found[letter_id].append(one)
    return found


def _returned(session: Session, contact_id: int) -> dict[int | None, list[tuple[str, str]]]:
    found: dict[int | None, list[tuple[str, str]]] = defaultdict(list)
    rows = session.execute(
        select(Bounce.letter_id, Bounce.kind, Bounce.status)
        .join(Letter, Letter.id == Bounce.letter_id)
        .where(Letter.contact_id == contact_id, Bounce.proof != "")
        .order_by(Bounce.id)
    )
    for letter_id, kind, status in rows:
        found[letter_id].append((kind, status))
    return found


def _silences(session: Session, contact_id: int, since: datetime | None) -> Iterator[Silence]:
    asked = (
        select(Omission.at, Edition.label, Omission.why)
        .join(Edition, Edition.id == Omission.edition_id)
        .where(Omission.contact_id == contact_id, Omission.letter_id.is_(None))
        .order_by(Omission.at, Omission.id)
    )
    rows = session.execute(asked if since is None else asked.where(Omission.at >= since))
    for at, label, why in rows:
        yield Silence(since=at, until=at, editions=(label,), why=why)


def _joined(turns: Iterable[Sent | Silence]) -> Iterator[Sent | Silence]:
    """Silences that follow each other for one reason are one."""
    for why, group in groupby(turns, lambda t: t.why if isinstance(t, Silence) else t):
        if not isinstance(why, str):
            yield from group
            continue
        silent = [one for one in group if isinstance(one, Silence)]
        yield Silence(
            since=silent[0].since,
            until=silent[-1].until,
            editions=tuple(label for one in silent for label in one.editions),
            why=why,
        )


def _missed(session: Session, contact_id: int, since: datetime | None) -> Iterator[Missed]:
    asked = (
        select(NearMissed, Tender.number, Revision.title)
        .join(Revision, Revision.id == NearMissed.revision_id)
        .join(Tender, Tender.id == Revision.tender_id)
        .where(NearMissed.contact_id == contact_id)
        .order_by(NearMissed.score.desc(), NearMissed.id.desc())
    )
    rows = session.execute(asked if since is None else asked.where(NearMissed.at >= since))
    for row, number, title in rows:
        miss = NearMiss(Lacked(row.lacked), row.detail, row.score)
        yield Missed(at=row.at, number=number, title=title, miss=miss)
