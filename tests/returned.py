"""Messages as a bounce mailbox receives them (tests/data/returns), about a letter of the test."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import returns
from alerts.mailbox import Maildir
from alerts.returns import Reception
from alerts.tables import Letter, LetterState, Told, ToldState
from alerts.verp import Verp
from base import concerns
from base.database import Database
from subscriptions.links import Links
from subscriptions.tables import Contact, Suppression
from tests.coop import AT, entitled, letter, tender, told

FOLDER = Path(__file__).parent / "data" / "returns"
#: What stands for a tag in the messages that Postfix made.
POSTFIX_TAG = b"1-aaaaaaaaaaaaaaaaaaaaaaaaaa"


def message(
    name: str,
    *,
    tag: str = "",
    message_id: str = "<inconnu@exemple.quebec>",
    leave: str = "https://alertes.exemple.quebec/d/inconnu",
) -> bytes:
    """A message by its name, «ecrits/gmail», naming that letter where it names one."""
    content = (FOLDER / f"{name}.eml").read_bytes()
    for place, value in ((b"{tag}", tag), (b"{message_id}", message_id), (b"{leave}", leave)):
        content = content.replace(place, value.encode())
    return content.replace(POSTFIX_TAG, tag.encode()) if tag else content


def names(folder: str) -> list[str]:
    """The messages of a folder."""
    return sorted(f"{folder}/{file.stem}" for file in (FOLDER / folder).glob("*.eml"))


KEYS = ("clé-d-essai-" + "k" * 32,)
VERP = Verp(KEYS, "retours@exemple.quebec")
LINKS = Links(KEYS, "https://alertes.exemple.quebec")
ANNE = "anne@exemple.quebec"
DAY = timedelta(days=1)


def accepted(
    session: Session, name: str = "anne", label: str = "2026-W39", at: datetime = AT
) -> Letter:
    """A letter that the relay accepted at `at`, with one notice told."""
    address = f"{name}@exemple.quebec"
    contact = session.scalar(select(Contact).where(Contact.address == address))
    one = letter(session, contact or entitled(session, name), label, at)
    one.state, one.settled_at = LetterState.ACCEPTED, at
    call, revision = tender(session, number=f"2{one.id:07}", closes_at=AT + 90 * DAY)
    told(session, one, revision, call.id).state = ToldState.CONFIRMED
    session.flush()
    return one


def about(name: str, one: Letter, extra: bytes = b"") -> bytes:
    return message(name, tag=VERP.tag(one.id, one.message_id)) + extra


def receive(database: Database, reception: Reception, content: bytes, at: datetime = AT) -> str:
    with database.write() as session:
        kind = returns.receive(session, content, reception, at=at)
    return kind or "duplicate"


def suppressed(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        rows = session.execute(
            select(Suppression.address, Suppression.reason).where(Suppression.lifted_at.is_(None))
        )
        return [(address, reason) for address, reason in rows]


def ledger(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Told.state).order_by(Told.id)))


def concerned(database: Database) -> list[str]:
    with database.read() as session:
        return [one.cause for one in concerns.standing(session)]


def reception_in(folder: Path) -> Reception:
    """How what comes back is read, from a Maildir in that folder."""
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    return Reception(mailbox=Maildir(folder), verp=VERP, links=LINKS)
