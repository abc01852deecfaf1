"""Members as lines of a roster, that importing again would not change (pure).

One line a live contact, as the roster has it. What a roster cannot say is apart, with why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from base.clock import quebec_day
from subscriptions.difference import Known, KnownContact, KnownMember
from subscriptions.stretches import Stretch, last_day
from subscriptions.wishes import Wishes


class Apart(StrEnum):
    """Why something known has no line."""

    NO_CONTACT = "no contact"
    #: A contact that never asked for anything.
    NO_SUBSCRIPTION = "no subscription"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedLine:
    """A contact and its enterprise, as a line of a roster."""

    enterprise: str
    telephone: str
    active: bool
    starts_on: date | None
    ends_on: date | None
    contact: str
    address: str
    #: What it asks, or asked before it left.
    wishes: Wishes
    #: A Basis, or "" where none holds.
    basis: str
    evidence: str
    consented_on: date | None


@dataclass(frozen=True, slots=True)
class LeftApart:
    """What has no line."""

    enterprise: str
    #: "" where it is the whole enterprise.
    address: str
    why: Apart


@dataclass(frozen=True, slots=True)
class Export:
    """The members as they are known."""

    lines: tuple[ExportedLine, ...]
    apart: tuple[LeftApart, ...]


def export(known: Known, at: datetime) -> Export:
    """All members and contacts, by enterprise, then by address."""
    lines: list[ExportedLine] = []
    apart: list[LeftApart] = []
    of_member: dict[str, list[tuple[str, KnownContact]]] = {}
    for address, contact in known.contacts.items():
        of_member.setdefault(contact.key, []).append((address, contact))
    for key, member in sorted(known.members.items()):
        contacts = sorted(of_member.get(key, ()), key=lambda one: one[0])
        if not contacts and member.stretches:
            apart.append(LeftApart(member.name, "", Apart.NO_CONTACT))
        for address, contact in contacts:
            if contact.last_wishes is None:
                apart.append(LeftApart(member.name, address, Apart.NO_SUBSCRIPTION))
            else:
                lines.append(_line(member, address, contact, contact.last_wishes, at))
    return Export(tuple(lines), tuple(apart))


def _line(
    member: KnownMember, address: str, contact: KnownContact, asked: Wishes, at: datetime
) -> ExportedLine:
    stretch = next(_real(member.stretches), None)
    basis, evidence, since = _consent(contact, at)
    return ExportedLine(
        enterprise=member.name,
        telephone=member.telephone,
        active=stretch is not None and (stretch.ends_at is None or stretch.ends_at > at),
        starts_on=quebec_day(stretch.starts_at) if stretch else None,
        ends_on=last_day(stretch.ends_at) if stretch and stretch.ends_at else None,
        contact=contact.name,
        address=address,
        wishes=asked,
        basis=basis,
        evidence=evidence,
        consented_on=quebec_day(since) if since else None,
    )


def _real(stretches: tuple[Stretch, ...]) -> Iterator[Stretch]:
    """The latest first, without those that ended before they began."""
    ordered = sorted(stretches, key=lambda s: s.starts_at, reverse=True)
    return (s for s in ordered if s.ends_at is None or s.ends_at > s.starts_at)


def _consent(contact: KnownContact, at: datetime) -> tuple[str, str, datetime | None]:
    """The consent that holds, the latest begun; else the next that will."""
    held = [one for one in contact.consents if one[2] <= at]
    ahead = [one for one in contact.consents if one[2] > at]
    if held:
        return held[-1]
    return ahead[0] if ahead else ("", "", None)
