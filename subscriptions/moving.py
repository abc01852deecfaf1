"""A contact's change of address: asked from the old mailbox, confirmed from the new one.

    MOVE_ASKED     somebody with a letter's link pressed a button; the known mailbox gets a link
    MOVE_PROPOSED  who has that link typed the new address; the new mailbox gets a link
    MOVED          who has that one said yes; the old mailbox is told, and may undo for 72 h

So nobody moves letters to another mailbox without having read both.
"""

from __future__ import annotations

from sqlalchemy import CursorResult, exists, select, update
from sqlalchemy.orm import Session

from subscriptions import erased
from subscriptions.tables import Contact, Event


def holder(session: Session, address: str) -> Contact | None:
    """The live contact that has that address, normalised."""
    return session.scalar(
        select(Contact).where(Contact.address == address, Contact.ended_at.is_(None))
    )


def move(session: Session, proposed: Event) -> bool:
    """Give the contact the address it proposed; its links to change die with it.

    False where another contact has it by now, or the contact's own is another than it was.
    """
    return _readdress(session, proposed, proposed.old_address, proposed.new_address)


def move_back(session: Session, moved: Event) -> bool:
    """Give the contact back the address it had, as `move`."""
    return _readdress(session, moved, moved.new_address, moved.old_address)


def _readdress(session: Session, event: Event, known: str, wanted: str) -> bool:
    taken = select(Contact.id).where(Contact.address == wanted, Contact.ended_at.is_(None))
    changed = session.execute(
        update(Contact)
        .where(Contact.id == event.contact_id, Contact.address == known)
        .where(Contact.ended_at.is_(None), ~exists(taken.correlate(None)))
        .values(address=wanted, link_version=Contact.link_version + 1)
        .execution_options(synchronize_session="fetch")
    )
    assert isinstance(changed, CursorResult)  # noqa: S101, what an UPDATE gives
    if changed.rowcount != 1:
        return False
    erased.recognise(session, [wanted])
    return True
