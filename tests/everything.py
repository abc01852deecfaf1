"""A person with a row in every table of the schema, made from the schema: a new table is in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Integer,
    LargeBinary,
    String,
    Table,
    insert,
)
from sqlalchemy.orm import Session

from alerts import persons
from alerts.scrubbing import PUBLISHED
from base.database import UtcDateTime
from base.inventory import Tie, kept_in
from base.packed import Packed

AT = datetime(2026, 9, 21, 10, tzinfo=UTC)
#: Fields whose value decides what a row is; the rest of the texts quote the person's address.
_MEANT: dict[tuple[str, str], Any] = {
    ("letter", "state"): "accepted",
    ("letter", "gate"): "full",
    ("event", "what"): "moved",
    ("subscription", "frequency"): "weekly",
    ("subscription", "end_reason"): "",
    ("subscription", "ended_at"): None,
    ("contact", "ended_at"): None,
    ("contact", "erased_at"): None,
    ("suppression", "digest"): "",
    ("suppression", "lifted_at"): None,
    ("membership", "ends_at"): None,
    ("consent", "ends_at"): None,
    ("contact", "merged_into_id"): None,
    ("membership", "superseded_at"): None,
    ("edition", "without_week"): False,
    ("concern", "settled_at"): None,
    ("hold", "lifted_at"): None,
    ("edition", "state"): "written",
}


@dataclass
class Everything:
    """What was filled in."""

    address: str
    name: str
    #: table -> the id of its one row.
    ids: dict[str, int] = field(default_factory=dict)
    #: (table, column) -> a text that only that row holds.
    texts: dict[tuple[str, str], str] = field(default_factory=dict)


def fill(session: Session, address: str, name: str, *, at: datetime = AT) -> Everything:
    """One row in each table, about that person as far as the table can be."""
    made = Everything(address, name)
    # Last, what names the person by its number in a text.
    last = {Tie.SUBJECT, Tie.DETAIL}
    for table in sorted(persons.tables(), key=lambda one: kept_in(one.name).tie in last):
        if table.name == "address_key":
            continue
        values = {one.name: _value(made, table, one, at) for one in table.columns if _given(one)}
        result = session.execute(insert(table).values(values))
        key = result.inserted_primary_key
        assert key is not None
        made.ids[table.name] = key[0]
    session.flush()
    return made


def _given(column: Column[Any]) -> bool:
    counted = column.primary_key and isinstance(column.type, Integer)
    return not counted or bool(column.foreign_keys)


def _value(made: Everything, table: Table, column: Column[Any], at: datetime) -> Any:
    where = (table.name, column.name)
    if where in _MEANT:
        return _MEANT[where]
    for key in column.foreign_keys:
        return made.ids[key.column.table.name]
    contact = made.ids.get("contact", 0)
    special = {
        ("contact", "address"): made.address,
        ("contact", "name"): made.name,
        ("contact", "public_id"): hashlib.sha256(made.address.encode()).hexdigest()[:16],
        ("event", "public_id"): hashlib.sha256(made.name.encode()).hexdigest()[:16],
        ("event", "old_address"): made.address,
        ("event", "new_address"): made.address,
        ("letter", "address"): made.address,
        ("letter", "membership_id"): made.ids.get("membership"),
        ("suppression", "address"): made.address,
        ("audit", "subject"): f"contact:{contact}",
        ("audit", "before"): {"nom": made.name, "adresse": made.address},
        ("audit", "after"): {"nom": made.name, "mots": [made.address]},
        ("concern", "detail"): {"contact": contact, "note": made.address},
        ("consent", "evidence"): f"formulaire de {made.name}, {made.address.upper()}",
    }
    if where in special:
        return special[where]
    return _any(made, table, column, at)


def _any(made: Everything, table: Table, column: Column[Any], at: datetime) -> Any:
    number = len(made.ids) * 100 + len(made.texts) + int(made.address.encode().hex()[:4], 16)
    kind = type(column.type)
    if issubclass(kind, String):
        return _text(made, table, column)
    if issubclass(kind, JSON):
        return _json(made, table, column)
    if issubclass(kind, (LargeBinary, Packed)):
        whose = "public" if table.name in PUBLISHED | {"staff_letter"} else made.address
        return f"To: {whose}\r\n\r\nBonjour".encode()
    return {UtcDateTime: at - timedelta(hours=1), Date: date(2026, 9, 1), Boolean: False}.get(
        kind, number
    )


def _json(made: Everything, table: Table, column: Column[Any]) -> Any:
    if table.name in PUBLISHED:
        return {} if column.name in {"counts", "carried"} else []
    return [{"mot": made.address}] if column.name == "reasons" else [made.address]


def _text(made: Everything, table: Table, column: Column[Any]) -> str:
    length = column.type.length if isinstance(column.type, String) else None
    where = (table.name, column.name)
    tag = hashlib.sha256(f"{made.address}{where}".encode()).hexdigest()
    unique = (
        column.unique
        or column.primary_key
        or column.name in {"public_id", "token", "key", "sha256", "name_key"}
    )
    quoted = "" if unique or table.name in PUBLISHED else made.address
    text = f"{quoted} {tag}"[: min(length or 64, 64)].strip()
    if len(text) > 12:
        made.texts[where] = text
    return text
