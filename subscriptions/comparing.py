"""A roster's entries x what is known -> their difference (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from base.clock import quebec_day
from subscriptions.difference import (
    ContactChange,
    Difference,
    Fact,
    Field,
    Kind,
    Known,
    KnownContact,
    KnownMember,
    MemberChange,
    NewConsent,
    Notice,
    Remark,
    Value,
)
from subscriptions.likeness import likenesses
from subscriptions.roster import Entry, Reason, RefusedLine, Roster, clash, two_enterprises
from subscriptions.roster_words import Column
from subscriptions.stretches import Stretch, last_day, redrawn
from subscriptions.tables import Frequency, Origin
from subscriptions.wishes import Wishes


def compare(roster: Roster, known: Known, at: datetime) -> Difference:
    """What the roster changes; empty where it says what is known already."""
    entries, refused = _ours(roster.entries, known)
    first = {e.key: e for e in reversed(entries)}
    members = [_member(e, known.members.get(e.key), at) for e in first.values()]
    contacts = [_contact(e, known) for e in entries]
    changed = {e.line for e, c in zip(entries, contacts, strict=True) if c is not None}
    changed |= {m.line for m in members if m is not None}
    return Difference(
        members=tuple(sorted((m for m in members if m), key=lambda m: m.line)),
        contacts=tuple(c for c in contacts if c),
        refused=tuple(sorted([*roster.refused, *refused], key=lambda r: r.line)),
        remarks=_all_remarks(entries, known, at),
        unchanged=sum(e.line not in changed for e in entries),
        absent=tuple(
            sorted(m.name for k, m in known.members.items() if k not in first and m.stretches)
        ),
        unknown_headings=roster.unknown_headings,
        active=sum(any(s.holds(at) for s in m.stretches) for m in known.members.values()),
    )


def _ours(entries: Sequence[Entry], known: Known) -> tuple[list[Entry], list[RefusedLine]]:
    """The entries whose address is the enterprise's own, and the refusal of the others."""
    kept: list[Entry] = []
    refused: list[RefusedLine] = []
    for entry in entries:
        holder = known.contacts.get(entry.address)
        if holder is not None and holder.key != entry.key:
            refused.append(two_enterprises(entry, holder.enterprise))
        elif holder is None and (kept_one := known.merged.get((entry.key, entry.address))):
            refused.append(clash(entry, Reason.MERGED, Column.ADDRESS, kept_one))
        else:
            kept.append(entry)
    return kept, refused


def _member(entry: Entry, known: KnownMember | None, at: datetime) -> MemberChange | None:
    before = known.stretches if known else ()
    after = redrawn(before, entry.membership, at)
    moved = tuple(s for s in after if s not in before)
    telephone = entry.telephone or (known.telephone if known else "")
    facts = [
        Fact(Field.NAME, known.name if known else entry.enterprise, entry.enterprise),
        Fact(Field.TELEPHONE, known.telephone if known else "", telephone),
        *_stretch_facts(before, moved),
    ]
    different = tuple(f for f in facts if f.before != f.after)
    if known is not None and not different and not moved:
        return None
    return MemberChange(
        line=entry.line,
        kind=_kind(before, after, at) if known else Kind.ADDED,
        key=entry.key,
        member_id=known.id if known else None,
        name=entry.enterprise,
        telephone=telephone,
        stretches=moved,
        status=entry.status,
        facts=different,
    )


def _kind(before: Sequence[Stretch], after: Sequence[Stretch], at: datetime) -> Kind:
    was, is_now = any(s.holds(at) for s in before), any(s.holds(at) for s in after)
    if was and not is_now:
        return Kind.ENDED
    returns = before and (len(after) > len(before) or (is_now and not was))
    return Kind.RETURNING if returns else Kind.CHANGED


def _stretch_facts(before: Sequence[Stretch], moved: Sequence[Stretch]) -> Iterator[Fact]:
    of_row = {s.id: s for s in before}
    for stretch in moved:
        old = of_row.get(stretch.id) if stretch.id is not None else None
        yield Fact(Field.STARTS, _first_day(old), _first_day(stretch))
        yield Fact(Field.ENDS, _last_day(old), _last_day(stretch))


def _first_day(stretch: Stretch | None) -> Value:
    return quebec_day(stretch.starts_at) if stretch else None


def _last_day(stretch: Stretch | None) -> Value:
    return last_day(stretch.ends_at) if stretch and stretch.ends_at else None


def _contact(entry: Entry, known: Known) -> ContactChange | None:
    live = known.contacts.get(entry.address)
    contact = live or known.gone.get((entry.key, entry.address))
    left = entry.address in known.left
    name = entry.contact or (contact.name if contact else "")
    wishes = None if left else _wishes(entry, contact)
    consent = None if left else _consent(entry, contact)
    old = contact.wishes if contact else None
    facts = [
        Fact(Field.CONTACT, contact.name if contact else "", name),
        *_wish_facts(old, wishes),
        Fact(Field.CONSENT, None, consent.basis.value if consent else None),
    ]
    different = tuple(f for f in facts if f.before != f.after)
    if live is not None and not different and wishes is None and consent is None:
        return None
    known_as = Kind.CHANGED if live else Kind.RETURNING
    return ContactChange(
        line=entry.line,
        kind=known_as if contact else Kind.ADDED,
        key=entry.key,
        enterprise=entry.enterprise,
        contact_id=contact.id if contact else None,
        address=entry.address,
        name=name,
        wishes=wishes,
        subscribes=old is None,
        consent=consent,
        facts=different,
    )


def _asked(entry: Entry, wishes: Wishes | None) -> Wishes:
    """What the roster asks for; what it does not say stays as in `wishes`."""
    if wishes is None:
        frequency = entry.frequency or Frequency.WEEKLY
        return Wishes(
            frequency=frequency.value, sectors=entry.sectors, territory=entry.territory or ()
        )
    same = set(entry.sectors) == set(wishes.sectors)
    place = wishes.territory if entry.territory is None else entry.territory
    return replace(
        wishes,
        frequency=entry.frequency.value if entry.frequency else wishes.frequency,
        sectors=wishes.sectors if same else entry.sectors,
        territory=wishes.territory if set(place) == set(wishes.territory) else place,
    )


def _wishes(entry: Entry, contact: KnownContact | None) -> Wishes | None:
    """The wishes to store, or None where the subscription is not the roster's to change."""
    known = contact.wishes if contact else None
    asked = _asked(entry, known)
    chosen = contact is not None and known is not None and contact.origin is not Origin.ROSTER
    return None if chosen or asked == known else asked


def _wish_facts(old: Wishes | None, new: Wishes | None) -> Iterator[Fact]:
    if new is None:
        return
    yield Fact(Field.FREQUENCY, old.frequency if old else None, new.frequency)
    yield Fact(Field.SECTORS, old.sectors if old else (), new.sectors)
    yield Fact(Field.TERRITORY, old.territory if old else (), new.territory)


def _consent(entry: Entry, contact: KnownContact | None) -> NewConsent | None:
    """The consent to add, unless one with the same basis, evidence and day holds or will."""
    if entry.basis is None:
        return None
    for basis, evidence, starts_at in contact.consents if contact else ():
        same_day = entry.consented_on in {None, quebec_day(starts_at)}
        if (basis, evidence) == (entry.basis.value, entry.evidence) and same_day:
            return None
    return NewConsent(entry.basis, entry.evidence, entry.consented_on)


def _all_remarks(entries: Sequence[Entry], known: Known, at: datetime) -> tuple[Remark, ...]:
    new = [e for e in entries if e.address not in known.contacts]
    alike = likenesses([e.address for e in new], known.contacts)
    looks = (
        Remark(e.line, Notice.LOOKS_LIKE, e.address, alike[e.address])
        for e in new
        if e.address in alike
    )
    said = [*(r for e in entries for r in _remarks(e, known, at)), *looks]
    return tuple(sorted(said, key=lambda r: r.line))


def _remarks(entry: Entry, known: Known, at: datetime) -> Iterator[Remark]:
    contact = known.contacts.get(entry.address)
    if entry.address in known.left:
        yield Remark(entry.line, Notice.HAS_LEFT, entry.address)
    else:
        if entry.basis is None and not (contact and contact.may_be_written_to):
            yield Remark(entry.line, Notice.NO_CONSENT, entry.address)
        wishes = contact.wishes if contact else None
        if wishes and _asked(entry, wishes) != wishes and _wishes(entry, contact) is None:
            yield Remark(entry.line, Notice.WISHES_KEPT, entry.address)
    ends_on = entry.membership.ends_on
    over = ends_on is not None and ends_on < quebec_day(at)
    if entry.membership.active and over:
        yield Remark(entry.line, Notice.ACTIVE_BUT_ENDED, entry.enterprise)
    if not entry.membership.active and ends_on is not None and not over:
        yield Remark(entry.line, Notice.ENDED_EARLY, entry.enterprise)
