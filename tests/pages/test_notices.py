"""The members' page: every open notice, for active members only, found in French."""

from __future__ import annotations

from datetime import datetime, timedelta

import icalendar
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from alerts.answer_tables import Reaction
from base.clock import utc_now
from base.database import Database
from sources.tables import Revision, Tender
from subscriptions.tables import Contact, Membership
from tests.coop import tender
from tests.webpages import LINKS, change_path, events_of

SNOW, CLEAN = "deneigement", "entretien-menager"
#: Number, title, municipality, days until it closes.
OPEN = (
    ("11", "Déneigement des stationnements", "Prévost", 20),
    ("12", "Réfection de la toiture de l’aréna", "Nominingue", 3),
    ("13", "Conciergerie de la bibliothèque municipale", "Mont-Tremblant", 12),
    ("14", "Services d’entretien ménager d’édifices", "Prévost", 40),
)


@pytest.fixture
def calls(database: Database, contact: Contact) -> dict[str, int]:
    """The open calls of `OPEN`, a closed one and a cancelled one: number -> cluster."""
    now = utc_now()
    with database.write() as session:
        session.execute(update(Membership).values(ends_at=None))
        made = {
            number: _call(session, number, title, place, now + timedelta(days=days))
            for number, title, place, days in OPEN
        }
        _call(session, "15", "Déneigement déjà fermé", "Prévost", now - timedelta(hours=1))
        cancelled = _call(session, "16", "Déneigement annulé", "Prévost", now + timedelta(days=5))
        session.execute(
            update(Tender).where(Tender.cluster_id == cancelled).values(status="cancelled")
        )
    return made


def _call(session: Session, number: str, title: str, place: str, closes_at: datetime) -> int:
    made, _ = tender(
        session,
        number,
        title=title,
        municipality=place,
        mrc="MRC des essais",
        place_basis="name",
        closes_at=closes_at,
    )
    return made.id


def _reserve(database: Database, cluster_id: int) -> None:
    with database.write() as session:
        session.execute(
            update(Tender).where(Tender.cluster_id == cluster_id).values(visibility="reserved")
        )


def _titles(text: str) -> list[str]:
    """The titles of the page, in their order."""
    return [
        title for _, title, *_ in sorted(OPEN, key=lambda one: text.find(one[1])) if title in text
    ]


def test_what_is_open_is_listed_the_readers_first_and_soonest_to_close(
    client: TestClient, database: Database, contact: Contact, calls: dict[str, int]
) -> None:
    text = client.get(f"{change_path(contact)}/avis").text
    assert "4\u00a0avis, dont 2 dans vos choix" in text
    assert _titles(text) == [OPEN[2][1], OPEN[3][1], OPEN[1][1], OPEN[0][1]]
    for gone in ("Déneigement déjà fermé", "Déneigement annulé"):
        assert gone not in text


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"mots": "conciergeries"}, ["13"]),
        ({"mots": "DENEIGEMENT"}, ["11"]),
        ({"mots": "toitures arena"}, ["12"]),
        ({"mots": "l’aréna de la toiture"}, ["12"]),
        ({"mots": "toiture piscine"}, []),
        ({"mots": "12"}, ["12"]),
        ({"mots": "nominingue"}, ["12"]),
        ({"mots": "de la"}, ["11", "12", "13", "14"]),
        ({"secteur": SNOW}, ["11"]),
        ({"secteur": "inconnu"}, ["11", "12", "13", "14"]),
        ({"lieu": "Prévost"}, ["11", "14"]),
        ({"lieu": "MRC des essais", "jours": "14"}, ["12", "13"]),
        ({"jours": "7"}, ["12"]),
        ({"jours": "-1"}, ["11", "12", "13", "14"]),
        ({"page": "9999999999999999999999"}, ["11", "12", "13", "14"]),
        ({"page": "\u0663"}, ["11", "12", "13", "14"]),
        ({"mots": "%"}, ["11", "12", "13", "14"]),
        ({"mots": "_"}, ["11", "12", "13", "14"]),
        ({"mots": "' OR 1=1--"}, []),
        ({"mots": "(a+)+$"}, ["11", "12", "13", "14"]),
        ({"mots": "x" * 10_000}, []),
        ({"mots": "\x00\u202e<script>alert(1)</script>"}, []),
        ({"lieu": "<script>"}, []),
        ({"masques": "1"}, []),
    ],
)
def test_a_search_finds_what_it_says_and_nothing_breaks_it(
    client: TestClient,
    contact: Contact,
    calls: dict[str, int],
    query: dict[str, str],
    numbers: list[str],
) -> None:
    answer = client.get(f"{change_path(contact)}/avis", params=query)
    assert answer.status_code == 200
    found = [n for n, title, *_ in OPEN if title in answer.text]
    assert found == numbers
    for raw in ("<script", "\u202e", "\x00"):
        assert raw not in answer.text


def test_25_a_page_and_every_notice_on_one_of_them(
    client: TestClient, database: Database, contact: Contact
) -> None:
    with database.write() as session:
        closes = utc_now() + timedelta(days=9)
        for number in range(60):
            _call(session, f"{900 + number}", f"Avis d’essai {number:02}", "Prévost", closes)
    path = f"{change_path(contact)}/avis"
    pages = [client.get(path, params={"page": page}).text for page in (1, 2, 3)]
    seen = [n for text in pages for n in range(60) if f"Avis d’essai {n:02}<" in text]
    assert sorted(seen) == list(range(60))
    assert [text.count('class="notice"') for text in pages] == [25, 25, 10]
    assert client.get(path, params={"page": 99}).text == pages[2]


def test_a_lapsed_member_sees_how_to_renew_and_no_notice(
    client: TestClient, database: Database, contact: Contact, calls: dict[str, int]
) -> None:
    _reserve(database, calls["11"])
    path = f"{change_path(contact)}/avis"
    assert "Invitation réservée" in client.get(path).text
    with database.write() as session:
        session.execute(update(Membership).values(ends_at=utc_now()))
    for address in (path, f"{path}/{calls['11']}", f"{path}/{calls['12']}"):
        text = client.get(address).text
        assert "renouveler l’adhésion" in text
        assert _titles(text) == []
    ics = client.get(f"{path}/{calls['11']}/echeance.ics")
    assert "BEGIN:VCALENDAR" not in ics.text
    seal = LINKS.seal(path.split("/")[2])
    answer = {"sceau": seal, "reponse": "interesse"}
    client.post(f"{path}/{calls['11']}", data=answer)
    with database.read() as session:
        assert session.scalars(select(Reaction.id)).all() == []


def test_without_a_link_no_notice_is_shown(client: TestClient, calls: dict[str, int]) -> None:
    for path in ("/avis", "/p/x/avis", f"/p/x/avis/{calls['11']}", "/p//avis"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert _titles(answer.text) == []


def test_a_notice_tells_why_and_what_changed_from_each_revision_to_the_next(
    client: TestClient, database: Database, contact: Contact, calls: dict[str, int]
) -> None:
    path = f"{change_path(contact)}/avis/{calls['13']}"
    assert "Rien depuis que nous l’avons lu" in client.get(path).text
    later = utc_now() + timedelta(days=19)
    with database.write() as session:
        first = session.scalars(select(Revision).where(Revision.tender_id == calls["13"])).one()
        values = {c.name: getattr(first, c.name) for c in Revision.__table__.columns}
        values |= {"id": None, "number": 2, "closes_at": later, "documents": ["addenda 1.pdf"]}
        session.add(Revision(**values))
        row = session.get_one(Tender, calls["13"])
        row.latest, row.closes_at = 2, later
    text = client.get(path).text
    assert "Entretien ménager et nettoyage de bâtiments\u00a0: «\u00a0Conciergerie" in text
    assert "<h2>Ce qui a changé</h2>" in text
    assert "Clôture\u00a0: <del>" in text
    assert "dans 19\u00a0jours" in text


def test_the_calendar_file_keeps_its_uid_and_raises_its_sequence(
    client: TestClient, database: Database, contact: Contact, calls: dict[str, int]
) -> None:
    path = f"{change_path(contact)}/avis/{calls['13']}/echeance.ics"
    first = client.get(path)
    assert first.headers["content-type"] == "text/calendar; charset=utf-8"
    later = utc_now().replace(microsecond=0) + timedelta(days=19)
    with database.write() as session:
        revision = session.scalars(select(Revision).where(Revision.tender_id == calls["13"])).one()
        values = {c.name: getattr(revision, c.name) for c in Revision.__table__.columns}
        session.add(Revision(**(values | {"id": None, "number": 2, "closes_at": later})))
        session.get_one(Tender, calls["13"]).latest = 2
    before, after = (
        next(iter(icalendar.Calendar.from_ical(one.content).walk("VEVENT")))
        for one in (first, client.get(path))
    )
    assert before["UID"] == after["UID"]
    assert (before["SEQUENCE"], after["SEQUENCE"]) == (0, 1)
    assert after.decoded("DTSTART") == later
    assert after["SUMMARY"] == "Clôture\u00a0: Conciergerie de la bibliothèque municipale"
    token = path.split("/")[2]
    assert token not in first.text
    assert contact.address not in first.text


@pytest.mark.parametrize(
    ("answers", "kept"),
    [
        (["interesse"], ["interested"]),
        (["interesse", "interesse"], ["interested"]),
        (["interesse", "plus-interesse"], []),
        (["interesse", "pas-pertinent"], ["not_relevant"]),
        (["pas-pertinent", "pertinent"], []),
        (["masquer", "interesse"], ["hidden", "interested"]),
    ],
)
def test_an_answer_is_kept_once_and_taken_back(
    client: TestClient,
    database: Database,
    contact: Contact,
    calls: dict[str, int],
    answers: list[str],
    kept: list[str],
) -> None:
    path = f"{change_path(contact)}/avis/{calls['12']}"
    seal = LINKS.seal(path.split("/")[2])
    for one in answers:
        assert client.post(path, data={"sceau": seal, "reponse": one}).status_code == 303
    with database.read() as session:
        found = session.scalars(select(Reaction.answer).order_by(Reaction.answer)).all()
    assert found == kept
    assert client.get(path).status_code == 200


def test_what_is_hidden_leaves_the_list_and_can_be_shown_again(
    client: TestClient, database: Database, contact: Contact, calls: dict[str, int]
) -> None:
    listing = f"{change_path(contact)}/avis"
    path = f"{listing}/{calls['12']}"
    seal = LINKS.seal(path.split("/")[2])
    client.post(path, data={"sceau": seal, "reponse": "masquer"})
    text = client.get(listing).text
    assert OPEN[1][1] not in text
    assert "Voir 1\u00a0avis masqué" in text
    assert OPEN[1][1] in client.get(listing, params={"masques": "1"}).text
    client.post(path, data={"sceau": seal, "reponse": "montrer"})
    assert OPEN[1][1] in client.get(listing).text


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"reponse": "effacer"}, 400), ({"reponse": "masquer"}, 403)],
    ids=["nothing", "unknown", "no seal"],
)
def test_a_wrong_answer_is_refused(
    client: TestClient,
    database: Database,
    contact: Contact,
    calls: dict[str, int],
    body: dict[str, str],
    status: int,
) -> None:
    path = f"{change_path(contact)}/avis/{calls['12']}"
    assert client.post(path, data=body).status_code == status
    with database.read() as session:
        assert session.scalars(select(Reaction.id)).all() == []


@pytest.mark.parametrize("number", ["0", "99999", "9" * 30, "-1", "1e3", "%00", "x"])
def test_a_notice_that_is_not_there_is_a_french_page(
    client: TestClient, contact: Contact, calls: dict[str, int], number: str
) -> None:
    for end in ("", "/echeance.ics"):
        answer = client.get(f"{change_path(contact)}/avis/{number}{end}")
        assert answer.status_code == 404
        assert "renseignements personnels" in answer.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "<script>alert(1)</script>"),
        ("title", ""),
        ("title", "\u202eé" * 5000),
        ("buyer", ""),
        ("uri", "javascript:alert(1)"),
        ("uri", "https://seao.gouv.qc.ca@evil.invalid/"),
        ("description", "<img src=x onerror=alert(1)>"),
        ("documents", ["<b>.pdf"] * 60),
        ("procurement_method_details", '" onmouseover=alert(1) "'),
    ],
)
def test_a_poison_notice_is_shown_as_text(
    client: TestClient,
    database: Database,
    contact: Contact,
    calls: dict[str, int],
    field: str,
    value: object,
) -> None:
    with database.write() as session:
        session.execute(
            update(Revision).where(Revision.tender_id == calls["13"]).values({field: value})
        )
    listing = f"{change_path(contact)}/avis"
    for path in (listing, f"{listing}/{calls['13']}"):
        answer = client.get(path)
        assert answer.status_code == 200
        for raw in ("<script", "<img", 'href="javascript', "\u202e", "<b>.pdf", 'evil.invalid/"'):
            assert raw not in answer.text
    [event] = icalendar.Calendar.from_ical(
        client.get(f"{listing}/{calls['13']}/echeance.ics").content
    ).walk("VEVENT")
    assert set(event) <= {
        "UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "STATUS",
        "TRANSP",
    }  # fmt: skip


def test_looking_changes_nothing(
    client: TestClient, database: Database, contact: Contact, calls: dict[str, int]
) -> None:
    listing = f"{change_path(contact)}/avis"
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
        for path in (listing, f"{listing}/{calls['13']}", f"{listing}/{calls['13']}/echeance.ics"):
            client.request(method, path)
    assert events_of(database) == []
    with database.read() as session:
        assert session.scalars(select(Reaction.id)).all() == []
