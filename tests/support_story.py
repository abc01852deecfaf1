"""Two weeks of a fictional co-op on real notices, for the page of staff's questions.

The roster and the week's file are the demo's (samples/). Inès leaves before the first edition.
Bruno's first letter is uncertain, so the second one lists its call again. Élise's letters come back
both times because her address is no more: staff should call her.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from alerts import holds
from alerts.delivery import Outcome
from alerts.returns import Reception
from alerts.tables import Letter
from base.database import ROOT, Database
from sources.reading import read_path
from subscriptions import importing, roster, sectors, wishes
from subscriptions.tables import Contact, Origin
from tests.coop import AT
from tests.returned import about, receive, reception_in
from tests.told_story import WEEK, hand_over, write

SAMPLES = ROOT / "samples"
WEEK_FILE = "hebdo_20260914_20260920_extrait.json"
ELISE = "elise@soins.exemple.quebec"


def live(database: Database, folder: Path) -> None:
    """Both weeks, and what came back, through a Maildir in `folder`."""
    read_path(database, SAMPLES / "seao" / WEEK_FILE, at=AT)
    document = (SAMPLES / "roster" / "membres_fictifs.csv").read_bytes()
    with database.write() as session:
        importing.take_in(session, roster.read(document, sectors.load()), at=AT, by="essai")
        left = session.scalars(select(Contact).where(Contact.name == "Inès Fictive")).one()
        wishes.unsubscribe(session, left.id, origin=Origin.MEMBER, at=AT)
        holds.release_first_run(session, by="essai", at=AT)
    reception = reception_in(folder)
    for week, outcome in enumerate(({"bruno": Outcome.UNKNOWN}, {})):
        write(database, week)
        hand_over(database, outcome, week)
        _come_back(database, reception, week)


def _come_back(database: Database, reception: Reception, week: int) -> None:
    """Élise's letter of that week, the day after."""
    with database.read() as session:
        elise = select(Letter).where(Letter.address == ELISE).order_by(Letter.id.desc()).limit(1)
        letter = session.scalars(elise).one()
    at = AT + week * WEEK + timedelta(days=1)
    assert receive(database, reception, about("ecrits/gmail", letter), at) == "hard"
