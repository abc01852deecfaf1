"""The same call in two sources is one, and two calls of one buyer stay two."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from base.database import Database
from sources import clusters, places, titles
from sources.intake import take_in
from sources.release import Release, Status
from sources.same_call import Basis, Seen, same_call
from sources.stored import RESERVED
from sources.tables import Reading, Tender
from tests.variants import CLOSES_AT, elsewhere, notices, pairs, strangers

AT = datetime(2026, 9, 21, 10, tzinfo=UTC)
ITEM = "https://seao.gouv.qc.ca/avis-resultat-recherche/consulter?ItemId={}-e6b3-40ac-8975-72ca4a6f408e"
CALL = Seen(
    source="seao",
    ocid="ocds-ec9k95-20169865",
    number="20169865",
    reference="2026-07",
    title="Réfection de la rue Principale – lot 1",
    buyer="Ville de Saint-Jérôme.",
    closes_at=CLOSES_AT,
    text=ITEM.format("075d22e0"),
)
POST = elsewhere(CALL)
#: Calls that a buyer published again, months or years apart, under the same words.
AGAIN = {
    frozenset(pair)
    for pair in (
        ("1174869", "1087492"), ("1174869", "1087724"), ("1174869", "1138428"),
        ("1247751", "1247033"), ("1247033", "1251855"), ("1247751", "1251855"),
        ("1107131", "20043798"), ("1367154", "1366656"),
    )
}  # fmt: skip


def test_no_two_real_notices_of_a_buyer_are_one() -> None:
    looked_at = 0
    for one, other in strangers():
        looked_at += 1
        assert same_call(one, other) is None, (one, other)
    assert looked_at > 50_000


def test_even_closing_at_one_moment_only_the_same_words_are_one() -> None:
    merged = set()
    for one, other in strangers(closes_at=CLOSES_AT):
        if same_call(one, other):
            assert titles.title(one.title).words == titles.title(other.title).words, (one, other)
            if one.title.casefold().split() != other.title.casefold().split():
                merged.add(frozenset({one.number, other.ocid.rpartition("=")[2]}))
    assert merged == AGAIN


def test_pairs_with_noted_changes_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    found: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for pair in pairs():
        change = pair.changes[0] if len(pair.changes) == 1 else "two changes"
        asked[change] += 1
        found[change] += same_call(pair.one, pair.other) is not None
    shares = {change: found[change] / asked[change] for change in asked}
    with capsys.disabled():
        print(f"\nsame call found: {found.total()} of {asked.total()}", end=" ")
    assert shares["number in text"] == 1
    assert shares["capitals"] == shares["no accents"] == shares["abbreviations"] == 1
    assert found.total() / asked.total() >= 0.90


@pytest.mark.parametrize(
    ("change", "basis"),
    [
        ({}, Basis.TITLE),
        ({"title": "RÉFECTION DE LA RUE PRINCIPALE (LOT 1)", "buyer": "St-Jérôme"}, Basis.TITLE),
        ({"title": "Appel d’offres 2026-07 : réfection, rue Principale, lot I"}, Basis.TITLE),
        ({"title": "Réfection de la rue Principale – lot 2"}, None),
        ({"title": "Réfection de la rue Principale – lots 1 et 2"}, None),
        ({"title": "Réfection de la rue Principale"}, None),
        ({"title": "Réfection de la rue Saint-Jean – lot 1"}, None),
        ({"title": "Services professionnels, réfection de la rue Principale – lot 1"}, None),
        ({"buyer": "Ville de Sainte-Sophie"}, None),
        ({"buyer": "MRC de Saint-Jérôme"}, None),
        ({"buyer": ""}, None),
        ({"title": ""}, None),
        ({"closes_at": None}, None),
        ({"closes_at": CLOSES_AT + timedelta(days=7)}, Basis.TITLE),
        ({"closes_at": CLOSES_AT + timedelta(days=8)}, None),
        ({"reference": "2026-07"}, Basis.TITLE),
        ({"reference": "2026-0008"}, None),
        ({"title": "Avis", "text": "Sur le SEAO : 20169865"}, Basis.NUMBER),
        ({"title": "Avis", "text": f"Voir {ITEM.format('075D22E0')}"}, Basis.NUMBER),
        ({"text": f"Voir {ITEM.format('175d22e0')}"}, None),
        ({"text": "Sur le SEAO : 20169866"}, None),
        ({"text": "Sur le SEAO : 20169865 et 20169866"}, Basis.NUMBER),
        ({"title": "Avis", "text": "Sur le SEAO : 20169865 et 20169866"}, None),
        ({"title": "Avis", "text": "Téléphone 20169865"}, None),
        ({"text": "Sur le SEAO depuis le 20260914"}, Basis.TITLE),
        ({"text": "SEAO 20169865", "closes_at": CLOSES_AT - timedelta(days=90)}, None),
        ({"source": "seao"}, None),
        ({"ocid": "OCDS-EC9K95-20169865", "number": "20169865"}, Basis.OCID),
        ({"ocid": "ocds-ec9k95-20169866", "number": "20169866"}, None),
    ],
)  # fmt: skip
def test_what_says_that_it_is_the_same(change: dict[str, object], basis: Basis | None) -> None:
    other = replace(POST, **change)  # type: ignore[arg-type]
    assert same_call(CALL, other) is basis
    assert same_call(other, CALL) is basis


def test_a_short_title_needs_the_same_moment() -> None:
    short = replace(CALL, title="Assurances")
    assert same_call(short, replace(elsewhere(short))) is Basis.TITLE
    later = replace(elsewhere(short), closes_at=CLOSES_AT + timedelta(hours=1))
    assert same_call(short, later) is None


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(notices()))
def test_any_text_is_compared_both_ways_alike(title: str, buyer: str, notice: Seen) -> None:
    other = replace(elsewhere(notice), title=title, buyer=buyer, closes_at=CLOSES_AT)
    notice = replace(notice, closes_at=CLOSES_AT)
    assert same_call(notice, other) is same_call(other, notice)


def _release(notice: Seen, *, release_id: str = "20260914120024", **values: object) -> Release:
    plain = {
        "source": notice.source, "ocid": notice.ocid, "release_id": release_id,
        "published_at": None, "changed_at": None, "status": Status.ACTIVE, "title": notice.title,
        "buyer": notice.buyer, "buyer_id": "", "municipal": True, "locality": "",
        "postal_code": "", "reference": notice.reference, "number": notice.number,
        "category": None, "procurement_method_details": "", "closes_at": notice.closes_at,
        "items": (), "description": notice.text, "documents": (), "uri": "",
    }  # fmt: skip
    return Release(**{**plain, **values})  # type: ignore[arg-type]


def _read(database: Database, *found: Release) -> dict[str, tuple[int, str]]:
    """Take in what one source says; each tender's cluster and basis by ocid."""
    with database.write() as session:
        reading = Reading(source=found[0].source, at=AT, address="essai")
        session.add(reading)
        session.flush()
        take_in(session, reading, found, directory=places.load(), at=AT)
    with database.read() as session:
        rows = session.execute(select(Tender.ocid, Tender.cluster_id, Tender.cluster_basis))
        return {ocid: (cluster, basis) for ocid, cluster, basis in rows}


@pytest.mark.parametrize("first", [CALL, POST], ids=["SEAO first", "feed first"])
def test_the_second_source_joins_the_first(database: Database, first: Seen) -> None:
    second = POST if first is CALL else CALL
    before = _read(database, _release(first))
    after = _read(database, _release(second))
    assert after[first.ocid] == before[first.ocid]
    assert after[second.ocid] == (before[first.ocid][0], Basis.TITLE)
    assert _read(database, _release(second)) == after


def test_a_call_that_could_be_two_is_neither(database: Database) -> None:
    twin = replace(CALL, ocid="ocds-ec9k95-20169866", number="20169866", reference="", text="")
    call = replace(CALL, reference="", text="")
    found = _read(database, _release(call), _release(twin))
    found = _read(database, _release(POST))
    assert len({cluster for cluster, _ in found.values()}) == 3


def test_two_calls_of_one_source_never_meet_in_a_third(database: Database) -> None:
    twin = replace(CALL, ocid="ocds-ec9k95-20169866", number="20169866", reference="", text="")
    call = replace(CALL, reference="", text="")
    _read(database, _release(POST))
    found = _read(database, _release(call), _release(twin))
    assert len({cluster for cluster, _ in found.values()}) == 3


def test_the_second_of_two_calls_does_not_enter_where_the_first_is(database: Database) -> None:
    twin = replace(CALL, ocid="ocds-ec9k95-20169866", number="20169866", reference="", text="")
    _read(database, _release(POST))
    _read(database, _release(replace(CALL, reference="", text="")))
    found = _read(database, _release(twin))
    assert found[CALL.ocid][0] == found[POST.ocid][0] != found[twin.ocid][0]


def test_an_amendment_that_names_the_number_joins(database: Database) -> None:
    post = replace(POST, title="Avis public de la ville")
    _read(database, _release(CALL), _release(replace(CALL, ocid="ocds-ec9k95-1", number="1")))
    apart = _read(database, _release(post))
    assert apart[post.ocid][1] == ""
    named = _release(post, release_id="20260915120024", description="Numéro SEAO : 20169865")
    assert _read(database, named)[post.ocid] == (apart[CALL.ocid][0], Basis.NUMBER)


@pytest.mark.parametrize("reserved_first", [True, False])
def test_a_reserved_invitation_is_never_joined_with_a_public_call(
    database: Database, *, reserved_first: bool
) -> None:
    invitation = _release(replace(POST, source=RESERVED))
    for one in (invitation, _release(CALL))[:: 1 if reserved_first else -1]:
        found = _read(database, one)
    assert len({cluster for cluster, _ in found.values()}) == 2
    _read(database, replace(invitation, release_id="20260915120024", description="SEAO 20169865"))
    assert _read(database, _release(CALL)) == found


def test_what_staff_separate_stays_apart(database: Database) -> None:
    _read(database, _release(CALL))
    joined = _read(database, _release(POST))
    assert len({cluster for cluster, _ in joined.values()}) == 1
    with database.write() as session:
        first = session.scalars(select(Tender).order_by(Tender.id)).first()
        assert first is not None
        assert clusters.separate(session, first.id)
        assert not clusters.separate(session, first.id)
        assert not clusters.separate(session, 10**6)
    again = _release(POST, release_id="20260915120024", description="Numéro SEAO : 20169865")
    found = _read(database, again)
    assert found[CALL.ocid][0] != found[POST.ocid][0]
