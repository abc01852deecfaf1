"""The demo's story: read, import, write, hand over, tell what happened. A second run sends nothing.

Real notices (samples/seao, as of 21 September 2026), a fictional roster, a real SMTP server on this
machine, SQLite in var/demo. Nothing of the settings is read.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts import assembly, editions, holds
from alerts.dispatch import hand_over
from alerts.handing import Tally
from alerts.tables import Letter, LetterState, Omission
from alerts.writing import Desk
from base.clock import utc_now
from base.database import ROOT, Database, ready_or_new
from base.french import NBSP, count, day
from base.settings import Identity, Keys, Relay, Store
from scripts.console import err, out
from scripts.demo import gallery
from scripts.demo.mailbox import mail_server
from scripts.not_mailed_words import NOT_MAILED
from scripts.stopped_words import stopped
from sources.reading import Outcome, read_path
from subscriptions import importing, roster, sectors, wishes
from subscriptions.tables import Contact, Member, Origin

#: Monday 21 September 2026, 08:00 in Québec: the week of the newest sample has just been read.
AT = datetime(2026, 9, 21, 12, tzinfo=UTC)
FOLDER = Path("var/demo")
SAMPLES = ROOT / "samples"
#: Who left by the link of an earlier letter.
LEFT = "ines@loisir.exemple.quebec"


@dataclass(frozen=True, slots=True)
class Clock:
    """The demo's time: `AT` when it starts."""

    started_at: datetime

    def now(self) -> datetime:
        """The demo's present moment."""
        return AT + (utc_now() - self.started_at)


def main() -> None:
    """Run the main job once, and say in French what came of it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    clock = Clock(utc_now())
    database = ready_or_new(f"sqlite:///{FOLDER / 'alertes.sqlite3'}")
    try:
        with err.status("Lecture des avis…"):
            read = read_path(database, SAMPLES / "seao", at=AT)
        with err.status("Importation de la liste des membres…"):
            _import(database)
        tally = asyncio.run(_write_and_send(database, clock))
        with err.status("Préparation de la galerie…"):
            shown = gallery.write(FOLDER / "Maildir", FOLDER)
        with database.read() as session:
            _tell(session, read, tally, shown)
    finally:
        database.dispose()
    if tally.fault:
        sys.exit(1)


def _import(database: Database) -> None:
    document = (SAMPLES / "roster" / "membres_fictifs.csv").read_bytes()
    with database.write() as session:
        importing.take_in(session, roster.read(document, sectors.load()), at=AT, by="démo")
        left = session.scalars(select(Contact).where(Contact.address == LEFT)).one()
        wishes.unsubscribe(session, left.id, origin=Origin.MEMBER, at=AT)


async def _write_and_send(database: Database, clock: Clock) -> Tally:
    async with mail_server(FOLDER / "Maildir") as port:
        relay = _relay(port)
        with err.status("Composition des lettres…"):
            await asyncio.to_thread(_write, database, assembly.desk(_identity(), relay, _keys()))
        with err.status("Remise des lettres au serveur de courriel local…"):
            handing = assembly.handing(relay, _keys(), _store())
            return await hand_over(database, handing, now=clock.now)


def _write(database: Database, desk: Desk) -> None:
    with database.write() as session:
        # A person need not look at the first letters: they go no further than this machine.
        holds.release_first_run(session, by="démo", at=AT)
        editions.open_due(session, AT)
    editions.write_open(database, desk, at=AT)


def _tell(session: Session, read: list[Outcome], tally: Tally, shown: int) -> None:
    releases = sum(outcome.counts.releases for outcome in read)
    opened = sum(outcome.counts.open for outcome in read)
    new = sum(outcome.counts.new for outcome in read)
    out.print(f"\nDémonstration au {day(AT)}. Entreprises et adresses fictives, avis réels.")
    out.print(
        f"Avis lus{NBSP}: {count(releases, 'publication', 'publications')}, "
        f"{count(opened, 'appel d’offres ouvert', 'appels d’offres ouverts')}, "
        f"{count(new, 'nouveau', 'nouveaux')}."
    )
    out.print(
        "Ces appels viennent de tout le Québec, hors des Laurentides\u00a0: "
        "les membres de la démo ne déclarent donc aucun territoire."
    )
    accepted = session.scalar(
        select(func.count()).where(Letter.state == LetterState.ACCEPTED).select_from(Letter)
    )
    out.print(
        f"Lettres acceptées{NBSP}: {tally.accepted} cette fois, {accepted} depuis le début "
        f"(voir {FOLDER / 'Maildir'})."
    )
    if tally.fault:
        err.print(stopped(tally), soft_wrap=True)
    out.print("\nNon envoyés", style="bold")
    out.print(_not_sent(session))
    letters = count(shown, "lettre", "lettres")
    out.print(f"Galerie de {letters} à ouvrir dans un navigateur{NBSP}: {FOLDER / 'index.html'}")


def _not_sent(session: Session) -> Table:
    table = Table("Entreprise", "Contact", "Pourquoi")
    rows = session.execute(
        select(Member.name, Contact.name, Omission.why)
        .join(Contact, Contact.id == Omission.contact_id)
        .join(Member, Member.id == Contact.member_id)
        .order_by(Member.name, Contact.name, Omission.id)
    )
    for member, contact, why in dict.fromkeys(tuple(row) for row in rows):
        table.add_row(member, contact, NOT_MAILED[why])
    return table


def _identity() -> Identity:
    return Identity(
        tenant_name="Coopérative fictive des Laurentides",
        postal_address="1, rue Fictive, Saint-Jérôme (Québec) J0J 0J0",
        contact_email="bonjour@coop.exemple.quebec",
        privacy_officer="Responsable fictive, vie-privee@coop.exemple.quebec",
        public_url="http://127.0.0.1:8080",
    )


def _relay(port: int) -> Relay:
    return Relay(
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_tls="none",
        author_email="alertes@coop.exemple.quebec",
        bounce_email="retours@coop.exemple.quebec",
        list_domain="coop.exemple.quebec",
        mail_allowed="*",
        journal_file=FOLDER / "remises.journal",
    )


def _keys() -> Keys:
    """A key that is no secret: it signs only the demo's links."""
    return Keys.model_validate({"link_keys": "cle-de-demonstration-sans-secret-0001"})


def _store() -> Store:
    """Nothing of the settings: the pages of the demo keep what they must beside its database."""
    return Store.model_validate({"postponed_folder": FOLDER / "postponed"})


if __name__ == "__main__":
    main()
