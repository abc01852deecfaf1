"""Letters of arrival, return, end and silence: once each, and nobody after the end."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import NoReturn

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts import editions, outbox
from alerts.streams import Tick
from alerts.tables import (
    Edition,
    Letter,
    LetterState,
    NearMissed,
    Omission,
    Stream,
    Told,
    Why,
)
from base.database import Database
from subscriptions import wishes
from subscriptions.tables import Contact, Membership, Origin, Subscription
from tests.coop import AT, DESK, entitled, tender

#: Monday 21 September 2026, 10:00 in Québec.
MORNING = AT + timedelta(hours=4)
#: Thursday 1 October 2026, 09:00 in Québec.
OCTOBER = datetime(2026, 10, 1, 13, tzinfo=UTC)


def _at_work(session: Session) -> None:
    """A letter was accepted long ago: the service is not new."""
    old = entitled(session, "ancien", sectors=["toiture"])
    session.add(
        Letter(
            key="digest:weekly:2025-W01:1",
            contact_id=old.id,
            address=old.address,
            message_id="<vieux@exemple.quebec>",
            sha256="",
            size=1,
            notices=1,
            state=LetterState.ACCEPTED,
            written_at=AT - timedelta(days=300),
            settled_at=AT - timedelta(days=300),
            expires_at=AT - timedelta(days=299),
            next_attempt_at=AT - timedelta(days=300),
        )
    )


def _arrives(session: Session, name: str, at: datetime, **wished: object) -> Contact:
    contact = entitled(session, name, **wished)
    session.execute(
        update(Subscription).where(Subscription.contact_id == contact.id).values(started_at=at)
    )
    return contact


def _letters(database: Database, stream: Stream) -> list[tuple[int, EmailMessage, int]]:
    with database.read() as session:
        rows = session.execute(
            select(Letter.contact_id, Letter.content, Letter.notices)
            .join(Edition, Edition.id == Letter.edition_id)
            .where(Edition.frequency == stream)
            .order_by(Letter.id)
        ).all()
    return [
        (contact_id, email.message_from_bytes(content, policy=email.policy.default), notices)
        for contact_id, content, notices in rows
    ]


def _text(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())


def _tick(database: Database, at: datetime) -> None:
    editions.write_open(database, DESK, at=at)


def test_who_arrives_is_welcomed_once_with_all_that_is_open(database: Database) -> None:
    with database.write() as session:
        _at_work(session)
        tender(session)
        new = _arrives(session, "nouveau", MORNING)
    _tick(database, MORNING + timedelta(minutes=9))
    assert _letters(database, Stream.WELCOME) == []
    for minutes in (10, 11, 60 * 24):
        _tick(database, MORNING + timedelta(minutes=minutes))
    [(contact_id, message, notices)] = _letters(database, Stream.WELCOME)
    assert (contact_id, notices) == (new.id, 1)
    assert str(message["Subject"]).startswith("Bienvenue")
    assert "Déneigement des stationnements" in _text(message)
    with database.read() as session:
        assert session.scalars(select(Told.contact_id)).all() == [new.id]


def test_a_run_that_breaks_off_leaves_no_transaction_open(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        _at_work(session)
        _arrives(session, "anne", MORNING - timedelta(hours=1))
        tender(session, "20170291", closes_at=AT + timedelta(days=20))

    def broken(tick: Tick, edition: Edition) -> NoReturn:
        raise OSError(edition.frequency)

    monkeypatch.setattr(editions, "_write_whole", broken)
    with pytest.raises(OSError, match="welcome") as kept:
        _tick(database, MORNING)
    assert kept.tb is not None  # what it was doing is still held
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_where_nothing_is_open_a_word_is_said_all_the_same(database: Database) -> None:
    with database.write() as session:
        _at_work(session)
        _arrives(session, "nouveau", MORNING, frequency="daily")
    _tick(database, MORNING + timedelta(minutes=10))
    [(_, message, notices)] = _letters(database, Stream.WELCOME)
    assert notices == 0
    assert "une lettre le matin des jours que vous avez choisis" in _text(message)
    assert message["List-Unsubscribe"]


def test_who_is_there_when_the_service_begins_is_not_welcomed(database: Database) -> None:
    with database.write() as session:
        tender(session)
        _arrives(session, "nouveau", MORNING)
    _tick(database, MORNING + timedelta(hours=1))
    assert _letters(database, Stream.WELCOME) == []


def test_no_word_leaves_at_night_or_to_who_left_or_paused(database: Database) -> None:
    with database.write() as session:
        _at_work(session)
        _arrives(session, "nuit", AT - timedelta(hours=8))
        gone = _arrives(session, "parti", AT - timedelta(hours=8))
        wishes.unsubscribe(session, gone.id, origin=Origin.MEMBER, at=AT - timedelta(hours=7))
    _tick(database, AT)  # 06:00
    assert _letters(database, Stream.WELCOME) == []
    _tick(database, AT + timedelta(minutes=30))
    with database.read() as session:
        names = session.scalars(
            select(Contact.address).join(Letter).where(Letter.key.like("welcome:%"))
        ).all()
    assert names == ["nuit@exemple.quebec"]


def _ended_and_back(session: Session, contact: Contact, back_at: datetime) -> None:
    session.execute(
        update(Membership)
        .where(Membership.member_id == contact.member_id)
        .values(ends_at=back_at - timedelta(days=40))
    )
    session.add(
        Membership(
            member_id=contact.member_id,
            starts_at=back_at,
            ends_at=None,
            recorded_at=back_at,
            recorded_by="essai",
        )
    )


def test_who_is_back_gets_what_is_still_open_in_one_letter(database: Database) -> None:
    with database.write() as session:
        for number in ("1", "2", "3"):
            tender(session, number)
        tender(session, "4", closes_at=AT)
        back, stayed = entitled(session, "revenu"), entitled(session, "fidele")
        _ended_and_back(session, back, MORNING)
    for minutes in (10, 20, 60 * 30):
        _tick(database, MORNING + timedelta(minutes=minutes))
    [(contact_id, message, notices)] = _letters(database, Stream.RETURN)
    assert (contact_id, notices) == (back.id, 3)
    assert str(message["Subject"]).startswith("Bon retour")
    assert stayed.id not in {one for one, _, _ in _letters(database, Stream.RETURN)}


def test_a_renewal_without_a_gap_is_no_return(database: Database) -> None:
    with database.write() as session:
        tender(session)
        contact = entitled(session, "fidele")
        session.execute(update(Membership).values(ends_at=MORNING))
        session.add(
            Membership(
                member_id=contact.member_id,
                starts_at=MORNING,
                ends_at=None,
                recorded_at=MORNING,
                recorded_by="essai",
            )
        )
    _tick(database, MORNING + timedelta(minutes=10))
    assert _letters(database, Stream.RETURN) == []


@pytest.mark.parametrize("days", [1, 14])
def test_an_end_to_come_is_told_once_without_any_notice(database: Database, days: int) -> None:
    with database.write() as session:
        tender(session)
        entitled(session, "finissant")
        session.execute(update(Membership).values(ends_at=MORNING + timedelta(days=days)))
    for hours in (0, 1, 20):
        _tick(database, MORNING + timedelta(hours=hours))
    [(_, message, notices)] = _letters(database, Stream.LAPSE)
    assert notices == 0
    text = _text(message)
    assert "se termine le" in text
    assert "bonjour@exemple.quebec" in text
    assert "Déneigement" not in text
    with database.read() as session:
        assert session.scalars(select(Told.id)).all() == []


def test_a_renewed_a_distant_or_a_past_end_makes_no_letter(database: Database) -> None:
    with database.write() as session:
        for name, end in (("tard", 15), ("fini", -1), ("renouvele", 5)):
            contact = entitled(session, name)
            ends_at = MORNING + timedelta(days=end)
            session.execute(
                update(Membership)
                .where(Membership.member_id == contact.member_id)
                .values(ends_at=ends_at)
            )
        session.add(
            Membership(
                member_id=contact.member_id,
                starts_at=ends_at,
                ends_at=None,
                recorded_at=MORNING,
                recorded_by="essai",
            )
        )
    _tick(database, MORNING)
    assert _letters(database, Stream.LAPSE) == []


def test_no_letter_leaves_after_the_end_not_even_the_one_that_tells_of_it(
    database: Database,
) -> None:
    with database.write() as session:
        entitled(session, "finissant")
        session.execute(update(Membership).values(ends_at=MORNING + timedelta(hours=1)))
    _tick(database, MORNING)
    with database.write() as session:
        lot = outbox.claim(
            session,
            claim="essai",
            most=10,
            allowed=frozenset("*"),
            at=MORNING + timedelta(hours=2),
        )
    assert lot.claimed == []
    with database.read() as session:
        assert session.scalars(select(Omission.why)).all() == [Why.MEMBERSHIP]


def test_a_month_without_a_notice_says_that_all_is_well_and_what_came_near(
    database: Database,
) -> None:
    first = OCTOBER
    with database.write() as session:
        _, revision = tender(session, title="Fourniture de repas pour le camp de jour")
        quiet = entitled(session, "calme", sectors=["deneigement"])
        paused = entitled(session, "pause", paused_until=first + timedelta(days=9))
        assert paused
        session.add(
            NearMissed(
                contact_id=quiet.id,
                revision_id=revision.id,
                at=AT,
                score=0.4,
                lacked="sector",
                detail="deneigement",
            )
        )
    _tick(database, first - timedelta(minutes=1))
    assert _letters(database, Stream.ALIVE) == []
    for minutes in (0, 5, 60 * 24):
        _tick(database, first + timedelta(minutes=minutes))
    [(contact_id, message, notices)] = _letters(database, Stream.ALIVE)
    assert (contact_id, notices) == (quiet.id, 0)
    text = _text(message)
    assert "septembre 2026" in str(message["Subject"])
    assert "Nous avons lu 1 nouvel avis" in text
    assert "Fourniture de repas" in text
    assert "que vous n’avez pas choisi, l’aurait retenu" in text


def test_who_had_a_notice_or_came_during_the_month_is_not_reassured(database: Database) -> None:
    first = OCTOBER
    with database.write() as session:
        tender(session, closes_at=AT + timedelta(days=8))
        entitled(session, "servi")
        _arrives(session, "nouveau", AT, sectors=["toiture"])
        editions.open_due(session, AT)
    _tick(database, AT)
    with database.write() as session:
        accepted = {"state": LetterState.ACCEPTED, "settled_at": AT}
        assert session.execute(update(Letter).values(accepted)).rowcount == 1
    _tick(database, first)
    assert _letters(database, Stream.ALIVE) == []


def test_hostile_words_are_only_words_in_the_letter_of_silence(database: Database) -> None:
    first = OCTOBER
    with database.write() as session:
        _, revision = tender(
            session, title="<script>{{ 7*7 }}</script>\u202e repas", uri="javascript:alert(1)"
        )
        contact = entitled(session, "calme")
        contact.name = 'Robert"); --\nBcc: x@exemple.quebec'
        session.add(
            NearMissed(
                contact_id=contact.id,
                revision_id=revision.id,
                at=AT,
                score=0.4,
                lacked="territory",
                detail="<b>Mars</b>",
            )
        )
    _tick(database, first)
    [(_, message, _)] = _letters(database, Stream.ALIVE)
    html = message.get_body(("html",))
    assert html is not None
    raw = html.get_content()
    assert not any(one in raw for one in ("<script", "javascript:", "\u202e", "<b>Mars", "49"))
    assert message["Bcc"] is None
