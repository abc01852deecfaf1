"""What stands between SPF, DKIM and DMARC, and the names of who sends and who receives."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping

from alerts.doctor import policy_checks
from alerts.doctor.asking import Dns, Unanswered
from alerts.doctor.dkim_checks import check_dkim
from alerts.doctor.findings import Check, Finding, State, fine, mend, unknown
from alerts.doctor.mail_names import MailNames, is_aligned
from alerts.doctor.signing_checks import check_published

#: The checks that ask the DNS, in their order.
CHECKS = (Check.RETURN, Check.SPF, Check.DKIM, Check.DMARC, Check.ALIGNMENT, Check.PTR)


def check_names(dns: Dns | None, names: MailNames) -> Iterator[Finding]:
    """All that receivers of mail look up about us."""
    policy_checks.forget()
    if dns is None or _is_silent(dns, names):
        yield from (unknown(check, "silence") for check in CHECKS)
        return
    yield check_return(dns, names)
    spf = list(policy_checks.check_spf(dns, names))
    dkim, signed = _signature(dns, names)
    dmarc, tags = policy_checks.check_dmarc(dns, names)
    yield from (*spf, dkim, dmarc)
    yield check_alignment(names, tags, has_spf=spf[0].state is State.FINE, signed=signed)
    yield check_ptr(dns, names)


def _signature(dns: Dns, names: MailNames) -> tuple[Finding, str]:
    """The key of whoever signs, and the domain where it is."""
    if not names.signs:
        return check_dkim(dns, names)
    if names.signer is None:
        return unknown(Check.DKIM, "no key"), ""
    return check_published(dns, names.signer)


def _is_silent(dns: Dns, names: MailNames) -> bool:
    """Whether nobody answers: then more questions would only take time."""
    try:
        dns.exists(names.author)
    except Unanswered:
        return True
    return False


def check_return(dns: Dns, names: MailNames) -> Finding:
    """Some server takes the mail that comes back (RFC 5321, 5.1)."""
    try:
        found = dns.records(names.bounce, "MX") or dns.addresses(names.bounce)
    except Unanswered:
        return unknown(Check.RETURN, "silence")
    # RFC 7505: «.» as the only server says that no mail is taken.
    if not found or found == ["0 "]:
        return mend(Check.RETURN, "no server", domain=names.bounce)
    return fine(Check.RETURN, domain=names.bounce)


def check_alignment(
    names: MailNames, tags: Mapping[str, str], *, has_spf: bool, signed: str
) -> Finding:
    """DMARC counts SPF and DKIM only where their domain is the author's (RFC 9989, 4.4)."""
    about = {"author": names.author, "returns": names.bounce}
    strict = tags.get("aspf") == "s"
    if not is_aligned(names.bounce, names.author, strict=strict):
        return mend(Check.ALIGNMENT, "spf strict" if strict else "spf", **about)
    if signed and not is_aligned(signed, names.author, strict=tags.get("adkim") == "s"):
        return mend(Check.ALIGNMENT, "dkim strict", signed=signed, **about)
    if not has_spf and not signed:
        return unknown(Check.ALIGNMENT, "neither", **about)
    return fine(Check.ALIGNMENT, "fine" if has_spf and signed else "one", **about)


def check_ptr(dns: Dns, names: MailNames) -> Finding:
    """The address that mail leaves from has a name, and that name has the address."""
    if names.own and "." not in names.host:
        return unknown(Check.PTR, "no name", host=names.host)
    try:
        return _reverse(dns, names)
    except Unanswered:
        return unknown(Check.PTR, "silence")


def _reverse(dns: Dns, names: MailNames) -> Finding:
    wrong = mend if names.own else unknown
    addresses = dns.addresses(names.host)
    public = [one for one in addresses if ipaddress.ip_address(one).is_global]
    if not addresses:
        return wrong(Check.PTR, "no address", host=names.host)
    if not public:
        return unknown(Check.PTR, "private", host=names.host)
    for address in public:
        called = dns.names(address)
        if not called:
            return wrong(Check.PTR, "absent", host=names.host, address=address)
        if not any(address in dns.addresses(name) for name in called):
            return wrong(Check.PTR, "unconfirmed", address=address, name=called[0])
        if names.own and names.host not in called:
            return mend(Check.PTR, "another name", host=names.host, name=called[0], address=address)
    return fine(Check.PTR, host=names.host)
