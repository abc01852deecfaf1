"""One call of several sources in letters and ledger; near misses as editions keep them."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import calls, editions, ledger, near_misses
from alerts.matching import Lacked, NearMiss
from alerts.near_misses import MOST, Missed
from alerts.poison import Poison
from alerts.tables import Kind, Letter, LetterState, NearMissed, Told
from base.database import Database
from sources.tables import Revision, Tender
from subscriptions import wishes
from tests.coop import AT, CATALOGUE, DESK, entitled, tender

WEEK = timedelta(days=7)
FEED = "https://ville.exemple/avis/7"


def _twice(session: Session) -> tuple[Tender, Tender]:
    """One call on SEAO and in a municipality's feed, which closes it a day earlier."""
    official, _ = tender(session, closes_at=AT + 2 * WEEK)
    post, revision = tender(session, "7", closes_at=AT + 2 * WEEK - timedelta(days=1))
    post.source, post.cluster_id = "ville", official.id
    revision.uri, revision.title = FEED, "AVIS PUBLIC"
    revision.description = "Damage de la patinoire du parc"
    session.flush()
    return official, post


def _written(database: Database, at: object = AT) -> None:
    with database.write() as session:
        editions.open_due(session, at)  # type: ignore[arg-type]
    editions.write_open(database, DESK, at=at)  # type: ignore[arg-type]


def _bodies(letter: Letter) -> list[str]:
    parsed = email.message_from_bytes(letter.content or b"", policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return [part.get_content() for part in parsed.iter_parts()]  # type: ignore[attr-defined]


def test_two_sources_are_one_notice_with_both_links(database: Database) -> None:
    with database.write() as session:
        _twice(session)
        entitled(session, "anne")
    _written(database)
    with database.read() as session:
        letter = session.scalars(select(Letter)).one()
    assert letter.notices == 1
    for body in _bodies(letter):
        assert "ItemId=1" in body
        assert FEED in body
        assert "AVIS PUBLIC" not in body
        assert "lundi 5\u00a0octobre" not in body
        assert "dimanche 4\u00a0octobre" in body


def test_what_a_second_source_adds_is_matched(database: Database) -> None:
    with database.write() as session:
        official, _ = _twice(session)
        entitled(session, "anne", sectors=[], own_words=["patinoire"])
    _written(database)
    with database.read() as session:
        assert session.scalars(select(Told.cluster_id)).all() == [official.id]


def test_what_was_told_under_its_own_cluster_is_not_told_again(database: Database) -> None:
    with database.write() as session:
        official, post = _twice(session)
        post.cluster_id = post.id
        revision = session.scalars(select(Revision).where(Revision.tender_id == post.id)).one()
        revision.title = "Déneigement de stationnements"
        official.closes_at = AT - WEEK
        entitled(session, "anne")
    _written(database)
    with database.write() as session:
        told = session.scalars(select(Told)).one()
        assert told.cluster_id == post.id
        session.get_one(Letter, told.letter_id).state = LetterState.ACCEPTED
        ledger.confirm(session, [told.letter_id])
        session.get_one(Tender, official.id).closes_at = AT + 2 * WEEK
        session.get_one(Tender, post.id).cluster_id = official.id
    with database.read() as session:
        assert ledger.heard(session, [1])[1].settled == {official.id, post.id}
    _written(database, AT + WEEK)
    with database.read() as session:
        # SEAO closes it a day later than the feed that was read: that is told, and nothing else.
        kinds = session.scalars(select(Told.kind).order_by(Told.id)).all()
    assert kinds == [Kind.NEW, Kind.CHANGE]


def test_the_calls_of_a_cluster_are_one_whatever_their_order(database: Database) -> None:
    with database.write() as session:
        _twice(session)
        rows = session.execute(select(Tender, Revision).join(Revision)).all()
        pairs = [(one, revision) for one, revision in rows]
        (there,) = calls.open_calls(pairs, DESK.lexicon, Poison(), at=AT).by_cluster.values()
        (back,) = calls.open_calls(pairs[::-1], DESK.lexicon, Poison(), at=AT).by_cluster.values()
        assert there == back
        assert there.tender.source == "seao"


@pytest.mark.parametrize(
    ("basis", "delivery", "shown", "to_check"),
    [
        ("to check", ["Longueuil"], "Longueuil", False),
        ("to check", ["Gatineau", "Canada"], "Gatineau, Canada", True),
        ("to check", ["Canada " * 20], "Trois-Rivières", True),
        ("to check", [], "Trois-Rivières", True),
        ("name", ["Longueuil"], "Trois-Rivières", False),
    ],
)
def test_a_letter_shows_where_it_delivers_for_a_buyer_of_everywhere(
    database: Database, basis: str, delivery: list[str], shown: str, *, to_check: bool
) -> None:
    with database.write() as session:
        values = {"municipality": "Trois-Rivières", "place_basis": basis}
        one = tender(session, delivery_regions=delivery, **values)
        notice = calls.call(1, [one], DESK.lexicon).notice(())
    assert (notice.place, notice.place_to_check) == (shown, to_check)


def test_an_edition_keeps_near_misses_and_writes_them_once(database: Database) -> None:
    with database.write() as session:
        tender(session, closes_at=AT + 3 * WEEK)
        entitled(session, "anne", excluded_words=["stationnements"])
        entitled(session, "luc", sectors=["buanderie-textile"])
    _written(database)
    _written(database, AT + WEEK)
    with database.read() as session:
        kept = session.scalars(select(NearMissed)).one()
    assert (kept.contact_id, kept.lacked, kept.detail) == (
        1,
        Lacked.EXCLUDED_WORD,
        "stationnements",
    )
    assert kept.at == AT
    assert kept.score >= 0.6


def test_a_near_miss_says_what_lacks_now(database: Database) -> None:
    with database.write() as session:
        tender(session, closes_at=AT + 3 * WEEK)
        contact = entitled(session, "anne", excluded_words=["stationnements"])
    _written(database)
    with database.write() as session:
        asked = wishes.wishes_of(wishes.live(session, contact.id))  # type: ignore[arg-type]
        asked = replace(asked, excluded_words=(), categories=("works",))
        wishes.change(session, contact.id, asked, origin="staff", at=AT + timedelta(days=1))
    _written(database, AT + WEEK)
    with database.read() as session:
        kept = session.scalars(select(NearMissed)).one()
    assert (kept.lacked, kept.detail, kept.at) == (Lacked.CATEGORY, "services", AT + WEEK)


def test_the_best_of_each_kind_are_kept_and_the_far_are_not() -> None:
    def missed(number: int, lacked: Lacked, score: float) -> Missed:
        return Missed(1, number, NearMiss(lacked, "", score))

    found = [missed(n, Lacked.TERRITORY, n / 100) for n in range(100)]
    found += [missed(200, Lacked.SECTOR, 0.3), missed(201, Lacked.SECTOR, 0.0)]
    best = near_misses.best(found)
    assert [one.revision_id for one in best] == [99, 98, 97, 200]
    assert MOST == 3


def test_a_sector_that_left_the_catalogue_finds_nothing(database: Database) -> None:
    assert CATALOGUE.find("secteur-disparu") is None
    with database.write() as session:
        tender(session)
        entitled(session, "anne", sectors=["secteur-disparu"])
    _written(database)
    with database.read() as session:
        assert session.scalars(select(Letter)).all() == []
