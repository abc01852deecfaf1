"""A real DNS server on the loopback (dnslib), for a zone written as a text."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from dnslib import QTYPE, RCODE, RR, DNSRecord
from dnslib.server import BaseResolver, DNSLogger, DNSServer

from alerts.doctor.asking import Dns, resolver


@dataclass
class Zone(BaseResolver):
    """Answers for its names; no such name and nothing of that kind are two answers (RFC 2308)."""

    records: list[RR] = field(default_factory=list)
    #: Names that are answered with a failure (SERVFAIL).
    broken: frozenset[str] = frozenset()
    #: What was asked, "TXT exemple.quebec".
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def resolve(self, request: DNSRecord, handler: object) -> DNSRecord:
        name, kind = request.q.qname, QTYPE[request.q.qtype]
        self.asked.append(f"{kind} {str(name).rstrip('.')}")
        reply = request.reply()
        if str(name).rstrip(".") in self.broken:
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        for one in self.records:
            if one.rname == name and QTYPE[one.rtype] in {kind, "CNAME"}:
                reply.add_answer(one)
        if not any(one.rname == name or one.rname.matchSuffix(name) for one in self.records):
            reply.header.rcode = RCODE.NXDOMAIN
        return reply


def text(name: str, *values: str) -> str:
    """A TXT record a value, in strings of at most 255 octets."""
    lines = []
    for value in values:
        parts = [value[start : start + 250] for start in range(0, len(value), 250)]
        lines.append(f"{name}. 60 IN TXT {' '.join(f'{chr(34)}{part}{chr(34)}' for part in parts)}")
    return "\n".join(lines)


def _bound(made: Zone) -> tuple[DNSServer, DNSServer]:
    """By UDP and by TCP on one port, of which others may have taken one half."""
    silent = DNSLogger(log="-request,-reply,-truncated,-error", logf=lambda _line: None)
    while True:
        by_udp = DNSServer(made, address="127.0.0.1", port=0, logger=silent)
        made.port = by_udp.server.server_address[1]
        try:
            return by_udp, DNSServer(
                made, address="127.0.0.1", port=made.port, tcp=True, logger=silent
            )
        except OSError:
            by_udp.server.server_close()


@contextlib.contextmanager
def serving(zone: str, *, broken: frozenset[str] = frozenset()) -> Iterator[Zone]:
    """That zone on a free port, by UDP and by TCP, which long answers need."""
    made = Zone(records=list(RR.fromZone(zone)), broken=broken)
    by_udp, by_tcp = _bound(made)
    # Its own thread looks twice a second only whether it is to stop.
    threads = [
        threading.Thread(target=one.server.serve_forever, args=(0.01,)) for one in (by_udp, by_tcp)
    ]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        for one, thread in zip((by_udp, by_tcp), threads, strict=True):
            one.server.shutdown()
            one.server.server_close()
            thread.join()


def asking(zone: Zone) -> Dns:
    """What asks that server, and is not patient."""
    made = resolver(f"127.0.0.1:{zone.port}")
    assert made is not None
    made.timeout, made.lifetime = 0.5, 1.0
    return Dns(made)


@contextlib.contextmanager
def mute() -> Iterator[socket.socket]:
    """Where questions arrive and nobody answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.setblocking(False)
        yield listening


def asked_in_vain(listening: socket.socket) -> set[str]:
    """What a mute server was asked."""
    names = set()
    with contextlib.suppress(BlockingIOError):
        while True:
            names.add(str(DNSRecord.parse(listening.recv(4096)).q.qname).rstrip("."))
    return names
