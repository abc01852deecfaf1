"""`alertes abonnements`: what staff do on the telephone is done once and recorded."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from alerts.tables import Letter, LetterState, Why
from base.audit import Audit
from base.clock import utc_now
from base.database import Database
from scripts.subscriptions import app
from subscriptions import sectors, wishes
from subscriptions.members import add_contact, add_member
from subscriptions.tables import Contact, Event, Origin, Via, What
from subscriptions.wishes import Wishes
from tests import coop

FIRST, SECOND = list(sectors.load())[:2]


@pytest.fixture
def contact(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """A subscriber, in the database that the command will open."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    with database.write() as session:
        member = add_member(session, "Coop fictive du Déneigement", at=utc_now())
        added = add_contact(session, member.id, "info@exemple.quebec", at=utc_now())
        asked = Wishes(frequency="weekly", sectors=(FIRST.slug,))
        wishes.subscribe(session, added.id, asked, origin=Origin.ROSTER.value, at=utc_now())
        return added.id


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


def rows(database: Database, contact: int) -> tuple[list[Wishes], list[str], list[str]]:
    with database.read() as session:
        history = wishes.history(session, contact)
        audits = session.scalars(select(Audit.action)).all()
    return [wishes.wishes_of(r) for r in history], [r.end_origin for r in history], list(audits)


def test_a_change_is_shown_and_recorded_as_staff(database: Database, contact: int) -> None:
    code, _ = run("modifier", "info@exemple.quebec", "--secteurs", SECOND.label.upper())
    asked, ends, audits = rows(database, contact)
    assert (code, asked[-1].sectors, ends) == (0, (SECOND.slug,), ["staff", ""])
    assert audits == ["abonnements modifier"]
    shown = run("voir", str(contact))[1]
    assert SECOND.label in shown
    assert "Consentement\u00a0: aucun" in shown


def test_words_kinds_and_days_are_set_and_emptied(database: Database, contact: int) -> None:
    words = ("--mots", 'paveuse, "bac roulant", de', "--mots-exclus", "piscine")
    code, said = run("modifier", "1", *words, "--genres", "biens,travaux", "--jours-restants", "9")
    assert code == 0
    assert "«\u00a0de\u00a0» est trop courant" in said
    assert "«\u00a0paveuse" not in said
    asked = rows(database, contact)[0][-1]
    assert asked.own_words == ("paveuse", '"bac roulant"', "de")
    assert (asked.excluded_words, asked.categories) == (("piscine",), ("goods", "works"))
    assert asked.minimum_days_left == 9
    assert "genres\u00a0: biens et travaux; encore 9\u00a0jours" in run("voir", "1")[1]
    assert run("modifier", "1", "--mots", "", "--genres", "", "--jours-restants", "0")[0] == 0
    asked = rows(database, contact)[0][-1]
    assert (asked.own_words, asked.categories, asked.minimum_days_left) == ((), (), 0)
    assert asked.excluded_words == ("piscine",)


@pytest.mark.parametrize(
    "words",
    [
        ("modifier", "1"),
        ("modifier", "1", "--secteurs", FIRST.slug[:-1]),
        ("modifier", "1", "--frequence", "parfois"),
        ("modifier", "1", "--genres", "biens,choses"),
        ("modifier", "1", "--jours-restants", "-1"),
        ("pause", "1", "--jusqu-au", "2001-01-01"),
        ("pause", "1", "--jusqu-au", "demain"),
        ("desabonner", "personne"),
    ],
    ids=["nothing", "unknown sector", "frequency", "kind", "days", "past", "no date", "nobody"],
)
def test_bad_words_change_nothing(database: Database, contact: int, words: tuple[str, ...]) -> None:
    assert run(*words)[0] in {1, 2}
    assert len(rows(database, contact)[0]) == 1


def test_leaving_asks_unless_told_and_happens_once(database: Database, contact: int) -> None:
    assert run("desabonner", "1")[0] == 1
    assert rows(database, contact)[1] == [""]
    assert [run("desabonner", "1", "--oui")[0] for _ in range(2)] == [0, 0]
    assert rows(database, contact)[1:] == (["staff"], ["abonnements desabonner"])


def test_leaving_withdraws_what_is_waiting_and_leaves_its_trace(
    database: Database, contact: int
) -> None:
    with database.write() as session:
        coop.letter(session, session.get_one(Contact, contact))
    assert run("desabonner", "1", "--oui")[0] == 0
    with database.read() as session:
        (letter,) = session.scalars(select(Letter))
        (event,) = session.scalars(select(Event))
    assert (letter.state, letter.why) == (LetterState.WITHDRAWN, Why.SUBSCRIPTION)
    assert (event.what, event.via) == (What.LEFT, Via.STAFF)


def test_a_pause_is_30_days_by_default(database: Database, contact: int) -> None:
    assert run("pause", "1")[0] == 0
    until = rows(database, contact)[0][-1].paused_until
    assert until is not None
    assert 29 <= (until - utc_now()).days <= 30
