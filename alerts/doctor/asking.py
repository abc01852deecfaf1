"""Questions to the DNS, with a short patience: silence is an answer of its own."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import dns.exception
import dns.resolver
import dns.reversename

#: Seconds for one try, and for a question with all its tries.
TRY_WITHIN, ANSWER_WITHIN = 1.5, 4.0


class Unanswered(Exception):
    """The DNS did not answer, or could not: nothing is known of what was asked."""


@dataclass(frozen=True, slots=True)
class Dns:
    """A resolver, and its answers kept while it lives: what was asked is not asked twice."""

    resolver: dns.resolver.Resolver

    def records(self, name: str, kind: str) -> list[str]:
        """The answers, their final dots dropped, texts joined; none where there is none.

        Raises:
            Unanswered: nobody answered in time, or with a failure.
        """
        return self._asked(name, kind) or []

    def exists(self, name: str) -> bool:
        """Whether that name, or a name below it, is in the DNS.

        Raises:
            Unanswered: as `records`.
        """
        return self._asked(name, "TXT") is not None

    def addresses(self, host: str) -> list[str]:
        """Its addresses, IPv4 first; raises as `records`."""
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            return self.records(host, "A") + self.records(host, "AAAA")

    def names(self, address: str) -> list[str]:
        """What its address is called (PTR), in lower case; raises as `records`."""
        reverse = dns.reversename.from_address(address).to_text()
        return [name.lower() for name in self.records(reverse, "PTR")]

    def _asked(self, name: str, kind: str) -> list[str] | None:
        """None where the name does not exist."""
        try:
            found = self.resolver.resolve(f"{name.rstrip('.')}.", kind)
        except dns.resolver.NXDOMAIN:
            return None
        except dns.resolver.NoAnswer:
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise Unanswered(f"{kind} {name}") from error
        if kind == "TXT":
            return [b"".join(one.strings).decode("utf-8", "replace") for one in found]
        return [one.to_text().rstrip(".") for one in found]


def resolver(server: str = "") -> dns.resolver.Resolver | None:
    """One that asks `server` (an address, or address:port), or the machine's; None without any."""
    try:
        made = dns.resolver.Resolver(configure=not server)
    except dns.resolver.NoResolverConfiguration:
        return None
    if server:
        address, _, port = server.partition(":") if server.count(":") == 1 else (server, "", "")
        made.nameservers = [address]
        made.port = int(port or 53)
    made.timeout, made.lifetime = TRY_WITHIN, ANSWER_WITHIN
    made.cache = dns.resolver.Cache()
    return made


def is_silence(error: BaseException | None) -> bool:
    """Whether what went wrong is that the DNS did not answer, somewhere below it."""
    seen = 0
    while error is not None and seen < 10:
        below = getattr(error, "error", None)
        for one in (error, below):
            if isinstance(one, dns.exception.Timeout | dns.resolver.NoNameservers | Unanswered):
                return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False
