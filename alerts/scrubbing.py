"""An address or a name taken out of free text: replies, evidence, details, what staff noted.

Every text and JSON column of every table is looked through, but for what sources publish: an
address in a public notice is the notice's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, String, Table, Text, cast, func, or_, update
from sqlalchemy import select as select_
from sqlalchemy.orm import Session

from alerts import persons
from alerts.persons import Person, Rows
from base.inventory import Tie, kept_in

#: What is written in its place.
GONE = "[effacé]"
#: Tables of what was published, or handed over by a municipality.
PUBLISHED = frozenset({"tender", "revision", "reading", "visit", "attachment", "edition"})
#: A shorter name would be found in other words.
_SHORTEST_NAME = 5


def scrub(session: Session, who: Person, rows: Rows) -> int:
    """Take the person's addresses out of every text, and its names out of its own rows.

    How many rows that changed.
    """
    changed = 0
    everywhere = spellings(who.addresses)
    names = [name for name in who.names if len(name) >= _SHORTEST_NAME]
    for table in persons.tables():
        if table.name in PUBLISHED or not everywhere:
            continue
        changed += _scrub(session, table, everywhere, None)
        if table.name in rows and kept_in(table.name).tie is not Tie.MEMBER:
            changed += _scrub(session, table, names, rows[table.name])
    return changed


def spellings(addresses: Iterable[str]) -> list[str]:
    """Each address as it is stored and, where its domain has other letters, as it is read."""
    found = []
    for address in addresses:
        found.append(address)
        local, _, domain = address.rpartition("@")
        if "xn--" in domain:
            found.append(f"{local}@{domain.encode().decode('idna')}")
    return found


def _scrub(
    session: Session, table: Table, needles: list[str], only: ColumnElement[bool] | None
) -> int:
    columns = [column for column in table.c if _is_text(column)]
    if not columns or not needles:
        return 0
    key = list(table.primary_key.columns)
    pattern = re.compile("|".join(re.escape(one) for one in needles), re.IGNORECASE)
    wanted = select_(*key, *columns).where(or_(*_mentions(columns, needles)))
    found = session.execute(wanted if only is None else wanted.where(only)).mappings().all()
    for row in found:
        values = {one.name: _without(row[one.name], pattern) for one in columns}
        changed = {name: value for name, value in values.items() if value != row[name]}
        if changed:
            where = [column == row[column.name] for column in key]
            session.execute(update(table).where(*where).values(changed))
    return len(found)


def _is_text(column: Column[Any]) -> bool:
    return isinstance(column.type, String | JSON) and not column.primary_key


def _mentions(columns: list[Column[Any]], needles: list[str]) -> Iterator[ColumnElement[bool]]:
    for column in columns:
        text = func.lower(cast(column, Text) if isinstance(column.type, JSON) else column)
        for needle in needles:
            # What is not ASCII is escaped in JSON, and no database's lower() is sure to fold it.
            part = max(re.split(r"[^ -!#-\[\]-~]+", needle.lower()), key=len)
            yield text.contains(part, autoescape=True)


def _without(value: Any, pattern: re.Pattern[str]) -> Any:  # noqa: ANN401, any JSON value
    match value:
        case str():
            return pattern.sub(GONE, value)
        case list():
            return [_without(one, pattern) for one in value]
        case dict():
            return {_without(k, pattern): _without(one, pattern) for k, one in value.items()}
        case _:
            return value
