"""All that the database holds of a person, read from the schema: every row, every field.

Nothing is chosen by hand, so that a table of tomorrow is in it. Letters come as they were sent;
a notice is named beside its number, so that a reader can tell what a row is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from alerts import persons
from alerts.persons import Person
from base.database import Base, UtcDateTime
from sources.tables import Revision, Tender


@dataclass(frozen=True, slots=True)
class Holding:
    """The rows of one table that are a person's, oldest first; a column's value as stored."""

    table: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter as it was frozen."""

    letter_id: int
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Holdings:
    """All that is held of a person."""

    tables: tuple[Holding, ...]
    letters: tuple[Sent, ...]
    #: Of the notices in those rows: revision -> number and title.
    notices: Mapping[int, str]
    #: cluster -> number and title of a revision of it.
    clusters: Mapping[int, str]


def holdings(session: Session, who: Person) -> Holdings:
    """Every row of every table that is that person's, and nobody else's."""
    rows = persons.rows_of(session, who)
    found = [
        _holding(session, table, rows[table.name])
        for table in persons.tables()
        if table.name in rows
    ]
    revisions = _numbers(found, "revision_id")
    clusters = _numbers(found, "cluster_id")
    return Holdings(
        tables=tuple(found),
        letters=tuple(
            Sent(row["id"], row["content"])
            for holding in found
            if holding.table == "message"
            for row in holding.rows
        ),
        notices=_titles(session, revisions),
        clusters=_of_clusters(session, clusters),
    )


def plain(value: Any) -> Any:  # noqa: ANN401, any column's value
    """A value as JSON has it: moments in ISO 8601 with their zone; octets as their number."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case bytes():
            return f"{len(value)} octets"
        case _:
            return value


def _holding(session: Session, table: Table, condition: Any) -> Holding:  # noqa: ANN401
    ordered = select(table).where(condition).order_by(*table.primary_key.columns)
    rows = tuple(dict(row) for row in session.execute(ordered).mappings())
    return Holding(table.name, tuple(column.name for column in table.columns), rows)


def _numbers(found: list[Holding], column: str) -> set[int]:
    return {row[column] for one in found if column in one.columns for row in one.rows}


def _titles(session: Session, ids: set[int]) -> dict[int, str]:
    rows = session.execute(
        select(Revision.id, Tender.number, Revision.title)
        .join(Tender, Tender.id == Revision.tender_id)
        .where(Revision.id.in_(ids))
    )
    return {row.id: f"{row.number} {row.title}" for row in rows}


def _of_clusters(session: Session, ids: set[int]) -> dict[int, str]:
    rows = session.execute(
        select(Tender.cluster_id, Tender.number, Revision.title)
        .join(Revision, (Revision.tender_id == Tender.id) & (Revision.number == Tender.latest))
        .where(Tender.cluster_id.in_(ids))
        .order_by(Tender.id.desc())
    )
    return {int(row.cluster_id or 0): f"{row.number} {row.title}" for row in rows}


def moments(table: str) -> frozenset[str]:
    """The columns of a table that are moments."""
    columns = Base.metadata.tables[table].columns
    return frozenset(one.name for one in columns if isinstance(one.type, UtcDateTime))
