"""Mail to our own staff: a second door, to one address of the settings and to nobody else.

It cannot pass the one statement, which lets a letter leave for an entitled member only. So it has
rows, a claim and a dot of its own, and its envelope has no other recipient than STAFF_EMAIL
(docs/decisions/0017). Whoever wrote a message calls `hand_over`; what did not leave leaves with
the next call, for the rows know what is owed.

A member's letter in doubt is never sent again; a message to staff is: better an alarm twice than
none, and both copies have one Message-ID.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Update, and_, or_, select, update
from sqlalchemy.orm import Session

from alerts.connections import Connections
from alerts.delivery import Connection, Envelope, Outcome, Receipt, Relay
from alerts.errors import RelayMisconfigured, RelayUnreachable
from alerts.handing import Now
from alerts.letter import Composed, Sender
from alerts.note import compose_note
from alerts.staff_tables import StaffLetter
from alerts.tables import LetterState
from base.database import Database, insert

logger = logging.getLogger(__name__)

#: How long a claim holds: longer than a relay may take for one message (alerts.transaction).
LEASE = timedelta(minutes=15)
#: What nobody could be told within this is no news any more.
WORTH_SENDING = timedelta(hours=72)
#: What a relay's answer leaves to be done; all else is tried again.
_AFTER = {
    Outcome.ACCEPTED: LetterState.ACCEPTED,
    Outcome.REFUSED: LetterState.REFUSED,
    Outcome.DEAD_ADDRESS: LetterState.REFUSED,
    Outcome.POLICY: LetterState.REFUSED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """How staff are reached."""

    relay: Relay
    #: The envelope's sender.
    sender: str
    #: STAFF_EMAIL: the only recipient there is.
    to: str
    #: Who writes.
    author: Sender


@dataclass(frozen=True, slots=True)
class _Taken:
    id: int
    content: bytes


def write(
    session: Session,
    door: Door,
    template: str,
    words: Mapping[str, object],
    *,
    key: str,
    at: datetime,
    covers: Iterable[str] = (),
) -> bool:
    """Keep the message of templates/emails/`template` to be handed over; False for a known key.

    Raises:
        LetterUnwritable: an address that cannot be mailed, or a template that fails.
    """
    composed: Composed = compose_note(
        template, door.author, None, words, recipient=door.to, key=f"staff:{key}", at=at
    )
    kept = session.scalar(
        insert(session, StaffLetter)
        .values(
            key=key,
            message_id=composed.message_id,
            content=composed.content,
            sha256=sha256(composed.content).hexdigest(),
            covers=list(covers),
            written_at=at,
        )
        .on_conflict_do_nothing(index_elements=[StaffLetter.key])
        .returning(StaffLetter.id)
    )
    return kept is not None


async def hand_over(database: Database, door: Door, *, now: Now) -> list[Receipt]:
    """Hand over what waits for staff, each once, and say how each ended.

    Raises RelayUnreachable or RelayMisconfigured where the relay cannot be used: what waits,
    waits. Safe beside another call.
    """
    run = _Run(database, door, now, Connections(door.relay, 100))
    receipts = []
    try:
        for taken in run.claim_all():
            receipt = await run.one(taken)
            receipts += [receipt] if receipt else []
    except (RelayUnreachable, RelayMisconfigured):
        run.give_back()
        raise
    finally:
        await run.connections.quit()
    return receipts


@dataclass(frozen=True, slots=True)
class _Run:
    """One call: its claim, its connections."""

    database: Database
    door: Door
    now: Now
    connections: Connections
    claim: str = field(default_factory=lambda: uuid.uuid4().hex)

    async def one(self, taken: _Taken) -> Receipt | None:
        """One message, from MAIL to its row; None where another has taken it over."""
        envelope = Envelope(self.door.sender, self.door.to, taken.content)
        connection = await self.connections.take()
        try:
            receipt = await connection.offer(envelope)
            if receipt is None and self._may_finish(connection, taken.id):
                receipt = await connection.finish()
        except BaseException:
            connection.abandon()
            raise
        finally:
            await self.connections.put(connection)
        if receipt is not None:
            self._settle(taken.id, receipt)
            fields = {"staff_letter": taken.id, "outcome": receipt.outcome}
            logger.info("staff told", extra=fields)
        return receipt

    def claim_all(self) -> list[_Taken]:
        """Take all that waits, or whose claimer gave no sign; drop what is too old."""
        at = self.now()
        waits = or_(
            StaffLetter.state.in_((LetterState.WRITTEN, LetterState.DEFERRED)),
            and_(StaffLetter.state == LetterState.CLAIMED, StaffLetter.lease_until <= at),
        )
        with self.database.write() as session:
            session.execute(
                update(StaffLetter)
                .where(waits, StaffLetter.written_at <= at - WORTH_SENDING)
                .values(state=LetterState.WITHDRAWN, settled_at=at, content=None)
            )
            taken = session.execute(
                update(StaffLetter)
                .where(waits)
                .values(
                    state=LetterState.CLAIMED,
                    claim=self.claim,
                    lease_until=at + LEASE,
                    attempts=StaffLetter.attempts + 1,
                )
                .returning(StaffLetter.id, StaffLetter.content)
            )
            return [_Taken(row.id, row.content or b"") for row in taken]

    def _may_finish(self, connection: Connection, letter_id: int) -> bool:
        """Whether it is still ours, made durable before the dot."""
        with self.database.write() as session:
            held = session.scalar(
                self._ours(letter_id)
                .values(lease_until=self.now() + LEASE)
                .returning(StaffLetter.id)
            )
        if held is None:
            connection.abandon()
        return held is not None

    def _settle(self, letter_id: int, receipt: Receipt) -> None:
        state = _AFTER.get(receipt.outcome, LetterState.DEFERRED)
        values: dict[str, object] = {"state": state, "reply": receipt.reply, "lease_until": None}
        if state is not LetterState.DEFERRED:
            values |= {"content": None, "settled_at": self.now()}
        with self.database.write() as session:
            session.execute(self._ours(letter_id).values(values))

    def give_back(self) -> None:
        """What was not begun waits again."""
        with self.database.write() as session:
            session.execute(self._ours().values(state=LetterState.DEFERRED, lease_until=None))

    def _ours(self, letter_id: int | None = None) -> Update:
        ours = update(StaffLetter).where(
            StaffLetter.claim == self.claim, StaffLetter.state == LetterState.CLAIMED
        )
        return ours if letter_id is None else ours.where(StaffLetter.id == letter_id)


def told(session: Session, kind: str) -> set[str]:
    """What the messages of that kind tell of, whether or not they have left."""
    rows = session.scalars(
        select(StaffLetter.covers).where(StaffLetter.key.startswith(f"{kind}:", autoescape=True))
    )
    return {mark for marks in rows for mark in marks}
