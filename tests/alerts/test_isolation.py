"""One poison tender or member keeps nobody else from getting a letter in the same run."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from sqlalchemy import delete, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from alerts import editions, holds, matching, poison, quarantine, writing
from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing, Tally
from alerts.journal import open_journal
from alerts.message_tables import Message
from alerts.recovery import hold_if_restored
from alerts.tables import Letter, LetterState, Omission, Told, ToldState, Why
from base import concerns
from base.database import Database
from sources.tables import Revision
from subscriptions.tables import Contact, Subscription
from tests.coop import AT, entitled, letter, tender
from tests.mailserver import Mailbox, mail_server
from tests.writers import desk

MINUTE = timedelta(minutes=1)
WEEK = timedelta(days=7)


def _prepare(database: Database, contacts: int, *numbers: str) -> None:
    with database.write() as session:
        holds.release_first_run(session, by="essai", at=AT)
        for number in range(contacts):
            entitled(session, f"membre{number}")
        for number in numbers:
            tender(session, number, closes_at=AT + 2 * WEEK)
        editions.open_due(session, AT)


async def _send(database: Database, folder: Path) -> tuple[Tally, Mailbox]:
    async with mail_server() as mailbox:
        handing = Handing(
            relay=Relay(host="127.0.0.1", port=mailbox.port, tls="none", helo="test"),
            sender="retours@exemple.quebec",
            allowed=frozenset({"*"}),
            journal=open_journal(folder / "journal"),
        )
        hold_if_restored(database, handing.journal, at=AT)
        return await hand_over(database, handing, now=lambda: AT), mailbox


def _standing(database: Database) -> list[str]:
    with database.read() as session:
        return [one.cause for one in concerns.standing(session)]


def _text(content: bytes) -> str:
    parsed = email.message_from_bytes(content, EmailMessage, policy=email.policy.default)
    body = parsed.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def _impossible_address(session: Session, contact_id: int) -> None:
    session.execute(
        update(Contact).where(Contact.id == contact_id).values(address="a@b\r\nBcc: x@y.ca")
    )


def _own_words_of_another_type(session: Session, contact_id: int) -> None:
    session.execute(
        update(Subscription).where(Subscription.contact_id == contact_id).values(own_words=[7])
    )


@pytest.mark.parametrize("poisoned", [_impossible_address, _own_words_of_another_type])
@pytest.mark.parametrize("position", [0, 7, 14], ids=["first", "middle", "last"])
async def test_a_poison_member_is_quarantined_and_all_others_get_their_letter(
    database: Database,
    tmp_path: Path,
    poisoned: Callable[[Session, int], None],
    position: int,
) -> None:
    _prepare(database, 15, "20160001")
    with database.write() as session:
        victim = session.scalars(select(Contact.id).order_by(Contact.id)).all()[position]
        poisoned(session, victim)
    done = editions.write_open(database, desk(), at=AT)
    tally, mailbox = await _send(database, tmp_path)

    assert (done["letter"], done["quarantined"]) == (14, 1)
    assert (tally.accepted, len(set(mailbox.recipients))) == (14, 14)
    assert _standing(database) == ["quarantined"]
    with database.read() as session:
        one = session.scalars(select(Letter).where(Letter.state == LetterState.QUARANTINED)).one()
        assert (one.contact_id, one.content, one.why) == (victim, None, Why.UNWRITABLE)
        assert not session.scalars(select(Told).where(Told.contact_id == victim)).all()


async def test_of_five_hundred_the_other_499_get_their_letter_without_the_poison_tender(
    database: Database, tmp_path: Path
) -> None:
    """Both at once: a title of 5 MB among three tenders, and one impossible address."""
    size = 500
    _prepare(database, size, "20160001", "20160002", "20160003")
    with database.write() as session:
        huge = session.scalars(select(Revision).order_by(Revision.id)).first()
        assert huge is not None
        huge.title = "Déneigement " + "x" * 5_000_000
        _impossible_address(session, session.scalars(select(Contact.id).offset(250)).first() or 0)
    done = editions.write_open(database, desk(), at=AT)
    tally, mailbox = await _send(database, tmp_path)

    assert (done["letter"], done["quarantined"]) == (size - 1, 1)
    assert (tally.accepted, len(set(mailbox.recipients))) == (size - 1, size - 1)
    assert sorted(_standing(database)) == ["left out", "quarantined"]
    bodies = [content for _, _, content in mailbox.received]
    assert all(b"20160002" in body and b"20160003" in body for body in bodies)
    assert not any(b"20160001" in body for body in bodies)


@pytest.fixture
def broken_notice(monkeypatch: pytest.MonkeyPatch) -> str:
    """Composing fails for the tender of this number, as a fault in a template would."""
    plain = writing.compose

    def compose(press: object, digest: object, *args: object, **options: object) -> object:
        if any(notice.number == "20160666" for notice in digest.notices):  # type: ignore[attr-defined]
            raise UndefinedError("'closing' is undefined")
        return plain(press, digest, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(writing, "compose", compose)
    return "20160666"


async def test_a_tender_that_breaks_the_template_is_left_out_and_the_digest_still_goes(
    database: Database, tmp_path: Path, broken_notice: str
) -> None:
    _prepare(database, 5, "20160001", broken_notice, "20160002")
    done = editions.write_open(database, desk(), at=AT)
    tally, mailbox = await _send(database, tmp_path)

    assert (done["letter"], tally.accepted) == (5, 5)
    assert _standing(database) == ["left out"]
    assert not any(broken_notice.encode() in content for _, _, content in mailbox.received)
    with database.read() as session:
        told = session.scalars(select(Told.state)).all()
        omitted = session.execute(select(Omission.why, Omission.letter_id, Omission.detail)).all()
        revision = session.scalars(
            select(Revision.id).order_by(Revision.id).offset(1).limit(1)
        ).one()
    assert told == [ToldState.CONFIRMED] * 10
    assert [(why, detail) for why, _, detail in omitted] == [
        (Why.UNWRITABLE, f"revision {revision}")
    ] * 5
    assert all(letter_id for _, letter_id, _ in omitted)


def test_who_has_only_the_poison_tender_gets_no_letter_and_a_reason(
    database: Database, broken_notice: str
) -> None:
    _prepare(database, 3, broken_notice)
    done = editions.write_open(database, desk(), at=AT)
    assert done == {Why.UNWRITABLE: 3}
    assert _standing(database) == ["left out"]


def test_a_tender_that_cannot_be_classified_is_left_out(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _prepare(database, 2, "20160001", "20160002")
    with database.write() as session:
        broken = session.scalars(select(Revision).order_by(Revision.id)).first()
        assert broken is not None
        broken.items = [{"no": "code"}]
    done = editions.write_open(database, desk(), at=AT)
    assert done == {"letter": 2}
    assert _standing(database) == ["left out"]


def _poison_matching(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tender of that title cannot be matched."""
    plain = matching.match

    def match(facts: object, *args: object, **options: object) -> object:
        if facts.title == "Déneigement empoisonné":  # type: ignore[attr-defined]
            raise RecursionError
        return plain(facts, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(matching, "match", match)


def test_a_tender_that_cannot_be_matched_is_left_out(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _poison_matching(monkeypatch)
    _prepare(database, 2, "20160001", "20160002")
    with database.write() as session:
        one = session.scalars(select(Revision).order_by(Revision.id)).first()
        assert one is not None
        one.title = "Déneigement empoisonné"
    assert editions.write_open(database, desk(), at=AT) == {"letter": 2}
    assert _standing(database) == ["left out"]


def test_of_a_tender_that_cannot_be_matched_the_next_takes_the_place(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the reader wants but so many, and a reason is made of no more."""
    _poison_matching(monkeypatch)
    with database.write() as session:
        holds.release_first_run(session, by="essai", at=AT)
        entitled(session, "anne", most_notices=2)
        for days, title in ((4, "un"), (2, "empoisonné"), (5, "deux"), (3, "trois")):
            closes_at = AT + timedelta(days=days)
            tender(session, f"2016000{days}", closes_at=closes_at, title=f"Déneigement {title}")
        editions.open_due(session, AT)
    assert editions.write_open(database, desk(), at=AT) == {"letter": 1}
    assert _standing(database) == ["left out"]
    with database.read() as session:
        told = session.scalars(select(Revision.title).join(Told).order_by(Revision.closes_at))
        assert told.all() == ["Déneigement trois", "Déneigement un"]
        (content,) = session.scalars(select(Letter.content))
    assert b"20160005" not in (content or b"")
    assert "Il en reste 1 pour la prochaine" in _text(content or b"")


def test_a_template_that_fails_for_all_is_said_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compose(*_: object, **__: object) -> object:
        raise UndefinedError("'links' is undefined")

    monkeypatch.setattr(writing, "compose", compose)
    _prepare(database, 7, "20160001", "20160002")
    assert editions.write_open(database, desk(), at=AT) == {"quarantined": 7}
    assert _standing(database) == ["quarantined"]


def test_a_letter_in_quarantine_is_composed_anew_until_its_tries_are_over(
    database: Database,
) -> None:
    _prepare(database, 2, "20160001")
    with database.write() as session:
        _impossible_address(session, 1)
    tries = [
        editions.write_open(database, desk(), at=AT + n * MINUTE)["quarantined"] for n in range(6)
    ]
    assert tries == [1, 1, 1, 0, 0, 0]
    assert _standing(database) == ["quarantined"]


def test_a_letter_whose_cause_was_mended_leaves_quarantine(database: Database) -> None:
    _prepare(database, 2, "20160001")
    with database.write() as session:
        _impossible_address(session, 1)
    editions.write_open(database, desk(), at=AT)
    with database.write() as session:
        session.execute(update(Contact).where(Contact.id == 1).values(address="m@exemple.quebec"))
    editions.write_open(database, desk(), at=AT + MINUTE)
    with database.read() as session:
        one = session.scalars(select(Letter).where(Letter.contact_id == 1)).one()
        assert (one.state, one.address, one.why) == (LetterState.WRITTEN, "m@exemple.quebec", "")
        assert b"To: m@exemple.quebec" in (one.content or b"")
        told = session.scalars(select(Told.state).where(Told.contact_id == 1)).all()
    assert told == [ToldState.RESERVED]
    assert _standing(database) == []


def test_staff_can_have_a_letter_composed_anew_after_its_tries(database: Database) -> None:
    _prepare(database, 1, "20160001")
    with database.write() as session:
        _impossible_address(session, 1)
    for n in range(4):
        editions.write_open(database, desk(), at=AT + n * MINUTE)
    later = AT + timedelta(days=4)
    with database.write() as session:
        session.execute(update(Contact).where(Contact.id == 1).values(address="m@exemple.quebec"))
        number = session.scalars(select(Letter.id)).one()
        assert quarantine.try_again(session, number, at=later, until=later + WEEK)
        assert not quarantine.try_again(session, number + 1, at=later, until=later + WEEK)
    assert editions.write_open(database, desk(), at=later)["letter"] == 1


def test_a_letter_in_quarantine_of_one_who_left_is_withdrawn_with_the_reason(
    database: Database,
) -> None:
    _prepare(database, 1, "20160001")
    with database.write() as session:
        _impossible_address(session, 1)
    editions.write_open(database, desk(), at=AT)
    with database.write() as session:
        session.execute(update(Subscription).values(paused_until=AT + WEEK))
    editions.write_open(database, desk(), at=AT + MINUTE)
    with database.read() as session:
        assert session.scalars(select(Letter.state)).all() == [LetterState.WITHDRAWN]
        assert session.scalars(select(Omission.why)).all() == [Why.PAUSED]
    assert _standing(database) == []


async def test_a_letter_that_our_own_code_cannot_hand_over_stops_no_other(
    database: Database, tmp_path: Path
) -> None:
    """Its bytes are gone: pruned, and then staff sent it again."""
    with database.write() as session:
        for name in ("anne", "luc", "marie"):
            one = letter(session, entitled(session, name))
            if name == "luc":
                session.execute(delete(Message).where(Message.id == one.id))
    tally, mailbox = await _send(database, tmp_path)
    assert (tally.accepted, tally.quarantined, tally.stopped) == (2, 1, "")
    assert sorted(mailbox.recipients) == ["anne@exemple.quebec", "marie@exemple.quebec"]
    assert _standing(database) == ["quarantined"]


def test_what_is_wrong_with_the_database_is_not_taken_for_poison(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must stop the run, not quarantine everybody."""

    def freeze(*_: object, **__: object) -> object:
        raise OperationalError("INSERT", {}, Exception("disk I/O error"))

    monkeypatch.setattr(writing, "freeze_all", freeze)
    _prepare(database, 2, "20160001")
    with pytest.raises(OperationalError):
        editions.write_open(database, desk(), at=AT)
    with database.read() as session:
        assert session.scalars(select(Letter)).all() == []


def test_the_harmless_notice_is_harmless() -> None:
    """Else every fault of a tender would be laid on the reader."""
    made = desk()
    digest = writing.Digest(
        contact_name="",
        member_name="",
        stream="weekly",
        period=writing.Period(AT - WEEK, AT),
        notices=(poison._HARMLESS,),
        sectors=(),
    )
    links = writing.ReaderLinks("https://exemple.quebec/d/x", "https://exemple.quebec/p/x")
    assert writing.compose(
        made.press, digest, links, recipient="a@exemple.quebec", key="k", at=AT
    ).shown
