"""All the checks in their order, each as far as the settings that it needs can be read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from alerts import assembly
from alerts.doctor import (
    connection_checks,
    key_age,
    machine_checks,
    name_checks,
    setting_checks,
    signing_checks,
    store_checks,
)
from alerts.doctor.asking import Dns
from alerts.doctor.findings import Check, Finding, unknown
from alerts.doctor.mail_names import MailNames
from alerts.mailbox import mailbox
from base import settings
from base.errors import BaseFault
from sources.catalogue import Source

G = TypeVar("G", bound=settings.Group)


@dataclass(frozen=True, kw_only=True, slots=True)
class Patient:
    """What the checks need beside the settings."""

    at: datetime
    #: None where this machine has no resolver.
    dns: Dns | None
    #: This machine's whole name.
    helo: str
    #: The sources that are read.
    sources: tuple[Source, ...]


def examine(patient: Patient) -> Iterator[Finding]:
    """Every finding, as it is found, in the order of `Check`; nothing is changed."""
    known = _Known()
    yield from setting_checks.check_settings()
    yield from _here(patient, known)
    yield from _elsewhere(patient, known)


class _Known:
    """The groups of settings, None where one cannot be read (`check_settings` tells why)."""

    def __init__(self) -> None:
        self.identity = _read(settings.Identity)
        self.keys = _read(settings.Keys)
        self.relay = _read(settings.Relay)
        self.returns = _read(settings.Returns)
        self.store = _read(settings.Store)


def _read(group: type[G]) -> G | None:
    try:
        return group.read()
    except BaseFault:
        return None


def _unread(*checks: Check) -> list[Finding]:
    return [unknown(check, "settings") for check in checks]


def _here(patient: Patient, known: _Known) -> Iterator[Finding]:
    """What is on this machine."""
    identity, relay = known.identity, known.relay
    yield from setting_checks.check_legal(identity) if identity else _unread(Check.LEGAL)
    database, told = None, _unread(Check.DATABASE, Check.MIGRATIONS)
    if known.store:
        database, told = store_checks.open_store(known.store.database_url)
    try:
        with database.read() if database else nullcontext() as session:
            yield from _keys(known.keys, session, patient.at)
            yield from told
            last = store_checks.last_row(session) if session else None
            yield from store_checks.check_clock(last, patient.at)
            journal = relay and store_checks.check_journal(session, relay.journal_file)
            yield from journal or _unread(Check.JOURNAL)
            yield from _disk(known)
            if session:
                yield from store_checks.check_sources(session, patient.sources, patient.at)
            else:
                yield unknown(Check.SOURCES, "no database")
    finally:
        if database:
            database.dispose()


def _keys(keys: settings.Keys | None, session: Session | None, at: datetime) -> Iterable[Finding]:
    if keys is None:
        return _unread(Check.KEYS)
    weak = list(setting_checks.check_keys(keys))
    if weak or session is None:
        return weak or [unknown(Check.KEYS, "no database")]
    return key_age.check_age(session, keys, at)


def _disk(known: _Known) -> Iterable[Finding]:
    if not (known.store and known.relay):
        return _unread(Check.DISK)
    others = (known.relay.journal_file, known.store.postponed_folder)
    return machine_checks.check_disk(machine_checks.database_file(known.store.database_url), others)


def _elsewhere(patient: Patient, known: _Known) -> Iterator[Finding]:
    """What answers at the other end of the network."""
    relay, returns = known.relay, known.returns
    if relay:
        yield asyncio.run(connection_checks.check_relay(assembly.server(relay)))
        yield from setting_checks.check_allowed(relay)
    else:
        yield from _unread(Check.RELAY, Check.ALLOWED)
    if returns:
        box = mailbox(returns.bounce_mailbox, returns.bounce_password.get_secret_value())
        yield from connection_checks.check_mailbox(box)
    else:
        yield from _unread(Check.BOUNCES)
    if known.identity:
        yield from connection_checks.check_pages(known.identity.public_url)
    else:
        yield from _unread(Check.PAGES)
    if relay:
        finding, signer = signing_checks.check_signing(relay)
        yield finding
        names = MailNames.of(relay, helo=patient.helo, signer=signer)
        yield from name_checks.check_names(patient.dns, names)
    else:
        yield from _unread(Check.SIGNING, *name_checks.CHECKS)
