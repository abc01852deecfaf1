"""What the database keeps: each table and field, why, how long, how it is a person's.

Read from templates/pages/inventory.toml (Loi 25, RLRQ c. P-39.1, arts. 3.2, 8, 23), which is
also the members' privacy page: what they are told is what is applied.
"""

from __future__ import annotations

import calendar
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from base.database import ROOT

INVENTORY = ROOT / "templates" / "pages" / "inventory.toml"
#: Since when a limit counts, where it is no field of the row: the contact was removed from the
#: roster, or its enterprise's last membership ended.
DEPARTURE = "départ"


class Tie(StrEnum):
    """How the rows of a table are a person's."""

    CONTACT = "contact"  #: by the foreign keys that lead to `contact`
    MEMBER = "entreprise"  #: the enterprise that the person is a contact of
    ADDRESS = "adresse"
    SUBJECT = "sujet"  #: "contact:12"
    DETAIL = "détail"  #: a number in its detail
    NONE = "aucun"


@dataclass(frozen=True, slots=True)
class Term:
    """A time as it is said: «13 mois», «90 jours»."""

    number: int
    #: "mois" or "jours".
    unit: str

    def before(self, at: datetime) -> datetime:
        """That time before `at`; a day that the month lacks is its last one."""
        if self.unit == "jours":
            return at - timedelta(days=self.number)
        years, month = divmod(at.year * 12 + at.month - 1 - self.number, 12)
        last = calendar.monthrange(years, month + 1)[1]
        return at.replace(year=years, month=month + 1, day=min(at.day, last))

    def __str__(self) -> str:
        return f"{self.number} {self.unit}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """After this time the row goes, or some of its fields are emptied."""

    term: Term
    #: A column, or DEPARTURE.
    since: str
    #: The table whose columns are meant, and to whose row this one belongs; "" for its own.
    of: str
    #: Only rows whose column is one of these …
    only: Mapping[str, list[str]]
    #: … and none of these.
    unless: Mapping[str, list[str]]
    #: The fields that are emptied; none: the row is deleted.
    emptied: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One table: why it is kept, for how long, who sees it, what an erasure does to it."""

    table: str
    title: str
    purpose: str
    retention: str
    access: str
    limits: tuple[Limit, ...]
    tie: Tie
    #: What the erasure of a person empties of its rows; None: it deletes them; (): it keeps them.
    erased: tuple[str, ...] | None
    #: Fields about a person -> what they are, in French.
    personal: dict[str, str]
    #: All its other fields.
    technical: tuple[str, ...]


@cache
def inventory() -> tuple[Kept, ...]:
    """The inventory, in the file's order."""
    document = tomllib.loads(INVENTORY.read_text("utf-8"))
    return tuple(
        Kept(
            table=table,
            title=entry["titre"],
            purpose=entry["but"],
            retention=entry["duree"],
            access=entry["acces"],
            limits=tuple(_limit(one) for one in entry["limites"]),
            tie=Tie(entry["lien"]),
            erased=None if entry["effacer"] == "lignes" else tuple(entry["effacer"]),
            personal=dict(entry["personnel"]),
            technical=tuple(entry["technique"]),
        )
        for table, entry in document.items()
    )


def kept_in(table: str) -> Kept:
    """The inventory's entry of one table; KeyError where it lacks."""
    return {one.table: one for one in inventory()}[table]


def term(text: str) -> Term:
    """«13 mois»; ValueError for any other writing."""
    number, unit = text.split(" ")
    if unit not in {"mois", "jours"}:
        raise ValueError(text)
    return Term(int(number), unit)


def _limit(entry: Mapping[str, object]) -> Limit:
    only, unless, emptied = entry.get("si", {}), entry.get("sauf", {}), entry.get("vider", [])
    assert isinstance(only, dict)  # noqa: S101, the file is ours and a test reads it
    assert isinstance(unless, dict)  # noqa: S101, the same
    assert isinstance(emptied, list)  # noqa: S101, the same
    return Limit(
        term=term(str(entry["apres"])),
        since=str(entry["depuis"]),
        of=str(entry.get("de", "")),
        only=only,
        unless=unless,
        emptied=tuple(emptied),
    )
