"""A database of thousands of contacts and two years of weekly editions, for measuring questions.

    python -m benchmarks.two_years var/deux-ans.sqlite3

Titles, buyers and codes are real (samples/seao); members, contacts, letters and what they tell
are invented, and say so. The same seed gives the same rows. Rows are written as the service
leaves them: letters accepted and pruned, the ledger confirmed, an omission where nothing was sent.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from time import perf_counter
from typing import Any

from sqlalchemy import select
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
from base.database import Database, connect, upgrade
from benchmarks import rows
from subscriptions import sectors
from subscriptions.tables import Subscription

#: Calls that a week brings, as in the files of 2026.
CALLS = 420
#: Of the contacts, those whom a week has something for; and the notices of such a letter, at most.
TOLD, MOST = 0.6, 7


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
        self._roster()
        for week in range(self.weeks):
            with self.database.write() as session:
                self._week(session, week)

    def _roster(self) -> None:
        since = wall_time(self.first, 12) - timedelta(days=400)
        rows.readers(self.database, self.contacts, self.random, since)
        with self.database.read() as session:
            asked = session.execute(select(Subscription.contact_id, Subscription.sectors))
            self.chosen = dict(asked.all())

    def _week(self, session: Session, week: int) -> None:
        monday = self.first + timedelta(weeks=week)
        due = wall_time(monday, 6)
        year, number, _ = monday.isocalendar()
        calls = rows.calls(session, CALLS, self.random, due, reading=week + 1)
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
        rows.add(
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
        rows.add(session, Letter, letters)
        rows.add(session, Attempt, [_attempt(one) for one in letters])
        rows.add(session, Told, told)
        rows.add(session, Omission, omitted)
        if week >= self.weeks - 12:
            rows.add(session, NearMissed, self._nearly(calls, due))

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


def _attempt(letter: dict[str, Any]) -> dict[str, Any]:
    return {
        "letter_id": letter["id"],
        "at": letter["settled_at"],
        "phase": "dot",
        "outcome": "accepted",
        "reply": letter["reply"],
    }


if __name__ == "__main__":
    main()
