"""A small fictional co-op in a database: entitled contacts, and letters ready to leave."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from alerts.classification import Lexicon
from alerts.letter import Press, Sender
from alerts.message_tables import Message
from alerts.tables import Kind, Letter, LetterState, Told
from alerts.writing import Desk
from sources.tables import Reading, Revision, Tender
from subscriptions.links import Links
from subscriptions.sectors import load
from subscriptions.tables import Basis, Consent, Contact, Member, Membership, Origin, Subscription

CATALOGUE = load()
#: What letters are written with.
DESK = Desk(
    press=Press.of(
        Sender(
            tenant_name="Coop fictive",
            postal_address="1, rue Fictive",
            contact_email="bonjour@exemple.quebec",
            privacy_officer="Responsable fictive",
            public_url="https://x.quebec",
            author_email="alertes@exemple.quebec",
            list_domain="exemple.quebec",
        )
    ),
    links=Links(keys=("une-cle-d-essai-assez-longue-pour-signer",), public_url="https://x.quebec"),
    catalogue=CATALOGUE,
    lexicon=Lexicon.of(CATALOGUE),
)
#: Monday 21 September 2026, 06:00 in Québec.
AT = datetime(2026, 9, 21, 10, tzinfo=UTC)
LONG_AGO = AT - timedelta(days=400)


def entitled(session: Session, name: str, **wishes: object) -> Contact:
    """A contact of an active member, with consent and a weekly subscription."""
    member = Member(name=f"Coop fictive {name}", name_key=f"coop fictive {name}", created_at=AT)
    session.add(member)
    session.flush()
    session.add(
        Membership(
            member_id=member.id,
            starts_at=LONG_AGO,
            ends_at=None,
            recorded_at=LONG_AGO,
            recorded_by="essai",
        )
    )
    contact = Contact(
        public_id=secrets.token_hex(8),
        member_id=member.id,
        name=f"Personne fictive {name}",
        address=f"{name}@exemple.quebec",
        created_at=AT,
    )
    session.add(contact)
    session.flush()
    session.add(
        Consent(
            contact_id=contact.id,
            basis=Basis.EXPRESS,
            starts_at=LONG_AGO,
            ends_at=None,
            recorded_at=LONG_AGO,
            recorded_by="essai",
        )
    )
    values = {
        "frequency": "weekly",
        "sectors": ["deneigement"],
        "started_at": LONG_AGO,
        **wishes,
    }
    session.add(Subscription(contact_id=contact.id, origin=Origin.ROSTER, **values))
    session.flush()
    return contact


def tender(session: Session, number: str = "20169865", **values: object) -> tuple[Tender, Revision]:
    """An open call with one revision."""
    reading = Reading(source="seao", at=AT, address="essai.json")
    session.add(reading)
    session.flush()
    closes_at = values.pop("closes_at", AT + timedelta(days=7))
    made = Tender(
        source="seao",
        ocid=f"ocds-ec9k95-{number}",
        number=number,
        first_seen_at=AT,
        latest=1,
        status="active",
        closes_at=closes_at,
    )
    session.add(made)
    session.flush()
    made.cluster_id = made.id
    revision = Revision(
        tender_id=made.id,
        number=1,
        reading_id=reading.id,
        release_id="20260914120024",
        seen_at=AT,
        published_at=AT - timedelta(days=7),
        changed_at=AT - timedelta(days=7),
        material_hash="0" * 64,
        status="active",
        closes_at=closes_at,
        **{
            "title": "Déneigement des stationnements",
            "buyer": "Municipalité fictive",
            "buyer_id": "OP-1",
            "reference": "D-1",
            "municipality": "",
            "mrc": "",
            "region": "",
            "place_basis": "unknown",
            "category": "services",
            "procurement_method_details": "Avis d’appel d’offres",
            "items": [],
            "description": "",
            "documents": [],
            "uri": "https://seao.gouv.qc.ca/avis-resultat-recherche/consulter?ItemId=1",
            **values,
        },
    )
    session.add(revision)
    session.flush()
    return made, revision


def letter(
    session: Session, contact: Contact, label: str = "2026-W39", at: datetime = AT
) -> Letter:
    """A frozen letter of that contact, ready to leave, with nothing in the ledger."""
    key = f"digest:weekly:{label}:{contact.id}"
    message_id = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@exemple.quebec>"
    content = f"Message-ID: {message_id}\r\nSubject: essai\r\n\r\nBonjour\r\n".encode()
    made = Letter(
        key=key,
        edition_id=None,
        contact_id=contact.id,
        address=contact.address,
        message_id=message_id,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        notices=1,
        state=LetterState.WRITTEN,
        written_at=at,
        expires_at=at + timedelta(hours=72),
        next_attempt_at=at,
    )
    session.add(made)
    session.flush()
    session.add(Message(id=made.id, content=content))
    session.flush()
    session.refresh(made, ["content"])
    return made


def told(session: Session, of: Letter, revision: Revision, cluster_id: int) -> Told:
    """The ledger's row for one notice of a letter."""
    made = Told(
        contact_id=of.contact_id,
        cluster_id=cluster_id,
        kind=Kind.NEW,
        occasion="-",
        revision_id=revision.id,
        letter_id=of.id,
        at=of.written_at,
    )
    session.add(made)
    session.flush()
    return made
