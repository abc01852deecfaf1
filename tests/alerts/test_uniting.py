"""Two contacts of an enterprise become one: nothing is repeated to it, nothing is forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import doubts, ledger, uniting
from alerts.answer_tables import Answer, Reaction
from alerts.leaving import leave_by_mail
from alerts.tables import Letter, LetterState, Told, ToldState, Why
from base.database import Database
from subscriptions import wishes
from subscriptions.by_mail import mailto
from subscriptions.editing import Hand, Refusal
from subscriptions.errors import ChangeRefused
from subscriptions.mailboxes import Outcome
from subscriptions.members import add_contact
from subscriptions.tables import Consent, Contact
from subscriptions.wishes import Wishes
from tests import coop
from tests.coop import AT

HAND = Hand(at=AT + timedelta(hours=1), by="essai", action="contacts fusionner")
SNOW = Wishes(frequency="weekly", sectors=("deneigement",))
WASH = Wishes(frequency="daily", sectors=("buanderie-textile",))
C, R, U, F = ToldState.CONFIRMED, ToldState.RESERVED, ToldState.UNCERTAIN, ToldState.RELEASED

OF_LETTER = {
    C: LetterState.ACCEPTED,
    R: LetterState.WRITTEN,
    U: LetterState.UNKNOWN,
    F: LetterState.WITHDRAWN,
}


@pytest.fixture
def both(database: Database) -> tuple[int, int]:
    """The kept contact and its double, each with a subscription of its own."""
    with database.write() as session:
        kept = coop.entitled(session, "anne")
        double = add_contact(session, kept.member_id, "a.fictive@exemple.quebec", at=AT)
        wishes.subscribe(session, double.id, WASH, origin="roster", at=AT)
        return kept.id, double.id


def _merge(session: Session, both: tuple[int, int]) -> Outcome:
    kept, double = (session.get_one(Contact, one) for one in both)
    return uniting.merge(session, kept, double, hand=HAND)


def _told(session: Session, contact_id: int, cluster_id: int, state: ToldState) -> int:
    contact = session.get_one(Contact, contact_id)
    label = f"2026-W{cluster_id}-{contact_id}"
    letter = coop.letter(session, contact, label=label)
    letter.state = OF_LETTER[state]
    revision = session.info["revision"]
    row = coop.told(session, letter, revision, cluster_id)
    row.state = state
    session.flush()
    return letter.id


def _revise(session: Session) -> None:
    session.info["revision"] = coop.tender(session)[1]


def test_the_kept_contacts_own_subscription_stands(
    database: Database, both: tuple[int, int]
) -> None:
    with database.write() as session:
        assert _merge(session, both) is Outcome.KEPT
    with database.read() as session:
        asked = wishes.live(session, both[0])
        double = session.get_one(Contact, both[1])
        assert asked is not None
        assert wishes.wishes_of(asked) == SNOW
        assert wishes.live(session, both[1]) is None
        assert (double.ended_at, double.merged_into_id) == (HAND.at, both[0])


def test_one_that_asked_for_nothing_takes_over_what_the_other_asked(
    database: Database, both: tuple[int, int]
) -> None:
    with database.write() as session:
        wishes.remove(session, both[0], origin="staff", at=AT)
        assert _merge(session, both) is Outcome.TAKEN_OVER
        asked = wishes.live(session, both[0])
        assert asked is not None
        assert (wishes.wishes_of(asked), asked.origin) == (WASH, "roster")


@pytest.mark.parametrize("who", [0, 1], ids=["the kept one", "the double"])
def test_who_unsubscribed_under_either_address_stays_unsubscribed(
    database: Database, both: tuple[int, int], who: int
) -> None:
    with database.write() as session:
        wishes.unsubscribe(session, both[who], origin="member", at=AT)
        assert _merge(session, both) is Outcome.LEFT
        assert [wishes.live(session, one) for one in both] == [None, None]
        assert wishes.has_left(session, both[0])


def test_letters_asked_for_after_the_other_left_are_kept(
    database: Database, both: tuple[int, int]
) -> None:
    with database.write() as session:
        wishes.unsubscribe(session, both[1], origin="member", at=AT)
        wishes.subscribe(session, both[0], WASH, origin="member", at=AT + timedelta(minutes=1))
        assert _merge(session, both) is Outcome.KEPT
        assert wishes.live(session, both[0]) is not None


@pytest.mark.parametrize(
    ("own", "other", "then"),
    [
        pytest.param(None, C, C, id="told to the double only"),
        pytest.param(C, None, C, id="told to the kept one only"),
        pytest.param(F, C, C, id="given back, and told to the double"),
        pytest.param(U, C, C, id="uncertain, and told to the double"),
        pytest.param(C, F, C, id="told, and given back by the double"),
        pytest.param(None, U, U, id="uncertain with the double"),
        pytest.param(None, R, F, id="waiting for the double: given back"),
    ],
)
def test_what_either_was_told_is_not_told_again(
    database: Database,
    both: tuple[int, int],
    own: ToldState | None,
    other: ToldState | None,
    then: ToldState,
) -> None:
    with database.write() as session:
        _revise(session)
        letters = [
            _told(session, contact_id, 1, state)
            for contact_id, state in zip(both, (own, other), strict=True)
            if state is not None
        ]
        _merge(session, both)
    with database.read() as session:
        row = session.scalars(select(Told).where(Told.contact_id == both[0])).one()
        assert row.state == then
        heard = ledger.heard(session, [both[0]])[both[0]]
        assert (1 in heard.settled, 1 in heard.uncertain) == (then is C, then is U)
        # Every letter is its own contact's still: the proof of what reached which address.
        owners = session.scalars(select(Letter.contact_id).where(Letter.id.in_(letters)))
        assert set(owners) <= set(both)
        assert row.letter_id in letters


def test_what_waits_for_the_double_does_not_leave(
    database: Database, both: tuple[int, int]
) -> None:
    with database.write() as session:
        letter = coop.letter(session, session.get_one(Contact, both[1]))
        _merge(session, both)
        session.refresh(letter)
        assert (letter.state, letter.why) == (LetterState.WITHDRAWN, Why.SUBSCRIPTION)


def test_a_letter_in_doubt_settles_what_the_kept_one_was_told(
    database: Database, both: tuple[int, int]
) -> None:
    with database.write() as session:
        _revise(session)
        letter = session.get_one(Letter, _told(session, both[1], 1, R))
        letter.state, letter.in_doubt_at = LetterState.IN_DOUBT, AT
        letter.lease_until = AT
        session.flush()
        _merge(session, both)
        (doubt,) = doubts.in_doubt(session, at=HAND.at)
        doubts.resolve(session, letter.id, LetterState.ACCEPTED, reply="", at=HAND.at, doubt=doubt)
        session.expire_all()
        row = session.scalars(select(Told)).one()
        assert (row.contact_id, row.state) == (both[0], C)


def test_answers_follow_unless_the_kept_one_answered(
    database: Database, both: tuple[int, int]
) -> None:
    with database.write() as session:
        _revise(session)
        given = [
            (both[1], 1, Answer.HIDDEN),
            (both[0], 2, Answer.INTERESTED),
            (both[1], 2, Answer.NOT_RELEVANT),
        ]
        for contact_id, cluster_id, answer in given:
            session.add(
                Reaction(
                    contact_id=contact_id,
                    cluster_id=cluster_id,
                    answer=answer,
                    at=AT,
                    revision_id=session.info["revision"].id,
                )
            )
        session.flush()
        _merge(session, both)
        found = session.scalars(select(Reaction).order_by(Reaction.id)).all()
        assert [r.contact_id for r in found] == [both[0], both[0], both[1]]


def test_consents_stay_with_whom_they_were_given_for(
    database: Database, both: tuple[int, int]
) -> None:
    with database.write() as session:
        _merge(session, both)
        assert session.scalars(select(Consent.contact_id)).all() == [both[0]]


def test_leaving_by_an_old_letter_of_the_double_ends_the_kept_ones_letters(
    database: Database, both: tuple[int, int]
) -> None:
    with database.write() as session:
        _merge(session, both)
        double = session.get_one(Contact, both[1])
        links = coop.DESK.links
        url = links.leave(double.public_id, double.link_version, AT)
        subject = mailto("x@exemple.quebec", url).partition("subject=")[2]
        message = f"Subject: {subject}\r\n\r\n".encode()
        assert leave_by_mail(session, message, links, at=HAND.at)
        assert wishes.live(session, both[0]) is None


def test_contacts_of_two_enterprises_are_not_merged(database: Database) -> None:
    with database.write() as session:
        both = coop.entitled(session, "anne").id, coop.entitled(session, "bruno").id
    with pytest.raises(ChangeRefused) as refusal, database.write() as session:
        _merge(session, both)
    assert refusal.value.reason == Refusal.TWO_ENTERPRISES
    assert refusal.value.detail == "Coop fictive anne | Coop fictive bruno"
    with pytest.raises(ChangeRefused), database.write() as session:
        _merge(session, (both[0], both[0]))
