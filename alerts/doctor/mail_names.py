"""What the DNS is asked about: the domains that letters are sent in the name of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from checkdmarc.utils import get_base_domain

from alerts.doctor.setting_checks import is_loopback
from alerts.signing import Signer
from base import settings


@dataclass(frozen=True, kw_only=True, slots=True)
class MailNames:
    """Domains and hosts, in lower case."""

    #: Of the From header: what a reader sees, and what DMARC protects.
    author: str
    #: Of the envelope's sender: what SPF is asked about.
    bounce: str
    #: Names of the DKIM keys, where they are known.
    selectors: tuple[str, ...]
    #: The host that letters leave from, as far as we know: the relay, or this machine.
    host: str
    #: Whether that host is this machine, so that its names are ours to mend.
    own: bool
    #: Whether we sign, and with what; the relay does by default.
    signs: bool = False
    signer: Signer | None = None

    @classmethod
    def of(cls, relay: settings.Relay, *, helo: str, signer: Signer | None = None) -> Self:
        """From the settings; `helo` is this machine's whole name, `signer` what they lead to."""
        own = is_loopback(relay.smtp_host)
        return cls(
            author=relay.author_email.rpartition("@")[2].lower(),
            bounce=relay.bounce_email.rpartition("@")[2].lower(),
            selectors=tuple(relay.dkim_selectors.lower().split()),
            host=(helo if own else relay.smtp_host).lower(),
            own=own,
            signs=relay.dkim_key_file is not None,
            signer=signer,
        )

    @property
    def organisation(self) -> str:
        """The author's domain as DMARC's relaxed alignment compares it (public suffix list)."""
        return str(get_base_domain(self.author))


def is_aligned(domain: str, author: str, *, strict: bool) -> bool:
    """RFC 9989, 4.10: the same domain, or where it is relaxed, of the same organisation."""
    if strict:
        return domain == author
    return str(get_base_domain(domain)) == str(get_base_domain(author))
