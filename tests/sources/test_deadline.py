"""The closing moment in the French of municipal notices, and what is no closing moment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from base.clock import QUEBEC
from sources import deadline

#: A Wednesday.
PUBLISHED = datetime(2025, 9, 10, 13, 30, tzinfo=UTC)


def read(*lines: str, published: datetime | None = PUBLISHED) -> str:
    """The moment in Québec, "" where none is found."""
    found = deadline.find(lines, published_at=published)
    return found.closes_at.astimezone(QUEBEC).strftime("%Y-%m-%d %H:%M") if found else ""


@pytest.mark.parametrize(
    ("sentence", "closes"),
    [
        ("avant 10h00, le 2 octobre 2025", "2025-10-02 10:00"),
        ("avant 10 h, le 2 octobre 2025", "2025-10-02 10:00"),
        ("avant 10\u00a0h\u00a030, le 2 octobre 2025", "2025-10-02 10:30"),
        ("au plus tard le 2 octobre 2025 à 11 h", "2025-10-02 11:00"),
        ("Au plus tard le jeudi 2 octobre 2025, à 11 h 30", "2025-10-02 11:30"),
        ("AVANT 14H LE 2 OCTOBRE 2025", "2025-10-02 14:00"),
        ("jusqu’au 2 octobre 2025 à 11 heures", "2025-10-02 11:00"),
        ("jusqu'au jeudi 2 octobre 2025, 11:00", "2025-10-02 11:00"),
        ("d’ici le vendredi 3 octobre 2025 à 15 h", "2025-10-03 15:00"),
        ("avant midi le 1er octobre 2025", "2025-10-01 12:00"),
        ("avant minuit le 1er octobre 2025", "2025-10-01 23:59"),
        ("au plus tard à 24 h le 1er octobre 2025", "2025-10-01 23:59"),
        ("Date limite : 2 octobre 2025", "2025-10-02 23:59"),
        ("Date et heure limites : 2 oct. 2025 à 10h", "2025-10-02 10:00"),
        ("Dépôt des soumissions : 2025-10-02 à 10:00", "2025-10-02 10:00"),
        ("Fermeture : le 5 févr. 2026, 13 h 30", "2026-02-05 13:30"),
        ("Clôture des soumissions le 15 août 2026 à 9 h 05", "2026-08-15 09:05"),
        ("Réception jusqu’à 2 h p.m., le 2 octobre 2025", "2025-10-02 14:00"),
        ("Les offres seront reçues à la mairie, le 2 décembre 2025 à 11 h", "2025-12-02 11:00"),
        (
            "Les soumissions seront ouvertes publiquement le 2 octobre 2025 à 11 h 05",
            "2025-10-02 11:05",
        ),
        (
            "Veuillez faire parvenir votre soumission d’ici le 3 octobre 2025 à 15 h",
            "2025-10-03 15:00",
        ),
    ],
)
def test_a_closing_moment_is_read_as_it_is_written(sentence: str, closes: str) -> None:
    assert read(sentence) == closes


@pytest.mark.parametrize(
    ("sentence", "closes"),
    [
        pytest.param("avant 11 h le 2 octobre", "2025-10-02 11:00", id="this year"),
        pytest.param("avant 11 h le 15 janvier", "2026-01-15 11:00", id="next year"),
        pytest.param("avant 11 h le 10 septembre", "2025-09-10 11:00", id="the very day"),
        pytest.param("avant 11 h le 9 septembre", "2026-09-09 11:00", id="the day before"),
        pytest.param("avant 11 h le jeudi 2 octobre", "2025-10-02 11:00", id="weekday agrees"),
        pytest.param(
            "avant 11 h le vendredi 2 octobre", "2026-10-02 11:00", id="next year’s Friday"
        ),
    ],
)
def test_a_day_without_year_is_the_first_one_after_publication(sentence: str, closes: str) -> None:
    assert read(sentence) == closes
    assert read(sentence, published=None) == ""


def test_the_last_evening_of_publication_counts_as_quebecs_day() -> None:
    late = datetime(2025, 10, 3, 2, 0, tzinfo=UTC)
    assert read("avant 23 h le 2 octobre", published=late) == "2025-10-02 23:00"


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "Le déneigement commencera bientôt.",
        "Donné à Exemple-sur-Lac, ce 10 septembre 2025",
        "Publié le 10 septembre 2025 à 9 h",
        "Une visite obligatoire aura lieu le 20 septembre 2025 à 9 h.",
        "Les questions doivent être transmises avant le 25 septembre 2025 à 16 h.",
        "Toute question sur la soumission doit être transmise avant 16 h le 25 septembre 2025.",
        "Une séance du conseil se tiendra avant le 6 octobre 2025 à 19 h.",
        "Le conseil a adopté la résolution avant le 1er septembre 2025.",
        "Le lac compte 12 îles.",
        "au plus tard le 02/10/2025 à 11 h",
        "avant 11 h le 31 février 2025",
        "avant 11 h le 31 novembre",
        "avant 11 h le 2 octobre 2999",
        "avant 11 h le 2 octobre 1900",
        "avant 11 h le 0 octobre 2025",
        "avant 11 h, le 2 octobre 20255",
        "bientôt, au plus tard",
        "avant le " + "9" * 5000 + " octobre 2025",
    ],
)
def test_what_is_no_closing_moment_is_not_taken_for_one(sentence: str) -> None:
    assert read(sentence) == ""


@pytest.mark.parametrize(
    ("lines", "closes"),
    [
        pytest.param(
            [
                (
                    "Visite le 20 septembre 2025 à 9 h. Les offres sont reçues jusqu’au 2 octobre "
                    "2025 à 11 h. Ouverture des soumissions le même jour."
                )
            ],
            "2025-10-02 11:00",
            id="between a visit and the opening",
        ),
        pytest.param(
            ["La date limite du 2 octobre 2025 à 11 h est reportée au 9 octobre 2025 à 14 h."],
            "2025-10-09 14:00",
            id="postponed in one sentence",
        ),
        pytest.param(
            ["La date limite est reportée au 9 octobre 2025, au lieu du 2 octobre 2025 à 11 h."],
            "2025-10-09 11:00",
            id="postponed, the old day last",
        ),
        pytest.param(
            ["Date limite : le 9 octobre 2025 à 11 h (reportée)"],
            "2025-10-09 11:00",
            id="postponed, said after",
        ),
        pytest.param(
            ["Les offres sont reçues jusqu’au 2 octobre 2025, de 8 h à 16 h 30"],
            "2025-10-02 16:30",
            id="office hours alone",
        ),
        pytest.param(
            [
                "Les soumissions doivent être reçues avant 11 h le 2 octobre 2025.",
                "ADDENDA : la réception est reportée au 9 octobre 2025 à 11 h.",
            ],
            "2025-10-09 11:00",
            id="postponed below",
        ),
        pytest.param(
            ["Date et heure limites :", "Le jeudi 2 octobre 2025 à 11 h"],
            "2025-10-02 11:00",
            id="the label above",
        ),
        pytest.param(
            ["Date limite", "Voir plus bas", "Les offres sont reçues avant 11 h le 2 octobre 2025"],
            "2025-10-02 11:00",
            id="a label that says nothing",
        ),
        pytest.param(
            ["Les offres sont reçues, en semaine de 8 h à 16 h 30, jusqu’au 2 octobre 2025 à 11 h"],
            "2025-10-02 11:00",
            id="office hours",
        ),
        pytest.param(
            ["Les soumissions sont reçues du 15 septembre 2025 à 8 h au 2 octobre 2025 à 11 h"],
            "2025-10-02 11:00",
            id="from one day to the other",
        ),
        pytest.param(
            [
                (
                    "Les offres sont reçues avant 11 h le 2 octobre 2025, les travaux débutant le "
                    "15 novembre 2025"
                )
            ],
            "2025-10-02 11:00",
            id="the works' own day",
        ),
    ],
)
def test_the_closing_moment_is_found_among_other_days(lines: list[str], closes: str) -> None:
    assert read(*lines) == closes


@pytest.mark.parametrize(
    ("sentence", "moment"),
    [
        pytest.param(
            "avant 01:30 le 2 novembre 2025", datetime(2025, 11, 2, 5, 30, tzinfo=UTC), id="twice"
        ),
        pytest.param(
            "avant 10 h le 3 novembre 2025", datetime(2025, 11, 3, 15, tzinfo=UTC), id="winter"
        ),
    ],
)
def test_hours_are_quebecs_the_earlier_of_two(sentence: str, moment: datetime) -> None:
    found = deadline.find([sentence], published_at=PUBLISHED)
    assert found is not None
    assert found.closes_at == moment


def test_the_sentence_is_kept_as_evidence_and_no_longer_than_a_line() -> None:
    text = (
        "Le parc est beau. Les soumissions doivent être reçues avant 10 h, le 2 octobre 2025, à "
        "l’hôtel de ville. Merci."
    )
    found = deadline.find([text], published_at=PUBLISHED)
    assert found is not None
    assert found.sentence == (
        "Les soumissions doivent être reçues avant 10 h, le 2 octobre 2025, à l’hôtel de ville."
    )
    long = deadline.find([f"avant 10 h le 2 octobre 2025 {'x' * 900}"], published_at=PUBLISHED)
    assert long is not None
    assert (len(long.sentence), long.sentence[-1]) == (300, "…")


@pytest.mark.parametrize(
    "text",
    [
        "soumission " * 20_000,
        "1 " * 50_000,
        "de 8 h a " * 10_000,
        "lundi 1 " * 10_000,
        "avant " * 20_000,
    ],
    ids=["bids", "numbers", "hours", "weekdays", "before"],
)
def test_a_hostile_text_is_read_to_its_end(text: str) -> None:
    assert read(text) == ""


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("mar., 05 nov. 2026", "2026-11-05"),
        ("mercredi 10 septembre 2025", "2025-09-10"),
        ("1er décembre 2025 à 10 h", "2025-12-01"),
        ("2025-09-10", "2025-09-10"),
        ("05/11/2026", ""),
        ("", ""),
    ],
)
def test_a_french_day_is_read_for_what_it_is(written: str, day: str) -> None:
    found = deadline.day(written)
    assert (found.astimezone(QUEBEC).strftime("%Y-%m-%d") if found else "") == day
