"""Who signs the letters; where it is us, the key, and its public half in the DNS."""

from __future__ import annotations

import base64
import binascii

from alerts import assembly
from alerts.doctor.asking import Dns, Unanswered
from alerts.doctor.dkim_checks import fault, tags
from alerts.doctor.findings import Check, Finding, fine, mend, unknown
from alerts.signing import Signer
from base import settings
from base.errors import SettingInvalid


def check_signing(relay: settings.Relay) -> tuple[Finding, Signer | None]:
    """The key can be used, where the settings name one; and what signs with it."""
    if relay.dkim_key_file is None:
        return fine(Check.SIGNING, "relay"), None
    try:
        signer = assembly.signing(relay).signer
    except SettingInvalid as refused:
        return mend(Check.SIGNING, refused.reason, file=str(relay.dkim_key_file)), None
    return fine(Check.SIGNING, "ours", selector=relay.dkim_selector), signer


def check_published(dns: Dns, signer: Signer) -> tuple[Finding, str]:
    """Under its name receivers find the half of the key that signs; and the domain where it is."""
    name = f"{signer.selector}._domainkey.{signer.domain}"
    public = base64.b64encode(signer.public).decode("ascii")
    # Without blanks, so that it stays on one line to be copied.
    wanted = {"name": name, "record": f"v=DKIM1;k=rsa;p={public}"}
    try:
        records = dns.records(name, "TXT")
    except Unanswered:
        return unknown(Check.DKIM, "silence"), ""
    if not records:
        return mend(Check.DKIM, "unpublished", **wanted), ""
    wrong, _ = fault(records)
    if wrong in {"two", "testing"}:
        return mend(Check.DKIM, wrong, selector=signer.selector), signer.domain
    if wrong or not _is_half(tags(records[0])["p"], signer):
        return mend(Check.DKIM, "another key", **wanted), signer.domain
    about = {"selector": signer.selector, "domain": signer.domain}
    return fine(Check.DKIM, **about), signer.domain


def _is_half(encoded: str, signer: Signer) -> bool:
    try:
        return base64.b64decode(encoded) == signer.public
    except binascii.Error:
        return False
