"""SPF and DMARC, read by checkdmarc: its exceptions are the faults that have names here."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from checkdmarc import dmarc, spf, utils

from alerts.doctor.asking import ANSWER_WITHIN, Dns, Unanswered, is_silence
from alerts.doctor.findings import Check, Finding, fine, mend, unknown
from alerts.doctor.mail_names import MailNames

#: What checkdmarc raises, and which fault that is; the first that fits.
_SPF_FAULTS: dict[type[Exception], str] = {
    spf.MultipleSPFRTXTRecords: "two",
    spf.SPFTooManyDNSLookups: "lookups",
    spf.SPFTooManyVoidDNSLookups: "void lookups",
    spf.SPFIncludeLoop: "loop",
    spf.SPFRedirectLoop: "loop",
    spf.SPFSyntaxError: "syntax",
}
_DMARC_FAULTS: dict[type[Exception], str] = {
    dmarc.MultipleDMARCRecords: "two",
    dmarc.UnrelatedTXTRecordFoundAtDMARC: "unrelated",
    dmarc.DMARCRecordInWrongLocation: "misplaced",
    dmarc.DMARCRecordNotFound: "absent",
    dmarc.DMARCSyntaxError: "syntax",
}


def forget() -> None:
    """What checkdmarc keeps for half an hour: a doctor looks anew."""
    utils.DNS_CACHE.clear()


def check_spf(dns: Dns, names: MailNames) -> Iterator[Finding]:
    """The bounce domain says who may send for it, can be evaluated, and names this machine."""
    domain = names.bounce
    try:
        found = spf.get_spf_record(domain, resolver=dns.resolver, timeout=ANSWER_WITHIN)
        parsed: Mapping[str, Any] = found["parsed"]
        own = dns.addresses(names.host) if names.own and "." in names.host else []
        named = not own or any(_covers(dns, parsed, address) for address in own)
    except (spf.SPFError, utils.DNSException, Unanswered) as error:
        yield _spf_fault(error, domain)
        return
    end = _end(parsed)
    if end not in {"fail", "softfail"}:
        yield mend(Check.SPF, "everybody" if end == "pass" else "open", domain=domain)
    elif not named:
        yield mend(Check.SPF, "not this machine", domain=domain, addresses=own)
    else:
        yield fine(Check.SPF, domain=domain, lookups=found["dns_lookups"])


def _spf_fault(error: Exception, domain: str) -> Finding:
    if is_silence(error):
        return unknown(Check.SPF, "silence")
    if isinstance(error, spf.SPFRecordNotFound):
        # That of an included domain is told by its own name.
        missing = error.domain.rstrip(".")
        if missing != domain:
            return mend(Check.SPF, "include", domain=domain, included=missing)
        return mend(Check.SPF, "absent", domain=domain)
    for kind, cause in _SPF_FAULTS.items():
        if isinstance(error, kind):
            return mend(Check.SPF, cause, domain=domain)
    return mend(Check.SPF, "syntax", domain=domain)


def _end(parsed: Mapping[str, Any]) -> str:
    """What holds for who is not named: `all`, or that of the record that it redirects to."""
    redirect = parsed.get("redirect")
    if not parsed.get("all") and redirect:
        return _end(redirect["parsed"])
    return str(parsed.get("all") or "neutral")


def _covers(dns: Dns, parsed: Mapping[str, Any], address: str) -> bool:
    """Whether that address is, or may be, among those the record lets send."""
    redirect = parsed.get("redirect")
    if redirect and redirect["parsed"] and _covers(dns, redirect["parsed"], address):
        return True
    passing = [one for one in parsed["mechanisms"] if one["action"] == "pass"]
    return any(_names(dns, one, address) for one in passing)


def _names(dns: Dns, mechanism: Mapping[str, Any], address: str) -> bool:
    kind, value = mechanism["mechanism"], str(mechanism["value"])
    if kind in {"exists", "ptr"} or "%" in value:
        # Only a receiver of mail can tell: it is not accused.
        return True
    if mechanism.get("parsed"):
        return _covers(dns, mechanism["parsed"], address)
    listed = [value] if kind in {"ip4", "ip6"} else list(mechanism.get("addresses", ()))
    for host in mechanism.get("hosts") or ():
        listed += dns.addresses(host["hostname"])
    sought = ipaddress.ip_address(address)
    return any(sought in ipaddress.ip_network(one, strict=False) for one in listed)


def check_dmarc(dns: Dns, names: MailNames) -> tuple[Finding, dict[str, str]]:
    """The author's domain says what to do with forgeries, and to whom to report; its tags."""
    try:
        asked = {"resolver": dns.resolver, "timeout": ANSWER_WITHIN}
        found = dmarc.query_dmarc_record(names.author, **asked)
        parsed = dmarc.parse_dmarc_record(found["record"], found["location"], **asked)
    except (dmarc.DMARCError, utils.DNSException) as error:
        return _dmarc_fault(error, names.author), {}
    tags = {name: tag["value"] for name, tag in parsed["tags"].items()}
    policy = tags["p"] if found["location"] == names.author else tags["sp"]
    if not tags.get("rua"):
        return mend(Check.DMARC, "no reports", domain=names.author), tags
    cause = "watching" if policy == "none" else "fine"
    return fine(Check.DMARC, cause, domain=names.author, policy=policy), tags


def _dmarc_fault(error: Exception, domain: str) -> Finding:
    if is_silence(error):
        return unknown(Check.DMARC, "silence")
    for kind, cause in _DMARC_FAULTS.items():
        if isinstance(error, kind):
            return mend(Check.DMARC, cause, domain=domain)
    return unknown(Check.DMARC, "silence")
