"""A database of thousands of contacts and two years of weekly editions, for measuring questions.

    python -m benchmarks.two_years var/deux-ans.sqlite3

Titles, buyers and codes are real (samples/seao); members, contacts, letters and what they tell
are invented, and say so. The same seed gives the same rows. Rows are written as the service
leaves them: letters accepted and pruned, the ledger confirmed, an omission where nothing was sent.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from random import Random
from time import perf_counter
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from alerts.tables import (
    Attempt,
    Edition,
    EditionState,
    Letter,
    LetterState,
    NearMissed,
    Omission,
    Told,
    ToldState,
    Why,
)
from base.clock import wall_time
from base.database import Base, Database, connect, upgrade
from benchmarks.seao_notices import notices
from benchmarks.two_years_rows import attempt_row, revision_row, tender_row
from sources import places
from sources.tables import Reading, Revision, Tender
from subscriptions import sectors
from subscriptions.tables import Basis, Consent, Contact, Member, Membership, Origin, Subscription

#: Calls that a week brings, as in the files of 2026.
CALLS = 420
#: Of the contacts, those whom a week has something for; and the notices of such a letter, at most.
TOLD, MOST = 0.6, 7
ROWS = 10_000


def main() -> None:
    """Make the database at the address or path that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("where", help="a path, or a SQLAlchemy address")
    parser.add_argument("--contacts", type=int, default=5000)
    parser.add_argument("--weeks", type=int, default=104)
    asked = parser.parse_args()
    url = asked.where if "://" in asked.where else f"sqlite:///{asked.where}"
    upgrade(url)
    database = connect(url)
    begun = perf_counter()
    TwoYears(database, contacts=asked.contacts, weeks=asked.weeks).write()
    database.dispose()
    print(f"{asked.contacts} contacts x {asked.weeks} weeks in {perf_counter() - begun:.0f} s")


class TwoYears:
    """Weeks that end on the Monday before `until`."""

    def __init__(
        self,
        database: Database,
        *,
        contacts: int,
        weeks: int,
        until: date = date(2026, 9, 21),
        seed: int = 1,
    ) -> None:
        self.database = database
        self.contacts = contacts
        self.weeks = weeks
        self.first = until - timedelta(weeks=weeks - 1)
        self.random = Random(seed)  # noqa: S311, not for secrets
        self.slugs = [sector.slug for sector in sectors.load()]
        self.chosen: dict[int, list[str]] = {}
        self.letters = self.told = 0

    def write(self) -> None:
        """All rows, a transaction a week."""
        with self.database.write() as session:
            self._roster(session)
        for week in range(self.weeks):
            with self.database.write() as session:
                self._week(session, week)

    def _roster(self, session: Session) -> None:
        since = wall_time(self.first, 12) - timedelta(days=400)
        rows: dict[type[Base], list[dict[str, Any]]] = {}
        for number in range(1, self.contacts + 1):
            for table, row in self._contact(number, since):
                rows.setdefault(table, []).append(row)
        for table, every in rows.items():
            _add(session, table, every)

    def _contact(self, number: int, since: datetime) -> Iterator[tuple[type[Base], dict[str, Any]]]:
        name = f"Coop fictive {number}"
        self.chosen[number] = self.random.sample(self.slugs, 3)
        known = {"recorded_at": since, "recorded_by": "essai"}
        yield Member, {"id": number, "name": name, "name_key": name.lower(), "created_at": since}
        yield Membership, {"id": number, "member_id": number, "starts_at": since, **known}
        yield (
            Contact,
            {
                "id": number,
                "public_id": f"{number:016x}",
                "member_id": number,
                "name": f"Personne fictive {number}",
                "address": f"contact{number}@exemple.quebec",
                "created_at": since,
            },
        )
        yield (
            Consent,
            {"contact_id": number, "basis": Basis.EXPRESS, "starts_at": since, **known},
        )
        yield (
            Subscription,
            {
                "contact_id": number,
                "frequency": "weekly",
                "sectors": self.chosen[number],
                "started_at": since,
                "origin": Origin.ROSTER,
            },
        )

    def _week(self, session: Session, week: int) -> None:
        monday = self.first + timedelta(weeks=week)
        due = wall_time(monday, 6)
        year, number, _ = monday.isocalendar()
        calls = self._calls(session, week, due)
        edition = week + 1
        told: list[dict[str, Any]] = []
        letters: list[dict[str, Any]] = []
        omitted: list[dict[str, Any]] = []
        for contact in range(1, self.contacts + 1):
            if self.random.random() < TOLD:
                letters.append(self._letter(edition, f"{year}-W{number:02}", contact, due))
                notices_of = list(self._told(contact, calls, due))
                letters[-1]["notices"] = len(notices_of)
                told += notices_of
            else:
                values = {"contact_id": contact, "why": Why.NOTHING}
                omitted.append({"at": due, "edition_id": edition, **values})
        _add(
            session,
            Edition,
            [
                {
                    "id": edition,
                    "frequency": "weekly",
                    "label": f"{year}-W{number:02}",
                    "starts_at": due - timedelta(days=7, hours=6),
                    "ends_at": due - timedelta(hours=6),
                    "opened_at": due,
                    "written_at": due,
                    "state": EditionState.WRITTEN,
                    "letters": len(letters),
                    "notices": len(told),
                }
            ],
        )
        _add(session, Letter, letters)
        _add(session, Attempt, [attempt_row(one) for one in letters])
        _add(session, Told, told)
        _add(session, Omission, omitted)
        if week >= self.weeks - 12:
            _add(session, NearMissed, self._nearly(calls, due))

    def _calls(self, session: Session, week: int, due: datetime) -> range:
        """The week's calls, read on the morning of the edition."""
        session.add(Reading(id=week + 1, source="seao", at=due, address=f"{week}.json"))
        session.flush()
        first = week * CALLS + 1
        tenders, revisions = [], []
        directory = places.load()
        for number in range(first, first + CALLS):
            notice = self.random.choice(notices())
            closes_at = due + timedelta(days=self.random.randint(5, 30), hours=5)
            place = places.place(
                directory,
                buyer=notice.buyer,
                municipal=notice.municipal == "1",
                locality="",
                postal_code="",
            )
            tenders.append(tender_row(number, due, closes_at))
            revisions.append(
                revision_row(
                    number,
                    reading=week + 1,
                    notice=notice,
                    place=place,
                    seen_at=due,
                    closes_at=closes_at,
                )
            )
        _add(session, Tender, tenders)
        _add(session, Revision, revisions)
        return range(first, first + CALLS)

    def _letter(self, edition: int, label: str, contact: int, due: datetime) -> dict[str, Any]:
        self.letters += 1
        left = due + timedelta(seconds=60 + self.random.random() * 600)
        return {
            "id": self.letters,
            "key": f"digest:weekly:{label}:{contact}",
            "edition_id": edition,
            "contact_id": contact,
            "address": f"contact{contact}@exemple.quebec",
            "message_id": f"<{self.letters}@alertes.exemple.quebec>",
            "content": None,
            "sha256": f"{self.letters:064x}",
            "size": 20_000,
            "notices": 1,
            "state": LetterState.ACCEPTED,
            "written_at": due,
            "expires_at": due + timedelta(days=3),
            "next_attempt_at": due,
            "attempts": 1,
            "in_doubt_at": left,
            "settled_at": left + timedelta(seconds=1),
            "membership_id": contact,
            "reply": f"250 2.0.0 Ok: queued as {self.letters:X}",
        }

    def _told(self, contact: int, calls: range, due: datetime) -> Iterator[dict[str, Any]]:
        for call in self.random.sample(calls, self.random.randint(1, MOST)):
            self.told += 1
            sector = self.random.choice(self.chosen[contact])
            yield {
                "id": self.told,
                "contact_id": contact,
                "cluster_id": call,
                "kind": "new",
                "occasion": "-",
                "revision_id": call,
                "letter_id": self.letters,
                "state": ToldState.CONFIRMED,
                "at": due,
                "reasons": [{"sector": sector, "evidence": "« essai » dans le titre"}],
                "days_left": self.random.randint(4, 30),
            }

    def _nearly(self, calls: range, due: datetime) -> list[dict[str, Any]]:
        return [
            {
                "contact_id": contact,
                "revision_id": self.random.choice(calls),
                "at": due,
                "score": 0.3,
                "lacked": "sector",
                "detail": self.random.choice(self.slugs),
            }
            for contact in range(1, self.contacts + 1)
        ]


def _add(session: Session, table: type[Base], rows: Iterable[dict[str, Any]]) -> None:
    every = list(rows)
    for start in range(0, len(every), ROWS):
        session.execute(insert(table), every[start : start + ROWS])


if __name__ == "__main__":
    main()
