"""The difference that a roster makes, written: every row of it, and what it did of each.

What it did (import_tables.ImportStep) is what an undo reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from base.audit import Audit
from base.database import Base
from base.progress import Progress
from subscriptions import consent, members, wishes
from subscriptions.difference import ContactChange, Difference, Fact, MemberChange
from subscriptions.errors import Overtaken
from subscriptions.import_tables import ImportStep, Step
from subscriptions.stretches import midnight
from subscriptions.tables import Consent, Contact, Member, Membership, Origin, Subscription

ACTION = "membres importer"
#: Changes that are written together.
_LOT = 500

T = TypeVar("T")
#: A row by its columns.
Values = dict[str, Any]


@dataclass(slots=True)
class Application:
    """One import while it is applied, many rows a statement."""

    session: Session
    import_id: int
    at: datetime
    by: str
    #: The rows that change, held so that each is read once.
    members: dict[int, Member]
    contacts: dict[int, Contact]
    #: The number of each enterprise, by key.
    ids: dict[str, int]

    @classmethod
    def of(
        cls, session: Session, import_id: int, found: Difference, *, at: datetime, by: str
    ) -> Application:
        rows = {m.id: m for m in session.scalars(select(Member))}
        touched = {c.contact_id for c in found.contacts if c.contact_id}
        return cls(
            session=session,
            import_id=import_id,
            at=at,
            by=by,
            members=rows,
            contacts={c.id: c for c in session.scalars(select(Contact)) if c.id in touched},
            ids={m.name_key: m.id for m in rows.values()},
        )

    def run(self, found: Difference, progress: Progress) -> None:
        whole = len(found.members) + len(found.contacts)
        done = 0
        for some in _lots(found.members):
            self._enterprises(some)
            progress(done := done + len(some), whole)
        for lot in _lots(found.contacts):
            self._mailboxes(lot)
            progress(done := done + len(lot), whole)

    def _enterprises(self, changes: Sequence[MemberChange]) -> None:
        new = {
            c.key: members.new_member(c.name, at=self.at, telephone=c.telephone)
            for c in changes
            if c.member_id is None
        }
        self._add(new.values())
        self.ids |= {key: member.id for key, member in new.items()}
        steps = [self._step(Step.MEMBER, member.id) for member in new.values()]
        for change in changes:
            if change.member_id is not None:
                steps += self._renamed(self.members[change.member_id], change)
        steps += self._stretches(changes)
        self._keep(ImportStep, steps)
        notes = [self._noted(f"member:{self.ids[c.key]}", c.kind, c.facts) for c in changes]
        self._keep(Audit, notes)

    def _renamed(self, member: Member, change: MemberChange) -> list[Values]:
        steps = [
            self._step(what, member.id, before=before, after=after)
            for what, before, after in (
                (Step.NAME, member.name, change.name),
                (Step.TELEPHONE, member.telephone, change.telephone),
            )
            if before != after
        ]
        member.name, member.telephone = change.name, change.telephone
        return steps

    def _stretches(self, changes: Sequence[MemberChange]) -> list[Values]:
        rows: list[tuple[Membership, int | None]] = []
        for change in changes:
            for stretch in change.stretches:
                if stretch.id is not None:
                    members.withdraw_membership(self.session, stretch.id, at=self.at)
                row = members.new_membership(
                    self.ids[change.key],
                    starts_at=stretch.starts_at,
                    ends_at=stretch.ends_at,
                    at=self.at,
                    by=self.by,
                    reason=change.status,
                )
                rows.append((row, stretch.id))
        self._add(row for row, _ in rows)
        return [
            self._step(Step.MEMBERSHIP, row.member_id, row_id=row.id, before_id=before)
            for row, before in rows
        ]

    def _mailboxes(self, changes: Sequence[ContactChange]) -> None:
        new = {
            c.address: members.new_contact(self.ids[c.key], c.address, at=self.at, name=c.name)
            for c in changes
            if c.contact_id is None
        }
        members.add_contacts(self.session, list(new.values()))
        steps = [self._step(Step.CONTACT, one.member_id, one.id) for one in new.values()]
        rows = {
            c.address: new[c.address] if c.contact_id is None else self.contacts[c.contact_id]
            for c in changes
        }
        for change in changes:
            if change.contact_id is not None:
                steps += self._known_again(rows[change.address], change)
        steps += self._subscribed(changes, rows)
        steps += self._consented(changes, rows)
        self._keep(ImportStep, steps)
        notes = [self._noted(f"contact:{rows[c.address].id}", c.kind, c.facts) for c in changes]
        self._keep(Audit, notes)

    def _known_again(self, contact: Contact, change: ContactChange) -> list[Values]:
        if contact.ended_at is not None:
            members.take_back(contact, name=change.name)
            return [self._step(Step.CONTACT, contact.member_id, contact.id)]
        before, contact.name = contact.name, change.name
        if before == change.name:
            return []
        return [
            self._step(
                Step.CONTACT_NAME,
                contact.member_id,
                contact.id,
                before=before,
                after=change.name,
            )
        ]

    def _subscribed(
        self, changes: Sequence[ContactChange], rows: Mapping[str, Contact]
    ) -> list[Values]:
        opened: list[tuple[int, Subscription, int | None]] = []
        for change in changes:
            contact = rows[change.address]
            if change.wishes is not None and change.subscribes:
                asked = {"origin": Origin.ROSTER.value, "at": self.at}
                row = wishes.new_subscription(contact.id, change.wishes, **asked)  # type: ignore[arg-type]
                opened.append((contact.member_id, row, None))
            elif change.wishes is not None:
                row, before_id = self._changed(contact.id, change.wishes)
                opened.append((contact.member_id, row, before_id))
        self._add(row for _, row, before_id in opened if before_id is None)
        return [
            self._step(
                Step.SUBSCRIPTION, member_id, row.contact_id, row_id=row.id, before_id=before_id
            )
            for member_id, row, before_id in opened
        ]

    def _changed(self, contact_id: int, asked: wishes.Wishes) -> tuple[Subscription, int]:
        """The subscription that takes the roster's former one's place, and that one's number."""
        before = wishes.live(self.session, contact_id)
        if before is None or before.origin != Origin.ROSTER:
            # Left, or changed by the member, since it was looked at: the member's word stands.
            raise Overtaken(f"contact {contact_id}")
        row = wishes.change(self.session, contact_id, asked, origin=Origin.ROSTER.value, at=self.at)
        if row is None:
            raise Overtaken(f"contact {contact_id}")
        return row, before.id

    def _consented(
        self, changes: Sequence[ContactChange], rows: Mapping[str, Contact]
    ) -> list[Values]:
        made: list[tuple[int, Consent]] = []
        for change in changes:
            if change.consent is None:
                continue
            contact, starts_on = rows[change.address], change.consent.starts_on
            row = consent.new(
                contact.id,
                change.consent.basis,
                starts_at=midnight(starts_on) if starts_on else self.at,
                at=self.at,
                by=self.by,
                evidence=change.consent.evidence,
            )
            made.append((contact.member_id, row))
        self._add(row for _, row in made)
        return [
            self._step(Step.CONSENT, member_id, row.contact_id, row_id=row.id)
            for member_id, row in made
        ]

    def _step(
        self,
        what: Step,
        member_id: int,
        contact_id: int | None = None,
        *,
        row_id: int | None = None,
        before_id: int | None = None,
        before: str = "",
        after: str = "",
    ) -> Values:
        return {
            "import_id": self.import_id,
            "what": what.value,
            "member_id": member_id,
            "contact_id": contact_id,
            "row_id": row_id,
            "before_id": before_id,
            "before": before,
            "after": after,
        }

    def _noted(self, subject: str, kind: str, facts: Iterable[Fact]) -> Values:
        before, after = in_audit(facts)
        noted: Values = {"at": self.at, "who": self.by, "action": ACTION, "subject": subject}
        return noted | {"before": before, "after": {"kind": kind} | after}

    def _add(self, rows: Iterable[Base]) -> None:
        self.session.add_all(rows)
        self.session.flush()

    def _keep(self, table: type[Base], rows: Sequence[Values]) -> None:
        """Rows that nothing else needs the numbers of."""
        if rows:
            self.session.execute(insert(table), rows)


def _lots(changes: Sequence[T]) -> Iterator[Sequence[T]]:
    return (changes[place : place + _LOT] for place in range(0, len(changes), _LOT))


def in_audit(facts: Iterable[Fact]) -> tuple[dict[str, object], dict[str, object]]:
    """The values before and after, as the audit keeps them."""
    both = list(facts)
    return (
        {f.field.value: _plain(f.before) for f in both},
        {f.field.value: _plain(f.after) for f in both},
    )


def _plain(value: object) -> object:
    match value:
        case date():
            return value.isoformat()
        case tuple():
            return list(value)
        case _:
            return value
