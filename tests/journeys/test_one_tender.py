"""docs/one-tender.md says what really happens to its call, value by value."""

from __future__ import annotations

import email
import email.policy
import re
from pathlib import Path

from sqlalchemy import select

from alerts import editions, holds
from alerts.classification import classify
from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.message import digits
from alerts.tables import Edition, Letter, Told
from base.database import Database
from scripts.demo.__main__ import AT as DEMO_AT
from sources import seao
from sources.reading import read_path
from sources.release import Release
from sources.tables import Revision, Tender
from subscriptions import importing, roster
from subscriptions.tables import Contact
from tests.coop import CATALOGUE, DESK
from tests.mailserver import mail_server
from tests.packages import SAMPLES, SEPTEMBER

OCID = "ocds-ec9k95-20170291"
PAGE = re.sub(
    r"\s+", " ", (Path(__file__).parents[2] / "docs" / "one-tender.md").read_text("utf-8")
)


def _told(*values: object) -> None:
    """Each value stands on the page, white space apart."""
    missing = [str(v) for v in values if re.sub(r"\s+", " ", str(v)) not in PAGE]
    assert missing == []


def test_the_release_is_read_as_the_page_says() -> None:
    found = [one for one in seao.read(SEPTEMBER.read_bytes()) if one.ocid == OCID]
    assert len(found) == 1
    release = found[0]
    assert isinstance(release, Release)
    assert release.changed_at is not None
    _told(OCID, release.release_id, f"{release.changed_at:%Y-%m-%d %H:%M:%S}", release.buyer)
    _told(*(item.code for item in release.items))


async def test_the_call_goes_the_way_of_the_page(database: Database, tmp_path: Path) -> None:
    read_path(database, SAMPLES, at=DEMO_AT)
    document = (SAMPLES.parent / "roster" / "membres_fictifs.csv").read_bytes()
    with database.write() as session:
        importing.take_in(session, roster.read(document, CATALOGUE), at=DEMO_AT, by="essai")
        editions.open_due(session, DEMO_AT)
    editions.write_open(database, DESK, at=DEMO_AT)
    with database.read() as session:
        tender = session.scalars(select(Tender).where(Tender.ocid == OCID)).one()
        revision = session.scalars(select(Revision).where(Revision.tender_id == tender.id)).one()
        weekly = session.scalars(select(Edition).where(Edition.frequency == "weekly")).one()
        denis = session.scalars(select(Contact).where(Contact.name == "Denis Fictif")).one()
        letter = session.scalars(select(Letter).where(Letter.contact_id == denis.id)).one()
        told = session.scalars(select(Told).where(Told.letter_id == letter.id)).one()
    _told(tender.number, f"{tender.first_seen_at:%Y-%m-%d %H:%M} UTC")
    _told(revision.municipality, revision.mrc, revision.region, f"basis `{revision.place_basis}`")
    _told(weekly.label, f"{weekly.starts_at:%Y-%m-%d %H:%M} to {weekly.ends_at:%Y-%m-%d %H:%M} UTC")
    _told(told.kind, f"occasion `{told.occasion}`", told.reasons[0]["evidence"])
    _told(letter.state, letter.key, digits(letter.key))
    assert letter.content is not None
    message = email.message_from_bytes(letter.content, policy=email.policy.default)
    _told(message["Subject"])
    call = DESK.calls([(tender, revision)], at=DEMO_AT).by_cluster[tender.cluster_id or tender.id]
    for one in classify(call.facts, DESK.lexicon):
        _told(f"`{one.sector}`", one.score)
    await _accepted(database, tmp_path)
    with database.read() as session:
        told = session.scalars(select(Told).where(Told.letter_id == letter.id)).one()
        _told(told.state, session.get_one(Letter, letter.id).state)
        _told(f"{told.days_left} whole days")


async def _accepted(database: Database, folder: Path) -> None:
    async with mail_server() as mailbox:
        relay = Relay(host="127.0.0.1", port=mailbox.port, tls="none")
        handing = Handing(
            relay=relay,
            sender="retours@exemple.quebec",
            allowed=frozenset({"*"}),
            journal=open_journal(folder / "journal"),
        )
        with database.write() as session:
            holds.release_first_run(session, by="essai", at=DEMO_AT)
        await hand_over(database, handing, now=lambda: DEMO_AT)
