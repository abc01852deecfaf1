"""What a check found: a value, said in French by scripts.doctor_words."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """What a finding asks for."""

    FINE = "fine"
    MEND = "mend"  #: a person must act
    UNKNOWN = "unknown"  #: it could not be asked; nothing is said of what it would have been


class Check(StrEnum):
    """What is checked, in the order in which it is shown: what others stand on comes first."""

    SETTINGS = "settings"
    LEGAL = "legal"
    KEYS = "keys"
    DATABASE = "database"
    MIGRATIONS = "migrations"
    CLOCK = "clock"
    JOURNAL = "journal"
    DISK = "disk"
    SOURCES = "sources"
    RELAY = "relay"
    ALLOWED = "allowed"
    BOUNCES = "bounces"
    PAGES = "pages"
    SIGNING = "signing"
    RETURN = "return"
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    ALIGNMENT = "alignment"
    PTR = "ptr"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of one check."""

    check: Check
    state: State
    #: Which sentence says it, among those of its check.
    cause: str
    #: What the sentence needs: names of settings, domains, counts; never a key or a password.
    detail: dict[str, object] = field(default_factory=dict)


def fine(check: Check, cause: str = "fine", **detail: object) -> Finding:
    """It is as it must be."""
    return Finding(check, State.FINE, cause, detail)


def mend(check: Check, cause: str, **detail: object) -> Finding:
    """A person must act."""
    return Finding(check, State.MEND, cause, detail)


def unknown(check: Check, cause: str, **detail: object) -> Finding:
    """It could not be asked."""
    return Finding(check, State.UNKNOWN, cause, detail)
