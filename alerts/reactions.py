"""What contacts answer to notices, kept with what spoke for the notice that day.

One answer of a kind lives a contact and a call; « interested » and « not relevant » take each
other's place. The evidence is copied, so that it outlives the ledger and later rules.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, delete, exists, func, select
from sqlalchemy.orm import Session, aliased

from alerts.answer_tables import Answer, Reaction
from alerts.tables import Kind, Told
from base.database import insert
from sources.tables import Revision, Tender

#: Made once: an alias works its columns out anew, and what is awaited is asked each minute.
_REACTION, _REVISION, _TENDER = aliased(Reaction), aliased(Revision), aliased(Tender)
OPPOSITE = {
    Answer.INTERESTED: Answer.NOT_RELEVANT,
    Answer.NOT_RELEVANT: Answer.INTERESTED,
}


def answer(
    session: Session, contact_id: int, cluster_id: int, answer: Answer, at: datetime
) -> bool:
    """Keep that answer; False where there is no such call. A second call changes nothing.

    The revision is the one that the contact was told, else the latest of the call.
    """
    told = session.execute(
        select(Told.revision_id, Told.reasons)
        .where(Told.contact_id == contact_id, Told.cluster_id == cluster_id)
        .order_by(Told.kind != Kind.NEW, Told.at.desc(), Told.id.desc())
        .limit(1)
    ).first()
    revision_id = told.revision_id if told else _latest(session, cluster_id)
    if revision_id is None:
        return False
    if answer in OPPOSITE:
        withdraw(session, contact_id, cluster_id, OPPOSITE[answer])
    session.execute(
        insert(session, Reaction)
        .values(
            contact_id=contact_id,
            cluster_id=cluster_id,
            answer=answer,
            at=at,
            revision_id=revision_id,
            reasons=told.reasons if told else [],
        )
        .on_conflict_do_nothing(
            index_elements=[Reaction.contact_id, Reaction.cluster_id, Reaction.answer]
        )
    )
    return True


def withdraw(session: Session, contact_id: int, cluster_id: int, answer: Answer) -> bool:
    """Take that answer back; False where it was not given."""
    gone = session.execute(
        delete(Reaction)
        .where(Reaction.contact_id == contact_id, Reaction.cluster_id == cluster_id)
        .where(Reaction.answer == answer)
        .returning(Reaction.id)
        .execution_options(synchronize_session=False)
    )
    return gone.first() is not None


def is_awaited(
    contact_id: SQLColumnExpression[int], cluster_id: SQLColumnExpression[int]
) -> ColumnElement[bool]:
    """Whether that contact found that call interesting, and did not hide it, as a condition.

    Under whatever cluster the call was when it was answered.
    """

    def answered(answer: Answer) -> ColumnElement[bool]:
        return exists().where(
            _REACTION.contact_id == contact_id,
            _REACTION.answer == answer,
            _REVISION.id == _REACTION.revision_id,
            _TENDER.id == _REVISION.tender_id,
            func.coalesce(_TENDER.cluster_id, _TENDER.id) == cluster_id,
        )

    return and_(answered(Answer.INTERESTED), ~answered(Answer.HIDDEN))


def _latest(session: Session, cluster_id: int) -> int | None:
    return session.scalar(
        select(Revision.id)
        .join(Tender, Tender.id == Revision.tender_id)
        .where(Tender.cluster_id == cluster_id, Revision.number == Tender.latest)
        .order_by(Tender.id)
        .limit(1)
    )
