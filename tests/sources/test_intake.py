"""Releases become tenders and revisions: once, in order, and only what was open."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from base.database import Database
from sources import places, seao
from sources.intake import Counts, take_in
from sources.release import Release, Status
from sources.tables import Reading, Revision
from sources.tenders import backlog_at, by_number, open_at
from tests.packages import SEPTEMBER, SNOW, closing, package, release

#: Monday 21 September 2026, noon in Québec.
AT = datetime(2026, 9, 21, 16, tzinfo=UTC)
LATER = AT + timedelta(days=7)
WEEK_LATER = "20260921120000"


def taken_in(session: Session, document: bytes, at: datetime = AT) -> Counts:
    reading = Reading(source="seao", at=at, address="essai.json")
    session.add(reading)
    session.flush()
    results = list(seao.read(document))
    return take_in(session, reading, results, directory=places.load(), at=at)


def revisions(session: Session) -> list[Revision]:
    return list(session.scalars(select(Revision).order_by(Revision.tender_id, Revision.number)))


def updated(**changes: Any) -> dict[str, Any]:
    """The same call a week later: an honest edit of the real release."""
    return release(**{"id": WEEK_LATER, "tag": ["tenderUpdate"], **changes})


def test_the_september_excerpt_brings_ten_calls(database: Database) -> None:
    with database.write() as session:
        counts = taken_in(session, SEPTEMBER.read_bytes())
        assert counts == Counts(releases=23, open=10, new=10, passed_over=13)
        assert len(open_at(session, AT)) == 10


def test_a_tender_row_says_what_the_latest_revision_says(database: Database) -> None:
    with database.write() as session:
        taken_in(session, package(release()))
    with database.read() as session:
        ((tender, revision),) = by_number(session, "20169865")
        assert (tender.ocid, tender.visibility, tender.latest) == (SNOW, "public", 1)
        assert tender.cluster_id == tender.id
        assert tender.first_seen_at == revision.seen_at == AT
        assert tender.closes_at == revision.closes_at == datetime(2026, 9, 28, 15, tzinfo=UTC)
        assert (revision.municipality, revision.region) == ("Saint-Sylvère", "Centre-du-Québec")
        assert revision.place_basis == "name"
        assert revision.items[0] == {"code": "SEAO:S14", "label": "Services publics"}


def test_taking_the_same_in_again_stores_nothing(database: Database) -> None:
    with database.write() as session:
        taken_in(session, SEPTEMBER.read_bytes())
    with database.write() as session:
        counts = taken_in(session, SEPTEMBER.read_bytes())
        assert counts == Counts(releases=23, open=10, passed_over=13)
        assert session.scalar(select(func.count()).select_from(Revision)) == 10


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"tender_tenderPeriod": closing("2026-10-02T11:00:00-04:00")}, id="later"),
        pytest.param({"tender_tenderPeriod": closing("2026-09-25T11:00:00-04:00")}, id="earlier"),
        pytest.param({"tender_title": "Déneigement du rang 8"}, id="title"),
        pytest.param({"buyer": {"name": "MRC de Bécancour"}}, id="buyer and place"),
        pytest.param({"tender_documents": [{"title": "Addenda 1"}]}, id="document"),
    ],
)
def test_a_material_change_is_an_amendment(database: Database, changes: dict[str, Any]) -> None:
    with database.write() as session:
        taken_in(session, package(release()))
        counts = taken_in(session, package(updated(**changes)))
        assert counts == Counts(releases=1, open=1, amended=1)
        first, second = revisions(session)
        assert (first.number, second.number) == (1, 2)
        assert first.material_hash != second.material_hash
        assert first.release_id == "20260914120024"


@pytest.mark.parametrize(
    "title",
    [
        pytest.param(
            "Contrat de déneigement et l’entretien d’hiver du réseau routier "
            "de la municipalité de Saint-Sylvère",
            id="as published",
        ),
        pytest.param(
            "CONTRAT DE DENEIGEMENT ET L'ENTRETIEN D'HIVER  DU RESEAU ROUTIER, "
            "DE LA MUNICIPALITE DE SAINT SYLVERE.",
            id="capitals without accents",
        ),
    ],
)
def test_other_typography_is_a_revision_and_no_amendment(database: Database, title: str) -> None:
    with database.write() as session:
        taken_in(session, package(release()))
        assert taken_in(session, package(updated(tender_title=title))) == Counts(releases=1, open=1)
        first, second = revisions(session)
        assert first.material_hash == second.material_hash
        assert (second.title, second.number) == (title.replace("  ", " "), 2)


def test_two_revisions_in_one_file_keep_their_order_whatever_theirs_in_it(
    database: Database,
) -> None:
    later = updated(tender_tenderPeriod=closing("2026-10-02T11:00:00-04:00"))
    with database.write() as session:
        counts = taken_in(session, package(later, release()))
        assert counts == Counts(releases=2, open=2, new=1, amended=1)
        assert [one.release_id for one in revisions(session)] == ["20260914120024", WEEK_LATER]
        ((tender, latest),) = by_number(session, "20169865")
        assert (tender.latest, latest.release_id) == (2, WEEK_LATER)
        assert tender.closes_at == datetime(2026, 10, 2, 15, tzinfo=UTC)


def test_a_release_older_than_what_is_known_is_passed_over(database: Database) -> None:
    with database.write() as session:
        taken_in(session, package(updated(tender_title="Le dernier titre")))
        assert taken_in(session, package(release())) == Counts(releases=1, passed_over=1)
        (only,) = revisions(session)
        assert only.title == "Le dernier titre"


def test_the_date_of_first_publication_orders_nothing(database: Database) -> None:
    with database.write() as session:
        taken_in(session, package(release()))
        changed = updated(date="2026-09-01T08:00:00-04:00", tender_title="Autre titre")
        assert taken_in(session, package(changed)).amended == 1


CANCELLED = {"id": WEEK_LATER, "tag": ["tenderCancellation"], "tender_status": "cancelled"}


def test_the_cancellation_of_a_known_call_is_a_revision(database: Database) -> None:
    ended = release(**CANCELLED, tender_tenderPeriod=closing("2026-09-21T08:00:00-04:00"))
    with database.write() as session:
        taken_in(session, package(release()))
        assert taken_in(session, package(ended)) == Counts(releases=1, cancelled=1)
        ((tender, latest),) = by_number(session, "20169865")
        assert tender.status == latest.status == Status.CANCELLED
        assert open_at(session, AT) == []
        assert taken_in(session, package(ended)) == Counts(releases=1, passed_over=1)


def test_the_cancellation_of_an_unknown_call_is_passed_over(database: Database) -> None:
    with database.write() as session:
        assert taken_in(session, package(release(**CANCELLED))) == Counts(releases=1, passed_over=1)
        assert revisions(session) == []


def test_a_call_that_is_open_again_is_an_amendment(database: Database) -> None:
    with database.write() as session:
        taken_in(session, package(release()))
        taken_in(session, package(release(**CANCELLED)))
        again = taken_in(session, package(updated(id="20260922120000")))
        assert again == Counts(releases=1, open=1, amended=1)
        assert len(open_at(session, AT)) == 1


def test_an_update_of_an_unknown_open_call_is_new(database: Database) -> None:
    with database.write() as session:
        counts = taken_in(session, package(updated()))
        assert counts == Counts(releases=1, open=1, new=1)


@pytest.mark.parametrize(
    ("at", "new"),
    [
        pytest.param(datetime(2026, 9, 28, 14, 59, 59, tzinfo=UTC), 1, id="a second before"),
        pytest.param(datetime(2026, 9, 28, 15, tzinfo=UTC), 0, id="at the closing moment"),
        pytest.param(datetime(2026, 9, 29, tzinfo=UTC), 0, id="after"),
    ],
)
def test_a_call_that_has_closed_is_not_taken_in(database: Database, at: datetime, new: int) -> None:
    with database.write() as session:
        counts = taken_in(session, package(release()), at)
        assert counts == Counts(releases=1, open=new, new=new, passed_over=1 - new)


def test_a_known_call_that_has_closed_still_gets_its_revision(database: Database) -> None:
    with database.write() as session:
        taken_in(session, package(release()))
        counts = taken_in(session, package(updated(tender_title="Autre")), LATER)
        assert counts == Counts(releases=1, amended=1)
        assert [one.seen_at for one in revisions(session)] == [AT, LATER]


def test_a_call_without_closing_moment_is_open(database: Database) -> None:
    with database.write() as session:
        document = package(release(tender_tenderPeriod=None))
        assert taken_in(session, document, LATER).new == 1
        assert len(open_at(session, LATER)) == 1


def test_ids_that_differ_by_case_are_two_calls(database: Database) -> None:
    with database.write() as session:
        assert taken_in(session, package(release(), release(ocid=SNOW.upper()))).new == 2


def test_the_longest_texts_of_a_source_fit_the_rows(database: Database) -> None:
    long = "é" * 100_000
    made = release(
        ocid="o" * 255,
        buyer={"name": long, "id": long},
        tender_id=long,
        tender_title=long,
        tender_description=long,
        tender_procurementMethodDetails=long,
        tender_items=[{"classification": {"scheme": long, "id": long, "description": long}}],
        tender_documents=[{"url": "https://exemple.quebec/" + "a" * 2025}, {"title": long}],
    )
    with database.write() as session:
        assert taken_in(session, package(made)).new == 1


def test_counts_add_up() -> None:
    added = Counts(releases=2, open=1, faults=1) + Counts(releases=3, passed_over=3)
    assert added == Counts(releases=5, open=1, passed_over=3, faults=1)
    assert list(asdict(added)) == [
        "releases",
        "open",
        "new",
        "backlog",
        "amended",
        "cancelled",
        "withdrawn",
        "conflicting",
        "passed_over",
        "faults",
    ]


def test_a_closing_moment_that_is_carried_no_more_is_absent_and_still_ends_the_call(
    database: Database,
) -> None:
    gone = updated(tender_tenderPeriod=closing(None))
    with database.write() as session:
        taken_in(session, package(release()))
        assert taken_in(session, package(gone)) == Counts(releases=1, open=1)
        ((tender, latest),) = by_number(session, "20169865")
        assert latest.closes_at is None
        assert tender.closes_at == datetime(2026, 9, 28, 15, tzinfo=UTC)
        assert open_at(session, LATER) == []


OTHER_TITLE = {"tender_title": "Déneigement du rang 8"}


def test_two_contents_under_one_release_id_are_both_kept_in_the_order_of_reading(
    database: Database,
) -> None:
    with database.write() as session:
        taken_in(session, package(release()))
        counts = taken_in(session, package(release(**OTHER_TITLE)))
        assert counts == Counts(releases=1, open=1, conflicting=1)
        first, second = revisions(session)
        assert (first.conflicting, second.conflicting) == (False, True)
        assert (first.release_id, first.number + 1) == (second.release_id, second.number)
        assert second.title == "Déneigement du rang 8"


def test_either_content_of_a_conflict_met_again_changes_nothing(database: Database) -> None:
    with database.write() as session:
        taken_in(session, package(release(), release(**OTHER_TITLE)))
        for changes in ({}, OTHER_TITLE, {}):
            again = taken_in(session, package(release(**changes)))
            assert again == Counts(releases=1, open=1)
        assert len(revisions(session)) == 2


def test_a_later_release_ends_a_conflict(database: Database) -> None:
    with database.write() as session:
        taken_in(session, package(release(), release(**OTHER_TITLE)))
        assert taken_in(session, package(updated(**OTHER_TITLE))) == Counts(releases=1, open=1)
        assert [one.conflicting for one in revisions(session)] == [False, True, False]


def test_a_place_that_moved_with_our_directory_is_no_conflict(database: Database) -> None:
    with database.write() as session:
        taken_in(session, package(release()))
        session.execute(update(Revision).values(mrc="Une autre MRC", material_hash="0" * 64))
        assert taken_in(session, package(release())) == Counts(releases=1, open=1)


@pytest.mark.parametrize(
    ("published", "closes", "kind"),
    [
        pytest.param("2026-08-24T08:00:00-04:00", "2026-09-23", "new", id="28 days old"),
        pytest.param("2026-08-20T08:00:00-04:00", "2026-09-23", "backlog", id="old, closes soon"),
        pytest.param("2026-08-20T08:00:00-04:00", "2026-09-26", "new", id="old, 5 days left"),
        pytest.param("2026-08-20T08:00:00-04:00", None, "backlog", id="old, no closing moment"),
        pytest.param(None, "2026-09-23", "new", id="age unknown"),
    ],
)
def test_history_goes_to_staff_unless_it_is_open_for_five_days(
    database: Database, published: str | None, closes: str | None, kind: str
) -> None:
    ends = closing(f"{closes}T14:00:00-04:00") if closes else None
    with database.write() as session:
        counts = taken_in(session, package(release(date=published, tender_tenderPeriod=ends)))
        assert (counts.new, counts.backlog) == (int(kind == "new"), int(kind == "backlog"))
        assert len(open_at(session, AT)) == int(kind == "new")
        assert len(backlog_at(session, AT)) == int(kind == "backlog")


def unordered(title: str = "Tonte de pelouse", **values: Any) -> Release:
    """A release of a source that orders nothing, such as a feed."""
    found = next(r for r in seao.read(package(release())) if isinstance(r, Release))
    return replace(found, release_id="", title=title, **values)


def test_what_a_source_does_not_order_is_ordered_by_reading(database: Database) -> None:
    with database.write() as session:
        reading = Reading(source="essai", at=AT, address="essai.xml")
        session.add(reading)
        session.flush()

        def take(*releases: Release) -> Counts:
            return take_in(session, reading, releases, directory=places.load(), at=AT)

        assert take(unordered()).new == 1
        assert take(unordered()) == Counts(releases=1, open=1)
        assert take(unordered("Tonte de pelouses et taille")).amended == 1
        assert take(unordered("TONTE DE PELOUSES ET TAILLE")) == Counts(releases=1, open=1)
        assert [one.title for one in revisions(session)] == [
            "Tonte de pelouse",
            "Tonte de pelouses et taille",
        ]


def test_of_two_unordered_releases_in_one_document_the_last_one_counts(database: Database) -> None:
    with database.write() as session:
        reading = Reading(source="essai", at=AT, address="essai.xml")
        session.add(reading)
        session.flush()
        for _ in range(2):
            both = [unordered("Un titre"), unordered("Un autre")]
            counts = take_in(session, reading, both, directory=places.load(), at=AT)
            assert counts.passed_over == 1
        (only,) = revisions(session)
        assert only.title == "Un autre"
