"""The settings themselves: present, usable, kept from others' eyes, complete before the law."""

from __future__ import annotations

import ipaddress
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from alerts.doctor.findings import Check, Finding, fine, mend
from base import settings
from base.errors import SettingInvalid, SettingMissing
from subscriptions.addresses import normalised
from subscriptions.errors import AddressRefused

#: A Canadian postal code; D, F, I, O, Q and U are not used in one.
_POSTAL_CODE = re.compile(r"(?i)\b[ABCEGHJ-NPRSTVXY]\d[A-Z][ \u00a0]?\d[A-Z]\d\b")
_DOMAIN = re.compile(r"(?i)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_TELEPHONE = re.compile(r"(?:\d[^\d\n]{0,3}){9}\d")
#: Settings that hold one address.
ADDRESSES = ("AUTHOR_EMAIL", "BOUNCE_EMAIL", "STAFF_EMAIL")
#: Letters of a key that differ; a random one of 32 has about 26.
_FEWEST_LETTERS = 12


def is_address(value: str) -> bool:
    """Whether it can be mailed to."""
    try:
        normalised(value)
    except AddressRefused:
        return False
    return True


def is_domain(value: str) -> bool:
    """Whether it is a domain name of at least two labels."""
    return len(value) <= 253 and _DOMAIN.fullmatch(value) is not None


def is_answerable(value: str) -> bool:
    """Whether a person can be reached there: an address, or a web page."""
    parts = urlsplit(value)
    return is_address(value) or (parts.scheme in {"http", "https"} and bool(parts.hostname))


def is_whole_postal(value: str) -> bool:
    """Whether a letter would arrive: a street and a postal code."""
    return bool(_POSTAL_CODE.search(value)) and len(value) >= 15


def names_a_contact(value: str) -> bool:
    """Whether it says how to reach that person: an address, a telephone, a web page."""
    words = value.replace(",", " ").replace(";", " ").split()
    return bool(_TELEPHONE.search(value)) or any(is_answerable(one.strip("()<>.")) for one in words)


def is_label(value: str) -> bool:
    """Whether it can be one or more labels of a domain name."""
    return is_domain(f"{value}.x.ca")


def is_loopback(host: str) -> bool:
    """Whether letters are handed to this machine's own mail server."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_allowed_entry(value: str) -> bool:
    """Whether it can let anybody through MAIL_ALLOWED."""
    return value == "*" or is_domain(value) or is_address(value)


def check_settings(path: Path = settings.FILE) -> Iterator[Finding]:
    """Every group can be read, each address is one, and others cannot read the file."""
    found = list(_wrong_settings())
    if path.exists():
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            found.append(mend(Check.SETTINGS, "readable", mode=f"{mode:o}", file=str(path)))
    yield from found or [fine(Check.SETTINGS)]


def _wrong_settings() -> Iterator[Finding]:
    missing: list[str] = []
    for group in settings.GROUPS:
        try:
            group.read()
        except SettingMissing as fault:
            missing += fault.names
        except SettingInvalid as fault:
            yield mend(Check.SETTINGS, "invalid", name=fault.name)
            if fault.name == str(settings.FILE):
                return
    if missing:
        yield mend(Check.SETTINGS, "missing", names=missing)
    values = settings.written()
    for name in ADDRESSES:
        if values.get(name) and not is_address(values[name]):
            yield mend(Check.SETTINGS, "no address", name=name)
    if values.get("LIST_DOMAIN") and not is_domain(values["LIST_DOMAIN"]):
        yield mend(Check.SETTINGS, "no domain", name="LIST_DOMAIN")


def check_legal(identity: settings.Identity) -> Iterator[Finding]:
    """What LCAP and Loi 25 ask in each letter and page is there, and looks whole."""
    found = []
    if not is_whole_postal(identity.postal_address):
        found.append(mend(Check.LEGAL, "postal address"))
    if not is_answerable(identity.contact_email):
        found.append(mend(Check.LEGAL, "contact"))
    if not names_a_contact(identity.privacy_officer):
        found.append(mend(Check.LEGAL, "officer"))
    yield from found or [fine(Check.LEGAL, name=identity.tenant_name)]


def check_keys(keys: settings.Keys) -> Iterator[Finding]:
    """Long enough is held by the settings; here: not the same twice, and not a word repeated."""
    known = keys.as_list()
    if len(set(known)) < len(known):
        yield mend(Check.KEYS, "twice")
    if any(len(set(key)) < _FEWEST_LETTERS for key in known):
        yield mend(Check.KEYS, "guessable")


def check_allowed(relay: settings.Relay) -> Iterator[Finding]:
    """Whom MAIL_ALLOWED lets through."""
    allowed = relay.allowed()
    wrong = sorted(one for one in allowed if not is_allowed_entry(one))
    if wrong:
        yield mend(Check.ALLOWED, "malformed", count=len(wrong))
    elif not allowed:
        yield mend(Check.ALLOWED, "nobody")
    elif "*" in allowed:
        yield fine(Check.ALLOWED, "everybody")
    else:
        yield fine(Check.ALLOWED, "some", count=len(allowed))
