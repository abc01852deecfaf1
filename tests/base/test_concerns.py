"""What a person must look at is said once, until it is settled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from base import concerns
from base.database import Database

AT = datetime(2026, 9, 21, 10, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
KEY = "source:seao:late"


def test_the_same_concern_is_raised_once_and_anew_once_it_was_settled(database: Database) -> None:
    with database.write() as session:
        raised = {"key": KEY, "cause": "late", "detail": {"source": "seao"}}
        assert concerns.raise_concern(session, **raised, at=AT)
        assert not concerns.raise_concern(session, **raised, at=LATER)
        assert [one.raised_at for one in concerns.standing(session)] == [AT]
        assert concerns.settle(session, KEY, at=LATER)
        assert not concerns.settle(session, KEY, at=LATER)
        assert concerns.standing(session) == []
        assert concerns.raise_concern(session, **raised, at=LATER)
        session.expire_all()
        assert [one.raised_at for one in concerns.standing(session)] == [LATER]
