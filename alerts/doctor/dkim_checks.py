"""DKIM: the public keys that the relay signs with, as far as their names are known."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from alerts.doctor.asking import Dns, Unanswered
from alerts.doctor.findings import Check, Finding, fine, mend, unknown
from alerts.doctor.mail_names import MailNames

#: Bits of an RSA key below which receivers refuse it, and from which they advise it.
_LEAST_BITS, _ADVISED_BITS = 1024, 2048
#: Names that providers and mail servers give by themselves, tried where none is set.
_USUAL = (
    *("default", "dkim", "mail", "smtp", "mx", "key1", "s1", "s2", "k1", "k2", "k3"),
    *("selector1", "selector2", "google", "mailjet", "brevo1", "brevo2", "pm", "sig1"),
)


@dataclass(frozen=True, slots=True)
class Published:
    """A key that was found."""

    selector: str
    domain: str
    #: What is wrong with it; "" where nothing is.
    fault: str = ""
    bits: int = 0


def check_dkim(dns: Dns, names: MailNames) -> tuple[Finding, str]:
    """A key of the author's domain can verify signatures; and the domain where it is."""
    domains = tuple(dict.fromkeys((names.author, names.organisation)))
    try:
        if not any(dns.exists(f"_domainkey.{domain}") for domain in domains):
            return mend(Check.DKIM, "none", domain=names.author), ""
        found = list(_published(dns, domains, names.selectors or _USUAL))
    except Unanswered:
        return unknown(Check.DKIM, "silence"), ""
    missing = [one for one in names.selectors if one not in {key.selector for key in found}]
    if missing:
        return mend(Check.DKIM, "absent", selector=missing[0], domain=names.author), ""
    if not found:
        return unknown(Check.DKIM, "no selector", domain=names.author), ""
    # Several are usual while keys are changed: where none is named, one good one is enough.
    key = (max if names.selectors else min)(found, key=lambda one: bool(one.fault))
    if key.fault:
        return mend(Check.DKIM, key.fault, selector=key.selector, bits=key.bits), key.domain
    cause = "weak" if 0 < key.bits < _ADVISED_BITS else "fine"
    return fine(Check.DKIM, cause, selector=key.selector, domain=key.domain), key.domain


def _published(
    dns: Dns, domains: tuple[str, ...], selectors: tuple[str, ...]
) -> Iterator[Published]:
    for selector in selectors:
        for domain in domains:
            records = dns.records(f"{selector}._domainkey.{domain}", "TXT")
            if records:
                wrong, bits = fault(records)
                yield Published(selector, domain, wrong, bits)
                break


def tags(record: str) -> dict[str, str]:
    """What a record says, by tag, without its blanks (RFC 6376, 3.2)."""
    named = dict(part.strip().split("=", 1) for part in record.split(";") if "=" in part)
    return {name.strip(): "".join(value.split()) for name, value in named.items()}


def fault(records: list[str]) -> tuple[str, int]:
    """What is wrong with what is published under one name, and the bits of an RSA key."""
    if len(records) > 1:
        return "two", 0
    said = tags(records[0])
    if "p" not in said or said.get("v", "DKIM1") != "DKIM1":
        return "unusable", 0
    if not said["p"]:
        return "revoked", 0
    if "y" in said.get("t", "").split(":"):
        return "testing", 0
    if said.get("k", "rsa") == "ed25519":
        return "", 0
    return _rsa_fault(said["p"])


def _rsa_fault(encoded: str) -> tuple[str, int]:
    try:
        key = load_der_public_key(base64.b64decode(encoded, validate=True))
    except (ValueError, binascii.Error):
        return "unusable", 0
    if not isinstance(key, RSAPublicKey):
        return "unusable", 0
    return ("short" if key.key_size < _LEAST_BITS else ""), key.key_size
