"""What comes back acts on the letter that it proves, once, and on nothing else."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from alerts import returns
from alerts.answer_tables import Bounce
from alerts.bounces_dsn import ReturnKind
from alerts.callsheet import to_call
from alerts.hold_tables import Hold
from alerts.mailbox import Maildir
from alerts.returns import Reception
from alerts.tables import Letter, LetterState, Told, ToldState
from base.database import Database
from subscriptions.tables import Contact
from tests.coop import AT, entitled, letter
from tests.returned import (
    ANNE,
    DAY,
    LINKS,
    VERP,
    about,
    accepted,
    concerned,
    ledger,
    message,
    receive,
    reception_in,
    suppressed,
)


@pytest.fixture
def reception(tmp_path: Path) -> Reception:
    return reception_in(tmp_path / "retours")


def test_the_same_letter_s_bounces_count_once_however_many_come(
    database: Database, reception: Reception
) -> None:
    """F-39: duplicates, byte for byte or by another host."""
    with database.write() as session:
        one = accepted(session)
    assert receive(database, reception, about("ecrits/gmail", one)) == "hard"
    assert receive(database, reception, about("ecrits/gmail", one)) == "duplicate"
    assert receive(database, reception, about("ecrits/gmail", one, b"\n")) == "hard"
    assert receive(database, reception, about("ecrits/statut_en_base64", one)) == "hard"
    assert suppressed(database) == []
    assert ledger(database) == [ToldState.RELEASED]


@pytest.mark.parametrize(
    "order",
    [
        ("postfix/retardee", "ecrits/gmail", "ecrits/relaye"),
        ("ecrits/relaye", "ecrits/gmail", "postfix/retardee"),
        ("ecrits/gmail", "ecrits/gmail", "ecrits/relaye"),
    ],
)
def test_delayed_failed_and_delivered_end_the_same_in_any_order(
    database: Database, reception: Reception, order: tuple[str, ...]
) -> None:
    with database.write() as session:
        one = accepted(session)
    for name in order:
        receive(database, reception, about(name, one))
    assert suppressed(database) == []
    assert ledger(database) == [ToldState.RELEASED]


FAILED = ["ecrits/gmail", "postfix/pleine", "postfix/politique", "ecrits/trop_gros"]
NO_FAILURE = [
    "postfix/retardee",
    "postfix/relayee",
    "ecrits/absence",
    "ecrits/qmail",
    "ecrits/pourriel",
]


@pytest.mark.parametrize("name", FAILED)
def test_the_notices_of_a_letter_that_came_back_may_be_told_again(
    database: Database, reception: Reception, name: str
) -> None:
    with database.write() as session:
        one = accepted(session)
    receive(database, reception, about(name, one))
    assert ledger(database) == [ToldState.RELEASED]


@pytest.mark.parametrize("name", NO_FAILURE)
def test_what_says_no_failure_leaves_them_told(
    database: Database, reception: Reception, name: str
) -> None:
    with database.write() as session:
        one = accepted(session)
    receive(database, reception, about(name, one))
    assert ledger(database) == [ToldState.CONFIRMED]


def test_a_notice_told_again_since_is_not_given_back_by_an_old_bounce(
    database: Database, reception: Reception
) -> None:
    """B-137: a bounce that comes 90 days later."""
    with database.write() as session:
        one = accepted(session)
        later = letter(session, session.get_one(Contact, one.contact_id), "2026-W45")
        session.execute(update(Told).values(letter_id=later.id))
    receive(database, reception, about("ecrits/gmail", one), AT + 90 * DAY)
    assert ledger(database) == [ToldState.CONFIRMED]


FORGERIES = [
    pytest.param("ecrits/gmail", {"tag": "1-" + "a" * 26}, id="made-up signature"),
    pytest.param("ecrits/gmail", {"tag": "zzzzzz-" + "a" * 26}, id="letter beyond all"),
    pytest.param("ecrits/gmail", {"tag": "999-" + "a" * 26}, id="unknown letter"),
    pytest.param("ecrits/gmail", {}, id="no tag"),
    pytest.param("ecrits/plainte", {}, id="complaint without proof"),
    pytest.param("ecrits/plainte_sans_preuve", {}, id="only the address and the Message-ID"),
    pytest.param("ecrits/pourriel", {}, id="spam"),
]


@pytest.mark.parametrize(("name", "parts"), FORGERIES)
def test_a_forgery_changes_nothing_and_is_kept_for_a_person(
    database: Database, reception: Reception, name: str, parts: dict[str, str]
) -> None:
    with database.write() as session:
        one = accepted(session)
        accepted(session, label="2026-W40")
    for times in range(6):
        forged = message(name, message_id=one.message_id, **parts) + b"\n" * times
        receive(database, reception, forged, AT + times * 3 * DAY)
    assert suppressed(database) == []
    assert concerned(database) == []
    assert ledger(database) == [ToldState.CONFIRMED] * 2
    with database.read() as session:
        assert session.scalars(select(Bounce.proof)).all() == [""] * 6


def test_another_letter_s_signature_proves_nothing(
    database: Database, reception: Reception
) -> None:
    with database.write() as session:
        mine, hers = accepted(session, "luc"), accepted(session)
    mixed = VERP.tag(mine.id, mine.message_id).replace(f"{mine.id}-", f"{hers.id}-", 1)
    receive(database, reception, message("ecrits/plainte", tag=mixed))
    assert suppressed(database) == []


def test_a_complaint_suppresses_at_once_and_nobody_is_called(
    database: Database, reception: Reception
) -> None:
    with database.write() as session:
        one = accepted(session)
    receive(database, reception, about("ecrits/plainte", one))
    assert suppressed(database) == [(ANNE, "complaint")]
    assert concerned(database) == ["complaint"]
    with database.read() as session:
        assert to_call(session, at=AT) == []


@pytest.mark.parametrize("name", ["ecrits/plainte_caviardee", "ecrits/plainte_opt_out"])
def test_a_redacted_complaint_is_proven_by_the_link_in_the_letter(
    database: Database, reception: Reception, name: str
) -> None:
    with database.write() as session:
        one = accepted(session)
        owner = session.get_one(Contact, one.contact_id).public_id
    leave = LINKS.leave(owner, 1, AT)
    receive(database, reception, message(name, message_id=one.message_id, leave=leave))
    assert suppressed(database) == [(ANNE, "complaint")]


def test_another_contact_s_link_proves_nothing(database: Database, reception: Reception) -> None:
    with database.write() as session:
        one, other = accepted(session), entitled(session, "luc")
    leave = LINKS.leave(other.public_id, 1, AT)
    content = message("ecrits/plainte_caviardee", message_id=one.message_id, leave=leave)
    receive(database, reception, content)
    assert suppressed(database) == []


@pytest.mark.parametrize("name", ["postfix/politique", "ecrits/expediteur_refuse"])
def test_policy_never_suppresses_and_three_addresses_hold_everything(
    database: Database, reception: Reception, name: str
) -> None:
    with database.write() as session:
        ours = [accepted(session, f"membre{n}") for n in range(1, 4)]
        again = [accepted(session, "membre1", f"W{n}") for n in range(9)]
    for one in again:
        receive(database, reception, about(name, one))
    for one in ours[:2]:
        receive(database, reception, about(name, one))
    assert _holds(database) == []
    receive(database, reception, about(name, ours[2]))
    assert _holds(database) == ["policy"]
    assert concerned(database) == ["turned_away"]
    assert suppressed(database) == []


def _holds(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Hold.cause).where(Hold.lifted_at.is_(None))))


def test_what_comes_back_proves_that_an_uncertain_letter_wasaccepted(
    database: Database, reception: Reception
) -> None:
    with database.write() as session:
        one = accepted(session)
        one.state = LetterState.UNKNOWN
        session.execute(update(Told).values(state=ToldState.UNCERTAIN))
    receive(database, reception, about("ecrits/absence", one))
    with database.read() as session:
        assert session.get_one(Letter, one.id).state == LetterState.ACCEPTED
    assert ledger(database) == [ToldState.CONFIRMED]


def test_words_are_forgotten_after_30_days_and_what_was_of_no_letter_goes(
    database: Database, reception: Reception
) -> None:
    with database.write() as session:
        one = accepted(session)
    receive(database, reception, about("postfix/pleine", one))
    receive(database, reception, message("ecrits/pourriel"))
    with database.write() as session:
        returns.forget(session, at=AT + 30 * DAY)
        assert len(session.scalars(select(Bounce.words).where(Bounce.words != "")).all()) == 2
        returns.forget(session, at=AT + 31 * DAY)
        assert session.execute(select(Bounce.kind, Bounce.words)).all() == [(ReturnKind.SOFT, "")]


def test_a_visit_reads_each_message_once_and_leaves_it_there(
    database: Database, reception: Reception, tmp_path: Path
) -> None:
    with database.write() as session:
        one = accepted(session)
    (tmp_path / "retours/new/1.a").write_bytes(about("ecrits/gmail", one))
    (tmp_path / "retours/new/2.b").write_bytes(about("ecrits/gmail", one))
    (tmp_path / "retours/new/3.c").write_bytes(b"")
    counted = returns.take_in(database, reception, at=AT)
    assert counted == {"hard": 1, "duplicate": 1, "other": 1}
    assert returns.take_in(database, reception, at=AT) == {}
    kept = sorted(file.name for file in (tmp_path / "retours/cur").iterdir())
    assert kept == ["1.a:2,S", "2.b:2,S", "3.c:2,S"]


def test_a_mailbox_that_cannot_be_read_is_said_once_and_unsaid(
    database: Database, reception: Reception, tmp_path: Path
) -> None:
    absent = Reception(mailbox=Maildir(tmp_path / "ailleurs"), verp=VERP, links=LINKS)
    for _ in range(2):
        returns.visit(database, absent, at=AT)
    assert concerned(database) == ["returns_unreadable"]
    returns.visit(database, reception, at=AT)
    assert concerned(database) == []


def test_two_readers_at_once_take_each_message_once(
    database: Database, reception: Reception, tmp_path: Path
) -> None:
    with database.write() as session:
        letters = [accepted(session, f"membre{n}") for n in range(20)]
    for one in letters:
        file = tmp_path / "retours/new" / f"{one.id:03}.a"
        file.write_bytes(about("postfix/pleine", one))
    with ThreadPoolExecutor(3) as pool:
        visits = [pool.submit(returns.take_in, database, reception, at=AT) for _ in range(3)]
        counted = sum((visit.result() for visit in visits), Counter[str]())
    assert counted["soft"] == 20
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Bounce)) == 20
