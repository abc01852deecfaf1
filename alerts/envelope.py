"""What goes over the wire for one letter: three commands and its dot-stuffed octets (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from alerts.replies import Phase

_LINE_OF_DOT = re.compile(rb"\n\.")
_PLAIN = re.compile(r"[!-*,-<>-~]")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the relay reads (RFC 5321), and the message it carries."""

    sender: str
    recipient: str
    #: CRLF line ends, not dot-stuffed, ending in CRLF.
    content: bytes
    #: What a relay with DSN quotes in its reports (RFC 3461, 4.4); empty for none.
    envid: str = ""


def commands(envelope: Envelope, *, dsn: bool) -> dict[Phase, bytes]:
    """MAIL, RCPT and DATA; with DSN, asking for reports of failures that quote no body."""
    mail, rcpt = f"MAIL FROM:<{envelope.sender}>", f"RCPT TO:<{envelope.recipient}>"
    if dsn and envelope.envid:
        mail += f" RET=HDRS ENVID={_xtext(envelope.envid)}"
        rcpt += f" NOTIFY=FAILURE,DELAY ORCPT=rfc822;{_xtext(envelope.recipient)}"
    return {
        Phase.MAIL: f"{mail}\r\n".encode("ascii"),
        Phase.RCPT: f"{rcpt}\r\n".encode("ascii"),
        Phase.DATA: b"DATA\r\n",
    }


def _xtext(value: str) -> str:
    """RFC 3461, section 4: + and = in hexadecimal, as all that is not printable."""
    return "".join(c if _PLAIN.fullmatch(c) else f"+{ord(c):02X}" for c in value)


def stuffed(content: bytes) -> bytes:
    """Dot-stuffed (RFC 5321, 4.5.2), ending in CRLF, without the final dot."""
    body = content if content.endswith(b"\r\n") else content + b"\r\n"
    if _LINE_OF_DOT.search(body):
        body = body.replace(b"\r\n.", b"\r\n..")
    return b"." + body if body.startswith(b".") else body
