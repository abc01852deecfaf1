"""A week of a co-op: the SEAO's file, the letters, a click to leave, the next Monday."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
import trustme
from sqlalchemy import select
from starlette.testclient import TestClient

from alerts import holds
from alerts.delivery import Relay
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.service import Service, run
from alerts.tables import Letter, LetterState, Omission, Why
from base.database import Database
from base.settings import Identity
from pages.app import create
from sources import catalogue
from sources.reading import Network, read_path
from subscriptions import importing, roster
from tests.coop import AT, CATALOGUE, DESK
from tests.mailserver import Mailbox, mail_server
from tests.packages import SAMPLES

ROSTER = SAMPLES.parent / "roster" / "membres_fictifs.csv"
IDENTITY = Identity(
    tenant_name="Coop fictive",
    postal_address="1, rue Fictive",
    contact_email="bonjour@exemple.quebec",
    privacy_officer="Responsable fictive",
    public_url="https://x.quebec",
)
Serving = tuple[Service, Mailbox]
#: Who the roster says may not be mailed: two ended, one suspended, two without consent.
NEVER = {"boreal", "vallees", "compost", "habitations", "solidarite"}


@pytest.fixture
def coop(database: Database) -> Database:
    """The real notices and the fictional roster, as of the Monday at six."""
    read_path(database, SAMPLES, at=AT)
    with database.write() as session:
        importing.take_in(session, roster.read(ROSTER.read_bytes(), CATALOGUE), at=AT, by="essai")
        holds.release_first_run(session, by="essai", at=AT)
    return database


def _service(database: Database, handing: Handing, now: Callable[[], datetime]) -> Service:
    return Service(
        database=database,
        desk=DESK,
        handing=handing,
        # Nothing answers there: a source that is down must not keep letters from leaving.
        sources=catalogue.configured(
            {"seao": "https://127.0.0.1:9/package_show"}, off=("canadabuys",)
        ),
        network=Network(),
        postfix_log=None,
        now=now,
        stop=threading.Event(),
    )


@asynccontextmanager
async def _serving(database: Database, folder: Path, at: datetime) -> AsyncIterator[Serving]:
    """A mail server that speaks verified TLS, and the service of that moment before it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    async with mail_server(context) as mailbox:
        relay = Relay(host="localhost", port=mailbox.port, tls="starttls", ca_file=ca_file)
        handing = Handing(
            relay=relay,
            sender="retours@exemple.quebec",
            allowed=frozenset({"*"}),
            journal=open_journal(folder / "journal"),
        )
        yield _service(database, handing, lambda: at), mailbox


async def _ticked(database: Database, folder: Path, at: datetime) -> Mailbox:
    """What arrives of one tick of the service at `at`."""
    async with _serving(database, folder, at) as (service, mailbox):
        for step in (service.read, service.write, service.send):
            await asyncio.to_thread(step)
    return mailbox


def _message(content: bytes) -> EmailMessage:
    return message_from_bytes(content, EmailMessage, policy=default)


async def test_the_week_s_file_becomes_letters_to_entitled_members_only(
    coop: Database, tmp_path: Path
) -> None:
    mailbox = await _ticked(coop, tmp_path, AT)

    assert mailbox.recipients
    assert not [one for one in mailbox.recipients if one.split("@")[1].split(".")[0] in NEVER]
    assert len(set(mailbox.recipients)) == len(mailbox.recipients)
    with coop.read() as session:
        letters = session.scalars(select(Letter)).all()
        assert {letter.state for letter in letters} == {LetterState.ACCEPTED}
        assert {letter.address for letter in letters} == set(mailbox.recipients)
        whys = list(session.scalars(select(Omission.why)))
    assert whys.count(Why.MEMBERSHIP) == 3
    assert whys.count(Why.CONSENT) == 2
    for _, _, content in mailbox.received:
        message = _message(content)
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert message["Auto-Submitted"] == "auto-generated"


async def test_a_second_start_sends_nothing_more(coop: Database, tmp_path: Path) -> None:
    first = await _ticked(coop, tmp_path, AT)
    assert first.recipients
    again = await _ticked(coop, tmp_path, AT + timedelta(hours=1))
    assert again.recipients == []


async def test_what_was_owed_while_the_service_was_down_leaves_at_its_start(
    coop: Database, tmp_path: Path
) -> None:
    async with _serving(coop, tmp_path, AT + timedelta(days=2, hours=5)) as (service, mailbox):
        running = asyncio.create_task(asyncio.to_thread(run, service))
        while not mailbox.received:
            assert not running.done()
            await asyncio.sleep(0.05)
        service.stop.set()
        await running
    assert mailbox.recipients


async def test_who_leaves_by_one_click_gets_nothing_the_next_monday(
    coop: Database, tmp_path: Path
) -> None:
    first = await _ticked(coop, tmp_path, AT)
    # A daily reader: the weekly edition of that Monday still waits for its file.
    recipient, content = next(
        one[1:] for one in first.received if "<daily." in _message(one[2])["List-Id"]
    )
    link = re.fullmatch(r"<(\S+)>", _message(content)["List-Unsubscribe"])
    assert link is not None

    pages = create(coop, DESK.links, IDENTITY, CATALOGUE, postponed=tmp_path / "postponed")
    with TestClient(pages) as client:
        path = link[1].removeprefix("https://x.quebec")
        assert client.get(path).status_code == 200
        assert client.post(path, content=b"List-Unsubscribe=One-Click").status_code == 200

    # Everything is owed again, as if nothing had been told, and open long enough.
    with coop.write() as session:
        for letter in session.scalars(select(Letter)):
            session.delete(letter)
    second = await _ticked(coop, tmp_path, AT + timedelta(days=7))
    # Nothing but the confirmation that the letters stopped.
    got = [_message(content)["Subject"] for _, to, content in second.received if to == recipient]
    assert got == ["Vous ne recevrez plus nos lettres"]
    with coop.read() as session:
        whys = session.scalars(select(Omission.why).where(Omission.why == Why.SUBSCRIPTION))
        assert list(whys) == [Why.SUBSCRIPTION]


def test_the_service_process_stops_cleanly_on_sigterm(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{tmp_path / 'alertes.sqlite3'}",
        "TENANT_NAME": "Coop fictive",
        "POSTAL_ADDRESS": "1, rue Fictive",
        "CONTACT_EMAIL": "bonjour@exemple.quebec",
        "PRIVACY_OFFICER": "Responsable fictive",
        "PUBLIC_URL": "https://x.quebec",
        "LINK_KEYS": "une-cle-d-essai-assez-longue-pour-signer",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": "9",
        "SMTP_TLS": "none",
        "AUTHOR_EMAIL": "alertes@exemple.quebec",
        "BOUNCE_EMAIL": "retours@exemple.quebec",
        "LIST_DOMAIN": "exemple.quebec",
        "JOURNAL_FILE": str(tmp_path / "journal"),
        "SEAO_PACKAGE_URL": "https://127.0.0.1:9/package_show",
        "FEDERAL_NOTICES": "false",
    }
    command = [sys.executable, "-m", "alerts"]
    absent = subprocess.run(  # noqa: S603, our own module
        command, env=environment, cwd=tmp_path, capture_output=True, check=False, text=True
    )
    assert absent.returncode == 1
    assert "Aucune base de données" in absent.stderr

    made = [sys.executable, "-m", "scripts", "base", "creer"]
    subprocess.run(made, env=environment, cwd=tmp_path, check=True, capture_output=True)  # noqa: S603
    with subprocess.Popen(  # noqa: S603, our own module
        command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        time.sleep(1)
        assert process.poll() is None, first
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
