"""What letters say of the sources: each by its name, read when, with how many open notices."""

from __future__ import annotations

from datetime import timedelta

from alerts import crediting
from base.database import Database
from sources.reading import read_path
from tests.coop import AT
from tests.packages import SAMPLES


def test_each_source_is_named_once_with_its_open_calls_and_when_it_was_read(
    database: Database,
) -> None:
    read_path(database, SAMPLES, at=AT)
    with database.read() as session:
        covered = crediting.covered(session, AT)
    names = [one.source for one in covered.coverage]
    assert len(names) == len(set(names))
    seao = covered.coverage[names.index("SEAO")]
    assert seao.read_at == AT
    assert seao.notices > 0
    unread = [one for one in covered.coverage if one.source != "SEAO"]
    assert {(one.read_at, one.notices) for one in unread} == {(None, 0)}


def test_closed_calls_are_not_counted_and_lateness_is_a_gap(database: Database) -> None:
    read_path(database, SAMPLES, at=AT)
    later = AT + timedelta(days=400)
    with database.read() as session:
        now, then = crediting.covered(session, AT), crediting.covered(session, later)
    assert now.gaps == ()
    assert [gap.source for gap in then.gaps] == ["SEAO"]
    assert max(one.notices for one in then.coverage) < max(one.notices for one in now.coverage)
