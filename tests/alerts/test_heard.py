"""Asked of the open calls only, the ledger says the same of them as when it is read whole."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import ledger
from alerts.calls import OpenCalls
from alerts.digest import Reason
from alerts.ledger import Heard
from alerts.tables import Told, ToldBefore, ToldState
from base.database import Database
from sources import clusters, tenders
from sources.same_call import Basis
from sources.tables import Revision, Tender
from subscriptions.tables import Contact
from tests.coop import AT, DESK, entitled, letter, tender, told

WORLDS, CALLS, STEPS = 8, 10, 24


def _present(session: Session, ids: Iterable[int]) -> dict[int, int]:
    """The clusters of those tenders."""
    rows = session.execute(select(Tender.id, Tender.cluster_id).where(Tender.id.in_(ids))).all()
    return {tender_id: cluster_id or tender_id for tender_id, cluster_id in sorted(rows)}


def _step(
    session: Session, chosen: Random, contact: Contact, ids: list[int], *, apart: bool
) -> None:
    """A tender is told of, or two clusters become one, or staff take one tender out."""
    (one, its), (_, others) = chosen.sample([*_present(session, ids).items()], 2)
    drawn = chosen.random()
    if drawn < 0.05 and apart:
        clusters.separate(session, one)
    elif drawn < 0.35 and its != others:
        row = clusters._Row(one, its, seen=None)  # type: ignore[arg-type]
        clusters._merge(session, row, others, Basis.OCID)
    elif its not in session.scalars(select(Told.cluster_id)).all():
        revision = session.scalars(select(Revision).where(Revision.tender_id == one)).one()
        made = letter(session, contact, label=f"{one} {its}")
        told(session, made, revision, its).state = chosen.choice(list(ToldState))
    session.flush()
    session.expire_all()


def _of(heard: Heard, asked: Iterable[int]) -> tuple[set[int], set[int]]:
    return heard.settled.intersection(asked), heard.uncertain.intersection(asked)


@pytest.mark.parametrize("apart", [False, True], ids=["joined", "joined and separated"])
def test_whatever_became_of_a_cluster_what_was_told_of_its_calls_is_known(
    database: Database, *, apart: bool
) -> None:
    renamed = 0
    with database.write() as session:
        for world in range(WORLDS):
            chosen = Random(world)  # noqa: S311, no secret
            contact = entitled(session, f"anne{world}")
            made = [tender(session, f"{world}{number}")[0].id for number in range(CALLS)]
            for _ in range(STEPS):
                _step(session, chosen, contact, made, apart=apart)
                whole = ledger.heard(session, [contact.id])[contact.id]
                for cluster_id in {*_present(session, made).values()}:
                    asked = [cluster_id]
                    part = ledger.heard(session, [contact.id], asked).get(contact.id, Heard())
                    assert _of(part, asked) == _of(whole, asked), (world, cluster_id)
                    renamed += part.settled > set(asked)
    # Told under another name than the call has now.
    assert renamed > 50


@pytest.mark.parametrize("taken", [0, 1], ids=["its oldest", "what was told"])
def test_what_was_told_before_staff_took_a_tender_out_is_known(
    database: Database, taken: int
) -> None:
    """Told of the second of three, under the name that the cluster has of the first."""
    with database.write() as session:
        contact = entitled(session, "anne")
        three = [tender(session, number) for number in ("20160001", "20160002", "20160003")]
        for one, _ in three:
            one.cluster_id = three[0][0].id
        told(session, letter(session, contact), three[1][1], three[0][0].id)
        assert clusters.separate(session, three[taken][0].id)
        session.flush()
        now = three[1][0].cluster_id
        assert now == three[1][0].id
        assert now in ledger.heard(session, [contact.id], [now])[contact.id].settled


def test_what_was_told_of_other_calls_is_not_read(database: Database) -> None:
    with database.write() as session:
        contact = entitled(session, "anne")
        for number in ("20160001", "20160002", "20160003"):
            one, revision = tender(session, number)
            told(session, letter(session, contact, number), revision, one.id)
        assert ledger.heard(session, [contact.id])[contact.id].settled == {1, 2, 3}
        assert ledger.heard(session, [contact.id], [2])[contact.id].settled == {2}
        assert ledger.heard(session, [contact.id], []) == {}


def _calls(session: Session) -> OpenCalls:
    return DESK.calls(tenders.open_at(session, AT), at=AT)


def test_what_is_reserved_is_written_as_it_was_said(database: Database) -> None:
    said = 'Dé\\neige"ment « d’œuvre » [1] 🏗\u00a0; \u2028'
    with database.write() as session:
        contact = entitled(session, "anne")
        tender(session, "20160001", closes_at=None)
        tender(session, "20160002", closes_at=AT)
        session.flush()
        calls = DESK.calls(session.execute(select(Tender, Revision).join(Revision)), at=AT)  # type: ignore[arg-type]
        notices = [
            one.notice((Reason("deneigement", "", said), Reason("", "", "")))
            for one in calls.by_cluster.values()
        ]
        of = letter(session, contact)
        assert ledger.reserve(session, [(of.id, contact.id, notices)], at=AT) == 2
        assert ledger.reserve(session, [(of.id, contact.id, notices)], at=AT) == 0
    with database.read() as session:
        rows = session.scalars(select(Told).order_by(Told.cluster_id)).all()
        for row in rows:
            assert row.reasons == [
                {"sector": "deneigement", "evidence": said},
                {"sector": "", "evidence": ""},
            ]
            assert (row.state, row.at, row.relisted) == (ToldState.RESERVED, AT, False)
            assert (row.kind, row.occasion, row.letter_id) == ("new", "-", of.id)
        assert [row.closes_at for row in rows] == [None, AT]
        # Moments are found by what they are compared with, not only by what they are read as.
        assert session.scalars(select(Told.id).where(Told.closes_at == AT, Told.at == AT)).all()


def test_of_what_came_back_to_several_each_letter_keeps_its_own(database: Database) -> None:
    """What came back to another contact of the batch, or of another call, is not this one's."""
    with database.write() as session:
        first, second = entitled(session, "anne"), entitled(session, "luc")
        given = [tender(session, number) for number in ("20160001", "20160002")]
        befores = {}
        for contact, (one, revision) in ((first, given[0]), (second, given[1])):
            before = befores[contact.id] = letter(session, contact, "avant")
            before.state = "accepted"
            told(session, before, revision, one.id).state = ToldState.CONFIRMED
        session.flush()
        ledger.came_back(session, [one.id for one in befores.values()])
        now = [letter(session, contact, "encore") for contact in (first, second)]
        calls = _calls(session).by_cluster
        everything = [calls[one.id].notice(()) for one, _ in given]
        # The second is told of one call only, and it is not the one that came back to it.
        carried = [
            (now[0].id, first.id, everything),
            (now[1].id, second.id, [calls[given[0][0].id].notice(())]),
        ]
        assert ledger.reserve(session, carried, at=AT) == 3
    with database.read() as session:
        kept = session.execute(select(ToldBefore.letter_id, ToldBefore.cluster_id)).all()
        assert [tuple(row) for row in kept] == [(befores[first.id].id, given[0][0].id)]
