"""One memory of compiled statements for all the databases of a run.

An engine is made anew with each test and each command, and would compile every statement anew:
up to a third of a test's time.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, make_url

#: By kind of database, the engine that asked the server what it can.
_FIRST: dict[str, Engine] = {}
#: All statements of the service are fewer.
_REMEMBERED = 2000


def remembering(url: str | URL, **options: Any) -> Engine:
    """As `create_engine`: connections of its own, and what earlier engines compiled."""
    kind = make_url(url).get_backend_name()
    first = _FIRST.get(kind)
    if first is None or first.dialect.server_version_info is None:
        made = _FIRST[kind] = create_engine(url, query_cache_size=_REMEMBERED, **options)
        return made
    made = create_engine(url, _initialize=False, **options)
    # What is compiled is remembered for one dialect object.
    made.dialect, made._compiled_cache = first.dialect, first._compiled_cache
    return made
