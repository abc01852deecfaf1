"""Envelope -> relay -> receipt, phase by phase. The only module that opens SMTP connections.

aiosmtplib connects, verifies the certificate and authenticates; from then on the transaction
is ours (alerts.transaction). A letter is handed over in two steps, so that the caller can ask
between them whether the contact is still entitled:

    connection.offer(envelope)   MAIL, RCPT, DATA, body      -> Receipt, or None: it is offered
    connection.finish()          the final dot, the reply    -> Receipt
    connection.abandon()         no dot: the relay drops it, and the connection is closed
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import aiosmtplib

from alerts.errors import RelayMisconfigured, RelayUnreachable
from alerts.replies import Outcome, Phase, Receipt, classify
from alerts.signing import Signer
from alerts.transaction import REPLY_LINE, Connection, Envelope, Habits, Offers, Reader

__all__ = ["Connection", "Envelope", "Outcome", "Phase", "Receipt", "Relay", "classify"]

#: Seconds for each step of connecting, for all of them together, and for the reply to the
#: final dot (RFC 5321, 4.5.3.2, where the last is 10 minutes).
CONNECT_WITHIN, READY_WITHIN, DOT_REPLY_WITHIN = 30.0, 90.0, 570.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Relay:
    """A server that letters can be handed to."""

    host: str
    port: int
    #: starttls, implicit, or none (loopback only, held by base.settings).
    tls: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    #: Our name in EHLO; empty for this machine's.
    helo: str = ""
    #: Signs in its stead; None where it signs itself.
    signer: Signer | None = None
    dot_reply_within: float = DOT_REPLY_WITHIN
    habits: Habits = field(default_factory=Habits, compare=False)

    async def connect(self) -> Connection:
        """Open a connection, encrypted and verified unless `tls` is none.

        Raises:
            RelayUnreachable: nobody answers, or 4yz: try again later.
            RelayMisconfigured: certificate, STARTTLS, AUTH or 5yz: a person must look.
        """
        client = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            local_hostname=self.helo or socket.gethostname(),
            use_tls=self.tls == "implicit",
            start_tls=self.tls == "starttls",
            tls_context=_verified(self.ca_file) if self.tls != "none" else None,
            timeout=CONNECT_WITHIN,
        )
        try:
            async with asyncio.timeout(READY_WITHIN):
                await _greet(client)
                if self.user:
                    await client.login(self.user, self.password)
                # Asked again: what is offered inside TLS and after AUTH is what counts.
                await _hello(client)
            return self._take_over(client)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            client.close()
            # Its own words only: a library's traceback may hold the credentials.
            raise _connection_fault(error) from None

    def _take_over(self, client: aiosmtplib.SMTP) -> Connection:
        """Put our own reader on the transport that aiosmtplib opened; it is not used again."""
        transport = client.transport
        if not isinstance(transport, asyncio.WriteTransport):
            raise RelayUnreachable("the connection closed at once")
        loop = asyncio.get_running_loop()
        reader = Reader(limit=REPLY_LINE, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        size = client.esmtp_extensions.get("size", "")
        return Connection(
            reader,
            asyncio.StreamWriter(transport, protocol, reader, loop),
            offers=Offers(
                pipelining=client.supports_extension("pipelining"),
                dsn=client.supports_extension("dsn"),
                size=int(size) if size.isascii() and size.isdigit() else 0,
            ),
            habits=self.habits,
            signer=self.signer,
            dot_reply_within=self.dot_reply_within,
        )


def _verified(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def _greet(client: aiosmtplib.SMTP) -> None:
    """Banner, EHLO and STARTTLS; a relay that will not encrypt is not spoken to in clear."""
    try:
        await client.connect()
    except aiosmtplib.SMTPResponseException as error:
        greeting = (aiosmtplib.SMTPConnectResponseError, aiosmtplib.SMTPHeloError)
        if isinstance(error, greeting) or error.code < 0:
            raise
        raise RelayMisconfigured(f"STARTTLS refused: {error.code} {error.message}") from None


async def _hello(client: aiosmtplib.SMTP) -> None:
    """EHLO; a relay that knows only HELO has no extensions, which is enough for a letter."""
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError as error:
        if error.code not in {500, 502, 504}:
            raise
        await client.helo()


def _connection_fault(error: Exception) -> RelayMisconfigured | RelayUnreachable:
    """Who must act: nobody (later), or a person."""
    text = str(error) or type(error).__name__
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return RelayMisconfigured(f"the relay cannot be trusted: {text}")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        later = error.code < 500
        reply = f"{error.code} {error.message}"
        return RelayUnreachable(reply) if later else RelayMisconfigured(reply)
    plain = type(error) in {aiosmtplib.SMTPException, aiosmtplib.SMTPNotSupported}
    if plain or "STARTTLS" in text.upper():
        # No STARTTLS, no AUTH, or none of the mechanisms we know.
        return RelayMisconfigured(text)
    return RelayUnreachable(text)
