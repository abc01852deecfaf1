"""The same matching as one join of SQLite, in memory: indexed both ways and analysed.

What a join cannot do is done for it and not measured: each phrase that somebody typed is a term,
and the terms that stand in a tender are rows (found by alerts.words.find, not by the window's
bits), as are the names of its place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from alerts.classification import THRESHOLD
from alerts.matching import Wanted
from alerts.own_words import phrase_of, texts
from alerts.territory import Name, named, names
from alerts.window import Candidate
from alerts.words import Phrase, find, index

_TABLES = """
CREATE TABLE tender (id INTEGER PRIMARY KEY, category TEXT, days_left INTEGER, is_open INTEGER);
CREATE TABLE subscription (
    id INTEGER PRIMARY KEY, minimum INTEGER, anywhere INTEGER, any_category INTEGER,
    excludes INTEGER
);
"""
_PAIR = "CREATE TABLE {0} ({1} INTEGER, {2} {3}, PRIMARY KEY ({1}, {2})) WITHOUT ROWID"
_PAIRS = (
    ("tender_term", "term", "tender", "INTEGER"),
    ("tender_place", "tender", "place", "INTEGER"),
    ("tender_sector", "tender", "sector", "TEXT"),
    ("wanted_sector", "subscription", "sector", "TEXT"),
    ("own_word", "subscription", "term", "INTEGER"),
    ("excluded_word", "subscription", "term", "INTEGER"),
    ("wanted_place", "subscription", "place", "INTEGER"),
    ("wanted_category", "subscription", "category", "TEXT"),
)
_INDEXES = """
CREATE INDEX sector_of ON tender_sector (sector, tender);
CREATE INDEX term_of ON tender_term (tender, term);
CREATE INDEX place_of ON tender_place (place, tender);
CREATE INDEX wants_sector ON wanted_sector (sector, subscription);
CREATE INDEX wants_term ON own_word (term, subscription);
ANALYZE;
"""
_JOIN = """
WITH found (subscription, tender) AS (
    SELECT w.subscription, t.tender FROM wanted_sector w JOIN tender_sector t USING (sector)
    UNION
    SELECT w.subscription, t.tender FROM own_word w JOIN tender_term t USING (term)
)
SELECT f.subscription, f.tender
FROM found f JOIN subscription s ON s.id = f.subscription JOIN tender t ON t.id = f.tender
WHERE (t.days_left IS NULL OR t.days_left >= s.minimum)
  AND (s.any_category OR t.category = '' OR EXISTS (
    SELECT 1 FROM wanted_category c WHERE c.subscription = s.id AND c.category = t.category))
  AND (s.anywhere OR t.is_open OR EXISTS (
    SELECT 1 FROM wanted_place p JOIN tender_place q USING (place)
    WHERE p.subscription = s.id AND q.tender = t.id))
  AND (NOT s.excludes OR NOT EXISTS (
    SELECT 1 FROM excluded_word e JOIN tender_term x USING (term)
    WHERE e.subscription = s.id AND x.tender = t.id))
"""


class Joined:
    """Tenders and subscriptions as rows."""

    def __init__(self, tenders: Mapping[int, Candidate], wanted: Sequence[Wanted]) -> None:
        self._terms: dict[Phrase, int] = {}
        self._places: dict[Name, int] = {}
        self._connection = sqlite3.connect(":memory:")
        self._connection.executescript(_TABLES)
        for pair in _PAIRS:
            self._connection.execute(_PAIR.format(*pair))
        for number, one in enumerate(wanted):
            self._subscribe(number, one)
        for number, tender in tenders.items():
            self._offer(number, tender)
        self._connection.executescript(_INDEXES)

    def pairs(self) -> list[tuple[int, int]]:
        """Each subscription's number with each tender that is for it, in any order."""
        return self._connection.execute(_JOIN).fetchall()

    def close(self) -> None:
        """Let the rows go."""
        self._connection.close()

    def _subscribe(self, number: int, one: Wanted) -> None:
        places = {self._places.setdefault(name, len(self._places)) for name in named(one.territory)}
        own, excluded = self._numbers(one.own_words), self._numbers(one.excluded_words)
        row = (number, one.minimum_days_left, not places, not one.categories, bool(excluded))
        self._connection.execute("INSERT INTO subscription VALUES (?, ?, ?, ?, ?)", row)
        self._put("wanted_sector", ((number, slug) for slug in one.sectors))
        self._put("own_word", ((number, term) for term in own))
        self._put("excluded_word", ((number, term) for term in excluded))
        self._put("wanted_place", ((number, place) for place in places))
        self._put("wanted_category", ((number, category) for category in one.categories))

    def _offer(self, number: int, tender: Candidate) -> None:
        where = names(tender.place)
        row = (number, tender.facts.category, tender.days_left, where is None)
        self._connection.execute("INSERT INTO tender VALUES (?, ?, ?, ?)", row)
        told = {one.sector for one in tender.classified if one.score >= THRESHOLD}
        self._put("tender_sector", ((number, sector) for sector in told))
        phrases = index(self._terms)
        terms = {
            self._terms[hit.phrase] for text in texts(tender.facts) for hit in find(text, phrases)
        }
        self._put("tender_term", ((term, number) for term in terms))
        known = {self._places[name] for name in where or () if name in self._places}
        self._put("tender_place", ((number, place) for place in known))

    def _numbers(self, typed: Iterable[str]) -> set[int]:
        phrases = filter(None, map(phrase_of, typed))
        return {self._terms.setdefault(one, len(self._terms)) for one in phrases}

    def _put(self, table: str, rows: Iterable[tuple[object, object]]) -> None:
        self._connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)  # noqa: S608, ours
