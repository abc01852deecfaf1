"""Many rows handed to the database as one value.

A parameter for each column of each row costs more than the row itself, where there are thousands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, cast, func, select, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import InstrumentedAttribute, Session

#: As SQLAlchemy keeps a moment on SQLite, which has no type for it.
_MOMENT = "%Y-%m-%d %H:%M:%S.%f"


def unfolded(
    session: Session,
    columns: Sequence[InstrumentedAttribute[Any]],
    rows: Iterable[Sequence[object]],
) -> Select[*tuple[Any, ...]]:
    """Those rows with the columns' types, in their order, for an INSERT ... FROM SELECT.

    Values are what JSON has, or moments.
    """
    sqlite = session.get_bind().dialect.name == "sqlite"
    said = json.dumps(list(rows), ensure_ascii=False, default=_moment_on(sqlite=sqlite))
    given: BindParameter[str] = bindparam("rows", said)
    found: list[ColumnElement[Any]]
    if sqlite:
        one = func.json_each(given).table_valued("value").c.value
        found = [func.json_extract(one, f"$[{n}]") for n in range(len(columns))]
    else:
        one = func.jsonb_array_elements(cast(given, JSONB)).column_valued("value")
        found = [cast(one.op("->>")(n), column.type) for n, column in enumerate(columns)]
    # SQLite would read the ON CONFLICT that follows as the SELECT's own, without its WHERE.
    return select(*found).where(true())


def _moment_on(*, sqlite: bool) -> Callable[[object], str]:
    @lru_cache(maxsize=1000)
    def said(value: object) -> str:
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise TypeError(f"neither JSON nor a moment: {value!r}")
        moment = value.astimezone(UTC)
        return moment.strftime(_MOMENT) if sqlite else moment.isoformat()

    return said
