"""Every contact and every notice of a small co-op: always an answer, and the right one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from alerts import editions, holds, ledger, outbox, outcomes
from alerts.classification import Facts, Lexicon, classify
from alerts.delivery import Outcome, Phase, Receipt
from alerts.explanation import (
    Because,
    Explanation,
    explain,
)
from alerts.inquiry import explained
from alerts.known import Asked, Kept, Known, LetterFacts, ToldFacts, Turn, Version
from alerts.matching import Lacked, NearMiss, Wanted
from alerts.outcomes import Settled
from alerts.tables import Edition, Letter, LetterState, Omission, Told, ToldState, Why
from base.clock import utc_now
from base.database import Database
from scripts.__main__ import application
from scripts.why_words import lines
from sources import places
from sources.intake import take_in
from sources.places import Place
from sources.release import Release, Status
from sources.tables import Reading, Tender
from subscriptions import sectors, suppressions, wishes
from subscriptions.tables import Consent, Contact, Membership
from tests.coop import AT, DESK, LONG_AGO, entitled
from tests.real import releases

CATALOGUE = sectors.load()
LEXICON = Lexicon.of(CATALOGUE)
SLUGS = [sector.slug for sector in CATALOGUE]
BEFORE, WEDNESDAY, FRIDAY = AT - timedelta(minutes=30), AT + timedelta(2), AT + timedelta(4)
MONDAY = AT + timedelta(7)
NOW = MONDAY + timedelta(hours=2)
#: Real calls that stay open, and others whose moments are changed for the story.
OPEN = tuple(r for r in releases() if r.status is Status.ACTIVE and r.closes_at > NOW)  # type: ignore[operator]
STOPPED, SNOW_CALL = (r for r in releases() if r.status is Status.CANCELLED)
CANCELLED = replace(STOPPED, release_id="20260925")
SHOWN = replace(
    STOPPED, status=Status.ACTIVE, closes_at=NOW + timedelta(9), release_id="20260923"
)  # fmt: skip
CLOSING = replace(
    next(r for r in releases() if r.number == "20004970"),
    closes_at=FRIDAY,
    published_at=WEDNESDAY,
    release_id="20260923",
)
OLD = replace(
    CLOSING, ocid="ocds-ec9k95-20004000", number="20004000", published_at=AT - timedelta(40)
)  # fmt: skip
LATE = replace(
    SNOW_CALL, status=Status.ACTIVE, closes_at=NOW + timedelta(9), release_id="20260928"
)  # fmt: skip
EVERYTHING: dict[str, object] = {"sectors": SLUGS}


def _read(session: Session, found: Iterable[Release], at: datetime) -> None:
    reading = Reading(source="seao", at=at, address="essai")
    session.add(reading)
    session.flush()
    take_in(session, reading, found, directory=places.load(), at=at)


def _write(database: Database, at: datetime) -> None:
    with database.write() as session:
        editions.open_due(session, at)
    editions.write_open(database, DESK, at=at)


def _join(session: Session) -> None:
    """Contacts who want everything, each with what is to befall it; and choosy ones."""
    for name in (
        "acceptee", "attente", "cours", "doute", "refusee", "retiree", "quarantaine", "regles",
        "parti", "pause", "bloque", "consentement", "radie",
    ):  # fmt: skip
        entitled(session, name, **EVERYTHING)
    entitled(session, "quotidien", frequency="daily", **EVERYTHING)
    entitled(session, "exclut", excluded_words=["de l"], **EVERYTHING)
    entitled(session, "exclut2", excluded_words=["patinoire", "écocentre", "transport"],
             **EVERYTHING)  # fmt: skip
    entitled(session, "ailleurs", territory=["Gaspésie–Îles-de-la-Madeleine"], **EVERYTHING)
    entitled(session, "biens", categories=["goods"], **EVERYTHING)
    entitled(session, "delai", minimum_days_left=60, **EVERYTHING)
    entitled(session, "neige", sectors=["deneigement"])
    entitled(session, "mots", sectors=[], own_words=["paveuse", "de", "(.*)", "CHC"])
    entitled(session, "rien", sectors=[])


def _of(session: Session, name: str) -> Contact:
    return session.scalars(select(Contact).where(Contact.address.startswith(f"{name}@"))).one()


def _befall(session: Session) -> None:
    """What keeps contacts from being written to, before the first edition."""
    session.execute(
        update(Membership)
        .where(Membership.member_id == _of(session, "radie").member_id)
        .values(ends_at=BEFORE)
    )
    session.execute(
        update(Consent)
        .where(Consent.contact_id == _of(session, "consentement").id)
        .values(ends_at=BEFORE)
    )
    wishes.unsubscribe(session, _of(session, "parti").id, origin="member", at=BEFORE)
    wishes.pause(session, _of(session, "pause").id, NOW, origin="member", at=BEFORE)
    suppressions.suppress(session, _of(session, "bloque").address, reason="staff", at=BEFORE)
    open_now = session.scalars(select(Edition).where(Edition.frequency == "weekly")).one()
    session.add(
        Omission(at=AT, edition_id=open_now.id, contact_id=_of(session, "regles").id, why="nothing")
    )


def _hand_over(session: Session) -> None:
    """What becomes of the letters of the first edition."""
    lot = outbox.claim(session, claim="c", most=99, allowed=frozenset({"*"}), at=AT)
    by_name = {letter.address.partition("@")[0]: letter for letter in lot.claimed}

    def settle(name: str, outcome: Outcome, reply: str) -> None:
        receipt = Receipt(outcome=outcome, reply=reply, phase=Phase.DOT)
        done = [Settled(by_name.pop(name), receipt)]
        assert not outcomes.settle(session, done, claim="c", at=AT + timedelta(minutes=1))

    settle("refusee", Outcome.DEAD_ADDRESS, "550 5.1.1 Utilisateur inconnu")
    settle("doute", Outcome.UNKNOWN, "")
    by_name.pop("cours")
    outbox.withdraw(session, {by_name.pop("retiree").id: Why.ADDRESS}, at=AT, claim="c")
    quarantined = by_name.pop("quarantaine")
    session.execute(
        update(Letter).where(Letter.id == quarantined.id).values(state=LetterState.QUARANTINED)
    )
    ledger.release(session, [quarantined.id])
    outbox.give_back(session, [by_name.pop("attente").id], claim="c")
    for name in list(by_name):
        settle(name, Outcome.ACCEPTED, "250 2.0.0 Ok")


def _first_week(database: Database) -> None:
    """The first edition and what becomes of its letters, as the service lives them."""
    with database.write() as session:
        _join(session)
        holds.release_first_run(session, by="essai", at=BEFORE)
        _read(session, OPEN, BEFORE)
        editions.open_due(session, AT)
        _befall(session)
    _write(database, AT)
    with database.write() as session:
        _hand_over(session)


def _second_week(database: Database) -> None:
    """Calls that close, are cancelled or come late; a contact who comes late."""
    with database.write() as session:
        _read(session, [SHOWN, CLOSING, OLD], WEDNESDAY)
    _write(database, WEDNESDAY)
    with database.write() as session:
        _read(session, [CANCELLED], FRIDAY - timedelta(hours=1))
        late = entitled(session, "nouveau", **EVERYTHING)
        late.created_at = FRIDAY + timedelta(days=1)
    _write(database, MONDAY)
    with database.write() as session:
        _read(session, [LATE], MONDAY + timedelta(hours=1))


Answers = dict[tuple[str, str], Explanation]


def _answers(database: Database, at: datetime, *names: str) -> Answers:
    """The answer of every contact (or of those) and every notice, and one that nobody knows."""
    with database.read() as session:
        notices = [(one.number, [one.id]) for one in session.scalars(select(Tender))]
        contacts = session.scalars(select(Contact)).all()
        return {
            (name, number): explained(session, LEXICON, contact, tender_ids, at=at)
            for contact in contacts
            if (name := contact.address.partition("@")[0]) in (names or {name})
            for number, tender_ids in [*notices, ("inconnu", list[int]())]
        }


FIRST = {
    ("acceptee", "20170291"): Because.ACCEPTED,
    ("attente", "20170291"): Because.WAITING,
    ("cours", "20170291"): Because.IN_COURSE,
    ("doute", "20170291"): Because.UNCERTAIN,
    ("refusee", "20170291"): Because.REFUSED,
    ("retiree", "20170291"): Because.WITHDRAWN,
    ("quarantaine", "20170291"): Because.QUARANTINED,
    ("regles", "20170291"): Because.RULES_CHANGED,
    ("neige", "20170291"): Because.LACKED,
    ("parti", "20170291"): Because.OMITTED,
    ("mots", "20170367"): Because.ACCEPTED,
    ("acceptee", "inconnu"): Because.UNSEEN,
}
SECOND = {
    ("retiree", "20170291"): Because.WAITING,
    ("refusee", "20170291"): Because.REFUSED,
    ("acceptee", "20004970"): Because.CLOSED,
    ("quotidien", "20004970"): Because.WITHDRAWN,
    ("quotidien", "20004000"): Because.BACKLOG,
    ("nouveau", "20004970"): Because.JOINED_AFTER,
    ("acceptee", "20170296"): Because.CANCELLED,
    ("quotidien", "20170296"): Because.WITHDRAWN,
    ("acceptee", "20170324"): Because.NOT_YET,
}


def test_every_pair_of_a_small_coop_has_the_right_answer(database: Database) -> None:
    _first_week(database)
    first = _answers(database, AT + timedelta(hours=1))
    assert {pair: first[pair].because for pair in FIRST} == FIRST
    assert first["retiree", "20170291"].again
    _is_the_ledger(database, first)
    _second_week(database)
    second = _answers(database, NOW)
    assert {pair: second[pair].because for pair in SECOND} == SECOND
    assert second["refusee", "20170291"].why is Why.SUPPRESSED
    _is_the_ledger(database, second)
    with database.write() as session:
        holds.hold(session, cause="staff", detail="", by="essai", at=NOW)
    held = _answers(database, NOW, "attente")
    _says_everything([*first.values(), *second.values(), *held.values()])


def _says_everything(every: list[Explanation]) -> None:
    assert len(every) > 500
    assert {one.because for one in every} == set(Because)
    whys = {one.why for one in every if one.because is Because.OMITTED}
    assert whys == {Why.MEMBERSHIP, Why.CONSENT, Why.SUBSCRIPTION, Why.PAUSED, Why.SUPPRESSED}
    assert {one.lacked.lacked for one in every if one.lacked} == set(Lacked)
    for one in every:
        said = list(lines(one, CATALOGUE, NOW))
        assert said
        assert not any("{" in line or "None" in line for line in said), said
        assert (one.because is Because.UNSEEN) == (one.seen_at is None)


def _is_the_ledger(database: Database, answers: Answers) -> None:
    """What is said to be told is what the ledger has, and nothing else."""
    with database.read() as session:
        told = session.execute(
            select(Contact.address, Tender.number, Told.state)
            .join(Contact, Contact.id == Told.contact_id)
            .join(Tender, Tender.id == Told.cluster_id)
        ).all()
    rows = {(address.partition("@")[0], number): state for address, number, state in told}
    confirmed = {pair for pair, state in rows.items() if state == ToldState.CONFIRMED}
    assert confirmed == {p for p, one in answers.items() if one.because is Because.ACCEPTED}
    assert rows.keys() == {p for p, one in answers.items() if one.letter and one.reasons}


def test_the_command_says_it_in_french_and_in_json(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _first_week(database)
    monkeypatch.setenv("DATABASE_URL", database_url)
    run = CliRunner().invoke
    told = run(application("pourquoi"), ["pourquoi", "acceptee@exemple.quebec", "20170291"])
    assert told.exit_code == 0, told.output
    assert "Oui, il a été avisé dans la lettre" in told.output
    assert "édition 2026-W39" in told.output
    by_ocid = run(
        application("pourquoi"), ["pourquoi", "acceptee", "ocds-ec9k95-20170291", "--json"]
    )
    assert '"because": "accepted"' in by_ocid.output
    assert (
        '"because": "unseen"'
        in run(application("pourquoi"), ["pourquoi", "1", "99", "--json"]).output
    )
    assert (
        run(application("pourquoi"), ["pourquoi", "personne@exemple.quebec", "20170291"]).exit_code
        == 1
    )
    with database.write() as session:
        _of(session, "acceptee").ended_at = utc_now()
    removed = run(application("pourquoi"), ["pourquoi", "acceptee@exemple.quebec", "20170291"])
    assert removed.exit_code == 0, removed.output


SNOW = Facts(title="Déneigement des stationnements", category="services")


def _version(hour: int = 0, *, closes_at: datetime | None = None) -> Version:
    return Version(
        since=LONG_AGO + timedelta(hours=hour),
        states=((Status.ACTIVE, closes_at),),
        closes_at=closes_at,
        facts=SNOW,
        classified=classify(SNOW, LEXICON),
        place=Place(municipality="", mrc="", region="", basis="unknown"),
    )


def _turn(hour: int, why: Why, edition: str) -> Turn:
    return Turn(at=LONG_AGO + timedelta(hours=hour), edition=edition, why=why)


def _letter(state: LetterState) -> LetterFacts:
    return LetterFacts(
        id=1, state=state, written_at=LONG_AGO, settled_at=None, reply="", why="", edition="W1"
    )


BLANK = Known(contact_since=LONG_AGO, refused_now=None, held=False, versions=(_version(),))


def test_of_several_editions_the_last_that_could_tell_it_answers() -> None:
    asked = Asked(LONG_AGO, None, Wanted(sectors=frozenset({"buanderie-textile"})))
    turns = (_turn(1, Why.PAUSED, "W1"), _turn(2, Why.NOTHING, "W2"), _turn(9, Why.PAUSED, "W3"))
    closing = _version(closes_at=LONG_AGO + timedelta(hours=5))
    known = replace(BLANK, versions=(closing,), turns=turns, asked=(asked,))
    found = explain(known, at=AT)
    assert (found.because, found.edition) == (Because.LACKED, "W2")


def test_what_is_certain_of_two_rows_of_the_ledger_answers() -> None:
    told = tuple(
        ToldFacts(state=state, at=LONG_AGO + timedelta(hours=hour), reasons=(), letter=_letter(of))
        for hour, state, of in (
            (1, ToldState.RELEASED, LetterState.REFUSED),
            (2, ToldState.CONFIRMED, LetterState.ACCEPTED),
        )
    )
    assert explain(replace(BLANK, told=told), at=AT).because is Because.ACCEPTED


def test_a_near_miss_of_an_earlier_subscription_does_not_answer() -> None:
    hours = [LONG_AGO + timedelta(hours=n) for n in range(4)]
    old = Asked(hours[0], hours[2], Wanted())
    new = Asked(hours[2], None, Wanted(sectors=frozenset({"buanderie-textile"})))
    kept = (Kept(hours[1], NearMiss(Lacked.TERRITORY, "Ailleurs", 0.9)),)
    known = replace(BLANK, asked=(old, new), kept=kept, turns=(_turn(1, Why.NOTHING, "W1"),))
    first = explain(known, at=AT).lacked
    assert first == kept[0].miss
    later = explain(replace(known, turns=(_turn(3, Why.NOTHING, "W2"),)), at=AT).lacked
    assert later == NearMiss(Lacked.SECTOR, "", 0.0)


MOMENTS = st.integers(0, 400).map(lambda hours: LONG_AGO + timedelta(hours=hours))
STATES = st.lists(st.tuples(st.sampled_from(Status), st.none() | MOMENTS), min_size=1, max_size=2)
NEAR = st.builds(NearMiss, st.sampled_from(Lacked), st.just("3"), st.just(0.5))
VERSIONS = st.builds(
    Version, since=MOMENTS, states=STATES.map(tuple), closes_at=st.none() | MOMENTS,
    facts=st.just(SNOW), classified=st.just(classify(SNOW, LEXICON)),
    place=st.just(Place(municipality="", mrc="", region="", basis="unknown")),
)  # fmt: skip
LETTERS = st.builds(
    LetterFacts, id=st.just(1), state=st.sampled_from(LetterState), written_at=MOMENTS,
    settled_at=st.none() | MOMENTS, reply=st.just(""), why=st.sampled_from(["", *Why]),
    edition=st.just("2026-W39"),
)  # fmt: skip
TOLD = st.builds(
    ToldFacts, state=st.sampled_from(ToldState), at=MOMENTS, reasons=st.just(()), letter=LETTERS
)
TURNS = st.builds(
    Turn, at=MOMENTS, edition=st.just("2026-W39"), why=st.none() | st.sampled_from(Why),
    letter=st.none() | LETTERS,
)  # fmt: skip
ASKED = st.builds(
    Asked, since=MOMENTS, until=st.none() | MOMENTS,
    wanted=st.sampled_from([Wanted(), Wanted(sectors=frozenset({"deneigement"}))]),
)  # fmt: skip
KNOWN = st.builds(
    Known, contact_since=MOMENTS, refused_now=st.none() | st.sampled_from(Why),
    held=st.booleans(),
    versions=st.lists(VERSIONS, max_size=3).map(lambda v: tuple(sorted(v, key=_since))),
    told=st.lists(TOLD, max_size=2).map(tuple),
    turns=st.lists(TURNS, max_size=3).map(lambda t: tuple(sorted(t, key=lambda one: one.at))),
    asked=st.lists(ASKED, max_size=2).map(tuple),
    kept=st.lists(st.builds(Kept, MOMENTS, NEAR), max_size=2).map(tuple),
)  # fmt: skip


def _since(version: Version) -> datetime:
    return version.since


@given(KNOWN, MOMENTS)
def test_whatever_is_recorded_there_is_an_answer_in_french(known: Known, at: datetime) -> None:
    found = explain(known, at=at)
    said = list(lines(found, CATALOGUE, at))
    assert said
    assert not any("{" in line or "None" in line for line in said), said
    if known.told and known.versions:
        assert found.letter in {one.letter for one in known.told}
