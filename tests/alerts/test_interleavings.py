"""The campaigns' short versions: every change at every phase, and schedulers in real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from alerts import entitlement
from alerts.tables import Letter, LetterState, Why
from base import locks
from base.clock import utc_now
from base.database import Database
from campaigns import interleavings, schedulers
from campaigns.changes import CHANGES
from campaigns.plans import AFTER, BEFORE, LOT
from tests.coop import entitled, letter
from tests.mailserver import mail_server


def test_no_letter_begins_after_a_change_was_committed(database: Database) -> None:
    """Each of the changes at each of the phases, once; seeded. `make campaign`: 10,000."""
    assert len(CHANGES) * len((*BEFORE, *AFTER)) == LOT
    counted = interleavings.interleave(database, LOT, seed=20260921)
    assert {name: counted[name] for name in interleavings.ZEROS} == dict.fromkeys(
        interleavings.ZEROS, 0
    )
    assert counted["interleavings"] == LOT
    assert counted["accepted"] == len(CHANGES) * len(AFTER)


def _without(why: Why, patch: pytest.MonkeyPatch) -> None:
    plain = entitlement._letter_guards
    patch.setattr(
        entitlement, "_letter_guards", lambda *a: [pair for pair in plain(*a) if pair[0] != why]
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "why",
    [Why.SUBSCRIPTION, Why.MEMBERSHIP, Why.SUPPRESSED, Why.PAUSED, Why.ADDRESS, Why.CONSENT],
)
def test_the_interleavings_notice_a_guard_that_is_gone(
    database: Database, monkeypatch: pytest.MonkeyPatch, why: Why
) -> None:
    _without(why, monkeypatch)
    assert interleavings.interleave(database, LOT, seed=1)["wrongful"] > 0


@pytest.mark.parametrize("mutant", ["rows", "absences"])
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_interleavings_notice_a_lock_that_is_gone(
    database: Database, monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    """Without it a change is committed between the statement's reading and its commit."""
    monkeypatch.setattr(interleavings, "OPEN_FOR", 2.0)
    if mutant == "rows":
        monkeypatch.setattr(entitlement, "_lock_rows", lambda *_: None)
    else:
        monkeypatch.setattr(locks, "relying", lambda *_: None)
    assert interleavings.interleave(database, LOT, seed=1)["wrongful"] > 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_interleavings_notice_a_dot_that_asks_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def always(*_: object) -> bool:
        return True

    monkeypatch.setattr("alerts.dispatch._Run._may_finish", always)
    counted: Counter[str] = interleavings.interleave(database, LOT, seed=1)
    assert counted["wrongful"] > 0
    assert counted["lies"] == 0


def test_schedulers_at_once_make_one_run_and_one_copy(database_url: str, tmp_path: Path) -> None:
    """Real processes; `make campaign`: eight of them, 200 times."""
    counted = schedulers.compete(database_url, tmp_path, trials=2, schedulers=4)
    assert {name: counted[name] for name in schedulers.ZEROS} == dict.fromkeys(schedulers.ZEROS, 0)
    assert (counted["runs"], counted["accepted"]) == (4, 16)


def _settings(database_url: str, folder: Path, port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "TENANT_NAME": "Coop fictive",
        "POSTAL_ADDRESS": "1, rue Fictive, Saint-Jérôme (Québec)",
        "CONTACT_EMAIL": "info@exemple.quebec",
        "PRIVACY_OFFICER": "Direction générale, vie-privee@exemple.quebec",
        "PUBLIC_URL": "https://alertes.exemple.quebec",
        "LINK_KEYS": "k" * 40,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(port),
        "SMTP_TLS": "none",
        "AUTHOR_EMAIL": "alertes@exemple.quebec",
        "BOUNCE_EMAIL": "retours@exemple.quebec",
        "LIST_DOMAIN": "alertes.exemple.quebec",
        "MAIL_ALLOWED": "*",
        "JOURNAL_FILE": str(folder / "journal"),
        # Nobody listens there: no source is read.
        "SEAO_PACKAGE_URL": "http://127.0.0.1:1/",
        "FEDERAL_NOTICES": "false",
    }


async def test_staff_send_while_the_service_runs_and_each_letter_leaves_once(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """`alertes envois envoyer` twice beside `python -m alerts`, each a process of its own."""
    now = utc_now()
    names = [f"membre{number}" for number in range(30)]
    with database.write() as session:
        for name in names:
            letter(session, entitled(session, name), at=now - timedelta(minutes=1))
    async with mail_server() as mailbox:
        settings = _settings(database_url, tmp_path, mailbox.port)
        service, *staff = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", *arguments, cwd=tmp_path, env=settings
            )
            for arguments in (["alerts"], *[["scripts", "envois", "envoyer"]] * 2)
        ]
        codes = [await one.wait() for one in staff]
        for _ in range(600):
            if len(mailbox.received) >= len(names):
                break
            await asyncio.sleep(0.1)
        service.send_signal(signal.SIGTERM)
        assert await service.wait() == 0
    assert codes == [0, 0]
    assert sorted(mailbox.recipients) == sorted(f"{name}@exemple.quebec" for name in names)
    with database.read() as session:
        assert set(session.scalars(select(Letter.state))) == {LetterState.ACCEPTED}
