"""What an import did, beside what became of it since: read to undo it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from base.audit import Audit
from subscriptions.import_tables import ImportStep, RosterImport, Step
from subscriptions.tables import Consent, Contact, Member, Membership, Subscription


@dataclass(frozen=True, slots=True)
class Trace:
    """The rows that an import touched, as they are now."""

    #: When the import was applied.
    at: datetime
    steps: Sequence[ImportStep]
    members: dict[int, Member]
    contacts: dict[int, Contact]
    memberships: dict[int, Membership]
    #: The latest stretch recorded of each member, the import's own apart.
    latest: dict[int, int]
    subscriptions: dict[int, Subscription]
    #: The latest subscription of each contact.
    last: dict[int, Subscription]
    consents: dict[int, Consent]
    #: "contact:12": what staff changed since.
    changed: frozenset[str]
    #: The subscriptions that the import opened.
    opened: frozenset[int]


def trace(session: Session, last: RosterImport) -> Trace:
    """Read all that the import touched, in a handful of statements."""
    steps = list(
        session.scalars(
            select(ImportStep).where(ImportStep.import_id == last.id).order_by(ImportStep.id)
        )
    )
    of = ImportStep.import_id == last.id
    member_ids, contact_ids = select(ImportStep.member_id), select(ImportStep.contact_id)
    in_import = Contact.id.in_(contact_ids.where(of))
    stretches = list(
        session.scalars(
            select(Membership)
            .where(Membership.member_id.in_(member_ids.where(of)))
            .order_by(Membership.id)
        )
    )
    ours = {s.row_id for s in steps if s.what == Step.MEMBERSHIP}
    asked = list(
        session.scalars(
            select(Subscription)
            .join(Contact, Contact.id == Subscription.contact_id)
            .where(in_import)
            .order_by(Subscription.started_at, Subscription.id)
        )
    )
    given = select(Consent).join(Contact, Contact.id == Consent.contact_id).where(in_import)
    enterprises = select(Member).where(Member.id.in_(member_ids.where(of)))
    return Trace(
        at=last.at,
        steps=steps,
        members={m.id: m for m in session.scalars(enterprises)},
        contacts={c.id: c for c in session.scalars(select(Contact).where(in_import))},
        memberships={s.id: s for s in stretches},
        latest=_latest(stretches, ours),
        subscriptions={s.id: s for s in asked},
        last={s.contact_id: s for s in asked},
        consents={c.id: c for c in session.scalars(given)},
        opened=frozenset(
            s.row_id for s in steps if s.what == Step.SUBSCRIPTION and s.row_id is not None
        ),
        changed=frozenset(session.scalars(select(Audit.subject).where(Audit.at > last.at))),
    )


def _latest(stretches: Sequence[Membership], ours: set[int | None]) -> dict[int, int]:
    found: defaultdict[int, int] = defaultdict(int)
    for stretch in stretches:
        if stretch.id not in ours:
            found[stretch.member_id] = stretch.id
    return found
