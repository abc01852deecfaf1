"""A real SMTP server on the loopback that puts what it accepts into a Maildir."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from mailbox import Maildir
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True, slots=True)
class _Delivery:
    """What aiosmtpd asks for each message."""

    maildir: Maildir

    async def handle_DATA(  # noqa: N802, the name aiosmtpd looks for
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        content = envelope.content
        if not isinstance(content, bytes):
            return "451 4.3.0 no content"
        return f"250 2.0.0 queued as {self.maildir.add(content)}"


@asynccontextmanager
async def mail_server(maildir: Path) -> AsyncIterator[int]:
    """Listen on a free port of 127.0.0.1, which is given, until the block ends."""
    delivery = _Delivery(Maildir(maildir, create=True))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(delivery, hostname="localhost", decode_data=False), "127.0.0.1", 0
    )
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()
