"""Choices: tried before they are saved, checked field by field, announced and undoable."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from alerts.classification import Facts, classify
from alerts.matching import Match, Wanted, match, place_of
from base.clock import utc_now
from base.database import Database
from sources.tables import Revision
from subscriptions import wishes
from subscriptions.links import Purpose
from subscriptions.tables import Contact, Subscription, What
from subscriptions.wishes import Wishes
from tests.coop import tender
from tests.webpages import (
    FIRST,
    SECOND,
    change_path,
    desk,
    event_path,
    events_of,
    form,
    letters_owed,
)

SNOW, CLEAN = "deneigement", "entretien-menager"


def live(database: Database, contact: Contact) -> Subscription:
    with database.read() as session:
        current = wishes.live(session, contact.id)
    assert current is not None
    return current


def _notices(database: Database) -> None:
    """Five calls of the last months; one in Argenteuil, one of last year's winter."""
    now = utc_now()
    for number, title, place, ago in (
        ("1", "Déneigement des stationnements", "MRC Argenteuil", 30),
        ("2", "Déneigement de l’hôtel de ville", "MRC Les Laurentides", 60),
        ("3", "Conciergerie de la bibliothèque", "MRC Les Laurentides", 90),
        ("4", "Fourniture de bacs de compostage", "MRC Les Laurentides", 120),
        ("5", "Déneigement des stationnements", "MRC Argenteuil", 400),
    ):
        with database.write() as session:
            tender(
                session,
                number,
                title=title,
                mrc=place,
                region="Laurentides",
                place_basis="name",
                closes_at=now - timedelta(days=1),
            )
            revision = session.scalars(select(Revision).order_by(Revision.id.desc())).first()
            assert revision is not None
            revision.published_at = now - timedelta(days=ago)


def test_everything_typed_is_saved_as_typed(
    client: TestClient, database: Database, contact: Contact
) -> None:
    path = change_path(contact)
    body = form(
        path,
        SNOW,
        CLEAN,
        jour=["0", "2", "4"],
        mots='compost\r\n"plans et devis", CPE\r\n\r\ncompost',
        exclus="autoroute",
        lieu=["MRC Argenteuil"],
        lieux="prevost\r\nSAINT-JEROME",
        maximum="12",
    )
    assert client.post(path, data=body).status_code == 200
    assert wishes.wishes_of(live(database, contact)) == Wishes(
        frequency="daily",
        sectors=(SNOW, CLEAN),
        own_words=("compost", '"plans et devis"', "CPE"),
        excluded_words=("autoroute",),
        territory=("MRC Argenteuil", "Prévost", "Saint-Jérôme"),
        weekdays=0b10101,
        most_notices=12,
    )
    shown = client.get(path).text
    for part in ("&#34;plans et devis&#34;", "autoroute", "Saint-Jérôme", 'value="12"'):
        assert part in shown


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"jour": []}, "au moins un jour"),
        ({"jour": ["7"]}, "au moins un jour"),
        ({"jour": ["-1", "0"]}, "au moins un jour"),
        ({"maximum": "0"}, "de 1 à 200"),
        ({"maximum": "-1"}, "de 1 à 200"),
        ({"maximum": "9" * 5000}, "de 1 à 200"),
        ({"maximum": "１２"}, "de 1 à 200"),
        ({"mots": "de"}, "trop courant"),
        ({"mots": "!!!"}, "trop courant"),
        ({"mots": "x" * 81}, "80 caractères"),
        ({"mots": "\n".join(f"mot{n}" for n in range(51))}, "50 mots-clés"),
        ({"exclus": "\n".join(f"mot{n}" for n in range(10_000))}, None),
        ({"lieux": "Atlantide"}, "Endroit inconnu"),
        ({"lieu": ["<script>alert(1)</script>"]}, "Endroit inconnu"),
        ({"lieux": "\n".join(f"Ville {n}" for n in range(201))}, "moins d’endroits"),
        ({"frequence": "hourly"}, "une fréquence"),
        ({"nature": ["autre"]}, "biens, services et travaux"),
        ({"delai": "61"}, "de 0 à 60"),
        ({"frequence": ["daily", "\x00"]}, "une fréquence"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(
    client: TestClient,
    database: Database,
    contact: Contact,
    fields: dict[str, object],
    fault: str | None,
) -> None:
    path = change_path(contact)
    for act in ("enregistrer", "voir"):
        answer = client.post(path, data=form(path, SNOW) | {"faire": act} | fields)
        assert answer.status_code == (400 if fault else 413)
        assert fault is None or fault in answer.text
        assert "<script" not in answer.text
    assert wishes.wishes_of(live(database, contact)).sectors == (FIRST,)
    assert events_of(database) == []


@pytest.mark.parametrize(
    "word",
    [
        "<script>alert(1)</script>",
        "\u202edrow\u2066",
        "{{7*7}}",
        "'; DROP TABLE contact--",
        "(a+)+$",
        "%_",
    ],
    ids=["script", "rtl", "template", "sql", "regex", "like"],
)
def test_hostile_own_words_are_only_words(
    client: TestClient, database: Database, contact: Contact, word: str
) -> None:
    _notices(database)
    path = change_path(contact)
    client.post(path, data=form(path, SNOW, mots=word))
    answer = client.get(path)
    assert answer.status_code == 200
    for raw in ("<script", "\u202e", ">49<"):
        assert raw not in answer.text
    for letter in letters_owed(database):
        html = (letter.content or b"").split(b"text/html")[1]
        assert b"<script" not in html


def test_a_preview_counts_the_year_and_saves_nothing(
    client: TestClient, database: Database, contact: Contact
) -> None:
    _notices(database)
    path = change_path(contact)
    client.post(path, data=form(path, SNOW, frequency="weekly"))
    events = len(events_of(database))

    body = form(path, CLEAN, frequency="weekly", faire="voir", mots="compostage")
    answer = client.post(path, data=body).text

    assert "vous auriez reçu 2\u00a0avis depuis 12 mois" in answer
    assert "Vos choix enregistrés\u00a0: 2\u00a0avis" in answer
    assert "2\u00a0avis de plus" in answer
    assert "2\u00a0avis de moins" in answer
    assert "Conciergerie de la bibliothèque" in answer
    assert live(database, contact).sectors == [SNOW]
    assert len(events_of(database)) == events


def test_a_preview_shows_what_nearly_matched_and_why(
    client: TestClient, database: Database, contact: Contact
) -> None:
    _notices(database)
    path = change_path(contact)
    body = form(
        path,
        SNOW,
        frequency="weekly",
        faire="voir",
        lieu=["MRC Argenteuil"],
        exclus="stationnement",
    )
    answer = client.post(path, data=body).text
    assert "vous auriez reçu 0\u00a0avis" in answer
    assert "Presque retenus" in answer
    assert "Écarté par votre mot «\u00a0stationnements\u00a0»" in answer
    assert "Hors de votre territoire\u00a0: MRC Les Laurentides" in answer


def test_a_preview_is_the_matching_of_the_letters(
    client: TestClient, database: Database, contact: Contact
) -> None:
    _notices(database)
    wanted = Wanted(sectors=frozenset({SNOW}), own_words=("bibliothèque",))
    since = utc_now() - timedelta(days=365)
    lexicon = desk().lexicon
    with database.read() as session:
        rows = session.scalars(select(Revision).where(Revision.published_at > since)).all()
    expected = 0
    for row in rows:
        facts = Facts(title=row.title, category=row.category, buyer=row.buyer)
        made = match(facts, classify(facts, lexicon), wanted, place=place_of(row))
        expected += isinstance(made, Match)
    path = change_path(contact)
    body = form(path, SNOW, faire="voir", mots="bibliothèque")
    assert f"vous auriez reçu {expected}\u00a0avis" in client.post(path, data=body).text
    assert expected == 3


def test_a_new_revision_is_in_the_next_preview(
    client: TestClient, database: Database, contact: Contact
) -> None:
    path = change_path(contact)
    body = form(path, SNOW, faire="voir")
    assert "auriez reçu 0\u00a0avis" in client.post(path, data=body).text
    _notices(database)
    assert "auriez reçu 2\u00a0avis" in client.post(path, data=body).text


def test_a_change_is_announced_and_its_link_puts_the_choices_back(
    client: TestClient, database: Database, contact: Contact
) -> None:
    path = change_path(contact)
    before = wishes.wishes_of(live(database, contact))
    client.post(path, data=form(path, SECOND, frequency="instant"))
    confirmation = letters_owed(database)[0].content
    assert confirmation is not None
    assert b"choix" in confirmation
    undo = event_path(Purpose.UNDO, events_of(database)[0])
    assert "Remettre vos choix" in client.get(undo).text
    assert wishes.wishes_of(live(database, contact)) != before
    assert client.post(undo).status_code == 200
    assert wishes.wishes_of(live(database, contact)) == before
    assert [event.what for event in events_of(database)] == [What.CHANGED]


def test_an_undo_works_once_whatever_came_after(
    client: TestClient, database: Database, contact: Contact
) -> None:
    path = change_path(contact)
    client.post(path, data=form(path, SECOND))
    undo = event_path(Purpose.UNDO, events_of(database)[0])
    client.post(undo)
    client.post(path, data=form(path, SNOW, CLEAN))
    assert client.post(undo).status_code == 200
    assert live(database, contact).sectors == [SNOW, CLEAN]


def test_an_old_notice_that_is_still_open_is_not_of_the_year(
    client: TestClient, database: Database, contact: Contact
) -> None:
    _notices(database)
    now = utc_now()
    with database.write() as session:
        _, revision = tender(session, "6", closes_at=now + timedelta(days=9))
        revision.published_at = now - timedelta(days=400)
    path = change_path(contact)
    body = form(path, SNOW, faire="voir")
    assert "auriez reçu 2\u00a0avis" in client.post(path, data=body).text
    assert "Déneigement" in client.get(f"{path}/avis").text


def test_natures_and_days_left_are_kept_and_shown(
    client: TestClient, database: Database, contact: Contact
) -> None:
    path = change_path(contact)
    client.post(path, data=form(path, SNOW, nature=["services", "goods"], delai="7"))
    kept = wishes.wishes_of(live(database, contact))
    assert (kept.categories, kept.minimum_days_left) == (("goods", "services"), 7)
    shown = client.get(path).text
    assert 'value="goods" checked' in shown
    assert 'value="7"' in shown
    [confirmation] = letters_owed(database)
    assert b"travaux de construction" not in (confirmation.content or b"")


def test_saving_the_same_choices_announces_nothing(
    client: TestClient, database: Database, contact: Contact
) -> None:
    path = change_path(contact)
    body = form(path, FIRST, frequency="weekly")
    assert client.post(path, data=body).status_code == 200
    assert events_of(database) == []


def test_a_pause_is_shown_and_ended_from_the_choices(
    client: TestClient, database: Database, contact: Contact
) -> None:
    with database.write() as session:
        until = utc_now() + timedelta(days=20)
        wishes.pause(session, contact.id, until, origin="member", at=utc_now())
    path = change_path(contact)
    assert "En pause jusqu’au" in client.get(path).text
    client.post(path, data=form(path, FIRST, frequency="weekly"))
    assert live(database, contact).paused_until == until
    client.post(path, data=form(path, FIRST, frequency="weekly", reprendre="1"))
    assert live(database, contact).paused_until is None


def test_two_tabs_save_the_last_one_and_both_are_undoable(
    client: TestClient, database: Database, contact: Contact
) -> None:
    path = change_path(contact)
    client.get(path)
    client.get(path)
    client.post(path, data=form(path, SECOND))
    client.post(path, data=form(path, FIRST, frequency="weekly"))
    assert live(database, contact).sectors == [FIRST]
    assert [event.what for event in events_of(database)] == [What.CHANGED, What.CHANGED]


def test_examples_of_sectors_are_titles_that_were_published(
    client: TestClient, database: Database, contact: Contact
) -> None:
    _notices(database)
    shown = client.get(change_path(contact)).text
    assert re.search(r"Paru\u00a0: «\u00a0Conciergerie de la bibliothèque\u00a0»", shown)
