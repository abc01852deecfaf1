"""The year of notices that pages show: one call of several sources is SEAO's, as in letters."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from alerts.year import Year
from base.database import Database
from sources.tables import Revision, Tender
from tests.coop import AT, DESK, tender


def _both(session: Session, first: str) -> dict[str, tuple[Tender, Revision]]:
    """One call in SEAO's file and in its search, read in that order."""
    made: dict[str, tuple[Tender, Revision]] = {}
    for source in sorted(("seao", "seao_search"), key=lambda one: one != first):
        made[source] = tender(session, source, title=f"Déneigement ({source})")
        made[source][0].source = source
    for one, _ in made.values():
        one.cluster_id = made["seao"][0].id
    session.flush()
    return made


@pytest.mark.parametrize("first", ["seao", "seao_search"])
def test_a_call_of_both_is_shown_as_the_weekly_file_has_it(database: Database, first: str) -> None:
    with database.write() as session:
        made = _both(session, first)
        year = Year(DESK.lexicon)
        year.refresh(session, AT)
        (kept,) = year.calls.values()
    assert (kept.source, kept.revision_id) == ("seao", made["seao"][1].id)


def test_a_call_that_the_weekly_file_ended_is_shown_as_the_other_has_it(
    database: Database,
) -> None:
    with database.write() as session:
        made = _both(session, "seao")
        made["seao"][1].status = made["seao"][0].status = "cancelled"
        session.flush()
        year = Year(DESK.lexicon)
        year.refresh(session, AT + timedelta(hours=1))
        (kept,) = year.calls.values()
    assert (kept.source, kept.active) == ("seao_search", True)
